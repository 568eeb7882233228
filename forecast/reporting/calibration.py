"""Charts of how honest the probabilities were in a backtest record: PIT, coverage, reliability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.stats import binom

from forecast.evaluation.calibration import (
    COVERAGE_LEVELS,
    Reliability,
    central_coverage,
    pit_histogram,
    reliability,
)
from forecast.evaluation.record import BacktestRecord
from forecast.predictive.escalation import Escalation
from forecast.provenance import generator
from forecast.reporting.figure import Figure
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.theme import BAND_50, BAND_95, CONTRAST, FORECAST, HISTOGRAM, INK, MUTED, figure
from forecast.reporting.words import MINUS, SPACE, listing, number, percent

Floats = NDArray[np.float64]

_QUARTERS = {"tickvals": [0, 0.25, 0.5, 0.75, 1]}
_STYLE = {"all": (FORECAST, "circle", 0.14), "active": (CONTRAST, "diamond", -0.14)}
"""Colour, mark and place in its row of each group."""
GROUPS = ("all", "active")
"""All regions, and those with 10 or more events in the year before the origin."""
_CORNERS = 80
"""The most points that a band is drawn through."""


@dataclass(frozen=True)
class RecordFigures:
    """The calibration of one model over one record.

    Parameters
    ----------
    pit, coverage : Figure or None
        None where the record holds nothing to draw.
    reliability : tuple of (title of the rule, Figure)
    """

    pit: Figure | None
    coverage: Figure | None
    reliability: tuple[tuple[str, Figure], ...]


def record_figures(
    record: BacktestRecord, model: str, escalations: tuple[Escalation, ...], *, anchor: str, title: str = ""
) -> RecordFigures:
    """Return the calibration figures of one model over one record, regions only.

    Parameters
    ----------
    record : BacktestRecord
    model : str
    escalations : tuple of Escalation
    anchor : str
        What the ids of the figures start with.
    title : str
        What the record is called; its name if not given.
    """
    title, called = title or record.name, rule_titles(escalations)
    pit = {group: values for group in GROUPS if len(values := pit_values(record, model, group))}
    curves = []
    for rule in escalations:
        statements = statements_of(record, model, rule.name)
        if len(statements):
            found = reliability(
                statements["probability"],
                statements["outcome"],
                statements["origin"],
                generator(0, "reliability", record.name, model, rule.name),
            )
            drawn = _reliability_figure(found, statements, called[rule.name], title, f"{anchor}-{rule.name}")
            curves.append((called[rule.name], drawn))
    return RecordFigures(
        _pit_figure(pit, title, f"{anchor}-pit") if pit else None,
        _coverage_figure(pit, title, f"{anchor}-coverage") if pit else None,
        tuple(curves),
    )


def pit_values(record: BacktestRecord, model: str, group: str) -> Floats:
    """Return the cdf below and at each observed count of regions, all or the active ones, shape (cells, 2)."""
    scores = record.scores
    chosen = scores[(scores["model"] == model) & (scores["unit_kind"] == "region")]
    if group != "all":
        chosen = chosen[chosen["activity"] == group]
    bounds = [chosen.loc[chosen["score"] == name, "value"].to_numpy(np.float64) for name in ("pit_below", "pit_upto")]
    return np.stack(bounds, axis=-1)


def statements_of(record: BacktestRecord, model: str, escalation: str) -> pd.DataFrame:
    """Return origin, probability and outcome of a model's statements about regions."""
    risk = record.risk
    mine = risk[(risk["model"] == model) & (risk["escalation"] == escalation) & (risk["unit_kind"] == "region")]
    return mine[["origin", "probability", "outcome"]].dropna().reset_index(drop=True)


def pit_chart(pit: Mapping[str, Floats]) -> go.Figure:
    """Return the PIT histogram of all regions, the outline of the active ones, and what chance leaves of the bars."""
    bars = pit_histogram(pit["all"])
    bins = len(bars)
    n = len(pit["all"])
    low, high = (round(float(binom.ppf(q, n, 1 / bins)) * bins / n, 4) for q in (0.05, 0.95))
    traces: list[Any] = [
        go.Bar(
            x=((bars["left"] + bars["right"]) / 2).round(3).tolist(),
            y=bars["density"].round(4).tolist(),
            width=round(0.94 / bins, 4),
            marker={"color": BAND_50},
            hovertemplate="all regions: %{y:.2f}<extra></extra>",
        )
    ]
    if "active" in pit:
        outline = pit_histogram(pit["active"])["density"].round(4).tolist()
        traces.append(
            go.Scatter(
                x=[*bars["left"].round(3).tolist(), 1.0],
                y=[*outline, outline[-1]],
                mode="lines",
                line={"color": CONTRAST, "width": 2, "shape": "hv"},
                hovertemplate="active regions: %{y:.2f}<extra></extra>",
            )
        )
    whole = {"type": "line", "xref": "paper", "x0": 0, "x1": 1}
    thin = {"color": INK, "width": 1}
    return figure(
        traces,
        height=240,
        x={**_QUARTERS, "range": [0, 1], "showgrid": False, "title": "probability integral transform"},
        y={"rangemode": "tozero", "nticks": 4, "title": "relative frequency"},
        bargap=0,
        shapes=[
            *({**whole, "y0": edge, "y1": edge, "line": {**thin, "dash": "dot"}} for edge in (low, high)),
            {**whole, "y0": 1, "y1": 1, "line": thin},
        ],
    )


