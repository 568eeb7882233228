"""Counts and events of known truth, to test models and to learn with; always labelled as simulated."""
