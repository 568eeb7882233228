"""Skill by weeks ahead: how much better than the reference, with intervals, models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.errors import InputError, unknown_name
from forecast.language import decimal, say, say_count
from forecast.plots.chart import SERIES, Backend, Chart, Theme, chart, number_axis, shown
from forecast.plots.columns import once, tidy
from forecast.plots.figures import MINUS, percent_sign
from forecast.plots.theme import MUTED, literal

_SPREAD = 0.6
"""Share of a week ahead over which the models stand side by side."""
_MARKS = ("circle", "diamond", "square")


def skill_by_horizon(
    frame: pd.DataFrame,
    *,
    models: Sequence[str] = (),
    reference: str = "",
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return the skill of models against a reference by weeks ahead.

    Parameters
    ----------
    frame : DataFrame
        model, horizon (weeks ahead), skill (1 less the ratio of the mean scores: 0 is as good as the reference, 1 is
        perfect), as ``horizons`` of `forecast.evaluation.record_comparison.RecordComparison`. Optionally low and high,
        the ends of an interval. Rows without a skill are left out.
    models : sequence of str
        Which ones, in this order; all of the frame but the reference if not given. At most six.
    reference : str, optional
        What the reference is called.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, a model that is not there, more than six, and two rows for one model and horizon.

    Examples
    --------
    >>> frame = pd.DataFrame({"model": "pool", "horizon": [1, 2], "skill": [0.05, 0.03]})
    >>> skill_by_horizon(frame).data[0].y
    (5.0, 3.0)
    """
    data = skill_by_horizon_data(frame, models=models, reference=reference)
    names = list(dict.fromkeys(data["model"]))
    traces: list[Any] = []
    for at, model in enumerate(names):
        mine = data[data["model"] == model]
        colour = SERIES[at]
        x = (mine["horizon"] + _SPREAD * ((at + 0.5) / len(names) - 0.5)).round(3).tolist()
        ends = zip(x, mine["low"], mine["high"], strict=True)
        bars = [(place, low, high) for place, low, high in ends if np.isfinite([low, high]).all()]
        traces.append(
            go.Scatter(
                x=x,
                y=mine["skill"].tolist(),
                mode="markers",
                marker={"color": colour, "size": 8, "symbol": _MARKS[at % len(_MARKS)]},
                name=literal(model),
                showlegend=True,
                text=[_told(row) for row in mine.to_dict("records")],
                hoverinfo="text",
            )
        )
        if bars:
            feet: list[Any] = [place for foot, _, _ in bars for place in (foot, foot, None)]
            heights: list[Any] = [end for _, low, high in bars for end in (low, high, None)]
            traces.append(
                go.Scatter(
                    x=feet,
                    y=heights,
                    mode="lines",
                    line={"color": colour, "width": 1.5},
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
    values = data[["skill", "low", "high"]].to_numpy(np.float64)
    low, high = min(float(np.nanmin(values)), 0.0), max(float(np.nanmax(values)), 0.0)
    room = 0.08 * max(high - low, 1.0)
    ticks = number_axis(low - room, high + room, most=6)
    ticks["ticktext"] = [percent_sign(text) for text in ticks["ticktext"]]
    weeks = sorted({int(horizon) for horizon in data["horizon"]})
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": {"color": MUTED, "width": 1.5}}
    told = say("Above 0: better than {reference}.", reference=reference or say("the reference"))
    if len(data) and np.isfinite(values[:, 1:]).all():
        told = say("{lead} Bars: intervals.", lead=told)
    plot = chart(
        traces,
        title=title or say("Skill by weeks ahead"),
        note=told,
        height=280,
        x={
            "title": say("weeks ahead"),
            "range": [weeks[0] - 0.5, weeks[-1] + 0.5],
            "tickvals": weeks,
            "ticktext": [str(week) for week in weeks],
            "showgrid": False,
        },
        y={"title": say("skill"), "range": [low - room, high + room], **ticks},
        key=True,
        shapes=[zero],
        margin={"l": 60, "b": 52},
    )
    return shown(plot, backend, theme)


def skill_by_horizon_data(frame: pd.DataFrame, *, models: Sequence[str] = (), reference: str = "") -> pd.DataFrame:
    """Return model, horizon, skill, low, high in percent, models in the order in which they are drawn."""
    what = "skill"
    rows = tidy(
        frame,
        {"model": "name", "horizon": "count", "skill": "known number"},
        {"low": "known number", "high": "known number"},
        what=what,
    )
    once(rows, "model", "horizon", what=what)
    rows = rows.reindex(columns=["model", "horizon", "skill", "low", "high"]).dropna(subset="skill")
    known = list(dict.fromkeys(rows["model"]))
    for model in models:
        if model not in known:
            raise unknown_name("model", model, known, where=f"the frame of {what}")
    chosen = list(models) or [model for model in known if model != reference]
    if not 0 < len(chosen) <= len(SERIES):
        raise InputError(
            f"{len(chosen)} models with a skill",
            where=f"the frame of {what}",
            expected=f"1 to {len(SERIES)}, which can be told apart",
            hint="name some: models=[...]",
        )
    rows[["skill", "low", "high"]] = (100 * rows[["skill", "low", "high"]].astype(np.float64)).round(2)
    rows["order"] = rows["model"].map({name: at for at, name in enumerate(chosen)})
    mine = rows.dropna(subset="order").sort_values(["order", "horizon"])
    return mine.drop(columns="order").reset_index(drop=True)


def _told(row: dict[Any, Any]) -> str:
    skill, low, high = (decimal(row[name], 1).replace("-", MINUS) for name in ("skill", "low", "high"))
    if np.isfinite([row["low"], row["high"]]).all():
        skill = say("{skill} ({low} to {high})", skill=percent_sign(skill), low=low, high=high)
    else:
        skill = percent_sign(skill)
    told = say_count(
        "{title}, {horizon} week ahead: {skill}",
        "{title}, {horizon} weeks ahead: {skill}",
        int(row["horizon"]),
        title=row["model"],
        horizon=int(row["horizon"]),
        skill=skill,
    )
    return literal(told)
