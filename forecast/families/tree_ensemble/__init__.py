"""Tree ensembles with a whole predictive distribution: a forest of negative binomial leaves, and boosted trees."""
