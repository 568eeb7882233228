"""Points to regions: the polygon a point lies in, or the nearest one within a tolerance, with a report of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.panel.other_names import country_key
from forecast.panel.polygons import Polygons
from forecast.panel.units import EARTH_RADIUS_KM

TOLERANCE_KM = 25.0
"""Points on a coast or border lie this far outside at most: the error of simplified polygons, and of places that are
known to about 25 km."""
_POINTS_AT_A_TIME = 2_000  # so that detailed borders fit into memory
_KM_A_DEGREE = EARTH_RADIUS_KM * np.pi / 180


@dataclass(frozen=True, eq=False)
class Assignment:
    """Which region each point was given, and how.

    Parameters
    ----------
    names : tuple of str
        Of the regions.
    region : ndarray of int, shape (points,)
        Position among the names, -1 for none.
    distance_km : ndarray of float, shape (points,)
        To the region: 0 within it, NaN if there is none.
    how : ndarray of str, shape (points,)
        "within", "nearest" or "none".
    lies_in : ndarray of int, shape (points,)
        Position of the polygon that the point lies in, of whatever country, -1 for none. It differs from `region`
        where the event's country says that it belongs elsewhere.
    """

    names: tuple[str, ...]
    region: NDArray[np.intp]
    distance_km: NDArray[np.float64]
    how: NDArray[np.str_]
    lies_in: NDArray[np.intp]

    def counts(self) -> Counter[str]:
        """Return the points by how they were assigned; the three add up to all."""
        return Counter({how: int((self.how == how).sum()) for how in ("within", "nearest", "none")})

    def doubtful(self, ids: Sequence[object] | NDArray[np.object_] | pd.Series) -> pd.DataFrame:
        """List the points that lie in no polygon of their own country.

        Parameters
        ----------
        ids : sequence, shape (points,)
            What to call the points.

        Returns
        -------
        DataFrame
            id, how ("nearest", "none"), region, distance_km, lies_in; regions by name, empty for none.
        """
        at = np.flatnonzero(self.how != "within")
        names = np.array([*self.names, ""], dtype=object)
        columns = {
            "id": np.asarray(ids, dtype=object)[at],
            "how": self.how[at].astype(object),
            "region": names[self.region[at]],
            "distance_km": self.distance_km[at].round(1),
            "lies_in": names[self.lies_in[at]],
        }
        return pd.DataFrame(columns)


def assign_regions(
    latitude: ArrayLike,
    longitude: ArrayLike,
    polygons: Polygons,
    *,
    country: Sequence[str | None] | NDArray[np.object_] | pd.Series | None = None,
    polygon_country: Sequence[str] | None = None,
    tolerance_km: float = TOLERANCE_KM,
) -> Assignment:
    """Give each point the polygon it lies in, or else the nearest one within a tolerance.

    Where the country of a point is known, only polygons of that country are considered. A point on a border belongs
    to the first of its polygons. Distances to borders are taken in the plane that touches the globe at the
    latitude of the point, which is right to about 1 in 1,000 within 100 km below 60 degrees.

    Parameters
    ----------
    latitude, longitude : array_like, shape (points,)
        Degrees, WGS 84; NaN where unknown.
    polygons : Polygons
    country : sequence of str, shape (points,), optional
        Spelling and language do not matter; empty or missing where it is not known.
    polygon_country : sequence of str, shape (polygons,), optional
        By default what stands before the slash in the polygons' names ("Mali" of "Mali/Mopti").
    tolerance_km : float
        0 for no nearest ones.

    Returns
    -------
    Assignment

    Raises
    ------
    InputError
        For lengths that do not fit, a tolerance that is no number from 0 to 500, or polygons of unknown country.

    Examples
    --------
    >>> squares = Polygons(("A/west", "B/east"), (shapely.box(0, 10, 1, 11), shapely.box(1, 10, 2, 11)))
    >>> found = assign_regions([10.5, 10.5, 10.5], [0.9, 0.9, 2.1], squares, country=["A", "B", ""])
    >>> found.region.tolist(), found.how.tolist(), found.distance_km.round().tolist()
    ([0, 1, 1], ['within', 'nearest', 'nearest'], [0.0, 11.0, 11.0])
    """
    y, x = np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64)
    if y.shape != x.shape or y.ndim != 1:
        raise InputError(f"{y.size} latitudes and {x.size} longitudes", expected="one of each a point")
    if not 0 <= tolerance_km <= 500:
        raise InputError(f"a tolerance of {tolerance_km:g} km", expected="from 0 to 500 km")
    point_code, shape_code = _country_codes(len(y), polygons, country, polygon_country)
    region = np.full(len(y), -1, dtype=np.intp)
    distance = np.full(len(y), np.nan)

    points, found = _containing(y, x, polygons)
    lies_in = _first(points, found, len(y))
    own = (point_code[points] == -1) | (point_code[points] == shape_code[found])
    region = _first(points[own], found[own], len(y))
    within = region >= 0
    distance[within] = 0.0
    outside = np.flatnonzero(~within & np.isfinite(y) & np.isfinite(x))
    if tolerance_km > 0 and len(outside) and len(polygons):
        near, km = _nearest(y[outside], x[outside], point_code[outside], polygons, shape_code, tolerance_km)
        region[outside], distance[outside] = near, km
    how = np.where(within, "within", np.where(region >= 0, "nearest", "none"))
    return Assignment(polygons.names, region, distance, how, lies_in)


def _country_codes(
    points: int,
    polygons: Polygons,
    country: Sequence[str | None] | NDArray[np.object_] | pd.Series | None,
    polygon_country: Sequence[str] | None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the code of each point's country (-1 unknown, -2 a country that no polygon has) and each polygon's."""
    if country is None:
        return np.full(points, -1, dtype=np.intp), np.zeros(len(polygons), dtype=np.intp)
    if polygon_country is None:
        polygon_country = [name.partition("/")[0] if "/" in name else "" for name in polygons.names]
    if len(country) != points or len(polygon_country) != len(polygons):
        raise InputError(
            f"{len(country)} countries for {points} points, {len(polygon_country)} for {len(polygons)} polygons"
        )
    unnamed = [name for name, of in zip(polygons.names, polygon_country, strict=True) if not of]
    if unnamed:
        raise InputError(
            f"the country of polygon {unnamed[0]!r} is not known",
            expected="names such as 'Mali/Mopti', or the countries of all polygons",
        )
    known = {name: code for code, name in enumerate(dict.fromkeys(map(country_key, polygon_country)))}
    codes, distinct = pd.factorize(pd.Series(country, dtype=object))
    of_distinct = [known.get(country_key(str(name)), -2) if str(name).strip() else -1 for name in distinct]
    point_code = np.array([*of_distinct, -1], dtype=np.intp)[codes]
    return point_code, np.array([known[country_key(name)] for name in polygon_country], dtype=np.intp)


