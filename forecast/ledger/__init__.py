"""What was forecast, when, from which data, and how it turned out: append-only tables in SQL, linked by hashes."""
