"""Maps of regions: the workspace's own polygons as plain traces, so that no tiles or outlines are fetched."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from shapely import simplify, union_all
from shapely.geometry import shape

from forecast.language import say
from forecast.panel.units import EARTH_RADIUS_KM, Units
from forecast.plots.classes import probability_class
from forecast.plots.labels import Label, Position, Sheet, Spot, arrange
from forecast.plots.outlines import country_outlines, drawn_rings, extent, spots_inside
from forecast.plots.theme import BORDER, INK, LAND, MUTED, RISK_LIGHT, figure, literal
from forecast.reporting.scale import plain_word
from forecast.reporting.words import percent, short_title, titles

HEIGHT = 540
_DETAIL = 1 / 1500
"""Outlines are thinned to this share of the map's width: finer than a pixel."""
SIZES = {"wide": 600.0, "narrow": 320.0}
"""Pixels across for which names are placed; the page shows those of a narrow map up to the first of them."""

SINGLY = 400
"""Of more regions than this only as many are drawn for themselves; the others together, one shape a colour."""

_SIDES: tuple[Position, ...] = ("bottom center", "top center", "middle right", "middle left")
_STYLES = {"region": (7.8, INK, "<b>{}</b>"), "place": (7.6, INK, "{}"), "country": (7.0, MUTED, "{}")}
"""Pixels of a letter, colour and setting of each kind of name; the first kinds go first."""


@dataclass(frozen=True)
class Fill:
    """Colour of a region, what is told of it, and how faint it is."""

    colour: str
    text: str
    opacity: float = 1.0


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
    names = titles(regions)
    fills = {}
    for name in regions.names:
        chance = probability.get(name, float("nan"))
        if np.isfinite(chance):
            text = _chance(names[name], chance)
            fills[name] = Fill(RISK_LIGHT[probability_class(chance)], text)
    rings = _rings(places, place_probability or {}) if places is not None else []
    highest = sorted(fills, key=lambda name: -probability[name])
    return region_map(polygons, regions, fills, places=places, rings=rings, labelled=labelled, first=highest)


def region_map(
    polygons: Mapping[str, Mapping[str, Any]],
    regions: Units,
    fills: Mapping[str, Fill],
    *,
    places: Units | None = None,
    rings: Sequence[Any] = (),
    labelled: Sequence[str] = (),
    first: Sequence[str] = (),
) -> go.Figure:
    """Return a map of regions, each in a colour of its own.

    Of more than `SINGLY` regions those beyond the first ones are drawn without text, one shape a colour.

    Parameters
    ----------
    polygons : mapping of region name to GeoJSON geometry
    regions : Units
        Only polygons of these are drawn; at least one.
    fills : mapping of region name to Fill
        A region without one stays grey.
    places : Units, optional
        Whose names stand on the map.
    rings : sequence of traces
        Drawn above the regions.
    labelled : sequence of str
        Regions whose names stand on the map where there is room, the first ones first.
    first : sequence of str
        Regions that are drawn for themselves before others.
    """
    geometries = {name: shape(dict(polygons[name])) for name in regions.names if name in polygons}
    west, south, east, north = extent([geometry.bounds for geometry in geometries.values()])
    names, group = titles(regions), dict(zip(regions.names, regions.groups, strict=True))
    single = set(geometries) if len(geometries) <= SINGLY else {*first[:SINGLY]}
    traces: list[Any] = _together(
        {name: geometry for name, geometry in geometries.items() if name not in single}, fills
    )
    for name, geometry in ((name, geometries[name]) for name in geometries if name in single):
        x, y = drawn_rings(simplify(geometry, (east - west) * _DETAIL, preserve_topology=True))
        fill = fills.get(name, Fill(LAND, names[name]))
        traces.append(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                fill="toself",
                fillcolor=fill.colour,
                line={"color": BORDER, "width": 0.8},
                hoveron="fills",
                hoverinfo="text",
                name=literal(name),
                text=literal(fill.text),
                opacity=fill.opacity if fill.opacity < 1 else None,
            )
        )
    countries = country_outlines(geometries, group, (east - west) * _DETAIL)
    for outline in countries.values():
        x, y = drawn_rings(outline)
        line = {"color": MUTED, "width": 1.8}
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip"))
    traces += rings
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    shrink = float(np.cos(np.radians((south + north) / 2)))
    plain = {"showgrid": False, "showticklabels": False, "ticks": "", "automargin": False}
    pad = 0.02 * (east - west)
    for size, width in SIZES.items():
        height = width * (north - south + 2 * pad) / (east - west + 2 * pad) / shrink
        sheet = Sheet(west - pad, south - pad, east + pad, north + pad, width, height)
        chosen = {name: geometries[name] for name in labelled if name in geometries} if size == "wide" else {}
        traces += _names(size, sheet, chosen, group, places, countries)
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


