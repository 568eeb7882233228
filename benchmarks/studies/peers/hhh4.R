# Forecasts of an endemic-epidemic model of the R package surveillance from many origins, several weeks ahead.
#
#   Rscript hhh4.R FOLDER HORIZON DRAWS SPAN KIND
#
# FOLDER holds counts.csv (weeks x units, with a header), order.csv (order of neighbourhood, units x units, without) and
# origins.csv (columns known, fitted: weeks known at each origin, and when the model was fitted last). SPAN is the number
# of weeks that a fit sees, 0 for all. Writes to FOLDER
#   means.bin    for each origin the conditional means [horizon, unit, draw], 4-byte floats,
#   sizes.csv    a row an origin, columns [unit, horizon]: size of the negative binomial,
#   answer.json  versions, number of fits, and how many of them are without random intercepts as those with them failed.
#
# KIND "simulated": counts of the week before, own and of adjacent regions (each shared out equally among its
# neighbours), a yearly season and random region intercepts in the endemic part, one overdispersion; weeks ahead by
# simulate(), the means are those given its paths.
# KIND "direct": a model a horizon, whose autoregression is on the last known week and whose endemic part is a power of
# exponentially weighted means of the region's counts (weights 0.25 and 0.03), instead of random intercepts; no paths.

suppressMessages(library(surveillance))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
horizon <- as.integer(arguments[2])
draws <- as.integer(arguments[3])
span <- as.integer(arguments[4])
direct <- arguments[5] == "direct"
set.seed(1)

counts <- as.matrix(read.csv(file.path(folder, "counts.csv"), check.names = FALSE))
order <- as.matrix(read.csv(file.path(folder, "order.csv"), header = FALSE))
origins <- read.csv(file.path(folder, "origins.csv"))
units <- ncol(counts)
dimnames(order) <- list(colnames(counts), colnames(counts))
shared_out <- (order == 1) / pmax(rowSums(order == 1), 1)

# Row k + 1: the mean over the first k weeks, drawn up from 0 to the log of a count that is small.
levels_known <- function(weight) {
  out <- matrix(0, nrow(counts) + 1, units)
  for (week in seq_len(nrow(counts))) out[week + 1, ] <- (1 - weight) * out[week, ] + weight * counts[week, ]
  log(out + 0.005)
}
fast <- levels_known(0.25)
slow <- levels_known(0.03)

season <- function(f) addSeason2formula(f, period = 52)
control <- function(endemic, subset, lag = 1, data = list()) {
  found <- list(
    end = list(f = season(endemic)), ar = list(f = ~1, lag = lag), ne = list(f = ~1, lag = lag, weights = shared_out),
    family = "NegBin1", subset = subset, optimizer = list(stop = list(tol = 1e-5, niter = 50))
  )
  if (length(data)) found$data <- data
  found
}
quietly <- function(work) {
  capture.output(found <- suppressWarnings(work))
  found
}
fits <- 0
fallbacks <- 0
# Weeks that are not over are 0 here, and outside of the subset of a fit.
panel_of <- function(known, rows) {
  panel <- matrix(0, rows, units, dimnames = list(NULL, colnames(counts)))
  panel[1:known, ] <- counts[1:known, ]
  sts(panel, frequency = 52, start = c(2000, 1), neighbourhood = order)
}
subset_of <- function(known, first) max(first, if (span > 0) known - span + 1 else 1):known
converged <- function(model) {
  fits <<- fits + 1
  if (!model$convergence) stop("a fit did not converge")
  model
}
parts_of <- function(model, rows) {
  part <- surveillance:::get_exppreds_with_offsets(model, subset = rows, theta = coef(model))
  c(part, list(weights = surveillance:::getNEweights(model, surveillance:::coefW(coef(model)))))
}

fit_simulated <- function(known, last) {
  panel <- panel_of(known, last + horizon)
  found <- tryCatch(
    quietly(hhh4(panel, control(~ -1 + ri(type = "iid"), subset_of(known, 2)))),
    error = function(e) list(convergence = FALSE)
  )
  if (!found$convergence) {
    fallbacks <<- fallbacks + 1
    found <- quietly(hhh4(panel, control(~1, subset_of(known, 2))))
  }
  converged(found)
}
means_simulated <- function(model, known) {
  rows <- known + seq_len(horizon)
  paths <- unclass(simulate(model, nsim = draws, y.start = counts[known, ], subset = rows, simplify = TRUE))
  part <- parts_of(model, rows)
  mean <- array(0, c(horizon, units, draws))
  before <- matrix(counts[known, ], units, draws)
  for (h in seq_len(horizon)) {
    mean[h, , ] <- part$ar[h, ] * before + part$ne[h, ] * crossprod(part$weights, before) + part$end[h, ]
    before <- paths[h, , ]
  }
  list(mean = mean, size = matrix(1 / coef(model)[["overdisp"]], horizon, units))
}

fit_direct <- function(known, last) {
  rows <- last + horizon
  lapply(seq_len(horizon), function(h) {
    # What is known h - 1 whole weeks before a target week.
    at <- pmin(pmax(seq_len(rows) - h + 1, 1), nrow(fast))
    data <- list(t = seq_len(rows) - 1, fast = fast[at, ], slow = slow[at, ])
    converged(quietly(hhh4(panel_of(known, rows), control(~ 1 + fast + slow, subset_of(known, 53), h, data))))
  })
}
means_direct <- function(models, known) {
  now <- counts[known, ]
  mean <- array(0, c(horizon, units, 1))
  for (h in seq_len(horizon)) {
    part <- parts_of(models[[h]], known + h)
    mean[h, , 1] <- part$ar[1, ] * now + part$ne[1, ] * crossprod(part$weights, now) + part$end[1, ]
  }
  list(mean = mean, size = matrix(1 / vapply(models, function(model) coef(model)[["overdisp"]], 0), horizon, units))
}

fit <- if (direct) fit_direct else fit_simulated
means_of <- if (direct) means_direct else means_simulated
means <- file(file.path(folder, "means.bin"), "wb")
sizes <- matrix(0, nrow(origins), units * horizon)
for (at in seq_len(nrow(origins))) {
  if (at == 1 || origins$fitted[at] != origins$fitted[at - 1]) {
    model <- fit(origins$fitted[at], max(origins$known[origins$fitted == origins$fitted[at]]))
  }
  found <- means_of(model, origins$known[at])
  writeBin(as.vector(found$mean), means, size = 4)
  sizes[at, ] <- as.vector(found$size)
}
close(means)
write.table(sizes, file.path(folder, "sizes.csv"), sep = ",", row.names = FALSE, col.names = FALSE)
cat(sprintf(
  '{"R": "%s", "package": "%s", "fits": %d, "fallbacks": %d}\n',
  getRversion(), packageVersion("surveillance"), fits, fallbacks
), file = file.path(folder, "answer.json"))
