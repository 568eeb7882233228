"""Ridges of predictive distributions: the probability of each count, one row a week or a unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from babel.dates import format_date

from forecast.errors import InputError
from forecast.language import say, spoken
from forecast.plots.chart import Backend, Chart, Theme, chart, number_axis, shown
from forecast.plots.columns import once, only, tidy
from forecast.plots.figures import percent
from forecast.plots.names import called, short_labels
from forecast.plots.theme import BAND_50, FORECAST, PAPER, literal

_ROW = 42
"""Pixels between the feet of rows."""
_REACH = 0.92
"""Height of the highest ridge in rows."""
_LEFT_OUT = 0.005
"""Of the probability of each row, at the far end."""


def ridge(
    frame: pd.DataFrame,
    *,
    unit: str | None = None,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return predictive distributions of counts as ridges.

    Parameters
    ----------
    frame : DataFrame
        unit, week, count (0, 1, ..), probability; one row a count. Of one unit, a row of the chart a week; of several
        units and one week, a row a unit.
    unit : str, optional
        Which one, if the frame has several units and weeks.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, probabilities outside of [0, 1] or that sum to more than 1, and several units and weeks.

    Examples
    --------
    >>> frame = pd.DataFrame({"unit": "Gao", "week": "2026-08-01", "count": [0, 1, 2], "probability": [0.5, 0.3, 0.2]})
    >>> ridge(frame).layout.yaxis.ticktext
    ('1 Aug',)
    """
    data = ridge_data(frame, unit=unit)
    rows = list(dict.fromkeys(data["row"]))
    highest = float(data["probability"].max())
    traces: list[Any] = []
    for at, row in enumerate(rows):
        mine = data[data["row"] == row]
        foot = len(rows) - 1 - at
        edges = [*(mine["count"] - 0.5).tolist(), float(mine["count"].iloc[-1] + 0.5)]
        tops = (foot + _REACH * mine["probability"] / highest).round(4).tolist()
        line: dict[str, Any] = {"color": FORECAST, "width": 1.2, "shape": "hv"}
        traces += [
            go.Scatter(
                x=edges,
                y=[foot] * len(edges),
                mode="lines",
                line={"width": 0, "shape": "hv"},
                hoverinfo="skip",
                showlegend=False,
            ),
            go.Scatter(
                x=edges,
                y=[*tops, tops[-1]],
                mode="lines",
                line=line,
                fill="tonexty",
                fillcolor=BAND_50,
                name=literal(row),
                showlegend=False,
                hoverinfo="skip",
            ),
            go.Scatter(
                x=mine["count"].tolist(),
                y=[foot] * len(mine),
                mode="markers",
                marker={"color": "rgba(0,0,0,0)", "size": 12},
                text=[
                    literal(say("{row}: {count} with {chance}", row=row, count=int(count), chance=percent(chance)))
                    for count, chance in zip(mine["count"], mine["probability"], strict=True)
                ],
                hoverinfo="text",
                showlegend=False,
            ),
        ]
    medians = data.groupby("row", sort=False)["median"].first()
    traces.append(
        go.Scatter(
            x=medians.tolist(),
            y=[len(rows) - 1 - at for at in range(len(rows))],
            mode="markers",
            marker={"color": PAPER, "size": 9, "symbol": "diamond", "line": {"color": FORECAST, "width": 2}},
            name=say("median"),
            showlegend=True,
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    far = float(data["count"].max()) + 0.5
    plot = chart(
        traces,
        title=title or _title(data),
        note=say("Height: probability of that many events."),
        height=_ROW * len(rows) + 24,
        x={
            "range": [-0.5, far],
            **number_axis(0, far, most=8, whole=True),
            "showgrid": False,
            "title": say("events a week"),
        },
        y={
            "range": [-0.1, len(rows) - 1 + _REACH + 0.1],
            "tickvals": [len(rows) - 1 - at for at in range(len(rows))],
            "ticktext": [literal(row) for row in rows],
            "showgrid": True,
        },
        key=True,
        margin={"l": 76, "b": 52},
    )
    return shown(plot, backend, theme)


def ridge_data(frame: pd.DataFrame, *, unit: str | None = None) -> pd.DataFrame:
    """Return row (what it is called), unit, count, probability, median; as far as there is some probability."""
    what = "probabilities"
    rows = tidy(frame, {"unit": "name", "week": "week", "count": "count", "probability": "share"}, what=what)
    once(rows, "unit", "week", "count", what=what)
    weeks, units = rows["week"].nunique(), rows["unit"].nunique()
    if unit is not None or weeks > 1:
        rows = only(rows, "unit", unit, what=what)
        units = 1
    total = rows.groupby(["unit", "week"])["probability"].sum()
    if (total > 1 + 1e-6).any():
        raise InputError(
            f"probabilities that sum to {total.max():.3g}", where=f"the frame of {what}", expected="at most 1 a row"
        )
    named = list(dict.fromkeys(rows["unit"]))
    rows["order"] = rows["week"] if units == 1 else rows["unit"].map({name: at for at, name in enumerate(named)})
    rows = rows.sort_values(["order", "count"])
    if units == 1:
        rows["row"] = [format_date(week, "d MMM", locale=spoken()) for week in rows["week"]]
    else:
        rows["row"] = rows["unit"].map(short_labels(named))
    upto = rows.groupby("row", sort=False)["probability"].cumsum()
    below = upto - rows["probability"]
    rows["median"] = np.where((upto >= 0.5 - 1e-12) & (below < 0.5 - 1e-12), rows["count"], np.nan)
    rows["median"] = rows.groupby("row", sort=False)["median"].transform("max")
    furthest = float(rows.loc[below < 1 - _LEFT_OUT, "count"].max())
    return rows.loc[rows["count"] <= furthest, ["row", "unit", "count", "probability", "median"]].reset_index(drop=True)


def _title(data: pd.DataFrame) -> str:
    units = list(dict.fromkeys(data["unit"]))
    if len(units) == 1:
        return say("{unit}: what each week may bring", unit=called(units[0]))
    return say("What the week may bring")
