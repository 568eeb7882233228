"""Cell ids agree with those in published files; cells, centres and neighbours fit together."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.polygons import Polygons, neighbours_from_polygons
from forecast.panel.priogrid import (
    LAST_CELL,
    cell_centroids,
    cell_ids,
    cell_neighbours,
    cell_polygons,
    cells_meeting,
)


@pytest.mark.parametrize(
    "name",
    [
        "ucdp_candidate_2026_sahel.csv.gz",
        "ucdp_candidate_v23_0_10_africa.csv.gz",
        "ucdp_ged201_nigeria_full.csv.gz",
        "ucdp_ged211_precise_west_africa.csv.gz",
    ],
)
def test_ids_are_those_of_the_source(name):
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    events = pd.read_csv(Path(folder) / name)
    ours = cell_ids(events["latitude"], events["longitude"])
    assert int((ours != events["priogrid_gid"]).sum()) == 0
    assert len(ours) >= 404


def test_corners_of_the_globe():
    assert cell_ids([-90, -90, 90, 90], [-180, 180, -180, 180]).tolist() == [1, 720, LAST_CELL - 719, LAST_CELL]
    assert cell_ids([0.0], [0.0]).tolist() == [180 * 720 + 360 + 1]


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (0, 181), (-90.01, 0), (0, np.inf)])
def test_off_the_globe(latitude, longitude):
    with pytest.raises(InputError, match=r"off the globe(.|\n)*point 2"):
        cell_ids([0, latitude], [0, longitude])


@pytest.mark.parametrize("gid", [0, -1, LAST_CELL + 1])
def test_no_such_cell(gid):
    with pytest.raises(InputError, match="no PRIO-GRID cell"):
        cell_centroids([gid])


@given(st.lists(st.integers(1, LAST_CELL), min_size=1, max_size=20))
def test_a_centroid_lies_in_its_cell(gids):
    assert cell_ids(*cell_centroids(gids)).tolist() == gids


@given(st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000))
def test_a_point_lies_in_the_square_of_its_cell(north, east):
    latitude, longitude = north / 1e6, east / 1e6
    assert shapely.intersects_xy(cell_polygons(cell_ids([latitude], [longitude])).shapes[0], longitude, latitude)


def dense(neighbours: Neighbours) -> list[np.ndarray]:
    return [neighbours.border_km.toarray(), neighbours.distance_km.toarray()]


def test_neighbours_are_those_of_the_squares():
    block = [row * 720 + column + 1 for row in (204, 205, 206) for column in (351, 352, 353)]
    shuffled = np.random.default_rng(1).permutation(block)
    plain, drawn = dense(cell_neighbours(shuffled)), dense(neighbours_from_polygons(cell_polygons(shuffled)))
    assert (plain[0] > 0).sum() == 2 * 12
    for ours, theirs in zip(plain, drawn, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0.02)


def test_neighbours_across_the_date_line_and_not_beyond_the_poles():
    border = cell_neighbours([200 * 720 + 1, 201 * 720]).border_km.toarray()
    assert border[0, 1] == pytest.approx(55.6, abs=0.1)
    assert cell_neighbours([LAST_CELL, 720]).border_km.nnz == 0
    assert cell_neighbours([]).border_km.shape == (0, 0)
    with pytest.raises(InputError, match="cell 5 occurs twice"):
        cell_neighbours([5, 7, 5])


def test_cells_of_a_region():
    shape = Polygons(("A",), (shapely.box(-3.4, 12.1, -2.9, 12.5),))
    assert cells_meeting(shape).tolist() == [147234, 147235]  # the row above is only touched
