"""Versions of events, packed and located."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from forecast.panel.event_versions import EventVersions
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units

SQUARES = Polygons(("A/west", "B/east"), (shapely.box(0, 10, 1, 11), shapely.box(1, 10, 2, 11)))
COUNTRIES = ("A", "B")


def part(rows) -> pd.DataFrame:
    """Rows of (latitude, longitude, country, precision of place)."""
    return pd.DataFrame(
        {
            "date": pd.to_datetime(["2026-01-03"] * len(rows)).as_unit("s"),
            "latitude": [row[0] for row in rows],
            "longitude": [row[1] for row in rows],
            "country": pd.array([row[2] for row in rows], dtype="string"),
            "place_precision": pd.array([row[3] for row in rows], dtype="string"),
            "fatalities": pd.array([2, *[None] * (len(rows) - 1)], dtype="Int32"),
            "start": range(len(rows)),
            "stop": 9,
        }
    )


def test_events_go_to_a_region_of_their_own_country():
    rows = [
        (10.5, 0.5, "A", "point"),
        (10.5, 1.05, "A", "point"),  # 5 km inside the other country
        (10.5, 1.05, "B", "region"),
        (10.5, 0.5, "C", "point"),
        (10.5, 0.5, None, None),
        (10.5, -0.1, "A", "near"),  # 11 km off
        (10.5, -5.0, "A", "point"),
        (10.5, 0.5, "A", "country"),
        (np.nan, 0.5, "A", "point"),
    ]
    versions = EventVersions.packed([part(rows[:4]), part(rows[4:])])
    region, outside = versions.regions(SQUARES, COUNTRIES)
    assert region.tolist() == [0, 0, 1, -1, 0, 0, -1, -1, -1]
    assert outside.tolist() == [False, True, False, False, False, True, False, False, False]
    assert versions.precise.tolist() == [True, True, False, True, True, True, True, False, False]
    assert versions.amount("events").sum() == 9
    assert versions.amount("fatalities").tolist() == [2, 0, 0, 0, 2, 0, 0, 0, 0]
    assert versions.start.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]


def test_countries_that_no_event_has_are_not_heeded():
    versions = EventVersions.packed([part([(10.5, 0.5, "elsewhere", "point"), (10.5, 1.5, None, "point")])])
    assert versions.regions(SQUARES, COUNTRIES)[0].tolist() == [0, 1]
    assert versions.regions(SQUARES, ("A", ""))[0].tolist() == [0, 1]


def test_spellings_of_a_country_do_not_matter():
    polygons = Polygons(("x", "y"), SQUARES.shapes)
    versions = EventVersions.packed([part([(10.5, 1.05, "Côte d'Ivoire", "point")])])
    region, outside = versions.regions(polygons, ("Ivory Coast", "Mali"))
    assert (region.tolist(), outside.tolist()) == ([0], [True])


def test_an_event_counts_for_all_places_that_it_is_near():
    rows = [(10.5, 0.5, "A", "point"), (10.5, 0.9, "A", "point"), (10.5, 0.5, "A", "district")]
    places = Units.of(["one", "two"], kind="place", latitude=[10.5, 10.5], longitude=[0.5, 0.8], radius_km=[20.0, 50.0])
    versions = EventVersions.packed([part(rows)])
    version, place = versions.near(places, versions.precise)
    assert list(zip(version.tolist(), place.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]


def test_no_events_and_events_without_a_day_are_no_versions():
    assert len(EventVersions.packed([])) == 0
    dayless = part([(10.5, 0.5, "A", "point")]).assign(date=pd.NaT)
    dayless["date"] = dayless["date"].astype("datetime64[s]")
    assert len(EventVersions.packed([dayless])) == 0
