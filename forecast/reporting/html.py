"""The report as one HTML file that needs nothing else: it opens offline, prints, and is the same bytes every time."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import pandas as pd

from forecast.evaluation.comparison import SKILL_LEVEL, log_note
from forecast.evaluation.record import BacktestRecord
from forecast.language import Language, say, speaking
from forecast.plots.classes import CLASS_EDGES
from forecast.plots.theme import RISK_DARK, RISK_LIGHT
from forecast.predictive.escalation import ENOUGH_ORIGINS
from forecast.reporting.calibration import RecordFigures, record_figures
from forecast.reporting.changes import changes_part
from forecast.reporting.comparison_part import ComparisonPart, comparison_part, reference_of
from forecast.reporting.content import ReportContent
from forecast.reporting.decisions import DecisionPart, decision_part
from forecast.reporting.diagnosis import DiagnosisPart, diagnosis_part
from forecast.reporting.fan import fan_figure, fan_frame, fan_rows
from forecast.reporting.figure import Figure
from forecast.reporting.headline import (
    Statement,
    headline_rows,
    headline_rule,
    headline_title,
    lead,
    statements,
)
from forecast.reporting.issued_part import FALSE_ALARMS, issued_part
from forecast.reporting.map import map_aspect, risk_map
from forecast.reporting.page import language_links, render_page
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.scale import SCALE, SOURCE, percents
from forecast.reporting.steps import steps_parts, steps_taken
from forecast.reporting.tables import breakdown_rows, leaderboard_rows, left_out, prior_rows, provenance_rows, risk_rows
from forecast.reporting.track import record_titles, records_saw, track_tables
from forecast.reporting.words import apart, day, holds, number, percent, titles, units_told


@dataclass(frozen=True)
class Fan:
    """A fan chart and its numbers."""

    title: str
    figure: Figure
    rows: list[dict[str, str]]


@dataclass(frozen=True)
class RecordPart:
    """What the report says of one backtest record."""

    anchor: str
    title: str
    source: str
    period: str
    origins: str
    calibration: RecordFigures
    diagnosis: DiagnosisPart | None
    decisions: DecisionPart | None
    leaderboard: list[dict[str, Any]]
    log_note: str
    reference: str
    breakdown: list[dict[str, Any]]
    comparison: ComparisonPart | None


def render_report(content: ReportContent, language: Language | None = None) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    content : ReportContent
    language : Language, optional
        The first of its languages if not given. What was written elsewhere, such as descriptions of data and models,
        stays as it is.

    Returns
    -------
    str
        A whole document: style, scripts and figures are within it, and its content security policy forbids
        any request to elsewhere. The same content gives the same bytes.
    """
    with speaking(language or content.languages[0]):
        return _render(content)


def _render(content: ReportContent) -> str:
    shown = statements(content)
    fans = [_fan(content, statement, position) for position, statement in enumerate(shown, start=1)]
    chart = map_figure(content, shown)
    records = [_record(content, record, position) for position, record in enumerate(content.backtests, start=1)]
    called = {name: title for panel in content.panels.values() for name, title in titles(panel.units).items()}
    issued = issued_part(content.issued, content.escalations, content.headline_escalation, called)
    changed = changes_part(content.changes, content.escalations, content.headline_escalation, called, content.listed)
    figures = [
        *([chart] if chart else []),
        *(fan.figure for fan in fans),
        *([changed.figure] if changed and changed.figure else []),
        *(issued.figures if issued else []),
        *(f for part in records for f in _drawn(part)),
    ]
    return render_page(
        "report.html.j2",
        figures,
        content=content,
        banner=_banner(content),
        rule=headline_rule(content),
        rule_title=quoted(headline_title(content)),
        rule_titles=rule_titles(content.escalations),
        spec=next(spec for spec in content.models if spec.name == content.headline_model),
        facts=_facts(content),
        lead=lead(content),
        statements=shown,
        tracks=track_tables(content),
        saw=records_saw(content),
        map=chart,
        legend=_legend(),
        risk=risk_rows(content),
        not_listed=left_out(content),
        regions=len(content.panels["region"].units),
        fans=fans,
        issued=issued,
        changed=changed,
        false_alarms=FALSE_ALARMS,
        records=records,
        prior_rows={name: prior_rows(table) for name, table in content.prior_checks.items()},
        steps_taken=steps_taken(content),
        steps=steps_parts(content),
        counts=apart(holds(panel) for panel in content.panels.values()),
        skill_level=percent(SKILL_LEVEL),
        enough_origins=ENOUGH_ORIGINS,
        scale=SCALE,
        scale_source=SOURCE,
        provenance=provenance_rows(content.provenance),
        languages=language_links(content.languages),
    )


