"""Polygons of regions: read from GeoJSON and checked; which region a point lies in; which regions are neighbours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.units import Units, great_circle_km
from forecast.plain_text import LONGEST_NAME, one_line

SLIVER_DEGREES = 0.01
"""Polygons may overlap in slivers up to this width, about 1 km: digitised borders rarely fit exactly."""
SLIVER_SHARE = 0.05
"""And by this share of the smaller polygon, so that a small one within another is found."""
ROUNDING_DEGREES = 1e-6
"""Files have longitudes such as 180.00000000000006."""
BORDER_TOLERANCE_DEGREES = 0.002
"""Borders that run within this distance of each other, about 200 m, count as shared."""
SHORTEST_BORDER_KM = 1.0
"""Shorter contacts are regions that touch in a corner."""


@dataclass(frozen=True, eq=False)
class Polygons:
    """Named polygons of regions in degrees, WGS 84.

    Parameters
    ----------
    names : tuple of str
        Unique.
    shapes : tuple of shapely Polygon or MultiPolygon
        In the order of the names.
    """

    names: tuple[str, ...]
    shapes: tuple[BaseGeometry, ...]

    def __len__(self) -> int:
        return len(self.names)

    def centroids(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return latitude and longitude of each centroid, or of a point inside where the centroid lies outside."""
        shapes = np.asarray(self.shapes, dtype=object)
        points = shapely.centroid(shapes)
        points = np.where(shapely.covers(shapes, points), points, shapely.point_on_surface(shapes))
        return shapely.get_y(points), shapely.get_x(points)

    def units(self, groups: Sequence[str] | None = None) -> Units:
        """Return the regions as units of a panel."""
        latitude, longitude = self.centroids()
        return Units.of(self.names, groups=groups, latitude=latitude, longitude=longitude)

    def locate(self, latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the position of the polygon that each point lies in, -1 for none, shape (points,).

        A point on a border belongs to the first of its polygons.
        """
        tree = shapely.STRtree(self.shapes)
        points, found = tree.query(shapely.points(longitude, latitude), predicate="intersects")
        position = np.full(len(latitude), len(self), dtype=np.intp)
        np.minimum.at(position, points, found)
        return np.where(position == len(self), -1, position)

    def geojson(self) -> dict[str, dict[str, Any]]:
        """Return region name to GeoJSON geometry."""
        return {
            name: dict(json.loads(text)) for name, text in zip(self.names, shapely.to_geojson(self.shapes), strict=True)
        }


def read_polygons(path: Path, name_property: str = "region") -> Polygons:
    """Read the polygons of regions from a GeoJSON file.

    Parameters
    ----------
    path : Path
    name_property : str
        The property of each feature that holds the name of its region.

    Raises
    ------
    InputError
        As `polygons_from_geojson`, and if the file is missing or no JSON.
    """
    return polygons_from_geojson(read_geojson(path), name_property, where=path.name)


def read_geojson(path: Path) -> object:
    """Return the decoded JSON of a file.

    Raises
    ------
    InputError
        If the file is missing or no JSON in UTF-8.
    """
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"no file {path.name}", where=str(path.parent)) from None
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8 text", where=f"{path.name} byte {error.start}") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}", where=path.name) from None
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from None


def polygons_from_geojson(content: object, name_property: str = "region", *, where: str = "GeoJSON") -> Polygons:
    """Return the polygons of a GeoJSON feature collection.

    Parameters
    ----------
    content : object
        The decoded JSON.
    name_property : str
        The property of each feature that holds the name of its region.
    where : str
        What messages call the source.

    Returns
    -------
    Polygons

    Raises
    ------
    InputError
        As `named_polygons`, and if there is no feature, a name is missing or the coordinates make no polygon.

    Examples
    --------
    >>> ring = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
    >>> geometry = {"type": "Polygon", "coordinates": [ring]}
    >>> feature = {"type": "Feature", "properties": {"region": "A"}, "geometry": geometry}
    >>> polygons_from_geojson({"type": "FeatureCollection", "features": [feature]}).names
    ('A',)
    """
    features = content.get("features") if isinstance(content, Mapping) else None
    if not isinstance(features, list) or not features:
        raise InputError("no features", where=where, expected="a GeoJSON FeatureCollection with at least one polygon")
    names, shapes = [], []
    for position, feature in enumerate(features, start=1):
        at = f"{where} feature {position}"
        names.append(_name_of(feature, name_property, at))
        shapes.append(_shape_of(feature.get("geometry"), f"{at}, {names[-1]!r}"))
    return named_polygons(names, shapes, where=where)


def named_polygons(names: Sequence[str], shapes: Sequence[BaseGeometry | None], *, where: str) -> Polygons:
    """Return shapes in degrees, longitude first, as checked polygons.

    Parameters
    ----------
    names : sequence of str
    shapes : sequence of shapely geometries
        One of each name.
    where : str
        What messages call the source.

    Raises
    ------
    InputError
        If a name occurs twice, a geometry is no polygon or leaves the globe, a polygon crosses itself, or two polygons
        overlap by more than a sliver.

    Examples
    --------
    >>> named_polygons(["A"], [shapely.box(0, 0, 1, 1)], where="an example").names
    ('A',)
    """
    seen: dict[str, int] = {}
    checked = []
    for position, (name, shape) in enumerate(zip(names, shapes, strict=True), start=1):
        at = f"{where} feature {position}"
        if name in seen:
            raise InputError(
                f"two polygons are called {name!r}", where=f"{at} and {seen[name]}", expected="one feature a region"
            )
        seen[name] = position
        checked.append(_checked(shape, f"{at}, {name!r}"))
    polygons = Polygons(tuple(names), tuple(checked))
    _check_overlaps(polygons, where)
    return polygons


def neighbours_from_polygons(polygons: Polygons) -> Neighbours:
    """Find which regions share a border, how long it is, and how far apart the centroids lie.

    The shared border is the part of one region's boundary that runs within `BORDER_TOLERANCE_DEGREES` of the other
    region, averaged over the two directions, so that borders digitised twice are found. Its length is measured
    along great circles. The tolerance adds up to four times its width to each contact, and contacts below
    `SHORTEST_BORDER_KM` are corners, no borders. Degrees of longitude are taken for degrees of latitude in the
    tolerance only, not in any length.

    Parameters
    ----------
    polygons : Polygons

    Returns
    -------
    Neighbours
    """
    shapes = np.asarray(polygons.shapes, dtype=object)
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="dwithin", distance=BORDER_TOLERANCE_DEGREES)
    once = first < second
    first, second = first[once], second[once]
    edges = shapely.boundary(shapes)
    wide = shapely.buffer(shapes, BORDER_TOLERANCE_DEGREES, quad_segs=2)
    shapely.prepare(wide)
    border = (
        _length_km(shapely.intersection(edges[first], wide[second]))
        + _length_km(shapely.intersection(edges[second], wide[first]))
    ) / 2
    real = border >= SHORTEST_BORDER_KM
    first, second, border = first[real], second[real], border[real]
    latitude, longitude = polygons.centroids()
    distance = great_circle_km(latitude[first], longitude[first], latitude[second], longitude[second])
    return Neighbours.from_pairs(first, second, border, distance, len(polygons))


def _length_km(lines: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the length of each geometry's lines along great circles, shape (geometries,)."""
    parts, owner = shapely.get_parts(lines, return_index=True)
    nested, part = shapely.get_parts(parts, return_index=True)  # a collection may hold multi-lines
    linear = shapely.get_dimensions(nested) == 1
    nested, owner = nested[linear], owner[part[linear]]
    xy, line = shapely.get_coordinates(nested, return_index=True)
    same = line[1:] == line[:-1]
    step = great_circle_km(xy[:-1, 1], xy[:-1, 0], xy[1:, 1], xy[1:, 0])
    return np.bincount(owner[line[1:][same]], weights=step[same], minlength=len(lines)).astype(np.float64)


def _name_of(feature: object, name_property: str, at: str) -> str:
    properties = feature.get("properties") if isinstance(feature, Mapping) else None
    if not isinstance(properties, Mapping) or name_property not in properties:
        found = ", ".join(map(repr, properties)) if isinstance(properties, Mapping) and properties else "none"
        raise InputError(f"no property {name_property!r}", where=at, expected=f"the region's name; found {found}")
    name = properties[name_property]
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"the name of the region is {name!r}", where=at, expected="a text that is not empty")
    return region_name(name, at)


