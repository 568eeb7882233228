"""Plotly figures drawn by matplotlib: the same traces in the same colours, without a browser.

A chart is defined once, as a Plotly figure. This module knows the kinds of traces and settings that the charts of the
package use, and refuses any other, so that nothing is left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import Stroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator
from numpy.typing import NDArray

from forecast.plots.faces import Face, properties, settable
from forecast.plots.theme import GRID, INK, MUTED

Floats = NDArray[np.float64]

CLEAR = "rgba(0,0,0,0)"
_DAY = pd.Timedelta(days=1)
"""Dates are drawn in days since 1970, as matplotlib counts them."""
_DAY_MS = 86_400_000
DASHES: dict[str, Any] = {"solid": "solid", "dot": (0, (1, 2)), "dash": (0, (4, 3)), "4px,3px": (0, (3, 2))}
MARKS = {"circle": "o", "diamond": "D", "square": "s", "x-thin": "x", "line-ns": "|", "line-ew": "_"}
_SIDES = {
    "middle center": (0, 0, "center", "center"),
    "top center": (0, 1, "center", "bottom"),
    "bottom center": (0, -1, "center", "top"),
    "middle right": (1, 0, "left", "center"),
    "middle left": (-1, 0, "right", "center"),
}
_BOLD = re.compile(r"</?b>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def draw(axes: Axes, plot: go.Figure, scale: float, *, size: str = "wide") -> None:
    """Draw a figure that has one pair of axes.

    Parameters
    ----------
    axes : Axes
    plot : plotly Figure
        Of scatter and bar traces.
    scale : float
        Points on paper for a pixel of the page.
    size : {"wide", "narrow"}
        Which of the traces that are for one size of the page only are drawn.

    Raises
    ------
    ValueError
        For a trace of which this module does not know how it looks.
    """
    draw_content(axes, plot.to_plotly_json(), scale, size=size)


def draw_content(axes: Axes, content: Mapping[str, Any], scale: float, *, size: str = "wide") -> None:
    """Draw traces and layout as plain lists, numbers and strings; otherwise as `draw`."""
    layout: Mapping[str, Any] = content["layout"]
    behind = _second(axes, layout)
    dates = {"x": layout.get("xaxis", {}).get("type") == "date", "y": False}
    below: tuple[Floats, Floats] | None = None
    bases: dict[str, Floats] = {}
    for trace in content["data"]:
        if trace.get("meta") not in {None, size}:
            continue
        where = behind if trace.get("yaxis") == "y2" and behind is not None else axes
        if trace["type"] == "bar":
            _bar(where, trace, layout, bases)
        elif trace["type"] == "scatter":
            below = _scatter(where, trace, below, scale, dates=dates["x"])
        else:
            raise ValueError(f"a trace of type {trace['type']!r} cannot be drawn on paper")
    for line in layout.get("shapes", ()):
        _line(axes, line, scale)
    _axis(axes, "x", layout.get("xaxis", {}), scale)
    _axis(axes, "y", layout.get("yaxis", {}), scale)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_facecolor("none")


def _second(axes: Axes, layout: Mapping[str, Any]) -> Axes | None:
    """Return the axes of the bars that stand behind a curve, as Plotly's `overlaying` puts them."""
    settings = layout.get("yaxis2")
    if settings is None:
        return None
    if layout.get("yaxis", {}).get("overlaying") != "y2" or settings.get("visible", True):
        raise ValueError("a second axis can only be drawn on paper if it is hidden and behind the first")
    other = axes.twinx()
    other.set_ylim(*settings["range"])
    other.set_axis_off()
    other.set_zorder(axes.get_zorder() - 1)
    return other


def _scatter(
    axes: Axes, trace: Mapping[str, Any], below: tuple[Floats, Floats] | None, scale: float, *, dates: bool
) -> tuple[Floats, Floats]:
    mode = trace.get("mode", "lines")
    line, marker = trace.get("line") or {}, trace.get("marker") or {}
    x, y = numbers(trace.get("x"), dates=dates), _positions(axes, trace.get("y"))
    step = {"hv": "steps-post", "linear": "default"}[line.get("shape", "linear")]
    colour = trace.get("fillcolor")
    if trace.get("fill") == "toself":
        _area(axes, x, y, str(colour), line, scale, trace.get("opacity") or 1.0)
        return x, y
    if trace.get("fill") == "tonexty" and below is not None:
        axes.fill_between(x, below[1], y, step="post" if step == "steps-post" else None, color=colour, linewidth=0)
    elif trace.get("fill") not in {None, "tonexty"}:
        raise ValueError(f"a fill {trace['fill']!r} cannot be drawn on paper")
    if "lines" in mode and line.get("width", 2) > 0:
        dash = DASHES[line["dash"]] if line.get("dash") else "solid"
        weight = line.get("width", 2) * scale
        axes.plot(x, y, color=line.get("color", INK), linewidth=weight, linestyle=dash, drawstyle=step)
    if "markers" in mode and len(x) and marker.get("color") != CLEAR:
        edge = marker.get("line") or {}
        symbol = marker.get("symbol", "circle")
        across = marker.get("size", 6) * scale * (0.85 if symbol == "diamond" else 1.0)
        drawn = edge.get("color") or marker.get("color", INK)
        axes.plot(
            x,
            y,
            linestyle="none",
            marker=MARKS[symbol],
            markersize=across,
            color=drawn,
            markerfacecolor=marker.get("color", drawn),
            markeredgewidth=edge.get("width", 0) * scale,
            clip_on=False,
        )
    if "text" in mode:
        _names(axes, trace, x, y, scale)
    return x, y


