"""One hierarchical model: each method of `bayes_negbin` against PyMC's defaults on the model as one writes it down.

The plain model has one latent variable for each region and block of weeks. Counts of Mali, Burkina Faso and Niger until
the end of 2016. Prints seconds of processor time, smallest bulk ESS (for importance sampling: what the weighted draws
are worth), ESS a second, and how far the posterior means lie apart in posterior standard deviations. Needs the extra
``bayes``.

    python benchmarks/bayes_speed.py --weeks 104
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import arviz
import numpy as np
import pandas as pd
import pymc as pm

from forecast.families.bayes.density import waves
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.readable import readable
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel

ROOT = Path(__file__).parent.parent


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


def main() -> None:
    """Run the methods and the plain model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=260)
    parser.add_argument("--methods", nargs="*", default=["laplace", "advi", "nuts"])
    parser.add_argument("--plain-draws", type=int, default=1000)
    chosen = parser.parse_args()
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=("Mali", "Burkina Faso", "Niger"))
    panel = panel.until(pd.Timestamp("2017-01-07"))
    panel = panel.weeks_between(len(panel.weeks) - chosen.weeks, len(panel.weeks))
    rows, means = {}, {}
    for method in chosen.methods:
        begun = time.process_time()
        fitted = BayesNegbin(method=method).fit(panel, np.random.default_rng(1))
        seconds, found = time.process_time() - begun, fitted.base.diagnostics
        worth = found.bulk_ess if method == "nuts" else found.effective
        rows[method] = {"seconds": seconds, "ess": worth, "r_hat": found.r_hat, "k": found.pareto_k}
        means[method] = fitted.summary()
        print(method, rows[method], flush=True)
    begun = time.process_time()
    family = BayesNegbin()
    with plain_model(family, panel):
        draws = chosen.plain_draws
        trace = pm.sample(draws, tune=draws, chains=4, cores=1, random_seed=1, progressbar=False)
    seconds = time.process_time() - begun
    posterior = trace.posterior[["theta"]]
    ess, r_hat = float(arviz.ess(posterior)["theta"].min()), float(arviz.rhat(posterior)["theta"].max())
    rows["plain"] = {"seconds": seconds, "ess": ess, "r_hat": r_hat, "k": np.nan}
    theta = np.asarray(trace.posterior["theta"]).reshape(-1, len(family.layout(panel)))
    plain = pd.DataFrame(readable(family.layout(panel), theta))
    board = pd.DataFrame(rows).T
    board["ess_per_second"] = board["ess"] / board["seconds"]
    board["worst_mean"] = pd.Series(
        {name: ((table["estimate"] - plain.mean()) / plain.std()).abs().max() for name, table in means.items()}
    )
    print(board.round(3).to_string())


if __name__ == "__main__":
    main()
