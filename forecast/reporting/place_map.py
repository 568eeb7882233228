"""The map of one place: its ring, the regions around it, and how many events there were lately in each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from shapely import box, make_valid, simplify, union_all
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from forecast.panel.units import EARTH_RADIUS_KM, Units
from forecast.reporting.figure import literal
from forecast.reporting.map import circle, drawn_rings
from forecast.reporting.theme import BORDER, CONTRAST, INK, LAND, MUTED, figure
from forecast.reporting.words import events, short_title

CELL = 0.25
"""Side in degrees of the cells in which events are counted: about 28 km, so that no event stands for itself."""
HEIGHT = 540
_AROUND, _LEAST_KM = 2.2, 150.0
"""The map reaches so many radii from the place, and never less than this."""


@dataclass(frozen=True)
class Recent:
    """Numbers of events, by cell or by region.

    Parameters
    ----------
    latitude, longitude : tuple of float
        Where each number is drawn: the middle of the cell, or a point of the region.
    counts : tuple of int
    names : tuple of str
        Of regions; empty for cells.
    """

    latitude: tuple[float, ...]
    longitude: tuple[float, ...]
    counts: tuple[int, ...]
    names: tuple[str, ...] = ()


def recent_in_cells(latitude: ArrayLike, longitude: ArrayLike) -> Recent:
    """Count events in cells of a quarter of a degree; where in a cell they were is not kept.

    Examples
    --------
    >>> recent_in_cells([12.51, 12.7, 13.1], [-8.01, -8.2, -8.1]).counts
    (2, 1)
    """
    row = np.floor(np.asarray(latitude, dtype=np.float64) / CELL)
    column = np.floor(np.asarray(longitude, dtype=np.float64) / CELL)
    cells, counts = np.unique(np.column_stack([row, column]), axis=0, return_counts=True)
    middle = (cells + 0.5) * CELL
    return Recent(tuple(middle[:, 0].tolist()), tuple(middle[:, 1].tolist()), tuple(counts.tolist()))


def recent_of_regions(names: Sequence[str], latitude: ArrayLike, longitude: ArrayLike, counts: ArrayLike) -> Recent:
    """Return the counts of regions, those without an event left out."""
    number = np.asarray(counts, dtype=np.int64)
    some = np.flatnonzero(number)
    lat, lon = (np.asarray(values, dtype=np.float64)[some].round(3) for values in (latitude, longitude))
    return Recent(
        tuple(lat.tolist()), tuple(lon.tolist()), tuple(number[some].tolist()), tuple(names[at] for at in some.tolist())
    )


def place_map(place: Units, polygons: Mapping[str, Mapping[str, Any]], regions: Units, recent: Recent) -> go.Figure:
    """Return the map around one place.

    Parameters
    ----------
    place : Units
        One place, with coordinates and radius.
    polygons : mapping of region name to GeoJSON geometry
    regions : Units
        Only polygons of these are drawn.
    recent : Recent
        Numbers are drawn as discs whose area grows with them.
    """
    latitude, longitude, radius = (float(of[0]) for of in (place.latitude, place.longitude, place.radius_km))
    west, south, east, north = _window(latitude, longitude, radius)
    frame, detail = box(west, south, east, north), (east - west) / 1500
    traces: list[Any] = []
    inside: dict[str, list[BaseGeometry]] = {}
    for name, group in zip(regions.names, regions.groups, strict=True):
        if name not in polygons:
            continue
        part = make_valid(shape(dict(polygons[name]))).intersection(frame)
        if part.is_empty or part.area == 0:
            continue
        inside.setdefault(group, []).append(part)
        x, y = drawn_rings(simplify(part, detail, preserve_topology=True))
        traces.append(
            go.Scatter(
                x=x, y=y, mode="lines", fill="toself", fillcolor=LAND, line={"color": BORDER, "width": 0.8},
                hoveron="fills", hoverinfo="text", text=literal(short_title(name, group)), name=literal(name),
            )
        )  # fmt: skip
    for parts in inside.values():
        whole = union_all([part.buffer(detail) for part in parts])
        x, y = drawn_rings(simplify(whole, detail, preserve_topology=True))
        line = {"color": MUTED, "width": 1.4}
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip"))
    traces += [_discs(recent, (west, south, east, north)), *_ring(place, latitude, longitude, radius)]
    shrink = float(np.cos(np.radians((south + north) / 2)))
    plain = {"showgrid": False, "showticklabels": False, "ticks": "", "automargin": False, "constrain": "domain"}
    return figure(
        traces,
        height=HEIGHT,
        x={**plain, "range": [west, east]},
        y={**plain, "range": [south, north], "scaleanchor": "x", "scaleratio": round(1 / shrink, 4)},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
    )


def inside_ring(place: Units, recent: Recent) -> NDArray[np.bool_]:
    """Return which numbers are drawn within the ring."""
    latitude, longitude = (np.radians(np.asarray(of)) for of in (recent.latitude, recent.longitude))
    here = np.radians([place.latitude[0], place.longitude[0]])
    half = np.sin((latitude - here[0]) / 2) ** 2
    half += np.cos(here[0]) * np.cos(latitude) * np.sin((longitude - here[1]) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)) <= place.radius_km[0])


def _window(latitude: float, longitude: float, radius: float) -> tuple[float, float, float, float]:
    """Return west, south, east and north of what is shown."""
    edge = circle(latitude, longitude, max(_AROUND * radius, _LEAST_KM))
    (west, south), (east, north) = edge.min(axis=0), edge.max(axis=0)
    return round(float(west), 3), round(float(south), 3), round(float(east), 3), round(float(north), 3)


def _discs(recent: Recent, window: tuple[float, float, float, float]) -> go.Scatter:
    west, south, east, north = window
    shown = [
        (lon, lat, count, name)
        for lat, lon, count, name in zip(
            recent.latitude, recent.longitude, recent.counts, recent.names or [""] * len(recent.counts), strict=True
        )
        if west <= lon <= east and south <= lat <= north
    ]
    shown.sort(key=lambda item: -item[2])  # small ones above large ones
    largest = max((count for *_, count, _ in shown), default=1)
    return go.Scatter(
        x=[item[0] for item in shown],
        y=[item[1] for item in shown],
        mode="markers",
        marker={
            "color": CONTRAST,
            "opacity": 0.62,
            "line": {"width": 0},
            "size": [round(float(np.clip(44 * np.sqrt(item[2] / max(largest, 20)), 5, 44)), 1) for item in shown],
        },
        hoverinfo="text",
        hovertext=[literal(f"{item[3]}: {events(item[2])}" if item[3] else events(item[2])) for item in shown],
    )


def _ring(place: Units, latitude: float, longitude: float, radius: float) -> list[go.Scatter]:
    ring = circle(latitude, longitude, radius).round(3)
    town = place.names[0].removesuffix(f" {radius:g} km")
    return [
        go.Scatter(
            x=ring[:, 0].tolist(), y=ring[:, 1].tolist(), mode="lines",
            line={"color": INK, "width": 2, "dash": "6px,4px"}, hoverinfo="skip",
        ),
        go.Scatter(
            x=[round(longitude, 3)], y=[round(latitude, 3)], mode="markers+text", marker={"color": INK, "size": 7},
            text=[f"<b>{literal(town)}</b>"], textposition="bottom center",
            textfont={"size": 13, "color": INK, "shadow": "auto"}, hoverinfo="skip", cliponaxis=False,
        ),
    ]  # fmt: skip
