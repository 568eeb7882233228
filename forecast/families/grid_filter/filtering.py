"""Exact forward filtering of each unit's rate, under every combination of settings at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.grid_filter.rates import log_rates, spread_one, steps
from forecast.panel.panel import Panel
from forecast.predictive.negbin import logpmf_one

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DECAYS = np.array([0.99, 0.94])
"""Of the sums behind a unit's own level, of which about 100 weeks count, and behind what spreads to it: about 17."""
LEVEL_EVENTS = 1.0
"""Events at its country's level that are added to a unit's own (shape of a gamma prior)."""
COUNTRY_WEEKS = 10.0
"""Weeks of one unit at the level of the panel that are added to a country's own."""
PANEL_EVENTS = 0.5
"""Events in one week of one unit that are added to the panel's, so that a silent panel expects some."""
START_SCALE = 2.5
"""Standard deviation of the log rate around its level before the first observed week of a unit."""
LOWEST_SCORE = float(np.log(1e-6))
"""The log score's floor: one surprise must not decide the weights of the settings alone."""


@dataclass(frozen=True, eq=False)
class Chain:
    """What moves the rates and scatters the counts, for one panel: the settings as arrays.

    Parameters
    ----------
    points : ndarray, shape (points,)
        Log rates.
    moves : ndarray, shape (moves, 3)
        Walk, jump, reset.
    scatters : ndarray, shape (scatters, 2)
        Shape and excess, as in `size_of`.
    steps : ndarray, shape (moves, points, points)
        Weekly transition without the reset.
    reset_scale : float
    spread : float
        Share of the resets that lead to the recent level around a unit.
    group : ndarray of int64, shape (units,)
        Country of each unit.
    start, neighbour : ndarray of int64
        Adjacent units of each unit, as in a sparse matrix by rows.
    """

    points: Floats
    moves: Floats
    scatters: Floats
    steps: Floats
    reset_scale: float
    spread: float
    group: Integers
    start: Integers
    neighbour: Integers

    @classmethod
    def of(
        cls, panel: Panel, moves: Floats, scatters: Floats, jump_scale: float, reset_scale: float, spread: float
    ) -> Chain:
        """Build the chain whose grid reaches above the largest count of a panel."""
        points = log_rates(float(panel.counts.max(where=panel.observed, initial=0)))
        adjacent = panel.neighbours.border_km
        return cls(
            points,
            moves,
            scatters,
            steps(points, moves, jump_scale),
            reset_scale,
            spread,
            panel.units.group_codes().astype(np.int64),
            adjacent.indptr.astype(np.int64),
            adjacent.indices.astype(np.int64),
        )

    @property
    def resets(self) -> Floats:
        """Probability of a reset, shape (moves,)."""
        return np.ascontiguousarray(self.moves[:, 2])

    def reset_rows(self, belief: Belief) -> Floats:
        """Return where a reset after these weeks leads each unit, shape (units, points)."""
        out = np.empty((len(self.group), len(self.points)))
        _reset_rows(
            self.points, belief.events, belief.weeks, self.group, self.start, self.neighbour, self.reset_scale,
            self.spread, out,
        )  # fmt: skip
        return out


@dataclass(frozen=True, eq=False)
class Belief:
    """What the weeks so far say of the rates.

    Parameters
    ----------
    states : ndarray, shape (moves, scatters, units, points)
        Probability of each rate after the last week, given the settings; sums to 1 over the points.
    events, weeks : ndarray, shape (2, units)
        Discounted sums of the counts and of the observed weeks (in units of the season's factor), for the unit's own
        level and for what spreads from it (`DECAYS`).
    """

    states: Floats
    events: Floats
    weeks: Floats

    @classmethod
    def start(cls, chain: Chain, units: int) -> Belief:
        """Return what is believed before the first week; a unit's state is only read once it has been observed."""
        points = len(chain.points)
        states = np.full((len(chain.moves), len(chain.scatters), units, points), 1.0 / points)
        return cls(states, np.zeros((2, units)), np.zeros((2, units)))

    def follow(self, chain: Chain, panel: Panel, factors: Floats, first: int = 0) -> tuple[Belief, Floats]:
        """Return what is believed after the weeks of a panel from position `first` on.

        Parameters
        ----------
        chain : Chain
        panel : Panel
        factors : ndarray, shape (weeks, units)
            Season.
        first : int
            How many weeks this belief knows already.

        Returns
        -------
        belief : Belief
        score : ndarray, shape (weeks - first, moves, scatters)
            Log predictive probability of each week's counts given those before, each of a unit at least
            `LOWEST_SCORE`.
        """
        after = Belief(self.states.copy(), self.events.copy(), self.weeks.copy())
        score = np.zeros((len(panel.weeks) - first, len(chain.moves), len(chain.scatters)))
        _follow(
            after.states, after.events, after.weeks, score,
            panel.counts[first:], panel.observed[first:], np.ascontiguousarray(factors[first:]),
            chain.group, chain.start, chain.neighbour, chain.points, chain.steps, chain.resets, chain.reset_scale,
            chain.spread, chain.scatters,
        )  # fmt: skip
        return after, score


