"""Fan charts: the weeks that were observed, and the bands of those to come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.language import say
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.plots.theme import BAND_50, BAND_80, BAND_95, FORECAST, MUTED, OBSERVED, figure
from forecast.predictive.forecast import Forecast
from forecast.reporting.figure import Figure
from forecast.reporting.words import central, day, events, expected, expected_events, span

BANDS = ((0.95, BAND_95), (0.80, BAND_80), (0.50, BAND_50))
"""Central ranges and their colours, the widest first."""
PAST_WEEKS = 30
_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
_DAY_MS = 86_400_000


def fan_frame(panel: Panel, forecast: Forecast, unit: str, past: int = PAST_WEEKS) -> pd.DataFrame:
    """Return what a fan chart shows, one row a week.

    Parameters
    ----------
    panel : Panel
        Counts up to the origin.
    forecast : Forecast
    unit : str
    past : int
        The most observed weeks to show.

    Returns
    -------
    DataFrame
        week, observed (<NA> where not observed or still to come), mean, q0.025 .. q0.975 (NaN in the past).
    """
    at = panel.units.index(unit)
    seen = panel.observed[-past:, at]
    history = pd.DataFrame({"week": panel.weeks[-past:], "observed": pd.array(panel.counts[-past:, at], dtype="Int64")})
    history["observed"] = history["observed"].mask(~seen)
    future = forecast.take_units([unit]).to_frame(_LEVELS).drop(columns=["horizon", "unit", "unit_kind"])
    future["observed"] = pd.array([pd.NA] * len(future), dtype="Int64")
    return pd.concat([history, future], ignore_index=True)


def fan_chart(frame: pd.DataFrame) -> go.Figure:
    """Return the chart of a `fan_frame`; every week spans its seven days."""
    past, future = frame[frame["mean"].isna()], frame[frame["mean"].notna()]
    edges = [*future["week"], future["week"].iloc[-1] + WEEK]
    days = [f"{stamp:%Y-%m-%d}" for stamp in edges]

    def steps(column: str) -> list[float]:
        values = [float(value) for value in future[column]]
        return [*values, values[-1]]

    traces: list[Any] = []
    for level, colour in BANDS:
        low, high = f"q{(1 - level) / 2:g}", f"q{(1 + level) / 2:g}"
        line = {"width": 0, "shape": "hv"}
        traces += [
            go.Scatter(x=days, y=steps(low), mode="lines", line=line, hoverinfo="skip"),
            go.Scatter(
                x=days,
                y=steps(high),
                mode="lines",
                line=line,
                fill="tonexty",
                fillcolor=colour,
                hoverinfo="skip",
                name=f"{level:.0%} range",
            ),
        ]
    seen, unseen = past[past["observed"].notna()], past[past["observed"].isna()]
    middle = pd.Timedelta(days=3, hours=12)
    traces += [
        go.Scatter(
            x=days, y=steps("q0.5"), mode="lines", line={"color": FORECAST, "width": 2, "shape": "hv"}, hoverinfo="skip"
        ),
        go.Scatter(
            x=[f"{stamp + middle:%Y-%m-%d %H:%M}" for stamp in future["week"]],
            y=[round(float(value), 3) for value in future["mean"]],
            mode="markers",
            marker={"color": FORECAST, "size": 6},
            name="expected",
            text=[_hover(row) for row in future.to_dict("records")],
            hoverinfo="text",
        ),
        go.Bar(
            x=[f"{stamp:%Y-%m-%d}" for stamp in seen["week"]],
            y=[int(count) for count in seen["observed"]],
            width=6 * _DAY_MS,
            offset=_DAY_MS // 2,
            marker={"color": OBSERVED},
            name="observed",
            text=[
                say("week of {week}: {count}", week=day(week), count=events(count))
                for week, count in zip(seen["week"], seen["observed"], strict=True)
            ],
            textposition="none",
            hoverinfo="text",
        ),
        go.Scatter(
            x=[f"{stamp + middle:%Y-%m-%d %H:%M}" for stamp in unseen["week"]],
            y=[0] * len(unseen),
            mode="markers",
            marker={"color": MUTED, "size": 8, "symbol": "x-thin", "line": {"color": MUTED, "width": 1.5}},
            text=[say("week of {stamp}: not observed", stamp=day(stamp)) for stamp in unseen["week"]],
            hoverinfo="text",
        ),
    ]
    largest = max([*steps("q0.975"), *(float(count) for count in seen["observed"]), 1.0])
    origin = {"type": "line", "x0": days[0], "x1": days[0], "yref": "paper", "y0": 0, "y1": 1}
    return figure(
        traces,
        height=240,
        x={"type": "date", "showgrid": False, "tickformat": "%-d %b", "nticks": 7, "hoverformat": "%-d %b %Y"},
        y={
            "range": [0, 1.06 * largest + 0.2],
            "tickformat": "d",
            "dtick": _tick(largest),
            "title": say("events a week"),
        },
        bargap=0,
        margin={"l": 44, "r": 12, "t": 14, "b": 28},
        hovermode="closest",
        hoverdistance=40,
        shapes=[{**origin, "line": {"color": MUTED, "width": 1, "dash": "dot"}}],
    )


def _tick(largest: float) -> int:
    """Return a whole step that gives four or five ticks."""
    steps: list[int] = [base * 10**power for power in range(9) for base in (1, 2, 5)]
    return min((step for step in steps if largest / step <= 4.5), default=steps[-1])


def fan_figure(panel: Panel, forecast: Forecast, unit: str, *, title: str, anchor: str) -> Figure:
    """Return the fan chart of one unit with its texts."""
    frame = fan_frame(panel, forecast, unit)
    weeks = forecast.horizon
    total = forecast.paths[:, :, forecast.units.index(unit)].sum(axis=1)
    low, high = np.quantile(total, [0.1, 0.9], method="inverted_cdf")
    recent = frame.loc[frame["mean"].isna(), "observed"].tail(weeks)
    mean = float(frame["mean"].sum())
    first = frame.loc[frame["mean"].notna(), ["mean", "q0.1", "q0.9"]].iloc[0]
    coming = say(
        "{title}: {expected} expected in {weeks} weeks, {range}; {first} in the first of them, {first_range}.",
        title=title,
        expected=expected_events(mean),
        weeks=weeks,
        range=central(0.8, float(low), float(high)),
        first=expected(float(first["mean"])),
        first_range=central(0.8, first["q0.1"], first["q0.9"]),
    )
    seen = {"weeks": len(recent), "events": events(float(recent.fillna(0).sum()))}
    if recent.isna().any():
        past = say(
            "The last {weeks} weeks had {events}, {gaps} of them not observed.", **seen, gaps=int(recent.isna().sum())
        )
    else:
        past = say("The last {weeks} weeks had {events}.", **seen)
    caption = f"{coming} {past}"
    return Figure(anchor, say("Fan chart. {caption}", caption=caption), caption, fan_chart(frame))


def fan_rows(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return the weeks to come as rows of a table."""
    rows = []
    for row in frame[frame["mean"].notna()].to_dict("records"):
        bands = {f"{level:.0%}": span(row[f"q{(1 - level) / 2:g}"], row[f"q{(1 + level) / 2:g}"]) for level, _ in BANDS}
        rows.append(
            {"week": day(row["week"]), "expected": expected(row["mean"]), "median": f"{row['q0.5']:.0f}"} | bands
        )
    return rows


def _hover(row: dict[Any, Any]) -> str:
    lines = [
        say("week of {week}", week=day(row["week"])),
        say("expected {mean}, median {q0_5}", mean=expected(row["mean"]), q0_5=f"{row['q0.5']:.0f}"),
        *(central(level, row[f"q{(1 - level) / 2:g}"], row[f"q{(1 + level) / 2:g}"]) for level in (0.5, 0.8, 0.95)),
    ]
    return "<br>".join(lines)
