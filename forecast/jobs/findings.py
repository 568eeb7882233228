"""What the checks of events and counts find in the data of a workspace, for `forecast check` and the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from shapely.geometry import shape

from forecast.events.checks.context import CheckContext, Outlines
from forecast.events.checks.finding import Finding
from forecast.events.checks.registry import by_severity, run_checks
from forecast.jobs.inputs import Panels
from forecast.panel.checks.registry import run_panel_checks

IN_A_SENTENCE = 3
"""Examples that the report gives of a finding; `forecast check` gives them all."""


def check_events(
    events: pd.DataFrame,
    *,
    known_at: pd.Timestamp | None = None,
    polygons: Mapping[str, Mapping[str, Any]] | None = None,
    towns: pd.DataFrame | None = None,
) -> list[Finding]:
    """Return what the checks find in events.

    Parameters
    ----------
    events : DataFrame
        Canonical (`forecast.events.record.event_frame`), of one vintage.
    known_at : Timestamp, optional
        The day on which they were known.
    polygons : mapping of region name to GeoJSON geometry, optional
        Regions are called ``"Mali/Mopti"``, as in `forecast.jobs.inputs.Inputs.polygons`; of all regions of their
        countries, or events in the others count as outside.
    towns : DataFrame, optional
        latitude, longitude; a gazetteer that has small towns too.
    """
    outlines = Outlines.of_keys(list(polygons), [shape(dict(item)) for item in polygons.values()]) if polygons else None
    points = None if towns is None else towns[["latitude", "longitude"]].to_numpy(dtype=float)
    return run_checks(events, CheckContext(known_at=known_at, outlines=outlines, towns=points))


def check_counts(panels: Panels) -> list[Finding]:
    """Return what the checks find in panels of regions and places."""
    return by_severity(item for panel in panels.values() for item in run_panel_checks(panel))


def sentences(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return findings in plain words, each with its first examples, for `ReportContent.findings`."""
    return tuple(item.text(IN_A_SENTENCE) for item in findings)
