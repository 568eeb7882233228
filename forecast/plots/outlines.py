"""Outlines of regions as charts draw them: rings, extents, borders of countries, places for names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon, simplify, union_all
from shapely.geometry.polygon import orient

from forecast.plots.labels import Spot


def drawn_rings(geometry: Any) -> tuple[list[Any], list[Any]]:
    """Return all rings one after another with gaps between; holes run against their shells, so they stay open."""
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else [geometry]
    x: list[Any] = []
    y: list[Any] = []
    for part in parts:
        if not isinstance(part, Polygon) or part.is_empty:
            continue
        turned = orient(part)
        for ring in (turned.exterior, *turned.interiors):
            corners = np.asarray(ring.coords)[:, :2].round(3) + 0.0  # no minus zero
            x += [*([None] if x else []), *corners[:, 0].tolist()]
            y += [*([None] if y else []), *corners[:, 1].tolist()]
    return x, y


def extent(bounds: list[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    """Return west, south, east and north of several boxes of these."""
    box = np.asarray(bounds)
    low, high = box[:, :2].min(axis=0), box[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def country_outlines(geometries: Mapping[str, Any], group: Mapping[str, str], detail: float) -> dict[str, Any]:
    """Return the outline of each country: its regions dissolved, without the slivers between them."""
    found = {}
    for country in dict.fromkeys(group[name] for name in geometries if group[name]):
        whole = union_all([geometry for name, geometry in geometries.items() if group[name] == country])
        found[country] = simplify(
            whole.buffer(detail, join_style="mitre").buffer(-detail, join_style="mitre"), detail, preserve_topology=True
        )
    return found


def spots_inside(geometry: Any, reach: float = 0.0) -> tuple[Spot, ...]:
    """Return points within an outline where a name could stand, those nearest to its middle first.

    With a reach (half of the name's width in degrees), only points from which the whole name is within.
    """
    west, south, east, north = geometry.bounds
    columns, rows = np.linspace(west, east, 25)[1:-1], np.linspace(south, north, 25)[1:-1]
    best, middle = geometry.representative_point(), geometry.centroid
    x, y = np.append(best.x, np.repeat(columns, len(rows))), np.append(best.y, np.tile(rows, len(columns)))
    points = np.asarray(shapely.points(x, y))
    names = shapely.linestrings(np.stack([x - reach, x + reach], 1), np.stack([y, y], 1)) if reach else points
    shapely.prepare(geometry)
    fit = shapely.contains(geometry, names)
    near = np.argsort(shapely.distance(middle, points[fit]), kind="stable")
    return tuple(Spot(round(float(x[at]), 3), round(float(y[at]), 3)) for at in np.flatnonzero(fit)[near])
