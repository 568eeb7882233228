"""The first page of the archive: the latest forecast, how earlier ones have turned out, every issue, all regions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from forecast.evaluation.issued import against_base_rate
from forecast.language import say, say_count
from forecast.plots.names import short_labels
from forecast.provenance import generator
from forecast.reporting.headline import against_base
from forecast.reporting.issued_part import FALSE_ALARMS, alarm_sentences, issued_part
from forecast.reporting.issued_tables import base_table
from forecast.reporting.page import language_links, render_page
from forecast.reporting.rules import quoted
from forecast.reporting.scale import plain_word
from forecast.reporting.site.cells import Link, LinkedTable, decimal, issue_title
from forecast.reporting.site.content import ArchivedIssue, SiteContent
from forecast.reporting.site.fared import Fared, fared
from forecast.reporting.words import MINUS, SPACE, UNKNOWN, apart, day, number, percent

TOP = 5
"""So many regions of the latest forecast are told on top."""
_NAMED = 3
"""So many regions of each issue."""
_WEEKS = 4
"""So many of the last known weeks are told of each region."""


@dataclass(frozen=True)
class Told:
    """A statement of the latest forecast.

    Parameters
    ----------
    unit : Link
    probability, base_rate : float
    text : str
    """

    unit: Link
    probability: float
    base_rate: float
    text: str

    @property
    def word(self) -> str:
        """The expression of the plain-language scale."""
        return plain_word(self.probability)


def render_index(content: SiteContent) -> str:
    """Return the page as HTML, with style and scripts in ``assets``."""
    latest, record = content.latest, content.record
    rules = [text.rule for text in latest.rules if text.rule is not None]
    titles = {text.name: text.title for text in latest.rules}
    part = issued_part(record, rules, latest.front.name, content.called) if latest.front.rule else None
    said = record.statements[record.statements["escalation"].isin(titles)]
    base = base_table(against_base_rate(said, generator(0, "issued", "base rate")), titles)
    return render_page(
        "site/index.html.j2",
        [],
        assets="assets",
        content=content,
        root=".",
        latest=latest,
        rule=quoted(latest.front.title),
        statements={kind: _told(content, kind) for kind in ("region", "place")},
        lead=part.lead if part else "",
        base=base,
        alarms=alarm_sentences(record)[:TOP],
        watched=bool(record.charts),
        false_alarms=FALSE_ALARMS,
        issues=issue_table(content),
        units=[table for kind in ("region", "place") if (table := unit_table(content, kind)).rows],
        facts=_facts(content),
        languages=language_links(content.languages),
    )


def issue_table(content: SiteContent) -> LinkedTable:
    """Return every issue, the latest first: what it said at the top, and how it has turned out."""
    turned = fared(content)
    several = len({issue.report for issue in content.issues}) > 1
    rows = [_issue_row(content, issue, turned.get(issue.number, Fared()), several) for issue in content.issues]
    columns: list[str] = [
        say("Forecast from"),
        say("Issued"),
        say("Said at the top"),
        say("Decided"),
        say("Stated"),
        say("Came"),
        say("Brier"),
        say("Base rate"),
        say("Gain, %"),
    ]
    headings = [(column, at > 2) for at, column in enumerate(columns)]
    caption = say(
        "Every issue, the latest first. What it said at the top: the regions with the highest probability of the "
        "escalation in front. How it fared, by the regions: how many of its statements about that are decided, how "
        "many were to come true and did, their Brier score, that of the base rate, and what was gained on it"
    )
    return LinkedTable(caption, [*headings, (say("Remarks"), False)], rows)


def unit_table(content: SiteContent, kind: str) -> LinkedTable:
    """Return every region, or every place, by its probability in the latest forecast."""
    latest = content.latest
    said = {row["unit"]: row for row in latest.said(kind).to_dict("records")}
    mine = content.record.statements
    mine = mine[(mine["unit_kind"] == kind) & (mine["escalation"] == latest.front.name)]
    told = mine.groupby("unit").agg(n=("met", "size"), stated=("probability", "sum"), came=("met", "sum"))
    totals = told.to_dict("index")
    known = content.outcomes[content.outcomes["unit_kind"] == kind].sort_values("week")
    recent = known.groupby("unit")["count"].apply(lambda counts: counts.tail(_WEEKS).sum())
    units = [unit for unit in content.units.values() if unit.kind == kind]
    rows: list[list[str | Link]] = []
    for unit in sorted(units, key=lambda unit: -said.get(unit.name, {}).get("probability", -1.0)):
        row, counts = said.get(unit.name), recent.get(unit.name)
        sums = totals.get(unit.name)
        rows.append(
            [
                Link(unit.title, f"{unit.path}/{content.page}"),
                UNKNOWN if row is None else percent(row["probability"]),
                UNKNOWN if row is None else percent(row["base_rate"]),
                UNKNOWN if counts is None else number(counts),
                "0" if sums is None else number(sums["n"]),
                UNKNOWN if sums is None else decimal(sums["stated"], 1),
                UNKNOWN if sums is None else number(sums["came"]),
            ]
        )
    columns: list[str] = [
        say("Region") if kind == "region" else say("Place"),
        say("Probability now"),
        say("Base rate"),
        say("Events, last {weeks} weeks", weeks=_WEEKS),
        say("Decided"),
        say("Stated"),
        say("Came"),
    ]
    caption = say(
        "{units}: probability of {rule} in the latest forecast; events in the last weeks that are known to this "
        "archive; and how many statements about it are decided, were to come true, and did",
        units=say("Regions") if kind == "region" else say("Places"),
        rule=quoted(latest.front.title),
    )
    return LinkedTable(caption, [(column, at > 0) for at, column in enumerate(columns)], rows)


def remarks(issue: ArchivedIssue, corrected: int) -> list[str]:
    """Return what is to be known of an issue beside what it said."""
    told: list[str] = []
    if issue.revision > 1:
        told.append(say("Issue {revision} of the same weeks, not in the track record", revision=issue.revision))
    if issue.later:
        told.append(say("Issued again since"))
    if corrected:
        many = number(corrected)
        told.append(say_count("One count corrected since", "{count} counts corrected since", corrected, count=many))
    if issue.warnings:
        count = len(issue.warnings)
        told.append(say_count("One warning", "{count} warnings", count, count=number(count)))
    return told


def _issue_row(content: SiteContent, issue: ArchivedIssue, turned: Fared, several: bool) -> list[str | Link]:
    top = issue.said("region").head(_NAMED).to_dict("records")
    called = short_labels([unit.name for unit in content.units.values()])
    told = ", ".join(f"{called[row['unit']]}{SPACE}{percent(row['probability'])}" for row in top)
    return [
        Link(issue_title(issue), f"{issue.path}/{content.page}"),
        f"{issue.issued_at:%Y-%m-%d}",
        told or UNKNOWN,
        number(turned.decided) if issue.counts else UNKNOWN,
        decimal(turned.stated, 1) if turned.decided else UNKNOWN,
        decimal(turned.came, 0) if turned.decided else UNKNOWN,
        decimal(turned.brier, 3),
        decimal(turned.brier_base, 3),
        UNKNOWN if math.isnan(turned.gain) else f"{100 * turned.gain:+.0f}".replace("-", MINUS),
        apart([*remarks(issue, turned.corrected), *([say("Report {name}", name=issue.report)] if several else [])]),
    ]


def _told(content: SiteContent, kind: str) -> list[Told]:
    latest = content.latest
    rows = latest.said(kind)
    chosen = rows.head(TOP) if kind == "region" else rows
    told = []
    for row in chosen.to_dict("records"):
        unit = content.units[kind, row["unit"]]
        compared = against_base(row["probability"], row["base_rate"], int(row["base_origins"]))
        text: str = say("{comparison}.", comparison=compared)
        if not math.isnan(row["level"]):
            text = say("{text} The mark to reach is {count}.", text=text, count=f"{row['level']:.0f}")
        told.append(Told(Link(unit.title, f"{unit.path}/{content.page}"), row["probability"], row["base_rate"], text))
    return told


def _facts(content: SiteContent) -> list[tuple[str, str]]:
    first = min(issue.origin for issue in content.issues)
    known = content.known_until
    return [
        (say("Issues"), number(len(content.issues))),
        (say("First origin"), day(first)),
        (say("Latest origin"), day(content.latest.origin)),
        (say("Outcomes known until"), UNKNOWN if known is None else day(pd.Timestamp(known))),
    ]
