"""The second page of the brief: how such statements have fared, what has changed, where the numbers come from."""

from __future__ import annotations

import math

from forecast.evaluation.issued import against_base_rate
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec
from forecast.language import decimal, say
from forecast.plots.faces import Face
from forecast.plots.plotted import draw
from forecast.plots.theme import GRID, MUTED
from forecast.provenance import generator
from forecast.reporting.calibration import reliability_chart
from forecast.reporting.changes import ChangesPart, changes_part
from forecast.reporting.content import ReportContent
from forecast.reporting.headline import headline_title
from forecast.reporting.issued_part import issued_part
from forecast.reporting.printed.charts import Charts
from forecast.reporting.printed.front import LEFT, ROOM, TOP, Column, cell, footer, heading, table_head
from forecast.reporting.printed.sheet import Sheet
from forecast.reporting.rules import quoted
from forecast.reporting.scale import SOURCE
from forecast.reporting.summary import Record, Summary, Unit
from forecast.reporting.track import record_titles, track_classes
from forecast.reporting.words import apart, number, percent, percent_sign, points, signed_decimal, titles

_MOVERS = 7
_ROW = 14.0
_CHART = 196.0
_NOTE_LINES = 11
_FACES: tuple[Face, Face, Face] = ("sans", "sans", "sans bold")


def back(content: ReportContent, summary: Summary, charts: Charts) -> Sheet:
    """Return the second page.

    Parameters
    ----------
    content : ReportContent
    summary : Summary
    charts : Charts
        Both of the same content.
    """
    sheet = Sheet()
    y = _fared(sheet, content, summary, charts, TOP)
    y = _changed(sheet, content, summary, y + 16)
    _sources(sheet, content, summary, y + 16)
    footer(sheet, summary, 2)
    return sheet


def _fared(sheet: Sheet, content: ReportContent, summary: Summary, charts: Charts, y: float) -> float:
    """Set how the same model's statements came true in the past, drawn and in numbers."""
    y = heading(sheet, y, say("How such statements have fared"))
    record = charts.record
    if record is None:
        told = say("There is no record yet, so that nothing can be said of how well these probabilities hold.")
        return sheet.block(LEFT, y, ROOM, told, size=8.5)
    title = record_titles(content)[record.name]
    lead = say(
        "At {origins} past origins, {record}, the same model was asked the same question, seeing only the weeks "
        "before. Of what it called {share}, about {share} should have come true.",
        origins=number(record.forecasts["origin"].nunique()),
        record=title,
        share=percent(0.3),
    )
    y = sheet.block(LEFT, y, ROOM, lead, size=8.5)
    if charts.curve is None:
        return y
    wide = 226.0
    sheet.text(
        LEFT,
        y + 14,
        say("Stated and came true: {rule}", rule=quoted(headline_title(content))),
        size=7.5,
        room=wide + 10,
    )
    axes = sheet.axes(LEFT + 30, y + 20, wide - 30, _CHART - 28)
    draw(axes, reliability_chart(charts.curve), 0.58)
    note = say(
        "Band: where the curve of right probabilities would lie ({level}). Bars: how often each was stated.",
        level=percent(0.9),
    )
    under = sheet.block(LEFT, y + _CHART + 14, wide, note, size=6.5, colour=MUTED, most=2)
    right = _record_table(sheet, content, record, summary, y + 6)
    return max(under, right)


def _record_table(sheet: Sheet, content: ReportContent, record: BacktestRecord, summary: Summary, y: float) -> float:
    """Set the classes of probability and what came of them, and the record in sentences."""
    x, room = LEFT + 244, ROOM - 244
    columns = (
        Column(say("Stated"), x, 70),
        Column(say("Statements"), x + 74, 70, "right"),
        Column(say("Came true"), x + 148, room - 148, "right"),
    )
    table_head(sheet, columns, y + 8)
    y += 12
    classes = track_classes(record, content.headline_model, content.headline_escalation)
    for track in (each for each in classes if each.statements):
        sheet.rule(x, y, room, colour=GRID)
        for column, text, face in zip(
            columns, (track.range, number(track.statements), track.share), _FACES, strict=True
        ):
            cell(sheet, column, y + 10, text, face=face)
        y += 13.5
    y += 6
    for text in _judged(content, record, summary):
        y = sheet.block(x, y, room, text, size=7.8) + 4
    return y


