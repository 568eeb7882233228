"""What several models said at one origin, and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.combination.dependence import pooled_paths, with_marginals
from forecast.predictive.forecast import Paths

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLASSES = 3
"""Classes of regions by their last year: silent, low, active."""


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
