"""What the report says of what has changed since the last issue: probabilities then and now, and what moved them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.language import said, say, say_count
from forecast.plots.names import short_labels
from forecast.plots.theme import CONTRAST, DARK, FORECAST, INK, MUTED, OBSERVED, OTHERS, figure, literal
from forecast.predictive.escalation import Escalation
from forecast.reporting.figure import Figure
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.words import apart, day, events, expected, listing, number, percent, points

PARTS = ("rest", "corrections", "later", "events", "weights")
"""In the order in which they are told apart: each is the difference that one more swapped input makes."""
PART_TITLES = {
    "events": say("New weeks"),
    "weights": say("Shares and recalibration"),
    "corrections": say("Corrected data"),
    "later": say("Later weeks"),
    "rest": say("Code and settings"),
}
"""In the order in which they are shown."""
PART_MEANINGS = {
    "events": say("what the weeks since have brought, with the models fitted to it"),
    "weights": say("what the combined forecast has learned since of its members and of its own calibration"),
    "corrections": say("weeks that were known then and have other counts now"),
    "later": say("the weeks asked about are later ones; so it would have been said of them then"),
    "rest": say("other code or settings, and corrections of weeks before the ledger began"),
}
COLOURS = dict(zip(PART_TITLES, (FORECAST, OTHERS[1], CONTRAST, OBSERVED, OTHERS[2]), strict=True))
SHOWN = 12
"""The most regions and places that the figure shows."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What has changed since the last issue.

    Parameters
    ----------
    origin : Timestamp
        First day of the first week that it forecast.
    issued_at : datetime
    table : DataFrame
        One row a unit and escalation: unit_kind, unit, escalation, then, now, and `PARTS`, which add up to their
        difference; NaN where either is not known, or the escalation was another one then.
    weeks : DataFrame
        What came since: unit_kind, unit, week, count, expected (by the last issue; NaN if unknown).
    corrected : DataFrame
        Counts of weeks before the last issue that are others now: unit_kind, unit, week, then, now; -1 is unknown.
    shares : DataFrame
        Of the members of the combined forecast in regions: model, then, now; empty without one.
    """

    origin: pd.Timestamp
    issued_at: dt.datetime
    table: pd.DataFrame
    weeks: pd.DataFrame
    corrected: pd.DataFrame
    shares: pd.DataFrame


@dataclass(frozen=True)
class ChangesPart:
    """What the report says of them.

    Parameters
    ----------
    lead : str
    keys : list of (title, meaning, light colour, dark colour)
        Of the parts that are not zero everywhere.
    figure : Figure or None
    parts : list of str
        Titles of the same parts: columns of the table.
    rows : list of dict
        One a region or place, the largest change first: unit, then, now, change, parts (texts), came.
    shares : str
        A sentence; empty if no share has changed.
    """

    lead: str
    keys: list[tuple[str, str, str, str]]
    figure: Figure | None
    parts: list[str]
    rows: list[dict[str, Any]]
    shares: str


def changes_part(
    changes: Changes | None,
    escalations: Sequence[Escalation],
    headline: str,
    called: Mapping[str, str],
    listed: int | None = None,
) -> ChangesPart | None:
    """Return what is to be said; None if there is no last issue that asked the same question.

    Parameters
    ----------
    changes : Changes or None
    escalations : sequence of Escalation
    headline : str
        The escalation that is shown.
    called : mapping of unit to str
        Titles of regions and places.
    listed : int, optional
        Rows of the table at most, those with the largest changes; all if not given.
    """
    if changes is None:
        return None
    table = changes.table[changes.table["escalation"] == headline].dropna(subset=["then", "now"])
    if table.empty:
        return None
    table = table.assign(change=table["now"] - table["then"])
    order = table["change"].abs().round(6)
    table = table.assign(order=order).sort_values(["order", "unit"], ascending=[False, True], ignore_index=True)
    parts = [name for name in PART_TITLES if (table[name].abs() > 1e-9).any()]
    title = rule_titles(escalations)[headline]
    moved = table[table["change"].abs() >= 0.005].head(SHOWN)
    came = _came(changes)
    return ChangesPart(
        lead=_lead(changes, table, title, called),
        keys=[(PART_TITLES[name], PART_MEANINGS[name], COLOURS[name], DARK[COLOURS[name]]) for name in parts],
        figure=_figure(moved, parts, title) if len(moved) and parts else None,
        parts=[PART_TITLES[name] for name in parts],
        rows=[
            {
                "unit": called.get(row["unit"], row["unit"]),
                "then": percent(row["then"]),
                "now": percent(row["now"]),
                "change": points(row["change"]),
                "parts": [points(row[name]) for name in parts],
                "came": came.get((row["unit_kind"], row["unit"]), ""),
            }
            for row in table.head(len(table) if listed is None else listed).to_dict("records")
        ],
        shares=_share_sentence(changes.shares),
    )


def change_chart(moved: pd.DataFrame, parts: Sequence[str]) -> go.Figure:
    """Return the parts of each change as bars to both sides of zero, and the change itself as a mark.

    Parameters
    ----------
    moved : DataFrame
        unit, change, and a column for each part; the first row on top.
    parts : sequence of str
    """
    names = [literal(label) for label in short_labels(moved["unit"].tolist()).values()]
    shown = 100 * moved[[*parts, "change"]]
    bars: list[dict[str, Any]] = [
        {
            "y": names,
            "x": shown[name].round(2).tolist(),
            "orientation": "h",
            "marker": {"color": COLOURS[name]},
            "hovertemplate": say("%{{y}}, {part}: %{{x:+.1f}}<extra></extra>", part=_lower(PART_TITLES[name])),
        }
        for name in parts
    ]
    mark: dict[str, Any] = {
        "y": names,
        "x": shown["change"].round(2).tolist(),
        "mode": "markers",
        "marker": {"symbol": "line-ns", "size": 18, "line": {"color": INK, "width": 3}},
        "hovertemplate": say("%{{y}}, in all: %{{x:+.1f}}<extra></extra>"),
    }
    zero = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": 0, "x1": 0}
    return figure(
        [*(go.Bar(**bar) for bar in bars), go.Scatter(**mark)],
        height=70 + 26 * len(names),
        x={"title": say("percentage points"), "nticks": 7, "tickformat": "d"},
        y={"type": "category", "autorange": "reversed", "showgrid": False, "ticks": "", "dtick": 1},
        barmode="relative",
        bargap=0.35,
        hovermode="closest",
        shapes=[{**zero, "line": {"color": MUTED, "width": 1}}],
    )


def _lead(changes: Changes, table: pd.DataFrame, title: str, called: Mapping[str, str]) -> str:
    regions = table[table["unit_kind"] == "region"]
    risen, fallen = (int((sign * regions["change"] >= 0.005).sum()) for sign in (1, -1))
    told = say_count(
        "Against the forecast that starts on {origin}, issued on {issued_at}, the probability of "
        "{title} has risen in {risen} region and fallen in {fallen}.",
        "Against the forecast that starts on {origin}, issued on {issued_at}, the probability of "
        "{title} has risen in {risen} regions and fallen in {fallen}.",
        risen,
        origin=day(changes.origin),
        issued_at=f"{changes.issued_at:%Y-%m-%d}",
        title=quoted(title),
        risen=number(risen),
        fallen=number(fallen),
    )
    top = table.iloc[0]
    if abs(top["change"]) < 0.005:
        return say("{told} No change is as large as one point.", told=told)
    return say(
        "{told} The largest change: {unit}, from {then} to {now}.",
        told=told,
        unit=called.get(top["unit"], top["unit"]),
        then=percent(top["then"]),
        now=percent(top["now"]),
    )


def _figure(moved: pd.DataFrame, parts: Sequence[str], title: str) -> Figure:
    largest = {name: float(moved[name].abs().sum()) for name in parts}
    front = PART_TITLES[max(largest, key=lambda name: largest[name])]
    caption = say(
        "Change of the probability of {title} in percentage points: bars are its parts, the "
        "upright mark is their sum. Most of it comes from: {value}.",
        title=quoted(title),
        value=_lower(front),
    )
    return Figure(
        "changes-figure", say("What has changed. {caption}", caption=caption), caption, change_chart(moved, parts)
    )


def _lower(title: object) -> str:
    """Return a title as it stands within a sentence, in the language spoken."""
    told = str(said(title))
    return told[:1].lower() + told[1:]


def _came(changes: Changes) -> dict[tuple[str, str], str]:
    """Return in words what came to each unit since, and what was corrected."""
    told: dict[tuple[str, str], list[str]] = {}
    for key, part in changes.weeks.groupby(["unit_kind", "unit"]):
        usual = part["expected"].to_numpy(np.float64)
        came = events(part["count"].sum())
        if len(part) and np.isfinite(usual).all():
            came = say("{came}, {expected} expected", came=came, expected=expected(float(usual.sum())))
        told[_pair(key)] = [came]
    for key, part in changes.corrected.groupby(["unit_kind", "unit"]):
        last = part.iloc[-1]
        then, now = (say("unknown") if count < 0 else number(count) for count in (last["then"], last["now"]))
        text = say("week of {week} corrected from {then} to {now}", week=day(last["week"]), then=then, now=now)
        if len(part) > 1:
            more = len(part) - 1
            text = say_count(
                "{text}, and {more} more week", "{text}, and {more} more weeks", more, text=text, more=more
            )
        told.setdefault(_pair(key), []).append(text)
    return {key: apart(texts) for key, texts in told.items()}


def _pair(key: Any) -> tuple[str, str]:
    kind, unit = key
    return str(kind), str(unit)


def _share_sentence(shares: pd.DataFrame) -> str:
    if shares.empty or (shares["then"] - shares["now"]).abs().max() < 0.005:
        return ""
    told = [
        say("{model} {then} to {now}", model=row["model"], then=percent(row["then"]), now=percent(row["now"]))
        for row in shares.to_dict("records")
    ]
    return say("Mean shares of the members in the forecasts of regions, then and now: {told}.", told=listing(told))
