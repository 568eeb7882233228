"""Charts of a run as pictures for slides and messages: the map, the fan charts of the headline, the reliability."""

from __future__ import annotations

import pandas as pd

from forecast.language import say
from forecast.plots.plotted import draw
from forecast.plots.theme import FORECAST, INK, MUTED, OBSERVED
from forecast.reporting.calibration import reliability_chart
from forecast.reporting.content import ReportContent
from forecast.reporting.fan import BANDS, fan_chart, fan_frame
from forecast.reporting.figure import Figure
from forecast.reporting.headline import Statement, headline_title
from forecast.reporting.printed.charts import Charts
from forecast.reporting.printed.front import belongs_to, legend_of_map
from forecast.reporting.printed.sheet import Sheet, png_bytes, press, width_of
from forecast.reporting.rules import quoted
from forecast.reporting.summary import Summary
from forecast.reporting.track import record_titles
from forecast.reporting.words import day_span, percent

_PAD = 18.0


def picture_bytes(content: ReportContent, summary: Summary, charts: Charts) -> dict[str, bytes]:
    """Return the pictures by their file names; one of which there is nothing to draw is left out.

    Parameters
    ----------
    content : ReportContent
    summary : Summary
    charts : Charts
        Both of the same content.
    """
    facts = {"Title": summary.title, "Description": summary.lead, "Source": summary.data.attribution}
    with press():
        sheets = {"map.png": None if charts.map is None else _map(content, summary, charts.map)}
        for at, told in enumerate(charts.regions, start=1):
            sheets[f"fan-{at}.png"] = _fan(content, summary, told)
        sheets["reliability.png"] = _reliability(content, summary, charts)
        return {name: png_bytes(sheet, facts) for name, sheet in sheets.items() if sheet is not None}


def _map(content: ReportContent, summary: Summary, chart: Figure) -> Sheet:
    aspect = chart.aspect or 1.0
    high = min(400.0 / aspect, 420.0)
    wide = high * aspect
    sheet = Sheet((max(wide, 300.0) + 100 + 3 * _PAD, max(high, 150.0) + 84))
    title = say("Probability of {rule}", rule=quoted(headline_title(content)))
    last = pd.Timestamp(summary.rule(summary.headline_escalation).last_day)
    _frame(sheet, summary, title, day_span(content.origin, last))
    draw(sheet.axes(_PAD, 52, wide, high), chart.plot, wide / 600)
    legend_of_map(sheet, sheet.width - _PAD - 96, 66)
    return sheet


def _fan(content: ReportContent, summary: Summary, told: Statement) -> Sheet:
    panel, forecast = content.panels[told.unit_kind], content.forecasts[told.unit_kind][content.headline_model]
    sheet = Sheet((440.0, 250.0))
    _frame(
        sheet,
        summary,
        told.title,
        say("{rule}: {chance}", rule=quoted(headline_title(content)), chance=percent(told.probability)),
    )
    axes = sheet.axes(_PAD + 28, 58, sheet.width - 2 * _PAD - 30, 132)
    draw(axes, fan_chart(fan_frame(panel, forecast, told.unit)), 0.6)
    _fan_key(sheet, 218)
    return sheet


def _fan_key(sheet: Sheet, y: float) -> None:
    """Set what the colours of a fan chart mean."""
    x = _PAD + 28
    keys = [
        ("bar", say("observed"), OBSERVED),
        ("line", say("median"), FORECAST),
        ("dot", say("expected"), FORECAST),
        *(("bar", say("{level} range", level=percent(level)), tone) for level, tone in BANDS[::-1]),
    ]
    for mark, title, colour in keys:
        if mark == "dot":
            sheet.text(x + 4, y, "\N{BLACK CIRCLE}", size=5.5, colour=colour)
        else:
            sheet.box(x, y - (3.5 if mark == "line" else 5), 11, 2 if mark == "line" else 6, colour)
        sheet.text(x + 15, y, title, size=6.8, colour=MUTED)
        x += 26 + width_of(title, "sans", 6.8)


def _reliability(content: ReportContent, summary: Summary, charts: Charts) -> Sheet | None:
    if charts.record is None or charts.curve is None:
        return None
    sheet = Sheet((330.0, 340.0))
    record = record_titles(content)[charts.record.name]
    below = say("{rule}, record {record}", rule=quoted(headline_title(content)), record=record)
    _frame(sheet, summary, say("Stated and came true"), below)
    draw(sheet.axes(_PAD + 38, 60, sheet.width - 2 * _PAD - 44, 216), reliability_chart(charts.curve), 0.62)
    return sheet


def _frame(sheet: Sheet, summary: Summary, title: str, below: str) -> None:
    """Set the title of a picture and, at its foot, what it belongs to."""
    room = sheet.width - 2 * _PAD
    sheet.text(_PAD, 22, title, face="sans bold", size=10, colour=INK, room=room)
    sheet.text(_PAD, 35, below, size=8, colour=MUTED, room=room)
    told = belongs_to(summary)
    if summary.simulated:
        told = say("SIMULATED. {told}", told=told)
    sheet.text(_PAD, sheet.height - 10, told, size=6.2, colour=MUTED, room=room)
