"""Self-exciting processes in space and time: a background, and events that make more events likely nearby."""
