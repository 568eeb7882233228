"""One file a revision. Each is what it was when it was released: a change of the tables is a new file."""
