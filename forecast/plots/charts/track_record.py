"""The track record: what was said of each region each week, and where it came true."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.language import date, say
from forecast.plots.chart import Backend, Chart, Theme, chart, shown, week_axis
from forecast.plots.classes import CLASS_EDGES, probability_classes
from forecast.plots.columns import Kind, once, only, tidy
from forecast.plots.figures import DASH, percent, percent_sign
from forecast.plots.key import NARROW, class_scale, swatches
from forecast.plots.names import called, short_labels
from forecast.plots.theme import INK, PAPER, RISK_LIGHT, literal

_ROW = 18
"""Pixels of a region or place."""
_WEEK = pd.Timedelta(days=7)


def track_record(
    frame: pd.DataFrame,
    *,
    escalation: str | None = None,
    model: str | None = None,
    past: int = 26,
    most: int = 15,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return what was said of each region or place at each origin, with a dot where it came true.

    Parameters
    ----------
    frame : DataFrame
        origin (first day of the first week forecast), unit, probability, outcome (1 came, 0 did not, missing if not
        known yet); one row a statement. Optionally escalation and model, as in the ``risk`` of a backtest record.
    escalation, model : str, optional
        Which one, if the frame has several.
    past : int, default 26
        The most weeks to show, the last ones.
    most : int, default 15
        The most regions and places, those with the highest probabilities.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, probabilities and outcomes outside of [0, 1], two rows for one statement, and several
        escalations or models of which none is chosen.

    Examples
    --------
    >>> said = {"unit": ["Gao", "Mopti"], "probability": [0.1, 0.9], "outcome": [0, 1]}
    >>> frame = pd.DataFrame({"origin": "2026-08-01", **said})
    >>> track_record(frame).layout.yaxis.ticktext
    ('Mopti', 'Gao')
    """
    data = track_record_data(frame, escalation=escalation, model=model, past=past, most=most)
    units = list(dict.fromkeys(data["unit"]))
    short = short_labels(units)
    rows = {unit: at for at, unit in enumerate(units)}
    origins = pd.date_range(data["origin"].min(), data["origin"].max(), freq=_WEEK)
    grid = data.pivot_table(index="unit", columns="origin", values="probability").reindex(index=units, columns=origins)
    chance = grid.to_numpy(np.float64)
    kinds = np.where(np.isnan(chance), -1, probability_classes(np.nan_to_num(chance)))
    middle = [f"{origin + _WEEK / 2:%Y-%m-%d %H:%M}" for origin in origins]
    cells: dict[str, Any] = {
        "x": middle,
        "y": list(rows.values()),
        "z": [[None if kind < 0 else int(kind) for kind in row] for row in kinds],
        "text": [
            ["" if np.isnan(value) else _told(unit, origin, value) for origin, value in zip(origins, row, strict=True)]
            for unit, row in zip(units, chance, strict=True)
        ],
        **class_scale(RISK_LIGHT),
    }
    came = data[data["outcome"] == 1]
    edges = [f"{100 * low:.0f}{DASH}{100 * high:.0f}" for low, high in pairwise(CLASS_EDGES)]
    traces: list[Any] = [
        go.Heatmap(**cells, hoverinfo="text", showlegend=False),
        go.Scatter(
            x=[f"{origin + _WEEK / 2:%Y-%m-%d %H:%M}" for origin in came["origin"]],
            y=[rows[unit] for unit in came["unit"]],
            mode="markers",
            marker={"color": PAPER, "size": 6, "line": {"color": INK, "width": 1}},
            name=say("came true"),
            showlegend=True,
            hoverinfo="skip",
        ),
        *swatches([(percent_sign(edge), colour) for edge, colour in zip(edges, RISK_LIGHT, strict=True)]),
    ]
    plot = chart(
        traces,
        title=title or say("What was said, and what came true"),
        note=say("Colour: the probability stated that week. Dot: it came true."),
        height=_ROW * len(units) + 4,
        x={**week_axis(origins[0], origins[-1] + _WEEK), "title": say("first week forecast")},
        y={
            "range": [len(units) - 0.5, -0.5],
            "tickvals": list(rows.values()),
            "ticktext": [literal(short[unit]) for unit in units],
            "showgrid": False,
        },
        key=True,
        margin={"l": 110, "b": 64},
    )
    plot.update_layout(legend={"entrywidth": NARROW, "font": {"size": 11}})
    return shown(plot, backend, theme)


def track_record_data(
    frame: pd.DataFrame,
    *,
    escalation: str | None = None,
    model: str | None = None,
    past: int = 26,
    most: int = 15,
) -> pd.DataFrame:
    """Return the statements that are shown: origin, unit, probability, outcome; the most threatened units first."""
    what = "statements"
    needed: dict[str, Kind] = {
        "origin": "week",
        "unit": "name",
        "probability": "known share",
        "outcome": "known share",
    }
    chosen = {"escalation": escalation, "model": model}
    asked: dict[str, Kind] = {column: "name" for column, name in chosen.items() if name}
    rows = tidy(frame, {**needed, **asked}, {"escalation": "name", "model": "name"}, what=what)
    for column, name in chosen.items():
        if column in rows:
            rows = only(rows, column, name, what=what)
    once(rows, "origin", "unit", what=what)
    rows = rows[rows["origin"] > rows["origin"].max() - past * _WEEK].copy()
    mean = rows.groupby("unit")["probability"].mean().reset_index()
    mean = mean.sort_values(["probability", "unit"], ascending=[False, True]).head(most)
    order = {unit: at for at, unit in enumerate(mean["unit"])}
    rows["order"] = rows["unit"].map(order)
    mine = rows.dropna(subset="order").sort_values(["order", "origin"])
    found: pd.DataFrame = mine.reset_index(drop=True).reindex(columns=list(needed))
    return found


def _told(unit: str, origin: pd.Timestamp, chance: float) -> str:
    return literal(say("{unit}, {day}: {chance}", unit=called(unit), day=date(origin), chance=percent(chance)))
