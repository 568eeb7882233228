"""What the report says of the forecasts that were issued before it."""

from __future__ import annotations

import dataclasses
import json
import re

import pandas as pd
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.evaluation.issued import IssuedRecord
from forecast.reporting.content import ReportContent
from forecast.reporting.html import render_report
from forecast.reporting.issued_part import IssuedPart, alarm_sentences, issued_part


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def part_of(record: IssuedRecord, content: ReportContent) -> IssuedPart:
    part = issued_part(record, content.escalations, content.headline_escalation, {"Mali/Gao": "Gao (Mali)"})
    assert part is not None
    return part


def test_the_figures_are_golden(issued: IssuedRecord, content: ReportContent, golden: SnapshotAssertion) -> None:
    part = part_of(issued, content)
    assert json.loads(json.dumps([figure.data() for figure in part.figures], allow_nan=False)) == golden


def test_the_words_are_golden(issued: IssuedRecord, content: ReportContent, golden: SnapshotAssertion) -> None:
    part = part_of(issued, content)
    words = {
        "lead": part.lead,
        "alarms": part.alarms,
        "figures": [figure.label for figure in part.figures],
        "tables": [dataclasses.asdict(table) for table in part.tables],
    }
    assert json.loads(json.dumps(words)) == golden


def test_drift_is_told_with_its_week(issued: IssuedRecord) -> None:
    told = alarm_sentences(issued)
    assert any(text.endswith("more came than was forecast.") for text in told)
    assert all(re.match(r"Week of \d+ \w+ 2026: ", text) for text in told)


def test_every_issue_has_its_row_and_dot(issued: IssuedRecord, content: ReportContent) -> None:
    part = part_of(issued, content)
    assert part.outcomes is not None
    cells, dots = part.outcomes.data()["data"]
    assert len(cells["x"]) == len(issued.issues)
    front = issued.statements[issued.statements["escalation"] == content.headline_escalation]
    assert len(dots["x"]) == front["met"].sum()
    assert len(part.tables[0].rows) == len(issued.issues)


def test_corrections_stand_apart(issued: IssuedRecord, content: ReportContent) -> None:
    tables = {table.title: table.rows for table in part_of(issued, content).tables}
    (corrected,) = (rows for title, rows in tables.items() if title.startswith("Counts that were corrected"))
    assert [row[:2] for row in corrected] == [["Gao (Mali)", "21 February 2026"]]
    (turned,) = (rows for title, rows in tables.items() if title.startswith("Statements that a correction"))
    assert len(turned) == 2


def test_nothing_known_yet_is_nothing_said(issued: IssuedRecord, content: ReportContent) -> None:
    assert issued_part(None, content.escalations, content.headline_escalation, {}) is None
    none = dataclasses.replace(issued, statements=issued.statements.iloc[:0], counts=issued.counts.iloc[:0], charts={})
    assert issued_part(none, content.escalations, content.headline_escalation, {}) is None


def test_counts_without_decided_statements_are_shown(issued: IssuedRecord, content: ReportContent) -> None:
    young = dataclasses.replace(issued, statements=issued.statements.iloc[:0])
    part = part_of(young, content)
    assert part.outcomes is None
    assert part.over_time == []
    assert "Of none it is known yet" in part.lead
    assert [figure.anchor for figure in part.figures] == ["issued-drift-pit", "issued-drift-score"]


def test_the_report_has_the_section_only_where_there_is_something(issued: IssuedRecord, content: ReportContent) -> None:
    assert 'id="issued"' not in render_report(content)
    page = render_report(dataclasses.replace(content, issued=issued))
    section = page[page.index('<section id="issued"') : page.index('<section id="calibration"')]
    assert "false alarm once in 20 years" in section
    assert "<b>Mopti" not in section
    assert "Mali/&lt;b&gt;Mopti" in section
    ids = re.findall(r'\bid="([^"]+)"', section)
    assert len(ids) == len(set(ids)) >= 10


def test_an_escalation_that_is_no_longer_asked_is_left_out(issued: IssuedRecord, content: ReportContent) -> None:
    old = issued.statements.assign(escalation="of_old")
    both = dataclasses.replace(issued, statements=pd.concat([issued.statements, old], ignore_index=True))
    assert part_of(both, content).tables == part_of(issued, content).tables
