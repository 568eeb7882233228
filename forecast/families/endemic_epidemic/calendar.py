"""Regressors of weeks and units: intercept, trend, season, covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.families.endemic_epidemic.design import Component
from forecast.families.endemic_epidemic.settings import ComponentSettings
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Calendar:
    """The weeks of a fit, between which its trend runs, and the exposure that counts as 1.

    Parameters
    ----------
    first, last : Timestamp
    exposure : float
    """

    first: pd.Timestamp
    last: pd.Timestamp
    exposure: float

    @classmethod
    def of(cls, panel: Panel) -> Calendar:
        """Take the weeks of a panel, and the mean of its exposure."""
        return cls(panel.weeks[0], panel.weeks[-1], float(panel.exposure.mean()))

    def component(
        self, settings: ComponentSettings, panel: Panel, weeks: pd.DatetimeIndex, *, known: bool = True
    ) -> Component:
        """Return the linear predictor of one component.

        Parameters
        ----------
        settings : ComponentSettings
        panel : Panel
        weeks : DatetimeIndex
            Those of the panel, with some before it; or weeks after it.
        known : bool
            False for weeks after the panel.
        """
        columns = {} if settings.intercepts == "fixed" else {"intercept": np.ones(len(weeks))}
        if settings.trend:
            columns["trend"] = np.clip(
                _years(weeks, self.first), 0.0, _years(pd.DatetimeIndex([self.last]), self.first)
            )
        columns |= harmonics(weeks, settings.harmonics)
        cell = None
        if settings.covariates:
            cell = np.stack([_lagged(panel, name, len(weeks), known=known) for name in settings.covariates], axis=2)
        return Component(
            np.stack(list(columns.values()), axis=1) if columns else np.empty((len(weeks), 0)),
            (*columns, *settings.covariates),
            cell,
            panel.exposure / self.exposure if settings.exposure else None,
            settings.intercepts,
        )


def harmonics(weeks: pd.DatetimeIndex, count: int) -> dict[str, Floats]:
    """Return sines and cosines of the first days of weeks; a year has 365.25 days.

    Examples
    --------
    >>> list(harmonics(pd.DatetimeIndex(["2000-01-01"]), 2))
    ['sin1', 'cos1', 'sin2', 'cos2']
    """
    angle = 2 * np.pi * _years(weeks, pd.Timestamp("2000-01-01"))
    out: dict[str, Floats] = {}
    for times in range(1, count + 1):
        out |= {f"sin{times}": np.sin(times * angle), f"cos{times}": np.cos(times * angle)}
    return out


def _years(weeks: pd.DatetimeIndex, since: pd.Timestamp) -> Floats:
    return np.asarray((weeks - since) / pd.Timedelta(days=YEAR_DAYS), dtype=np.float64)


def _lagged(panel: Panel, name: str, weeks: int, *, known: bool) -> Floats:
    """Return a covariate of the week before each of the last `weeks` weeks of the panel, or of those after it."""
    if name not in panel.covariates:
        raise unknown_name("covariate", name, panel.covariates, where=panel.source)
    values = panel.covariates[name]
    if not np.isfinite(values).all():
        raise InputError(f"covariate {name!r} has missing values", where=panel.source, expected="numbers everywhere")
    at = np.maximum(np.arange(weeks) + len(values) - weeks - 1, 0) if known else np.full(weeks, len(values) - 1)
    return np.asarray(values[at])