def _judged(content: ReportContent, record: BacktestRecord, summary: Summary) -> list[str]:
    """Return the sentences on skill and ranges of the record, and on what was issued."""
    mine = next(found for found in summary.records if found.name == record.name)
    told = [text for text in (_skill(mine), _ranges(mine)) if text]
    if content.issued is not None:
        called = {name: title for panel in content.panels.values() for name, title in titles(panel.units).items()}
        part = issued_part(content.issued, content.escalations, content.headline_escalation, called)
        if part is not None:
            told.append(part.lead)
            told += _issued_skill(content)
            told += part.alarms[:1]
    return told


def _skill(record: Record) -> str:
    if record.skill is None:
        return ""
    size = percent_sign(decimal(abs(100 * record.skill), 1))
    if record.skill >= 0:
        told = say(
            "Its forecasts of counts were {size} closer to what came than those of the best simple reference", size=size
        )
    else:
        told = say(
            "Its forecasts of counts were {size} farther from what came than those of the best simple reference",
            size=size,
        )
    if record.skill_low is None or record.skill_high is None:
        return say("{told} (CRPS; the record is too short for an interval).", told=told)
    low, high = (signed_decimal(100 * value, 1) for value in (record.skill_low, record.skill_high))
    return say("{told} (CRPS; interval of the gain {low} to {high}).", told=told, low=low, high=percent_sign(high))


def _ranges(record: Record) -> str:
    if record.within_80 is None:
        return ""
    return say("Its {level} ranges held {share} of the counts.", level=percent(0.8), share=percent(record.within_80))


def _issued_skill(content: ReportContent) -> list[str]:
    if content.issued is None:
        return []
    said = content.issued.statements
    mine = said[said["escalation"] == content.headline_escalation]
    table = against_base_rate(mine, generator(0, "issued", "base rate"))
    if table.empty or not math.isfinite(table["skill"].iloc[0]):
        return []
    gain = 100 * float(table["skill"].iloc[0])
    share = percent_sign(f"{abs(gain):.0f}")
    if gain >= 0:
        return [say("Issued probabilities were better than the base rate by {share} of its Brier score.", share=share)]
    return [say("Issued probabilities were worse than the base rate by {share} of its Brier score.", share=share)]


def _changed(sheet: Sheet, content: ReportContent, summary: Summary, y: float) -> float:
    """Set the largest changes since the last issue; without one, since what was known a week before."""
    called = {name: title for panel in content.panels.values() for name, title in titles(panel.units).items()}
    part = changes_part(content.changes, content.escalations, content.headline_escalation, called)
    if part is not None:
        return _since_issue(sheet, part, y)
    return _since_week(sheet, summary, y)


def _since_issue(sheet: Sheet, part: ChangesPart, y: float) -> float:
    y = heading(sheet, y, say("What has changed since the last issue"))
    y = sheet.block(LEFT, y, ROOM, part.lead, size=8.5, most=4)
    moved = [row for row in part.rows if row["change"] != points(0)][:_MOVERS]
    if not moved:
        return y
    columns = (
        Column("", LEFT, 176),
        Column(say("Then"), LEFT + 180, 40, "right"),
        Column(say("Now"), LEFT + 224, 40, "right"),
        Column(say("Change"), LEFT + 268, 44, "right"),
        Column(say("Events since"), LEFT + 324, ROOM - 324),
    )
    table_head(sheet, columns, y + 12)
    y += 16
    for row in moved:
        sheet.rule(LEFT, y, ROOM, colour=GRID)
        texts = (row["unit"], row["then"], row["now"], row["change"], row["came"])
        for column, text in zip(columns, texts, strict=True):
            cell(sheet, column, y + 10, text, face="sans bold" if column.title == say("Change") else "sans")
        y += _ROW
    if part.keys:
        parts = apart(say("{name}: {chance}", name=title, chance=meaning) for title, meaning, _, _ in part.keys)
        told = say("The report tells the parts of each change. {parts}.", parts=parts)
        y = sheet.block(LEFT, y + 3, ROOM, told, size=6.8, colour=MUTED, most=3)
    return y


