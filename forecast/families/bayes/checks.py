"""Does the model make counts like these, and what do the priors do: predictive checks, leave-one-out, sensitivity.

All of them take the weeks that the draws have learned from: where a model has a window, no earlier ones.

Examples
--------
>>> import numpy as np, pandas as pd
>>> from forecast.families.bayes.negbin import BayesNegbin
>>> from forecast.panel.units import Units
>>> weeks = pd.date_range("2020-01-04", periods=60, freq="7D", unit="s")
>>> rng = np.random.default_rng(1)
>>> panel = Panel.of(rng.poisson([0.2, 2.0], (60, 2)), weeks, Units.of(["A", "B"]))
>>> fitted = BayesNegbin(season=False).fit(panel, rng)
>>> float(posterior_check(fitted, 100, rng).loc["zeros", "observed"].round(2))
0.48
>>> list(prior_sensitivity(fitted).index)
['level', 'spread', 'half_life', 'size']
>>> left_out = leave_one_out(fitted)
>>> len(left_out), bool((left_out["k"] < 0.7).mean() > 0.95)
(120, True)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.bayes.density import Density
from forecast.families.bayes.filtering import smoothed_levels
from forecast.families.bayes.fitted import FittedBayes, Settings
from forecast.families.bayes.layout import Layout
from forecast.families.bayes.pareto import smoothed_weights
from forecast.families.bayes.paths import paths_after
from forecast.families.bayes.posterior import systematic
from forecast.families.bayes.state import State
from forecast.panel.panel import Panel
from forecast.predictive import negbin

Floats = NDArray[np.float64]
Counts = NDArray[np.integer]


def zeros(counts: Counts, observed: NDArray[np.bool_]) -> float:
    """Return the share of observed counts that are 0; arrays of shape (weeks, units), as for all statistics here."""
    return float((counts[observed] == 0).mean())


def maximum(counts: Counts, observed: NDArray[np.bool_]) -> float:
    """Return the largest observed count."""
    return float(counts.max(where=observed, initial=0))


def variance(counts: Counts, observed: NDArray[np.bool_]) -> float:
    """Return the variance of all observed counts."""
    return float(counts[observed].var())


def lag_one(counts: Counts, observed: NDArray[np.bool_]) -> float:
    """Return the correlation of a unit's counts in successive weeks around its mean, over all units; 0 if none vary."""
    known = observed.sum(axis=0)
    mean = np.divide(counts.sum(axis=0, where=observed), known, out=np.zeros(len(known)), where=known > 0)
    around = np.where(observed, counts - mean, 0.0)
    both = (around[1:] * around[:-1]).sum()
    total = (around**2).sum()
    return float(both / total) if total > 0 else 0.0


STATISTICS: dict[str, Callable[[Counts, NDArray[np.bool_]], float]] = {
    "zeros": zeros,
    "maximum": maximum,
    "variance": variance,
    "lag_one": lag_one,
}


def simulate_panels(family: Settings, panel: Panel, theta: Floats, rng: np.random.Generator) -> NDArray[np.int32]:
    """Simulate panels of the same weeks and units, one for each row of parameters, with fresh levels.

    Parameters
    ----------
    family : Settings
    panel : Panel
        For its weeks, units, neighbours and exposure; its counts are not read.
    theta : ndarray, shape (draws, parameters)
        For the layout of `family` on this panel.
    rng : Generator

    Returns
    -------
    ndarray of int32, shape (draws, weeks, units)
    """
    level = rng.standard_normal((len(theta), len(panel.units)))
    density = family.density(panel)
    return paths_after(density, theta, level, np.zeros_like(level), panel.weeks, 0, rng, largest_mean=1e7).counts


def draw_prior(layout: Layout, draws: int, rng: np.random.Generator) -> Floats:
    """Return draws of the parameters from their priors, shape (draws, parameters)."""
    return layout.natural(rng.standard_normal((draws, len(layout))))


def prior_check(family: Settings, panel: Panel, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Compare the statistics of a panel with those of panels simulated from the priors; `predictive_table` has more."""
    theta = draw_prior(family.layout(panel), draws, rng)
    return predictive_table(panel, simulate_panels(family, panel, theta, rng))


def posterior_check(fitted: FittedBayes, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Compare the statistics of a panel with those of panels simulated from the posterior of the parameters.

    The levels are simulated afresh from what the parameters say of them (a mixed replication: Marshall, Spiegelhalter
    2003, doi:10.1002/sim.1403), so that a panel's own course does not make it look well described.
    """
    theta = fitted.theta[systematic(fitted.weights, draws, rng)]
    return predictive_table(fitted.learned, simulate_panels(fitted.family, fitted.learned, theta, rng))


def predictive_table(panel: Panel, simulated: Counts) -> pd.DataFrame:
    """Compare the statistics of a panel with those of simulated ones.

    Parameters
    ----------
    panel : Panel
    simulated : ndarray of int, shape (draws, weeks, units)

    Returns
    -------
    DataFrame
        Index ``statistic`` (zeros, maximum, variance, lag_one); columns ``observed``, then ``q5``, ``median``, ``q95``
        of the simulated panels, and ``p_value``, the share of them at or above the observed value, ties counted half.
    """
    rows = {}
    for name, statistic in STATISTICS.items():
        real = statistic(panel.counts, panel.observed)
        values = np.array([statistic(one, panel.observed) for one in simulated])
        share = float((values > real).mean() + 0.5 * (values == real).mean())
        rows[name] = [real, *np.quantile(values, [0.05, 0.5, 0.95]), share]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["observed", "q5", "median", "q95", "p_value"])
    return table.rename_axis("statistic")


