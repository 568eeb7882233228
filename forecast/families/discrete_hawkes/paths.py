"""Simulation forward: each path takes its own events into its baselines, and they excite the weeks after them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.discrete_hawkes.baseline import outlook, pool
from forecast.predictive.negbin import sample_one

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LARGEST_COUNT = 2**31 - 1


@compiled
def simulate_paths(
    a0: Floats,
    n0: Floats,
    excited0: Floats,
    scale: Floats,
    exposure: Floats,
    groups: Integers,
    discount: float,
    shares: Floats,
    own: float,
    others: float,
    start: Integers,
    receiver: Integers,
    spread: Floats,
    kappa: float,
    z: float,
    noise: float,
    largest: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Draw paths week by week.

    Parameters
    ----------
    a0, n0 : ndarray, shape (units,)
        Sums of the baselines at the origin.
    excited0 : ndarray, shape (horizon, units)
        What the events before the origin excite.
    scale : ndarray, shape (horizon, units)
    exposure, groups : ndarray, shape (units,)
    discount : float
    shares : ndarray, shape (lags,)
        Of the delay.
    own, others : float
        Events that one event triggers in its unit, and in all others.
    start, receiver, spread
        Shares of the others: those of unit j stand at ``start[j]`` to ``start[j + 1]``.
    kappa, z, noise : float
        As in `outlook`.
    largest : float
        Means stay below it.
    draws : int
    rng : Generator

    Returns
    -------
    paths : ndarray of int32, shape (draws, horizon, units)
    mean, size : ndarray, shape (draws, horizon, units)
        Of each count, given those before it in its path.
    """
    horizon, units = scale.shape
    paths = np.empty((draws, horizon, units), np.int32)
    means, sizes = np.empty((draws, horizon, units)), np.empty((draws, horizon, units))
    country, share = np.empty(groups.max() + 1), np.empty(units)
    for d in range(draws):
        a, n, excited = a0.copy(), n0.copy(), excited0.copy()
        for h in range(horizon):
            pool(a, n, groups, country)
            for u in range(units):
                s = scale[h, u]
                g = country[groups[u]]
                mean, size, share[u] = outlook(a[u], n[u], g, excited[h, u], s, exposure[u], kappa, z, noise)
                mean = min(mean, largest)
                paths[d, h, u] = min(sample_one(mean, size, rng), LARGEST_COUNT)
                means[d, h, u], sizes[d, h, u] = mean, size
            for u in range(units):
                count = paths[d, h, u]
                a[u] = discount * a[u] + share[u] * count
                n[u] = discount * n[u] + scale[h, u] * exposure[u]
                if count == 0:
                    continue
                mark = count / scale[h, u]
                for later in range(h + 1, min(horizon, h + 1 + len(shares))):
                    offspring = mark * shares[later - h - 1]
                    excited[later, u] += own * offspring
                    for at in range(start[u], start[u + 1]):
                        excited[later, receiver[at]] += others * spread[at] * offspring
    return paths, means, sizes
