"""Independent negative binomial counts with a constant mean for each region: overdispersion, but no memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.simulation.settings import Positive, Size, Spec, Spread, unequal


class NegbinSettings(Spec):
    """How the regions' means are drawn, and the overdispersion.

    Parameters
    ----------
    mean : float
        Expected events a week and region, over regions.
    size : float
        ``var = mean + mean**2 / size``.
    spread : float
        Standard deviation of the logarithm of the regions' means.
    """

    mean: Positive = 1.0
    size: Size = 0.5
    spread: Spread = 0.8


class NegbinTruth(Spec):
    """Mean of each region, constant in time, and the size that all share."""

    mean: tuple[float, ...]
    size: float


def simulate_negbin(
    settings: NegbinSettings,
    weeks: pd.DatetimeIndex,
    units: Units,
    neighbours: Neighbours,
    rng: np.random.Generator,
) -> tuple[Panel, NegbinTruth]:
    """Simulate ``Y[t, i] ~ NegBin(mean[i], size)`` as a Poisson whose rate is gamma distributed.

    Parameters
    ----------
    settings : NegbinSettings
    weeks : DatetimeIndex, shape (weeks,)
    units : Units
    neighbours : Neighbours
        Carried along; the counts do not depend on them.
    rng : Generator

    Returns
    -------
    (Panel, NegbinTruth)
    """
    mean = unequal(settings.mean, settings.spread, len(units), rng)
    frailty = rng.gamma(settings.size, 1 / settings.size, size=(len(weeks), len(units)))
    panel = Panel.of(
        rng.poisson(mean * frailty),
        weeks,
        units,
        neighbours=neighbours,
        source="SIMULATED negative binomial counts",
        simulated=True,
    )
    return panel, NegbinTruth(mean=tuple(mean.tolist()), size=settings.size)