@compiled
def size_of(mean: float, shape: float, excess: float) -> float:
    """Return the size of a count's negative binomial: ``var = mean + mean**2 / shape + excess * mean``.

    `shape` is that of a gamma variable which multiplies the rate of one week; `excess` stands for events that come
    together, whatever the rate.
    """
    return 1.0 / (1.0 / shape + excess / mean)


@compiled
def _levels(events: Floats, weeks: Floats, group: Integers, country: Floats) -> None:
    """Write the events a week of each unit's group, drawn to that of all units, into `country`."""
    groups = group.max() + 1
    group_events, group_weeks = np.zeros(groups), np.zeros(groups)
    for u in range(len(group)):
        group_events[group[u]] += events[u]
        group_weeks[group[u]] += weeks[u]
    overall = (group_events.sum() + PANEL_EVENTS) / (group_weeks.sum() + 1.0)
    for u in range(len(group)):
        at = group[u]
        country[u] = (group_events[at] + COUNTRY_WEEKS * overall) / (group_weeks[at] + COUNTRY_WEEKS)


@compiled
def _reset_rows(
    points: Floats,
    events: Floats,
    weeks: Floats,
    group: Integers,
    start: Integers,
    neighbour: Integers,
    scale: float,
    spread: float,
    out: Floats,
) -> None:
    """Write where a reset leads each unit; for one that has not been observed yet, where its rate may start."""
    country, around = np.empty(len(group)), np.empty(len(points))
    _levels(events[0], weeks[0], group, country)
    for u in range(len(group)):
        if weeks[0, u] == 0.0:
            spread_one(points, country[u], START_SCALE, out[u])
            continue
        level = (events[0, u] + LEVEL_EVENTS) / (weeks[0, u] + LEVEL_EVENTS / country[u])
        spread_one(points, level, scale, out[u])
        if start[u] == start[u + 1] or spread == 0.0:
            continue
        near_events, near_weeks = country[u], 1.0
        for at in range(start[u], start[u + 1]):
            near_events += events[1, neighbour[at]]
            near_weeks += weeks[1, neighbour[at]]
        spread_one(points, near_events / near_weeks, scale, around)
        for k in range(len(points)):
            out[u, k] += spread * (around[k] - out[u, k])


@compiled
def likelihood(count: int, factor: float, points: Floats, scatters: Floats, out: Floats) -> None:
    """Write the probability of a count at each rate into `out`, shape (scatters, points)."""
    for z in range(len(scatters)):
        for k in range(len(points)):
            mean = np.exp(points[k]) * factor
            out[z, k] = np.exp(logpmf_one(count, mean, size_of(mean, scatters[z, 0], scatters[z, 1])))


@compiled
def _likelihoods(
    counts: Integers, factors: Floats, points: Floats, scatters: Floats, row: Integers, given: Floats
) -> None:
    """Write the likelihood of each unit's count into `given` (units, scatters, points), and where it is into `row`.

    Silent units of one country have the same: it is computed once for each run of equal units.
    """
    for u in range(len(counts)):
        if u > 0 and counts[u] == counts[u - 1] and factors[u] == factors[u - 1]:
            row[u] = row[u - 1]
        else:
            row[u] = u
            likelihood(counts[u], factors[u], points, scatters, given[u])


@compiled
def _condition(prior: Floats, likely: Floats, state: Floats) -> float:
    """Write the prior given a count into `state`; return the count's log probability."""
    total = 0.0
    for k in range(len(prior)):
        state[k] = prior[k] * likely[k]
        total += state[k]
    for k in range(len(prior)):
        state[k] /= total
    return float(max(np.log(total), LOWEST_SCORE))


@compiled
def _follow(
    states: Floats,
    events: Floats,
    weeks: Floats,
    score: Floats,
    counts: Integers,
    observed: NDArray[np.bool_],
    factors: Floats,
    group: Integers,
    start: Integers,
    neighbour: Integers,
    points: Floats,
    transitions: Floats,
    resets: Floats,
    reset_scale: float,
    spread: float,
    scatters: Floats,
) -> None:
    """Move `states`, `events`, `weeks` on by all weeks of `counts`; write each week's log score."""
    moves, kinds, units, size = states.shape
    reset, moved = np.empty((units, size)), np.empty((kinds * units, size))
    given, row = np.empty((units, kinds, size)), np.zeros(units, np.int64)
    for t in range(len(counts)):
        _reset_rows(points, events, weeks, group, start, neighbour, reset_scale, spread, reset)
        _likelihoods(counts[t], factors[t], points, scatters, row, given)
        for d in range(moves):
            np.dot(states[d].reshape(kinds * units, size), transitions[d], moved)
            for u in range(units):
                for z in range(kinds):
                    prior = moved[z * units + u]
                    if weeks[0, u] > 0.0:
                        prior += resets[d] * reset[u]
                    else:
                        prior[:] = reset[u]
                    if observed[t, u]:
                        score[t, d, z] += _condition(prior, given[row[u], z], states[d, z, u])
                    else:
                        states[d, z, u] = prior
        for speed in range(len(DECAYS)):
            events[speed] = DECAYS[speed] * events[speed] + np.where(observed[t], counts[t], 0)
            weeks[speed] = DECAYS[speed] * weeks[speed] + np.where(observed[t], factors[t], 0.0)