def _area(axes: Axes, x: Floats, y: Floats, colour: str, line: Mapping[str, Any], scale: float, opacity: float) -> None:
    """Fill an outline of several rings with gaps between them; rings that run the other way are holes."""
    gap = np.isnan(x)
    starts = np.flatnonzero(np.concatenate([[True], gap[:-1]]))
    corners, codes = [], []
    for start in starts:
        ends = np.flatnonzero(gap[start:])
        stop = start + int(ends[0]) if len(ends) else len(x)
        if stop - start < 3:
            continue
        corners.append(np.column_stack([x[start:stop], y[start:stop]]))
        codes += [Outline.MOVETO, *[Outline.LINETO] * (stop - start - 2), Outline.CLOSEPOLY]
    if not corners:
        return
    axes.add_patch(
        PathPatch(
            Outline(np.concatenate(corners), codes),
            facecolor=colour,
            edgecolor=line.get("color", INK),
            linewidth=line.get("width", 1) * scale,
            alpha=opacity,
            joinstyle="round",
        )
    )


def _names(axes: Axes, trace: Mapping[str, Any], x: Floats, y: Floats, scale: float) -> None:
    font, marker = trace.get("textfont") or {}, trace.get("marker") or {}
    places = trace.get("textposition", "middle center")
    away = marker.get("size", 0) * scale / 2 + 1
    for at, written in enumerate(_list(trace.get("text"))):
        across, up, horizontal, vertical = _SIDES[places if isinstance(places, str) else places[at]]
        face: Face = "sans bold" if "<b>" in written else "sans"
        text, face = settable(plain_label(written), face)
        look: dict[str, Any] = {
            "xytext": (across * away, up * away),
            "textcoords": "offset points",
            "ha": horizontal,
            "va": vertical,
            "fontproperties": properties(face, font.get("size", 12) * scale),
            "annotation_clip": False,
            "parse_math": False,
        }
        if font.get("shadow"):  # the halo is an outline; the name itself stays text that can be searched
            halo = [Stroke(linewidth=1.8, foreground="white", alpha=0.75)]
            axes.annotate(text, (x[at], y[at]), **look, path_effects=halo, zorder=5)
        axes.annotate(text, (x[at], y[at]), **look, color=font.get("color", INK), zorder=6)


def _bar(axes: Axes, trace: Mapping[str, Any], layout: Mapping[str, Any], bases: dict[str, Floats]) -> None:
    colour = (trace.get("marker") or {}).get("color", INK)
    if trace.get("orientation") == "h":
        at, length = _positions(axes, trace["y"]), numbers(trace["x"], dates=False)
        start = np.zeros_like(length)
        if layout.get("barmode") == "relative":  # what is positive grows to the right, what is negative to the left
            for sign in ("+", "-"):
                mine = length >= 0 if sign == "+" else length < 0
                base = bases.setdefault(sign, np.zeros_like(length))
                start[mine] = base[mine]
                base[mine] += length[mine]
        axes.barh(at, length, height=1 - layout.get("bargap", 0.2), left=start, color=colour)
        return
    dates = layout.get("xaxis", {}).get("type") == "date"
    x, height = numbers(trace["x"], dates=dates), numbers(trace["y"], dates=False)
    wide = trace.get("width", 0.8) / (_DAY_MS if dates else 1)
    bottom = 0.0 if trace.get("base") is None else numbers(trace["base"], dates=False)
    if trace.get("offset") is None:
        axes.bar(x, height, width=wide, bottom=bottom, color=colour)
    else:
        axes.bar(x + trace["offset"] / (_DAY_MS if dates else 1), height, width=wide, color=colour, align="edge")


def _line(axes: Axes, shape: Mapping[str, Any], scale: float) -> None:
    """Draw a straight line of the layout; one that runs over the paper knows only its place on the other axis."""
    if shape.get("type") != "line":
        raise ValueError(f"a shape of type {shape.get('type')!r} cannot be drawn on paper")
    line = shape.get("line") or {}
    look: dict[str, Any] = {
        "color": line.get("color", MUTED),
        "linewidth": line.get("width", 1) * scale,
        "linestyle": DASHES[line["dash"]] if line.get("dash") else "solid",
        "zorder": 1.5,
    }
    if shape.get("yref") == "paper":
        axes.axvline(float(_one(axes, "x", shape["x0"])), shape["y0"], shape["y1"], **look)
    elif shape.get("xref") == "paper":
        axes.axhline(float(_one(axes, "y", shape["y0"])), shape["x0"], shape["x1"], **look)
    else:
        ends = [[_one(axes, name, shape[f"{name}{end}"]) for end in (0, 1)] for name in ("x", "y")]
        axes.plot(*ends, **look)


