"""Calibrated weekly forecasts of political violence per region and town."""

__version__ = "0.1.0"
