"""How counts are modelled: one file a family, one protocol for all."""
