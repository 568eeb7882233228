"""The first page of the brief: the headline in words, the map, and the regions and places in numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from forecast.language import say, say_count
from forecast.panel.units import UnitKind
from forecast.plots.classes import CLASS_EDGES
from forecast.plots.faces import Face
from forecast.plots.plotted import draw
from forecast.plots.theme import FORECAST, GRID, INK, LAND, MUTED, RISK_LIGHT
from forecast.reporting.content import ReportContent
from forecast.reporting.figure import Figure
from forecast.reporting.headline import headline_rows, headline_rule, headline_title, lead
from forecast.reporting.printed.sheet import A4, LEADING, Align, Sheet
from forecast.reporting.rules import quoted
from forecast.reporting.scale import percents, plain_word
from forecast.reporting.summary import Risk, Summary, Unit
from forecast.reporting.words import (
    SPACE,
    UNKNOWN,
    day,
    day_span,
    expected,
    frequency,
    percent,
    points,
    span,
    units_told,
)

LEFT, TOP, BOTTOM = 45.0, 42.0, 806.0
ROOM = A4[0] - 2 * LEFT
WARNING, WARNING_PAPER = "#8f370a", "#fdf1dc"
"""As the banner of the page has them."""
_BAR = "#d97a1c"
_TRACK = "#ebe7dc"
_ROW = 14.5
_MOST_PLACES = 8
_INSTEAD_OF_MAP = 12
"""So many regions more are shown where there is no map."""
_WARNING_LINES = 7
_MAP = (150.0, 268.0)
"""The least and the most height of the map."""
_LEGEND = 110.0
"""Width of its legend and of the gap before it."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, where it stands, how wide it is."""

    title: str
    x: float
    room: float
    align: Align = "left"


def front(content: ReportContent, summary: Summary, chart: Figure | None) -> Sheet:
    """Return the first page.

    Parameters
    ----------
    content : ReportContent
    summary : Summary
        Of the same content.
    chart : Figure or None
        The map.
    """
    sheet = Sheet()
    y = _title(sheet, content, summary)
    y = _warnings(sheet, [*summary.notices, *_state(summary), *summary.warnings, *summary.notes], y)
    y = sheet.block(LEFT, y + 8, ROOM, lead(content), face="serif", size=13.5, most=5, leading=1.28)
    rule = headline_rule(content)
    meaning = say(
        "Here {rule} means: {sentence}.",
        rule=quoted(headline_title(content)),
        sentence=rule.sentence().replace(" %", f"{SPACE}%"),
    )
    y = sheet.block(LEFT, y + 5, ROOM, meaning, size=7.5, colour=MUTED, most=2)
    groups = _groups(content, summary, _room_for_rows(y, chart))
    below = _table_height(groups)
    if chart is not None:
        widest = (ROOM - _LEGEND) / (chart.aspect or 1.0)
        room = min(max(BOTTOM - y - below - 24, _MAP[0]), max(widest, _MAP[0]), _MAP[1])
        _map(sheet, chart, y + 10, room)
        y += 10 + room
    y = _table(sheet, groups, y + 12)
    sheet.block(LEFT, y + 3, ROOM, _key(summary), size=6.5, colour=MUTED, most=2)
    footer(sheet, summary, 1)
    return sheet


def _key(summary: Summary) -> str:
    """Return what the columns of the table mean."""
    weeks = summary.rule(summary.headline_escalation).weeks
    if summary.last_issue is None:
        return say(
            "Usual: base rate of the last two years, the upright mark on each bar. Change: percentage points against "
            "what was known a week before. Events: expected in the next {weeks} weeks.",
            weeks=weeks,
        )
    return say(
        "Usual: base rate of the last two years, the upright mark on each bar. Change: percentage points since the "
        "issue for {origin}. Events: expected in the next {weeks} weeks.",
        origin=day(pd.Timestamp(summary.last_issue.origin)),
        weeks=weeks,
    )


def footer(sheet: Sheet, summary: Summary, page: int) -> None:
    """Set what stands below every page."""
    y = A4[1] - 26
    sheet.rule(LEFT, y - 10, ROOM, colour=GRID)
    told = belongs_to(summary)
    sheet.text(LEFT, y, told, size=6.5, colour=MUTED, room=ROOM - 60)
    sheet.text(LEFT + ROOM, y, f"{page} / 2", size=6.5, colour=MUTED, align="right")


