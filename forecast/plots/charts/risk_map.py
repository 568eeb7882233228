"""The risk map: regions in the colour of their probability, drawn from their own outlines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from shapely import simplify
from shapely.geometry import shape

from forecast.errors import InputError
from forecast.language import say
from forecast.plots.chart import Backend, Chart, Theme, chart, shown
from forecast.plots.classes import CLASS_EDGES, probability_class
from forecast.plots.columns import Kind, once, only, tidy
from forecast.plots.figures import DASH, percent, percent_sign
from forecast.plots.key import NARROW, swatches
from forecast.plots.labels import Label, Sheet, arrange
from forecast.plots.names import called, short_labels
from forecast.plots.outlines import country_outlines, drawn_rings, extent, spots_inside
from forecast.plots.theme import BORDER, INK, LAND, MUTED, RISK_LIGHT, literal

_WIDE, _NARROW = 560, 420
"""Pixels across of the drawing, and those for which names are placed, so that they have room on a telephone."""
_LETTER = 6.2
_DETAIL = 1 / 1500
"""Outlines are thinned to this share of the map's width: finer than a pixel."""
_NAMED = 12
"""The most regions, from the highest probability down, whose names are tried."""


@dataclass(frozen=True, eq=False)
class RiskMap:
    """What a risk map shows.

    Parameters
    ----------
    regions : DataFrame
        unit, probability (NaN where there is none), kind (class of the probability, -1 without one); every unit that
        has an outline.
    outlines : mapping of unit to shapely geometry
        Longitude and latitude in degrees.
    """

    regions: pd.DataFrame
    outlines: Mapping[str, Any]


def risk_map(
    frame: pd.DataFrame,
    shapes: Mapping[str, Mapping[str, Any]],
    *,
    escalation: str | None = None,
    model: str | None = None,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    r"""Return a map of the probability of one escalation.

    Colours are those of the classes of the plain-language scale (`forecast.plots.classes`); the whole percent decides.

    Parameters
    ----------
    frame : DataFrame
        unit, probability (may be missing: the region stays grey). Optionally escalation and model, as in ``risk.csv``.
        Units without an outline, such as places, are not shown.
    shapes : mapping of unit to GeoJSON geometry
        Polygons in degrees (WGS 84). A unit without a row stays grey.
    escalation, model : str, optional
        Which one, if the frame has several.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, probabilities outside of [0, 1], or no unit that has an outline.

    Examples
    --------
    >>> square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    >>> frame = pd.DataFrame({"unit": ["Mali/Gao"], "probability": [0.62]})
    >>> risk_map(frame, {"Mali/Gao": square}).data[0].text
    'Gao (Mali): 62\xa0%'
    """
    data = risk_map_data(frame, shapes, escalation=escalation, model=model)
    west, south, east, north = extent([outline.bounds for outline in data.outlines.values()])
    shrink = float(np.cos(np.radians((south + north) / 2)))
    pad = 0.02 * (east - west)
    aspect = (east - west + 2 * pad) / (north - south + 2 * pad) * shrink
    sheet = Sheet(west - pad, south - pad, east + pad, north + pad, _NARROW, _NARROW / aspect)
    plain: dict[str, Any] = {"showgrid": False, "showticklabels": False, "ticks": "", "constrain": "domain"}
    across: dict[str, Any] = {"range": [sheet.west, sheet.east], "constraintoward": "left"}
    up: dict[str, Any] = {"range": [sheet.south, sheet.north], "constraintoward": "top", "scaleanchor": "x"}
    plot = chart(
        [*_areas(data), *_borders(data, (east - west) * _DETAIL), *_names(data, sheet), *_keys(data)],
        title=title or say("Probability by region"),
        height=round(_WIDE / aspect),
        x={**plain, **across},
        y={**plain, **up, "scaleratio": round(1 / shrink, 4)},
        key=True,
        margin={"l": 12, "r": 12, "b": 12},
    )
    plot.update_layout(legend={"entrywidth": NARROW, "font": {"size": 11}})
    return shown(plot, backend, theme, width=_WIDE + 24)


def risk_map_data(
    frame: pd.DataFrame,
    shapes: Mapping[str, Mapping[str, Any]],
    *,
    escalation: str | None = None,
    model: str | None = None,
) -> RiskMap:
    """Return what a risk map shows; parameters and errors as of `risk_map`."""
    what = "probabilities"
    columns: dict[str, Kind] = {"unit": "name", "probability": "known share"}
    asked: dict[str, Kind] = {name: "name" for name, chosen in (("escalation", escalation), ("model", model)) if chosen}
    rows = tidy(frame, {**columns, **asked}, {"escalation": "name", "model": "name"}, what=what)
    for column, chosen in (("escalation", escalation), ("model", model)):
        if column in rows:
            rows = only(rows, column, chosen, what=what)
    once(rows, "unit", what=what)
    outlines = {name: shape(dict(geometry)) for name, geometry in shapes.items()}
    chances = rows.set_index("unit")["probability"].reindex(list(outlines))
    if not rows["unit"].isin(list(outlines)).any():
        raise InputError(
            f"none of the units has an outline, such as {rows['unit'].iloc[0]!r}",
            where=f"the frame of {what}",
            expected=f"names of the shapes, such as {next(iter(outlines), '')!r}",
        )
    kinds = [-1 if np.isnan(chance) else probability_class(chance) for chance in chances]
    return RiskMap(pd.DataFrame({"unit": chances.index, "probability": chances.to_numpy(), "kind": kinds}), outlines)


def _areas(data: RiskMap) -> list[Any]:
    bounds = extent([outline.bounds for outline in data.outlines.values()])
    traces = []
    for row in data.regions.to_dict("records"):
        x, y = drawn_rings(
            simplify(data.outlines[row["unit"]], (bounds[2] - bounds[0]) * _DETAIL, preserve_topology=True)
        )
        name = called(row["unit"])
        told = name if row["kind"] < 0 else say("{name}: {chance}", name=name, chance=percent(row["probability"]))
        traces.append(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                fill="toself",
                fillcolor=LAND if row["kind"] < 0 else RISK_LIGHT[row["kind"]],
                line={"color": BORDER, "width": 0.8},
                hoveron="fills",
                hoverinfo="text",
                text=literal(told),
                name=literal(row["unit"]),
                showlegend=False,
            )
        )
    return traces