def _together(geometries: Mapping[str, Any], fills: Mapping[str, Fill]) -> list[Any]:
    """Return regions as one shape for each colour, in the order in which colours first occur."""
    same: dict[tuple[str, float], list[Any]] = {}
    for name, geometry in geometries.items():
        fill = fills.get(name, Fill(LAND, ""))
        same.setdefault((fill.colour, fill.opacity), []).append(geometry)
    traces = []
    for (colour, opacity), of in same.items():
        x, y = drawn_rings(union_all(of))
        traces.append(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                fill="toself",
                fillcolor=colour,
                line={"color": BORDER, "width": 0.8},
                hoverinfo="skip",
                opacity=opacity if opacity < 1 else None,
            )
        )
    return traces


def _names(
    size: str,
    sheet: Sheet,
    chosen: Mapping[str, Any],
    group: Mapping[str, str],
    places: Units | None,
    countries: Mapping[str, Any],
) -> list[Any]:
    """Return the names of regions, places and countries that have room, in this order, for one size of the page.

    A place that is named like a region beside it goes without a name of its own.
    """
    shown = [
        _label("region", short_title(name, group[name]), spots_inside(geometry)) for name, geometry in chosen.items()
    ]
    towns = {} if places is None else _towns(places)
    dots = list(towns.values())
    named = {_plain(label.text) for label, spot in zip(shown, arrange(shown, sheet, dots), strict=True) if spot}
    for town, dot in towns.items():
        if _plain(town) not in named:
            shown.append(_label("place", town, tuple(Spot(*dot, side) for side in _SIDES)))
    for country, geometry in countries.items():
        label = _label("country", country.upper(), ())
        reach = label.letter * len(label.text) / 2 / sheet.width * (sheet.east - sheet.west)
        shown.append(replace(label, spots=spots_inside(geometry, reach)))
    placed = [(label, spot) for label, spot in zip(shown, arrange(shown, sheet, dots), strict=True) if spot]
    return [
        go.Scatter(
            x=[spot.longitude for label, spot in placed if label.kind == kind],
            y=[spot.latitude for label, spot in placed if label.kind == kind],
            # The marker that nobody sees keeps the name off the town's dot.
            mode="markers+text" if kind == "place" else "text",
            marker={"color": "rgba(0,0,0,0)", "size": 9},
            text=[pattern.format(literal(label.text)) for label, _ in placed if label.kind == kind],
            textposition=[spot.position for label, spot in placed if label.kind == kind],
            textfont={"size": 11 if kind == "country" else 12, "color": colour, "shadow": "auto"},
            cliponaxis=False,
            hoverinfo="skip",
            meta=size,
        )
        for kind, (_, colour, pattern) in _STYLES.items()
    ]


def _label(kind: str, text: str, spots: tuple[Spot, ...]) -> Label:
    return Label(kind, text, _STYLES[kind][0], spots)


def _towns(places: Units) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of the towns; circles of several sizes share theirs."""
    found = {}
    for name, longitude, latitude, radius in zip(
        places.names, places.longitude, places.latitude, places.radius_km, strict=True
    ):
        if np.isfinite([longitude, latitude]).all():
            town = name.removesuffix(f" {radius:g} km")
            found[town] = (round(float(longitude), 3), round(float(latitude), 3))
    return found


def _plain(name: str) -> str:
    """Return a name without case and accents."""
    letters = unicodedata.normalize("NFD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _chance(name: str, chance: float) -> str:
    return say("{name}: {chance}, {word}", name=name, chance=percent(chance), word=plain_word(chance))


def _rings(places: Units, probability: Mapping[str, float]) -> list[Any]:
    names = titles(places)
    traces: list[Any] = []
    for at, name in enumerate(places.names):
        latitude, longitude, radius = places.latitude[at], places.longitude[at], places.radius_km[at]
        if not np.isfinite([latitude, longitude, radius]).all():
            continue
        ring = circle(latitude, longitude, radius).round(3)
        chance = probability.get(name, float("nan"))
        hover = literal(_chance(names[name], chance))
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
                mode="markers",
                marker={"color": INK, "size": 6},
                hovertext=[hover],
                hoverinfo="text",
            ),
        ]
    return traces
