"""The report as one HTML file that needs nothing else: it opens offline, prints, and is the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

import pandas as pd

from forecast.evaluation.comparison import SKILL_LEVEL
from forecast.language import Language, say, speaking
from forecast.plots.classes import CLASS_EDGES
from forecast.plots.theme import RISK_DARK, RISK_LIGHT
from forecast.predictive.escalation import ENOUGH_ORIGINS
from forecast.reporting.changes import changes_part
from forecast.reporting.content import ReportContent
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
from forecast.reporting.record_part import Parts, RecordPart, records_told
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.scale import SCALE, SOURCE, percents
from forecast.reporting.steps import steps_parts, steps_taken
from forecast.reporting.tables import left_out, prior_rows, provenance_rows, risk_rows
from forecast.reporting.track import records_saw, track_tables
from forecast.reporting.words import apart, day, holds, percent, titles, units_told


@dataclass(frozen=True)
class Fan:
    """A fan chart and its numbers."""

    title: str
    figure: Figure
    rows: list[dict[str, str]]


def render_report(content: ReportContent, language: Language | None = None, parts: Parts | None = None) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    content : ReportContent
    language : Language, optional
        The first of its languages if not given. What was written elsewhere, such as descriptions of data and models,
        stays as it is.
    parts : callable, optional
        Gives what `record_parts` does, and is asked when the rest is made; `record_parts` if not given.

    Returns
    -------
    str
        A whole document: style, scripts and figures are within it, and its content security policy forbids
        any request to elsewhere. The same content gives the same bytes.
    """
    spoken = language or content.languages[0]
    with speaking(spoken):
        return _render(content, partial(records_told, content) if parts is None else lambda: parts()[spoken])


def _render(content: ReportContent, told: Callable[[], Sequence[RecordPart]]) -> str:
    shown = statements(content)
    fans = [_fan(content, statement, position) for position, statement in enumerate(shown, start=1)]
    chart = map_figure(content, shown)
    called = {name: title for panel in content.panels.values() for name, title in titles(panel.units).items()}
    issued = issued_part(content.issued, content.escalations, content.headline_escalation, called)
    changed = changes_part(content.changes, content.escalations, content.headline_escalation, called, content.listed)
    records = told()
    figures = [
        *([chart] if chart else []),
        *(fan.figure for fan in fans),
        *([changed.figure] if changed and changed.figure else []),
        *(issued.figures if issued else []),
        *(figure for part in records for figure in part.figures),
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
