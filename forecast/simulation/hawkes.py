"""A self-exciting point process in time and space: events that trigger more events, soon and near."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.events.table import Events
from forecast.simulation.grid import COORDINATE_DIGITS, KM_PER_DEGREE, Grid
from forecast.simulation.settings import MOST_EVENTS, Positive, Share, Spec

Floats = NDArray[np.float64]


class HawkesSettings(Spec):
    """Rates and kernels.

    Parameters
    ----------
    background : float
        Expected events a week and region that nothing triggered.
    branching : float
        Expected events that each event triggers directly.
    delay_days : float
        Mean of the exponential delay from an event to one that it triggers.
    spread_km : float
        Standard deviation of the distance, north and east each, to one that it triggers.
    """

    background: Positive = 0.3
    branching: Share = 0.6
    delay_days: Positive = 14.0
    spread_km: Positive = 30.0


class HawkesTruth(HawkesSettings):
    """The settings, and the mean that follows: ``background / (1 - branching)`` events a week and region."""

    mean: float


@dataclass(frozen=True, eq=False)
class _Points:
    """Events in days from the first week's start and degrees."""

    time: Floats
    x: Floats
    y: Floats


def simulate_hawkes(
    settings: HawkesSettings, weeks: pd.DatetimeIndex, grid: Grid, rng: np.random.Generator
) -> tuple[Events, HawkesTruth]:
    """Simulate a stationary space-time Hawkes process on a grid of regions, cluster by cluster.

    The rate at time t and place s, given the past, is
    ``mu + n sum_k exp(-(t - t_k) / d) / d  N(s - s_k; 0, sigma^2 I)``: each event has a Poisson(n) number of direct
    offspring. Clusters start in a wider window (earlier, and around the grid), from where events spill in as others
    spill out, so that the mean within is ``mu / (1 - n)`` throughout. Hawkes and Oakes (1974),
    https://doi.org/10.2307/3212693; in space Mohler et al. (2011), https://doi.org/10.1198/jasa.2011.ap09546.

    Parameters
    ----------
    settings : HawkesSettings
    weeks : DatetimeIndex, shape (weeks,)
    grid : Grid
        Degrees are taken for equal lengths north and east, which holds to 3 % within 13 degrees of the equator.
    rng : Generator

    Returns
    -------
    (Events, HawkesTruth)
        Events with the region each lies in, numbered in order of time.

    Raises
    ------
    InputError
        If that makes more than 5 million events, or none.
    """
    mean = settings.background / (1 - settings.branching)
    spread = settings.spread_km / KM_PER_DEGREE
    # From an empty start the mean rate is off by the share n exp(-(1 - n) t / d) of itself after time t. Near the rim
    # of the wider window the loss falls like exp(-x sqrt(2 (1 - n) / n) / sigma): below 0.1 % where the grid begins.
    earlier = 20 * settings.delay_days / (1 - settings.branching)
    around = 5 * spread / math.sqrt(1 - settings.branching)
    west, east = grid.west.min() - around, grid.west.max() + 1 + around
    south, north = grid.south.min() - around, grid.south.max() + 1 + around
    span = 7.0 * len(weeks)
    founders = settings.background / 7 * (earlier + span) * (east - west) * (north - south)
    if founders / (1 - settings.branching) > MOST_EVENTS:
        raise InputError(
            f"about {founders / (1 - settings.branching):.2g} events",
            where="settings of hawkes",
            expected=f"at most {MOST_EVENTS:.0e}",
            hint="a lower background or branching, a smaller spread, fewer weeks or regions",
        )
    count = int(rng.poisson(founders))
    generation = _Points(
        rng.uniform(-earlier, span, count), rng.uniform(west, east, count), rng.uniform(south, north, count)
    )
    born = [generation]
    while len(generation.time):
        generation = _offspring(generation, settings.branching, settings.delay_days, spread, span, rng)
        born.append(generation)
    events = _within(born, weeks, grid)
    return events, HawkesTruth(**settings.model_dump(), mean=mean)


def _offspring(
    parents: _Points, branching: float, delay: float, spread: float, span: float, rng: np.random.Generator
) -> _Points:
    """Draw the direct offspring of a generation that is born before the window ends."""
    parent = np.repeat(np.arange(len(parents.time)), rng.poisson(branching, len(parents.time)))
    time = parents.time[parent] + rng.exponential(delay, len(parent))
    x = parents.x[parent] + rng.normal(0.0, spread, len(parent))
    y = parents.y[parent] + rng.normal(0.0, spread, len(parent))
    early = time < span
    return _Points(time[early], x[early], y[early])


def _within(born: list[_Points], weeks: pd.DatetimeIndex, grid: Grid) -> Events:
    """Return the events of the window that lie in a region, in order of time."""
    time, x, y = (np.concatenate([getattr(part, axis) for part in born]) for axis in ("time", "x", "y"))
    order = np.argsort(time, kind="stable")
    time, x, y = time[order], x[order].round(COORDINATE_DIGITS), y[order].round(COORDINATE_DIGITS)
    region = grid.polygons.locate(y, x)
    inside = (time >= 0) & (region >= 0)
    if not inside.any():
        raise InputError("no event happened", where="settings of hawkes", hint="a higher background, more weeks")
    days = weeks[0].to_numpy().astype("datetime64[D]") + time[inside].astype(np.int64)
    return grid.events(days, y[inside], x[inside], region[inside], "SIMULATED Hawkes process")
