"""What the brief and the pictures both show, computed once."""

from __future__ import annotations

from dataclasses import dataclass

from forecast.evaluation.calibration import Reliability, reliability
from forecast.evaluation.record import BacktestRecord
from forecast.provenance import generator
from forecast.reporting.calibration import statements_of
from forecast.reporting.content import ReportContent
from forecast.reporting.figure import Figure
from forecast.reporting.headline import Statement, statements
from forecast.reporting.html import map_figure


@dataclass(frozen=True, eq=False)
class Charts:
    """What is drawn of a report.

    Parameters
    ----------
    map : Figure or None
        None without outlines of the regions.
    regions : tuple of Statement
        Those of the headline.
    record : BacktestRecord or None
        The one with the most statements of the headline's escalation; None without any record.
    curve : Reliability or None
        How its probabilities compare with what came; None without statements.
    """

    map: Figure | None
    regions: tuple[Statement, ...]
    record: BacktestRecord | None
    curve: Reliability | None


def charts_of(content: ReportContent) -> Charts:
    """Return what is drawn of a report."""
    shown = statements(content)
    model, name = content.headline_model, content.headline_escalation
    told = [statements_of(record, model, name) for record in content.backtests]
    at = max(range(len(told)), key=lambda at: (len(told[at]), -at), default=None)
    record = None if at is None else content.backtests[at]
    curve = None
    if at is not None and record is not None and len(told[at]):
        rng = generator(0, "reliability", record.name, model, name)
        curve = reliability(told[at]["probability"], told[at]["outcome"], told[at]["origin"], rng)
    return Charts(
        map_figure(content, shown), tuple(each for each in shown if each.unit_kind == "region"), record, curve
    )
