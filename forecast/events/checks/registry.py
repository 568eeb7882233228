"""All checks of events, by name, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import pandas as pd

from forecast.errors import unknown_name
from forecast.events.checks import dates, deaths, duplicates, names, places, silence
from forecast.events.checks.context import CheckContext
from forecast.events.checks.finding import SEVERITIES, Check, Finding

_ALL: tuple[tuple[Check, Callable[[pd.DataFrame, CheckContext], list[Finding]]], ...] = (
    (duplicates.DUPLICATE, duplicates.duplicates),
    (duplicates.NEAR_DUPLICATE, duplicates.near_duplicates),
    (dates.IMPOSSIBLE_DATE, dates.impossible_dates),
    (dates.FIRST_OF_MONTH, dates.first_of_month),
    (dates.FIRST_OF_YEAR, dates.first_of_year),
    (deaths.DEATHS_ORDER, deaths.deaths_order),
    (places.OUTSIDE_COUNTRY, places.outside_country),
    (places.CENTROID, places.centroid_pile_ups),
    (names.UNKNOWN_TYPE, names.unknown_types),
    (names.UNKNOWN_REGION, names.unknown_regions),
    (names.NOT_GIVEN, names.not_given),
    (silence.SILENT_SOURCE, silence.silent_sources),
)

EVENT_CHECKS: Mapping[str, Check] = MappingProxyType({check.name: check for check, _ in _ALL})
"""Every check of events, in the order in which they run."""


def run_checks(
    events: pd.DataFrame, context: CheckContext | None = None, only: Iterable[str] | None = None
) -> list[Finding]:
    """Return what the checks of events find.

    Parameters
    ----------
    events : DataFrame
        Canonical (`forecast.events.record.event_frame`); of one vintage, so that each event occurs once.
    context : CheckContext, optional
        What is known beside the events. Without it checks that need the day or polygons find nothing.
    only : iterable of str, optional
        Names of checks; all of `EVENT_CHECKS` if not given.

    Returns
    -------
    list of Finding
        Errors first, then warnings, then notes; within these in the order of the registry.

    Raises
    ------
    InputError
        For a name that is no check.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> events = event_frame({"event_id": ["7"], "source": ["own"], "date": ["2026-08-01"], "admin1": ["Gao"],
    ...     "country": ["Mali"], "latitude": [16.3], "longitude": [0.0], "date_start": ["2026-08-01"]})
    >>> [item.message for item in run_checks(events, CheckContext(known_at=pd.Timestamp("2026-07-31")))]
    ['1 event after 2026-07-31, when the data were known.']
    """
    wanted = set(EVENT_CHECKS) if only is None else set(only)
    for name in sorted(wanted - set(EVENT_CHECKS)):
        raise unknown_name("check", name, EVENT_CHECKS)
    if events.empty:
        return []
    given, rows = context or CheckContext(), events.reset_index(drop=True)
    found = [item for check, find in _ALL if check.name in wanted for item in find(rows, given)]
    return by_severity(found)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with errors first, then warnings, then notes."""
    return sorted(findings, key=lambda item: -SEVERITIES.index(item.severity))
