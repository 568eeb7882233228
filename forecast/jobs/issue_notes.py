"""What is told of an issue beside the forecast itself: stale data, drift, a clock set back, what has changed."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pandas as pd

from forecast.evaluation.issued import IssuedRecord
from forecast.jobs.issue_content import settings_hash, vintage_hash
from forecast.jobs.preparation import Preparation
from forecast.language import Text, said, say
from forecast.ledger.write import Recorded
from forecast.reporting.issued_part import alarm_sentences


def stale(ready: Preparation, today: dt.date) -> tuple[str, ...]:
    """Return a warning if the data end long before a day; without the number of days, to be the same every day."""
    until, limit = ready.inputs.regions.known_until, ready.workspace.spec.data.stale_after_days
    if limit is None or ready.inputs.simulated or (pd.Timestamp(today) - until).days <= limit:
        return ()
    return (
        say(
            "stale data: they end on {until}, more than {limit} days before this forecast was made, so that it knows "
            "nothing of what happened since, and some of the weeks that it forecasts are over",
            until=f"{until:%Y-%m-%d}",
            limit=limit,
        ),
    )


def drifted(issued: IssuedRecord) -> tuple[str, ...]:
    """Return a warning for each alarm that the latest week has raised; those before were told in their weeks."""
    told = alarm_sentences(issued, latest=True)
    return tuple(say("drift of the forecasts: {alarm}", alarm=Text(partial(_within, text))) for text in told)


def _within(text: str) -> str:
    told = str(said(text))
    return f"{told[:1].lower()}{told[1:]}"


def again(revision: int) -> tuple[str, ...]:
    """Return what stands on top of an issue of weeks that were forecast before."""
    return (
        () if revision == 1 else (say("Issued again: this is issue {revision} of the same weeks.", revision=revision),)
    )


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
