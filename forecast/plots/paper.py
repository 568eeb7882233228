"""A whole chart by matplotlib: title, panels, notes and key where Plotly puts them, without pyplot or a browser."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from forecast.plots.faces import Face, properties, settable, width
from forecast.plots.key import KEY_ROW, key_rows
from forecast.plots.plotted import CLEAR, DASHES, MARKS, draw_content, numbers, plain_label

POINT = 0.75
"""Points on paper for a pixel of the page."""
_DOTS_PER_INCH = 144
_PIXELS_PER_INCH = 96
_PAD, _SWATCH, _GAP = 12.0, 22.0, 16.0
"""Pixels: around everything, a swatch with its space, between entries."""
_OF_AXES = {True: "axes fraction", False: "data"}
_HORIZONTAL = {"left": "left", "center": "center", "right": "right"}
_VERTICAL = {"top": "top", "middle": "center", "bottom": "bottom"}


def on_paper(plot: go.Figure, across: int) -> Figure:
    """Return a figure of `forecast.plots.chart.chart` as one of matplotlib.

    Parameters
    ----------
    plot : plotly Figure
    across : int
        Width in pixels of 1/96 inch; the height is that of the Plotly figure, and more where the key takes more rows.

    Returns
    -------
    Figure
        With a canvas of its own: `savefig` works, and nothing has to be closed.
    """
    content = plot.to_plotly_json()
    layout: Mapping[str, Any] = content["layout"]
    entries = _key(content) if layout.get("showlegend") else []
    rows = _rows(entries, across)
    edges = {side: float(layout["margin"][side]) for side in "lrtb"}
    more = KEY_ROW * (len(rows) - key_rows(plot.data)) if rows else 0
    edges["b"] += more
    high = float(layout["height"]) + more
    figure = Figure(figsize=(across / _PIXELS_PER_INCH, high / _PIXELS_PER_INCH), dpi=_DOTS_PER_INCH)
    figure.set_facecolor(layout.get("paper_bgcolor", "white"))
    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    renderer = canvas.get_renderer()
    panels = [(_panel(content, pair), figure.add_axes((0, 0, 1, 1))) for pair in _pairs(content)]
    for panel, axes in panels:
        _place(axes, panel["layout"], edges, across, high)
        _draw(axes, panel)
    # As Plotly does, make room for labels of axes that are longer than the margin.
    boxes = [box for _, axes in panels if (box := axes.get_tightbbox(renderer)) is not None]
    pixel = _DOTS_PER_INCH / _PIXELS_PER_INCH
    edges["l"] += max([0.0, *(_PAD - box.x0 / pixel for box in boxes)])
    edges["r"] += max([0.0, *(box.x1 / pixel - across + 4 for box in boxes)])
    for panel, axes in panels:
        _place(axes, panel["layout"], edges, across, high)
    _title(figure, layout, across, high)
    for row, line in enumerate(reversed(rows)):
        _set_row(figure, line, (_PAD, high - _PAD - KEY_ROW * (row + 0.5)), layout)
    return figure


def _pairs(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names of the axes of each panel, as traces write them."""
    layout = content["layout"]
    return [
        (str(settings.get("anchor", "x")), name.replace("axis", ""))
        for name, settings in layout.items()
        if name.startswith("yaxis")
    ]


def _panel(content: Mapping[str, Any], pair: tuple[str, str]) -> dict[str, Any]:
    """Return what belongs to one pair of axes, as if it were the only one."""
    layout, (x, y) = content["layout"], pair

    def mine(item: Mapping[str, Any], sides: tuple[str, str]) -> bool:
        named = (item.get(sides[0]) or "x", item.get(sides[1]) or "y")
        return all(
            name == "paper" or name.split(" ")[0] == own for name, own in zip(named, pair, strict=True)
        ) and named != ("paper", "paper")

    def alone(item: Mapping[str, Any]) -> dict[str, Any]:
        refs = {
            side: "paper" if str(item.get(side) or "").endswith(("domain", "paper")) else side[0]
            for side in ("xref", "yref")
        }
        return {**item, **refs}

    return {
        "data": [trace for trace in content["data"] if mine(trace, ("xaxis", "yaxis"))],
        "layout": {
            "xaxis": layout.get(x.replace("x", "xaxis"), {}),
            "yaxis": layout[y.replace("y", "yaxis")],
            "bargap": layout.get("bargap", 0.2),
            "barmode": layout.get("barmode"),
            "shapes": [alone(shape) for shape in layout.get("shapes", ()) if mine(shape, ("xref", "yref"))],
            "annotations": [alone(note) for note in layout.get("annotations", ()) if mine(note, ("xref", "yref"))],
            "paper_bgcolor": layout.get("paper_bgcolor", "white"),
        },
    }


def _place(axes: Axes, layout: Mapping[str, Any], edges: Mapping[str, float], across: float, high: float) -> None:
    """Put a panel on its share of what the margins leave."""
    (west, east), (south, north) = (layout[axis].get("domain") or (0.0, 1.0) for axis in ("xaxis", "yaxis"))
    wide, tall = across - edges["l"] - edges["r"], high - edges["t"] - edges["b"]
    axes.set_position(
        (
            (edges["l"] + west * wide) / across,
            (edges["b"] + south * tall) / high,
            (east - west) * wide / across,
            (north - south) * tall / high,
        )
    )


def _draw(axes: Axes, panel: dict[str, Any]) -> None:
    layout = panel["layout"]
    dates = layout["xaxis"].get("type") == "date"
    for trace in (trace for trace in panel["data"] if trace["type"] == "heatmap"):
        _cells(axes, trace, dates=dates)
    panel["data"] = [trace for trace in panel["data"] if trace["type"] != "heatmap"]
    draw_content(axes, panel, POINT)
    axes.tick_params(axis="x", pad=4.5)
    for note in layout["annotations"]:
        _note(axes, note, dates=dates)


