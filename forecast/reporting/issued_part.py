"""What the report says of the forecasts that were issued before it: how they have turned out, by what is known now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from forecast.evaluation.control_chart import WEEKS_BETWEEN_FALSE_ALARMS
from forecast.evaluation.drift import Drift
from forecast.evaluation.issued import IssuedRecord, against_base_rate, by_issue, calls, over_time
from forecast.language import decimal, say, say_count
from forecast.predictive.escalation import Escalation
from forecast.provenance import generator
from forecast.reporting.figure import Figure
from forecast.reporting.issued_charts import drift_chart, outcome_chart, over_time_chart
from forecast.reporting.issued_tables import Table, base_table, call_table, correction_tables, issue_table
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.words import day, number

CALLS = 5
"""Of the best and of the worst calls, so many are told."""
FALSE_ALARMS = say(
    "If the forecasts are right, each chart raises a false alarm once in {years} years on average: about one chart in "
    "ten within two years.",
    years=WEEKS_BETWEEN_FALSE_ALARMS // 52,
)
"""What is said of the charts."""
_MEANS: dict[Drift, dict[str, str]] = {
    "pit": {"above": say("more came than was forecast"), "below": say("less came than was forecast")},
    "score": {
        "above": say("the forecasts were worse than they claim to be: their ranges were too narrow"),
        "below": say("the forecasts were better than they claim to be: their ranges were too wide"),
    },
}


@dataclass(frozen=True)
class IssuedPart:
    """What the report says of the forecasts that were issued.

    Parameters
    ----------
    lead : str
        In two sentences.
    alarms : list of str
        What the control charts have raised, the latest first.
    outcomes : Figure or None
        Every issue against what came.
    over_time : list of (str, Figure)
        Calibration by quarters, each with the title of its escalation.
    drift : list of (str, Figure)
        The control charts.
    tables : list of Table
        By issue, against the base rate, best and worst calls, corrections; only those that have rows.
    """

    lead: str
    alarms: list[str]
    outcomes: Figure | None
    over_time: list[tuple[str, Figure]]
    drift: list[tuple[str, Figure]]
    tables: list[Table]

    @property
    def contents(self) -> list[tuple[str, str]]:
        """Anchors and headings of what there is."""
        parts = [
            ("issued-outcomes-title", say("Every issue"), self.outcomes),
            ("issued-over-time-title", say("Over time"), self.over_time),
            ("issued-drift-title", say("Drift"), self.drift),
            ("issued-tables-title", say("In numbers"), self.tables),
        ]
        return [(anchor, heading) for anchor, heading, there in parts if there]

    @property
    def figures(self) -> list[Figure]:
        """All that is drawn."""
        first = [self.outcomes] if self.outcomes else []
        return [*first, *(drawn for _, drawn in self.over_time), *(drawn for _, drawn in self.drift)]


def issued_part(
    record: IssuedRecord | None, escalations: Sequence[Escalation], headline: str, called: Mapping[str, str]
) -> IssuedPart | None:
    """Return what is to be said; None as long as nothing is known of any issued forecast.

    Parameters
    ----------
    record : IssuedRecord or None
    escalations : sequence of Escalation
        Those of the workspace; statements of others, which were asked of earlier, are not shown.
    headline : str
        The escalation that stands in front.
    called : mapping of unit to str
        Titles of regions and places.
    """
    if record is None or (record.counts.empty and record.statements.empty):
        return None
    titles = rule_titles(escalations)
    said = record.statements[record.statements["escalation"].isin(titles)]
    front = said[said["escalation"] == headline]
    quarters = over_time(said, generator(0, "issued", "over time"))
    drawn = [
        (titles[name], _over_time_figure(quarters[quarters["escalation"] == name], name, titles[name]))
        for name in dict.fromkeys([headline, *titles])
        if (quarters["escalation"] == name).any()
    ]
    best, worst = calls(said, CALLS)
    tables = [
        issue_table(by_issue(record, headline), titles[headline]),
        base_table(against_base_rate(said, generator(0, "issued", "base rate")), titles),
        call_table(say("Best calls: these gained most on the base rate"), best, titles, called),
        call_table(say("Worst calls: these lost most on it"), worst, titles, called),
        *correction_tables(record, titles, called),
    ]
    return IssuedPart(
        lead=_lead(record, front, titles[headline]),
        alarms=alarm_sentences(record),
        outcomes=_outcome_figure(front, titles[headline]) if len(front) else None,
        over_time=drawn,
        drift=[_drift_figure(record, name) for name in record.charts],
        tables=[table for table in tables if table.rows],
    )


def alarm_sentences(record: IssuedRecord, *, latest: bool = False) -> list[str]:
    """Return what the control charts have raised, in words, the latest first; with `latest` of the last week only."""
    raised = [
        (
            record.weeks[week],
            say("Week of {week}: {meaning}.", week=day(record.weeks[week]), meaning=_MEANS[name][side]),
        )
        for name, chart in record.charts.items()
        for week, side in chart.alarms
        if not latest or week == len(record.weeks) - 1
    ]
    return [text for _, text in sorted(raised, key=lambda each: each[0], reverse=True)]


def _lead(record: IssuedRecord, front: pd.DataFrame, title: str) -> str:
    first, issues = record.issues["origin"].min(), len(record.issues)
    told = say_count(
        "{issues} forecast was issued, the first for {first}.",
        "{issues} forecasts were issued, the first for {first}.",
        issues,
        issues=number(issues),
        first=day(first),
    )
    regions = front[front["unit_kind"] == "region"]
    if regions.empty:
        return " ".join([told, say("Of none it is known yet whether {title} came.", title=quoted(title))])
    stated, came = regions["probability"].sum(), int(regions["met"].sum())
    decided = say(
        "Of {statements} statements about regions that are decided, {stated} were to come true "
        "({title}), and {came} did.",
        statements=number(len(regions)),
        stated=decimal(stated, 1),
        title=quoted(title),
        came=number(came),
    )
    return f"{told} {decided}"


def _outcome_figure(front: pd.DataFrame, title: str) -> Figure:
    came = front[front["met"] == 1]
    caption = say_count(
        "The probability of {title} that each report stated, in the colours of the map; a dot where it came true, "
        "which it did {times} time. An empty cell was not forecast or is not decided.",
        "The probability of {title} that each report stated, in the colours of the map; a dot where it came true, "
        "which it did {times} times. An empty cell was not forecast or is not decided.",
        len(came),
        title=quoted(title),
        times=number(len(came)),
    )
    label = say("Every issued forecast against what came. {caption}", caption=caption)
    return Figure("issued-outcomes", label, caption, outcome_chart(front))


def _over_time_figure(quarters: pd.DataFrame, name: str, title: str) -> Figure:
    outside = int((~quarters["came"].between(quarters["low"], quarters["high"])).sum())
    statements = say(
        "{statements} statements about regions, by the quarter of issue.", statements=number(quarters["n"].sum())
    )
    if outside:
        lies = say_count(
            "What came true lies outside the band in {outside} of {quarters} quarter.",
            "What came true lies outside the band in {outside} of {quarters} quarters.",
            len(quarters),
            outside=outside,
            quarters=len(quarters),
        )
    else:
        lies = say_count(
            "What came true lies within the band in all {quarters} quarter.",
            "What came true lies within the band in all {quarters} quarters.",
            len(quarters),
            quarters=len(quarters),
        )
    caption = f"{statements} {lies}"
    label = say("Stated and came true over time, {title}. {caption}", title=quoted(title), caption=caption)
    return Figure(f"issued-quarters-{name}", label, caption, over_time_chart(quarters))


def _drift_figure(record: IssuedRecord, name: Drift) -> tuple[str, Figure]:
    chart = record.charts[name]
    heading = {"pit": say("More or less than forecast"), "score": say("Worse or better than claimed")}[name]
    alarms = len(chart.alarms)
    weeks = number(len(record.weeks))
    if alarms:
        raised = say_count(
            "{alarms} alarm in {weeks} weeks.", "{alarms} alarms in {weeks} weeks.", alarms, alarms=alarms, weeks=weeks
        )
    else:
        raised = say("No alarm in {weeks} weeks.", weeks=weeks)
    means = say(
        "One week ahead, all regions. Upwards: {above}; downwards: {below}.",
        above=_MEANS[name]["above"],
        below=_MEANS[name]["below"],
    )
    caption = f"{means} {raised}"
    label = say("Control chart: {heading}. {caption}", heading=heading, caption=caption)
    return heading, Figure(f"issued-drift-{name}", label, caption, drift_chart(record.weeks, chart))
