"""Discrete-time Hawkes processes: counts excite counts, here and around, above a baseline that forgets."""
