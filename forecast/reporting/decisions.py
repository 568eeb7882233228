"""What acting on the headline model's probabilities would have brought: alarms, lead time, value by cost and loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_decisions import record_decisions
from forecast.language import decimal, say
from forecast.plots.theme import BAND_95, DARK, FORECAST, MUTED, OTHERS, figure, literal
from forecast.predictive.escalation import Escalation
from forecast.reporting.figure import Figure
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.words import DASH, UNKNOWN, bare, frequency, number, percent_sign

_LEAST = -0.3
"""The value curve is drawn from here on: what is below is better not used in any case."""


@dataclass(frozen=True)
class AlarmTable:
    """The alarms of one escalation.

    Parameters
    ----------
    title : str
        The escalation, and how often it came.
    rows : list of dict
        One a threshold: threshold, hits, false, warned, lead, each as (text, interval).
    """

    title: str
    rows: list[dict[str, tuple[str, str]]]


@dataclass(frozen=True)
class DecisionPart:
    """What the report says of acting on the probabilities of one record.

    Parameters
    ----------
    tables : tuple of AlarmTable
        The headline escalation first.
    figure : Figure or None
        The value curves.
    keys : list of (title, light colour, dark colour)
        Of the curves.
    """

    tables: tuple[AlarmTable, ...]
    figure: Figure | None
    keys: list[tuple[str, str, str]]


def decision_part(
    record: BacktestRecord,
    model: str,
    escalations: Sequence[Escalation],
    headline: str,
    *,
    anchor: str,
    title: str = "",
) -> DecisionPart | None:
    """Return what is to be said; None if the record holds no case.

    Parameters
    ----------
    record : BacktestRecord
    model : str
    escalations : sequence of Escalation
    headline : str
        The escalation that stands first.
    anchor : str
        Id of the figure.
    title : str
        What the record is called; its name if not given.
    """
    found, called = record_decisions(record, [model], escalations), rule_titles(escalations)
    if found.alarms.empty:
        return None
    tables = {name: found.alarms[found.alarms["escalation"] == name] for name in called}
    order = [name for name in (headline, *(name for name in called if name != headline)) if len(tables[name])]
    colours = dict(zip(order, (FORECAST, *OTHERS), strict=False))
    curves = found.values[found.values["value"].notna() & found.values["escalation"].isin(colours)]
    drawn = None
    if len(curves):
        caption = _caption(curves, order[0], called[order[0]])
        label = say("Value of acting, record {value}. {caption}", value=title or record.name, caption=caption)
        drawn = Figure(anchor, label, caption, value_chart(curves, order, called, colours))
    return DecisionPart(
        tuple(_table(called[name], tables[name]) for name in order),
        drawn,
        [(called[name], colour, DARK[colour]) for name, colour in colours.items()],
    )


def value_chart(
    curves: pd.DataFrame, order: Sequence[str], titles: dict[str, str], colours: dict[str, str]
) -> go.Figure:
    """Return the value of acting by the ratio of cost to loss, the first escalation with its interval.

    Parameters
    ----------
    curves : DataFrame
        escalation, ratio, value, low, high.
    order : sequence of str
        Escalations, the one in front first.
    titles, colours : dict of escalation to str
    """
    front = curves[(curves["escalation"] == order[0]) & curves["low"].notna() & curves["high"].notna()]
    traces: list[Any] = []
    if len(front):
        ratio, low, high = (front[name].round(4).tolist() for name in ("ratio", "low", "high"))
        traces.append(
            go.Scatter(
                x=[*ratio, *reversed(ratio)],
                y=[*high, *reversed(low)],
                mode="lines",
                fill="toself",
                fillcolor=BAND_95,
                line={"width": 0},
                hoverinfo="skip",
            )
        )
    for name in reversed([name for name in order if name in colours]):
        part, mine = curves[curves["escalation"] == name], name == order[0]
        traces.append(
            go.Scatter(
                x=part["ratio"].round(3).tolist(),
                y=part["value"].round(4).tolist(),
                mode="lines",
                name=literal(titles[name]),
                line={"color": colours[name], "width": 3 if mine else 1.5},
                hovertemplate=say(
                    "{titles}, cost over loss %{{x:.2f}}: %{{y:.2f}}<extra></extra>", titles=literal(titles[name])
                ),
            )
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return figure(
        traces,
        height=260,
        x={"range": [0, 1], "tickvals": [0, 0.25, 0.5, 0.75, 1], "showgrid": False, "title": say("cost over loss")},
        y={"range": [_LEAST, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1], "title": say("value")},
        hovermode="closest",
        shapes=[{**zero, "line": {"color": MUTED, "width": 1}}],
    )


def _table(title: str, alarms: pd.DataFrame) -> AlarmTable:
    first = alarms.iloc[0]
    cases = say("{hits} of {cases} cases", hits=number(first["hits"] + first["misses"]), cases=number(first["cases"]))
    title = say(
        "{title}: came in {cases}, in {episodes} episodes", title=title, cases=cases, episodes=number(first["episodes"])
    )
    return AlarmTable(title, [_row(row) for row in alarms.to_dict("records")])


def _row(row: dict[Any, Any]) -> dict[str, tuple[str, str]]:
    """Return each cell as what it says and, below it, its interval."""
    return {
        "threshold": (percent_sign(f"{100 * row['threshold']:g}"), ""),
        "hits": _with_interval(row, "hit_rate", frequency),
        "false": _with_interval(row, "false_per_quarter", _one_decimal),
        "warned": (number(row["warned"]), ""),
        "lead": _with_interval(row, "lead_weeks", _one_decimal),
    }


def _with_interval(row: dict[Any, Any], name: str, told: Callable[[float], str]) -> tuple[str, str]:
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))
    if math.isnan(value):
        return UNKNOWN, ""
    # Without any spread over the resamples (nothing was ever raised) there is no interval to tell.
    if math.isnan(low) or math.isnan(high) or low == high:
        return told(value), ""
    return told(value), f"{bare(told(low))}{DASH}{told(high)}"


def _one_decimal(value: float) -> str:
    return decimal(value, 1)


def _caption(curves: pd.DataFrame, name: str, title: str) -> str:
    part = curves[curves["escalation"] == name]
    sure = part[part["low"] > 0]
    if sure.empty:
        if part["low"].isna().all():
            return say("The record is too short for intervals.")
        return say("At no ratio is the value of {title} above zero beyond chance.", title=quoted(title))
    low, high = decimal(sure["ratio"].min(), 2), decimal(sure["ratio"].max(), 2)
    ends = low if low == high else say("{low} to {high}", low=low, high=high)
    return say(
        "For {title} the value is above zero beyond chance where acting costs {ends} of the loss; "
        "at most it is {value}. The band is its 90\u00a0% interval.",
        title=quoted(title),
        ends=ends,
        value=decimal(part["value"].max(), 2),
    )
