"""What the checks of events and counts find in the data of a workspace, for `forecast check`, a run and its report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.events.checks.context import CheckContext, Outlines
from forecast.events.checks.deaths import DEATHS_ORDER
from forecast.events.checks.finding import Finding, counted
from forecast.events.checks.registry import EVENT_CHECKS, by_severity, run_checks
from forecast.events.store import EventStore
from forecast.jobs.inputs import Inputs, Panels
from forecast.jobs.region_file import WorkspaceRegions
from forecast.panel.checks.completeness import RECENT_WEEKS, UNFINISHED_WEEK
from forecast.panel.checks.registry import run_panel_checks
from forecast.panel.other_names import country_key
from forecast.panel.weeks import WEEK
from forecast.workspace import Workspace

IN_A_SENTENCE = 3
"""Examples that people are given of a finding; `forecast check --json` gives more."""
SPOILS_COUNTS = ("duplicate", "impossible_date", "outside_country")
"""Checks of single events whose findings put events into the wrong week or region, or in twice. Habits of a source, and
names that counting does not use, say nothing of one run: a scheduler that is told of them every week stops reading."""
SPOILS_DEATHS = (*SPOILS_COUNTS, DEATHS_ORDER.name)
SPOILING_SHARE = 0.05
"""Of the events of the last weeks: fewer faulty ones change no forecast much."""


@dataclass(frozen=True, eq=False)
class StoredEvents:
    """Single events as they were known on a day, with what their checks may know beside them.

    Parameters
    ----------
    frame : DataFrame
        Canonical events of the countries of the workspace's polygons, and those without a country.
    context : CheckContext
    treated : DataFrame
        `treatment` and `flags` of all events of the source, also those of other countries, as imports count them.
    dropped : int or None
        Rows that imports left out; None where one of them did not note it.
    """

    frame: pd.DataFrame
    context: CheckContext
    treated: pd.DataFrame
    dropped: int | None

    def as_imported(self) -> str:
        """Return in a sentence what imports did with rows that they could not take as they are."""
        treated = self.treated["treatment"].value_counts()
        marks = self.treated["flags"].str.split().explode().value_counts()
        named = ", ".join(f"{mark} {count:,}" for mark, count in marks.items())
        left_out = "" if self.dropped is None else f"Imports left out {counted(self.dropped, 'row')}. "
        return (
            f"{left_out}Of {counted(len(self.treated), 'event')} "
            f"{treated.get('flagged', 0):,} are flagged{f' ({named})' if named else ''}, and "
            f"{treated.get('spread', 0):,} are given a day within the month or year that is all that is known."
        )

    def findings(self) -> list[Finding]:
        """Return what the checks of events find."""
        return run_checks(self.frame, self.context)

    def recent_faults(self, since: pd.Timestamp, measure: str | None) -> list[Finding]:
        """Return what spoils the counts from a day on: errors, and warnings of enough of the events since then.

        Parameters
        ----------
        since : Timestamp
        measure : str, optional
            What is counted, as ``[data] measure`` has it.
        """
        start = self.frame["date_start"].fillna(self.frame["date"])
        only = SPOILS_DEATHS if measure == "fatalities" else SPOILS_COUNTS
        found = run_checks(self.frame[start.ge(since).to_numpy(bool)], self.context, only)
        enough = [item for item in found if item.severity == "error" or item.share > SPOILING_SHARE]
        return [item for item in enough if _is_warning(item)]


@dataclass(frozen=True)
class DataFindings:
    """What was found in the data that a run forecasts from.

    Parameters
    ----------
    every : tuple of Finding
        Errors first, then warnings, then notes.
    pressing : tuple of Finding
        Errors and warnings that touch the last `RECENT_WEEKS` weeks, from which the forecast starts.
    imports : str
        `StoredEvents.as_imported`; empty without a store.
    """

    every: tuple[Finding, ...]
    pressing: tuple[Finding, ...]
    imports: str = ""

    def sentences(self) -> tuple[str, ...]:
        """Return all in plain words, for the report."""
        return sentences(self.every)

    def warnings(self) -> tuple[str, ...]:
        """Return the pressing ones in plain words, each after the name of its check, for a scheduler."""
        texts = sentences(self.pressing)
        return tuple(f"{item.check.name}: {text}" for item, text in zip(self.pressing, texts, strict=True))

    def entries(self) -> list[dict[str, Any]]:
        """Return all as objects of check, severity, unit (None if there is not one) and text, for the manifest."""
        return [entry(item, text) for item, text in zip(self.every, self.sentences(), strict=True)]


def find_in(workspace: Workspace, inputs: Inputs, as_of: dt.date | None = None) -> DataFindings:
    """Return what the checks find in the data of a run.

    Parameters
    ----------
    workspace : Workspace
    inputs : Inputs
        Cut at the origin of the forecast.
    as_of : date, optional
        With which they were opened.
    """
    origin = inputs.regions.origin
    since = origin - RECENT_WEEKS * WEEK
    counts = check_counts(inputs.panels)
    # A nowcast expects the last week to be incomplete.
    expected = {UNFINISHED_WEEK} if inputs.delay("region", origin) is not None else set()
    pressing = [item for item in counts if _is_warning(item) and item.check not in expected and _touches(item, since)]
    events: list[Finding] = []
    stored = stored_events(workspace, inputs.regions_file, as_of)
    if stored is not None:
        events = stored.findings()
        pressing += stored.recent_faults(since, workspace.spec.data.measure)
    imports = "" if stored is None else stored.as_imported()
    return DataFindings(tuple(by_severity([*events, *counts])), tuple(by_severity(pressing)), imports)


def stored_events(
    workspace: Workspace, regions: WorkspaceRegions | None, as_of: dt.date | None = None
) -> StoredEvents | None:
    """Return the events of the store as known on a day, None for a workspace that does not forecast from a store.

    Parameters
    ----------
    workspace : Workspace
    regions : WorkspaceRegions or None
        In which they are counted.
    as_of : date, optional
        All that is known if not given.
    """
    data = workspace.spec.data
    if data.store is None or regions is None:
        return None
    store = EventStore(workspace.data_folder("events"))
    vintages = store.known(data.store, as_of)
    # All regions of the file: an event in one that is not forecast lies in its country all the same.
    events = store.as_of(as_of, [data.store])
    spelled = {country_key(country): country for country in events["country"].dropna().unique()}
    countries = tuple(spelled.get(country_key(country), country) for country in regions.every_countries)
    names = tuple(
        name.removeprefix(f"{country}/")
        for name, country in zip(regions.every.names, regions.every_countries, strict=True)
    )
    covers = max((vintage.covers_until for vintage in vintages if vintage.covers_until), default=None)
    context = CheckContext(
        known_at=pd.Timestamp(vintages[-1].known_at) if vintages else None,
        outlines=Outlines(names, countries, regions.every.shapes),
        covers_until=None if covers is None else pd.Timestamp(covers),
    )
    treated = events[["treatment", "flags"]]
    if all(countries):  # otherwise nothing tells whose events these regions are to hold
        events = events[(events["country"].isin(countries) | events["country"].isna()).to_numpy(bool)]
    dropped = [vintage.dropped for vintage in vintages if vintage.dropped is not None]
    return StoredEvents(events, context, treated, sum(dropped) if len(dropped) == len(vintages) else None)


def check_counts(panels: Panels) -> list[Finding]:
    """Return what the checks find in panels of regions and places."""
    return by_severity(item for panel in panels.values() for item in run_panel_checks(panel))


def sentences(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return findings in plain words: of counts with the first examples, of events without.

    Reports are mailed, and records of single events stay in the store: sources do not allow to pass them on, and a
    report is about regions and towns.
    """
    return tuple(item.text(0 if item.check.name in EVENT_CHECKS else IN_A_SENTENCE) for item in findings)


def entry(item: Finding, text: str) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    return {"check": item.check.name, "severity": item.severity, "unit": item.unit or None, "text": text}


def _is_warning(item: Finding) -> bool:
    return item.severity != "note"


def _touches(item: Finding, since: pd.Timestamp) -> bool:
    return item.latest is not None and item.latest >= since
