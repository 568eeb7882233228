"""Simulated panels of any size."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units


def grid_panel(cells: int, weeks: int) -> Panel:
    """Counts in squares: one cell in four can have events, and events come in runs that reach the neighbours."""
    rng = np.random.default_rng(cells)
    side = int(np.ceil(np.sqrt(cells)))
    at = np.arange(cells)
    east, south = at[(at % side < side - 1) & (at + 1 < cells)], at[at + side < cells]
    first, second = np.r_[east, south], np.r_[east + 1, south + side]
    one = np.ones(len(first))
    neighbours = Neighbours.from_pairs(first, second, one, one, cells)
    weights = neighbours.mean_weights()
    base = np.where(rng.random(cells) < 0.25, rng.gamma(1.0, 0.025, cells), 1e-4)
    counts = np.zeros((weeks, cells), dtype=np.int64)
    for week in range(3, weeks):
        past = 0.6 * counts[week - 1] + 0.3 * counts[week - 2] + 0.1 * counts[week - 3]
        mean = base + 0.35 * past + 0.2 * (past @ weights)
        counts[week] = rng.poisson(mean * rng.gamma(1.0, 1.0, cells))
    days = pd.date_range("2010-01-02", periods=weeks, freq="7D", unit="s")
    return Panel.of(counts, days, Units.of([f"cell {number}" for number in at]), neighbours=neighbours)
