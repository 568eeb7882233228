"""Simulation forward: each path takes up its own events, in its excitation, its levels and its sizes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.excited_hurdle.likelihoods import LARGEST_LOG, LARGEST_RATE, LEAST_LOG_EXCESS, LEAST_RATE
from forecast.families.excited_hurdle.past import FEATURES, features_of, levels, take_up
from forecast.families.excited_hurdle.positive import between, sample_positive, untruncated_table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@compiled
def simulate_paths(  # noqa: C901
    state0: Floats,
    own0: Floats,
    near0: Floats,
    scale: Floats,
    shares: Floats,
    receivers: tuple[Integers, Integers, Floats],
    pools: tuple[Integers, Floats, float, float, bool],
    occurrence: tuple[Floats, Floats],
    number: tuple[Floats, Floats],
    dispersion: Floats,
    highest: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], Floats, Floats, Floats]:
    """Simulate all units together, week by week.

    Parameters
    ----------
    state0 : ndarray, shape (6, units)
        Of `Past`, after the last known week.
    own0, near0 : ndarray, shape (horizon, units)
        Excitation by known weeks.
    scale : ndarray, shape (horizon, units)
        The season.
    shares : ndarray, shape (LONGEST,)
        Of the excitation kernel.
    receivers : tuple of ndarray
        Which units each unit excites and how much: pointers, indices and weights of the compressed columns of the
        neighbours' weights.
    pools : tuple
        Of `Pools.arrays`.
    occurrence, number : tuple of ndarray
        Shared parameters and levels of the units, of the two parts.
    dispersion : ndarray, shape (2,)
    highest : float
        No mean number of events beyond the first exceeds it.
    draws : int
    rng : Generator

    Returns
    -------
    paths : ndarray of int32, shape (draws, horizon, units)
    rate, mean, size : ndarray, shape (draws, horizon, units)
        Of the distribution that each count was drawn from; the mean of positive counts before truncation.
    """
    horizon, units = scale.shape
    groups, exposure, kept, pooling, by_count = pools
    pointers, targets, weights = receivers
    (shared, base_units), (slopes, more_units) = occurrence, number
    shape = (draws, horizon, units)
    paths, rates, means, sizes = np.empty(shape, np.int32), np.empty(shape), np.empty(shape), np.empty(shape)
    by_own, by_near = math.exp(shared[2]), math.exp(shared[3])
    feature, (level, usual) = np.empty(len(FEATURES)), levels(state0, groups, exposure, pooling)
    log_scale, log_highest = np.log(scale), math.log(highest)
    table = untruncated_table(dispersion, LEAST_LOG_EXCESS, log_highest)
    for d in range(draws):
        state, own, near = state0.copy(), own0.copy(), near0.copy()
        for h in range(horizon):
            if h > 0:
                level, usual = levels(state, groups, exposure, pooling)
            for u in range(units):
                if h == 0 and d > 0:  # all paths begin alike
                    rate, mean, size = rates[0, 0, u], means[0, 0, u], sizes[0, 0, u]
                else:
                    s = scale[h, u]
                    base = math.exp(min(shared[0] + base_units[u] + shared[1] * math.log(level[u]), LARGEST_LOG))
                    rate = min(max(s * (base + by_own * own[h, u] + by_near * near[h, u]), LEAST_RATE), LARGEST_RATE)
                    features_of(u, state, level[u], usual[u], log_scale[h, u], feature)
                    log_excess = 0.0
                    for at in range(len(feature)):
                        log_excess += slopes[at] * feature[at]
                    log_excess = min(max(log_excess + more_units[u], LEAST_LOG_EXCESS), log_highest)
                    mean, size = between(table, log_excess - LEAST_LOG_EXCESS)
                count = 0
                if rng.random() < -math.expm1(-rate):
                    count = min(sample_positive(mean, size, rng), np.iinfo(np.int32).max)
                paths[d, h, u], rates[d, h, u], means[d, h, u], sizes[d, h, u] = count, rate, mean, size
            for u in range(units):
                count = paths[d, h, u]
                take_up(state, u, float(count), scale[h, u], kept)
                if count == 0:
                    continue
                mark = (count if by_count else 1) / scale[h, u]
                for later in range(h + 1, min(horizon, h + 1 + len(shares))):
                    reach = mark * shares[later - h - 1]
                    own[later, u] += reach
                    for at in range(pointers[u], pointers[u + 1]):
                        near[later, targets[at]] += weights[at] * reach
    return paths, rates, means, sizes
