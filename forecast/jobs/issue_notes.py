"""What is told of an issue beside the forecast itself: stale data, drift, a clock set back, what has changed."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from forecast.evaluation.issued import IssuedRecord
from forecast.jobs.issue_content import settings_hash, vintage_hash
from forecast.jobs.preparation import Preparation
from forecast.ledger.write import Recorded
from forecast.reporting.issued_part import alarm_sentences


def stale(ready: Preparation, today: dt.date) -> tuple[str, ...]:
    """Return a warning if the data end long before a day; without the number of days, to be the same every day."""
    until, limit = ready.inputs.regions.known_until, ready.workspace.spec.data.stale_after_days
    if limit is None or ready.inputs.simulated or (pd.Timestamp(today) - until).days <= limit:
        return ()
    return (
        f"stale data: they end on {until:%Y-%m-%d}, more than {limit} days before this forecast was made, so that "
        "it knows nothing of what happened since, and some of the weeks that it forecasts are over",
    )


def drifted(issued: IssuedRecord) -> tuple[str, ...]:
    """Return a warning for each alarm that the latest week has raised; those before were told in their weeks."""
    told = alarm_sentences(issued, latest=True)
    return tuple(f"drift of the forecasts: {text[:1].lower()}{text[1:]}" for text in told)


def changed_since(ready: Preparation, vintage: str, settings: str) -> str:
    """Return in words what is not as it was at the time of issue."""
    data, chosen = vintage_hash(ready) != vintage, settings_hash(ready) != settings
    if data and chosen:
        return "data and settings have changed"
    return "the data have changed" if data else "the settings have changed" if chosen else ""


def behind(entry: Recorded) -> tuple[str, ...]:
    """Return a warning if the clock was set back."""
    if not entry.behind:
        return ()
    return (f"the clock stands {entry.behind} before the last entry of the ledger: it is recorded as it stands",)
