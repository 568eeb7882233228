"""Polygons that are broken are refused with their name; borders and distances agree with plain geometry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.polygons import Polygons, neighbours_from_polygons, polygons_from_geojson, read_polygons
from forecast.panel.units import great_circle_km

SET = Path(__file__).parents[2] / "data" / "sahel-2026-weekly"


def square(x: float, y: float, side: float = 1.0) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def collection(*rings: tuple[Any, list[list[float]]]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"region": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
            for name, ring in rings
        ],
    }


def squares(*corners: tuple[float, float]) -> Polygons:
    return polygons_from_geojson(collection(*((f"r{i}", square(*corner)) for i, corner in enumerate(corners))))


BOW_TIE = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"type": "FeatureCollection", "features": []}, "no features"),
        ([], "no features"),
        (collection(("A", square(0, 0)), ("A", square(5, 0))), "two polygons are called 'A'"),
        (collection((None, square(0, 0))), "name of the region is None"),
        (collection(("  ", square(0, 0))), "name of the region is '  '"),
        (collection(("A", BOW_TIE)), "polygon is broken: Self-intersection"),
        (collection(("A", square(500000, 1600000))), "is off the globe(.|\n)*feature 1, 'A'(.|\n)*EPSG:4326"),
        (collection(("A", square(0, 95))), "off the globe"),
        (collection(("A", square(0, 0)[:-1])), "coordinates make no polygon"),
        (collection(("A", [[0, 0], [1, "x"], [1, 1], [0, 0]])), "coordinates make no polygon"),
        (collection(("A", square(0, float("nan")))), "coordinates make no polygon|off the globe"),
        (collection(("A", square(0, 0)), ("B", square(0.5, 0))), "'A' and 'B' overlap by 50% of the smaller"),
        (collection(("A", square(0, 0)), ("B", square(0.2, 0.2, 0.005))), "'A' and 'B' overlap by 100%"),
        (
            {"type": "FeatureCollection", "features": [{"properties": {"name": "A"}, "geometry": None}]},
            "no property 'region'(.|\n)*found 'name'",
        ),
        (
            {
                "type": "FeatureCollection",
                "features": [{"properties": {"region": "A"}, "geometry": {"type": "Point", "coordinates": [0, 0]}}],
            },
            "geometry of type 'Point'",
        ),
    ],
)
def test_bad_polygons(content: object, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        polygons_from_geojson(content)


def test_slivers_are_fine() -> None:
    content = collection(("A", square(0, 0)), ("B", square(0.995, 0)), ("C", square(0, -1.0015)))
    border = neighbours_from_polygons(polygons_from_geojson(content)).border_km.toarray()
    assert (border > 100).astype(int).tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


def test_bad_files(tmp_path: Path) -> None:
    for content, expected in [(b"{", "not valid JSON"), (b'{"a": "\xe9"}', "not UTF-8")]:
        (tmp_path / "a.geojson").write_bytes(content)
        with pytest.raises(InputError, match=expected):
            read_polygons(tmp_path / "a.geojson")
    with pytest.raises(InputError, match=r"no file b\.geojson"):
        read_polygons(tmp_path / "b.geojson")


def test_neighbours_of_squares() -> None:
    """Edges are borders, corners are none, and an edge on the equator is one degree long."""
    neighbours = neighbours_from_polygons(squares((0, 0), (1, 0), (1, 1), (5, 5)))
    border = neighbours.border_km.toarray()
    assert (border > 0).astype(int).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert border[0, 1] == pytest.approx(111.195, rel=0.01)
    assert neighbours.distance_km[0, 1] == pytest.approx(float(great_circle_km(0.5, 0.5, 0.5, 1.5)))
    assert (border == border.T).all()


def test_borders_digitised_twice_are_shared() -> None:
    """A gap of 100 m and other vertices along the border do not hide it."""
    other = [[1.0009, 0.3], [2, 0.3], [2, 0.9], [1.0009, 0.9], [1.0009, 0.5], [1.0009, 0.3]]
    polygons = polygons_from_geojson(collection(("A", square(0, 0)), ("B", other)))
    assert neighbours_from_polygons(polygons).border_km[0, 1] == pytest.approx(0.6 * 111.195, rel=0.01)


def test_points_are_located_once() -> None:
    polygons = squares((0, 0), (1, 0))
    found = polygons.locate(np.array([0.5, 0.5, 0.5, 7.0]), np.array([0.5, 1.5, 1.0, 0.5]))
    assert found.tolist() == [0, 1, 0, -1]


def test_centroid_outside_is_replaced_by_a_point_inside() -> None:
    horseshoe = [[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3], [0, 0]]
    polygons = polygons_from_geojson(collection(("U", horseshoe)))
    latitude, longitude = polygons.centroids()
    assert polygons.locate(latitude, longitude).tolist() == [0]


def test_geojson_round_trip(tmp_path: Path) -> None:
    polygons = read_polygons(SET / "regions.geojson")
    features = [
        {"type": "Feature", "properties": {"region": name}, "geometry": geometry}
        for name, geometry in polygons.geojson().items()
    ]
    (tmp_path / "again.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    again = read_polygons(tmp_path / "again.geojson")
    assert again.names == polygons.names
    assert all(one.equals(other) for one, other in zip(again.shapes, polygons.shapes, strict=True))


def test_real_borders_agree_with_the_exact_ones_of_the_dataset() -> None:
    """The embedded set finds borders edge by edge; the tolerance adds at most 4 x 0.22 km to each contact."""
    polygons = read_polygons(SET / "regions.geojson")
    table = pd.read_csv(SET / "neighbours.csv")
    border = neighbours_from_polygons(polygons).border_km
    first, second = ([polygons.names.index(name) for name in table[side]] for side in ("region_a", "region_b"))
    assert border.nnz == 2 * len(table)
    difference = np.array([border[a, b] for a, b in zip(first, second, strict=True)]) - table["border_km"].to_numpy()
    assert (difference > -0.01).all()
    assert (difference < 0.9).all()
