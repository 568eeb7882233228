"""One hierarchical model: each method of `bayes_negbin` against PyMC's defaults on the model as one writes it down.

The plain model has one latent variable for each region and block of weeks; with ``--still``, levels do not move and
there is one for each region. Counts of Mali, Burkina Faso and Niger until the end of 2016, or simulated ones. Prints
seconds of processor time, smallest bulk ESS (for importance sampling: what the weighted draws are worth), ESS a second,
and how far the posteriors are from that of the plain model: the largest difference of means in posterior standard
deviations (`apart`), the same in Monte Carlo standard errors of the difference (`errors`), and the largest difference
of the ends of the 90 % intervals in standard deviations (`ends`). Needs the extra ``bayes``; ``--save`` writes the
table into ``benchmarks/results``.

    python benchmarks/studies/bayes_speed.py
    python benchmarks/studies/bayes_speed.py --embedded --weeks 260 --regions 30 --chains 2 --draws 500 --save walking
    python benchmarks/studies/bayes_speed.py --embedded --weeks 519 --regions 12 --still --methods laplace --save still
"""

from __future__ import annotations

import argparse
import time

import arviz
import numpy as np
import pandas as pd
import pymc as pm
from _bayes_plain import ROOT, counts, moments, naive_model, plain_model

from forecast.families.bayes.fitted import FittedBayes
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.priors import Prior, Priors
from forecast.panel.panel import Panel

STILL = {"priors": Priors(half_life=Prior(mean=12.0, sd=0.01)), "block_weeks": 26, "points": 96}
"""Half a deviation is gone after 3,000 years; levels that are told so well need a finer grid."""


def timed_fit(family: BayesNegbin, panel: Panel) -> tuple[FittedBayes, float]:
    """Return a fit and its seconds of processor time."""
    begun = time.process_time()
    return family.fit(panel, np.random.default_rng(1)), time.process_time() - begun


def main() -> None:
    """Run the methods and the plain model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--regions", type=int, default=6)
    parser.add_argument("--embedded", action="store_true", help="the counts of the dataset, not simulated ones")
    parser.add_argument("--still", action="store_true", help="levels do not move")
    parser.add_argument("--methods", nargs="*", default=["laplace", "advi", "nuts"])
    parser.add_argument("--chains", type=int, default=4, help="of the plain model; 0: none")
    parser.add_argument("--draws", type=int, default=1000, help="of each of these chains, and as many before")
    parser.add_argument("--save", help="name of the table in benchmarks/results")
    chosen = parser.parse_args()
    panel = counts(chosen.weeks, chosen.regions, simulated=not chosen.embedded)
    usual = BayesNegbin(**(STILL if chosen.still else {}))
    names = list(usual.layout(panel).names)
    rows, found = {}, {}
    for method in chosen.methods:
        family = usual.model_copy(update={"method": method})
        fitted, seconds = timed_fit(family, panel.weeks_between(0, len(panel.weeks) - 1))
        told = fitted.base.diagnostics
        worth = told.bulk_ess if method == "nuts" else min(told.effective, family.draws)
        rows[method] = {"seconds": seconds, "ess": worth, "r_hat": told.r_hat, "k": told.pareto_k}
        begun = time.process_time()
        assert len(fitted.state.points)
        ready = time.process_time()
        assert len(fitted.update(panel).state.points)
        rows[method] |= {"state": ready - begun, "update": time.process_time() - ready}
        again, seconds = timed_fit(family, panel)
        rows[method]["again"] = seconds  # what was compiled is known by now
        found[method] = moments(again.base.theta, again.base.weights, names)
        print(method, {key: round(value, 3) for key, value in rows[method].items()}, again.remarks, flush=True)
    if chosen.chains:
        begun = time.process_time()
        with naive_model(usual, panel) if chosen.still else plain_model(usual, panel):
            trace = pm.sample(
                chosen.draws, tune=chosen.draws, chains=chosen.chains, cores=1, random_seed=1, progressbar=False
            )
        seconds = time.process_time() - begun
        posterior = trace.posterior[["theta"]]
        ess, r_hat = float(arviz.ess(posterior)["theta"].min()), float(arviz.rhat(posterior)["theta"].max())
        rows["plain"] = {"seconds": seconds, "ess": ess, "r_hat": r_hat}
        theta = np.asarray(trace.posterior["theta"]).reshape(-1, len(names))
        plain = moments(theta, np.full(len(theta), 1 / len(theta)), names)
        for method, table in found.items():
            apart = (table["mean"] - plain["mean"]).abs() / plain["sd"]
            error = np.sqrt(1 / rows[method]["ess"] + 1 / ess)
            ends = (table[["q5", "q95"]] - plain[["q5", "q95"]]).abs().div(plain["sd"], axis=0)
            rows[method] |= {"apart": apart.max(), "errors": (apart / error).max(), "ends": ends.max().max()}
    board = pd.DataFrame(rows).T
    board.insert(2, "ess_per_second", board["ess"] / board["seconds"])
    print(board.round(3).to_string())
    if chosen.save:
        path = ROOT / "benchmarks" / "studies" / "results" / f"bayes_speed_{chosen.save}.csv"
        board.round(4).rename_axis("method").to_csv(path, lineterminator="\n")


if __name__ == "__main__":
    main()
