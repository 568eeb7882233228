"""No violence, ever: the floor that every model has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import pandas as pd

from forecast.families.parameters import parameter_table
from forecast.families.protocol import Family, Fitted
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast


class Zero(Family):
    """Always 0 events, with certainty. It has no settings.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> import pandas as pd
    >>> weeks = pd.date_range("2026-01-03", periods=2, freq="7D")
    >>> panel = Panel.of(np.array([[3], [4]]), weeks, Units.of(["Mali/Mopti"]))
    >>> rng = np.random.default_rng(1)
    >>> Zero().fit(panel, rng).predict(4, 10, rng).paths.max()
    np.int32(0)
    """

    family: ClassVar[str] = "zero"

    def fit(self, panel: Panel, rng: np.random.Generator) -> FittedZero:
        """Return the forecast of nothing; neither argument is used."""
        return FittedZero(panel)


@dataclass(frozen=True, eq=False)
class FittedZero(Fitted):
    """A panel after which nothing happens."""

    panel: Panel

    def simulate(self, horizon: int, draws: int, rng: np.random.Generator) -> Forecast:
        """Return paths of zeros, and a pmf with all mass at 0."""
        units = len(self.panel.units)
        return Forecast(
            np.zeros((draws, horizon, units), dtype=np.int32),
            np.ones((horizon, units, 1)),
            self.target_weeks(horizon),
            self.panel.units,
        )

    def update(self, panel: Panel) -> Self:
        """Take up another panel."""
        return replace(self, panel=panel)

    def summary(self) -> pd.DataFrame:
        """Return an empty table: there are no parameters."""
        return parameter_table({})
