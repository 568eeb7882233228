"""Counts that feed on those of last week, of the region itself and of its neighbours, over a seasonal base."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.special import i0

from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.simulation.settings import Positive, Share, Size, Spec, Spread, unequal

BURN_IN = 104
"""Weeks before the first one, so that the start from the stationary mean is forgotten."""
_YEAR = 365.25


class _Dynamics(Spec):
    own: Share = 0.4
    neighbour: Share = 0.2
    amplitude: Annotated[float, Field(ge=0, le=5)] = 0.3
    peak_day: Annotated[float, Field(ge=0, lt=366)] = 120.0
    size: Size = 2.0

    @model_validator(mode="after")
    def _stable(self) -> Self:
        if self.own + self.neighbour >= 1:
            raise ValueError("own + neighbour must be below 1, or the counts explode")
        return self


class EndemicEpidemicSettings(_Dynamics):
    """How the counts arise.

    Parameters
    ----------
    endemic : float
        Expected endemic events a week and region, over regions and the year.
    spread : float
        Standard deviation of the logarithm of the regions' endemic means.
    own : float
        Events that each event of last week adds in its region.
    neighbour : float
        Events that the mean of the neighbours' last week adds for each of its events.
    amplitude, peak_day : float
        Seasonality of the endemic part: size on the log scale, and day of the year at which it is highest.
    size : float
        Overdispersion given the past: ``var = mean + mean**2 / size``.
    """

    endemic: Positive = 0.5
    spread: Spread = 0.8


class EndemicEpidemicTruth(_Dynamics):
    """The dynamics, and for each region the endemic mean and the stationary mean, both over the year."""

    endemic: tuple[float, ...]
    stationary: tuple[float, ...]


def simulate_endemic_epidemic(
    settings: EndemicEpidemicSettings,
    weeks: pd.DatetimeIndex,
    units: Units,
    neighbours: Neighbours,
    rng: np.random.Generator,
) -> tuple[Panel, EndemicEpidemicTruth]:
    """Simulate counts that follow those of last week.

    ``Y[t, i] ~ NegBin(m[t, i], size)`` with the mean
    ``m[t, i] = endemic[i] s[t] + own Y[t-1, i] + neighbour mean_j(Y[t-1, j])``.
    The mean runs over the neighbours j of i, and ``s[t] = exp(A cos(2 pi (day - peak) / 365.25)) / I0(A)`` has the
    average 1 over a year. Held, Höhle and Hofmann (2005), https://doi.org/10.1191/1471082X05st098oa; Meyer, Held
    and Höhle (2017), https://doi.org/10.18637/jss.v077.i11, there with weights that sum to 1 over the receivers.

    Parameters
    ----------
    settings : EndemicEpidemicSettings
    weeks : DatetimeIndex, shape (weeks,)
    units : Units
    neighbours : Neighbours
    rng : Generator

    Returns
    -------
    (Panel, EndemicEpidemicTruth)
    """
    endemic = unequal(settings.endemic, settings.spread, len(units), rng)
    weights = neighbours.mean_weights()
    stationary = stationary_mean(endemic, settings.own, settings.neighbour, weights)
    days = weeks[0] + pd.to_timedelta(7 * np.arange(-BURN_IN, len(weeks)), unit="D")
    phase = 2 * np.pi * (days.day_of_year.to_numpy() - settings.peak_day) / _YEAR
    season = np.exp(settings.amplitude * np.cos(phase)) / i0(settings.amplitude)
    counts = np.empty((len(days), len(units)), dtype=np.int64)
    last: NDArray[np.float64] = stationary
    for week, factor in enumerate(season):
        mean = endemic * factor + settings.own * last + settings.neighbour * (weights @ last)
        counts[week] = rng.poisson(mean * rng.gamma(settings.size, 1 / settings.size, size=len(units)))
        last = counts[week].astype(np.float64)
    panel = Panel.of(
        counts[BURN_IN:],
        weeks,
        units,
        neighbours=neighbours,
        source="SIMULATED endemic-epidemic counts",
        simulated=True,
    )
    truth = EndemicEpidemicTruth(
        endemic=tuple(endemic.tolist()),
        stationary=tuple(stationary.tolist()),
        own=settings.own,
        neighbour=settings.neighbour,
        amplitude=settings.amplitude,
        peak_day=settings.peak_day,
        size=settings.size,
    )
    return panel, truth


def stationary_mean(
    endemic: NDArray[np.float64], own: float, neighbour: float, weights: sparse.csr_array
) -> NDArray[np.float64]:
    """Return the mean that the counts settle at, ``(I - own I - neighbour W)^-1 endemic``, shape (units,).

    Parameters
    ----------
    endemic : ndarray, shape (units,)
    own, neighbour : float
        With a sum below 1.
    weights : csr_array, shape (units, units)
        Rows that sum to 1, or to 0.
    """
    system = sparse.eye_array(len(endemic)) * (1 - own) - neighbour * weights
    return np.atleast_1d(np.asarray(spsolve(sparse.csc_array(system), endemic), dtype=np.float64))
