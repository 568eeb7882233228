"""Charts of how honest the probabilities were in a backtest record: PIT, coverage, reliability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.evaluation.calibration import COVERAGE_LEVELS, Reliability, pit_histogram, reliability
from forecast.evaluation.diagnosis import coverage, pit_band
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_diagnosis import PitCells, pit_cells
from forecast.language import decimal, say
from forecast.plots.theme import BAND_50, BAND_95, CONTRAST, FORECAST, HISTOGRAM, INK, MUTED, figure
from forecast.predictive.escalation import Escalation
from forecast.provenance import generator
from forecast.reporting.figure import Figure
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.words import apart, listing, number, percent, percent_sign

_QUARTERS = {"tickvals": [0, 0.25, 0.5, 0.75, 1]}
_STYLE = {"all": (FORECAST, "circle", 0.14), "active": (CONTRAST, "diamond", -0.14)}
"""Colour, mark and place in its row of each group."""
_GROUP_TITLES = {"all": say("all regions"), "active": say("active regions")}
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
    every = pit_cells(record, model)
    cells = {group: part for group in GROUPS if len(part := _of_group(every, group))}
    rng = generator(0, "calibration", record.name, model)
    bars = pit_band(every.pit, every.week, rng) if cells else pd.DataFrame()
    shares = {group: coverage(part.pit, part.week, rng) for group, part in cells.items()}
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
        _pit_figure(bars, cells, title, f"{anchor}-pit") if cells else None,
        _coverage_figure(shares, title, f"{anchor}-coverage") if cells else None,
        tuple(curves),
    )


def statements_of(record: BacktestRecord, model: str, escalation: str) -> pd.DataFrame:
    """Return origin, probability and outcome of a model's statements about regions."""
    risk = record.risk
    mine = risk[(risk["model"] == model) & (risk["escalation"] == escalation) & (risk["unit_kind"] == "region")]
    return mine[["origin", "probability", "outcome"]].dropna().reset_index(drop=True)


def pit_chart(bars: pd.DataFrame, active: PitCells | None) -> go.Figure:
    """Return the PIT histogram of all regions with its band, and the outline of the active ones.

    Parameters
    ----------
    bars : DataFrame
        From `forecast.evaluation.diagnosis.pit_band`.
    active : PitCells, optional
        Those of active regions.
    """
    bins = len(bars)
    middle = ((bars["left"] + bars["right"]) / 2).round(3).tolist()
    edges = [*bars["left"].round(3).tolist(), 1.0]
    traces: list[Any] = [
        go.Bar(
            x=middle,
            y=bars["density"].round(4).tolist(),
            width=round(0.94 / bins, 4),
            marker={"color": BAND_50},
            hovertemplate=say("all regions: %{{y:.2f}}<extra></extra>"),
        )
    ]
    if active is not None:
        outline = pit_histogram(active.pit)["density"].round(4).tolist()
        traces.append(_steps(edges, outline, {"color": CONTRAST, "width": 2}, say("active regions: %{{y:.2f}}")))
    if bars["low"].notna().all():
        for name in ("low", "high"):
            line = {"color": INK, "width": 1, "dash": "dot"}
            traces.append(_steps(edges, bars[name].clip(lower=0).round(4).tolist(), line, ""))
    even = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
    return figure(
        traces,
        height=240,
        x={**_QUARTERS, "range": [0, 1], "showgrid": False, "title": say("probability integral transform")},
        y={"rangemode": "tozero", "nticks": 4, "title": say("relative frequency")},
        bargap=0,
        shapes=[{**even, "line": {"color": INK, "width": 1}}],
    )