def belongs_to(summary: Summary) -> str:
    """Return what a page or picture is part of."""
    return say("{title}, forecast from {origin}", title=summary.title, origin=day(pd.Timestamp(summary.origin)))


def heading(sheet: Sheet, y: float, text: str, room: float = ROOM, x: float = LEFT) -> float:
    """Set the heading of a section; return where it ends."""
    sheet.rule(x, y, room, colour=INK, weight=0.8)
    sheet.text(x, y + 14, text, face="sans bold", size=9.5, room=room)
    return y + 20


def table_head(sheet: Sheet, columns: Sequence[Column], y: float) -> None:
    """Set the headings of a table on the baseline `y`."""
    for column in columns:
        cell(sheet, column, y, column.title, size=6.8, colour=MUTED)


def cell(
    sheet: Sheet, column: Column, y: float, text: str, *, face: Face = "sans", colour: str = INK, size: float = 7.8
) -> None:
    """Set what stands in a column, cut to its width."""
    x = column.x + (column.room if column.align == "right" else 0)
    sheet.text(x, y, text, face=face, size=size, colour=colour, align=column.align, room=column.room)


def _title(sheet: Sheet, content: ReportContent, summary: Summary) -> float:
    y = TOP
    sheet.text(LEFT, y, say("Forecast of political violence").upper(), face="sans bold", size=7, colour=FORECAST)
    y = sheet.block(LEFT, y + 4, ROOM, summary.title, face="serif bold", size=22, most=2, leading=1.15)
    forecast = content.forecasts["region"][content.headline_model]
    last = forecast.weeks[-1] + pd.Timedelta(days=6)
    regions, places = len(content.panels["region"].units), content.panels.get("place")
    covers = units_told(regions, "region")
    if places is not None:
        covers = f"{covers}, {units_told(len(places.units), 'place')}"
    known = say("known until {day}", day=day(pd.Timestamp(summary.known_until)))
    facts = f"{day_span(content.origin, last)}  ·  {known}  ·  {covers}"
    sheet.text(LEFT, y + 13, facts, size=8, colour=MUTED, room=ROOM)
    sheet.rule(LEFT, y + 20, ROOM, colour=INK, weight=1.2)
    return y + 20


def _state(summary: Summary) -> list[str]:
    """Return what must be known of the data before any number."""
    if summary.simulated:
        return [say("Simulated counts: nothing on this page describes a real place.")]
    if summary.preliminary:
        return [say("Preliminary data: events of the latest weeks are still being found and corrected.")]
    return []


def _warnings(sheet: Sheet, notes: Sequence[str], y: float) -> float:
    """Set the notes in a box, as far as there is room; the rest is counted."""
    if not notes:
        return y
    size, inside = 7.5, ROOM - 22
    high = [sheet.height_of(note, inside, size=size, most=3) for note in notes]
    shown, lines = 0, 0.0
    while shown < len(notes) and (shown == 0 or lines + high[shown] <= _WARNING_LINES * LEADING * size):
        lines += high[shown]
        shown += 1
    rest = len(notes) - shown
    tall = lines + 2 * shown + (LEADING * size if rest else 0) + 7
    top = y + 8
    sheet.box(LEFT, top, ROOM, tall, WARNING_PAPER)
    sheet.box(LEFT, top, 3, tall, WARNING)
    y = top + 3
    for note in notes[:shown]:
        y = sheet.block(LEFT + 12, y, inside, note, size=size, most=3) + 2
    if rest:
        told = say_count(
            "One more note stands in the report.", "{count} more notes stand in the report.", rest, count=rest
        )
        sheet.block(LEFT + 12, y, inside, told, size=size, colour=MUTED)
    return top + tall


def _map(sheet: Sheet, chart: Figure, y: float, tall: float) -> None:
    room = ROOM - _LEGEND
    aspect = chart.aspect or 1.0
    wide = min(room, tall * aspect)
    high = wide / aspect
    axes = sheet.axes(LEFT + (room - wide) / 2, y + (tall - high) / 2, wide, high)
    draw(axes, chart.plot, wide / 600)
    legend_of_map(sheet, LEFT + room + 14, y + 8)


