"""The page of one issue: what it said of every region and place, and what came."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from forecast.evaluation.scores import brier
from forecast.language import say
from forecast.reporting.page import language_links, render_page
from forecast.reporting.rules import quoted
from forecast.reporting.site.cells import Link, LinkedTable, brier_told, came, decimal, issue_title, needed, short_day
from forecast.reporting.site.content import ArchivedIssue, RuleText, SiteContent
from forecast.reporting.words import DASH, day, number, percent

_ROOT = "../../.."


@dataclass(frozen=True)
class Row:
    """A statement of an issue, as the table shows it.

    Parameters
    ----------
    unit : Link
    rule : RuleText
    probability, base_rate, level : float
    shown_probability, shown_base, shown_level, came : str
    """

    unit: Link
    rule: RuleText
    probability: float
    base_rate: float
    level: float
    shown_probability: str
    shown_base: str
    shown_level: str
    came: str


def render_archived(content: SiteContent, issue: ArchivedIssue) -> str:
    """Return the page as HTML, three folders below the site."""
    at = content.issues.index(issue)
    others = {say("Later"): content.issues[at - 1] if at else None, say("Earlier"): (*content.issues, None)[at + 1]}
    later = next((each for each in content.issues if each.path == issue.later), None)
    return render_page(
        "site/issue.html.j2",
        [],
        assets=f"{_ROOT}/assets",
        content=content,
        root=_ROOT,
        languages=language_links(content.languages),
        issue=issue,
        later=later,
        notes=_notes(issue),
        others={
            way: Link(issue_title(each), f"{_ROOT}/{each.path}/{content.page}")
            for way, each in others.items()
            if each is not None
        },
        rows=_table(content, issue),
        lead=_lead(issue),
        weeks=[table for kind in ("region", "place") if (table := _weeks(content, issue, kind)).rows],
        facts=[
            (say("Issued"), f"{issue.issued_at:%Y-%m-%d %H:%M} UTC"),
            (say("Data known until"), day(issue.known_until)),
            (say("First day forecast"), day(issue.origin)),
            (say("Model"), issue.model_title),
        ],
        provenance=[
            (say("Entry of the ledger"), str(issue.number)),
            (say("Link"), issue.link),
            (say("Report"), issue.report),
            (say("Data"), issue.vintage),
            (say("Settings"), issue.settings),
            (say("Code"), issue.code),
            (say("Version"), issue.version),
            (say("Model"), issue.model),
            (say("Draws"), number(issue.draws)),
            (say("Seed"), str(issue.seed)),
        ],
    )


def _table(content: SiteContent, issue: ArchivedIssue) -> list[Row]:
    """Return every statement: the escalation in front first, the highest probability first."""
    order = {rule.name: (at, rule) for at, rule in enumerate(issue.rules)}
    table = issue.statements.assign(order=[order[name][0] for name in issue.statements["escalation"]])
    table = table.sort_values(["order", "probability", "unit"], ascending=[True, False, True], kind="stable")
    rows = []
    for row in table.to_dict("records"):
        unit = content.units[row["unit_kind"], row["unit"]]
        rows.append(
            Row(
                Link(unit.title, f"{_ROOT}/{unit.path}/{content.page}"),
                order[row["escalation"]][1],
                row["probability"],
                row["base_rate"],
                row["level"],
                percent(row["probability"]),
                percent(row["base_rate"]),
                needed(row["level"]),
                came(row["met"], row["met_first"]),
            )
        )
    return rows


def _lead(issue: ArchivedIssue) -> str:
    """Return in two sentences how the issue has turned out."""
    said = issue.said("region")
    decided = said.dropna(subset=["met"])
    title = quoted(issue.front.title)
    if said.empty:
        return say("It stated nothing about regions.")
    if decided.empty:
        many = number(len(said))
        return say("Of its {many} statements about regions ({title}) none is decided yet.", many=many, title=title)
    told = say(
        "Of its {many} statements about regions ({title}) {decided} are decided: {stated} were to come true, "
        "and {came} did.",
        many=number(len(said)),
        title=title,
        decided=number(len(decided)),
        stated=decimal(decided["probability"].sum(), 1),
        came=number(decided["met"].sum()),
    )
    both = decided.dropna(subset=["base_rate"])
    if both.empty:
        return told
    mine, base = (float(brier(both[column], both["met"]).mean()) for column in ("probability", "base_rate"))
    return brier_told(told, mine, base)


def _notes(issue: ArchivedIssue) -> list[str]:
    notes: list[str] = []
    if issue.revision > 1:
        notes.append(
            say(
                "Issued again: this is issue {revision} of the same weeks. The first one is in the track record.",
                revision=issue.revision,
            )
        )
    if issue.simulated:
        notes.append(say("Simulated counts: nothing on this page describes a real place."))
    return [*notes, *issue.warnings]


def _weeks(content: SiteContent, issue: ArchivedIssue, kind: str) -> LinkedTable:
    """Return the weekly forecasts: the median and the central 80 % range."""
    mine = issue.weeks[issue.weeks["unit_kind"] == kind]
    rows: list[list[str | Link]] = []
    for name, part in mine.sort_values("horizon").groupby("unit", sort=False):
        unit = content.units[kind, str(name)]
        cells = [_median(row["q0.5"], row["q0.1"], row["q0.9"]) for row in part.to_dict("records")]
        rows.append([Link(unit.title, f"{_ROOT}/{unit.path}/{content.page}"), *cells])
    weeks = [short_day(week) for week in pd.DatetimeIndex(sorted(set(mine["week"])))]
    caption = say(
        "{units}: events in the week of each day, the median and the range that holds 80 % of the probability",
        units=say("Regions") if kind == "region" else say("Places"),
    )
    first = say("Region") if kind == "region" else say("Place")
    return LinkedTable(caption, [(first, False), *((week, True) for week in weeks)], rows)


def _median(middle: float, low: float, high: float) -> str:
    return f"{middle:.0f}" if low == high else f"{middle:.0f} ({low:.0f}{DASH}{high:.0f})"
