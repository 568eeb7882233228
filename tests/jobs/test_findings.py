"""What the checks find in the data reaches `forecast check` and the report."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.events.checks.registry import EVENT_CHECKS, run_checks
from forecast.events.record import Batch, Scope, event_frame
from forecast.jobs.check import check_workspace, found_by
from forecast.jobs.findings import check_counts, find_in, sentences, stored_events
from forecast.jobs.ingest import event_store
from forecast.jobs.inputs import Inputs, open_inputs, origin_of
from forecast.jobs.region_file import workspace_regions
from forecast.jobs.run import run
from forecast.panel.checks.registry import PANEL_CHECKS
from forecast.panel.panel import Panel
from forecast.panel.units import Units
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
    assert [text for text in result.warnings if text.startswith(f"silent_country: {told}")]
    assert told in (result.folder / "index.html").read_text(encoding="utf-8")


def test_the_reference_workspace_has_no_warnings():
    inputs = open_inputs(open_workspace(reference_workspace()))
    assert [item.text() for item in check_counts(inputs.panels) if item.severity != "note"] == []


def put(workspace, rows, *, known_at, covers=None, dropped=()):
    """Turn a workspace into one that forecasts from a store with these events."""
    feature = {"type": "Feature", "properties": {"region": "Mali/Ségou", "country": "Mali"}, "geometry": SQUARE}
    (workspace / "data" / "regions.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8"
    )
    path = workspace / "forecast.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^set = .*$", 'store = "own"\nregions = "data/regions.geojson"', text, flags=re.M)
    text = re.sub(r"^calibrate_on = .*$", "", text, flags=re.M)
    text = re.sub(r"\[regions\].*?(?=\[\[escalations\]\])", "", text, count=1, flags=re.S)
    path.write_text(text, encoding="utf-8")
    scope = None if covers is None else Scope((), pd.Timestamp("2025-01-04"), covers)
    store = event_store(workspace)
    rows = event_frame(rows)
    dropped = Counter(dropped)
    batch = Batch(rows, len(rows) + dropped.total(), dropped)
    store.add([batch], source="own", known_at=known_at, input_hash="ef" * 32, scope=scope)
    return open_workspace(workspace)


def plain_events(weeks=40, a_week=6, **columns):
    """Return events in Ségou on different days and points, the last on 2025-10-10; not quite as many each week."""
    count = weeks * a_week
    ago = np.arange(count) * 7 // a_week
    ago[count // 2] += 7
    days = pd.Timestamp("2025-10-10") - pd.to_timedelta(ago, unit="D")
    return event_frame(
        {
            "event_id": [f"e{at}" for at in range(count)],
            "source": "own",
            "date": days,
            "date_start": days,
            "date_end": days,
            "latitude": 12.2 + 0.015 * np.arange(count),
            "longitude": -5.0,
            "country": "Mali",
            "admin1": "Segou",
            "fatalities": 1,
            **columns,
        }
    )


RELEASED, COVERED = dt.date(2025, 11, 20), pd.Timestamp("2025-10-10")


def found_in(opened, as_of=None):
    inputs = open_inputs(opened, as_of)
    return find_in(opened, inputs.until(origin_of(inputs.regions, None, first_after=8)), as_of)


def test_nothing_is_found_in_a_plain_store_and_a_release_is_silent_after_what_it_covers(workspace):
    """A release of November that covers October is no silence of six weeks."""
    opened = put(workspace, plain_events(), known_at=RELEASED, covers=COVERED)
    found = found_in(opened)
    assert (found.every, found.pressing) == ((), ())
    rows = {item.name: item for item in check_workspace(opened, RELEASED + dt.timedelta(days=60))}
    assert rows["silent_source"].status == rows["impossible_date"].status == "ok"


def test_recent_faults_that_spoil_the_counts_are_warnings_of_the_run(workspace):
    """A month imported twice and a date that cannot be right are; older faults and habits of the source are not."""
    events = plain_events()
    twice = events.head(20).assign(event_id=[f"again {at}" for at in range(20)])
    future = events.head(1).assign(event_id="late", date_start=pd.Timestamp("2052-01-01"), date_end=pd.NaT)
    old = events.tail(10).assign(event_id=[f"old {at}" for at in range(10)], admin1="Segu", fatalities_low=5)
    opened = put(workspace, pd.concat([events, twice, future, old]), known_at=RELEASED, covers=COVERED)

    done = run(opened, workers=1)
    of_data = [text for text in done.warnings if text.partition(":")[0] in EVENT_CHECKS.keys() | PANEL_CHECKS.keys()]
    assert of_data == [
        "impossible_date: 1 event after 2025-11-20, when the data were known.",
        "duplicate: 40 events in 20 groups with the same day, point, type and deaths: up to 20 may be repeats.",
    ]
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["warnings"] == list(done.warnings)
    assert [(item["check"], item["severity"], item["unit"]) for item in manifest["findings"]] == [
        ("impossible_date", "error", None),
        ("duplicate", "warning", None),
        ("deaths_order", "warning", None),
        ("unknown_region", "note", "Mali"),
    ]
    assert manifest["findings"][1]["text"].startswith("60 events in 30 groups")
    page = (done.folder / "index.html").read_text(encoding="utf-8")
    assert "60 events in 30 groups" in page
    # Single events are for those who have the store.
    assert "again 3" not in page + json.dumps(manifest)
    rows = {item.name: item for item in check_workspace(opened, RELEASED)}
    assert "again 3" in rows["duplicate"].findings[0]["text"]


def test_a_few_faulty_events_are_told_and_press_nobody(workspace):
    outside = plain_events(longitude=[-55.0, *[-5.0] * 239])
    found = found_in(put(workspace, outside, known_at=RELEASED, covers=COVERED))
    assert [(item.check.name, item.unit) for item in found.every] == [("outside_country", "Mali")]
    assert found.pressing == ()


def test_deaths_out_of_order_press_only_where_deaths_are_counted(workspace, edit):
    low = [9] * 40 + [0] * 200
    opened = put(workspace, plain_events(fatalities_low=low), known_at=RELEASED, covers=COVERED)
    assert found_in(opened).pressing == ()
    edit('store = "own"', 'store = "own"\nmeasure = "fatalities"')
    (item,) = found_in(open_workspace(workspace)).pressing
    assert item.check.name == "deaths_order"


def test_events_are_checked_as_they_were_known_on_a_day(workspace):
    opened = put(workspace, plain_events(), known_at=RELEASED)
    later = plain_events(weeks=1).assign(event_id=[f"again {at}" for at in range(6)])
    store = event_store(workspace)
    store.add([Batch(later, 6)], source="own", known_at=dt.date(2025, 12, 1), input_hash="ab" * 32)
    assert [item.check.name for item in found_in(opened).every] == ["duplicate"]
    assert found_in(opened, dt.date(2025, 11, 30)).every == ()


def test_events_are_checked_against_polygons_of_the_workspace(workspace):
    events = plain_events(longitude=[5.0, *[-5.0] * 239], admin1=["Ségou", "Gao", *["Segou"] * 238])
    opened = put(workspace, events, known_at=RELEASED, covers=COVERED)
    found = stored_events(opened, workspace_regions(opened)).findings()
    assert [item.check.name for item in found] == ["outside_country", "unknown_region"]

    rows = found_by(EVENT_CHECKS, found)
    assert [row.name for row in rows] == list(EVENT_CHECKS)
    status = {row.name: (row.status, bool(row.hint)) for row in rows}
    assert status["outside_country"] == ("warning", True)
    assert status["unknown_region"] == status["duplicate"] == ("ok", False)


def test_what_imports_left_out_and_marked_is_told_alike_by_check_and_report(workspace):
    events = plain_events(treatment=["flagged", "spread", *["kept"] * 238], flags=["no_deaths", *[""] * 239])
    opened = put(workspace, events, known_at=RELEASED, covers=COVERED, dropped={"no id": 3})
    told = (
        "Imports left out 3 rows. Of 240 events 1 are flagged (no_deaths 1), and 1 are given a day within the month or "
        "year that is all that is known."
    )
    rows = {item.name: item for item in check_workspace(opened, RELEASED)}
    assert (rows["imports"].status, rows["imports"].found) == ("ok", told)
    done = run(opened, workers=1)
    assert done.content.findings[0] == told
    page = (done.folder / "index.html").read_text(encoding="utf-8")
    assert told in page
    assert rows["regions"].found in page  # and the same number of events


def test_a_workspace_without_a_store_has_no_single_events(workspace):
    assert stored_events(open_workspace(workspace), None) is None


def test_a_few_examples_of_counts_are_told_and_none_of_events():
    weeks = pd.date_range("2025-01-04", periods=60, freq="7D")
    counts = np.ones((60, 5), int)
    counts[0] = 2
    observed = np.ones((60, 5), bool)
    observed[20 - np.arange(5), np.arange(5)] = False
    panel = Panel.of(counts, weeks, Units.of([f"unit {at}" for at in range(5)]), observed=observed)
    (text,) = sentences(check_counts({"region": panel}))
    assert text.startswith(
        "5 region-weeks of 5 regions are missing, none of them in the last 8 weeks. They are unit 0 ("
    )
    assert text.endswith("; and 2 more.")
    events = plain_events(fatalities_low=[9] * 9 + [0] * 231)
    assert sentences(run_checks(events)) == ("9 events with estimates of deaths out of order.",)


@pytest.mark.parametrize(("ends", "pressing"), [(5, True), (9, False)])
def test_a_gap_presses_while_it_is_recent(workspace, ends, pressing):
    counts = np.ones((60, 1), int)
    counts[60 - ends - 6 : 60 - ends] = 0
    weeks = pd.date_range("2025-01-04", periods=60, freq="7D")
    panel = Panel.of(counts, weeks, Units.of(["Gao"]))
    inputs = replace(open_inputs(open_workspace(workspace)), panels={"region": panel})
    found = find_in(open_workspace(workspace), inputs)
    assert [(item.check.name, item.unit) for item in found.every] == [("sudden_gap", "Gao")]
    assert [item.check.name for item in found.pressing] == ["sudden_gap"] * pressing


def test_a_table_without_any_event_is_told_to_a_scheduler(workspace):
    weeks = pd.date_range("2025-01-04", periods=60, freq="7D")
    panel = Panel.of(np.zeros((60, 2), int), weeks, Units.of(["Gao", "Mopti"]))
    found = find_in(
        open_workspace(workspace), replace(open_inputs(open_workspace(workspace)), panels={"region": panel})
    )
    (warning,) = found.warnings()
    assert warning.startswith("nothing_to_learn: There is no event in 60 weeks of 2 regions")


def test_an_incomplete_last_week_presses_unless_a_nowcast_allows_for_it(workspace, monkeypatch):
    counts = np.random.default_rng(1).poisson(30, (60, 1))
    counts[-1] = 3
    panel = Panel.of(counts, pd.date_range("2025-01-04", periods=60, freq="7D"), Units.of(["Gao"]))
    opened = open_workspace(workspace)
    inputs = replace(open_inputs(opened), panels={"region": panel})
    (warning,) = find_in(opened, inputs).warnings()
    assert warning.startswith("unfinished_week: The week of 2026-02-21 has 3 events in all")
    monkeypatch.setattr(Inputs, "delay", lambda self, kind, origin: object())
    nowcast = find_in(opened, inputs)
    assert nowcast.warnings() == ()
    assert [item.check.name for item in nowcast.every] == ["unfinished_week"]
