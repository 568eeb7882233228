"""Points get the polygon they lie in, or the nearest of their own country within a tolerance."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.panel.assign import assign_regions
from forecast.panel.polygons import Polygons, polygons_from_geojson
from forecast.panel.units import great_circle_km

TWO = Polygons(("A/one", "B/two"), (shapely.box(0, 10, 1, 11), shapely.box(1, 10, 2, 11)))


def old_frame() -> Polygons:
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    content = json.loads(gzip.decompress((Path(folder) / "adm1_west_africa_naturalearth.geojson.gz").read_bytes()))
    for feature in content["features"]:
        feature["properties"]["region"] = "{country}/{adm1}".format(**feature["properties"])
    return polygons_from_geojson(content)


def source(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(os.environ["ESCALATION_FORECAST_SOURCES"]) / name)


def test_within_nearest_none():
    found = assign_regions([10.5, 10.5, 10.5, 10.5, np.nan], [0.5, 1.5, 2.2, 2.3, 0.5], TWO, tolerance_km=25)
    assert found.how.tolist() == ["within", "within", "nearest", "none", "none"]
    assert found.region.tolist() == [0, 1, 1, -1, -1]
    assert found.distance_km[:2].tolist() == [0, 0]
    assert found.distance_km[2] == pytest.approx(great_circle_km(10.5, 2.0, 10.5, 2.2), rel=1e-3)
    assert np.isnan(found.distance_km[3:]).all()
    assert found.counts() == {"within": 2, "nearest": 1, "none": 2}


def test_the_country_of_the_event_rules():
    found = assign_regions([10.5] * 5, [0.9, 0.9, 0.9, 0.1, 0.9], TWO, country=["a", "B", None, "B", "Atlantis"])
    assert found.how.tolist() == ["within", "nearest", "within", "none", "none"]
    assert found.region.tolist() == [0, 1, 0, -1, -1]
    assert found.lies_in.tolist() == [0, 0, 0, 0, 0]
    report = found.doubtful(["p", "q", "r", "s", "t"])
    assert report["id"].tolist() == ["q", "s", "t"]
    assert report["region"].tolist() == ["B/two", "", ""]
    assert report["lies_in"].tolist() == ["A/one"] * 3


def test_a_border_belongs_to_the_first_and_no_tolerance_means_none():
    assert assign_regions([10.5], [1.0], TWO).region.tolist() == [0]
    assert assign_regions([10.5], [1.0], TWO, country=["B"]).region.tolist() == [1]
    assert assign_regions([10.5], [2.01], TWO, tolerance_km=0).how.tolist() == ["none"]


def test_a_hole_has_its_own_edge():
    ring = Polygons(("ring",), (shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2)),))
    found = assign_regions([1.5, 1.1], [1.5, 1.5], ring, tolerance_km=20)
    assert found.how.tolist() == ["none", "nearest"]
    assert found.distance_km[1] == pytest.approx(11.1, abs=0.1)


def test_no_points_and_no_polygons():
    assert len(assign_regions([], [], TWO).region) == 0
    assert assign_regions([1.0], [1.0], Polygons((), ())).how.tolist() == ["none"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"latitude": [1.0, 2.0]}, "2 latitudes and 1 longitudes"),
        ({"tolerance_km": -1}, "tolerance of -1 km"),
        ({"tolerance_km": float("nan")}, "tolerance of nan km"),
        ({"country": ["A", "B"]}, "2 countries for 1 points"),
        ({"polygons": Polygons(("x",), (shapely.box(0, 0, 1, 1),)), "country": ["A"]}, "country of polygon 'x'"),
    ],
)
def test_bad_input(change, expected):
    arguments = {"latitude": [1.0], "longitude": [1.0], "polygons": TWO, **change}
    with pytest.raises(InputError, match=expected):
        assign_regions(**arguments)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(9, 12), st.floats(-1, 3)), min_size=1, max_size=20))
def test_agrees_with_a_plain_search(points):
    latitude, longitude = map(np.array, zip(*points, strict=True))
    found = assign_regions(latitude, longitude, TWO, tolerance_km=40)
    for at, (y, x) in enumerate(points):
        # boxes of degrees: the nearest point of each, close enough at this latitude, is at the clipped coordinates
        km = [great_circle_km(y, x, np.clip(y, 10, 11), np.clip(x, low, low + 1)) for low in (0, 1)]
        if abs(min(km) - 40) < 0.2:
            continue
        assert (found.region[at] >= 0) == (min(km) <= 40)
        if found.region[at] >= 0:
            assert found.distance_km[at] == pytest.approx(min(km), abs=0.1)
            assert km[found.region[at]] == pytest.approx(min(km), abs=0.1)


def test_a_million_points_take_seconds():
    rng = np.random.default_rng(5)
    grid = Polygons(
        tuple(f"{i}-{j}" for i in range(15) for j in range(15)),
        tuple(shapely.segmentize(shapely.box(i, j, i + 1, j + 1), 0.02) for i in range(15) for j in range(15)),
    )
    y, x = rng.uniform(0, 15.02, 1_000_000), rng.uniform(0, 15.02, 1_000_000)
    start = time.process_time()
    found = assign_regions(y, x, grid)
    assert time.process_time() - start < 30
    assert found.counts()["none"] == 0
    inside = found.how == "within"
    np.testing.assert_array_equal(
        found.region[inside], np.floor(x[inside]).astype(int) * 15 + np.floor(y[inside]).astype(int)
    )


def test_the_published_assignment_of_2019_is_found_again():
    polygons = old_frame()
    events = source("ucdp_ged211_precise_west_africa.csv.gz")
    found = assign_regions(events["latitude"], events["longitude"], polygons, country=events["country"])
    names = np.array([*polygons.names, ""], dtype=object)[found.region]
    published = (events["country"] + "/" + events["adm1"]).to_numpy(dtype=object)
    np.testing.assert_array_equal(names, published)
    moved = found.how != events["adm1_how"].to_numpy(dtype=object)
    assert moved.sum() <= 6
    assert np.nanmax(found.distance_km[moved], initial=0) < 0.001  # a metre: points on a border, to the last digit


def test_the_longitude_of_the_wrong_sign_is_listed():
    polygons = old_frame()
    events = source("ucdp_candidate_2026_sahel.csv.gz")
    found = assign_regions(events["latitude"], events["longitude"], polygons, country=events["country"])
    assert found.counts() == {"within": 995, "nearest": 3, "none": 1}
    listed = found.doubtful(events["id"]).set_index("id")
    assert listed.loc[633589, "how"] == "none"
    assert listed.loc[633589, "lies_in"].startswith("Niger")
