"""Charts of one region or place: what was stated of it and what came, and its coming weeks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.language import say
from forecast.panel.weeks import WEEK
from forecast.plots.theme import CONTRAST, FORECAST, MUTED, PAPER, figure
from forecast.reporting.fan import PAST_WEEKS
from forecast.reporting.words import day, percent, percent_sign

_STEPS = (0.02, 0.05, 0.1, 0.2)
"""Between ticks of probability."""


def history_chart(said: pd.DataFrame) -> go.Figure:
    """Return the probability that each issue stated against its base rate, with marks that tell what came.

    Parameters
    ----------
    said : DataFrame
        One row an issue, in order: origin, probability, base_rate, met (NaN if not decided).
    """
    x = [f"{origin:%Y-%m-%d}" for origin in said["origin"]]
    stated = said["probability"].round(4).tolist()
    usual: list[Any] = [None if np.isnan(rate) else round(float(rate), 4) for rate in said["base_rate"]]
    marks = [_mark(met) for met in said["met"]]
    meaning = {"yes": say("it came"), "no": say("it did not come"), "": say("not yet known")}
    told = [
        say(
            "from {origin}: {probability} stated, base rate {rate}, {meaning}",
            origin=day(row["origin"]),
            probability=percent(row["probability"]),
            rate=percent(row["base_rate"]),
            meaning=meaning[_key(row["met"])],
        )
        for row in said.to_dict("records")
    ]
    marker = {
        "symbol": [mark[0] for mark in marks],
        "size": [mark[1] for mark in marks],
        "color": [mark[2] for mark in marks],
        "line": {"color": [mark[3] for mark in marks], "width": 1.5},
    }
    traces: list[Any] = [
        go.Scatter(x=x, y=usual, mode="lines", line={"color": MUTED, "width": 2, "dash": "dot"}, hoverinfo="skip"),
        go.Scatter(x=x, y=stated, mode="lines", line={"color": FORECAST, "width": 2}, hoverinfo="skip"),
        go.Scatter(x=x, y=stated, mode="markers", marker=marker, text=told, hoverinfo="text"),
    ]
    most = max([*stated, *(rate for rate in usual if rate is not None)])
    step = next((step for step in _STEPS if most <= 5 * step), _STEPS[-1])
    ticks = [round(step * at, 2) for at in range(int(1 / step) + 1)]
    return figure(
        traces,
        height=230,
        x={"type": "date", "showgrid": False, "nticks": 6, "tickformat": "%-d %b<br>%Y"},
        y={
            "range": [-0.04 * max(most, step), max(1.12 * most, step)],
            "tickvals": ticks,
            "ticktext": [percent_sign(f"{100 * tick:.0f}") for tick in ticks],
            "title": say("probability"),
        },
        hovermode="closest",
    )


def unit_fan(weeks: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return what the fan chart of a unit shows, as `forecast.reporting.fan.fan_frame`.

    Parameters
    ----------
    weeks : DataFrame
        Of `ArchivedIssue.weeks`, of the unit.
    outcomes : DataFrame
        Its known weeks: week, count. Those that have come since the forecast are among them.
    """
    if outcomes.empty:
        history = pd.DataFrame({"week": pd.DatetimeIndex([]), "observed": pd.array([], dtype="Int64")})
    else:
        first = max(outcomes["week"].min(), weeks["week"].min() - PAST_WEEKS * WEEK)
        span = pd.date_range(first, outcomes["week"].max(), freq=WEEK)
        counts = outcomes.set_index("week")["count"].astype("Int64").reindex(span)
        history = pd.DataFrame({"week": span, "observed": counts.to_numpy()})
    future = weeks.drop(columns=["horizon", "unit", "unit_kind"])
    history, future = (
        history.reindex(columns=future.columns.union(["observed"])),
        future.assign(observed=pd.array([pd.NA] * len(future), dtype="Int64")),
    )
    return pd.concat([history.astype({"observed": "Int64"}), future], ignore_index=True)


def _key(met: float) -> str:
    return "" if np.isnan(met) else "yes" if met else "no"


def _mark(met: float) -> tuple[str, int, str, str]:
    """Return symbol, size, colour and outline."""
    return {
        "yes": ("diamond", 11, CONTRAST, CONTRAST),
        "no": ("circle", 7, PAPER, FORECAST),
        "": ("circle", 4, MUTED, MUTED),
    }[_key(met)]
