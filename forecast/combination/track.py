"""The track of a combination: its forecasts of one panel in order, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forecast.combination.kept_steps import KeptStep
from forecast.combination.seen_cells import SeenCells

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
    made_from : str
        Hash of all that they depend on; empty if nobody asked.
    """

    known: Callable[[int], Outcomes]
    steps: list[KeptStep] = field(default_factory=list)
    made_from: str = ""
    _seen: dict[int, tuple[Ints, SeenCells]] = field(default_factory=dict, repr=False)

    def before(self, week: int) -> int:
        """Return how many of the forecasts are from origins before a week."""
        return sum(step.members.week < week for step in self.steps)

    def seen(self, at: int, counts: Ints) -> SeenCells:
        """Return how the forecasts of one origin fared where its counts, shape (horizon, units), are known.

        Computed once as long as the counts stay as they were.
        """
        if at not in self._seen or not np.array_equal(self._seen[at][0], counts):
            self._seen[at] = counts, SeenCells.of(self.steps[at], counts)
        return self._seen[at][1]
