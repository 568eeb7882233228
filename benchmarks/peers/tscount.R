# tscount: one INGARCH series by tsglm.
#
#   Rscript tscount.R FOLDER
#
# Reads FOLDER/counts.txt; writes FOLDER/tscount.json. What it maximises is the Poisson quasi-likelihood, with the terms
# that do not depend on parameters.

library(tscount)
folder <- commandArgs(trailingOnly = TRUE)[1]
y <- scan(file.path(folder, "counts.txt"), quiet = TRUE)
model <- list(past_obs = 1, past_mean = 13)
fit <- tsglm(y, model = model)
quasi <- sum(dpois(y, fitted(fit), log = TRUE))
work <- function() tsglm(y, model = model, distr = "nbinom")
seconds <- replicate(6, sum(system.time(work())[c("user.self", "sys.self")]))
cat(sprintf(
  '{"version": "%s", "tasks": {"one series: fit": {"core_seconds": %.6g, "first": %.6g, "runs": 5, "found": %.12g}}}\n',
  packageVersion("tscount"), median(seconds[-1]), seconds[1], quasi
), file = file.path(folder, "tscount.json"))