def region_name(written: str, at: str) -> str:
    """Return the name of a region as a file has it, in one line and without what acts on a terminal or a page.

    Raises
    ------
    InputError
        If nothing is left, or it is longer than any name.
    """
    name = one_line(written, None)
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(f"a name of {len(name)} characters", where=at, expected=f"1 to {LONGEST_NAME}")
    return name


def _shape_of(geometry: object, at: str) -> BaseGeometry:
    """Return a geometry of GeoJSON."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        raise InputError(f"a geometry of type {kind!r}", where=at, expected="Polygon or MultiPolygon")
    assert isinstance(geometry, Mapping)
    try:
        rings = geometry["coordinates"] if kind == "MultiPolygon" else [geometry["coordinates"]]
        parts = [Polygon(_ring(part[0]), [_ring(hole) for hole in part[1:]]) for part in rings]
    except (KeyError, IndexError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise InputError(
            "the coordinates make no polygon", where=at, expected="closed rings of [longitude, latitude]"
        ) from None
    return parts[0] if kind == "Polygon" else MultiPolygon(parts)


def _checked(shape: BaseGeometry | None, at: str) -> BaseGeometry:
    kind = None if shape is None else shape.geom_type
    if shape is None or kind not in {"Polygon", "MultiPolygon"}:
        raise InputError(f"a geometry of type {kind!r}", where=at, expected="Polygon or MultiPolygon")
    if shape.is_empty:
        raise InputError("the polygon is empty", where=at)
    xy = shapely.get_coordinates(shape)
    off = ~((np.abs(xy[:, 0]) <= 180 + ROUNDING_DEGREES) & (np.abs(xy[:, 1]) <= 90 + ROUNDING_DEGREES))
    if off.any():
        longitude, latitude = xy[off][0]
        raise InputError(
            f"longitude {longitude:g}, latitude {latitude:g} is off the globe",
            where=at,
            expected="degrees, longitude first",
            hint="projected coordinates must be brought to WGS 84 (EPSG:4326)",
        )
    if not shape.is_valid:
        raise InputError(
            f"the polygon is broken: {shapely.is_valid_reason(shape)}",
            where=at,
            expected="rings that do not cross themselves or each other",
            hint="shapely.make_valid, or `Fix geometries` in QGIS",
        )
    return shape


def _ring(points: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return a ring's longitudes and latitudes; heights are dropped.

    Raises
    ------
    ValueError
        If the ring is not closed or a coordinate is no number.
    """
    ring = np.array([[float(point[0]), float(point[1])] for point in points])
    if len(ring) < 4 or not (ring[0] == ring[-1]).all():
        raise ValueError("not closed")
    return ring


def _check_overlaps(polygons: Polygons, where: str) -> None:
    shapes = np.asarray(polygons.shapes, dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    meet = ~shapely.touches(shapes[first], shapes[second])
    first, second = first[meet], second[meet]
    overlap = shapely.intersection(shapes[first], shapes[second])
    share = shapely.area(overlap) / np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    wide = ~shapely.is_empty(shapely.buffer(overlap, -SLIVER_DEGREES / 2, quad_segs=1))
    wrong = np.flatnonzero(wide | (share > SLIVER_SHARE))
    if len(wrong):
        at = wrong[np.argmax(share[wrong])]
        more = f" ({len(wrong) - 1} more pairs do)" if len(wrong) > 1 else ""
        raise InputError(
            f"polygons {polygons.names[first[at]]!r} and {polygons.names[second[at]]!r} overlap by "
            f"{share[at]:.0%} of the smaller one{more}",
            where=where,
            expected="regions that share borders only, so that each event has one region",
        )
