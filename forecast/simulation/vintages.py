"""Vintages of known truth: a record that fills up with late reports and loses events that are withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.simulation.settings import Positive, Share, Size, Spec, Spread, unequal

Chance = Annotated[float, Field(ge=0, le=1)]


class VintageSettings(Spec):
    """How events happen, and how the record learns of them and errs.

    Parameters
    ----------
    mean : float
        Expected lasting events a week and unit, over units.
    size : float
        Negative binomial of the weekly counts: ``var = mean + mean**2 / size``.
    spread : float
        Standard deviation of the logarithm of the units' means.
    drift : float
        Standard deviation of the logarithm of each unit's slowly moving level, around its mean.
    delay : tuple of float
        Chance that a lasting event becomes known 0, 1, .. weeks after its week; sums to 1.
    batching : float
        Correlation of the delays of a unit's events of one week: 0 if each is reported by itself; the week's delay
        distribution is drawn from a Dirichlet of concentration ``1 / batching - 1``.
    false_share : float
        False events that enter the record, with the same delays, for each lasting one; all are deleted later.
    deletion : float
        Chance each week that a false event in the record is deleted.
    """

    mean: Positive = 8.0
    size: Size = 4.0
    spread: Spread = 0.5
    drift: Spread = 0.3
    delay: tuple[Chance, ...] = (0.45, 0.2, 0.12, 0.09, 0.06, 0.04, 0.025, 0.015)
    batching: Share = 0.0
    false_share: Share = 0.0
    deletion: Annotated[float, Field(gt=0, le=1)] = 0.4

    @model_validator(mode="after")
    def _is_distribution(self) -> Self:
        if not self.delay or abs(sum(self.delay) - 1) > 1e-9:
            raise ValueError(f"the chances of the delays sum to {sum(self.delay):g}, not to 1")
        return self


@dataclass(frozen=True, eq=False)
class SimulatedVintages:
    """A panel as it was known at each origin, and as it is in the end.

    Parameters
    ----------
    known : mapping of origin to Panel
        The weeks that were over, with what was known of them at the end of the day before.
    final : Panel
        All weeks, everything known, nothing false.
    """

    known: Mapping[pd.Timestamp, Panel]
    final: Panel


PERSISTENCE = 0.95
"""Of the level's logarithm from one week to the next."""


def simulate_vintages(
    settings: VintageSettings, weeks: pd.DatetimeIndex, units: Units, rng: np.random.Generator
) -> SimulatedVintages:
    """Simulate counts, the weeks in which they become known, and false events that come and go.

    ``Y[t, i] ~ NegBin(mean[i] exp(x[t, i]), size)`` with ``x`` autoregressive; each event's delay is categorical.

    Parameters
    ----------
    settings : VintageSettings
    weeks : DatetimeIndex, shape (weeks,)
        First days of consecutive weeks.
    units : Units
    rng : Generator

    Returns
    -------
    SimulatedVintages
        An origin after each week; the record is complete for weeks before the first.

    Examples
    --------
    >>> weeks = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
    >>> history = simulate_vintages(VintageSettings(), weeks, Units.of(["A", "B"]), np.random.default_rng(1))
    >>> last = history.known[weeks[-1] + WEEK]
    >>> [int(panel.counts[-3:].sum()) for panel in (last, history.final)]
    [45, 61]
    """
    span, count = len(weeks), len(units)
    level = unequal(settings.mean, settings.spread, count, rng) * np.exp(_levels(settings.drift, span, count, rng))
    frailty = rng.gamma(settings.size, 1 / settings.size, (span, count))
    truth = rng.poisson(level * frailty)
    false = rng.poisson(settings.false_share * level)
    final = _panel(truth, weeks, units, "in the end")

    delays = _delays(settings, (span, count), rng)
    # [week, unit, delay]: events that enter the record, and false ones that leave it again.
    entered, false_entered = rng.multinomial(truth, delays), rng.multinomial(false, delays)
    longest = span + len(settings.delay)
    left = np.zeros((span, count, longest), np.int64)
    for delay in range(len(settings.delay)):
        standing = false_entered[:, :, delay]
        for later in range(delay + 1, longest):
            gone = rng.binomial(standing, settings.deletion)
            left[:, :, later] += gone
            standing = standing - gone
    change = -left
    change[:, :, : len(settings.delay)] += entered + false_entered
    record = np.cumsum(change, axis=2)
    known = {}
    for at in range(span):
        age = at - np.arange(at + 1)
        origin = weeks[at] + WEEK
        known[origin] = _panel(record[np.arange(at + 1), :, age], weeks[: at + 1], units, f"of {origin:%Y-%m-%d}")
    return SimulatedVintages(known, final)


def _panel(counts: NDArray[np.int64], weeks: pd.DatetimeIndex, units: Units, as_known: str) -> Panel:
    return Panel.of(counts, weeks, units, source=f"SIMULATED vintages, {as_known}", simulated=True)


def _levels(drift: float, weeks: int, units: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Stationary autoregression of standard deviation `drift` for each unit, shape (weeks, units)."""
    noise = rng.standard_normal((weeks, units))
    level = np.empty((weeks, units))
    level[0] = noise[0]
    for at in range(1, weeks):
        level[at] = PERSISTENCE * level[at - 1] + np.sqrt(1 - PERSISTENCE**2) * noise[at]
    return drift * level


def _delays(settings: VintageSettings, cells: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Delay distribution of each week and unit, shape (weeks, units, delays)."""
    chance = np.asarray(settings.delay) / sum(settings.delay)
    if settings.batching == 0:
        return np.broadcast_to(chance, (*cells, len(chance)))
    shape = np.maximum(chance * (1 / settings.batching - 1), 1e-6)
    weight = rng.gamma(np.broadcast_to(shape, (*cells, len(chance)))) + 1e-300
    drawn: NDArray[np.float64] = weight / weight.sum(axis=2, keepdims=True)
    return drawn
