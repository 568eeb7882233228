"""What drives the mean of a panel beside its own past: exposure, season, trend, covariates, known interventions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from forecast.errors import InputError, unknown_name
from forecast.families.ingarch.interventions import intervention_course
from forecast.families.season import YEAR_DAYS, Season
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]


class Intervention(BaseModel):
    """A break at a known week.

    Parameters
    ----------
    week : date
        Any day of the week in which it sets in.
    decay : float
        0: that week alone (a spiky outlier). 1: from then on (a level shift). Between: fading by this factor a week.
    unit : str, optional
        Where; everywhere if not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    week: dt.date
    decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    unit: str | None = None


@dataclass(frozen=True, eq=False)
class Scaling:
    """Panel covariates with mean and standard deviation in the fit.

    Parameters
    ----------
    names : tuple of str
    mean, spread : ndarray, shape (covariates,)
    """

    names: tuple[str, ...]
    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, panel: Panel, names: tuple[str, ...]) -> Scaling:
        """Return the scaling of the named covariates.

        Raises
        ------
        InputError
            If the panel has no such covariate.
        """
        values = [_covariate(panel, name) for name in names]
        spread = np.array([one.std() for one in values])
        return cls(names, np.array([one.mean() for one in values]), np.where(spread > 0, spread, 1.0))


@dataclass(frozen=True, eq=False)
class Drivers:
    """Season, trend, covariates and interventions of a fit.

    Parameters
    ----------
    season : Season
    trend_until : Timestamp or None
        Last week of the fit, where the trend is 0 and stops; no trend if None.
    scaling : Scaling
    interventions : tuple of Intervention
    """

    season: Season
    trend_until: pd.Timestamp | None
    scaling: Scaling
    interventions: tuple[Intervention, ...]

    def log_scale(self, weeks: pd.DatetimeIndex, panel: Panel) -> Floats:
        """Return log of exposure and season, shape (weeks, units)."""
        exposure = panel.exposure / panel.exposure.mean()
        return np.asarray(np.log(self.season.factors(weeks, panel.units)) + np.log(exposure))

    def loads(self, weeks: pd.DatetimeIndex, panel: Panel) -> Floats:
        """Return trend in years and standardised covariates of the week before, shape (weeks, units, loads).

        Weeks are those of the panel or follow it; before the first week of the panel covariates are at their mean.
        """
        columns = []
        if self.trend_until is not None:
            days = np.minimum((weeks - self.trend_until) / pd.Timedelta(days=1), 0.0)
            columns.append(np.tile(np.asarray(days / YEAR_DAYS)[:, None], (1, len(panel.units))))
        for name, mean, spread in zip(self.scaling.names, self.scaling.mean, self.scaling.spread, strict=True):
            values = (_covariate(panel, name) - mean) / spread
            before = panel.weeks.searchsorted(weeks) - 1
            columns.append(np.where((before >= 0)[:, None], values[np.maximum(before, 0)], 0.0))
        return np.stack(columns, axis=2) if columns else np.zeros((len(weeks), len(panel.units), 0))

    def effects(self, weeks: pd.DatetimeIndex, units: tuple[str, ...]) -> Floats:
        """Return the course of each intervention, shape (weeks, units, interventions)."""
        out = np.zeros((len(weeks), len(units), len(self.interventions)))
        for at, item in enumerate(self.interventions):
            age = np.floor(np.asarray((weeks - pd.Timestamp(item.week)) / pd.Timedelta(days=7))) + 1
            course = intervention_course(age, item.decay)
            here = [item.unit is None or item.unit == name for name in units]
            out[:, :, at] = course[:, None] * np.array(here)
        return out

    def check_units(self, panel: Panel) -> None:
        """Refuse an intervention at a unit that is not in the panel."""
        for item in self.interventions:
            if item.unit is not None and item.unit not in panel.units.names:
                raise unknown_name("unit of an intervention", item.unit, panel.units.names)


def _covariate(panel: Panel, name: str) -> Floats:
    if name not in panel.covariates:
        raise unknown_name("covariate of the panel", name, panel.covariates)
    values = np.asarray(panel.covariates[name], np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"covariate {name!r} is not a number everywhere", where=panel.source)
    return values