def _axis(axes: Axes, name: str, settings: Mapping[str, Any], scale: float) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    font = (settings.get("tickfont") or {}).get("size", 12) * scale
    _reach(axes, name, settings)
    if settings.get("showgrid", True):
        axis.grid(visible=True, color=settings.get("gridcolor", GRID), linewidth=0.6)
        axes.set_axisbelow(True)
    if settings.get("scaleratio"):
        axes.set_aspect(settings["scaleratio"])
    axis.set_minor_locator(NullLocator())
    _ticks(axes, name, settings)
    axis.set_tick_params(length=0, pad=2.5, labelcolor=(settings.get("tickfont") or {}).get("color", MUTED))
    if settings.get("showticklabels") is False:
        if settings.get("showgrid", True):
            axis.set_tick_params(labelbottom=False, labelleft=False)  # the lines of the grid stay
        else:
            axis.set_ticks([])
    for label in axis.get_ticklabels():
        label.set_fontproperties(properties("sans", font))
        label.set_parse_math(False)
    title = (settings.get("title") or {}).get("text")
    if title:
        face: Face = "sans"
        text, face = settable(plain_label(title), face)
        colour = (settings["title"].get("font") or {}).get("color", MUTED)
        axis.set_label_text(text, fontproperties=properties(face, font), color=colour)
        axis.labelpad = 3


def _reach(axes: Axes, name: str, settings: Mapping[str, Any]) -> None:
    low, high = settings.get("range", (None, None))
    if isinstance(low, str):
        low, high = numbers([low, high], dates=True)
    if low is None and settings.get("rangemode") == "tozero":
        low = 0
    if name == "x":
        axes.set_xlim(low, high)
    else:
        axes.set_ylim(low, high)
    if settings.get("autorange") == "reversed":
        axes.invert_yaxis()


def _ticks(axes: Axes, name: str, settings: Mapping[str, Any]) -> None:
    axis = axes.xaxis if name == "x" else axes.yaxis
    if settings.get("type") == "date":
        if settings.get("tickvals") is not None:
            axis.set_major_locator(FixedLocator(numbers(settings["tickvals"], dates=True).tolist()))
            axis.set_ticklabels([plain_label(text) for text in settings["ticktext"]])
            return
        locator: Any = mdates.AutoDateLocator  # it and `date2num` have no types
        axis.set_major_locator(locator(minticks=3, maxticks=settings.get("nticks", 7)))
        axis.set_major_formatter(FuncFormatter(lambda at, _: _day(at)))
    elif settings.get("type") == "category":
        return  # `_positions` has named them
    elif settings.get("tickvals") is not None:
        axis.set_major_locator(FixedLocator(list(settings["tickvals"])))
        if settings.get("ticktext") is not None:
            axis.set_ticklabels([plain_label(text) for text in settings["ticktext"]])
    elif settings.get("dtick") is not None:
        axis.set_major_locator(MultipleLocator(settings["dtick"]))
    elif settings.get("nticks") is not None:
        whole = settings.get("tickformat") == "d"
        axis.set_major_locator(MaxNLocator(nbins=settings["nticks"] - 1, integer=whole))


def _positions(axes: Axes, values: object) -> Floats:
    """Return numbers, or for names their places on the axis, which bears them from then on."""
    found = _list(values)
    if not found or not isinstance(found[0], str):
        return numbers(found, dates=False)
    at = np.arange(len(found), dtype=np.float64)
    axes.set_yticks(at, [settable(plain_label(name), "sans")[0] for name in found])
    return at


def numbers(values: object, *, dates: bool) -> Floats:
    """Return the values of a trace; dates as days since 1970."""
    found = _list(values)
    if dates:
        since = pd.to_datetime(pd.Series(found), format="ISO8601") - pd.Timestamp(0)
        return np.asarray(since / _DAY, dtype=np.float64)
    return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


def _one(axes: Axes, name: str, value: Any) -> float:
    return float(numbers([value], dates=isinstance(value, str) and name == "x")[0])


def _list(values: object) -> list[Any]:
    if values is None:
        return []
    return list(values) if isinstance(values, (Sequence, np.ndarray)) else [values]


def plain_label(text: str) -> str:
    """Return the letters of a label of Plotly, which reads some tags and entities."""
    shown = _BOLD.sub("", str(text)).replace("<br>", "\n")
    for entity, letter in _ENTITIES.items():
        shown = shown.replace(entity, letter)
    return shown


def _day(at: float) -> str:
    stamp = pd.Timestamp(0) + at * _DAY
    return f"{stamp.day} {stamp.month_name()[:3]}"
