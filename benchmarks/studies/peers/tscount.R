# Forecasts of INGARCH(1, 1) models of the R package tscount, one a region, from many origins, several weeks ahead.
#
#   Rscript tscount.R FOLDER HORIZON DRAWS SPAN
#
# Files and arguments as in hhh4.R (order.csv is not read). Identity link, negative binomial. A region whose model cannot
# be fitted, as one without events, keeps the mean of its weeks with half an event added, and a Poisson distribution.
# Between fits the parameters stay and the recursion of the mean goes on over the new weeks.

suppressMessages(library(tscount))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
horizon <- as.integer(arguments[2])
draws <- as.integer(arguments[3])
span <- as.integer(arguments[4])
set.seed(1)

counts <- as.matrix(read.csv(file.path(folder, "counts.csv"), check.names = FALSE))
origins <- read.csv(file.path(folder, "origins.csv"))
units <- ncol(counts)
poisson_size <- 1e9
fits <- 0
fallbacks <- 0

fit <- function(y) {
  fits <<- fits + 1
  found <- tryCatch(
    suppressWarnings(tsglm(y, model = list(past_obs = 1, past_mean = 1), link = "identity", distr = "nbinom")),
    error = function(e) NULL
  )
  if (is.null(found) || any(!is.finite(coef(found)))) {
    fallbacks <<- fallbacks + 1
    return(NULL)
  }
  found
}
go_on <- function(model, new) {
  b <- unname(coef(model))
  y <- as.numeric(model$ts)
  nu <- as.numeric(model$linear.predictors)
  for (count in new) {
    nu <- c(nu, b[1] + b[2] * y[length(y)] + b[3] * nu[length(nu)])
    y <- c(y, count)
  }
  model$ts <- y
  model$linear.predictors <- nu
  model$n_obs <- model$n_obs + length(new)
  model$n_eff <- model$n_eff + length(new)
  model$xreg <- matrix(0, model$n_obs, 0)
  model
}

means <- file(file.path(folder, "means.bin"), "wb")
sizes <- matrix(poisson_size, nrow(origins), units * horizon)
for (at in seq_len(nrow(origins))) {
  known <- origins$known[at]
  fitted <- origins$fitted[at]
  from <- if (span > 0) max(1, fitted - span + 1) else 1
  if (at == 1 || fitted != origins$fitted[at - 1]) {
    models <- lapply(seq_len(units), function(unit) fit(counts[from:fitted, unit]))
  }
  mean <- array(0, c(horizon, units, draws))
  for (unit in seq_len(units)) {
    if (is.null(models[[unit]])) {
      past <- counts[from:known, unit]
      mean[, unit, ] <- (sum(past) + 0.5) / length(past)
      next
    }
    model <- go_on(models[[unit]], counts[seq_len(known - fitted) + fitted, unit])
    mean[, unit, ] <- replicate(draws, as.numeric(tsglm.sim(n = horizon, fit = model, n_start = 0)$linear.predictors))
    if (length(model$distrcoefs) > 0) sizes[at, (unit - 1) * horizon + seq_len(horizon)] <- model$distrcoefs[[1]]
  }
  writeBin(as.vector(mean), means, size = 4)
}
close(means)
write.table(sizes, file.path(folder, "sizes.csv"), sep = ",", row.names = FALSE, col.names = FALSE)
cat(sprintf(
  '{"R": "%s", "package": "%s", "fits": %d, "fallbacks": %d}\n',
  getRversion(), packageVersion("tscount"), fits, fallbacks
), file = file.path(folder, "answer.json"))
