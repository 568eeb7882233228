"""Independent Poisson counts with a constant mean for each region: nothing to learn but the mean."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.simulation.settings import Positive, Spec, Spread, unequal


class PoissonSettings(Spec):
    """How the regions' means are drawn.

    Parameters
    ----------
    mean : float
        Expected events a week and region, over regions.
    spread : float
        Standard deviation of the logarithm of the regions' means.
    """

    mean: Positive = 1.0
    spread: Spread = 0.8


class PoissonTruth(Spec):
    """Mean of each region, constant in time."""

    mean: tuple[float, ...]


def simulate_poisson(
    settings: PoissonSettings,
    weeks: pd.DatetimeIndex,
    units: Units,
    neighbours: Neighbours,
    rng: np.random.Generator,
) -> tuple[Panel, PoissonTruth]:
    """Simulate ``Y[t, i] ~ Poisson(mean[i])``.

    Parameters
    ----------
    settings : PoissonSettings
    weeks : DatetimeIndex, shape (weeks,)
    units : Units
    neighbours : Neighbours
        Carried along; the counts do not depend on them.
    rng : Generator

    Returns
    -------
    (Panel, PoissonTruth)
    """
    mean = unequal(settings.mean, settings.spread, len(units), rng)
    counts = rng.poisson(mean, size=(len(weeks), len(units)))
    panel = Panel.of(counts, weeks, units, neighbours=neighbours, source="SIMULATED Poisson counts", simulated=True)
    return panel, PoissonTruth(mean=tuple(mean.tolist()))
