"""Events and counts of one's own in a notebook."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast as fc

ROWS = pd.DataFrame(
    {
        "event_id": ["1", "2", "3", "4"],
        "date": ["2026-01-03", "2026-01-09", "2026-01-10", "2026-01-23"],
        "latitude": [12.64, 14.5, 12.7, 16.27],
        "longitude": [-8.0, -4.2, -8.1, -0.05],
        "country": ["Mali"] * 4,
        "admin1": ["Bamako", "Mopti", "Bamako", "Gao"],
        "fatalities": [1, 0, 3, 2],
    }
)


def test_events_are_counted_by_the_region_that_they_name():
    panel = fc.read_events(ROWS).panel()
    assert panel.units.names == ("Mali/Bamako", "Mali/Gao", "Mali/Mopti")
    assert panel.units.groups == ("Mali",) * 3
    # The last event is on the last day of its week, so that the week is whole.
    assert panel.counts.tolist() == [[1, 0, 1], [1, 0, 0], [0, 1, 0]]
    deaths = fc.read_events(ROWS).panel(measure="fatalities", last="2026-01-16")
    assert deaths.counts.tolist() == [[1, 0, 0], [3, 0, 0]]


def test_events_are_counted_in_polygons(tmp_path):
    square = {"type": "Polygon", "coordinates": [[[-9, 12], [-7, 12], [-7, 13], [-9, 13], [-9, 12]]]}
    feature = {"type": "Feature", "properties": {"region": "South"}, "geometry": square}
    path = tmp_path / "regions.geojson"
    path.write_text(pd.io.json.ujson_dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    panel = fc.read_events(ROWS).panel(path, first="2026-01-03", last="2026-01-23")
    assert panel.units.names == ("South",)
    assert panel.counts[:, 0].tolist() == [1, 1, 0]


def test_events_near_places():
    panel = fc.read_events(ROWS).near({"Bamako": (12.64, -8.0)}, 100, first="2026-01-03", last="2026-01-23")
    assert panel.units.kind == "place"
    assert panel.counts[:, 0].tolist() == [1, 1, 0]


def test_a_choice_of_countries_and_types():
    table = fc.read_events(ROWS.assign(event_type=["Battles", "Riots", "Battles", "Battles"]))
    assert len(table.select(types=["Riots"])) == 1
    assert len(table.select(countries=["Mali"], types=["Battles"])) == 3
    with pytest.raises(fc.InputError, match="unknown country 'Niger'"):
        table.select(countries=["Niger"])


def test_a_csv_of_ones_own(tmp_path):
    path = tmp_path / "events.csv"
    ROWS.to_csv(path, index=False)
    assert fc.read_events(path).panel().counts.tolist() == fc.read_events(ROWS).panel().counts.tolist()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: fc.read_events("nowhere.csv"), "no file nowhere.csv"),
        (lambda: fc.read_events(ROWS.drop(columns="latitude")), "no column 'latitude'"),
        (lambda: fc.read_events(ROWS.assign(event_id="1")), "more than once"),
        (lambda: fc.read_events(ROWS.assign(date="soon")), "soon"),
        (lambda: fc.read_events(ROWS).panel("regions.geojson"), "no file regions.geojson"),
        (lambda: fc.read_events(ROWS.drop(columns="admin1")).panel(), "no event names its region"),
        (lambda: fc.read_events(ROWS).panel(first="soon"), "no days"),
        (lambda: fc.read_events(ROWS).panel(last="2025-01-01"), "lies before first week"),
    ],
)
def test_bad_events_are_told(make, said):
    with pytest.raises(fc.InputError, match=said):
        make()


def test_the_kind_of_file_is_seen_from_its_columns():
    sources = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not sources:
        pytest.skip("ESCALATION_FORECAST_SOURCES is not set")
    table = fc.read_events(Path(sources) / "ucdp_ged201_nigeria_full.csv.gz")
    assert table.rows == 4603
    assert len(table) + table.dropped.total() == 4603
    assert len(table.panel().units) == 38


def test_wide_counts_come_back_as_they_were():
    panel = fc.load("west-africa-weekly", countries=["Mali"])
    again = fc.read_counts(panel.to_frame())
    np.testing.assert_array_equal(again.counts, panel.counts)
    assert again.units.groups == panel.units.groups
    assert again.weeks.equals(panel.weeks)


def test_wide_counts_of_other_types_and_zones():
    days = pd.date_range("2026-01-03", periods=3, freq="7D", tz="UTC")
    panel = fc.read_counts(pd.DataFrame({"Gao": [1.0, None, 2.0]}, index=days))
    assert panel.observed[:, 0].tolist() == [True, False, True]
    assert panel.counts[:, 0].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"Gao": [1.5]}, index=pd.DatetimeIndex(["2026-01-03"])), "1.5 is no count"),
        (pd.DataFrame({"Gao": [-1]}, index=pd.DatetimeIndex(["2026-01-03"])), "-1 is no count"),
        (pd.DataFrame({"Gao": ["many"]}, index=pd.DatetimeIndex(["2026-01-03"])), "no number"),
        (pd.DataFrame({"Gao": [1, 2]}, index=pd.DatetimeIndex(["2026-01-03", "2026-01-06"])), "not of weeks"),
        (pd.DataFrame({"Gao": [1, 2]}, index=pd.DatetimeIndex(["2026-01-10", "2026-01-03"])), "not of weeks"),
        (pd.DataFrame({"Gao": []}, index=pd.DatetimeIndex([])), "without weeks"),
        (pd.DataFrame({"count": [1]}), "no column 'week', 'region', 'events'"),
    ],
)
def test_bad_counts_are_told(frame, said):
    with pytest.raises(fc.InputError, match=said):
        fc.read_counts(frame)
