"""Seasonal endemic-epidemic regression on exponentially weighted means, fitted for each horizon by itself."""
