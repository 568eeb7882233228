"""What happened in the recent past happens again: weeks are resampled ("conflictology")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import require_observed
from forecast.panel.panel import Panel
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast

Pool = Literal["group", "all"]


class Climatology(Family):
    """The last weeks of a unit, resampled, with a small share of those of other units.

    The benchmark "conflictology" of the ViEWS prediction challenge: Hegre et al. (2024), The 2023/24 VIEWS
    Prediction challenge, https://doi.org/10.48550/arXiv.2407.11045.

    Parameters
    ----------
    weeks : int
        The last observed weeks of each unit that are resampled; a missing week is stepped over.
    pooled_share : float
        Probability that a unit goes on like a unit of its pool (it may be itself). Otherwise a unit that was
        silent throughout would be certain to stay so.
    pool : {"all", "group"}
        Who is in the pool: all units, or those of the same group.

    Notes
    -----
    A path is a run of consecutive weeks from a random start in the window; behind its last week comes its first
    one again (a circular block, so that every week is as likely as any other at every horizon and the pmf is
    exact). All units start at the same point of their windows, so that what happened in the same week stays
    together. Whether a unit follows another one is drawn once a path and unit.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=4, freq="7D")
    >>> panel = Panel.of(np.array([[3], [0], [0], [1]]), weeks, Units.of(["Mali/Mopti"]))
    >>> rng = np.random.default_rng(1)
    >>> Climatology(weeks=4).fit(panel, rng).predict(1, 10, rng).pmf
    array([[[0.5 , 0.25, 0.  , 0.25]]])
    """

    family: ClassVar[str] = "climatology"

    weeks: Annotated[int, Field(ge=2, le=1040)] = 52
    pooled_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    pool: Pool = "all"

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedClimatology:
        """Take up the panel; there is nothing to estimate and `rng` is not used."""
        require_observed(panel)
        return FittedClimatology(panel, self.weeks, self.pooled_share, self.pool)


@dataclass(frozen=True, eq=False)
class FittedClimatology(Fitted):
    """The recent weeks of a panel."""

    panel: Panel
    weeks: int
    pooled_share: float
    pool: Pool

    def window(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the counts of the last observed weeks, oldest first, and how many there are.

        Returns
        -------
        counts : ndarray, shape (weeks, units)
            The rows from the second array on are not filled (0).
        lengths : ndarray, shape (units,)
        """
        counts = np.zeros((min(self.weeks, len(self.panel.weeks)), len(self.panel.units)), dtype=np.int64)
        lengths = np.zeros(len(self.panel.units), dtype=np.int64)
        for unit, seen in enumerate(self.panel.observed.T):
            kept = self.panel.counts[seen, unit][-self.weeks :]
            counts[: len(kept), unit] = kept
            lengths[unit] = len(kept)
        return counts, lengths

    def donors(self, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability that a unit (row) goes on as another (column), shape (units, units)."""
        units = len(lengths)
        groups = self.panel.units.group_codes()
        same = np.ones((units, units)) if self.pool == "all" else groups[:, None] == groups[None, :]
        pool = same * lengths
        pool = np.where(pool.sum(axis=1, keepdims=True) > 0, pool, lengths)  # a whole group without data
        pool = pool / pool.sum(axis=1, keepdims=True)
        share = np.where(lengths > 0, self.pooled_share, 1.0)[:, None]
        return np.asarray(share * pool + (1 - share) * np.eye(units))

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Draw circular blocks of weeks; the pmf is the exact mixture of empirical distributions."""
        counts, lengths = self.window()
        donors = self.donors(lengths)
        units = len(lengths)
        cumulative = np.cumsum(donors, axis=1)
        chosen = np.empty((draws, units), dtype=np.intp)
        pick = rng.random((draws, units))
        for unit in range(units):
            # Up to the last donor that has any weight, whatever rounding does to the sum.
            last = np.flatnonzero(donors[unit])[-1]
            chosen[:, unit] = np.minimum(np.searchsorted(cumulative[unit], pick[:, unit], side="right"), last)
        start = (rng.random(draws)[:, None] * lengths[chosen]).astype(np.int64)
        ahead = (start[:, None, :] + np.arange(horizon)[None, :, None]) % lengths[chosen][:, None, :]
        paths = counts[ahead, chosen[:, None, :]]
        pmf = np.repeat((donors @ _empirical(counts, lengths))[None], horizon, axis=0)
        return Forecast(
            np.minimum(paths, np.iinfo(np.int32).max).astype(np.int32),
            pmf,
            self.target_weeks(horizon),
            self.panel.units,
        )

    def update(self, panel: Panel) -> Self:
        """Take up another panel."""
        require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return an empty table: there are no parameters."""
        return parameter_table({})


def _empirical(counts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of weeks at each count, shape (units, k); a row of zeros where nothing is known."""
    head = min(int(counts.max(initial=0)) + 1, negbin.HEAD_LIMIT)
    out = np.zeros((len(lengths), head))
    for unit, length in enumerate(lengths):
        values = counts[:length, unit]
        out[unit] = np.bincount(values[values < head], minlength=head) / max(length, 1)
    return out
