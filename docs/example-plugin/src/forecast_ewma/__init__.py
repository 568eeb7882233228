"""The family `ewma`: an exponentially weighted mean for each unit, with negative binomial scatter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from forecast.errors import InputError
from forecast.families.protocol import Family, Fitted
from forecast.panel.panel import Panel
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast

Floats = NDArray[np.float64]


class Ewma(Family):
    r"""Exponentially weighted mean of each unit.

    Parameters
    ----------
    half_life : float
        Weeks after which a count counts half.
    prior_weeks : float
        Weeks that the mean of all units counts as beside a unit's own.

    Notes
    -----
    With :math:`w_t = 2^{-(T - t) / \mathrm{half\_life}}` over the observed weeks, and :math:`g` the same mean over all
    units, the level is :math:`(\sum w_t y_t + n g) / (\sum w_t + n)`, `n` being `prior_weeks`. The size of the negative
    binomial is estimated once, by moments, from how counts scatter around the levels of the weeks before.
    """

    family: ClassVar[str] = "ewma"

    half_life: Annotated[float, Field(gt=0, le=520)] = 26.0
    prior_weeks: Annotated[float, Field(gt=0)] = 4.0

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedEwma:
        """Estimate the size; nothing is drawn at random."""
        del rng
        _require_observed(panel)
        start = FittedEwma(panel, self, excess=1.0)
        events = variance = 1.0  # as if one event had been seen, scattered twice as a Poisson
        for stop in range(max(2, len(panel.weeks) - 104), len(panel.weeks)):
            seen = panel.observed[stop]
            if not panel.observed[:stop].any():
                continue
            level = start.update(panel.weeks_between(0, stop)).level()
            events += level[seen].sum()
            variance += ((panel.counts[stop] - level)[seen] ** 2 - level[seen]).sum()
        return replace(start, excess=max(float(variance / events), 0.01))


@dataclass(frozen=True, eq=False)
class FittedEwma(Fitted):
    """How counts scatter, and the panel whose levels are taken.

    Parameters
    ----------
    panel : Panel
    family : Ewma
    excess : float
        Variance over mean, less 1.
    """

    panel: Panel
    family: Ewma
    excess: float

    def level(self) -> Floats:
        """Return the expected weekly count of each unit, shape (units,)."""
        age = np.arange(len(self.panel.weeks))[::-1, None]
        weight = np.exp2(-age / self.family.half_life) * self.panel.observed
        events, weeks = (weight * self.panel.counts).sum(axis=0), weight.sum(axis=0)
        # Half an event in all units together, so that silence is no certainty.
        everywhere = (events.sum() + 0.5) / (weeks.sum() + len(weeks))
        level: Floats = (events + self.family.prior_weeks * everywhere) / (weeks + self.family.prior_weeks)
        return level

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Draw each week by itself; the pmf is exact."""
        mean = self.level()
        size = mean / self.excess
        paths = negbin.sample(np.broadcast_to(mean, (draws, horizon, len(mean))), size, rng)
        pmf = np.repeat(negbin.mixture_pmf(mean[None], size[None])[None], horizon, axis=0)
        return Forecast(paths.astype(np.int32), pmf, self.target_weeks(horizon), self.panel.units)

    def update(self, panel: Panel) -> Self:
        """Take up another panel; nothing is kept a unit, so its units may be others."""
        _require_observed(panel)
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return the one parameter that is estimated."""
        return pd.DataFrame(
            {"estimate": [self.excess], "std_error": [np.nan]}, index=pd.Index(["excess"], name="parameter")
        )


def _require_observed(panel: Panel) -> None:
    if not panel.observed.any():
        raise InputError("no week of any unit is observed", where=panel.source)
