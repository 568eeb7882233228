"""What the past of a panel leaves behind: levels of occurrence, sizes and recent counts, marks that excite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.recent import pooled_level
from forecast.families.season import Season
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

START_WEEKS = 4.0
"""Each unit starts with so many weeks at its pooled level, which are forgotten as others are."""
RECENT_KEPT = 7 / 9
"""What is kept from week to week of recent counts: an exponentially weighted mean of span 8."""
FEATURES = ("intercept", "usual", "recent", "season")
"""What the number of events in an event week depends on: 1, and the logs of the usual number beyond the first, of the
recent count, and of the season."""
LEAST_BEYOND = 0.1
"""Added to the usual number beyond the first event, so that there is a logarithm."""


@dataclass(frozen=True, eq=False)
class Pools:
    """How units remember, and how they share what they know.

    Parameters
    ----------
    groups : ndarray of int, shape (units,)
    exposure : ndarray, shape (units,)
        With mean 1.
    kept : float
        Weight that a week keeps from one week to the next, in the levels.
    pooling : float
        Weeks at the level of the group, and event weeks at the number of all units, that a unit's own are drawn by.
    by_count : bool
        Whether a week excites by its count, or by 1 whatever it is.
    """

    groups: Integers
    exposure: Floats
    kept: float
    pooling: float
    by_count: bool

    @classmethod
    def of(cls, panel: Panel, level_weeks: float, pooling: float, *, by_count: bool) -> Self:
        """Return the pools of a panel's units, for an exponentially weighted mean of span `level_weeks`."""
        exposure = panel.exposure / panel.exposure.mean()
        groups = panel.units.group_codes().astype(np.int64)
        return cls(groups, exposure, 1 - 2 / (level_weeks + 1), float(pooling), by_count)

    def arrays(self) -> tuple[Integers, Floats, float, float, bool]:
        """Return all fields; for kernels."""
        return self.groups, self.exposure, self.kept, self.pooling, self.by_count

    def start(self, panel: Panel, scale: Floats) -> Floats:
        """Return the state before the first week, shape (6, units), at the level of the whole panel.

        So a short history is read at its own level. The rows are those of `take_up`.
        """
        counts = np.where(panel.observed, panel.counts, 0)
        known = panel.observed.sum(axis=0) * self.exposure
        level = pooled_level(((counts > 0) / scale).sum(axis=0), known, self.groups) * self.exposure
        number = (counts.sum() + 1.0) / (np.count_nonzero(counts) + 1.0)
        one = np.ones(len(level))
        return np.asarray(START_WEEKS * np.stack([level, one, level * number, level, level * number, one]))


@dataclass(frozen=True, eq=False)
class Past:
    """What the weeks of a panel depend on.

    Parameters
    ----------
    pools : Pools
    scale : ndarray, shape (weeks, units)
        The season.
    level : ndarray, shape (weeks, units)
        Log level of occurrence, as it was known before each week.
    features : ndarray, shape (weeks, units, FEATURES)
    own, near : ndarray, shape (weeks, units)
        Marks that excite: events, free of season, of the unit and in the mean over its neighbours.
    state : ndarray, shape (6, units)
        After the last week.
    """

    pools: Pools
    scale: Floats
    level: Floats
    features: Floats
    own: Floats
    near: Floats
    state: Floats

    @classmethod
    def of(cls, panel: Panel, season: Season, pools: Pools) -> Self:
        """Run through the weeks of a panel."""
        scale = season.factors(panel.weeks, panel.units)
        found = history(panel.counts, panel.observed, scale, pools.start(panel, scale), *pools.arrays())
        level, features, own, state = found
        near = np.ascontiguousarray(own @ panel.neighbours.mean_weights().T)
        return cls(pools, scale, level, features, own, near, state)


@compiled
def levels(state: Floats, groups: Integers, exposure: Floats, pooling: float) -> tuple[Floats, Floats]:
    """Return the level of occurrence of each unit, and its mean number in event weeks, shapes (units,).

    Parameters
    ----------
    state : ndarray, shape (6, units)
        See `take_up`.
    groups, exposure, pooling
        Of `Pools`.
    """
    units = state.shape[1]
    count = groups.max() + 1
    happened, weeks = np.zeros(count), np.zeros(count)
    for u in range(units):
        happened[groups[u]] += state[0, u]
        weeks[groups[u]] += state[1, u] * exposure[u]
    overall, one_unit = happened.sum() / weeks.sum(), weeks.sum() / units
    number = state[2].sum() / state[3].sum()
    level, usual = np.empty(units), np.empty(units)
    for u in range(units):
        g = groups[u]
        pooled = (happened[g] + one_unit * overall) / (weeks[g] + one_unit) * exposure[u]
        level[u] = (state[0, u] + pooling * pooled) / (state[1, u] + pooling)
        usual[u] = (state[2, u] + pooling * number) / (state[3, u] + pooling)
    return level, usual


@compiled
def features_of(u: int, state: Floats, level: float, usual: float, log_scale: float, out: Floats) -> None:
    """Write what the number of events of a unit depends on into `out`, shape (FEATURES,)."""
    out[0], out[1], out[3] = 1.0, math.log(max(usual - 1.0, 0.0) + LEAST_BEYOND), log_scale
    out[2] = math.log((state[4, u] + level * usual) / (state[5, u] + 1.0))


@compiled
def take_up(state: Floats, u: int, count: float, scale: float, kept: float) -> None:
    """Let one more observed week of a unit into its state.

    Rows of the state, all discounted: event weeks free of season, weeks, events, event weeks; recent events free of
    season, recent weeks.
    """
    happened = 1.0 if count > 0 else 0.0
    state[0, u] = kept * state[0, u] + happened / scale
    state[1, u] = kept * state[1, u] + 1.0
    state[2, u] = kept * state[2, u] + count
    state[3, u] = kept * state[3, u] + happened
    state[4, u] = RECENT_KEPT * state[4, u] + count / scale
    state[5, u] = RECENT_KEPT * state[5, u] + 1.0


@compiled
def history(
    counts: Integers,
    observed: Booleans,
    scale: Floats,
    start: Floats,
    groups: Integers,
    exposure: Floats,
    kept: float,
    pooling: float,
    by_count: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return level, features and own marks of all weeks, and the state after the last; see `Past`.

    A week that was not observed leaves the state as it is, and excites as its level says.
    """
    weeks, units = counts.shape
    level, features = np.empty((weeks, units)), np.empty((weeks, units, len(FEATURES)))
    marks = np.zeros((weeks, units))
    state = start.copy()
    for t in range(weeks):
        now, usual = levels(state, groups, exposure, pooling)
        for u in range(units):
            level[t, u] = math.log(now[u])
            features_of(u, state, now[u], usual[u], math.log(scale[t, u]), features[t, u])
            if not observed[t, u]:
                marks[t, u] = now[u] * (usual[u] if by_count else 1.0)
                continue
            if counts[t, u] > 0:
                marks[t, u] = (counts[t, u] if by_count else 1) / scale[t, u]
            take_up(state, u, float(counts[t, u]), scale[t, u], kept)
    return level, features, marks, state
