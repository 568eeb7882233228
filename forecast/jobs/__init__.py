"""What the commands do: from a workspace to a run, a backtest, a place, a check, a new workspace."""