def coverage_chart(pit: Mapping[str, Floats]) -> go.Figure:
    """Return stated against observed coverage of the central ranges, one row a range."""
    rows = {level: position for position, level in enumerate(COVERAGE_LEVELS)}
    traces: list[Any] = []
    lowest = 1.0
    for group, values in pit.items():
        colour, symbol, shift = _STYLE[group]
        shares = central_coverage(values).round(4).tolist()
        lowest = min(lowest, *shares)
        for (level, at), share in zip(rows.items(), shares, strict=True):
            traces.append(
                go.Scatter(
                    x=[level, share],
                    y=[at + shift] * 2,
                    mode="lines",
                    line={"color": colour, "width": 2},
                    hoverinfo="skip",
                )
            )
        traces.append(
            go.Scatter(
                x=shares,
                y=[at + shift for at in rows.values()],
                mode="markers",
                marker={"color": colour, "size": 10, "symbol": symbol},
                text=[
                    f"{group} regions: {percent(share)} within the {level:.0%} range"
                    for share, level in zip(shares, rows, strict=True)
                ],
                hoverinfo="text",
            )
        )
    stated = {"type": "line", "line": {"color": MUTED, "width": 2}}
    return figure(
        traces,
        height=200,
        x={
            "range": [min(0.35, lowest - 0.03), 1.02],
            "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
            "ticktext": [f"{tens}{SPACE}%" for tens in range(0, 101, 20)],
            "title": "share of counts within the range",
        },
        y={
            "range": [2.5, -0.5],
            "tickvals": list(rows.values()),
            "ticktext": [percent(level) for level in rows],
            "showgrid": False,
        },
        shapes=[{**stated, "x0": level, "x1": level, "y0": at - 0.36, "y1": at + 0.36} for level, at in rows.items()],
    )


def reliability_chart(found: Reliability) -> go.Figure:
    """Return the reliability curve with its consistency band, over the histogram of the probabilities."""
    curve, bars = found.curve.round(4), found.histogram
    band = curve.iloc[np.unique(np.linspace(0, len(curve) - 1, _CORNERS).astype(int))]
    # Between the first and the last point of a level the curve is a straight line.
    level = curve["recalibrated"]
    corners = curve[(level != level.shift()) | (level != level.shift(-1))]
    edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    traces: list[Any] = [
        go.Bar(
            x=((bars["left"] + bars["right"]) / 2).round(3).tolist(),
            y=bars["count"].tolist(),
            width=0.045,
            marker={"color": HISTOGRAM},
            yaxis="y2",
            hovertemplate="%{y} statements<extra></extra>",
        ),
        go.Scatter(x=band["probability"].tolist(), y=band["low"].tolist(), **edge),
        go.Scatter(x=band["probability"].tolist(), y=band["high"].tolist(), fill="tonexty", fillcolor=BAND_95, **edge),
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "width": 1, "dash": "dash"}, hoverinfo="skip"
        ),
        go.Scatter(
            x=corners["probability"].tolist(),
            y=corners["recalibrated"].tolist(),
            mode="lines+markers",
            line={"color": FORECAST, "width": 2},
            marker={"color": FORECAST, "size": 5},
            hovertemplate="stated %{x:.0%}, came true %{y:.0%}<extra></extra>",
        ),
    ]
    ticks = {
        **_QUARTERS,
        "range": [-0.02, 1.02],
        "ticktext": [f"{quarter}{SPACE}%" for quarter in (0, 25, 50, 75, 100)],
    }
    return figure(
        traces,
        height=270,
        x={**ticks, "title": "probability stated", "showgrid": False},
        y={**ticks, "title": "came true", "overlaying": "y2"},
        yaxis2={
            "range": [0, 4 * max(int(bars["count"].max()), 1)],
            "visible": False,
            "fixedrange": True,
        },
        bargap=0,
    )


def _pit_figure(pit: Mapping[str, Floats], record: str, anchor: str) -> Figure:
    parts = []
    for group, values in pit.items():
        density = pit_histogram(values)["density"]
        parts.append(f"{density.min():.2f} to {density.max():.2f} in {group} regions ({number(len(values))} counts)")
    caption = f"Frequencies of {listing(parts)}; 1 is perfect."
    return Figure(anchor, f"PIT histogram, record {record}. {caption}", caption, pit_chart(pit))


def _coverage_figure(pit: Mapping[str, Floats], record: str, anchor: str) -> Figure:
    parts = [
        f"{listing([percent(share) for share in central_coverage(values)])} of counts in {group} regions"
        for group, values in pit.items()
    ]
    caption = f"The 50, 80 and 95{SPACE}% ranges held {'; '.join(parts)}."
    return Figure(anchor, f"Coverage, record {record}. {caption}", caption, coverage_chart(pit))


def _reliability_figure(found: Reliability, statements: pd.DataFrame, rule: str, record: str, anchor: str) -> Figure:
    came, stated = float(statements["outcome"].mean()), float(statements["probability"].mean())
    caption = (
        f"{number(len(statements))} statements, {number(statements['outcome'].sum())} came true ({percent(came)}; "
        f"stated on average {percent(stated)}). Brier score {found.score:.3f} = {found.miscalibration:.3f} "
        f"miscalibration {MINUS} {found.discrimination:.3f} discrimination + {found.uncertainty:.3f} uncertainty."
    )
    label = f"Reliability of the probability of {quoted(rule)}, record {record}. {caption}"
    return Figure(anchor, label, caption, reliability_chart(found))
