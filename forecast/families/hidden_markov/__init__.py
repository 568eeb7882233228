"""Counts that switch between regimes of a hidden Markov chain, around a slowly moving level of each unit."""
