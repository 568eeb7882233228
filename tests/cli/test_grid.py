"""A grid of cells from a file of events and a file of boundaries, by the commands."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from forecast.cli import main
from forecast.panel.dataset import Dataset
from forecast.panel.priogrid import cell_ids


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Events in two countries, one of them outside of both; polygons that are no whole cells."""
    folder = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(1)
    days = pd.date_range("2024-01-06", "2025-12-26", freq="D")
    rows = pd.DataFrame(
        {
            "event_id": [f"e{at}" for at in range(301)],
            "date": rng.choice(days, 301).astype("datetime64[D]").astype(str),
            "latitude": [*rng.uniform(12.05, 13.4, 300), 40.0],
            "longitude": [*rng.uniform(-3.9, -2.1, 300), 10.0],
        }
    )
    rows.to_csv(folder / "events.csv", index=False)
    features = [
        {
            "type": "Feature",
            "properties": {"country": country},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[west, 12], [east, 12], [east, 13.5], [west, 13.5], [west, 12]]],
            },
        }
        for country, west, east in (("Mali", -4.0, -3.2), ("Niger", -3.2, -2.0))
    ]
    (folder / "land.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder, rows


@pytest.fixture(scope="module")
def grid(given, tmp_path_factory):
    folder, _ = given
    target = tmp_path_factory.mktemp("grid") / "cells"
    command = ["init", str(target), "--events", str(folder / "events.csv"), "--grid", str(folder / "land.geojson")]
    assert main([*command, "--from", "2024-01-06", "--to", "2025-12-26", "--title", "Two countries"]) == 0
    return target


def test_cells_belong_to_the_country_with_the_largest_share_and_hold_every_event(given, grid):
    _, rows = given
    panel = Dataset.open(grid / "data" / "grid-weekly").region_panel()
    assert len(panel.units) == 12  # 4 columns and 3 rows
    assert [panel.units.groups.count(country) for country in ("Mali", "Niger")] == [6, 6]
    inside = rows.iloc[:300]
    gids = cell_ids(inside["latitude"], inside["longitude"])
    week = (pd.to_datetime(inside["date"]) - panel.weeks[0]).dt.days // 7
    expected = pd.Series(1, index=[gids, week]).groupby(level=[0, 1]).sum()
    for (gid, at), count in expected.items():
        unit = next(unit for unit, name in enumerate(panel.units.names) if name.endswith(f"/{gid}"))
        assert panel.counts[at, unit] == count
    assert panel.counts.sum() == 300
    assert panel.observed.all()  # a cell and week without an event is a zero
    assert panel.neighbours.border_km.nnz == 2 * (3 * 3 + 4 * 2)
    package = json.loads((grid / "data" / "grid-weekly" / "datapackage.json").read_text())
    assert package["left_out"] == {"outside of the cells": 1}


def test_it_is_checked_and_run(grid):
    text = (grid / "forecast.toml").read_text()
    assert 'headline = "combined"' in text
    (grid / "forecast.toml").write_text(
        text.replace("origins = 26", "origins = 4").replace("refit_every = 26", "refit_every = 4")
    )
    report = grid / "reports" / "weekly.toml"
    report.write_text(
        report.read_text()
        .replace("brief = true", "brief = false")
        .replace("pictures = true", "pictures = false\nlisted = 5")
    )
    assert main(["check", "--workspace", str(grid)]) in {0, 3}
    assert main(["run", "--workspace", str(grid), "--workers", "1", "--draft"]) in {0, 3}
    (page,) = (grid / "out" / "drafts").rglob("index.html")
    assert "Listed are the 5 of 12 regions" in page.read_text(encoding="utf-8")
    risk = pd.read_csv(page.with_name("risk.csv"))
    assert risk["unit"].nunique() == 12


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--grid", "land.geojson"], "grid without a file of events"),
        (["--events", "events.csv", "--grid", "gone.geojson"], "no file gone.geojson"),
        (["--events", "events.csv", "--grid", "land.geojson", "--country", "Chad"], "Chad"),
        (["--events", "events.csv", "--grid", "sea.geojson"], "none of the 301 events"),
    ],
)
def test_bad_input_is_said(given, tmp_path, monkeypatch, capsys, arguments, told):
    folder, _ = given
    monkeypatch.chdir(folder)
    sea = (folder / "land.geojson").read_text().replace("12]", "2]").replace("13.5]", "3]")
    (folder / "sea.geojson").write_text(sea)
    assert main(["init", str(tmp_path / "new"), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
