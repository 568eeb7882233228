"""Simulation-based calibration: parameters from the prior, panels from them, and where the posterior puts them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chisquare

from forecast.families.bayes.checks import draw_prior, simulate_panels
from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.posterior import systematic
from forecast.panel.panel import Panel


def calibration_ranks(
    family: BayesFamily, panel: Panel, simulations: int, rng: np.random.Generator, *, draws: int = 63
) -> pd.DataFrame:
    """Return the rank of each true parameter among posterior draws, for panels simulated from the prior.

    If the posterior is right, the ranks of each parameter are uniform on 0 .. draws.

    Parameters
    ----------
    family : BayesFamily
    panel : Panel
        For its weeks, units and neighbours.
    simulations : int
    rng : Generator
    draws : int, default 63
        Equally weighted draws of each posterior.

    Returns
    -------
    DataFrame
        A row for each simulation, a column for each parameter.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari & Gelman (2018), arXiv:1804.06788.
    """
    layout = family.layout(panel)
    truth = draw_prior(layout, simulations, rng)
    counts = simulate_panels(family, panel, truth, rng)
    ranks = np.empty((simulations, len(layout)), dtype=np.int64)
    for at in range(simulations):
        simulated = Panel.of(
            counts[at], panel.weeks, panel.units, observed=panel.observed, neighbours=panel.neighbours,
            exposure=panel.exposure, simulated=True,
        )  # fmt: skip
        fitted = family.fit(simulated, rng)
        found = fitted.theta[systematic(fitted.weights, draws, rng)]
        ranks[at] = (found < truth[at]).sum(axis=0)
    return pd.DataFrame(ranks, columns=list(layout.names))


def flatness(ranks: pd.DataFrame, *, draws: int = 63, bins: int = 8) -> pd.Series:
    """Return the p-value of a chi-squared test that the ranks of each parameter are uniform.

    Parameters
    ----------
    ranks : DataFrame
        From `calibration_ranks`, with as many `draws`.
    draws : int
    bins : int
        Divides draws + 1.

    Examples
    --------
    >>> even = pd.DataFrame({"a": np.arange(64)})
    >>> flatness(even)["a"]
    np.float64(1.0)
    """
    width = (draws + 1) // bins
    histograms = [_histogram(ranks[name].to_numpy() // width, bins) for name in ranks.columns]
    return pd.Series([chisquare(one).pvalue for one in histograms], index=ranks.columns)


def _histogram(bin_of: NDArray[np.int64], bins: int) -> NDArray[np.intp]:
    return np.bincount(bin_of, minlength=bins)
