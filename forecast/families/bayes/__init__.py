"""Hierarchical Bayesian count models whose latent levels are integrated out, so that few parameters remain."""
