"""What the weeks of a panel say of the units' current levels, for each draw of the parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.families.bayes.density import Density

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class State:
    """Filtered levels after the last week of a panel.

    Parameters
    ----------
    predicted, points : ndarray, shape (draws, units, grid)
        Probabilities before and after the counts of the last block.
    first : int
        Position of the week at which the last block starts.
    before, evidence : ndarray, shape (draws,)
        Log likelihood of the weeks before the last block, and of all weeks.
    """

    predicted: Floats
    points: Floats
    first: int
    before: Floats
    evidence: Floats

    @classmethod
    def of(cls, density: Density, theta: Floats) -> State:
        """Filter a panel from its start."""
        start = np.broadcast_to(density.start(), (len(theta), *density.start().shape))
        none = np.zeros(len(theta))
        return cls(start, start, 0, none, none).followed(density, theta)

    def followed(self, density: Density, theta: Floats) -> State:
        """Return the state after the last week of the panel of `density`, which only adds weeks to the one so far."""
        predicted, points = np.empty_like(self.points), np.empty_like(self.points)
        before, evidence = self.before.copy(), np.empty(len(theta))
        first = self.first
        for draw, one in enumerate(theta):
            predicted[draw], points[draw], steps = density.follow(one, self.predicted[draw], self.first)
            # One by one, so that stepping week by week ends in the same bytes.
            for step in steps[:-1]:
                before[draw] += step
            evidence[draw] = before[draw] + steps[-1]
            first = self.first + (len(steps) - 1) * density.block_weeks
        return replace(self, predicted=predicted, points=points, first=first, before=before, evidence=evidence)
