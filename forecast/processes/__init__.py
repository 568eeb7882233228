"""Point processes in continuous time: events that make more events likely."""
