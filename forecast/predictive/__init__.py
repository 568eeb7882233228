"""The forecast: joint sample paths, marginal distributions, risk of an escalation."""
