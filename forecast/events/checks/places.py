"""Points outside the stated country, and points that stand for a whole area."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from forecast.events.checks.context import CheckContext, Outlines, plain_region
from forecast.events.checks.finding import MOST_EXAMPLES, Check, Finding, counted, finding, named
from forecast.events.checks.sphere import arc_km, chord, unit_vectors

OUTSIDE_COUNTRY = Check(
    "outside_country",
    "Points outside their country",
    "Events whose point lies outside the polygons of the country that they name, or off the globe.",
    "warning",
    "Where a wrong sign or an exchange of latitude and longitude explains it, correct the source; points up to 25 km "
    "outside are counted for the nearest region of the country, others for none.",
)
CENTROID = Check(
    "centroid",
    "Pile-up on a centroid",
    "Many events that are said to be exactly located, on the centroid of a region or country, or on one point far from "
    "any known town.",
    "warning",
    "Ask the source how unknown places are coded, and mark such events as known to the region or country only.",
)

BORDER_KM = 5.0
"""Outlines are simplified, and rivers that are borders move: so far outside is no fault."""
CENTROID_KM = 2.0
FEWEST_ON_CENTROID = 5
FEWEST_ANYWHERE = 10
TOWN_KM = 10.0

_REPAIRS: tuple[tuple[str, Callable[[float, float], tuple[float, float]]], ...] = (
    ("the other sign of the longitude", lambda lat, lon: (lat, -lon)),
    ("the other sign of the latitude", lambda lat, lon: (-lat, lon)),
    ("an exchange of latitude and longitude", lambda lat, lon: (lon, lat)),
    ("the other sign of both", lambda lat, lon: (-lat, -lon)),
    ("an exchange and then the other sign of the longitude", lambda lat, lon: (lon, -lat)),
    ("an exchange and then the other sign of the latitude", lambda lat, lon: (-lon, lat)),
)


def outside_country(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `OUTSIDE_COUNTRY` finds; countries without any outline are not checked."""
    latitude, longitude = events["latitude"].to_numpy(), events["longitude"].to_numpy()
    off = (np.abs(latitude) > 90) | (np.abs(longitude) > 180)
    found = []
    if off.any():
        shown = zip(named(events[off]), latitude[off], longitude[off], strict=False)
        examples = [f"{name} (latitude {lat:g}, longitude {lon:g})" for name, lat, lon in shown]
        message = f"{counted(int(off.sum()), 'event')} off the globe."
        found.append(
            finding(OUTSIDE_COUNTRY, message, examples, count=int(off.sum()), severity="error", share=float(off.mean()))
        )
    if context.outlines is None:
        return found
    known = np.isfinite(latitude) & np.isfinite(longitude) & ~off
    stated = events["country"].fillna("").to_numpy(dtype=object)
    for country in sorted(set(context.outlines.countries) - {""}):
        mine = np.flatnonzero(known & (stated == country))
        if len(mine):
            found += _outside(events, mine, country, context.outlines)
    return found


