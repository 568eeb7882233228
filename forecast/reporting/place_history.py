"""The line of past probabilities near a place, with what then happened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from forecast.plots.theme import BAND_80, FORECAST, INK, OBSERVED, OTHERS, PAPER, figure, literal
from forecast.predictive.place_record import PastView
from forecast.reporting.words import UNKNOWN, events, percent

COLOURS = dict(zip(("space-time", "regions", "towns"), OTHERS, strict=False))
"""Of the thin lines of the models."""
_ABOVE = 1.06
"""Height of the row of what happened, in units of the axis."""


def history_chart(history: Sequence[PastView], now: PastView) -> go.Figure:
    """Return the chart of past probabilities.

    Parameters
    ----------
    history : sequence of PastView
        The earliest first.
    now : PastView
        What is said at the present origin.
    """
    views = [*history, now]
    days = [view.origin for view in views]
    band = [view for view in views if math.isfinite(view.low)]
    traces: list[Any] = [
        go.Scatter(
            x=[*(view.origin for view in band), *(view.origin for view in reversed(band))],
            y=[*(_share(view.high) for view in band), *(_share(view.low) for view in reversed(band))],
            mode="lines", fill="toself", fillcolor=BAND_80, line={"width": 0}, opacity=0.5, hoverinfo="skip",
        )
    ]  # fmt: skip
    for name, colour in COLOURS.items():
        line = {"color": colour, "width": 1.2}
        traces.append(
            go.Scatter(
                x=days, y=[_share(view.models.get(name, math.nan)) for view in views], mode="lines", line=line,
                name=literal(name), hoverinfo="skip", connectgaps=False,
            )
        )  # fmt: skip
    traces += [
        go.Scatter(
            x=days, y=[_share(view.usual) for view in views], mode="lines",
            line={"color": INK, "width": 1.4, "dash": "dot"}, name="usual", hoverinfo="skip",
        ),
        go.Scatter(
            x=days, y=[_share(view.probability) for view in views], mode="lines",
            line={"color": FORECAST, "width": 2.6}, name="pool",
            hoverinfo="text", hovertext=[_told(view) for view in views],
        ),
        go.Scatter(
            x=[now.origin], y=[_share(now.probability)], mode="markers",
            marker={"color": FORECAST, "size": 10}, hoverinfo="skip",
        ),
    ]  # fmt: skip
    for came, marker in (
        (True, {"color": INK, "size": 8, "symbol": "circle"}),
        (False, {"color": PAPER, "size": 8, "symbol": "circle", "line": {"color": OBSERVED, "width": 1.4}}),
    ):
        mine = [view for view in history if view.events is not None and (view.events > 0) is came]
        traces.append(
            go.Scatter(
                x=[view.origin for view in mine], y=[_ABOVE] * len(mine), mode="markers", marker=marker,
                hoverinfo="text", hovertext=[_told(view) for view in mine], cliponaxis=False,
            )
        )  # fmt: skip
    return figure(
        traces,
        height=360,
        x={"type": "date", "showgrid": False, "tickformat": "%b %Y"},
        y={"range": [0, 1.1], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1]},
        hovermode="closest",
        margin={"l": 48, "r": 14, "t": 14, "b": 40},
    )


def history_rows(history: Sequence[PastView], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the numbers of the chart as texts, the latest first."""
    return [
        {
            "origin": view.origin,
            "pool": percent(view.probability),
            "calibrated": percent(view.calibrated),
            "models": [percent(view.models.get(name, math.nan)) for name in names],
            "usual": percent(view.usual),
            "came": "not known yet" if view.events is None else events(view.events) if view.events else "none",
        }
        for view in reversed(history)
    ]


def _share(value: float) -> Any:
    """Return a share for the figure; a gap where it is unknown."""
    return round(value, 4) if math.isfinite(value) else None


def _told(view: PastView) -> str:
    came = "what came is not known yet" if view.events is None else f"{events(view.events)} came"
    chance = percent(view.probability) if math.isfinite(view.probability) else UNKNOWN
    return literal(f"{view.origin}: {chance}; {came}")
