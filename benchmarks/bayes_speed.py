"""One hierarchical model: each method of `bayes_negbin` against PyMC's defaults on the model as one writes it down.

The plain model has one latent variable for each region and block of weeks. Counts of Mali, Burkina Faso and Niger until
the end of 2016, or simulated ones. Prints seconds of processor time, smallest bulk ESS (for importance sampling: what
the weighted draws are worth), ESS a second, and how far the posteriors are from that of the plain model: the largest
difference of means in posterior standard deviations (`apart`), the same in Monte Carlo standard errors of the
difference (`errors`), and the largest difference of the ends of the 90 % intervals in standard deviations (`ends`).
Needs the extra ``bayes``.

    python benchmarks/bayes_speed.py --weeks 104 --regions 12
    python benchmarks/bayes_speed.py --weeks 104 --regions 6 --simulated
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import arviz
import numpy as np
import pandas as pd
import pymc as pm

from forecast.families.bayes.checks import draw_prior, simulate_panels
from forecast.families.bayes.density import waves
from forecast.families.bayes.fitted import FittedBayes
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.priors import Prior, Priors
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel

ROOT = Path(__file__).parent.parent
TYPICAL = Priors(
    level=Prior(mean=-1.0, sd=0.5), spread=Prior(mean=0.0, sd=0.3), half_life=Prior(mean=3.5, sd=0.4),
    size=Prior(mean=0.5, sd=0.4),
)  # fmt: skip
"""Of simulated panels, so that they are neither empty nor in the millions."""


def plain_model(family: BayesNegbin, panel: Panel) -> pm.Model:
    """Write the model down with all its latent levels."""
    layout, density = family.layout(panel), family.density(panel)
    wave, country = waves(panel.weeks), panel.units.group_codes()
    block = np.arange(len(panel.weeks)) // family.block_weeks
    with pm.Model() as model:
        theta = pm.Normal("theta", layout.mean, layout.sd)
        at = {name: theta[layout.at(name)] for name in ("level", "country_spread", "spread", "half_life", "size")}
        level = at["level"] + pm.math.exp(at["country_spread"]) * theta[layout.country("level")]
        keep = pm.math.exp(-family.block_weeks * np.log(2) * pm.math.exp(-at["half_life"]))
        walk = pm.AR(
            "walk", rho=[keep], sigma=pm.math.sqrt(1 - keep**2), init_dist=pm.Normal.dist(0, 1),
            shape=(len(panel.units), density.observations().blocks),
        )  # fmt: skip
        log_mean = level[country][None] + pm.math.exp(at["spread"]) * walk.T[block]
        for place, name in enumerate(("season_sin", "season_cos")):
            size = theta[layout.at(name)] + theta[layout.country(name)]
            log_mean = log_mean + wave[:, place, None] * size[country][None]
        pm.NegativeBinomial("counts", mu=pm.math.exp(log_mean), alpha=pm.math.exp(at["size"]), observed=panel.counts)
    return model


def counts(weeks: int, regions: int, *, simulated: bool) -> Panel:
    """Return the embedded counts of some weeks and regions, or simulated ones of their calendar and countries."""
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=("Mali", "Burkina Faso", "Niger"))
    panel = panel.until(pd.Timestamp("2017-01-07"))
    panel = panel.weeks_between(len(panel.weeks) - weeks, len(panel.weeks))
    every = len(panel.units) // regions
    panel = panel.select(panel.units.names[::every][:regions])
    if not simulated:
        return panel
    family, rng = BayesNegbin(priors=TYPICAL), np.random.default_rng(3)
    truth = draw_prior(family.layout(panel), 1, rng)
    made = simulate_panels(family, panel, truth, rng)[0]
    return Panel.of(made, panel.weeks, panel.units, neighbours=panel.neighbours, simulated=True)


def moments(theta: np.ndarray, weights: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Return mean, standard deviation and the ends of the 90 % interval of weighted draws."""
    order = np.argsort(theta, axis=0)
    rising = np.take_along_axis(theta, order, axis=0)
    mass = np.cumsum(weights[order], axis=0) - 0.5 * weights[order]
    ends = {
        f"q{100 * p:g}": [np.interp(p, mass[:, at], rising[:, at]) for at in range(len(names))] for p in (0.05, 0.95)
    }
    mean = weights @ theta
    return pd.DataFrame({"mean": mean, "sd": np.sqrt(weights @ (theta - mean) ** 2), **ends}, index=names)


def timed_fit(family: BayesNegbin, panel: Panel) -> tuple[FittedBayes, float]:
    """Return a fit and its seconds of processor time."""
    begun = time.process_time()
    return family.fit(panel, np.random.default_rng(1)), time.process_time() - begun


def main() -> None:
    """Run the methods and the plain model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=260)
    parser.add_argument("--regions", type=int, default=30)
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--methods", nargs="*", default=["laplace", "advi", "nuts"])
    parser.add_argument(
        "--plain-draws", type=int, default=1000, help="of each of 4 chains, and as many before; 0: none"
    )
    chosen = parser.parse_args()
    panel = counts(chosen.weeks, chosen.regions, simulated=chosen.simulated)
    names = list(BayesNegbin().layout(panel).names)
    rows, found = {}, {}
    for method in chosen.methods:
        family = BayesNegbin(method=method)
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
    if chosen.plain_draws:
        begun = time.process_time()
        with plain_model(BayesNegbin(), panel):
            draws = chosen.plain_draws
            trace = pm.sample(draws, tune=draws, chains=4, cores=1, random_seed=1, progressbar=False)
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


if __name__ == "__main__":
    main()