def _containing(
    y: NDArray[np.float64], x: NDArray[np.float64], polygons: Polygons
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return pairs of point and polygon that covers it."""
    known = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    points: NDArray[np.object_] = np.atleast_1d(np.asarray(shapely.points(x[known], y[known]), dtype=object))
    tree = shapely.STRtree(points)  # of the points, not the polygons: the query prepares what it is asked for
    found, at = tree.query(np.asarray(polygons.shapes, dtype=object), predicate="intersects")
    return known[at], found


def _first(points: NDArray[np.intp], found: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return the lowest polygon that was found for each point, -1 for none."""
    first = np.full(count, np.iinfo(np.intp).max)
    np.minimum.at(first, points, found)
    return np.where(first == np.iinfo(np.intp).max, -1, first)


def _nearest(
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    point_code: NDArray[np.intp],
    polygons: Polygons,
    shape_code: NDArray[np.intp],
    tolerance_km: float,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the nearest polygon within the tolerance, -1 for none, and its distance in km, NaN for none.

    Edges of the polygons whose box meets the box of the tolerance around a point are measured one by one.
    """
    start, end, owner = _edges(polygons)
    lines: NDArray[np.object_] = np.asarray(shapely.linestrings(np.stack([start, end], axis=1)), dtype=object)
    edges = shapely.STRtree(lines)
    region = np.full(len(y), -1, dtype=np.intp)
    distance = np.full(len(y), np.nan)
    for low in range(0, len(y), _POINTS_AT_A_TIME):
        part = slice(low, low + _POINTS_AT_A_TIME)
        narrow = np.maximum(np.cos(np.radians(y[part])), 0.01)
        reach = tolerance_km / _KM_A_DEGREE
        wide = reach / narrow
        boxes = shapely.box(x[part] - wide, y[part] - reach, x[part] + wide, y[part] + reach)
        point, edge = edges.query(boxes)
        own = (point_code[part][point] == -1) | (point_code[part][point] == shape_code[owner[edge]])
        point, edge = point[own], edge[own]
        scale = np.stack([narrow[point], np.ones(len(point))], axis=1) * _KM_A_DEGREE
        here = np.stack([x[part][point], y[part][point]], axis=1)
        km = _to_segments((start[edge] - here) * scale, (end[edge] - here) * scale)
        point, edge, km = point[km <= tolerance_km], edge[km <= tolerance_km], km[km <= tolerance_km]
        order = np.lexsort((owner[edge], km.round(6), point))
        best = order[np.unique(point[order], return_index=True)[1]]
        region[low + point[best]], distance[low + point[best]] = owner[edge[best]], km[best]
    return region, distance


def _edges(polygons: Polygons) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return start and end of all edges, shapes (edges, 2), and the position of the polygon of each."""
    parts, owner = shapely.get_parts(np.asarray(polygons.shapes, dtype=object), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return xy[:-1][same], xy[1:][same], owner[part][ring[1:][same]]


def _to_segments(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of the origin of the plane to each segment, shape (segments,)."""
    along = end - start
    length = (along**2).sum(axis=1)
    share = np.divide(-(start * along).sum(axis=1), length, out=np.zeros(len(length)), where=length > 0)
    foot = start + np.clip(share, 0, 1)[:, None] * along
    return np.asarray(np.hypot(foot[:, 0], foot[:, 1]), dtype=np.float64)
