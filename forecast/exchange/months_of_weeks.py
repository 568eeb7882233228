"""Counts of months from joint weekly paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.months import first_days, last_days, month_ids
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast

_WEEK_DAYS = 7


@dataclass(frozen=True, eq=False)
class MonthlyPaths:
    """Joint sample paths of monthly counts.

    Parameters
    ----------
    paths : ndarray of int64, shape (draws, months, units)
    months : ndarray of int64, shape (months,)
        Numbers, as `forecast.panel.months` has them.
    units : tuple of str
    """

    paths: NDArray[np.int64]
    months: NDArray[np.int64]
    units: tuple[str, ...]


def monthly(forecast: Forecast, known: Panel, rng: np.random.Generator) -> MonthlyPaths:
    r"""Return the counts of the months that the weeks of a forecast cover, path by path.

    A week that lies in two months is split: of n events, those of its first d days are drawn from

    .. math:: B \sim \mathrm{Binomial}(n, d / 7),

    for each path and unit by itself, as if each event were equally likely on each day; the others fall into the next
    month, so that no event is lost or doubled. A month that began before the origin is completed by what is known of
    its first weeks, split in the same way. Months that are not wholly covered are left out.

    Parameters
    ----------
    forecast : Forecast
    known : Panel
        What was known at the origin of the same units.
    rng : Generator

    Raises
    ------
    InputError
        If the weeks cover no month.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> units, weeks = Units.of(["Gao"]), pd.date_range("2026-08-01", periods=5, freq="7D")
    >>> ahead = Forecast(np.full((2, 5, 1), 7, "int32"), np.ones((5, 1, 1)), weeks, units)
    >>> found = monthly(ahead, Panel.of(np.array([[3]]), weeks[:1] - WEEK, units), np.random.default_rng(1))
    >>> found.months.tolist(), found.paths.ravel().tolist()  # four weeks, and three days of the fifth
    ([560], [30, 29])
    """
    weeks, counts = _with_known(forecast, known)
    last = weeks + WEEK - pd.Timedelta(days=1)
    first_month, last_month = month_ids(weeks), month_ids(last)
    days = np.where(first_month == last_month, _WEEK_DAYS, (last_days(first_month) - weeks).days + 1)
    split = rng.binomial(counts, (days / _WEEK_DAYS)[None, :, None])
    months = np.arange(first_month[0], last_month[-1] + 1)
    whole = months[(first_days(months) >= weeks[0]) & (last_days(months) <= last[-1])]
    if not len(whole):
        raise InputError(
            f"weeks from {weeks[0]:%Y-%m-%d} to {last[-1]:%Y-%m-%d} cover no whole month",
            hint="a longer horizon ([report] horizon): nine weeks cover one in any case",
        )
    found = np.zeros((len(counts), len(whole), counts.shape[2]), dtype=np.int64)
    for at, month in enumerate(whole):
        found[:, at] = split[:, first_month == month].sum(axis=1)
        after = (last_month == month) & (first_month < month)
        found[:, at] += (counts - split)[:, after].sum(axis=1)
    return MonthlyPaths(found, whole, forecast.units.names)


def _with_known(forecast: Forecast, known: Panel) -> tuple[pd.DatetimeIndex, NDArray[np.int64]]:
    """Return weeks and counts, shape (draws, weeks, units): those of the origin's month that are known come first."""
    counts = forecast.paths.astype(np.int64)
    month = first_days(month_ids(forecast.weeks[:1]))[0]
    here = known.until(forecast.origin).select(forecast.units.names)
    since = (here.weeks + WEEK > month) & (here.weeks < forecast.origin)
    enough = since.any() and here.weeks[since][0] <= month and here.observed[since].all()
    if not enough or here.origin != forecast.origin:
        return forecast.weeks, counts
    past = np.broadcast_to(here.counts[since], (len(counts), int(since.sum()), counts.shape[2]))
    weeks = pd.DatetimeIndex([*here.weeks[since], *forecast.weeks])
    return weeks, np.concatenate([past, counts], axis=1)
