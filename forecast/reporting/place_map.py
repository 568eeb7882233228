"""The map of one place: its ring, the regions around it, and how many events there were lately in each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from shapely import Point, box, make_valid, simplify, union_all
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from forecast.panel.units import Units
from forecast.plots.outlines import drawn_rings
from forecast.plots.theme import BORDER, CONTRAST, INK, LAND, MUTED, figure, literal
from forecast.reporting.map import circle
from forecast.reporting.words import events, short_title

CELL = 0.25
"""Side in degrees of the smallest cells in which events are counted: about 28 km, no event stands for itself."""
KM_PER_DEGREE = 111.0
HEIGHT = 540
_AROUND, _LEAST_KM = 2.2, 150.0
"""The map reaches so many radii from the place, and never less than this."""
_APART = 20.0
"""Pixels between the middles of cells, so that their numbers can be read."""
_DIGIT = 8.0
"""Pixels of a disc that each digit of the number in it needs."""


@dataclass(frozen=True)
class Recent:
    """Numbers of events over some last weeks, by cell or by region.

    Parameters
    ----------
    counts : tuple of int
    latitude, longitude : tuple of float
        Middle of each cell; empty for regions, whose numbers stand where there is room.
    names : tuple of str
        Of the regions; empty for cells.
    cell : float
        Side of the cells in degrees.
    weeks : int
        Over how many known weeks they are.
    inside : int
        Events within the ring over the same weeks.
    """

    counts: tuple[int, ...]
    latitude: tuple[float, ...] = ()
    longitude: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    cell: float = CELL
    weeks: int = 0
    inside: int = 0


def recent_in_cells(latitude: ArrayLike, longitude: ArrayLike, radius_km: float, *, weeks: int, inside: int) -> Recent:
    """Count events in cells of a quarter of a degree, or more around a wide ring; where in them they were is not kept.

    Examples
    --------
    >>> recent_in_cells([12.51, 12.7, 13.1], [-8.01, -8.2, -8.1], 50.0, weeks=52, inside=2).counts
    (2, 1)
    >>> recent_in_cells([12.51, 12.7, 13.1], [-8.01, -8.2, -8.1], 500.0, weeks=52, inside=2).cell
    0.75
    """
    across = 2 * max(_AROUND * radius_km, _LEAST_KM) / KM_PER_DEGREE
    cell = CELL * float(np.ceil(across * _APART / HEIGHT / CELL))
    row = np.floor(np.asarray(latitude, dtype=np.float64) / cell)
    column = np.floor(np.asarray(longitude, dtype=np.float64) / cell)
    cells, counts = np.unique(np.column_stack([row, column]), axis=0, return_counts=True)
    middle = (cells + 0.5) * cell
    return Recent(
        tuple(counts.tolist()), tuple(middle[:, 0].tolist()), tuple(middle[:, 1].tolist()),
        cell=cell, weeks=weeks, inside=inside,
    )  # fmt: skip


def recent_of_regions(names: Sequence[str], counts: ArrayLike, *, weeks: int, inside: int) -> Recent:
    """Return the counts of regions, those without an event left out."""
    number = np.asarray(counts, dtype=np.int64)
    some = np.flatnonzero(number).tolist()
    return Recent(tuple(number[some].tolist()), names=tuple(names[at] for at in some), weeks=weeks, inside=inside)


def place_map(
    place: Units, polygons: Mapping[str, Mapping[str, Any]], regions: Units, recent: Recent
) -> tuple[go.Figure, int]:
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

    Returns
    -------
    Figure
    int
        The largest number whose disc is too small to have it written in it; 0 if there is none.
    """
    latitude, longitude, radius = (float(of[0]) for of in (place.latitude, place.longitude, place.radius_km))
    west, south, east, north = _window(latitude, longitude, radius)
    frame, detail = box(west, south, east, north), (east - west) / 1500
    traces: list[Any] = []
    inside: dict[str, list[BaseGeometry]] = {}
    seen: dict[str, BaseGeometry] = {}
    for name, group in zip(regions.names, regions.groups, strict=True):
        if name not in polygons:
            continue
        part = make_valid(shape(dict(polygons[name]))).intersection(frame)
        if part.is_empty or part.area == 0:
            continue
        inside.setdefault(group, []).append(part)
        seen[name] = part
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
    discs = _discs(recent, frame, seen, regions)
    traces += [_drawn(discs), *_ring(place, latitude, longitude, radius)]
    shrink = float(np.cos(np.radians((south + north) / 2)))
    plain = {"showgrid": False, "showticklabels": False, "ticks": "", "automargin": False, "constrain": "domain"}
    plot = figure(
        traces,
        height=HEIGHT,
        x={**plain, "range": [west, east]},
        y={**plain, "range": [south, north], "scaleanchor": "x", "scaleratio": round(1 / shrink, 4)},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
    )
    return plot, max((disc.count for disc in discs if not disc.text), default=0)


def _window(latitude: float, longitude: float, radius: float) -> tuple[float, float, float, float]:
    """Return west, south, east and north of what is shown."""
    edge = circle(latitude, longitude, max(_AROUND * radius, _LEAST_KM))
    (west, south), (east, north) = edge.min(axis=0), edge.max(axis=0)
    return round(float(west), 3), round(float(south), 3), round(float(east), 3), round(float(north), 3)


@dataclass(frozen=True)
class _Disc:
    longitude: float
    latitude: float
    count: int
    name: str
    size: float

    @property
    def text(self) -> str:
        """The number: above the disc with the name of its region, or in the disc where it has room."""
        told = str(self.count)
        if self.name:
            return f"{literal(self.name)}: {told}"
        return told if self.size >= _DIGIT * len(told) else ""


def _discs(recent: Recent, frame: BaseGeometry, seen: Mapping[str, BaseGeometry], regions: Units) -> list[_Disc]:
    """Return the discs that are shown, small ones last, so that they lie above large ones."""
    if recent.names:
        short = {name: short_title(name, group) for name, group in zip(regions.names, regions.groups, strict=True)}
        middles = {name: part.representative_point() for name, part in seen.items()}
        found = [
            (round(middles[name].x, 3), round(middles[name].y, 3), count, short[name])
            for name, count in zip(recent.names, recent.counts, strict=True)
            if name in seen
        ]
    else:
        cells = zip(recent.longitude, recent.latitude, recent.counts, strict=True)
        found = [(*cell, "") for cell in cells if frame.covers(Point(cell[:2]))]
    largest = max([20, *(count for _, _, count, _ in found)])
    discs = [_Disc(*one, size=round(max(5.0, 44 * (one[2] / largest) ** 0.5), 1)) for one in found]
    return sorted(discs, key=lambda disc: -disc.count)


def _drawn(discs: Sequence[_Disc]) -> go.Scatter:
    told = [f"{disc.name}: {events(disc.count)}" if disc.name else events(disc.count) for disc in discs]
    return go.Scatter(
        x=[disc.longitude for disc in discs],
        y=[disc.latitude for disc in discs],
        mode="markers+text",
        marker={"color": CONTRAST, "opacity": 0.62, "line": {"width": 0}, "size": [disc.size for disc in discs]},
        text=[disc.text for disc in discs],
        textposition=["top center" if disc.name else "middle center" for disc in discs],
        textfont={"size": 11, "color": INK},
        hoverinfo="text",
        hovertext=[literal(text) for text in told],
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
