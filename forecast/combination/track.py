"""The track of a combination: its forecasts of one panel in order, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecast.combination.evidence import Evidence
from forecast.combination.kept_steps import KeptStep

Ints = NDArray[np.int64]

UNKNOWN = -1
"""In place of a count or outcome that is not known."""


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
    steps : list of KeptStep
        Grows with each origin.
    """

    known: Callable[[int], Outcomes]
    steps: list[KeptStep] = field(default_factory=list)
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
