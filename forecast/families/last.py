"""The last observed count goes on: a Poisson with a constant rate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.families.recent import pooled_level, recent_sums, require_observed
from forecast.panel.panel import Panel
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast

LEVEL_WEEKS = 52
"""The pooled level is over the last year, so that old calm or old violence does not set it."""


class Last(Family):
    """Poisson at the last observed count of each unit, the same for every week ahead.

    Parameters
    ----------
    floor_share : float
        The rate is at least this share of the pooled weekly level (52 weeks, the unit's group drawn to all
        units), since after a week with no event the next one may well have some. A unit that was never
        observed gets the pooled level itself.

    Notes
    -----
    The rate stays constant along a path. Were each path to go on from its own simulated count it would be a
    branching process that dies out or grows with variance linear in the horizon, which nobody means by
    "the same as last week". Weeks and units are independent given the rates.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=2, freq="7D")
    >>> panel = Panel.of(np.array([[3, 0], [4, 0]]), weeks, Units.of(["Mali/Mopti", "Mali/Kayes"]))
    >>> rng = np.random.default_rng(1)
    >>> Last().fit(panel, rng).rates().round(3)  # a tenth of the pooled 1.79 events a week at least
    array([4.   , 0.179])
    """

    family: ClassVar[str] = "last"

    floor_share: Annotated[float, Field(gt=0, le=1)] = 0.1

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedLast:
        """Take up the panel; there is nothing to estimate and `rng` is not used."""
        require_observed(panel)
        return FittedLast(panel, self.floor_share)


@dataclass(frozen=True, eq=False)
class FittedLast(Fitted):
    """The last counts of a panel."""

    panel: Panel
    floor_share: float

    def rates(self) -> NDArray[np.float64]:
        """Return the events a week that are expected from now on, shape (units,)."""
        counts, observed = self.panel.counts, self.panel.observed
        newest = len(counts) - 1 - observed[::-1].argmax(axis=0)
        last = np.take_along_axis(counts, newest[None], axis=0)[0].astype(np.float64)
        events = recent_sums(counts, observed, LEVEL_WEEKS)[-1]
        weeks = recent_sums(observed.astype(np.float64), observed, LEVEL_WEEKS)[-1]
        level = pooled_level(events, weeks, self.panel.units.group_codes())
        return np.where(observed.any(axis=0), np.maximum(last, self.floor_share * level), level)

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Draw independent Poisson counts; the pmf is exact."""
        rate = self.rates()
        paths = rng.poisson(rate, size=(draws, horizon, len(rate)))
        pmf = np.repeat(negbin.mixture_pmf(rate[None], np.inf)[None], horizon, axis=0)
        return Forecast(paths.astype(np.int32), pmf, self.target_weeks(horizon), self.panel.units)

    def update(self, panel: Panel) -> Self:
        """Take up another panel."""
        require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return an empty table: there are no parameters."""
        return parameter_table({})