def legend_of_map(sheet: Sheet, x: float, y: float) -> None:
    """Set the classes of probability and their colours."""
    sheet.text(x, y, say("Probability"), face="sans bold", size=7.5)
    step = 13.0
    classes = list(zip(pairwise(CLASS_EDGES), RISK_LIGHT, strict=True))
    for at, ((low, high), colour) in enumerate(reversed(classes)):
        top = y + 8 + at * step
        sheet.box(x, top, 17, step - 1, colour)
        sheet.text(x + 23, top + 9, percents(low, high), size=7)
    top = y + 12 + len(RISK_LIGHT) * step
    sheet.box(x, top, 17, step - 1, LAND)
    sheet.text(x + 23, top + 9, say("not known"), size=7)


@dataclass(frozen=True)
class _Row:
    unit: Unit
    risk: Risk


def _groups(content: ReportContent, summary: Summary, rows: int) -> list[tuple[str, list[_Row], int]]:
    """Return the rows of the table under their headings, so many in all, and how many more there are."""
    places = min(len(content.panels["place"].units), _MOST_PLACES) if "place" in content.panels else 0
    wanted = content.top if content.polygons else content.top + _INSTEAD_OF_MAP
    kinds: list[tuple[UnitKind, str, int]] = [
        ("region", say("Regions with the highest probability"), max(min(wanted, rows - places), 1)),
        ("place", say("Places"), _MOST_PLACES),
    ]
    by_name = {(unit.kind, unit.name): unit for unit in summary.units}
    found = []
    for kind, title, most in kinds:
        if kind in content.panels:
            units = [by_name[kind, name] for name in headline_rows(content, kind)["unit"]]
            shown = [_Row(unit, unit.risk(summary.headline_escalation)) for unit in units[:most]]
            found.append((title, shown, len(units) - len(shown)))
    return found


def _room_for_rows(y: float, chart: Figure | None) -> int:
    """Return how many rows fit below `y`, the map above them."""
    room = BOTTOM - y - 24 - (_MAP[0] if chart is not None else 0)
    return int((room - _table_height([("", [], 0)] * 2)) / _ROW)


def _table_height(groups: Sequence[tuple[str, list[_Row], int]]) -> float:
    return 34 + sum(18 + _ROW * len(rows) for _, rows, _ in groups)


def _table(sheet: Sheet, groups: Sequence[tuple[str, list[_Row], int]], y: float) -> float:
    columns = (
        Column("", LEFT, 168),
        Column(say("Probability"), LEFT + 172, 96),
        Column(say("In words"), LEFT + 274, 78),
        Column(say("Usual"), LEFT + 350, 34, "right"),
        Column(say("Change"), LEFT + 388, 36, "right"),
        Column(say("Events ({level} range)", level=percent(0.8)), LEFT + 428, ROOM - 428, "right"),
    )
    sheet.rule(LEFT, y, ROOM, colour=INK, weight=0.8)
    table_head(sheet, columns, y + 10)
    y += 14
    for title, rows, more in groups:
        y += 13
        counted = more and title == say("Places")
        count = say("{title}, {more} more in the report", title=title, more=more) if counted else title
        sheet.text(LEFT, y, count, face="sans bold", size=7.5, room=ROOM)
        y += 5
        for row in rows:
            sheet.rule(LEFT, y, ROOM, colour=GRID)
            _set_row(sheet, columns, row, y + 10.3)
            y += _ROW
    return y


def _set_row(sheet: Sheet, columns: Sequence[Column], row: _Row, y: float) -> None:
    unit, risk = row.unit, row.risk
    chance = math.nan if risk.probability is None else risk.probability
    base = math.nan if risk.base_rate is None else risk.base_rate
    cell(sheet, columns[0], y, unit.title)
    at = columns[1]
    bar = 62.0
    sheet.box(at.x, y - 6, bar, 7, _TRACK)
    if not math.isnan(chance):
        sheet.box(at.x, y - 6, bar * chance, 7, _BAR)
    if not math.isnan(base):
        sheet.box(at.x + bar * base - 0.5, y - 7.5, 1, 10, INK)
    sheet.text(at.x + bar + 6, y, percent(chance), face="sans bold", size=8)
    cell(sheet, columns[2], y, plain_word(chance), size=7.2, colour=MUTED)
    cell(sheet, columns[3], y, UNKNOWN if math.isnan(base) else frequency(base))
    cell(sheet, columns[4], y, points(math.nan if risk.change is None else risk.change))
    cell(sheet, columns[5], y, f"{expected(risk.expected)} ({span(risk.low, risk.high)})")
