"""The reliability curve: what was stated, and how often it came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.language import say
from forecast.plots.chart import Backend, Chart, Theme, chart, percent_axis, shown
from forecast.plots.columns import once, tidy
from forecast.plots.figures import number
from forecast.plots.theme import BAND_95, FORECAST, INK, MUTED, OBSERVED

_BINS = 20
_CORNERS = 80
"""The most points that the band is drawn through."""


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """What a reliability chart shows.

    Parameters
    ----------
    curve : DataFrame
        probability, recalibrated: the corners of the curve.
    band : DataFrame
        probability, low, high; no rows without a band.
    histogram : DataFrame
        left, right, count: how often which probability was stated; no rows if that is not known.
    """

    curve: pd.DataFrame
    band: pd.DataFrame
    histogram: pd.DataFrame


def reliability(frame: pd.DataFrame, *, title: str = "", backend: Backend = "plotly", theme: Theme = "light") -> Chart:
    """Return the reliability curve of the probabilities of an event, over how often each was stated.

    Parameters
    ----------
    frame : DataFrame
        probability (stated), recalibrated (how often the event came), one row a distinct probability, as the curve of
        `forecast.evaluation.calibration.reliability`. Optionally low and high, a pointwise band, and n, the number of
        statements.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, and what is no probability.

    References
    ----------
    Dimitriadis, Gneiting and Jordan (2021), doi:10.1073/pnas.2016191118.

    Examples
    --------
    >>> frame = pd.DataFrame({"probability": [0.1, 0.6], "recalibrated": [0.2, 0.5]})
    >>> reliability(frame).data[-1].y
    (0.2, 0.5)
    """
    data = reliability_data(frame)
    told = len(data.histogram) > 0
    low = 0.24 if told else 0.0
    traces: list[Any] = []
    if told:
        traces.append(
            go.Bar(
                x=((data.histogram["left"] + data.histogram["right"]) / 2).round(4).tolist(),
                y=data.histogram["count"].tolist(),
                width=0.9 / _BINS,
                marker={"color": OBSERVED},
                hovertemplate=say("%{{y}} statements<extra></extra>"),
                showlegend=False,
                yaxis="y2",
                xaxis="x2",
            )
        )
    edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    if len(data.band):
        at = data.band["probability"].round(4).tolist()
        named: dict[str, Any] = {"name": say("where the curve lies if all is right"), "showlegend": True}
        fill: dict[str, Any] = {"fill": "tonexty", "fillcolor": BAND_95}
        traces += [
            go.Scatter(x=at, y=data.band["low"].round(4).tolist(), showlegend=False, **edge),
            go.Scatter(x=at, y=data.band["high"].round(4).tolist(), **fill, **named, **edge),
        ]
    diagonal: dict[str, Any] = {"color": MUTED, "width": 1, "dash": "dash"}
    traces += [
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, hoverinfo="skip", showlegend=False),
        go.Scatter(
            x=data.curve["probability"].round(4).tolist(),
            y=data.curve["recalibrated"].round(4).tolist(),
            mode="lines+markers",
            line={"color": FORECAST, "width": 2},
            marker={"color": FORECAST, "size": 5},
            name=say("came true"),
            showlegend=True,
            hovertemplate=say("stated %{{x:.0%}}, came true %{{y:.0%}}<extra></extra>"),
        ),
    ]
    ticks = percent_axis()
    across = {"range": [-0.02, 1.02], **ticks, "showgrid": False}
    upper = {"domain": [low, 1], "anchor": "y", "range": [-0.02, 1.02]}
    axes: dict[str, Any] = {
        "xaxis": {**across, "anchor": "y", "showticklabels": not told},
        "yaxis": {**ticks, **upper, "title": say("came true"), "anchor": "x"},
    }
    title_of_x = {"title": say("probability stated")}
    if told:
        most = int(data.histogram["count"].max())
        axes["xaxis2"] = {**across, **title_of_x, "anchor": "y2"}
        counts = {"tickvals": [most], "ticktext": [number(most)], "range": [0, 1.1 * most], "showgrid": False}
        axes["yaxis2"] = {"domain": [0, 0.18], "anchor": "x2", **counts}
    else:
        axes["xaxis"] |= title_of_x
    note = {"text": say("how often it was stated"), "font": {"size": 12, "color": INK}, "showarrow": False}
    place = {"xref": "x2 domain", "yref": "y2 domain", "x": 1, "y": 1, "xanchor": "right", "yanchor": "top"}
    plot = chart(
        traces,
        title=title or say("What was stated, and what came true"),
        note=say("On the diagonal, what was called 30\u00a0% came in 30\u00a0% of the cases."),
        height=340,
        axes=axes,
        key=True,
        margin={"b": 52},
        annotations=[{**note, **place}] if told else [],
    )
    return shown(plot, backend, theme, width=480)


def reliability_data(frame: pd.DataFrame) -> ReliabilityCurve:
    """Return what a reliability chart shows; parameters and errors as of `reliability`."""
    what = "probabilities"
    rows = tidy(
        frame,
        {"probability": "share", "recalibrated": "share"},
        {"low": "known share", "high": "known share", "n": "count"},
        what=what,
    )
    once(rows, "probability", what=what)
    rows = rows.sort_values("probability").reset_index(drop=True)
    # Between the first and the last point of a level the curve is a straight line.
    level = rows["recalibrated"]
    corners = rows[(level != level.shift()) | (level != level.shift(-1))]
    band = rows.reindex(columns=["probability", "low", "high"]).dropna()
    some = np.unique(np.linspace(0, max(len(band) - 1, 0), _CORNERS).astype(int)) if len(band) else np.empty(0, int)
    if "n" in rows:
        count, edges = np.histogram(rows["probability"], bins=_BINS, range=(0.0, 1.0), weights=rows["n"])
    else:
        count, edges = np.empty(0), np.empty(1)
    return ReliabilityCurve(
        corners[["probability", "recalibrated"]].reset_index(drop=True),
        band.iloc[some].reset_index(drop=True),
        pd.DataFrame({"left": edges[:-1], "right": edges[1:], "count": count}),
    )
