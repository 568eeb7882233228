"""Counts as the likelihood needs them: unit by unit, with what stands in for the weeks that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from forecast.families.recent import panel_level, recent_sums
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

GAP_WEEKS = 8
"""A missing week is looked back at as the mean of the last so many known ones and one week at the pooled level."""
LEAST_WEIGHT = 2e-3
"""Weeks whose likelihood weight has fallen below this are left out."""


@dataclass(frozen=True, eq=False)
class Data:
    """Counts as the likelihood needs them, unit by unit.

    Parameters
    ----------
    counts : ndarray of float64, shape (units, weeks)
    past : ndarray of float64, shape (units, weeks)
        The same with what stands in for missing weeks when they are looked back at.
    observed : ndarray of bool, shape (units, weeks)
    week_weight : ndarray, shape (weeks,)
        Of each week in the likelihood.
    first : int
        The first week with a likelihood; the weeks before it are looked back at.
    """

    counts: Floats
    past: Floats
    observed: NDArray[np.bool_]
    week_weight: Floats
    first: int

    @classmethod
    def of(cls, counts: NDArray[np.integer], first: int = 1, *, week_weight: Floats | None = None) -> Data:
        """Take counts of shape (weeks, units), all observed."""
        values = np.ascontiguousarray(counts.T, dtype=np.float64)
        weight = np.ones(len(counts)) if week_weight is None else week_weight
        return cls(values, values, np.ones(values.shape, dtype=bool), weight, first)

    @classmethod
    def of_panel(cls, panel: Panel, order: int, half_life_weeks: float | None = None) -> Self:
        """Take the counts of a panel.

        The likelihood starts after `order` weeks, after half of the weeks if there are fewer than twice as many; what
        is missing to `order` weeks before it stands at the pooled level.

        Parameters
        ----------
        panel : Panel
            At least one week of one unit is observed.
        order : int
            Weeks that are looked back at.
        half_life_weeks : float, optional
            A week so much older counts half.
        """
        first = min(order, len(panel.weeks) // 2)
        ahead = ((0, 0), (order - first, 0))
        counts = np.pad(panel.counts.T.astype(np.float64), ahead)
        observed = np.pad(panel.observed.T, ahead)
        age = np.arange(counts.shape[1])[::-1]
        weight = np.ones(len(age)) if half_life_weeks is None else 0.5 ** (age / half_life_weeks)
        known = observed[:, order:].any(axis=0)
        if known.any():  # only weeks that are long past may be known; then they are all there is
            weight = weight / weight[order:][known].max()
        past = counts
        if order > first or not panel.observed.all():
            level = panel_level(panel)
            weeks = np.minimum(np.cumsum(panel.observed, axis=0), GAP_WEEKS)
            usual = (recent_sums(panel.counts, panel.observed, GAP_WEEKS) + level) / (weeks + 1)
            past = np.concatenate(
                [np.tile(level[:, None], order - first), np.where(panel.observed, panel.counts, usual).T], axis=1
            )
        return cls(counts, np.ascontiguousarray(past), observed, np.where(weight < LEAST_WEIGHT, 0.0, weight), order)
