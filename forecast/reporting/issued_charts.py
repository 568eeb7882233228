"""Charts of the track record of issued forecasts: every issue against what came, calibration over time, drift."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.evaluation.control_chart import ControlChart
from forecast.language import say
from forecast.panel.weeks import WEEK
from forecast.plots.classes import CLASS_EDGES, probability_classes
from forecast.plots.names import short_labels
from forecast.plots.theme import BAND_95, CONTRAST, FORECAST, INK, MUTED, PAPER, RISK_LIGHT, figure, literal
from forecast.reporting.words import SPACE, day, percent, percent_sign

_ROW = 17
"""Pixels of a region or place."""
_CLASSES = len(CLASS_EDGES) - 1


def outcome_chart(said: pd.DataFrame) -> go.Figure:
    """Return what each issue said of each region and place as a coloured cell, with a mark where it came true.

    Weeks for which nothing was issued are empty.

    Parameters
    ----------
    said : DataFrame
        Statements of one escalation, as in `forecast.evaluation.issued.IssuedRecord`.
    """
    # Regions before places, and the most threatened ones on top.
    mean = said.groupby(["unit_kind", "unit"])["probability"].mean().reset_index()
    mean = mean.sort_values(["unit_kind", "probability", "unit"], ascending=[False, False, True])
    units = mean["unit"].tolist()
    weeks = pd.date_range(said["origin"].min(), said["origin"].max(), freq=WEEK)
    grid = said.pivot_table(index="unit", columns="origin", values="probability").reindex(index=units, columns=weeks)
    chance = grid.to_numpy(np.float64)
    classes = np.where(np.isnan(chance), np.nan, probability_classes(np.nan_to_num(chance)))
    origins = [f"{origin:%Y-%m-%d}" for origin in grid.columns]
    edges = [round(at / _CLASSES, 6) for at in range(_CLASSES + 1)]
    scale = [[edge, colour] for colour, ends in zip(RISK_LIGHT, pairwise(edges), strict=True) for edge in ends]
    names = {unit: literal(label) for unit, label in short_labels(units).items()}
    cells: dict[str, Any] = {
        "x": origins,
        "y": list(names.values()),
        "z": [[None if np.isnan(value) else int(value) for value in row] for row in classes],
        "zmin": -0.5,
        "zmax": _CLASSES - 0.5,
        "colorscale": scale,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "text": [["" if np.isnan(value) else percent(value) for value in row] for row in chance],
        "hovertemplate": say("%{{y}}, issued for %{{x}}: %{{text}}<extra></extra>"),
    }
    came = said[said["met"] == 1].sort_values(["origin", "unit"])
    marks: dict[str, Any] = {
        "x": [f"{origin:%Y-%m-%d}" for origin in came["origin"]],
        "y": [names[unit] for unit in came["unit"]],
        "mode": "markers",
        "marker": {"color": PAPER, "size": 6, "line": {"color": INK, "width": 1}},
        "hoverinfo": "skip",
    }
    return figure(
        [go.Heatmap(**cells), go.Scatter(**marks)],
        height=60 + _ROW * len(units),
        x={
            "type": "date",
            "showgrid": False,
            "nticks": 8,
            "tickangle": 0,
            "tickformat": "%-d %b<br>%Y",
            "title": say("first week forecast"),
        },
        y={"type": "category", "autorange": "reversed", "showgrid": False, "ticks": "", "dtick": 1},
        hovermode="closest",
    )


def over_time_chart(quarters: pd.DataFrame) -> go.Figure:
    """Return what was stated and what came in each quarter, with the band of right statements.

    Parameters
    ----------
    quarters : DataFrame
        From `forecast.evaluation.issued.over_time`, of one escalation.
    """
    x = [f"{start.year}{SPACE}Q{start.quarter}" for start in quarters["start"]]
    low, height = quarters["low"].round(4), (quarters["high"] - quarters["low"]).round(4)
    told = [
        say(
            "{quarter}: {stated} stated, {came} came true, of {n} statements",
            quarter=quarter,
            stated=percent(row["stated"]),
            came=percent(row["came"]),
            n=row["n"],
        )
        for quarter, row in zip(x, quarters.to_dict("records"), strict=True)
    ]
    traces: list[Any] = [
        go.Bar(x=x, y=height.tolist(), base=low.tolist(), width=0.6, marker={"color": BAND_95}, hoverinfo="skip"),
        go.Scatter(
            x=x,
            y=quarters["stated"].round(4).tolist(),
            mode="markers",
            marker={"symbol": "line-ew", "size": 22, "line": {"color": FORECAST, "width": 3}},
            hoverinfo="skip",
        ),
        go.Scatter(
            x=x,
            y=quarters["came"].round(4).tolist(),
            mode="markers",
            marker={"color": CONTRAST, "size": 10, "symbol": "diamond"},
            text=told,
            hoverinfo="text",
        ),
    ]
    most = float(quarters[["high", "came", "stated"]].to_numpy(np.float64).max())
    step = 0.05 if most < 0.25 else 0.1 if most < 0.5 else 0.2
    ticks = [round(step * at, 2) for at in range(int(1 / step) + 1)]
    return figure(
        traces,
        height=260,
        x={"type": "category", "showgrid": False},
        y={
            "range": [0, min(1.02, most * 1.12 + 0.01)],
            "tickvals": ticks,
            "ticktext": [percent_sign(f"{100 * tick:.0f}") for tick in ticks],
            "title": say("came true"),
        },
        hovermode="closest",
    )


def drift_chart(weeks: pd.DatetimeIndex, chart: ControlChart) -> go.Figure:
    """Return the two sums of a control chart, the one of what lies below the mean downwards, with limits and alarms."""
    x = [f"{week:%Y-%m-%d}" for week in weeks]
    line: dict[str, Any] = {"mode": "lines", "hovertemplate": say("%{{x}}: %{{y:.1f}}<extra></extra>")}
    sums = {"above": chart.above, "below": -chart.below}
    traces: list[Any] = [
        go.Scatter(x=x, y=values.round(3).tolist(), line={"color": FORECAST, "width": 2}, **line)
        for values in sums.values()
    ]
    traces.append(
        go.Scatter(
            x=[x[week] for week, _ in chart.alarms],
            y=[round(float(sums[side][week]), 3) for week, side in chart.alarms],
            mode="markers",
            marker={"color": CONTRAST, "size": 11, "symbol": "diamond"},
            text=[say("alarm, week of {weeks}", weeks=day(weeks[week])) for week, _ in chart.alarms],
            hoverinfo="text",
        )
    )
    most = max(float(np.abs(values).max(initial=0)) for values in sums.values())
    reach = round(1.15 * max(most, chart.limit), 2)
    limit = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": {"color": INK, "width": 1, "dash": "dot"}}
    zero = {**limit, "line": {"color": MUTED, "width": 1}}
    heights = [(limit, round(chart.limit, 3)), (limit, -round(chart.limit, 3)), (zero, 0)]
    return figure(
        traces,
        height=230,
        x={"type": "date", "showgrid": False, "nticks": 6, "tickformat": "%-d %b<br>%Y"},
        y={"range": [-reach, reach], "tickvals": [0], "ticktext": ["0"], "title": say("sum of deviations")},
        shapes=[{**kind, "y0": at, "y1": at} for kind, at in heights],
    )
