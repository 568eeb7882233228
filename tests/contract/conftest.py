"""Panels that every family has to cope with, and every model there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.families.model import ModelSpec, read_models
from forecast.families.registry import family_locations
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units

ROOT = Path(__file__).parents[2]


def every_model() -> list[ModelSpec]:
    """Return each spec of the catalogue, and each registered family with its default settings if no spec has them."""
    catalogue = list(read_models(ROOT / "models").values())
    covered = {model.family for model in catalogue if not model.settings}
    defaults = [
        ModelSpec(name="default-" + name.replace("_", "-"), family=name, title=name, method="Default settings.")
        for name in sorted(set(family_locations()) - covered)
    ]
    return [*defaults, *catalogue]


def ring(units: int) -> Neighbours:
    """Return units in a ring, each with two neighbours (one if there are two units, none if there is one)."""
    if units < 2:
        return Neighbours.none(units)
    first = np.arange(units if units > 2 else 1)
    second = (first + 1) % units
    return Neighbours.from_pairs(first, second, np.full(len(first), 100.0), np.full(len(first), 200.0), units)


def panel_of(counts: np.ndarray, *, observed: np.ndarray | None = None, first: str = "2015-01-03") -> Panel:
    """Return a panel of two countries, neighbours in a ring."""
    weeks, units = counts.shape
    return Panel.of(
        counts,
        pd.date_range(first, periods=weeks, freq="7D", unit="s", name="week"),
        Units.of([f"{'AB'[at % 2]}/unit {at}" for at in range(units)], groups=["AB"[at % 2] for at in range(units)]),
        observed=observed,
        neighbours=ring(units),
        source="counts of a test",
    )


def draw_counts(weeks: int = 80, units: int = 5, seed: int = 7) -> np.ndarray:
    """Return overdispersed counts at levels from rare to frequent."""
    rng = np.random.default_rng(seed)
    level = np.geomspace(0.05, 3.0, units)
    return rng.poisson(level * rng.gamma(1.5, 1 / 1.5, size=(weeks, units)))


@pytest.fixture(params=every_model(), ids=lambda spec: spec.name)
def spec(request) -> ModelSpec:
    return request.param


@pytest.fixture
def make_panel() -> Callable[..., Panel]:
    return panel_of


@pytest.fixture
def counts() -> np.ndarray:
    return draw_counts()


@pytest.fixture
def panel(counts) -> Panel:
    """Counts of 80 weeks with a few missing ones, the newest week of one unit among them."""
    observed = np.ones(counts.shape, dtype=bool)
    observed[20:24, 3] = False
    observed[-1, 4] = False
    return panel_of(counts, observed=observed)
