"""What the report says of calibration and of acting on the probabilities."""

from __future__ import annotations

import dataclasses
import json

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.reporting.content import ReportContent
from forecast.reporting.decisions import DecisionPart, decision_part
from forecast.reporting.diagnosis import diagnosis_part
from forecast.reporting.html import render_report


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def decided(content: ReportContent, at: int) -> DecisionPart:
    part = decision_part(
        content.backtests[at], "discount", content.escalations, "above_recent", anchor="value", title="long"
    )
    assert part is not None
    return part


def test_the_words_of_a_long_record(content: ReportContent, golden: SnapshotAssertion) -> None:
    part = diagnosis_part(content.backtests[1], "discount")
    assert part is not None
    assert dataclasses.asdict(part) == golden


def test_a_short_record_has_no_tests(content: ReportContent) -> None:
    part = diagnosis_part(content.backtests[0], "discount")
    assert part is not None
    assert "too few to tell a fault from chance" in part.verdict
    assert part.tests == []
    assert part.groups[0]["interval"] == ""
    assert diagnosis_part(content.backtests[0], "absent") is None


def test_decisions_of_a_long_record(content: ReportContent, golden: SnapshotAssertion) -> None:
    part = decided(content, 1)
    assert part.figure is not None
    drawn = json.loads(json.dumps(part.figure.data(), allow_nan=False))
    tables = [{"title": table.title, "rows": table.rows} for table in part.tables]
    assert {"tables": tables, "keys": part.keys, "caption": part.figure.caption, **drawn} == golden


def test_decisions_of_a_short_record_have_no_intervals(content: ReportContent) -> None:
    part = decided(content, 0)
    assert part.figure is not None
    assert part.figure.caption == "The record is too short for intervals."
    assert all(not cell[1] for table in part.tables for row in table.rows for cell in row.values())
    assert decision_part(content.backtests[0], "absent", content.escalations, "any_event", anchor="value") is None


def test_the_report_shows_them(content: ReportContent) -> None:
    text = render_report(content)
    assert text.count("<strong>Verdict.</strong>") == 2
    assert 'id="record-1-value"' in text
    assert "What acting on them would have brought" in text
    alone = render_report(dataclasses.replace(content, backtests=()))
    assert "There is no backtest record yet from which this could be told." in alone
