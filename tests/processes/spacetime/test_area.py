"""The study area: cells, sizes, borders, rings; and points on the sphere."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from forecast.errors import InputError
from forecast.panel.polygons import named_polygons
from forecast.panel.units import EARTH_RADIUS_KM, great_circle_km
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.sphere import checked_degrees, chord_km, moved, vectors


def test_cells_have_the_size_of_the_box():
    area = Area.box(10.0, 2.0, 15.0, 9.0, step=0.5)
    whole = EARTH_RADIUS_KM**2 * np.radians(7.0) * (np.sin(np.radians(15.0)) - np.sin(np.radians(10.0)))
    assert area.sizes.sum() == pytest.approx(whole)
    np.testing.assert_array_equal(area.locate(*area.centres), np.arange(len(area)))
    assert list(area.locate(np.array([9.9, 12.0, 15.1]), np.array([5.0, 9.1, 5.0]))) == [-1, -1, -1]


@pytest.mark.parametrize("latitude", [0.0, 50.0])
def test_a_margin_is_as_wide_in_all_directions(latitude):
    square = named_polygons(["A"], [shapely.box(0, latitude, 2, latitude + 2)], where="an example")
    area = Area.of_polygons(square, step=0.02, margin_km=30.0)
    away = 30.0 / 111.195
    east = away / np.cos(np.radians(latitude + 1))
    for sign, inside in ((0.95, True), (1.15, False)):
        lat = np.array([latitude - sign * away, latitude + 2 + sign * away, latitude + 1, latitude + 1])
        lon = np.array([1.0, 1.0, -sign * east, 2 + sign * east])
        assert ((area.locate(lat, lon) >= 0) == inside).all()


def test_without_a_margin_the_cells_are_those_of_the_polygons():
    land = named_polygons(["A"], [shapely.box(0, 0, 2, 2) - shapely.box(0.5, 0.5, 1, 1)], where="an example")
    area = Area.of_polygons(land, margin_km=0.0)
    assert len(area) == 400 - 25
    with pytest.raises(InputError, match="step"):
        Area.of_polygons(land, step=0.0)


def test_points_drawn_in_a_cell_are_uniform_in_it():
    area, rng = Area.box(60.0, 0.0, 62.0, 2.0, step=1.0), np.random.default_rng(1)
    cells = np.repeat(np.arange(4), 2000)
    lat, lon = area.draw_within(cells, rng)
    np.testing.assert_array_equal(area.locate(lat, lon), cells)
    assert lon[cells == 0].mean() == pytest.approx(0.5, abs=0.03)


def test_shares_of_rings():
    area = Area.box(0.0, 0.0, 4.0, 4.0, step=0.05)
    middle, edge, corner = area.locate(np.array([2.01, 2.01, 0.01]), np.array([2.01, 0.01, 0.01]))
    share = area.shares(np.array([middle, edge, corner]), np.array([0.0, 2e4]))[:, 0]
    np.testing.assert_allclose(share, [1.0, 0.5, 0.25], atol=0.05)


def test_moves_have_their_length_and_direction():
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(-80, 80, 100), rng.uniform(-180, 180, 100)
    there = moved(lat, lon, np.full(100, chord_km(150.0) ** 2), rng.uniform(0, 2 * np.pi, 100))
    np.testing.assert_allclose(great_circle_km(lat, lon, *there), 150.0, rtol=1e-6)
    assert (np.abs(there[1]) <= 180).all()
    np.testing.assert_allclose(np.linalg.norm(vectors(lat, lon) - vectors(*there), axis=1), chord_km(150.0), rtol=1e-9)


@pytest.mark.parametrize(("lat", "lon"), [([91.0], [0.0]), ([0.0], [181.0]), ([np.nan], [0.0]), ([0.0, 1.0], [0.0])])
def test_points_lie_on_the_globe(lat, lon):
    with pytest.raises(InputError, match=r"off the globe|shape"):
        checked_degrees(lat, lon, "event")
