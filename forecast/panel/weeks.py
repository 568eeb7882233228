"""Weeks: Saturday to Friday by default, labelled by their first day."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import pandas as pd

from forecast.errors import InputError

WeekStart = Literal["saturday", "sunday", "monday"]
"""Saturday: ACLED's weeks (pandas ``W-FRI``). Monday: ISO 8601. Sunday: CDC's MMWR weeks."""

_WEEKDAY = {"monday": 0, "saturday": 5, "sunday": 6}
_NAME_OF_DAY = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEK = pd.Timedelta(days=7)


def week_start_of(day: dt.date | pd.Timestamp, start: WeekStart = "saturday") -> pd.Timestamp:
    """Return the first day of the week that contains `day`.

    Parameters
    ----------
    day : date or Timestamp
        Any day; a time of day is dropped.
    start : {"saturday", "sunday", "monday"}
        The first day of a week.

    Returns
    -------
    Timestamp
        Midnight of the week's first day, without time zone.

    Examples
    --------
    >>> week_start_of(pd.Timestamp("2026-07-31"))
    Timestamp('2026-07-25 00:00:00')
    """
    stamp = pd.Timestamp(day).tz_localize(None).normalize()
    return stamp - pd.Timedelta(days=(stamp.weekday() - _WEEKDAY[start]) % 7)


def week_starts_of(days: pd.Series, start: WeekStart = "saturday") -> pd.Series:
    """Return the first day of each day's week; the vectorised form of `week_start_of`."""
    midnight = days.dt.normalize()
    starts: pd.Series = midnight - pd.to_timedelta((midnight.dt.day_of_week - _WEEKDAY[start]) % 7, unit="D")
    return starts


def week_range(first: pd.Timestamp, last: pd.Timestamp, start: WeekStart = "saturday") -> pd.DatetimeIndex:
    """Return every week from `first` to `last`, both included and both first days of weeks.

    Raises
    ------
    InputError
        If either is not the first day of a week, or `last` lies before `first`.

    Examples
    --------
    >>> len(week_range(pd.Timestamp("2026-01-03"), pd.Timestamp("2026-07-25")))
    30
    """
    for label, stamp in (("first", first), ("last", last)):
        if stamp.weekday() != _WEEKDAY[start]:
            raise InputError(
                f"{label} week {stamp:%Y-%m-%d} is a {_NAME_OF_DAY[stamp.weekday()]}",
                expected=f"a {start.title()}, the first day of a week",
            )
    if last < first:
        raise InputError(f"last week {last:%Y-%m-%d} lies before first week {first:%Y-%m-%d}")
    return pd.date_range(first, last, freq=WEEK, unit="s", name="week")


def whole_weeks(first_day: dt.date, last_day: dt.date, start: WeekStart = "saturday") -> pd.DatetimeIndex:
    """Return the weeks that lie wholly within `first_day` to `last_day`, both included.

    A week that is not over is never among them.
    """
    first = week_start_of(pd.Timestamp(first_day) + pd.Timedelta(days=6), start)
    last = week_start_of(pd.Timestamp(last_day) + pd.Timedelta(days=1), start) - WEEK
    return week_range(first, last, start)


def start_name(weeks: pd.DatetimeIndex) -> str:
    """Return the name of the day on which these weeks start."""
    return _NAME_OF_DAY[weeks[0].weekday()]
