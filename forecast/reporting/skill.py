"""Skill by horizon: how much better than the reference each model's CRPS is, week by week ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from forecast.evaluation.comparison import breakdown, reference_models
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec
from forecast.reporting.figure import Figure, literal
from forecast.reporting.theme import FORECAST, MUTED, OTHERS, figure
from forecast.reporting.words import MINUS, SPACE, listing

LOWEST = -0.2
"""Models that are worse than this at every horizon are named below the chart, for the others to be told apart."""

_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
_SYMBOLS = ("square", "diamond", "triangle-up", "cross", "triangle-down", "x")


def reference_of(record: BacktestRecord, models: Sequence[ModelSpec]) -> str | None:
    """Return the model that skill is measured against: the reference model with the lowest CRPS."""
    known = set(reference_models(models))
    return next((str(name) for name in record.leaderboard["model"] if name in known), None)


def skill_figure(
    record: BacktestRecord, models: Sequence[ModelSpec], headline: str, *, anchor: str, title: str = ""
) -> Figure | None:
    """Return skill by horizon over one record; None where there is no reference to measure against."""
    reference = reference_of(record, models)
    frame = breakdown(record.scores, "horizon", references=reference_models(models))
    frame = frame[frame["skill"].notna() & (frame["model"] != reference)]
    mine = frame[frame["model"] == headline].sort_values("horizon")
    named = {model.name: model.title for model in models}
    if frame.empty:
        return None
    best = frame.groupby("model", observed=True)["skill"].max()
    off = [name for name in named if name != headline and best.get(name, 0.0) < LOWEST]
    if mine.empty:
        caption = f"{named.get(headline, headline)} is the reference itself."
    else:
        first, last = mine.iloc[0], mine.iloc[-1]
        caption = (
            f"{named.get(headline, headline)}: {_percents(first['skill'])} at {first['horizon']} "
            f"and {_percents(last['skill'])} at {last['horizon']} weeks ahead."
        )
    if off:
        caption += f" Below the chart at every horizon: {listing([named[name] for name in off])}."
    label = f"Skill by horizon, record {title or record.name}. {caption}"
    shown = frame[~frame["model"].isin(off)]
    return Figure(anchor, label, caption, skill_chart(shown, named, headline, reference or ""))


def skill_chart(frame: pd.DataFrame, titles: Mapping[str, str], headline: str, reference: str) -> go.Figure:
    """Return the chart of skill by horizon, the headline model in front, each line with a mark and dash of its own.

    Parameters
    ----------
    frame : DataFrame
        model, horizon, skill.
    titles : mapping of model name to title
        In this order.
    headline, reference : str
        Names; the reference is the line at zero.
    """
    traces: list[Any] = []
    shown = [name for name in titles if name != headline and (frame["model"] == name).any()]
    for position, name in enumerate([*shown, headline]):
        part = frame[frame["model"] == name].sort_values("horizon")
        mine, style = name == headline, position % len(OTHERS)
        colour = FORECAST if mine else OTHERS[style]
        title = literal(titles.get(name, name))
        traces.append(
            go.Scatter(
                x=[int(horizon) for horizon in part["horizon"]],
                y=[round(100 * float(skill), 2) for skill in part["skill"]],
                mode="lines+markers",
                name=title,
                line={"color": colour, "width": 3 if mine else 1.5, "dash": "solid" if mine else _DASHES[style]},
                marker={"color": colour, "size": 8 if mine else 6, "symbol": "circle" if mine else _SYMBOLS[style]},
                hovertemplate=f"{title}, %{{x}} weeks ahead: %{{y:+.1f}}{SPACE}%<extra></extra>",
            )
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return figure(
        traces,
        height=300 + 20 * len(traces),
        x={"title": "weeks ahead", "dtick": 1, "showgrid": False},
        y={
            "title": f"skill against {literal(titles.get(reference, reference))}",
            "ticksuffix": f"{SPACE}%",
            "nticks": 6,
        },
        showlegend=True,
        legend={
            "orientation": "v",
            "yref": "container",
            "yanchor": "bottom",
            "y": 0,
            "x": 0,
            "font": {"size": 12},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        margin={"l": 52, "r": 12, "t": 14, "b": 60 + 20 * len(traces)},
        shapes=[{**zero, "line": {"color": MUTED, "width": 1}}],
    )


def _percents(skill: float) -> str:
    return f"{100 * skill:+.1f}{SPACE}%".replace("-", MINUS)
