"""Colours and the common layout of all figures.

A figure carries the colours of the light page. On a dark page the script replaces each one with its counterpart in
`DARK`, so that a figure is one plain Plotly figure and still readable on both. All of them keep their order of
lightness in greyscale and under the common forms of colour blindness.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"

INK = "#1d232a"
MUTED = "#59626c"
GRID = "#e3e1da"
PAPER = "#fffefb"
LAND = "#ece9e1"
BORDER = "#fffefa"
FORECAST = "#1f4e79"
BAND_95 = "#d9e4ef"
BAND_80 = "#b3cadf"
BAND_50 = "#7fa6c9"
OBSERVED = "#6a7078"
CONTRAST = "#b4520a"
HISTOGRAM = "#d9d6cc"
OTHERS = ("#5a6b2d", "#8a3f6b", "#2d7f86", "#8c6d1f", "#6b5bb0", "#3f4a55")

RISK_LIGHT = ("#fdf6e0", "#fbe6ae", "#f9cd74", "#f2a944", "#e07f22", "#c25f14", "#9a3f0c", "#6f2506", "#3f1103")
"""Colours of the classes of probability, one for each that `CLASS_EDGES` bounds."""
RISK_DARK = ("#2c2a28", "#463729", "#674728", "#8f5a22", "#bb741f", "#d98c2a", "#efb052", "#fbd28c", "#fff0cf")

DARK = {
    INK: "#e8e6e1",
    MUTED: "#a9adb2",
    GRID: "#33383e",
    PAPER: "#15181c",
    LAND: "#262a2f",
    BORDER: "#14171b",
    FORECAST: "#a8cbee",
    BAND_95: "#1f3347",
    BAND_80: "#2d4c6b",
    BAND_50: "#43709b",
    OBSERVED: "#9aa0a8",
    CONTRAST: "#f0a35e",
    HISTOGRAM: "#3a4047",
    **dict(zip(OTHERS, ("#b6c97f", "#dd9cc2", "#7fd0d6", "#dcc071", "#b7abf0", "#c3ccd6"), strict=True)),
    **dict(zip(RISK_LIGHT, RISK_DARK, strict=True)),
}
"""Colour on the dark page of each colour on the light one."""


def figure(
    traces: list[Any],
    *,
    height: int,
    x: dict[str, Any],
    y: dict[str, Any],
    panels: Mapping[str, Mapping[str, Any]] | None = None,
    **layout: Any,
) -> go.Figure:
    """Return a figure in the report's look.

    Parameters
    ----------
    traces : list of traces
    height : int
        Pixels; the width is that of the page.
    x, y : dict
        Settings of the axes beyond the common ones.
    panels : mapping of name to settings
        The same of further axes, by their names in the layout.
    **layout
        Further settings of the layout.
    """
    axis: dict[str, Any] = {
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"color": MUTED, "size": 12},
        "title": {"font": {"color": MUTED, "size": 12}, "standoff": 8},
        "automargin": True,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "rgba(0,0,0,0)",
    }

    def merged(own: Mapping[str, Any]) -> dict[str, Any]:
        title = own.get("title")
        return {**axis, **own, "title": {**axis["title"], "text": title}} if title else {**axis, **own}

    common = {
        "template": go.layout.Template(),
        "height": height,
        "margin": {"l": 44, "r": 12, "t": 14, "b": 40},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": MUTED, "font": {"color": INK, "family": FONT, "size": 13}},
        "xaxis": merged(x),
        "yaxis": merged(y),
        **{name: merged(own) for name, own in (panels or {}).items()},
    }
    return go.Figure(traces, {**common, **layout})


def literal(text: str) -> str:
    """Return a text that Plotly shows as it is; by itself it reads some HTML tags and entities in labels.

    Examples
    --------
    >>> literal("<b>Gao</b>")
    '&lt;b&gt;Gao&lt;/b&gt;'
    """
    return html.escape(text, quote=False)
