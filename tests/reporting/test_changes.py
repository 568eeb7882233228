"""What the report says of what has changed since the last issue."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.reporting.changes import PARTS, Changes, ChangesPart, changes_part
from forecast.reporting.content import ReportContent
from forecast.reporting.html import render_report


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def part_of(changes: Changes, content: ReportContent) -> ChangesPart:
    part = changes_part(changes, content.escalations, content.headline_escalation, {"Mali/Gao": "Gao (Mali)"})
    assert part is not None
    return part


def test_words_and_figure_are_golden(changes: Changes, content: ReportContent, golden: SnapshotAssertion) -> None:
    part = part_of(changes, content)
    assert part.figure is not None
    words = {"lead": part.lead, "keys": part.keys, "parts": part.parts, "rows": part.rows, "shares": part.shares}
    drawn = {"data": part.figure.data(), "caption": part.figure.caption}
    assert json.loads(json.dumps(words | drawn, allow_nan=False)) == golden


def test_the_largest_change_stands_first_and_bars_add_up_to_marks(changes: Changes, content: ReportContent) -> None:
    part = part_of(changes, content)
    assert [row["unit"] for row in part.rows[:2]] == ["Gao (Mali)", "Niger/<i>Tillabéri</i>"]
    assert part.parts == ["New weeks", "Shares and recalibration", "Corrected data", "Later weeks"]  # the rest is none
    assert part.figure is not None
    *bars, marks = part.figure.data()["data"]
    assert np.allclose(np.sum([bar["x"] for bar in bars], axis=0), marks["x"], atol=0.02)
    assert len(marks["y"]) == 3  # a change of a tenth of a point is not drawn


def test_without_a_last_issue_nothing_is_said(changes: Changes, content: ReportContent) -> None:
    assert changes_part(None, content.escalations, content.headline_escalation, {}) is None
    other = dataclasses.replace(changes, table=changes.table.assign(then=np.nan))
    assert changes_part(other, content.escalations, content.headline_escalation, {}) is None


def test_no_change_has_no_figure(changes: Changes, content: ReportContent) -> None:
    table = changes.table.assign(now=changes.table["then"], **dict.fromkeys(PARTS, 0.0))
    part = part_of(dataclasses.replace(changes, table=table, shares=changes.shares.iloc[:0]), content)
    assert part.figure is None
    assert (part.keys, part.shares) == ([], "")
    assert part.lead.endswith("No change is as large as one point.")


def test_the_report_has_the_section_only_where_there_is_something(changes: Changes, content: ReportContent) -> None:
    assert 'id="changed"' not in render_report(content)
    page = render_report(dataclasses.replace(content, changes=changes))
    section = page[page.index('<section id="changed"') : page.index('<section id="weeks"')]
    assert "week of 18 July 2026 corrected from unknown to 2, and 1 more week" in section
    assert "Niger/&lt;i&gt;Tillabéri" in section
    assert "<i>Tillabéri" not in section
