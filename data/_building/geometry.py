"""Regions as a coverage: polygons that share their borders, and measures of them on a sphere."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import MultiPolygon, Point, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry

EARTH_RADIUS_KM = 6371.0088
GRID_DEGREES = 1e-4

Vertex = tuple[float, float]
Segment = tuple[Vertex, Vertex]


@dataclass(frozen=True)
class Region:
    """A first-level region: its key, its country and its polygon."""

    key: str
    country: str
    iso3: str
    name: str
    polygon: BaseGeometry


@dataclass(frozen=True)
class Assignment:
    """The region that a point was given to, and how far the point lies outside it (0 if within)."""

    region: str
    distance_km: float


def great_circle_km(lat_a: ArrayLike, lon_a: ArrayLike, lat_b: ArrayLike, lon_b: ArrayLike) -> NDArray[np.float64]:
    """Distance on a sphere by the haversine formula.

    Parameters
    ----------
    lat_a, lon_a, lat_b, lon_b
        Degrees; the four are broadcast against each other.

    Returns
    -------
    numpy.ndarray
        Kilometres.
    """
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    half_lat = (phi_b - phi_a) / 2
    half_lon = (np.radians(lon_b) - np.radians(lon_a)) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(half_lon) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))), dtype=np.float64)


def simplify_coverage(polygons: Sequence[BaseGeometry], tolerance: float) -> list[BaseGeometry]:
    """Round polygons to the common grid and simplify them together, so that no gap opens between neighbours.

    Parameters
    ----------
    polygons
        Polygons that touch each other along identical vertices, up to rounding.
    tolerance
        Degrees: about the square root of the area of the triangles that are dropped.

    Returns
    -------
    list of geometries
        In the order given, exteriors counter-clockwise (RFC 7946).

    Raises
    ------
    ValueError
        If the polygons overlap or their common borders differ, before or after.
    """
    rounded = [shapely.set_precision(polygon, GRID_DEGREES) for polygon in polygons]
    if not shapely.coverage_is_valid(rounded):
        raise ValueError("the polygons are not a coverage: they overlap or their common borders differ")
    simple = [shapely.orient_polygons(polygon) for polygon in shapely.coverage_simplify(rounded, tolerance)]
    if not shapely.coverage_is_valid(simple) or not all(polygon.is_valid for polygon in simple):
        raise ValueError("the simplified polygons are not a coverage: lower the tolerance")
    return simple


def area_km2(polygon: BaseGeometry) -> float:
    """Area on the sphere, by the cylindrical equal-area projection."""

    def project(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        radians = np.radians(coordinates)
        return EARTH_RADIUS_KM * np.column_stack([radians[:, 0], np.sin(radians[:, 1])])

    return float(shapely.transform(polygon, project).area)


def representative_point(polygon: BaseGeometry) -> Vertex:
    """Latitude and longitude of the centroid, or of a point inside where the centroid lies outside."""
    point = polygon.centroid
    if not polygon.contains(point):
        point = polygon.representative_point()
    return round(point.y, 4), round(point.x, 4)


def _rings(polygon: BaseGeometry) -> list[list[Vertex]]:
    parts = polygon.geoms if isinstance(polygon, MultiPolygon) else [polygon]
    rings: list[list[Vertex]] = []
    for part in parts:
        if not isinstance(part, Polygon):
            raise TypeError(f"expected a polygon, found {part.geom_type}")
        rings += [[(round(x, 4), round(y, 4)) for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
    return rings


def shared_borders(regions: Sequence[Region]) -> dict[tuple[str, str], float]:
    """Length of the border that each pair of regions shares.

    A border is the set of segments that are edges of both; a coverage has them vertex by vertex, so that no
    tolerance is needed and the length from a to b is the length from b to a by construction.

    Returns
    -------
    dict
        (a, b), with a < b, to kilometres; only pairs that share at least one segment.
    """
    owners: dict[Segment, set[str]] = defaultdict(set)
    for region in regions:
        for ring in _rings(region.polygon):
            for start, end in pairwise(ring):
                owners[min(start, end), max(start, end)].add(region.key)
    lengths: dict[tuple[str, str], list[float]] = defaultdict(list)
    for ((lon_a, lat_a), (lon_b, lat_b)), keys in owners.items():
        if len(keys) == 2:
            first, second = sorted(keys)
            lengths[first, second].append(float(great_circle_km(lat_a, lon_a, lat_b, lon_b)))
    return {pair: math.fsum(parts) for pair, parts in sorted(lengths.items())}


def assign_point(latitude: float, longitude: float, country: str, regions: Sequence[Region]) -> Assignment:
    """Give a point to the region of its own country that contains it, else to the nearest one of that country."""
    point = Point(longitude, latitude)
    own = [region for region in regions if region.country == country]
    if not own:
        raise ValueError(f"no region of {country!r}")
    for region in own:
        if region.polygon.intersects(point):
            return Assignment(region.key, 0.0)
    distances = [(_distance_km(point, region.polygon), region.key) for region in own]
    distance, key = min(distances)
    return Assignment(key, distance)


def _distance_km(point: Point, polygon: BaseGeometry) -> float:
    nearest = shapely.shortest_line(point, polygon).coords[-1]
    return float(great_circle_km(point.y, point.x, nearest[1], nearest[0]))


def write_geojson(path: Path, regions: Sequence[Region]) -> None:
    """Write regions as a feature collection, one feature a line, with the property `region`."""
    features = [
        {"type": "Feature", "properties": {"region": region.key}, "geometry": _geometry(region.polygon)}
        for region in regions
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    path.write_text(f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n', encoding="utf-8", newline="\n")


def _geometry(polygon: BaseGeometry) -> dict[str, Any]:
    def rounded(value: Any) -> Any:
        return round(value, 4) if isinstance(value, float) else [rounded(item) for item in value]

    geometry = mapping(polygon)
    return {"type": geometry["type"], "coordinates": rounded(geometry["coordinates"])}


def read_polygons(path: Path, key: str) -> list[tuple[Mapping[str, Any], BaseGeometry]]:
    """Read the properties and the geometry of each feature that has the property `key`."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [
        (feature["properties"], shape(feature["geometry"]))
        for feature in features
        if feature["properties"].get(key) is not None
    ]