def centroid_pile_ups(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `CENTROID` finds; events that are known to be imprecise are no fault and not counted."""
    if context.outlines is None and context.towns is None:
        return []
    exact = events["place_precision"].fillna("point").isin(["point", "near"]) & events["latitude"].between(-90, 90)
    rows = events.loc[exact & events["longitude"].between(-180, 180), ["source", "latitude", "longitude", "location"]]
    points = rows.groupby(["latitude", "longitude"], sort=False).agg(
        events=("source", "size"), location=("location", "first")
    )
    points = points[points["events"] >= FEWEST_ON_CENTROID].sort_values("events", ascending=False, kind="stable")
    if points.empty:
        return []
    at = unit_vectors(points.index.get_level_values(0), points.index.get_level_values(1))
    why = np.full(len(points), "", dtype=object)
    if context.towns is not None and len(context.towns):
        away = cKDTree(unit_vectors(context.towns[:, 0], context.towns[:, 1])).query(at)[0] > chord(TOWN_KM)
        why[away & (points["events"] >= FEWEST_ANYWHERE).to_numpy()] = f"no town within {TOWN_KM:g} km"
    if context.outlines is not None:
        labels, centres = _centroids(context.outlines)
        distance, nearest = cKDTree(centres).query(at)
        for point in np.flatnonzero(distance <= chord(CENTROID_KM)):
            why[point] = f"centroid of {labels[np.asarray(nearest)[point]]}"
    chosen = points[why != ""]
    if chosen.empty:
        return []
    total = int(chosen["events"].sum())
    message = (
        f"{counted(total, 'event')} said to be exactly located on {counted(len(chosen), 'point')} that may stand for a "
        "whole area."
    )
    examples = [
        f"{lat:g}, {lon:g} ({n:,}, {reason})"
        for (lat, lon), n, reason in zip(chosen.index, chosen["events"], why[why != ""], strict=True)
    ]
    return [finding(CENTROID, message, examples, count=len(chosen))]


def _outside(events: pd.DataFrame, mine: NDArray[np.intp], country: str, outlines: Outlines) -> list[Finding]:
    at = [position for position, name in enumerate(outlines.countries) if name == country]
    shapes = np.asarray([outlines.shapes[position] for position in at], dtype=object)
    regions = [outlines.regions[position] for position in at]
    whole = shapely.union_all(shapes)
    shapely.prepare(whole)
    xy = events[["longitude", "latitude"]].to_numpy()[mine]
    out = np.flatnonzero(~shapely.intersects_xy(whole, xy))
    far = _distance_km(xy[out], whole)
    order = np.flatnonzero(far > BORDER_KM)
    order = order[np.argsort(-far[order], kind="stable")]
    if not len(order):
        return []
    rows, far = events.iloc[mine[out[order]]], far[order]
    examples = []
    for name, (_, row), km in zip(named(rows), rows.head(MOST_EXAMPLES).iterrows(), far, strict=False):
        told = f"{name} at latitude {row['latitude']:g}, longitude {row['longitude']:g}, {km:,.0f} km outside"
        examples.append(told + _repair(row, regions, shapes))
    message = f"{counted(len(rows), 'event')} more than {BORDER_KM:g} km outside {country}, up to {far.max():,.0f} km."
    share = len(rows) / len(mine)
    return [finding(OUTSIDE_COUNTRY, message, examples, count=len(rows), unit=country, share=share)]


def _repair(row: pd.Series, regions: list[str], shapes: NDArray[np.object_]) -> str:
    """Return the first change of sign or order that brings the point into its region, or at least its country."""
    stated = "" if pd.isna(row["admin1"]) else plain_region(str(row["admin1"]))
    fits: list[tuple[bool, str]] = []
    for label, change in _REPAIRS:
        latitude, longitude = change(row["latitude"], row["longitude"])
        inside = np.flatnonzero(shapely.intersects_xy(shapes, longitude, latitude))
        if len(inside):
            region = regions[inside[0]]
            text = f"; {label} would put it into {region} (latitude {latitude:g}, longitude {longitude:g})"
            fits.append((plain_region(region) == stated, text))
    return max(fits, key=lambda fit: fit[0])[1] if fits else ""


def _distance_km(xy: NDArray[np.float64], shape: BaseGeometry) -> NDArray[np.float64]:
    """Return how far points lie from a shape, shape (points,).

    The nearest point is searched with longitudes shrunk as in the middle of the shape; to it the great circle is
    measured.
    """
    south, north = shape.bounds[1], shape.bounds[3]
    scale = np.array([np.cos(np.radians((south + north) / 2)), 1.0])
    flat = shapely.transform(shape, lambda points: points * scale)
    lines = shapely.shortest_line(shapely.points(xy * scale), flat)
    ends = shapely.get_coordinates(shapely.get_point(lines, 1)) / scale
    step = unit_vectors(xy[:, 1], xy[:, 0]) - unit_vectors(ends[:, 1], ends[:, 0])
    return arc_km(np.linalg.norm(step, axis=1))


def _centroids(outlines: Outlines) -> tuple[list[str], NDArray[np.float64]]:
    """Return names and centroids (unit vectors) of all regions and of their countries."""
    labels, shapes = list(outlines.regions), list(outlines.shapes)
    for country in sorted(set(outlines.countries) - {""}):
        labels.append(country)
        shapes.append(
            shapely.union_all([s for s, c in zip(outlines.shapes, outlines.countries, strict=True) if c == country])
        )
    centres = shapely.centroid(np.asarray(shapes, dtype=object))
    return labels, unit_vectors(shapely.get_y(centres), shapely.get_x(centres))
