"""How good forecasts were: rolling-origin backtest, proper scores, calibration, comparison."""
