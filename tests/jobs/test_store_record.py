"""The track record of an event store that is fed every week: on what was known then, through a nowcast if asked for."""

from __future__ import annotations

import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

from forecast.events.record import Batch, event_frame
from forecast.jobs.ingest import event_store
from forecast.jobs.inputs import open_inputs
from forecast.jobs.run import run
from forecast.jobs.track_record import backtest_workspace
from forecast.workspace import open_workspace

FIRST = pd.Timestamp("2023-01-07")  # a Saturday
WEEK = pd.Timedelta(days=7)
WEEKS, BEFORE = 40, 12
"""Weeks of events, and how many of them the first import has."""


def put(folder, day, rows):
    """Import rows of (id, day number, longitude)."""
    days = pd.Series([FIRST + pd.Timedelta(days=number) for _, number, _ in rows], dtype="datetime64[s]")
    frame = event_frame(
        {
            "event_id": [row[0] for row in rows],
            "source": "own",
            "date": days,
            "date_start": days,
            "latitude": 0.5,
            "longitude": [row[2] for row in rows],
            "place_precision": "point",
            "country": "Simulia",
        }
    )
    event_store(folder).add([Batch(frame, len(frame))], source="own", known_at=day, input_hash=f"{day:%Y%m%d}" * 8)


def import_day(week: int) -> dt.date:
    """Return the Tuesday after a week is over."""
    return (FIRST + (week + 1) * WEEK + pd.Timedelta(days=3)).date()


@pytest.fixture
def fed(workspace):
    """A workspace whose store got the events of each week on the next Tuesday, half of them a week or two later."""
    squares = [
        {
            "type": "Feature",
            "properties": {"region": f"Simulia/{name}"},
            "geometry": {"type": "Polygon", "coordinates": [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]]},
        }
        for x, name in enumerate(["West", "East"])
    ]
    (workspace / "data" / "regions.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": squares}), encoding="utf-8"
    )
    path = workspace / "forecast.toml"
    text = re.sub(
        r"^set = .*$", 'store = "own"\nregions = "data/regions.geojson"', path.read_text(encoding="utf-8"), flags=re.M
    )
    text = re.sub(r"^calibrate_on = .*$", "", text, flags=re.M)
    text = re.sub(r"\[regions\].*?(?=\[\[escalations\]\])", "", text, count=1, flags=re.S)
    path.write_text(text, encoding="utf-8")
    rng = np.random.default_rng(5)
    came: dict[int, list] = {week: [] for week in range(BEFORE - 1, WEEKS)}
    for week in range(WEEKS):
        for number in range(rng.poisson(8)):
            known = max(week + int(rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2])), BEFORE - 1)
            row = (f"{week}-{number}", 7 * week + int(rng.integers(0, 7)), float(rng.uniform(0, 2)))
            came.setdefault(known, []).append(row)
        came[max(week, BEFORE - 1)].append((f"{week}-last", 7 * week + 6, 0.5))
    for week in range(BEFORE - 1, WEEKS):
        put(workspace, import_day(week), came[week])
    return workspace


def test_the_record_is_on_what_was_known_at_each_origin(fed):
    done = run(open_workspace(fed), import_day(WEEKS - 1), workers=1)
    (record,) = done.content.backtests
    assert record.source == "Events of own, as it was known at each origin"
    assert "as it was known at each origin" in (done.folder / "index.html").read_text(encoding="utf-8")
    inputs = open_inputs(open_workspace(fed))
    origin = FIRST + 30 * WEEK
    known, final = inputs.known("region", origin), inputs.regions.until(origin)
    assert known.counts[:-2].tolist() == final.counts[:-2].tolist()
    assert known.counts[-1].sum() < final.counts[-1].sum()
    manifest = json.loads((fed / "out" / "backtests" / "own" / "manifest.json").read_bytes())
    assert manifest["vintages"] is True


def test_a_planted_correction_changes_no_forecast_of_an_earlier_origin(fed):
    before, _ = backtest_workspace(open_workspace(fed), workers=1)
    planted = import_day(WEEKS - 1) + dt.timedelta(days=1)
    put(fed, planted, [(f"planted {number}", 7 * 30, 0.5) for number in range(40)])
    after, _ = backtest_workspace(open_workspace(fed), workers=1)
    said = [record.forecasts.drop(columns="observed") for record in (before, after)]
    pd.testing.assert_frame_equal(*said)
    assert after.forecasts["observed"].sum() > before.forecasts["observed"].sum()
    # As of the day before, not even the outcomes have changed.
    as_then, _ = backtest_workspace(open_workspace(fed), as_of=planted - dt.timedelta(days=1), workers=1)
    pd.testing.assert_frame_equal(as_then.forecasts, before.forecasts)


def test_what_was_said_a_week_before_is_from_what_was_known_then(fed, edit):
    edit('headline = "combined"', 'headline = "discount-negbin"')  # the record of the combined one tells of its own
    today, week_ago = (run(open_workspace(fed), import_day(week), workers=1).content for week in (WEEKS - 1, WEEKS - 2))
    mine = today.risk[today.risk["model"] == today.headline_model]
    then = week_ago.risk[week_ago.risk["model"] == week_ago.headline_model]
    np.testing.assert_array_equal(mine["previous"].to_numpy(), then["probability"].to_numpy())


def test_a_nowcast_of_the_last_weeks_goes_through_to_the_forecast(fed, edit):
    raw = run(open_workspace(fed), workers=1)
    edit('store = "own"', 'store = "own"\nnowcast_weeks = 3')
    workspace = open_workspace(fed)
    through = run(workspace, workers=1)
    assert not any("nowcast" in text for text in through.warnings)
    for name in ("climatology-26", raw.content.headline_model):
        if name in raw.content.forecasts["region"]:
            means = [done.content.forecasts["region"][name].mean().sum() for done in (raw, through)]
            assert means[1] > 1.02 * means[0]  # a fifth of the newest events are not known yet
    manifest = json.loads((fed / "out" / "backtests" / "own" / "manifest.json").read_bytes())
    assert manifest["nowcast_weeks"] == 3
    again = run(open_workspace(fed), workers=1)
    assert (again.folder / "risk.csv").read_bytes() == (through.folder / "risk.csv").read_bytes()
    assert "nowcast" in " ".join(through.content.data.limits)


def test_without_enough_vintages_the_run_warns_and_takes_the_counts(fed, edit):
    day = import_day(BEFORE + 3)
    raw = run(open_workspace(fed), day, workers=1)
    risks = (raw.folder / "risk.csv").read_bytes()
    edit('store = "own"', 'store = "own"\nnowcast_weeks = 3')
    plain = run(open_workspace(fed), day, workers=1)
    assert any("without a nowcast" in text for text in plain.warnings)
    assert (plain.folder / "risk.csv").read_bytes() == risks