def _banner(content: ReportContent) -> list[str]:
    """Return what must be known before any number."""
    notes = [*content.notices]
    if any(panel.simulated for panel in content.panels.values()):
        notes.append(say("Simulated counts: nothing on this page describes a real place."))
    if content.data.preliminary:
        notes.append(
            say(
                "Preliminary data: events of the latest weeks are still being found and corrected, "
                "so that counts may change after this report."
            )
        )
    return [*notes, *content.warnings]


def _facts(content: ReportContent) -> list[tuple[str, str]]:
    panel = content.panels["region"]
    forecast = content.forecasts["region"][content.headline_model]
    last = forecast.weeks[-1] + pd.Timedelta(days=6)
    places = content.panels.get("place")
    return [
        (say("Data known until"), day(panel.known_until, weekday=True)),
        (say("Origin, the first day forecast"), day(content.origin, weekday=True)),
        (say("Last day forecast"), say("{last} ({horizon}\u00a0weeks)", last=day(last), horizon=forecast.horizon)),
        (
            say("Covers"),
            ", ".join(units_told(len(each.units), each.units.kind) for each in (panel, places) if each is not None),
        ),
    ]


def map_figure(content: ReportContent, shown: list[Statement]) -> Figure | None:
    """Return the map of the headline's statements; None without outlines."""
    regions = content.panels["region"].units
    if not any(name in content.polygons for name in regions.names):
        return None
    places = content.panels["place"].units if "place" in content.panels else None
    chances: dict[str, dict[str, float]] = {
        kind: dict(headline_rows(content, kind)[["unit", "probability"]].itertuples(index=False, name=None))
        for kind in content.panels
    }
    plot = risk_map(
        content.polygons,
        regions,
        chances["region"],
        places=places,
        place_probability=chances.get("place"),
        labelled=[statement.unit for statement in shown if statement.unit_kind == "region"],
    )
    names = titles(regions)
    highest = [(unit, chance) for unit, chance in list(chances["region"].items())[:3] if not isnan(chance)]
    told = apart(f"{names[unit]} {percent(chance)}" for unit, chance in highest)
    highest_told = say("Highest: {told}.", told=told) if told else say("It is not known.")
    caption: str = say(
        "Probability of {rule}. {highest} The most probable regions, places and countries are "
        "named where there is room; "
        "thick lines are borders of countries.",
        rule=quoted(headline_title(content)),
        highest=highest_told,
    )
    if places is not None:
        caption = " ".join([caption, say("Dashed rings are the places.")])
    return Figure(
        "map-figure",
        say("Map. {caption} All numbers are in the table below.", caption=caption),
        caption,
        plot,
        map_aspect(plot),
    )


def _legend() -> list[dict[str, str]]:
    classes = zip(CLASS_EDGES, CLASS_EDGES[1:], RISK_LIGHT, RISK_DARK, strict=False)
    return [{"range": percents(low, high), "light": light, "dark": dark} for low, high, light, dark in classes]


def _fan(content: ReportContent, statement: Statement, position: int) -> Fan:
    panel = content.panels[statement.unit_kind]
    forecast = content.forecasts[statement.unit_kind][content.headline_model]
    drawn = fan_figure(panel, forecast, statement.unit, title=statement.title, anchor=f"fan-{position}")
    return Fan(statement.title, drawn, fan_rows(fan_frame(panel, forecast, statement.unit)))


def _record(content: ReportContent, record: BacktestRecord, position: int) -> RecordPart:
    anchor, title = f"record-{position}", record_titles(content)[record.name]
    origins = record.forecasts["origin"].drop_duplicates().sort_values()
    named = {model.name: model.title for model in content.models}
    reference = reference_of(record, content.models)
    return RecordPart(
        anchor,
        title,
        record.source,
        say("{first} to {last}", first=day(origins.iloc[0]), last=day(origins.iloc[-1])) if len(origins) else "",
        number(len(origins)),
        record_figures(record, content.headline_model, content.escalations, anchor=anchor, title=title),
        diagnosis_part(record, content.headline_model),
        decision_part(
            record,
            content.headline_model,
            content.escalations,
            content.headline_escalation,
            anchor=f"{anchor}-value",
            title=title,
        ),
        leaderboard_rows(record, content.models, content.headline_escalation),
        log_note(record.leaderboard),
        named[reference] if reference else "",
        breakdown_rows(record, content.models, content.headline_model),
        comparison_part(
            record,
            content.models,
            content.headline_model,
            (content.headline_escalation, headline_title(content)),
            content.polygons,
            content.panels["region"].units,
            anchor=anchor,
            title=title,
        ),
    )


def _drawn(part: RecordPart) -> list[Figure]:
    value = part.decisions.figure if part.decisions else None
    one = [part.calibration.pit, part.calibration.coverage, value]
    several = [*part.calibration.reliability, *(part.comparison.figures if part.comparison else [])]
    return [figure for figure in one if figure is not None] + [figure for _, figure in several]
