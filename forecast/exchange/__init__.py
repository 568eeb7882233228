"""Forecasts to others and from others: forecast hubs, the ViEWS prediction challenge, humanitarian data with tags."""
