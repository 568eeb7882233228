"""Estimates of deaths that contradict each other."""

from __future__ import annotations

import pandas as pd

from forecast.events.checks.context import CheckContext
from forecast.events.checks.finding import Check, Finding, counted, finding, named

DEATHS_ORDER = Check(
    "deaths_order",
    "Estimates of deaths out of order",
    "Events whose low, best and high estimates of deaths are not in this order, or below zero.",
    "warning",
    "Counts of events are not affected; for counts of deaths ask the source which of the numbers is right.",
)


def deaths_order(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `DEATHS_ORDER` finds."""
    low, best, high = (
        events[column].astype("Float64") for column in ("fatalities_low", "fatalities", "fatalities_high")
    )
    wrong = pd.Series(False, index=events.index)
    for smaller, larger in ((low, best), (best, high), (low, high)):
        wrong |= (smaller > larger).fillna(False).astype(bool)
    for estimate in (low, best, high):
        wrong |= (estimate < 0).fillna(False).astype(bool)
    rows = events[wrong]
    if rows.empty:
        return []
    columns = ("fatalities_low", "fatalities", "fatalities_high")
    shown = zip(named(rows), *(rows[column] for column in columns), strict=False)
    examples = [f"{name} (low {_text(a)}, best {_text(b)}, high {_text(c)})" for name, a, b, c in shown]
    message = f"{counted(len(rows), 'event')} with estimates of deaths out of order."
    return [finding(DEATHS_ORDER, message, examples, count=len(rows), share=len(rows) / len(events))]


def _text(value: object) -> str:
    return "unknown" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # the stubs know no scalar object
