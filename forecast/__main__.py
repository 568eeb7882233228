"""``python -m forecast``."""

from __future__ import annotations

from forecast.cli import console

if __name__ == "__main__":
    console()
