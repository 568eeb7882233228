"""What the report says of each backtest record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.evaluation.comparison import log_note
from forecast.evaluation.record import BacktestRecord
from forecast.language import Language, say, speaking
from forecast.reporting.calibration import RecordFigures, record_figures
from forecast.reporting.comparison_part import ComparisonPart, comparison_part, reference_of
from forecast.reporting.content import RecordsContent
from forecast.reporting.decisions import DecisionPart, decision_part
from forecast.reporting.diagnosis import DiagnosisPart, diagnosis_part
from forecast.reporting.figure import Figure
from forecast.reporting.headline import headline_title
from forecast.reporting.tables import breakdown_rows, leaderboard_rows
from forecast.reporting.track import record_titles
from forecast.reporting.words import day, number


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

    @property
    def figures(self) -> list[Figure]:
        """Those that are drawn, in the order of the page."""
        value = self.decisions.figure if self.decisions else None
        one = [self.calibration.pit, self.calibration.coverage, value]
        several = [*self.calibration.reliability, *(self.comparison.figures if self.comparison else [])]
        return [figure for figure in one if figure is not None] + [figure for _, figure in several]


Parts = Callable[[], Mapping[Language, Sequence[RecordPart]]]
"""Gives the parts on all records, by language."""


def record_parts(content: RecordsContent) -> dict[Language, list[RecordPart]]:
    """Return the parts on all records, in each language of the report."""
    found = {}
    for language in content.languages:
        with speaking(language):
            found[language] = records_told(content)
    return found


def records_told(content: RecordsContent) -> list[RecordPart]:
    """Return the parts on all records, in the language that is spoken."""
    return [_record(content, record, position) for position, record in enumerate(content.backtests, start=1)]


def _record(content: RecordsContent, record: BacktestRecord, position: int) -> RecordPart:
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
