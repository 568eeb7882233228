"""Dynamic negative binomial whose log rate is filtered exactly on a grid."""
