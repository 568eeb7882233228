"""Thin commands over the rooms; ``forecast --help`` imports nothing heavy."""

from __future__ import annotations

from forecast.cli.main import console, main

__all__ = ["console", "main"]
