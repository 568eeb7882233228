"""The page of one region or place: its latest forecast, what was stated of it before and what came, its weeks."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.evaluation.scores import brier
from forecast.language import say, say_count
from forecast.reporting.fan import fan_chart, fan_rows
from forecast.reporting.figure import Figure
from forecast.reporting.headline import against_base
from forecast.reporting.page import language_links, render_page
from forecast.reporting.rules import quoted
from forecast.reporting.scale import plain_word
from forecast.reporting.site.cells import Link, LinkedTable, brier_told, came, decimal, issue_title, needed
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
            say("Fan chart. {caption}", caption=_fan_caption(unit, latest, weeks)),
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
        languages=language_links(content.languages),
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
    sentence = f"{rule.sentence[:1].upper()}{rule.sentence[1:]}"
    text: str = say("{sentence}. {comparison}.", sentence=sentence, comparison=compared)
    if not math.isnan(row["level"]):
        text = say("{text} The mark to reach is {count}.", text=text, count=events(row["level"]))
    return Asked(rule.title, text, row["probability"], row["base_rate"])


def _history(content: SiteContent, unit: SiteUnit, said: pd.DataFrame, rule: RuleText, at: int) -> History:
    told = [(content.issues[row["at"]], row) for row in _rows(said, rule)]
    counted = pd.DataFrame(
        [{"origin": issue.origin, **row} for issue, row in reversed(told) if issue.counts],
        columns=["origin", "probability", "base_rate", "met"],
    ).sort_values("origin", kind="stable")
    figure = None
    if len(counted):
        caption = say(
            "The probability of {rule} that each of {issues} issues stated, against the base rate of the two years "
            "before; it came in {came}.",
            rule=quoted(rule.title),
            issues=number(len(counted)),
            came=number(counted["met"].sum()),
        )
        label = say("Stated and came, {unit}. {caption}", unit=unit.title, caption=caption)
        figure = Figure(f"history-{at}", label, caption, history_chart(counted))
    rows: list[list[str | Link]] = [
        [
            Link(issue_title(issue), f"{_ROOT}/{issue.path}/{content.page}"),
            percent(row["probability"]),
            percent(row["base_rate"]),
            needed(row["level"]),
            came(row["met"], row["met_first"]),
        ]
        for issue, row in told
    ]
    columns: list[tuple[str, bool]] = [
        (say("Forecast from"), False),
        (say("Stated"), True),
        (say("Base rate"), True),
        (say("Events needed"), True),
        (say("It came"), False),
    ]
    return History(
        rule.title,
        _lead(counted, rule),
        figure,
        LinkedTable(say("{rule}: what each issue stated, and what came", rule=rule.title), columns, rows),
    )


def _lead(counted: pd.DataFrame, rule: RuleText) -> str:
    if counted.empty:
        return say("No issue of the track record speaks of {rule}.", rule=quoted(rule.title))
    decided = counted.dropna(subset=["met"])
    if decided.empty:
        return say("Of no statement about {rule} it is known yet whether it came true.", rule=quoted(rule.title))
    stated, met = decided["probability"].sum(), int(decided["met"].sum())
    start = say_count(
        "{decided} statement is decided: {stated} were to come true, and {came} did.",
        "{decided} statements are decided: {stated} were to come true, and {came} did.",
        len(decided),
        decided=number(len(decided)),
        stated=decimal(stated, 1),
        came=number(met),
    )
    both = decided.dropna(subset=["base_rate"])
    if both.empty:
        return start
    mine, base = (float(brier(both[column], both["met"]).mean()) for column in ("probability", "base_rate"))
    return brier_told(start, mine, base)


def _recent(known: pd.DataFrame) -> LinkedTable:
    corrected = bool((known["count"] != known["count_first"]).any())
    rows = [
        [day(row["week"]), number(row["count"]), *([number(row["count_first"])] if corrected else [])]
        for row in known.tail(_RECENT).iloc[::-1].to_dict("records")
    ]
    columns: list[tuple[str, bool]] = [(say("Week of"), False), (say("Events"), True)]
    columns += [(say("First known"), True)] if corrected else []
    return LinkedTable(say("The last weeks that are known to this archive"), columns, rows)


def _fan_caption(unit: SiteUnit, latest: ArchivedIssue, weeks: pd.DataFrame) -> str:
    mean = float(weeks["mean"].sum())
    return say_count(
        "{unit}, as forecast from {origin}: {events} expected in {weeks} week. Bars are the weeks that are known.",
        "{unit}, as forecast from {origin}: {events} expected in {weeks} weeks. Bars are the weeks that are known.",
        len(weeks),
        unit=unit.title,
        origin=day(latest.origin),
        events=expected_events(mean),
        weeks=len(weeks),
    )


def _facts(unit: SiteUnit, issues: list[ArchivedIssue], known: pd.DataFrame) -> list[tuple[str, str]]:
    last = known.iloc[-1] if len(known) else None
    return [
        (say("Forecasts"), number(sum(issue.counts for issue in issues))),
        (say("First origin"), day(min(issue.origin for issue in issues))),
        (say("Latest origin"), day(issues[0].origin)),
        (say("Last known week"), UNKNOWN if last is None else _last_week(last)),
    ]


def _last_week(row: pd.Series) -> str:
    return say("{events}, week of {week}", events=events(row["count"]), week=day(row["week"]))
