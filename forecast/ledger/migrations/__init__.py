"""How the tables came to be what they are, one file a revision; applied when a ledger is opened."""
