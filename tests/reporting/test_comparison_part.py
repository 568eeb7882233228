"""What the report says of the models against each other: golden data, a record on other regions, one model alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.panel.units import Units
from forecast.reporting.comparison_part import ComparisonPart, comparison_part, reference_of
from forecast.reporting.content import ReportContent
from forecast.reporting.html import render_report

RULE = ("any_event", "Any event in 4 weeks")
HEADINGS = ["Skill by weeks ahead", "When each was better", "At every threshold", "Where each is the best"]


def told(content: ReportContent, units: Units | None = None) -> ComparisonPart:
    regions = units or content.panels["region"].units
    found = comparison_part(
        content.backtests[1],
        content.models,
        "discount",
        RULE,
        content.polygons,
        regions,
        anchor="record-2",
        title="long",
    )
    assert found is not None
    return found


@pytest.fixture(scope="module")
def part(content: ReportContent) -> ComparisonPart:
    return told(content)


def test_figures_are_golden_and_call_models_by_their_titles(part: ComparisonPart, snapshot: SnapshotAssertion) -> None:
    drawn = {figure.anchor: {"caption": figure.caption, **figure.data()} for _, figure in part.figures}
    assert json.loads(json.dumps(drawn, allow_nan=False)) == snapshot.use_extension(JSONSnapshotExtension)
    assert [heading for heading, _ in part.figures] == HEADINGS
    assert list(drawn) == ["record-2-skill", "record-2-course", "record-2-murphy", "record-2-where"]
    assert all(", record long. " in figure.label for _, figure in part.figures)
    assert [stroke.title for stroke in part.keys] == ["Discounted", "Climatology"]


def test_the_verdict_and_the_standing(part: ComparisonPart) -> None:
    assert part.verdict.startswith("Discounted has the lowest CRPS")
    assert "against the reference, Climatology" in part.verdict
    assert [row["model"] for row in part.standing] == ["Discounted", "Climatology"]
    assert sum(row["where"] for row in part.standing) == part.regions == 4
    assert sum(row["when"] for row in part.standing) == part.quarters
    assert [row["ranks"][0] for row in part.standing] == [1, 2]
    assert part.dropped[0] == 0


def test_a_record_on_other_regions_has_no_map(content: ReportContent) -> None:
    other = told(content, Units.of(["Chad/Lac", "Chad/Kanem"], groups=["Chad", "Chad"]))
    assert [heading for heading, _ in other.figures] == [name for name in HEADINGS if not name.startswith("Where")]


def test_nothing_is_said_without_a_reference_or_another_model(content: ReportContent) -> None:
    record, units = content.backtests[1], content.panels["region"].units
    assert reference_of(record, content.models) == "climatology"
    assert comparison_part(record, content.models[:1], "discount", RULE, {}, units, anchor="a", title="b") is None
    alone = replace(record, leaderboard=record.leaderboard[record.leaderboard["model"] == "climatology"])
    assert comparison_part(alone, content.models, "discount", RULE, {}, units, anchor="a", title="b") is None


def test_a_model_of_the_record_without_a_title_is_called_by_its_name(content: ReportContent) -> None:
    units = content.panels["region"].units
    found = comparison_part(
        content.backtests[1], content.models[1:], "climatology", RULE, {}, units, anchor="a", title="b"
    )
    assert found is not None
    assert [stroke.title for stroke in found.keys] == ["Climatology", "discount"]


def test_the_report_shows_it_for_each_record(content: ReportContent) -> None:
    page = render_report(content)
    section = re.search(r'<section id="models".*?</section>', page, re.S)
    assert section is not None
    assert section[0].count("How the models differ") == len(content.backtests)
    for position, _ in enumerate(content.backtests, start=1):
        assert f'id="record-{position}-where"' in section[0]
        assert f'id="record-{position}-standing"' in section[0]
