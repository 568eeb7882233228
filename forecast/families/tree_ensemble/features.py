"""What the trees split on, and the plain forecast that they correct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.families.direct_endemic.terms import TermSettings, epidemic_terms
from forecast.families.season import Season
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32]
Ints = NDArray[np.intp]

YEAR_DAYS = 365.25
TERMS = TermSettings(own=(0.5, 0.25, 0.1, 0.03, 0.01), adjacent=0.2, country=0.05, near=0.2)
PLAIN = np.array([0.0, 0.0, 0.25, 0.0, 0.4, 0.0, 0.15, 0.1, 0.1, 0.0])
"""Weights of the terms in the plain forecast: the unit's last month, last year and whole past; those around it."""
PANEL_SHARE = 0.03
"""Of the panel's mean in the plain forecast, so that a unit that has always been silent is not taken for safe."""
PANEL_MEAN_OF = TERMS.names.index("own 0.03")
NO_EVENT = 0.002
"""Events a week that stand for none, so that there is a logarithm: one in ten years."""
LONGEST_SILENCE = 520
NAMES = (*TERMS.names[1:], "panel", "weeks since the last event", "sine of the year", "cosine of the year", "horizon")


@dataclass(frozen=True)
class Clock:
    """Season and exposure of the fit, by which counts are made comparable.

    Parameters
    ----------
    season : Season
    mean_exposure : float
        Of the units of the fit.
    """

    season: Season
    mean_exposure: float

    @classmethod
    def estimate(cls, panel: Panel, *, half_life_weeks: float, harmonics: int, pooling: float) -> Self:
        """Estimate the season as `Season.estimate` does; 0 harmonics are none."""
        season = Season.none()
        if harmonics:
            season = Season.estimate(panel, half_life_weeks=half_life_weeks, harmonics=harmonics, pooling=pooling)
        return cls(season, float(panel.exposure.mean()))

    def scale(self, weeks: pd.DatetimeIndex, panel: Panel) -> Floats:
        """Return season times exposure, shape (weeks, units)."""
        return np.asarray(self.season.factors(weeks, panel.units) * (panel.exposure / self.mean_exposure))


@dataclass(frozen=True, eq=False)
class Features:
    """Of every unit at the end of every week.

    Parameters
    ----------
    terms : ndarray, shape (weeks, units, terms)
        Exponentially weighted means of the rates, and their mean over the panel.
    silence : ndarray, shape (weeks, units)
        Observed weeks since the last event.
    scale : ndarray, shape (weeks + horizon, units)
        Season times exposure, of the weeks ahead as well.
    year : ndarray, shape (weeks + horizon,)
        Time in years.
    """

    terms: Floats
    silence: Floats
    scale: Floats
    year: Floats

    @classmethod
    def of(cls, panel: Panel, clock: Clock, horizon: int) -> Self:
        """Compute the features of a panel for forecasts up to so many weeks ahead."""
        weeks = pd.date_range(panel.weeks[0], periods=len(panel.weeks) + horizon, freq=WEEK)
        scale = clock.scale(weeks, panel)
        terms = epidemic_terms(TERMS, panel, scale[: len(panel.weeks)])
        age = np.asarray((weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=np.float64)
        return cls(terms, _silence(panel), scale, age / YEAR_DAYS)

    def panel_mean(self) -> Floats:
        """Return the mean over the units of their levels over about a year, shape (weeks,)."""
        return np.asarray(self.terms[:, :, PANEL_MEAN_OF].mean(axis=1))

    def plain(self, week: Ints, unit: Ints, ahead: Ints) -> Floats:
        """Return the plain forecast of some cases: a fixed mixture of the means, at the target's season and exposure.

        Parameters
        ----------
        week, unit, ahead : ndarray of int, shape (cases,)
            Last known week and unit, by position; weeks ahead, from 1.

        Returns
        -------
        ndarray, shape (cases,)
            Positive.
        """
        rate = np.einsum("ck,k->c", self.terms[week, unit], PLAIN) + PANEL_SHARE * self.panel_mean()[week]
        return np.asarray(rate * self.scale[week + ahead, unit])

    def inputs(self, week: Ints, unit: Ints, ahead: Ints, longest: int) -> Inputs:
        """Return what the trees split on, shape (cases, names), in the order of `NAMES`.

        Parameters
        ----------
        week, unit, ahead : ndarray of int, shape (cases,)
        longest : int
            Weeks farther ahead are taken as this, but at their own season.
        """
        out = np.empty((len(week), len(NAMES)), dtype=np.float32)
        means = self.terms.shape[2] - 1
        out[:, :means] = np.log(self.terms[week, unit, 1:] + NO_EVENT)
        out[:, means] = np.log(self.panel_mean()[week] + NO_EVENT)
        out[:, means + 1] = np.log1p(self.silence[week, unit])
        angle = 2 * np.pi * self.year[week + ahead]
        out[:, means + 2], out[:, means + 3] = np.sin(angle), np.cos(angle)
        out[:, means + 4] = np.minimum(ahead, longest)
        return out


def _silence(panel: Panel) -> Floats:
    """Return each unit's observed weeks since its last event, shape (weeks, units)."""
    seen = np.cumsum(panel.observed, axis=0)
    last = np.maximum.accumulate(np.where(panel.observed & (panel.counts > 0), seen, -LONGEST_SILENCE), axis=0)
    return np.asarray(np.minimum(seen - last, LONGEST_SILENCE), dtype=np.float64)
