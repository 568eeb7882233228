"""The cells of one past origin of which the counts are known, and how the forecasts of that origin fared there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.combination.evidence import Evidence
from forecast.combination.kept_steps import KeptStep
from forecast.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOG_FLOOR = 1e-6
"""As in the log score of a record."""


@dataclass(frozen=True, eq=False)
class SeenCells:
    """Weeks ahead and units of one origin whose counts are known.

    Parameters
    ----------
    ahead, kind : ndarray of int, shape (cells,)
        Weeks ahead, from 0; class of the unit.
    trial_share : ndarray, shape (cells, members)
        Shares that were learned by then.
    evidence : Evidence
        What they say of the members.
    pool, trial : ndarray, shape (cells, 4)
        CRPS, log score, and cdf below and at what came: of the pool, and recalibrated as it would have been then.
    whole : ndarray of bool, shape (cells,)
        Whether all members said something.
    """

    ahead: Ints
    kind: Ints
    trial_share: Floats
    evidence: Evidence
    pool: Floats
    trial: Floats
    whole: NDArray[np.bool_]

    @classmethod
    def of(cls, step: KeptStep, counts: Ints) -> SeenCells:
        """Score what a step said where counts, shape (horizon, units), are known: not negative."""
        ahead, unit = np.nonzero(counts >= 0)
        came, kind, absent = counts[ahead, unit], step.members.activity[unit], step.members.absent
        pool = _scored(step.pool[ahead, unit], came)
        lacks = np.zeros(len(ahead), np.bool_) if absent is None else absent[:, ahead, unit].any(axis=0)
        return cls(
            ahead=ahead,
            kind=kind,
            trial_share=step.trial_weight[ahead, kind],
            evidence=Evidence.of(step.members.pmf[:, ahead, unit], came),
            pool=pool,
            trial=pool if step.laws[1] is step.laws[0] else _scored(step.trial[ahead, unit], came),
            whole=~np.asarray(lacks),
        )


@compiled
def _scored(pmf: Floats, observed: Ints) -> Floats:
    """Return of each cell the CRPS, the log score, and the cdf below and at what came."""
    cells, k = pmf.shape
    out = np.empty((cells, 4))
    for c in range(cells):
        y = observed[c]
        cdf, crps, below, at = 0.0, 0.0, 0.0, 0.0
        for count in range(k):
            if count == y:
                below, at = min(cdf, 1.0), pmf[c, count]
            cdf += pmf[c, count]
            miss = cdf - 1.0 if count >= y else cdf
            crps += miss * miss
        if y >= k:
            crps += y - k
            below = min(cdf, 1.0)
        out[c, 0] = crps
        out[c, 1] = -np.log(max(at, LOG_FLOOR))
        out[c, 2] = below
        out[c, 3] = min(below + at, 1.0)
    return out
