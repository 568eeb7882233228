# surveillance: endemic-epidemic models by hhh4.
#
#   Rscript surveillance.R FOLDER
#
# FOLDER holds <panel>-counts.csv (weeks x units, with a header) and <panel>-order.csv (order of neighbourhood, without).
# Adds the measles counts of the package's own data as another panel. Times one fit of each model, and one-step forecasts
# of the last 52 weeks with a refit before each, from the estimates of the week before; writes FOLDER/surveillance.json.

suppressMessages(library(surveillance))
folder <- commandArgs(trailingOnly = TRUE)[1]
refits <- 52

data("measlesWeserEms")
write.csv(observed(measlesWeserEms), file.path(folder, "measles-counts.csv"), row.names = FALSE)
write.table(neighbourhood(measlesWeserEms), file.path(folder, "measles-order.csv"),
  sep = ",", row.names = FALSE, col.names = FALSE
)

number <- function(x) formatC(x, digits = 15, format = "g")
cpu <- function(work) sum(system.time(work)[c("user.self", "sys.self")])
measured <- function(work, find, runs) {
  first <- cpu(found <- work())
  seconds <- median(replicate(runs, cpu(work())))
  sprintf(
    '{"core_seconds": %s, "first": %s, "runs": %d, "found": %s}', number(seconds), number(first), runs, number(find(found))
  )
}
tasks <- character(0)
for (name in c("simulated", "measles")) {
  counts <- as.matrix(read.csv(file.path(folder, paste0(name, "-counts.csv")), check.names = FALSE))
  order <- as.matrix(read.csv(file.path(folder, paste0(name, "-order.csv")), header = FALSE))
  dimnames(order) <- list(colnames(counts), colnames(counts))
  panel <- sts(counts, frequency = 52, start = c(2001, 1), neighbourhood = order)
  basic <- list(
    end = list(f = addSeason2formula(~1, period = 52)), ar = list(f = ~1),
    ne = list(f = ~1, weights = neighbourhood(panel) == 1), family = "NegBin1"
  )
  power <- modifyList(basic, list(ne = list(f = ~1, weights = W_powerlaw(maxlag = 4, normalize = TRUE))))
  for (model in c("adjacency", "power law")) {
    control <- if (model == "adjacency") basic else power
    last <- nrow(counts)
    ahead <- c(last - refits, last - 1)
    whole <- hhh4(panel, control)
    tasks[sprintf("%s, %s: fit", name, model)] <-
      measured(function() hhh4(panel, control), function(fit) as.numeric(logLik(fit)), 5)
    tasks[sprintf("%s, %s: 52 refits and forecasts", name, model)] <- measured(
      function() oneStepAhead(whole, ahead, type = "rolling", verbose = FALSE),
      function(found) mean(scores(found, which = "logs", individual = TRUE)), 2
    )
  }
}
version <- sprintf("%s, R %s", packageVersion("surveillance"), getRversion())
cat(sprintf(
  '{"version": "%s", "tasks": {%s}}\n', version, paste(sprintf('"%s": %s', names(tasks), tasks), collapse = ",\n")
), file = file.path(folder, "surveillance.json"))
