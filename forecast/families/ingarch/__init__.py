"""Count autoregression with feedback from the conditional mean (INGARCH), for one series and for panels."""
