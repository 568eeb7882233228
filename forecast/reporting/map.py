"""The risk map: the workspace's own polygons as plain traces, so that no tiles or outlines are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, simplify
from shapely.geometry import shape
from shapely.geometry.polygon import orient

from forecast.panel.units import EARTH_RADIUS_KM, Units
from forecast.reporting.figure import literal
from forecast.reporting.scale import plain_word
from forecast.reporting.theme import BORDER, INK, LAND, RISK_LIGHT, figure, risk_class
from forecast.reporting.words import percent, short_title, titles

HEIGHT = 540
_DETAIL = 1 / 1500
"""Outlines are thinned to this share of the map's width: finer than a pixel."""


def circle(latitude: float, longitude: float, radius_km: float, corners: int = 72) -> NDArray[np.float64]:
    """Return the points at a great-circle distance from a centre, closed, shape (corners + 1, 2) as lon, lat.

    Examples
    --------
    >>> ring = circle(12.65, -8.0, 100)
    >>> ring.shape, ring[0].round(3).tolist()
    ((73, 2), [-8.0, 13.549])
    """
    bearing = np.linspace(0, 2 * np.pi, corners + 1)
    phi, arc = np.radians(latitude), radius_km / EARTH_RADIUS_KM
    sine = np.sin(phi) * np.cos(arc) + np.cos(phi) * np.sin(arc) * np.cos(bearing)
    turn = np.arctan2(np.sin(bearing) * np.sin(arc) * np.cos(phi), np.cos(arc) - np.sin(phi) * sine)
    return np.column_stack([longitude + np.degrees(turn), np.degrees(np.arcsin(sine))])


def map_aspect(plot: go.Figure) -> float:
    """Return width over height of what a risk map shows."""
    (west, east), (south, north) = plot.layout.xaxis.range, plot.layout.yaxis.range
    return round(float((east - west) / (north - south) / plot.layout.yaxis.scaleratio), 3)


def risk_map(
    polygons: Mapping[str, Mapping[str, Any]],
    regions: Units,
    probability: Mapping[str, float],
    *,
    places: Units | None = None,
    place_probability: Mapping[str, float] | None = None,
    labelled: Sequence[str] = (),
) -> go.Figure:
    """Return the map of the probability of one escalation.

    Parameters
    ----------
    polygons : mapping of region name to GeoJSON geometry
    regions : Units
        Only polygons of these are drawn; one without a probability stays grey.
    probability : mapping of region name to float
    places : Units, optional
        Drawn as rings of their radius.
    place_probability : mapping of place name to float, optional
    labelled : sequence of str
        Regions whose names stand on the map.
    """
    geometries = {name: shape(dict(polygons[name])) for name in regions.names if name in polygons}
    west, south, east, north = _extent([geometry.bounds for geometry in geometries.values()])
    names, group = titles(regions), dict(zip(regions.names, regions.groups, strict=True))
    traces: list[Any] = []
    for name, geometry in geometries.items():
        x, y = _outline(simplify(geometry, (east - west) * _DETAIL, preserve_topology=True))
        chance = probability.get(name, float("nan"))
        known = np.isfinite(chance)
        traces.append(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                fill="toself",
                fillcolor=RISK_LIGHT[risk_class(chance)] if known else LAND,
                line={"color": BORDER, "width": 0.8},
                hoveron="fills",
                hoverinfo="text",
                name=literal(name),
                text=literal(f"{names[name]}: {percent(chance)}, {plain_word(chance)}" if known else names[name]),
            )
        )
    traces += _rings(places, place_probability or {}) if places is not None else []
    spots = {name: geometries[name].representative_point() for name in labelled if name in geometries}
    labels = {name: short_title(name, group[name]) for name in spots}
    shown = _without_overlap({name: (spots[name].x, spots[name].y, len(labels[name])) for name in spots}, east - west)
    traces.append(
        go.Scatter(
            x=[round(spots[name].x, 3) for name in shown],
            y=[round(spots[name].y, 3) for name in shown],
            mode="text",
            text=[f"<b>{literal(labels[name])}</b>" for name in shown],
            cliponaxis=False,
            textfont={"size": 12, "color": INK, "shadow": "auto"},
            hoverinfo="skip",
        )
    )
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    shrink = float(np.cos(np.radians((south + north) / 2)))
    plain = {"showgrid": False, "showticklabels": False, "ticks": "", "automargin": False}
    pad = 0.02 * (east - west)
    return figure(
        traces,
        height=HEIGHT,
        x={**plain, "range": [west - pad, east + pad], "constrain": "domain"},
        y={
            **plain,
            "range": [south - pad, north + pad],
            "scaleanchor": "x",
            "scaleratio": round(1 / shrink, 4),
            "constrain": "domain",
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
    )


def _without_overlap(labels: Mapping[str, tuple[float, float, int]], width: float) -> list[str]:
    """Return the labels (longitude, latitude, letters) that have room beside those before them on a narrow map."""
    letter, line = width / 70, width / 22
    shown: list[str] = []
    for name, (x, y, letters) in labels.items():
        others = (labels[other] for other in shown)
        if all(abs(x - a) > letter * (letters + n) / 2 or abs(y - b) > line for a, b, n in others):
            shown.append(name)
    return shown


def _extent(bounds: list[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    box = np.asarray(bounds)
    low, high = box[:, :2].min(axis=0), box[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _outline(geometry: Any) -> tuple[list[Any], list[Any]]:
    """Return all rings one after another with gaps between; holes run against their shells, so they stay open."""
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else [geometry]
    x: list[Any] = []
    y: list[Any] = []
    for part in parts:
        if not isinstance(part, Polygon) or part.is_empty:
            continue
        turned = orient(part)
        for ring in (turned.exterior, *turned.interiors):
            corners = np.asarray(ring.coords)[:, :2].round(3)
            x += [*([None] if x else []), *corners[:, 0].tolist()]
            y += [*([None] if y else []), *corners[:, 1].tolist()]
    return x, y


def _rings(places: Units, probability: Mapping[str, float]) -> list[Any]:
    names = titles(places)
    traces: list[Any] = []
    for at, name in enumerate(places.names):
        latitude, longitude, radius = places.latitude[at], places.longitude[at], places.radius_km[at]
        if not np.isfinite([latitude, longitude, radius]).all():
            continue
        ring = circle(latitude, longitude, radius).round(3)
        chance = probability.get(name, float("nan"))
        hover = literal(f"{names[name]}: {percent(chance)}, {plain_word(chance)}")
        traces += [
            go.Scatter(
                x=ring[:, 0].tolist(),
                y=ring[:, 1].tolist(),
                mode="lines",
                line={"color": INK, "width": 1.6, "dash": "4px,3px"},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=[round(float(longitude), 3)],
                y=[round(float(latitude), 3)],
                mode="markers+text",
                marker={"color": INK, "size": 6},
                text=[literal(name.removesuffix(f" {radius:g} km"))],
                textposition="bottom center",
                textfont={"size": 12, "color": INK, "shadow": "auto"},
                hovertext=[hover],
                hoverinfo="text",
            ),
        ]
    return traces
