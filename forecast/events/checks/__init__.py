"""What can be wrong with event records: one check a concept, each in the registry and on docs/checks.md."""