def _since_week(sheet: Sheet, summary: Summary, y: float) -> float:
    y = heading(sheet, y, say("What has changed within a week"))
    moved: list[tuple[float, Unit]] = []
    for unit in summary.units:
        risk = unit.risk(summary.headline_escalation)
        if risk.change is not None and points(risk.change) != points(0):
            moved.append((risk.change, unit))
    moved.sort(key=lambda each: (-abs(round(each[0], 6)), each[1].name))
    if moved:
        told = say(
            "No issue before this one asked the same question. These are the largest changes against what the same "
            "model says with what was known a week before."
        )
    else:
        told = say(
            "No issue before this one asked the same question. Nothing differs by a point or more from what the same "
            "model says with what was known a week before."
        )
    y = sheet.block(LEFT, y, ROOM, told, size=8.5, most=3)
    if not moved:
        return y
    columns = (
        Column("", LEFT, 226),
        Column(say("A week before"), LEFT + 230, 76, "right"),
        Column(say("Now"), LEFT + 312, 60, "right"),
        Column(say("Change"), LEFT + 380, 60, "right"),
    )
    table_head(sheet, columns, y + 12)
    y += 16
    for change, unit in moved[:_MOVERS]:
        risk = unit.risk(summary.headline_escalation)
        now = math.nan if risk.probability is None else risk.probability
        sheet.rule(LEFT, y, ROOM, colour=GRID)
        for column, text in zip(
            columns, (unit.title, percent(now - change), percent(now), points(change)), strict=True
        ):
            cell(sheet, column, y + 10, text, face="sans bold" if column.title == say("Change") else "sans")
        y += _ROW
    return y


def _sources(sheet: Sheet, content: ReportContent, summary: Summary, y: float) -> None:
    """Set data and methods in two columns, as far as there is room."""
    end = sheet.height - 44
    y = heading(sheet, y, say("Data and methods"))
    gap = 18.0
    room = (ROOM - gap) / 2
    spec = next(model for model in content.models if model.name == content.headline_model)
    for x, notes in ((LEFT, _data(content, summary)), (LEFT + room + gap, _methods(spec))):
        at = y
        for title, text in notes:
            left = int((end - at - 12) / (7.3 * 1.38))
            if left < 2:
                break
            sheet.text(x, at + 9, title, face="sans bold", size=7.3, room=room)
            at = sheet.block(x, at + 10, room, text, size=7.3, most=min(left - 1, _NOTE_LINES)) + 5


def _data(content: ReportContent, summary: Summary) -> list[tuple[str, str]]:
    note = content.data
    named = ". ".join(text for text in (note.attribution, note.licence) if text)
    return [
        (say("Source"), f"{note.title}. {note.vintage}."),
        *([(say("Attribution"), f"{named}.")] if named else []),
        *([(say("Limits"), " ".join(note.limits))] if note.limits else []),
        (
            say("Use"),
            say(
                "Region and town level only: early warning for the people who live there. Places overlap each other "
                "and the regions; never add them up."
            ),
        ),
    ]


def _methods(spec: ModelSpec) -> list[tuple[str, str]]:
    return [
        (spec.title, spec.method),
        (
            say("Usual"),
            say(
                "The base rate: how often it was so at the weekly origins of the last two years, as far as they are "
                "known. The upright mark on each bar. A probability near it says no more than “as usual”."
            ),
        ),
        (say("Words"), say("They stand for fixed ranges of probability: {source}.", source=SOURCE)),
        (
            say("All the rest"),
            say(
                "The report of the same run has every region, week and model, the definitions, and what the numbers "
                "were made from."
            ),
        ),
    ]