def _borders(data: RiskMap, detail: float) -> list[Any]:
    group = {name: name.partition("/")[0] if "/" in name else "" for name in data.outlines}
    line = {"color": MUTED, "width": 1.8}
    borders = [drawn_rings(outline) for outline in country_outlines(data.outlines, group, detail).values()]
    return [go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False) for x, y in borders]


def _names(data: RiskMap, sheet: Sheet) -> list[Any]:
    """Return the names that fit into their regions, the most threatened regions first."""
    stated = data.regions[data.regions["kind"] >= 0].sort_values(["probability", "unit"], ascending=[False, True])
    chosen = stated.head(_NAMED)
    short = short_labels(list(data.regions["unit"]))
    labels = []
    for unit in chosen["unit"]:
        label = Label("region", short[unit], _LETTER, ())
        reach = _LETTER * len(label.text) / 2 / sheet.width * (sheet.east - sheet.west)
        outline = data.outlines[unit]
        labels.append(Label("region", short[unit], _LETTER, spots_inside(outline, reach)))
    placed = [
        (label, spot, kind)
        for label, spot, kind in zip(labels, arrange(labels, sheet), chosen["kind"], strict=True)
        if spot
    ]
    # Dark letters on light areas, and the other way round.
    return [
        go.Scatter(
            x=[spot.longitude for _, spot, kind in placed if (kind >= _DARK_FROM) == dark],
            y=[spot.latitude for _, spot, kind in placed if (kind >= _DARK_FROM) == dark],
            mode="text",
            text=[literal(label.text) for label, _, kind in placed if (kind >= _DARK_FROM) == dark],
            textfont={"size": 11, "color": BORDER if dark else INK},
            hoverinfo="skip",
            showlegend=False,
        )
        for dark in (False, True)
    ]


_DARK_FROM = 5
"""From this class of probability on, areas are too dark for dark letters."""


def _keys(data: RiskMap) -> list[Any]:
    edges = [f"{100 * low:.0f}{DASH}{100 * high:.0f}" for low, high in pairwise(CLASS_EDGES)]
    named = [(percent_sign(edge), colour) for edge, colour in zip(edges, RISK_LIGHT, strict=True)]
    if (data.regions["kind"] < 0).any():
        named.append((say("no forecast"), LAND))
    return swatches(named)
