"""Thin commands over the rooms; ``forecast --help`` imports nothing heavy."""

from __future__ import annotations

from forecast.cli.main import main

__all__ = ["main"]
