"""Charts of the models of a record against each other: by weeks ahead, over time, at every threshold, on the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.language import say, say_count
from forecast.panel.units import Units
from forecast.plots.theme import CONTRAST, DARK, FORECAST, LAND, MUTED, OTHERS, figure, literal
from forecast.reporting.map import Fill, region_map
from forecast.reporting.words import events, percent, percent_sign, signed_decimal, titles

SHOWN = 6
"""The most models beside the reference whose intervals are drawn: more could not be told apart."""
FIRM = 0.1
"""Below this p-value the best model of a region differs from the second by more than chance."""
FAINT = 0.35
"""Opacity of a region whose best model does not."""

_COLOURS = (FORECAST, CONTRAST, *OTHERS)
_DASHES = ("solid", "dash", "dot")
_SPREAD = 0.6
"""Share of a week ahead over which the models stand side by side."""


@dataclass(frozen=True)
class Stroke:
    """How a model is drawn.

    Parameters
    ----------
    colour, dark : str
        On the light and on the dark page.
    dash : {"solid", "dash", "dot"}
    title : str
        What the model is called.
    """

    colour: str
    dark: str
    dash: str
    title: str

    @property
    def border(self) -> str:
        """The dash as a style of a border, for the key."""
        return {"solid": "solid", "dash": "dashed", "dot": "dotted"}[self.dash]


def strokes(models: Sequence[str], called: Mapping[str, str] | None = None) -> dict[str, Stroke]:
    """Return how each model is drawn: colours in turn, and another dash when they are used up.

    Parameters
    ----------
    models : sequence of str
    called : mapping of model to str, optional
        Titles; a model without one is called by its name.

    Examples
    --------
    >>> drawn = strokes([f"model-{k}" for k in range(9)])
    >>> drawn["model-0"].colour == drawn["model-8"].colour, drawn["model-8"].dash
    (True, 'dash')
    """
    found = {}
    for at, model in enumerate(models):
        turn, colour = divmod(at, len(_COLOURS))
        title = (called or {}).get(model, model)
        found[model] = Stroke(_COLOURS[colour], DARK[_COLOURS[colour]], _DASHES[turn % len(_DASHES)], title)
    return found


def horizon_chart(horizons: pd.DataFrame, models: Sequence[str], drawn: Mapping[str, Stroke]) -> go.Figure:
    """Return skill by weeks ahead with its intervals, models side by side.

    Parameters
    ----------
    horizons : DataFrame
        As in `RecordComparison`.
    models : sequence of str
        Those that are shown.
    drawn : mapping of model to Stroke
    """
    traces: list[Any] = []
    for at, model in enumerate(models):
        part = horizons[(horizons["model"] == model) & horizons["skill"].notna()]
        shift = _SPREAD * ((at + 0.5) / len(models) - 0.5)
        skill, low, high = (100 * part[name].to_numpy(np.float64) for name in ("skill", "low", "high"))
        interval = bool(len(part)) and bool(np.isfinite(low).all() and np.isfinite(high).all())
        width = {
            "type": "data",
            "symmetric": False,
            "array": (high - skill).round(2).tolist(),
            "arrayminus": (skill - low).round(2).tolist(),
            "color": drawn[model].colour,
            "thickness": 1.5,
            "width": 0,
        }
        traces.append(
            go.Scatter(
                x=[round(int(horizon) + shift, 3) for horizon in part["horizon"]],
                y=skill.round(2).tolist(),
                mode="markers",
                name=literal(drawn[model].title),
                marker={"color": drawn[model].colour, "size": 6},
                hovertext=[
                    literal(
                        say_count(
                            "{title}, {horizon} week ahead: {skill}",
                            "{title}, {horizon} weeks ahead: {skill}",
                            int(row["horizon"]),
                            title=drawn[model].title,
                            horizon=row["horizon"],
                            skill=_skill(row["skill"], row["low"], row["high"]),
                        )
                    )
                    for row in part.to_dict("records")
                ],
                hoverinfo="text",
                error_y=width if interval else None,
            )
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    weeks = sorted({int(horizon) for horizon in horizons["horizon"]})
    return figure(
        traces,
        height=360,
        x={"title": say("weeks ahead"), "tickvals": weeks, "showgrid": False, "nticks": 12},
        y={"title": say("skill against the reference"), "ticksuffix": percent_sign(""), "nticks": 6},
        hovermode="closest",
        shapes=[{**zero, "line": {"color": MUTED, "width": 1.5}}],
        margin={"l": 56, "r": 12, "t": 14, "b": 44},
    )


def course_chart(
    course: pd.DataFrame, models: Sequence[str], reference: str, drawn: Mapping[str, Stroke], loss: str
) -> go.Figure:
    """Return how the difference from the reference added up over the weeks forecast.

    Parameters
    ----------
    course : DataFrame
        As in `RecordComparison`.
    models : sequence of str
    reference : str
    drawn : mapping of model to Stroke
    loss : str
        What the losses are called.
    """
    traces: list[Any] = []
    for model in models:
        part = course[course["model"] == model]
        traces.append(
            go.Scatter(
                x=[f"{week:%Y-%m-%d}" for week in part["week"]],
                y=part["total"].round(3).tolist(),
                mode="lines",
                name=literal(drawn[model].title),
                line={"color": drawn[model].colour, "width": 2, "dash": drawn[model].dash},
                hovertemplate=say(
                    "{title}, week of %{{x}}: %{{y:+.1f}}<extra></extra>", title=literal(drawn[model].title)
                ),
            )
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return figure(
        traces,
        height=340,
        x={"type": "date", "showgrid": False, "nticks": 8, "tickformat": "%-d %b<br>%Y"},
        y={"title": say("{loss} saved against {reference}", loss=loss, reference=literal(reference)), "nticks": 6},
        hovermode="closest",
        shapes=[{**zero, "line": {"color": MUTED, "width": 1.5}}],
        margin={"l": 56, "r": 12, "t": 14, "b": 40},
    )


def murphy_chart(
    murphy: pd.DataFrame, models: Sequence[str], reference: str, drawn: Mapping[str, Stroke], *, chances: bool
) -> go.Figure:
    """Return the elementary scores of the models less those of the reference: below zero is better.

    Parameters
    ----------
    murphy : DataFrame
        model, threshold, score: one diagram of `forecast.evaluation.record_murphy.record_murphy`.
    models : sequence of str
    reference : str
        The line at zero.
    drawn : mapping of model to Stroke
    chances : bool
        Whether thresholds are probabilities; otherwise counts, on a logarithmic scale.
    """
    curves = murphy.pivot_table(index="threshold", columns="model", values="score")
    at = curves.index.to_numpy(np.float64)
    traces: list[Any] = []
    for model in [name for name in models if name in curves and name != reference]:
        difference = (curves[model] - curves[reference]).to_numpy(np.float64)
        traces.append(
            go.Scatter(
                x=at.round(4).tolist(),
                y=(1000 * difference).round(3).tolist(),
                mode="lines",
                name=literal(drawn[model].title),
                line={"color": drawn[model].colour, "width": 1.6, "dash": drawn[model].dash},
                hovertemplate=say("{title} at %{{x}}: %{{y:+.1f}}<extra></extra>", title=literal(drawn[model].title)),
            )
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    tens = {"type": "log", "tickvals": [0.1, 1, 10, 100, 1000]}
    scale = {"range": [0, 1], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1]} if chances else tens
    return figure(
        traces,
        height=250,
        x={"title": say("probability") if chances else say("count"), "showgrid": False, "nticks": 5, **scale},
        y={"title": say("difference, thousandths"), "nticks": 5},
        hovermode="closest",
        shapes=[{**zero, "line": {"color": MUTED, "width": 1.5}}],
        margin={"l": 52, "r": 14, "t": 14, "b": 44},
    )


def winner_map(
    polygons: Mapping[str, Mapping[str, Any]], regions: Units, where: pd.DataFrame, drawn: Mapping[str, Stroke]
) -> go.Figure:
    """Return the map of the best model of each region; grey where nothing happened, faint where chance may decide.

    Parameters
    ----------
    polygons : mapping of region name to GeoJSON geometry
    regions : Units
    where : DataFrame
        As in `RecordComparison`.
    drawn : mapping of model to Stroke
    """
    names = titles(regions)
    fills = {}
    for row in where.to_dict("records"):
        if row["label"] not in names:
            continue
        if not row["n"] or not row["events"]:
            if row["n"]:
                nothing = say("{region}: no event", region=names[row["label"]])
            else:
                nothing = say("{region}: no forecast", region=names[row["label"]])
            fills[row["label"]] = Fill(LAND, nothing)
            continue
        firm = row["p"] < FIRM
        values = {
            "region": names[row["label"]],
            "events": events(row["events"]),
            "best": drawn[row["best"]].title,
            "margin": percent(row["margin"]),
            "second": drawn[row["second"]].title,
        }
        if firm:
            text = say("{region}, {events}: {best}, {margin} better than {second}", **values)
        else:
            text = say("{region}, {events}: {best}, {margin} better than {second}, which may be chance", **values)
        fills[row["label"]] = Fill(drawn[row["best"]].colour, text, 1.0 if firm else FAINT)
    busy = where[where["events"] > 0].sort_values("events", ascending=False, kind="stable")
    return region_map(polygons, regions, fills, labelled=list(busy["label"]), first=list(busy["label"]))


def _skill(skill: float, low: float, high: float) -> str:
    interval = (
        ""
        if np.isnan(low) or np.isnan(high)
        else say(" ({low} to {high})", low=signed_decimal(100 * low, 1), high=signed_decimal(100 * high, 1))
    )
    return f"{percent_sign(signed_decimal(100 * skill, 1))}{interval}"
