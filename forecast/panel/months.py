"""Months as conflict research numbers them: 1 is January 1980."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

FIRST_YEAR = 1980
LAST_MONTH = 12 * 300
"""Of January 1980 to December 2279."""


def month_ids(days: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return the number of the month of each day.

    Examples
    --------
    >>> month_ids(pd.DatetimeIndex(["1980-01-31", "2026-08-01"])).tolist()
    [1, 560]
    """
    return np.asarray((days.year - FIRST_YEAR) * 12 + days.month, dtype=np.int64)


def first_days(ids: ArrayLike) -> pd.DatetimeIndex:
    """Return the first day of each month.

    Raises
    ------
    InputError
        For a number that is no month.

    Examples
    --------
    >>> first_days([560]).strftime("%Y-%m-%d").tolist()
    ['2026-08-01']
    """
    number = np.asarray(ids, dtype=np.int64)
    wrong = number[(number < 1) | (number > LAST_MONTH)]
    if len(wrong):
        raise InputError(f"month_id {wrong[0]}", expected=f"1 (January {FIRST_YEAR}) to {LAST_MONTH}")
    months = (number - 1).astype("timedelta64[M]") + np.datetime64(f"{FIRST_YEAR}-01", "M")
    return pd.DatetimeIndex(months.astype("datetime64[s]"))


def last_days(ids: ArrayLike) -> pd.DatetimeIndex:
    """Return the last day of each month.

    Examples
    --------
    >>> last_days([560]).strftime("%Y-%m-%d").tolist()
    ['2026-08-31']
    """
    first = first_days(ids)
    return first + pd.to_timedelta(first.days_in_month - 1, unit="D")
