"""What the checks find in the data reaches `forecast check` and the report."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import numpy as np
import pandas as pd

from forecast.events.checks.registry import EVENT_CHECKS
from forecast.events.record import event_frame
from forecast.jobs.check import check_workspace, found_by
from forecast.jobs.findings import check_counts, check_events, sentences
from forecast.jobs.inputs import open_inputs
from forecast.jobs.run import run
from forecast.panel.checks.registry import PANEL_CHECKS
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

TODAY = dt.date(2000, 10, 7)
SQUARE = {"type": "Polygon", "coordinates": [[[-7, 12], [-4, 12], [-4, 16], [-7, 16], [-7, 12]]]}


def silence_from(workspace, week):
    """Remove all events from a week on, with the right hashes."""
    folder = workspace / "data" / "simulated-poisson"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for path in ("region_weeks.csv", "place_weeks.csv.gz"):
        table = pd.read_csv(folder / path)
        table[table["week"] < week].to_csv(folder / path, index=False)
        content = (folder / path).read_bytes()
        for resource in package["resources"]:
            if resource["path"] == path:
                resource |= {"hash": f"sha256:{hashlib.sha256(content).hexdigest()}", "bytes": len(content)}
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")


def test_every_check_of_counts_is_listed_even_if_it_found_nothing(workspace):
    listed = {item.name: item for item in check_workspace(open_workspace(workspace), TODAY)}
    assert set(PANEL_CHECKS) <= set(listed)
    assert {(listed[name].status, listed[name].found) for name in PANEL_CHECKS} == {("ok", "nothing")}


def test_a_finding_is_shown_by_check_and_told_in_the_report(workspace):
    silence_from(workspace, "2000-08-12")
    told = "No event in Grid in the last 8 weeks; the longest silence before was"
    opened = open_workspace(workspace)
    listed = {item.name: item for item in check_workspace(opened, TODAY)}
    assert listed["silent_country"].status == "warning"
    country = open_inputs(opened).regions.units.groups[0]
    told = told.replace("Grid", country or "all regions")
    assert listed["silent_country"].found.startswith(told)

    result = run(opened, workers=1)
    assert any(text.startswith(told) for text in result.content.findings)
    assert told in (result.folder / "index.html").read_text(encoding="utf-8")


def test_the_reference_workspace_has_no_warnings():
    inputs = open_inputs(open_workspace(reference_workspace()))
    assert [item.text() for item in check_counts(inputs.panels) if item.severity != "note"] == []


def test_events_are_checked_against_polygons_of_the_workspace():
    days = pd.date_range("2026-01-01", periods=3)
    events = event_frame(
        {
            "event_id": ["1", "2", "3"],
            "source": "own",
            "date": days,
            "date_start": days,
            "date_end": days,
            "latitude": [13.0, 13.0, 13.0],
            "longitude": [-5.0, 5.0, -5.5],
            "country": "Mali",
            "admin1": ["Ségou", "Segou", "Gao"],
        }
    )
    towns = pd.DataFrame({"latitude": [13.0], "longitude": [-5.0]})
    found = check_events(events, known_at=pd.Timestamp("2026-01-02"), polygons={"Mali/Ségou": SQUARE}, towns=towns)
    assert [item.check.name for item in found] == ["impossible_date", "outside_country", "unknown_region"]
    assert check_events(events) == []

    rows = found_by(EVENT_CHECKS, found)
    assert [row.name for row in rows] == list(EVENT_CHECKS)
    status = {row.name: row.status for row in rows}
    assert (status["impossible_date"], status["outside_country"], status["duplicate"]) == ("error", "warning", "ok")


def test_sentences_give_a_few_examples():
    events = event_frame(
        {
            "event_id": [str(i) for i in range(9)],
            "source": "own",
            "date_start": "2026-01-01",
            "latitude": np.arange(9.0),
            "longitude": 0.0,
            "country": "Mali",
            "admin1": "Gao",
            "fatalities": 2,
            "fatalities_low": 3,
        }
    )
    (text,) = sentences(check_events(events))
    assert text.startswith("9 events with estimates of deaths out of order. They are own 0 (")
    assert text.endswith("; and 6 more.")
