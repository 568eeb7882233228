"""Which unit-weeks the trees learn from: a sample that is bounded in size, with weights that make up for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from forecast.families.tree_ensemble.features import Features, Inputs
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

LEAST_WEIGHT = 1e-2
"""Weeks whose weight has fallen below this are left out."""
WARM_UP_WEEKS = 26
"""Weeks, at most a third of all, after which the means are taken for those of the units."""
ZERO_SHARE = 0.15
"""A week without an event is drawn with this probability, relative to one with events, where not all can be."""
MOST_PAIRS = 3000
"""Of an origin and a unit, from which is learnt how the weeks of one path hang together."""


@dataclass(frozen=True, eq=False)
class Cases:
    """A count to learn from, and what was known some weeks before it; arrays of shape (cases,).

    Parameters
    ----------
    week : ndarray of int
        Position of the counted week.
    inputs : ndarray, shape (cases, names)
    plain : ndarray
        The plain forecast.
    count : ndarray
    weight : ndarray
    """

    week: Ints
    inputs: Inputs
    plain: Floats
    count: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.count)

    def before(self, week: int) -> Self:
        """Return the cases whose count was known before a week."""
        kept = self.week < week
        return type(self)(self.week[kept], self.inputs[kept], self.plain[kept], self.count[kept], self.weight[kept])


def draw_cases(
    panel: Panel, features: Features, horizons: int, half_life: float, most: int, rng: np.random.Generator
) -> Cases:
    """Draw cases of every horizon, at most about `most` in all.

    A case is drawn with a probability in proportion to its weight ``0.5 ** (age / half_life)``, smaller by
    `ZERO_SHARE` if its count is 0, and at most 1; its weight is divided by that probability. Cases come in order of
    horizon, week and name of the unit, so that the order of the panel's units changes nothing.
    """
    order = _by_name(panel)
    seen = panel.observed[:, order]
    event = seen & (panel.counts[:, order] > 0)
    weeks = len(panel.weeks)
    newest = int(np.flatnonzero(seen.any(axis=1)).max(initial=0))
    decay = 0.5 ** ((newest - np.arange(weeks)) / half_life)
    decay[decay < LEAST_WEIGHT] = 0.0
    warm_up = min(WARM_UP_WEEKS, weeks // 3)
    found: list[tuple[Ints, Ints, Ints, Floats]] = []
    for ahead in range(1, min(horizons, weeks - 1) + 1):
        target = slice(warm_up + ahead, weeks)
        weight = decay[target]
        events, silent = event[target].sum(axis=1), (seen[target] & ~event[target]).sum(axis=1)
        rate = _rate(weight, events, silent, most / horizons)
        chance = np.minimum(rate * weight[:, None] * np.where(event[target], 1.0, ZERO_SHARE), 1.0) * seen[target]
        week, at = np.nonzero(rng.random(chance.shape) < chance)
        found.append((week + warm_up, order[at], np.full(len(week), ahead), weight[week] / chance[week, at]))
    if not found:
        return Cases(*_cases(panel, features, np.empty(0, np.intp), order[:0], order[:0], np.empty(0), horizons))
    origin, unit, steps, share = (np.concatenate(column) for column in zip(*found, strict=True))
    return Cases(*_cases(panel, features, origin, unit, steps, share, horizons))


@dataclass(frozen=True, eq=False)
class Runs:
    """All weeks ahead of some recent origins, to learn from what the forecasts of consecutive weeks have missed.

    Parameters
    ----------
    inputs : ndarray, shape (pairs * horizons, names)
    plain : ndarray, shape (pairs * horizons,)
    count : ndarray of int, shape (pairs, horizons)
    known : ndarray of bool, shape (pairs, horizons)
    """

    inputs: Inputs
    plain: Floats
    count: NDArray[np.int64]
    known: NDArray[np.bool_]


def draw_runs(panel: Panel, features: Features, horizons: int, recent: int, rng: np.random.Generator) -> Runs:
    """Draw origins among those with all their target weeks in the last `recent` ones, and a unit for each.

    All of them up to `MOST_PAIRS`, else so many with probability in proportion to the plain forecast of the first week.
    """
    order = _by_name(panel)
    weeks = len(panel.weeks)
    origin, unit = (
        array.ravel()
        for array in np.meshgrid(np.arange(max(weeks - recent - 1, 0), weeks - horizons), order, indexing="ij")
    )
    if len(origin) > MOST_PAIRS:
        plain = features.plain(origin, unit, np.ones(len(origin), np.intp))
        chosen = np.sort(rng.choice(len(origin), MOST_PAIRS, replace=False, p=plain / plain.sum()))
        origin, unit = origin[chosen], unit[chosen]
    ahead = np.tile(np.arange(1, horizons + 1), len(origin))
    origin, unit = np.repeat(origin, horizons), np.repeat(unit, horizons)
    known = panel.observed[origin + ahead, unit]
    count = np.where(known, panel.counts[origin + ahead, unit], 0)
    return Runs(
        features.inputs(origin, unit, ahead, horizons),
        features.plain(origin, unit, ahead),
        count.reshape(-1, horizons),
        known.reshape(-1, horizons),
    )


def _by_name(panel: Panel) -> Ints:
    return np.argsort(np.asarray(panel.units.names, dtype=object), kind="stable").astype(np.intp)


def _rate(weight: Floats, events: Ints, silent: Ints, wanted: float) -> float:
    """Return the factor on the weights at which so many cases are expected, or all with a weight if they are fewer."""

    def excess(rate: float) -> float:
        drawn = events @ np.minimum(rate * weight, 1.0) + silent @ np.minimum(rate * ZERO_SHARE * weight, 1.0)
        return float(drawn) - wanted

    all_of_them = 1 / (ZERO_SHARE * LEAST_WEIGHT)
    return all_of_them if excess(all_of_them) <= 0 else float(brentq(excess, 0.0, all_of_them))


def _cases(
    panel: Panel, features: Features, origin: Ints, unit: Ints, ahead: Ints, weight: Floats, horizons: int
) -> tuple[Ints, Inputs, Floats, Floats, Floats]:
    return (
        origin + ahead,
        features.inputs(origin, unit, ahead, horizons),
        features.plain(origin, unit, ahead),
        panel.counts[origin + ahead, unit].astype(np.float64),
        weight,
    )
