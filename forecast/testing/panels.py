"""Panels that every family has to cope with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units

Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]

EDGES = (
    "one week",
    "two weeks",
    "one unit",
    "one unit, two weeks",
    "silent",
    "one event",
    "one event in the last week",
    "always 3",
    "one silent unit",
    "a unit never observed",
    "a group never observed",
    "nothing in the last year",
    "every other week",
)
"""Panels at the edge of what can be told from, by what is odd about them."""


def ring(units: int) -> Neighbours:
    """Return units in a ring, each with two neighbours (one if there are two units, none if there is one)."""
    if units < 2:
        return Neighbours.none(units)
    first = np.arange(units if units > 2 else 1)
    second = (first + 1) % units
    return Neighbours.from_pairs(first, second, np.full(len(first), 100.0), np.full(len(first), 200.0), units)


def panel_of(counts: Counts, *, observed: Bools | None = None, first: str = "2015-01-03") -> Panel:
    """Return a panel of two countries, neighbours in a ring.

    Parameters
    ----------
    counts : ndarray of int, shape (weeks, units)
    observed : ndarray of bool, shape (weeks, units), optional
        All if not given.
    first : str
        First day of the first week.
    """
    weeks, units = counts.shape
    return Panel.of(
        counts,
        pd.date_range(first, periods=weeks, freq="7D", unit="s", name="week"),
        Units.of([f"{'AB'[at % 2]}/unit {at}" for at in range(units)], groups=["AB"[at % 2] for at in range(units)]),
        observed=observed,
        neighbours=ring(units),
        source="counts of a test",
    )


def draw_counts(weeks: int = 80, units: int = 5, seed: int = 7) -> Counts:
    """Return overdispersed counts at levels from rare to frequent, shape (weeks, units)."""
    rng = np.random.default_rng(seed)
    level = np.geomspace(0.05, 3.0, units)
    return np.asarray(rng.poisson(level * rng.gamma(1.5, 1 / 1.5, size=(weeks, units))), dtype=np.int64)


def usual_panel() -> Panel:
    """Return counts of 80 weeks with a few missing ones, the newest week of one unit among them."""
    counts = draw_counts()
    observed = np.ones(counts.shape, dtype=bool)
    observed[20:24, 3] = False
    observed[-1, 4] = False
    return panel_of(counts, observed=observed)


def edge_panel(name: str) -> Panel:
    """Return one of `EDGES`."""
    weeks, units = {"two weeks": (2, 3), "one week": (1, 3), "one unit": (60, 1), "one unit, two weeks": (2, 1)}.get(
        name, (60, 4)
    )
    counts = np.random.default_rng(3).poisson(0.7, (weeks, units))
    observed = np.ones((weeks, units), dtype=bool)
    match name:
        case "silent":
            counts[:] = 0
        case "one event":
            counts[:] = 0
            counts[30, 1] = 1
        case "one event in the last week":
            counts[:] = 0
            counts[-1, 2] = 1
        case "always 3":
            counts[:] = 3
        case "one silent unit":
            counts[:, 0] = 0
        case "a unit never observed":
            observed[:, 2] = False
        case "a group never observed":
            observed[:, 1::2] = False
        case "nothing in the last year":
            observed[5:] = False
        case "every other week":
            observed[::2] = False
    return panel_of(counts, observed=observed)