def _cells(axes: Axes, trace: Mapping[str, Any], *, dates: bool) -> None:
    """Fill the cells of classes, each in its colour, with gaps between; one without a class stays empty."""
    x, y = numbers(trace["x"], dates=dates), numbers(trace["y"], dates=False)
    half = [np.diff(at).min(initial=7.0 if dates else 1.0) / 2 for at in (x, y)]
    # The colours of classes change in steps, so that the first of each pair of stops is the colour of a class.
    colours = [colour for (start, colour), (end, _) in pairwise(trace["colorscale"]) if end > start]
    corners, filled = [], []
    gap_x, gap_y = 0.94 * half[0], 0.90 * half[1]
    for at_y, row in zip(y, trace["z"], strict=True):
        for at_x, value in zip(x, row, strict=True):
            if value is not None:
                west, east, south, north = at_x - gap_x, at_x + gap_x, at_y - gap_y, at_y + gap_y
                corners.append([(west, south), (east, south), (east, north), (west, north)])
                filled.append(colours[int(value)])
    axes.add_collection(PolyCollection(corners, facecolors=filled, linewidths=0))


def _note(axes: Axes, note: Mapping[str, Any], *, dates: bool) -> None:
    """Set a text at a point of the panel."""
    across, up = note.get("xanchor", "center"), note.get("yanchor", "middle")
    font = note.get("font") or {}
    face: Face = "sans bold" if "<b>" in note["text"] else "sans"
    at_x = numbers([note["x"]], dates=dates and note["xref"] != "paper")[0]
    text, face = settable(plain_label(note["text"]), face)
    axes.annotate(
        text,
        (at_x, note["y"]),
        xycoords=(_OF_AXES[note["xref"] == "paper"], _OF_AXES[note["yref"] == "paper"]),
        xytext=(note.get("xshift", 0) * POINT, note.get("yshift", 0) * POINT),
        textcoords="offset points",
        ha=_HORIZONTAL[across],
        va=_VERTICAL[up],
        fontproperties=properties(face, font.get("size", 12) * POINT),
        color=font.get("color", "black"),
        annotation_clip=False,
        parse_math=False,
        zorder=6,
    )


def _title(figure: Figure, layout: Mapping[str, Any], across: float, high: float) -> None:
    title = layout["title"]
    y = _PAD
    for part, step in ((title, 20.0), (title.get("subtitle") or {}, 16.0)):
        for line in plain_label(part.get("text") or "").split("\n"):
            if line:
                text, own = settable(line, "sans bold" if part is title else "sans")
                figure.text(
                    _PAD / across,
                    1 - (y + 0.72 * step) / high,
                    text,
                    fontproperties=properties(own, part["font"]["size"] * POINT),
                    color=part["font"]["color"],
                    va="baseline",
                    parse_math=False,
                )
                y += step
        y += 3


def _key(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the name and the trace of each entry of the key."""
    return [(plain_label(trace["name"]), trace) for trace in content["data"] if trace.get("showlegend")]


def _rows(entries: list[tuple[str, Mapping[str, Any]]], across: float) -> list[list[tuple[str, Mapping[str, Any]]]]:
    """Return the entries in rows that fit."""
    rows: list[list[tuple[str, Mapping[str, Any]]]] = []
    left = 0.0
    for name, trace in entries:
        need = _SWATCH + width(settable(name, "sans")[0], "sans", 12) + _GAP
        if not rows or need > left:
            rows.append([])
            left = across - 2 * _PAD + _GAP
        rows[-1].append((name, trace))
        left -= need
    return rows


def _set_row(
    figure: Figure, row: list[tuple[str, Mapping[str, Any]]], start: tuple[float, float], layout: Mapping[str, Any]
) -> None:
    across, high = (length * _PIXELS_PER_INCH for length in figure.get_size_inches())
    x, y = start
    for name, trace in row:
        line, marker, mode = trace.get("line") or {}, trace.get("marker") or {}, trace.get("mode", "")
        at = 1 - y / high
        if trace["type"] == "bar" or trace.get("fillcolor"):
            size = (12 / across, 12 / high)
            colour = trace.get("fillcolor") or marker["color"]
            corner = (x / across, at - size[1] / 2)
            figure.add_artist(Rectangle(corner, *size, facecolor=colour, linewidth=0, transform=figure.transFigure))
        else:
            points = ([x / across, (x + 16) / across], [at, at]) if "lines" in mode else ([(x + 7) / across], [at])
            edge = marker.get("line") or {}
            shown = "markers" in mode and marker.get("color") != CLEAR
            figure.add_artist(
                Line2D(
                    *points,
                    color=line.get("color", "none") if "lines" in mode else "none",
                    linewidth=line.get("width", 2) * POINT if "lines" in mode else 0,
                    linestyle=DASHES[line["dash"]] if line.get("dash") in DASHES else "solid",
                    marker=MARKS[marker.get("symbol", "circle")] if shown else "none",
                    markersize=min(marker.get("size", 6), 12) * POINT,
                    markerfacecolor=marker.get("color", "none"),
                    markeredgecolor=edge.get("color") or marker.get("color", "none"),
                    markeredgewidth=edge.get("width", 0) * POINT,
                )
            )
        text, face = settable(name, "sans")
        figure.text(
            (x + _SWATCH) / across,
            at,
            text,
            fontproperties=properties(face, 12 * POINT),
            color=layout["legend"]["font"]["color"],
            va="center_baseline",
            parse_math=False,
        )
        x += _SWATCH + width(text, face, 12) + _GAP
