"""Forecasts of the hidden chain: exact marginals, and paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.hidden_markov.filtering import size_of
from forecast.families.hidden_markov.regimes import Regimes
from forecast.predictive.negbin import mixture_pmf, sample_one

Floats = NDArray[np.float64]

LARGEST_COUNT = 2_147_483_647


def marginals(regimes: Regimes, base: Floats, now: Floats, transition: Floats) -> Floats:
    """Return the exact pmf of each week's counts.

    Parameters
    ----------
    regimes : Regimes
    base : ndarray, shape (horizon, units)
        Expected count at ratio 1.
    now : ndarray, shape (units, regimes)
        Probability of each regime in the last known week.
    transition : ndarray, shape (horizon, regimes, regimes)
        Into each of the coming weeks.

    Returns
    -------
    ndarray, shape (horizon, units, k)
    """
    share = np.empty((len(regimes), *base.shape))
    for ahead, matrix in enumerate(transition):
        now = now @ matrix
        share[:, ahead] = now.T
    mean = base * regimes.ratio[:, None, None]
    with np.errstate(divide="ignore"):  # Poisson counts have an infinite size
        size = 1 / (1 / regimes.size[:, None, None] + regimes.excess / mean)
    return mixture_pmf(mean, size, share)


def paths(
    regimes: Regimes, base: Floats, now: Floats, transition: Floats, draws: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Draw paths, shape (draws, horizon, units): regimes of the chain of each unit, and counts in them.

    Arguments as for `marginals`.
    """
    return np.asarray(_paths(base, regimes.ratio, regimes.size, regimes.excess, now, transition, draws, rng))


@compiled
def _draw(share: Floats, rng: np.random.Generator) -> int:
    """Draw a position in proportion to shares that sum to 1."""
    left = rng.random()
    for at in range(len(share) - 1):
        left -= share[at]
        if left < 0.0:
            return at
    return len(share) - 1


@compiled
def _paths(
    base: Floats,
    ratio: Floats,
    size: Floats,
    excess: float,
    now: Floats,
    transition: Floats,
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    horizon, units = base.shape
    out = np.empty((draws, horizon, units), dtype=np.int32)
    for p in range(draws):
        for u in range(units):
            at = _draw(now[u], rng)
            for h in range(horizon):
                at = _draw(transition[h, at], rng)
                mean = base[h, u] * ratio[at]
                out[p, h, u] = min(sample_one(mean, size_of(mean, size[at], excess), rng), LARGEST_COUNT)
    return out
