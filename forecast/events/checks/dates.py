"""Dates that cannot be right, and days on which too much is said to have happened."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.events.checks.context import CheckContext
from forecast.events.checks.finding import Check, Finding, Severity, counted, finding, named

IMPOSSIBLE_DATE = Check(
    "impossible_date",
    "Dates that cannot be right",
    "Events without a date, that end before they start, lie before 1900 or after the day on which they were known, or "
    "were reported before they happened.",
    "error",
    "Correct the date in the source, or leave the event out; a report before the event is often a mistyped year.",
)
FIRST_OF_MONTH = Check(
    "first_of_month",
    "Pile-up on the first of the month",
    "More events on the first days of months than chance allows, as when only the month was known.",
    "warning",
    "Ask the source how unknown days are coded, and mark such events as known to the month only, so that they are "
    "spread.",
)
FIRST_OF_YEAR = Check(
    "first_of_year",
    "Pile-up on 1 January",
    "More events on 1 January than chance allows, as when only the year was known.",
    "warning",
    "Ask the source how unknown days are coded, and mark such events as known to the year only.",
)

FIRST_YEAR = 1900
PILE_FACTOR = 2.0
"""A pile-up holds at least so many times what is expected: with millions of events the smallest excess is no chance."""
FEWEST_DAYS = 90


def impossible_dates(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `IMPOSSIBLE_DATE` finds."""
    start, end, reported = events["date_start"].fillna(events["date"]), events["date_end"], events["reported"]
    rules: list[tuple[str, pd.Series, Severity]] = [
        ("{} without a date.", start.isna(), "error"),
        ("{} with an end before the start.", end < start, "error"),
        (f"{{}} before the year {FIRST_YEAR}.", start < pd.Timestamp(FIRST_YEAR, 1, 1), "error"),
        ("{} reported before they happened.", reported < start, "warning"),
    ]
    if context.known_at is not None:
        rules.append(
            (f"{{}} after {context.known_at:%Y-%m-%d}, when the data were known.", start > context.known_at, "error")
        )
    found = []
    for message, wrong, severity in rules:
        rows = events[wrong]
        if len(rows):
            shown = zip(named(rows), start[wrong], end[wrong], reported[wrong], strict=False)
            examples = [f"{name} ({_days(*days)})" for name, *days in shown]
            found.append(
                finding(
                    IMPOSSIBLE_DATE,
                    message.format(counted(len(rows), "event")),
                    examples,
                    count=len(rows),
                    severity=severity,
                    share=len(rows) / len(events),
                )
            )
    return found


def first_of_month(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `FIRST_OF_MONTH` finds; 1 January is left to `first_of_year`."""
    return _pile_ups(events, context, FIRST_OF_MONTH)


def first_of_year(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `FIRST_OF_YEAR` finds."""
    return _pile_ups(events, context, FIRST_OF_YEAR)


def pile_up_probability(daily: NDArray[np.integer], marked: NDArray[np.bool_]) -> float:
    """Return how probable at least so many events on the marked days are, if no day is special.

    The binomial test would take events for independent, but they come in clusters. Days are taken for independent
    instead: the probability that as many days, drawn from all days with replacement, have at least as many events
    together. Their sum has the distribution of a day's count convolved with itself, which is exact, needs no
    assumption on how dispersed the counts are, and is the binomial one where days have one event or none.

    Parameters
    ----------
    daily : ndarray of int, shape (days,)
        Events on each day, the marked ones included.
    marked : ndarray of bool, shape (days,)

    Returns
    -------
    float

    Examples
    --------
    >>> daily, marked = np.ones(360, int), np.arange(360) % 30 == 0
    >>> daily[marked] = 6
    >>> pile_up_probability(daily, marked) < 1e-6
    True
    """
    draws, hits = int(marked.sum()), int(daily[marked].sum())
    if hits == 0:
        return 1.0
    pmf = np.bincount(daily) / len(daily)
    length = draws * (len(pmf) - 1) + 1
    of_sum = np.fft.irfft(np.fft.rfft(pmf, length) ** draws, length)
    return float(min(1.0, max(0.0, of_sum[hits:].sum())))


def _pile_ups(events: pd.DataFrame, context: CheckContext, check: Check) -> list[Finding]:
    precise = events["date_precision"].fillna("day").eq("day") & events["date_start"].notna()
    known = events.loc[precise, ["country", "date_start"]]
    groups = list(known["date_start"].groupby(known["country"].fillna(""), sort=True))
    found = []
    for country, starts in groups:
        days = starts.to_numpy().astype("datetime64[D]")
        span = np.arange(days.min(), days.max() + 1)
        if len(span) < FEWEST_DAYS:
            continue
        daily = np.bincount((days - span[0]).astype(np.int64), minlength=len(span))
        stamps = pd.DatetimeIndex(span)
        new_year = np.asarray((stamps.day == 1) & (stamps.month == 1))
        if check is FIRST_OF_MONTH:
            daily, marked = daily[~new_year], np.asarray(stamps.day == 1)[~new_year]
        else:
            marked = new_year
        hits, expected = int(daily[marked].sum()), float(daily.sum() * marked.mean())
        if hits < PILE_FACTOR * expected or pile_up_probability(daily, marked) > context.level / len(groups):
            continue
        place = f" in {country}" if country else ""
        what = "the first of a month" if check is FIRST_OF_MONTH else "1 January"
        message = f"{counted(hits, 'event')}{place} on {what}, where {expected:.1f} would be chance."
        days_of = stamps[~new_year] if check is FIRST_OF_MONTH else stamps
        top = np.flatnonzero(marked)[np.argsort(-daily[marked], kind="stable")[:5]]
        examples = [f"{days_of[day]:%Y-%m-%d} ({daily[day]})" for day in top if daily[day]]
        found.append(finding(check, f"{message} The most on {', '.join(examples)}.", (), count=hits, unit=country))
    return found


def _days(start: pd.Timestamp, end: pd.Timestamp, reported: pd.Timestamp) -> str:
    parts = [("start", start), ("end", end), ("reported", reported)]
    return ", ".join(f"{label} {day:%Y-%m-%d}" for label, day in parts if not pd.isna(day)) or "no date"