def prior_sensitivity(fitted: FittedBayes) -> pd.DataFrame:
    r"""Return how far posterior means move where the priors, or the data, count for more.

    The density of the priors is raised to the power :math:`\alpha`, or the likelihood is. At :math:`\alpha = 1` the
    mean of a parameter moves by its posterior covariance with the log of what is raised, for each unit of
    :math:`\log \alpha`. What is told is that for a doubling of :math:`\alpha`, in posterior standard deviations. The
    priors are those of the parameters that all countries share; how countries differ belongs to the model.

    Parameters
    ----------
    fitted : FittedBayes

    Returns
    -------
    DataFrame
        Index ``parameter`` (the shared ones); columns ``prior`` and ``data``. Much of both, with opposite signs, means
        that prior and data disagree; much of ``prior`` and little of ``data``, that the prior tells the parameter.

    References
    ----------
    Power-scaling: Kallioinen, Paananen, Bürkner & Vehtari (2024), doi:10.1007/s11222-023-10366-5.
    """
    layout, weights = fitted.density.layout, fitted.weights
    shared = [at for at, name in enumerate(layout.names) if "[" not in name]
    z = layout.standardised(fitted.theta)
    around = z - weights @ z
    sd = np.sqrt(weights @ around**2)
    evidence = State.of(fitted.family.density(fitted.learned), fitted.theta).evidence
    raised = {"prior": -0.5 * (z[:, shared] ** 2).sum(axis=1), "data": evidence}
    moved = {name: np.log(2) * (weights * value) @ around / sd for name, value in raised.items()}
    table = pd.DataFrame(moved, index=pd.Index(layout.names, name="parameter"))
    return table.iloc[shared]


def leave_one_out(fitted: FittedBayes, draws: int = 100) -> pd.DataFrame:
    r"""Return how probable each count is given all others, and whether that can be told from the draws.

    Given the parameters, leaving a count out is exact: with :math:`q` the smoothed distribution of the unit's level,
    :math:`p(y_i \mid y_{-i}, \theta) = 1 / \sum_u q(u) / p(y_i \mid u, \theta)`. Over the parameters it is
    Pareto-smoothed importance sampling, with ratios :math:`1 / p(y_i \mid y_{-i}, \theta)`.

    Parameters
    ----------
    fitted : FittedBayes
    draws : int
        At most so many draws of the parameters are used.

    Returns
    -------
    DataFrame
        A row for each observed count: ``week``, ``unit``, ``elpd`` (log probability), ``k`` (not to be told above 0.7).

    References
    ----------
    Vehtari, Gelman & Gabry (2017), doi:10.1007/s11222-016-9696-4.
    """
    panel, density = fitted.learned, fitted.family.density(fitted.learned)
    at = systematic(fitted.weights, draws, np.random.default_rng(fitted.seed))
    ratio = np.stack([-_given_others(density, one) for one in fitted.theta[at]])
    week, unit = np.nonzero(panel.observed)
    elpd, k = np.empty(len(week)), np.empty(len(week))
    for cell in range(len(week)):
        weights, k[cell] = smoothed_weights(ratio[:, cell])
        elpd[cell] = np.log(weights @ np.exp(-ratio[:, cell]))
    return pd.DataFrame(
        {"week": panel.weeks[week], "unit": np.asarray(panel.units.names, dtype=object)[unit], "elpd": elpd, "k": k}
    )


def _given_others(density: Density, theta: Floats) -> Floats:
    """Return the log probability of each observed count given all others and the parameters, shape (counts,)."""
    panel, rates, seen, chain = density.panel, density.rates(theta), density.observations(), density.chain
    step = chain.transition(rates.block_time)
    smoothed = smoothed_levels(seen, rates, chain.grid, chain.stationary, step)
    week, unit = np.nonzero(panel.observed)
    count, mean = panel.counts[week, unit], rates.mean(chain.grid, week, density.column[unit])
    probability = (1 - rates.extra_zeros) * np.exp(negbin.logpmf(count[:, None], mean, rates.size))
    probability += rates.extra_zeros * (count == 0)[:, None]
    share = smoothed[week // density.block_weeks, unit]
    return np.asarray(-np.log((share / np.maximum(probability, 1e-300)).sum(axis=1)))
