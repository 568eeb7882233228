# Endemic-epidemic models of the R package surveillance on one panel, for comparison.
#
#   Rscript surveillance.R FOLDER
#
# FOLDER holds counts.csv (weeks x units, with a header) and order.csv (order of neighbourhood, units x units, without).
# Writes the estimates of each model to FOLDER/answer.json: log-likelihood, coefficients and standard errors by name,
# standard deviations of random effects, and the processor's seconds of one fit, and of 52 one-step forecasts with a
# refit before each.
# Time runs from 0, the period is 52 weeks.

suppressMessages(library(surveillance))
folder <- commandArgs(trailingOnly = TRUE)[1]
counts <- as.matrix(read.csv(file.path(folder, "counts.csv"), check.names = FALSE))
order <- as.matrix(read.csv(file.path(folder, "order.csv"), header = FALSE))
dimnames(order) <- list(colnames(counts), colnames(counts))
panel <- sts(counts, frequency = 52, start = c(2001, 1), neighbourhood = order)

season <- addSeason2formula(~1, period = 52)
adjacent <- neighbourhood(panel) == 1
basic <- list(end = list(f = season), ar = list(f = ~1), ne = list(f = ~1, weights = adjacent), family = "NegBin1")
changed <- function(...) modifyList(basic, list(...))
order_power <- function(normalize) list(f = ~1, weights = W_powerlaw(maxlag = 4, normalize = normalize))
random <- ~ -1 + ri(type = "iid")
patient <- list(stop = list(tol = 1e-9, niter = 500))
models <- list(
  common = basic,
  poisson = changed(family = "Poisson"),
  trend = changed(end = list(f = addSeason2formula(~ 1 + t, period = 52)), ar = list(f = season)),
  sizes = changed(end = list(f = ~ 0 + fe(1, unitSpecific = TRUE)), family = "NegBinM"),
  power = changed(ne = order_power(TRUE)),
  raw_power = changed(ne = order_power(FALSE)),
  free = changed(ne = list(f = ~1, weights = W_np(maxlag = 3, truncate = FALSE, normalize = TRUE))),
  random_endemic = changed(end = list(f = addSeason2formula(random, period = 52)), optimizer = patient),
  random = changed(end = list(f = random), ar = list(f = random), ne = list(f = random), optimizer = patient)
)

cpu <- function(work) sum(system.time(work)[c("user.self", "sys.self")])
number <- function(x) ifelse(is.finite(x), formatC(x, digits = 12, format = "g"), "null")
object <- function(x) sprintf("{%s}", paste(sprintf('"%s": %s', names(x), number(x)), collapse = ", "))
describe <- function(control) {
  seconds <- cpu(fit <- hhh4(panel, control))
  found <- coef(fit, se = TRUE)[seq_along(fixef(fit)), , drop = FALSE]
  sd <- if (is.null(fit$Sigma)) numeric(0) else sqrt(diag(fit$Sigma))
  sprintf(
    '{"converged": %s, "log_likelihood": %s, "estimates": %s,\n"std_errors": %s, "sd": %s, "seconds": %s}',
    tolower(fit$convergence), number(fit$loglikelihood), object(found[, 1]), object(found[, 2]), object(sd),
    number(seconds)
  )
}
rolling <- function(control) {
  fit <- hhh4(panel, control)
  last <- nrow(counts)
  number(cpu(oneStepAhead(fit, c(last - 52, last - 1), type = "rolling", verbose = FALSE)))
}
versions <- sprintf('{"R": "%s", "surveillance": "%s"}', getRversion(), packageVersion("surveillance"))
parts <- suppressWarnings(vapply(models, describe, ""))
cat(sprintf(
  '{"versions": %s,\n"rolling_seconds": {"common": %s, "power": %s},\n"models": {\n%s\n}}\n',
  versions, rolling(models$common), rolling(models$power),
  paste(sprintf('"%s": %s', names(parts), parts), collapse = ",\n")
), file = file.path(folder, "answer.json"))
