"""What can be wrong with weekly counts: one check a concept, each in the registry and on docs/checks.md."""
