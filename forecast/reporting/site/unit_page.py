"""The page of one region or place: its latest forecast, what was stated of it before and what came, its weeks."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.evaluation.scores import brier
from forecast.reporting.fan import fan_chart, fan_rows
from forecast.reporting.figure import Figure
from forecast.reporting.headline import against_base
from forecast.reporting.page import render_page
from forecast.reporting.rules import quoted
from forecast.reporting.scale import plain_word
from forecast.reporting.site.cells import Link, LinkedTable, came, decimal, needed
from forecast.reporting.site.content import ArchivedIssue, RuleText, SiteContent, SiteUnit, UnitKey
from forecast.reporting.site.unit_charts import history_chart, unit_fan
from forecast.reporting.words import UNKNOWN, day, events, expected_events, number, percent

_ROOT = "../.."
_RECENT = 12
"""So many of the last known weeks stand in the table."""


@dataclass(frozen=True)
class Asked:
    """What the latest forecast says of an escalation.

    Parameters
    ----------
    title, text : str
    probability, base_rate : float
    """

    title: str
    text: str
    probability: float
    base_rate: float

    @property
    def word(self) -> str:
        """The expression of the plain-language scale."""
        return plain_word(self.probability)


@dataclass(frozen=True)
class History:
    """What was stated about an escalation, and what came.

    Parameters
    ----------
    title, lead : str
    figure : Figure or None
    table : LinkedTable
    """

    title: str
    lead: str
    figure: Figure | None
    table: LinkedTable


def said_of_units(content: SiteContent) -> dict[UnitKey, pd.DataFrame]:
    """Return what issues said of each region and place, the latest first.

    They are those of the report that the site is about; where it never spoke of a unit, those of all reports.

    Returns
    -------
    mapping of UnitKey to DataFrame
        Columns of `ArchivedIssue.statements`, and ``at``: which of the issues said it.
    """
    tables = [issue.statements.assign(at=at) for at, issue in enumerate(content.issues)]
    found = {}
    for key, said in pd.concat(tables, ignore_index=True).groupby(["unit_kind", "unit"], sort=False):
        own = said[[content.issues[at].report == content.report for at in said["at"]]]
        found[str(key[0]), str(key[1])] = own if len(own) else said
    return found


def render_unit(content: SiteContent, unit: SiteUnit, said: pd.DataFrame) -> str:
    """Return the page as HTML, two folders below the site.

    Parameters
    ----------
    content : SiteContent
    unit : SiteUnit
    said : DataFrame
        Its rows of `said_of_units`.
    """
    mine = [content.issues[at] for at in said["at"].unique()]
    latest = mine[0]
    histories = [_history(content, unit, said, rule, at) for at, rule in enumerate(latest.rules, start=1)]
    now = said[said["at"] == said["at"].iloc[0]]
    known = _of(content.outcomes, unit).sort_values("week")
    weeks = _of(latest.weeks, unit)
    fan = None
    if len(weeks):
        frame = unit_fan(weeks, known)
        fan = Figure(
            "fan",
            f"Fan chart. {_fan_caption(unit, latest, weeks)}",
            _fan_caption(unit, latest, weeks),
            fan_chart(frame),
        )
    figures = [each.figure for each in histories if each.figure] + ([fan] if fan else [])
    return render_page(
        "site/unit.html.j2",
        figures,
        assets=f"{_ROOT}/assets",
        content=content,
        root=_ROOT,
        unit=unit,
        latest=latest,
        dropped=latest is not content.latest,
        asked=[_asked(row, rule) for rule in latest.rules for row in _rows(now, rule)],
        histories=histories,
        fan=fan,
        fan_rows=fan_rows(weeks) if fan else [],
        recent=_recent(known),
        facts=_facts(unit, mine, known),
    )


def _of(table: pd.DataFrame, unit: SiteUnit) -> pd.DataFrame:
    return table[(table["unit_kind"] == unit.kind) & (table["unit"] == unit.name)]


def _rows(said: pd.DataFrame, rule: RuleText) -> list[dict[Hashable, Any]]:
    """Return what was said of an escalation as it is defined."""
    return said[said["definition"] == rule.definition].to_dict("records")


def _asked(row: Mapping[Any, Any], rule: RuleText) -> Asked:
    compared = against_base(row["probability"], row["base_rate"], int(row["base_origins"]))
    mark = "" if math.isnan(row["level"]) else f" The mark to reach is {events(row['level'])}."
    sentence = f"{rule.sentence[:1].upper()}{rule.sentence[1:]}."
    return Asked(rule.title, f"{sentence} {compared}.{mark}", row["probability"], row["base_rate"])


def _history(content: SiteContent, unit: SiteUnit, said: pd.DataFrame, rule: RuleText, at: int) -> History:
    told = [(content.issues[row["at"]], row) for row in _rows(said, rule)]
    counted = pd.DataFrame(
        [{"origin": issue.origin, **row} for issue, row in reversed(told) if issue.counts],
        columns=["origin", "probability", "base_rate", "met"],
    ).sort_values("origin", kind="stable")
    figure = None
    if len(counted):
        caption = (
            f"The probability of {quoted(rule.title)} that each of {number(len(counted))} issues stated, against the "
            f"base rate of the two years before; it came in {number(counted['met'].sum())}."
        )
        label = f"Stated and came, {unit.title}. {caption}"
        figure = Figure(f"history-{at}", label, caption, history_chart(counted))
    rows: list[list[str | Link]] = [
        [
            Link(
                day(issue.origin) + (f", issue {issue.revision}" if issue.revision > 1 else ""),
                f"{_ROOT}/{issue.path}/index.html",
            ),
            percent(row["probability"]),
            percent(row["base_rate"]),
            needed(row["level"]),
            came(row["met"], row["met_first"]),
        ]
        for issue, row in told
    ]
    columns = [
        ("Forecast from", False),
        ("Stated", True),
        ("Base rate", True),
        ("Events needed", True),
        ("It came", False),
    ]
    return History(
        rule.title,
        _lead(counted, rule),
        figure,
        LinkedTable(f"{rule.title}: what each issue stated, and what came", columns, rows),
    )


def _lead(counted: pd.DataFrame, rule: RuleText) -> str:
    if counted.empty:
        return f"No issue of the track record speaks of {quoted(rule.title)}."
    decided = counted.dropna(subset=["met"])
    if decided.empty:
        return f"Of no statement about {quoted(rule.title)} it is known yet whether it came true."
    stated, met = decided["probability"].sum(), int(decided["met"].sum())
    start = f"{number(len(decided))} statements are decided: {stated:.1f} were to come true, and {number(met)} did."
    both = decided.dropna(subset=["base_rate"])
    if both.empty:
        return start
    mine, base = (float(brier(both[column], both["met"]).mean()) for column in ("probability", "base_rate"))
    return f"{start} Brier score {decimal(mine, 3)}, that of the base rate {decimal(base, 3)}."


def _recent(known: pd.DataFrame) -> LinkedTable:
    corrected = bool((known["count"] != known["count_first"]).any())
    rows = [
        [day(row["week"]), number(row["count"]), *([number(row["count_first"])] if corrected else [])]
        for row in known.tail(_RECENT).iloc[::-1].to_dict("records")
    ]
    columns = [("Week of", False), ("Events", True), *([("First known", True)] if corrected else [])]
    return LinkedTable("The last weeks that are known to this archive", columns, rows)


def _fan_caption(unit: SiteUnit, latest: ArchivedIssue, weeks: pd.DataFrame) -> str:
    mean = float(weeks["mean"].sum())
    return (
        f"{unit.title}, as forecast from {day(latest.origin)}: {expected_events(mean)} expected in "
        f"{len(weeks)} weeks. Bars are the weeks that are known."
    )


def _facts(unit: SiteUnit, issues: list[ArchivedIssue], known: pd.DataFrame) -> list[tuple[str, str]]:
    last = known.iloc[-1] if len(known) else None
    return [
        ("Forecasts", number(sum(issue.counts for issue in issues))),
        ("First origin", day(min(issue.origin for issue in issues))),
        ("Latest origin", day(issues[0].origin)),
        ("Last known week", UNKNOWN if last is None else f"{events(last['count'])}, week of {day(last['week'])}"),
    ]
