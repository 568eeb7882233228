"""The Bayesian families as one writes them down in PyMC: with one latent variable for each region and block of weeks.

Also the panels to fit them to, and moments of draws. For the other benchmarks of Bayesian families. Needs the extra
``bayes``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

from forecast.families.bayes.checks import draw_prior, simulate_panels
from forecast.families.bayes.density import waves
from forecast.families.bayes.endemic_epidemic import BayesEndemicEpidemic
from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.priors import Prior, Priors
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel

ROOT = Path(__file__).resolve().parents[2]
COUNTRIES = ("Mali", "Burkina Faso", "Niger")
TYPICAL = Priors(
    level=Prior(mean=-1.0, sd=0.5), spread=Prior(mean=0.0, sd=0.3), half_life=Prior(mean=3.5, sd=0.4),
    size=Prior(mean=0.5, sd=0.4),
)  # fmt: skip
"""Of simulated panels, so that they are neither empty nor in the millions."""


def plain_model(family: BayesFamily, panel: Panel, walk: Literal["centred", "innovations"] = "centred") -> pm.Model:
    """Write a family's model down with all its latent levels.

    Parameters
    ----------
    family : BayesNegbin, BayesEndemicEpidemic or BayesHawkes
        With a season and without extra zeros.
    panel : Panel
        Of several countries, without missing weeks.
    walk : {"centred", "innovations"}
        The levels themselves as variables, PyMC's `AR`, or their standard normal steps: the same model, but where most
        counts are 0 the second is much easier for a sampler.
    """
    layout, blocks = family.layout(panel), -(-len(panel.weeks) // family.block_weeks)
    wave, country = waves(panel.weeks), panel.units.group_codes()
    block = np.arange(len(panel.weeks)) // family.block_weeks
    with pm.Model() as model:
        theta = pm.Normal("theta", layout.mean, layout.sd)
        at = {name: theta[place] for place, name in enumerate(layout.names)}
        level = at["level"] + pm.math.exp(at["country_spread"]) * theta[layout.country("level")]
        keep = pm.math.exp(-family.block_weeks * np.log(2) * pm.math.exp(-at["half_life"]))
        if walk == "centred":
            u = pm.AR(
                "walk", rho=[keep], sigma=pm.math.sqrt(1 - keep**2), init_dist=pm.Normal.dist(0, 1),
                shape=(len(panel.units), blocks),
            ).T  # fmt: skip
        else:
            step = pm.Normal("step", 0, 1, shape=(blocks, len(panel.units)))
            scale = pt.concatenate([pt.ones(1), pt.ones(blocks - 1) * pm.math.sqrt(1 - keep**2)])
            u = pt.dot(_powers(keep, blocks) * scale, step)
        pm.Deterministic("last", u[-1])
        log_level = level[country][None] + pm.math.exp(at["spread"]) * u[block]
        for place, name in enumerate(("season_sin", "season_cos")):
            size = at[name] + theta[layout.country(name)]
            log_level = log_level + wave[:, place, None] * size[country][None]
        mean = pm.math.exp(log_level) + _excitation(
            family, panel, at, theta[layout.country("own")] if "own" in at else None
        )
        pm.NegativeBinomial("counts", mu=mean, alpha=pm.math.exp(at["size"]), observed=panel.counts)
    return model


def naive_model(family: BayesNegbin, panel: Panel) -> pm.Model:
    """Write down the model whose levels do not move: a level for each region, drawn to its country's."""
    layout, wave, country = family.layout(panel), waves(panel.weeks), panel.units.group_codes()
    with pm.Model() as model:
        at = {
            name: pm.Normal(name, layout.mean[place], layout.sd[place])
            for place, name in enumerate(layout.names)
            if not name.startswith("level[")
        }
        of_country = pm.Normal("country", at["level"], pm.math.exp(at["country_spread"]), shape=len(layout.countries))
        level = pm.Normal("region", of_country[country], pm.math.exp(at["spread"]))
        log_mean = level[None]
        for place, name in enumerate(("season_sin", "season_cos")):
            size = at[name] + pt.stack([at[f"{name}[{one}]"] for one in layout.countries])
            log_mean = log_mean + wave[:, place, None] * size[country][None]
        pm.NegativeBinomial("counts", mu=pm.math.exp(log_mean), alpha=pm.math.exp(at["size"]), observed=panel.counts)
        own = (of_country - at["level"]) / pm.math.exp(at["country_spread"])
        at |= {f"level[{name}]": own[place] for place, name in enumerate(layout.countries)}
        pm.Deterministic("theta", pt.stack([at[name] for name in layout.names]))
    return model


def _powers(base: Any, size: int) -> Any:
    """Return the lower triangle of powers: 1 on the diagonal, `base` below it, its square below that."""
    return np.tri(size) * base ** np.maximum(np.arange(size)[:, None] - np.arange(size), 0)


def _excitation(family: BayesFamily, panel: Panel, at: dict[str, Any], own: Any) -> Any:
    """Return what past counts add to the mean, shape (weeks, units)."""
    if isinstance(family, BayesNegbin):
        return 0.0
    before = np.vstack([np.zeros(len(panel.units)), panel.counts[:-1]])
    mean_of_neighbours = panel.neighbours.mean_weights().toarray()
    if isinstance(family, BayesEndemicEpidemic):
        keep = 1 - 2 / (family.span + 1)
        recent = (1 - keep) * _powers(keep, len(before)) @ before
        shares = pm.math.exp(at["own"] + own)[panel.units.group_codes()]
        return shares * recent + pm.math.exp(at["neighbours"]) * (recent @ mean_of_neighbours.T)
    n, w, d = (pm.math.sigmoid(at[name]) for name in ("branching", "spillover", "decay"))
    adjacent = (mean_of_neighbours > 0) + np.diag((mean_of_neighbours > 0).sum(axis=0) == 0)
    recent = pt.dot((1 - d) * _powers(d, len(before)), before)
    return n * ((1 - w) * recent + w * pt.dot(recent, (adjacent / adjacent.sum(axis=0)).T))


def counts(weeks: int, regions: int, *, simulated: bool) -> Panel:
    """Return the embedded counts of some weeks and regions, or simulated ones of their calendar and countries."""
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=COUNTRIES)
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
