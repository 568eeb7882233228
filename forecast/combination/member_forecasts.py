"""What several models said at one origin after another, what was made of it, and what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.combination.evidence import Evidence
from forecast.predictive.forecast import Paths

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLASSES = 3
"""Classes of regions by their last year: silent, low, active."""
UNKNOWN = -1
"""In place of a count or outcome that is not known."""


@dataclass(frozen=True, eq=False)
class MemberForecasts:
    """What the members of a combination said at one origin.

    Parameters
    ----------
    week : int
        Number of the origin's week: the first of the target weeks has the same.
    pmf : ndarray of float, shape (members, horizon, units, k)
        Probabilities of 0, 1, .. k - 1 events, which sum to 1.
    activity : ndarray of int, shape (units,)
        Class of each unit at the origin, below `CLASSES`.
    chance : ndarray, shape (members, escalations, units)
        Probability of each escalation; NaN where it cannot be told.
    traits : ndarray, shape (traits, units)
        What the weeks before the origin were like, as `forecast.combination.surge.surge_traits` tells it; there may be
        none.
    absent : ndarray of bool, shape (members, horizon, units), optional
        Where a member said nothing and has the mean of the others instead; nowhere if not given. Nothing is learned
        there of weights.
    """

    week: int
    pmf: NDArray[np.floating]
    activity: Ints
    chance: Floats
    traits: Floats
    absent: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class StepForecasts:
    """What each step made of the members' forecasts, with what had been learned by then.

    Parameters
    ----------
    members : MemberForecasts
    weight, trial_weight : ndarray, shape (horizon, CLASSES, members)
        Shares as taken, and as the step would have them everywhere.
    pool, trial, final : ndarray, shape (horizon, units, k)
        Pmf of the pool; recalibrated everywhere; recalibrated where that step is on, which is the forecast.
    pool_chance, trial_chance, final_chance : ndarray, shape (escalations, units)
        The same of the probabilities of escalations.
    """

    members: MemberForecasts
    weight: Floats
    trial_weight: Floats
    pool: Floats
    trial: Floats
    final: Floats
    pool_chance: Floats
    trial_chance: Floats
    final_chance: Floats

    def joint(self, paths: Sequence[Paths], rng: np.random.Generator) -> tuple[Paths, Floats]:
        """Return joint paths of the forecast, and its marginals.

        They are whole paths of the members, each of which gives its mean share; where the marginals are other than
        those of such a pool, the paths keep their ranks and get these marginals.

        Parameters
        ----------
        paths : sequence of ndarray, each of shape (draws, horizon, units)
            Of each member.
        rng : Generator

        Returns
        -------
        ndarray of int32, shape (draws, horizon, units)
            As many as the first member has.
        ndarray, shape (horizon, units, k)
            Each sums to 1.
        """
        horizon = np.minimum(np.arange(self.members.pmf.shape[1]), len(self.weight) - 1)
        share = self.weight[horizon][:, self.members.activity]
        mean = share.mean(axis=(0, 1))
        pooled = pooled_paths(list(paths), mean, rng)
        law = self.final / self.final.sum(axis=2, keepdims=True)
        if not np.allclose(share, mean) or (self.final != self.pool).any():
            pooled = with_marginals(pooled, law, rng)
        return pooled, law


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What is known, in some week, of how the forecasts of a track turned out.

    Parameters
    ----------
    counts : ndarray of int, shape (origins, horizon, units)
        `UNKNOWN` where the week is not over or was not observed.
    met : ndarray of int, shape (origins, escalations, units)
        1 if the escalation came, 0 if not, `UNKNOWN` if not all of its weeks are known.
    """

    counts: Ints
    met: Ints


@dataclass(eq=False)
class Track:
    """The combined forecasts of one panel, in order, and how they turned out as far as that was known in a week.

    Parameters
    ----------
    known : callable of week number to Outcomes
        Of at least the forecasts so far. In the week that begins with an origin nothing of it is known yet.
    steps : list of StepForecasts
        Grows with each origin.
    made_from : str
        Hash of all that they depend on; empty if nobody asked.
    """

    known: Callable[[int], Outcomes]
    steps: list[StepForecasts] = field(default_factory=list)
    made_from: str = ""
    _evidence: dict[int, tuple[Ints, Evidence]] = field(default_factory=dict, repr=False)

    def before(self, week: int) -> int:
        """Return how many of the forecasts are from origins before a week."""
        return sum(step.members.week < week for step in self.steps)

    def evidence(self, at: int, counts: Ints) -> Evidence:
        """Return what the known counts of one origin, shape (horizon, units), say of the members, cell by cell.

        Computed once as long as the counts stay as they were.
        """
        if at in self._evidence and np.array_equal(self._evidence[at][0], counts):
            return self._evidence[at][1]
        seen = counts >= 0
        found = Evidence.of(self.steps[at].members.pmf[:, seen], counts[seen])
        self._evidence[at] = counts, found
        return found
