"""Small forecasts and panels, made by functions that the fixtures give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive.forecast import Forecast, pmf_of_paths

ORIGIN = "2026-08-01"  # a Saturday
NAMES = ("Mali/Gao", "Mali/Mopti", "=Niger/Diffa")
GROUPS = ("Mali", "Mali", "Niger")


def _forecast_of(*, names=NAMES, groups=GROUPS, horizon=8, draws=200, seed=1, origin=ORIGIN, mean=3.0):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.7, mean / 0.7, (draws, 1, 1)) * np.linspace(0.2, 2, len(names))
    paths = rng.poisson(rate, (draws, horizon, len(names))).astype(np.int32)
    weeks = pd.date_range(origin, periods=horizon, freq="7D", unit="s", name="week")
    return Forecast(paths, pmf_of_paths(paths), weeks, Units.of(names, groups=groups), "direct-endemic")


def _panel_of(*, weeks=60, until=ORIGIN, seed=2):
    counts = np.random.default_rng(seed).poisson(2.0, (weeks, len(NAMES)))
    observed = np.ones(counts.shape, dtype=bool)
    observed[-3, 1] = False
    index = pd.date_range(end=pd.Timestamp(until) - pd.Timedelta(days=7), periods=weeks, freq="7D", unit="s")
    return Panel.of(counts, index, Units.of(NAMES, groups=GROUPS), observed=observed, source="invented counts")


@pytest.fixture(scope="session")
def forecast_of():
    """A function that makes a forecast of three regions, whose weeks and regions share a rate in each path."""
    return _forecast_of


@pytest.fixture(scope="session")
def panel_of():
    """A function that makes the panel of the weeks before; one week of one region is not known."""
    return _panel_of
