"""Estimates of deaths that contradict each other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.events.checks.context import CheckContext
from forecast.events.checks.finding import Check, Finding, counted, finding, named
from forecast.events.death_order import out_of_order

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
        events[column].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        for column in ("fatalities_low", "fatalities", "fatalities_high")
    )
    contradictory = np.any(list(out_of_order(low, best, high).values()), axis=0)
    rows = events[contradictory | (low < 0) | (best < 0) | (high < 0)]
    if rows.empty:
        return []
    columns = ("fatalities_low", "fatalities", "fatalities_high")
    shown = zip(named(rows), *(rows[column] for column in columns), strict=False)
    examples = [f"{name} (low {_text(a)}, best {_text(b)}, high {_text(c)})" for name, a, b, c in shown]
    message = f"{counted(len(rows), 'event')} with estimates of deaths out of order."
    return [finding(DEATHS_ORDER, message, examples, count=len(rows), share=len(rows) / len(events))]


def _text(value: object) -> str:
    return "unknown" if pd.isna(value) else str(value)  # type: ignore[call-overload]  # the stubs know no scalar object
