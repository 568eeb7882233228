"""A published report brought to its readers: into a folder, by mail, to a webhook."""
