"""The PIT histogram: where in their forecast the counts fell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.errors import InputError
from forecast.language import say
from forecast.plots.chart import Backend, Chart, Theme, chart, number_axis, percent_axis, shown
from forecast.plots.columns import once, tidy
from forecast.plots.theme import BAND_50, CONTRAST, INK, OTHERS, literal

_OUTLINES = (CONTRAST, *OTHERS)


def pit(frame: pd.DataFrame, *, title: str = "", backend: Backend = "plotly", theme: Theme = "light") -> Chart:
    """Return the histogram of the probability integral transform (PIT).

    A forecast whose probabilities are right gives a flat histogram at 1. High ends: its ranges are too narrow; a high
    middle: too wide; a slope: it expects too much or too little.

    Parameters
    ----------
    frame : DataFrame
        left, right (ends of a bin in [0, 1]), density (relative frequency: 1 is even), as
        `forecast.evaluation.calibration.pit_histogram` and `forecast.evaluation.diagnosis.pit_band` return it.
        Optionally low and high, the band in which all bars lie if the forecast is right; and group: the first one is
        drawn as bars, with its band, others as outlines.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, ends outside of [0, 1], and bins that are there twice.

    References
    ----------
    Czado, Gneiting and Held (2009), doi:10.1111/j.1541-0420.2009.01191.x.

    Examples
    --------
    >>> frame = pd.DataFrame({"left": [0, 0.5], "right": [0.5, 1], "density": [0.8, 1.2]})
    >>> pit(frame).data[0].y
    (0.8, 1.2)
    """
    bars = pit_data(frame)
    groups = list(dict.fromkeys(bars["group"]))
    first = bars[bars["group"] == groups[0]]
    banded = bool(first[["low", "high"]].notna().all(axis=None))
    traces: list[Any] = [
        go.Bar(
            x=((first["left"] + first["right"]) / 2).round(4).tolist(),
            y=first["density"].round(4).tolist(),
            width=round(0.94 * float((first["right"] - first["left"]).min()), 4),
            marker={"color": BAND_50},
            name=literal(groups[0]) or say("share of counts"),
            showlegend=len(groups) > 1,
            hovertemplate="%{y:.2f}<extra></extra>",
        )
    ]
    for at, group in enumerate(groups[1:]):
        mine = bars[bars["group"] == group]
        line = {"color": _OUTLINES[at % len(_OUTLINES)], "width": 2, "shape": "hv"}
        traces.append(_outline(mine, "density", line, literal(group), key=True))
    if banded:
        line = {"color": INK, "width": 1, "dash": "dot", "shape": "hv"}
        named = say("all bars lie between if the forecast is right")
        traces += [_outline(first, name, line, named, key=name == "low") for name in ("low", "high")]
    top = 1.08 * float(np.nanmax(bars[["density", "high"]].to_numpy(np.float64)))
    even = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1, "line": {"color": INK, "width": 1}}
    plot = chart(
        traces,
        title=title or say("Where counts fell in their forecasts"),
        note=say("Flat at 1: the probabilities are right. High ends: ranges are too narrow; a high middle: too wide."),
        height=230,
        x={"range": [0, 1], **percent_axis(), "showgrid": False, "title": say("probability integral transform")},
        y={"range": [0, top], **number_axis(0, top), "title": say("relative frequency")},
        key=len(groups) > 1 or banded,
        bargap=0,
        shapes=[even],
        margin={"b": 58},
    )
    return shown(plot, backend, theme)


def pit_data(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the bars: group ("" without groups), left, right, density, low, high (NaN without a band)."""
    what = "bars"
    rows = tidy(
        frame,
        {"left": "share", "right": "share", "density": "count"},
        {"low": "known number", "high": "known number", "group": "name"},
        what=what,
    )
    if "group" not in rows:
        rows["group"] = ""
    rows = rows.reindex(columns=["group", "left", "right", "density", "low", "high"])
    once(rows, "group", "left", what=what)
    if (rows["right"] <= rows["left"]).any():
        raise InputError("a bin that ends before it begins", where=f"the frame of {what}", expected="left < right")
    rows["low"] = rows["low"].clip(lower=0)
    return rows.sort_values("left", kind="stable").reset_index(drop=True)


def _outline(bars: pd.DataFrame, column: str, line: dict[str, Any], name: str, *, key: bool) -> go.Scatter:
    heights = bars[column].round(4).tolist()
    return go.Scatter(
        x=[*bars["left"].round(4).tolist(), float(bars["right"].iloc[-1])],
        y=[*heights, heights[-1]],
        mode="lines",
        line=line,
        name=name,
        showlegend=key,
        hoverinfo="skip",
    )