def coverage_chart(shares: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Return stated against observed coverage of the central ranges with intervals, one row a range.

    Parameters
    ----------
    shares : mapping of group to DataFrame
        From `forecast.evaluation.diagnosis.coverage`.
    """
    rows = {level: position for position, level in enumerate(COVERAGE_LEVELS)}
    traces: list[Any] = []
    lowest = 1.0
    for group, table in shares.items():
        colour, symbol, shift = _STYLE[group]
        found = table.round(4)
        lowest = min(lowest, float(np.nanmin(found[["coverage", "low"]].to_numpy(np.float64))))
        for row in found.to_dict("records"):
            at, ends = rows[row["level"]] + shift, (row["low"], row["high"])
            if np.isfinite(ends).all():
                traces.append(_bar_of_interval(ends, at, colour))
        traces.append(
            go.Scatter(
                x=found["coverage"].tolist(),
                y=[at + shift for at in rows.values()],
                mode="markers",
                marker={"color": colour, "size": 10, "symbol": symbol},
                text=[
                    say(
                        "{group}: {share} within the {level} range{interval}",
                        group=_GROUP_TITLES[group],
                        share=percent(row["coverage"]),
                        level=percent(row["level"]),
                        interval=_told(row["low"], row["high"]),
                    )
                    for row in found.to_dict("records")
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
            "ticktext": [percent_sign(f"{tens}") for tens in range(0, 101, 20)],
            "title": say("share of counts within the range"),
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
            hovertemplate=say("%{{y}} statements<extra></extra>"),
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
            hovertemplate=say("stated %{{x:.0%}}, came true %{{y:.0%}}<extra></extra>"),
        ),
    ]
    ticks = {
        **_QUARTERS,
        "range": [-0.02, 1.02],
        "ticktext": [percent_sign(f"{quarter}") for quarter in (0, 25, 50, 75, 100)],
    }
    return figure(
        traces,
        height=270,
        x={**ticks, "title": say("probability stated"), "showgrid": False},
        y={**ticks, "title": say("came true"), "overlaying": "y2"},
        yaxis2={
            "range": [0, 4 * max(int(bars["count"].max()), 1)],
            "visible": False,
            "fixedrange": True,
        },
        bargap=0,
    )


def _of_group(cells: PitCells, group: str) -> PitCells:
    return cells if group == "all" else cells.where(cells.activity == group)


def _steps(edges: list[float], heights: list[float], line: dict[str, Any], hover: str) -> go.Scatter:
    told: dict[str, Any] = {"hovertemplate": f"{hover}<extra></extra>"} if hover else {"hoverinfo": "skip"}
    drawn = {**line, "shape": "hv"}
    return go.Scatter(x=edges, y=[*heights, heights[-1]], mode="lines", line=drawn, **told)


def _bar_of_interval(ends: tuple[float, float], at: float, colour: str) -> go.Scatter:
    line = {"color": colour, "width": 2}
    return go.Scatter(x=list(ends), y=[at] * 2, mode="lines", line=line, hoverinfo="skip")


def _told(low: float, high: float) -> str:
    if not np.isfinite([low, high]).all():
        return ""
    return say(" (90\u00a0% interval {low} to {high})", low=percent(low), high=percent(high))


def _pit_figure(bars: pd.DataFrame, cells: Mapping[str, PitCells], record: str, anchor: str) -> Figure:
    parts = []
    for group, part in cells.items():
        density = bars["density"] if group == "all" else pit_histogram(part.pit)["density"]
        parts.append(
            say(
                "{low} to {high} in {group} ({counts} counts)",
                low=decimal(density.min(), 2),
                high=decimal(density.max(), 2),
                group=_GROUP_TITLES[group],
                counts=number(len(part)),
            )
        )
    caption: str = say("Frequencies of {parts}; 1 is perfect.", parts=listing(parts))
    if bars["low"].notna().all():
        outside = int((~bars["density"].between(bars["low"], bars["high"])).sum())
        caption += " " + (
            say("{inside} of {bars} bars lie within the band.", inside=len(bars) - outside, bars=len(bars))
            if outside
            else say("All bars lie within the band.")
        )
    else:
        caption += say(" The record is too short for a band.")
    return Figure(
        anchor,
        say("PIT histogram, record {record}. {caption}", record=record, caption=caption),
        caption,
        pit_chart(bars, cells.get("active")),
    )


def _coverage_figure(shares: Mapping[str, pd.DataFrame], record: str, anchor: str) -> Figure:
    parts = [
        say(
            "{shares} of counts in {group}",
            shares=listing([percent(float(share)) for share in table["coverage"]]),
            group=_GROUP_TITLES[group],
        )
        for group, table in shares.items()
    ]
    caption: str = say("The 50, 80 and 95\u00a0% ranges held {parts}.", parts=apart(parts))
    if all(table["low"].notna().all() for table in shares.values()):
        caption += say(" Bars are 90\u00a0% intervals.")
    return Figure(
        anchor,
        say("Coverage, record {record}. {caption}", record=record, caption=caption),
        caption,
        coverage_chart(shares),
    )


def _reliability_figure(found: Reliability, statements: pd.DataFrame, rule: str, record: str, anchor: str) -> Figure:
    came, stated = float(statements["outcome"].mean()), float(statements["probability"].mean())
    caption: str = say(
        "{statements} statements, {outcome} came true ({came}; stated on average {stated}). Brier "
        "score {score} = {miscalibration} miscalibration \N{MINUS SIGN} {discrimination} discrimination + "
        "{uncertainty} uncertainty. If all probabilities were right, chance alone would make the "
        "miscalibration {right_mean} on average, and at most {right_high} in 9 of 10 records.",
        statements=number(len(statements)),
        outcome=number(statements["outcome"].sum()),
        came=percent(came),
        stated=percent(stated),
        score=decimal(found.score, 3),
        miscalibration=decimal(found.miscalibration, 3),
        discrimination=decimal(found.discrimination, 3),
        uncertainty=decimal(found.uncertainty, 3),
        right_mean=decimal(found.right_mean, 3),
        right_high=decimal(found.right_high, 3),
    )
    label = say(
        "Reliability of the probability of {rule}, record {record}. {caption}",
        rule=quoted(rule),
        record=record,
        caption=caption,
    )
    return Figure(anchor, label, caption, reliability_chart(found))
