"""The time, which comes in here and nowhere else: from the system, or from the command line to repeat the past."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.jobs.run_log import Clock


def clock(now: str | None = None) -> Clock:
    """Return the clock of the system, or one that stands still at a moment.

    Raises
    ------
    InputError
        If the moment is none in ISO 8601, or has no time zone.
    """
    from forecast.jobs.run_log import Clock

    if now is None:
        return Clock(lambda: dt.datetime.now(dt.UTC), time.monotonic, time.process_time)
    moment = _moment(now)
    return Clock(lambda: moment, time.monotonic, time.process_time)


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        expected = "such as 2026-08-03T06:00:00Z"
        raise InputError(f"{text!r} is no moment with a time zone", where="--now", expected=expected)
    return moment.astimezone(dt.UTC)
