"""Pools of forecasts, how their weights are learned, and recalibration."""
