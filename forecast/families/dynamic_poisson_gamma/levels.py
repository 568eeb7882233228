"""Discounted sums of every unit and the levels around it, and what a filter makes of them some weeks ahead; kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive.negbin import logpmf_one

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PANEL_EVENTS = 0.1
"""Events in one week of one unit that are added to the panel's, so that a silent panel expects some."""
CIRCLE_WEEKS = 10.0
"""Weeks of one unit at the level of the panel that are added to those of a country, and of the adjacent units."""
FACTOR_EVENTS = 2.0
"""Events at the slow level that are added to the recent ones of a country, and of the adjacent units."""
LARGEST_FACTOR = 5.0
LOWEST_SCORE = math.log(1e-6)
"""The log score's floor: one surprise must not decide the weights alone."""


@compiled
def take_in(counts: Integers, observed: NDArray[np.bool_], scale: Floats, speeds: Floats, sums: Floats) -> None:
    """Discount the sums and add one more week.

    `sums` are (outlooks, speeds, 2, units), of counts and of expected counts at level 1; `scale` is (outlooks, units).
    """
    for o in range(len(sums)):
        for d in range(len(speeds)):
            for u in range(len(counts)):
                seen = 1.0 if observed[u] else 0.0
                sums[o, d, 0, u] = speeds[d] * sums[o, d, 0, u] + seen * counts[u]
                sums[o, d, 1, u] = speeds[d] * sums[o, d, 1, u] + seen * scale[o, u]


@compiled
def look_around(
    slow: Floats, recent: Floats, group: Integers, start: Integers, neighbour: Integers, out: Floats
) -> None:
    """Write the slow level around each unit, and how far country and adjacent units are above theirs, into `out`.

    `slow` and `recent` are sums of shape (2, units) for one outlook; `out` is (3, units). Adjacent units of unit u are
    ``neighbour[start[u] : start[u + 1]]``, so that the cost is linear in units and borders.
    """
    units = len(group)
    groups = group.max() + 1
    sums = np.zeros((groups, 4))
    for u in range(units):
        for i in range(2):
            sums[group[u], i] += slow[i, u]
            sums[group[u], 2 + i] += recent[i, u]
    overall = (sums[:, 0].sum() + PANEL_EVENTS) / (sums[:, 1].sum() + 1.0)
    around = np.empty(4)
    for u in range(units):
        country, out[1, u] = _level_and_factor(sums[group[u]], overall)
        if start[u + 1] > start[u]:
            around[:] = 0.0
            for at in range(start[u], start[u + 1]):
                for i in range(2):
                    around[i] += slow[i, neighbour[at]]
                    around[2 + i] += recent[i, neighbour[at]]
            adjacent, out[2, u] = _level_and_factor(around, overall)
            out[0, u] = (overall + country + adjacent) / 3.0
        else:
            out[0, u], out[2, u] = (overall + country) / 2.0, 1.0


@compiled
def _level_and_factor(sums: Floats, overall: float) -> tuple[float, float]:
    """Return the slow level, drawn to that of the panel, and the ratio of the recent level to it."""
    level = (sums[0] + CIRCLE_WEEKS * overall) / (sums[1] + CIRCLE_WEEKS)
    factor = (sums[2] + FACTOR_EVENTS) / (sums[3] * level + FACTOR_EVENTS)
    return level, min(max(factor, 1.0 / LARGEST_FACTOR), LARGEST_FACTOR)


@compiled
def ahead_of(
    one: Floats, sums: Floats, around: Floats, slow_at: int, slow_kept: float, fast_kept: float, unit: int
) -> tuple[float, float]:
    """Return mean and shape of the gamma distribution of a unit's level some weeks ahead, under one filter.

    `one` is a row of `Filters.settings`; `sums` (speeds, 2, units) and `around` (3, units) are those of its outlook;
    `slow_kept` and `fast_kept` are the discounts to the power of the weeks.
    """
    at = int(one[0])
    base = (slow_kept * sums[slow_at, 0, unit] + one[2]) / (
        slow_kept * sums[slow_at, 1, unit] + one[2] / around[0, unit]
    )
    if one[3] > 0.0:
        base *= around[1, unit] ** one[3]
    if one[4] > 0.0:
        base *= around[2, unit] ** one[4]
    shape = fast_kept * sums[at, 0, unit] + one[1]
    return shape / (fast_kept * sums[at, 1, unit] + one[1] / base), shape


@compiled
def size_of(mean: float, shape: float, excess: float) -> float:
    """Return the size of a count's negative binomial: ``var = mean + mean**2 / shape + excess * mean``."""
    return 1.0 / (1.0 / shape + excess / mean)


@compiled
def score(
    counts: Integers,
    observed: NDArray[np.bool_],
    scale: Floats,
    sums: Floats,
    around: Floats,
    settings: Floats,
    speeds: Floats,
    slow_at: int,
    excesses: Floats,
    kept: float,
    evidence: Floats,
) -> None:
    """Discount the evidence (units, filters * excesses) by `kept`, and add the log probabilities of one week's counts.

    `sums` and `around` are those of the week before, `scale` (outlooks, units) what was foreseen then.
    """
    for u in range(len(counts)):
        for k in range(evidence.shape[1]):
            evidence[u, k] *= kept
        if not observed[u]:
            continue
        at = 0
        for f in range(len(settings)):
            o = int(settings[f, 5])
            fast = speeds[int(settings[f, 0])]
            level, shape = ahead_of(settings[f], sums[o], around[o], slow_at, speeds[slow_at], fast, u)
            mean = level * scale[o, u]
            for e in range(len(excesses)):
                size = size_of(mean, shape, excesses[e])
                evidence[u, at] += max(logpmf_one(counts[u], mean, size), LOWEST_SCORE)
                at += 1


@compiled
def moments(
    scale: Floats,
    first: int,
    sums: Floats,
    around: Floats,
    settings: Floats,
    speeds: Floats,
    slow_at: int,
    excesses: Floats,
    largest: float,
    mean: Floats,
    size: Floats,
    shapes: Floats,
) -> None:
    """Write mean, size and gamma shape of each component (components, horizon, units) for units from `first` on.

    `scale` is (outlooks, horizon, units).
    """
    for h in range(mean.shape[1]):
        kept = speeds ** (h + 1)
        for u in range(mean.shape[2]):
            at = 0
            for f in range(len(settings)):
                o = int(settings[f, 5])
                fast = kept[int(settings[f, 0])]
                level, shape = ahead_of(settings[f], sums[o], around[o], slow_at, kept[slow_at], fast, first + u)
                expected = min(level * scale[o, h, first + u], largest)
                for e in range(len(excesses)):
                    mean[at, h, u] = expected
                    size[at, h, u] = size_of(expected, shape, excesses[e])
                    shapes[at, h, u] = shape
                    at += 1
