"""The page of a comparison: golden data of its figures, what its tables say, and cases that have little to show."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.evaluation.record_comparison import RecordComparison, compare_record
from forecast.evaluation.record_murphy import record_murphy
from forecast.plots.theme import DARK, LAND
from forecast.reporting.comparison_charts import (
    FAINT,
    course_chart,
    horizon_chart,
    murphy_chart,
    strokes,
    winner_map,
)
from forecast.reporting.comparison_page import ComparisonContent, render_comparison
from forecast.reporting.comparison_tables import (
    horizon_columns,
    horizon_rows,
    missing_sentence,
    pair_rows,
    skill_rows,
    standing_rows,
    verdict,
    winner_rows,
)
from forecast.reporting.content import ReportContent


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.fixture(scope="module")
def found(content: ReportContent) -> RecordComparison:
    return compare_record(content.backtests[1], "climatology", usual={"best climatology": ["climatology"]})


@pytest.fixture(scope="module")
def murphy(content: ReportContent) -> pd.DataFrame:
    return record_murphy(content.backtests[1], ["discount", "climatology"], [rule.name for rule in content.escalations])


@pytest.fixture(scope="module")
def page(content: ReportContent, found: RecordComparison, murphy: pd.DataFrame) -> ComparisonContent:
    return ComparisonContent(
        workspace="A <b>small</b> test",
        source="Counts of a test",
        comparison=found,
        murphy=murphy,
        model_titles={model.name: model.title for model in content.models},
        escalations=content.escalations,
        polygons=content.polygons,
        units=content.panels["region"].units,
        simulated=True,
        provenance={"seed": 1},
    )


def plain(plot: Any) -> Any:
    drawn = plot.to_plotly_json()
    drawn["layout"].pop("template", None)
    return json.loads(json.dumps(drawn, allow_nan=False))


def test_figures(page: ComparisonContent, found: RecordComparison, golden: SnapshotAssertion) -> None:
    drawn = strokes(found.models)
    models = ["discount"]
    any_event = page.murphy[page.murphy["of"] == "any_event"]
    assert {
        "horizons": plain(horizon_chart(found.horizons, models, drawn)),
        "course": plain(course_chart(found.course, models, "climatology", drawn, "CRPS")),
        "murphy": plain(murphy_chart(any_event, models, "climatology", drawn, chances=True)),
        "map": plain(winner_map(page.polygons, page.units, found.where, drawn)),
    } == golden


def test_every_colour_has_a_dark_counterpart(page: ComparisonContent, found: RecordComparison) -> None:
    drawn = strokes([*found.models, *(f"other-{k}" for k in range(9))])
    text = json.dumps(plain(winner_map(page.polygons, page.units, found.where, drawn)))
    used = {word for word in text.split('"') if len(word) == 7 and word.startswith("#")}
    assert used <= set(DARK)
    assert {stroke.colour for stroke in drawn.values()} <= set(DARK)
    assert len({(stroke.colour, stroke.dash) for stroke in drawn.values()}) == len(drawn)


def test_the_map_is_faint_where_chance_may_decide_and_grey_without_events(
    page: ComparisonContent, found: RecordComparison
) -> None:
    where = found.where.assign(p=[0.01, 0.5, 0.01, 0.01], events=[3, 3, 3, 0])
    drawn = strokes(found.models)
    plot = winner_map(page.polygons, page.units, where, drawn)
    shown = {trace.name: trace for trace in plot.data if trace.fill == "toself"}
    names = list(where["label"])
    assert [shown[name].opacity for name in names] == [None, FAINT, None, None]
    assert shown[names[3]].fillcolor == LAND
    assert "may be chance" in shown[names[1]].text
    assert shown[names[0]].fillcolor == drawn[where["best"].iloc[0]].colour


def test_the_verdict_says_who_may_be_the_best(found: RecordComparison) -> None:
    said = verdict(found)
    assert said.startswith("discount has the lowest CRPS")
    assert re.search(
        r"saves \d+\.\d\s% against the reference, climatology \(interval \+\d+\.\d to \+\d+\.\d\): more", said
    )
    within = found.skill.assign(low=-0.01)
    assert verdict(dataclasses.replace(found, skill=within)).endswith("chance may explain it.")
    everybody = dataclasses.replace(found, confidence_set=found.confidence_set.assign(inside=True))
    assert "can rule out none of the 2 models" in verdict(everybody)
    short = dataclasses.replace(found, confidence_set=found.confidence_set.assign(inside=True, p=np.nan))
    assert "too short to rule out any other" in verdict(short)
    own = dataclasses.replace(found, reference="discount")
    assert verdict(own).endswith("It is the reference.")


def test_what_is_missing_is_said(found: RecordComparison) -> None:
    assert missing_sentence(found) == "No model lacks a forecast that another one has."
    lacking = dataclasses.replace(found, missing={"discount": 0, "climatology": 7})
    assert missing_sentence(lacking) == "Left out are forecasts that not all models have: climatology lacks 7."


def test_rows(found: RecordComparison) -> None:
    first, second = skill_rows(found)
    assert first["model"] == "discount"
    assert first["skills"][0].startswith("+")
    assert second["skills"] == ["0.0"]  # one column: the reference is the best climatology as well
    assert [row["model"] for row in horizon_rows(found, [1, 6])] == ["discount"]
    pairs = pair_rows(found)
    assert pairs[0]["cells"][0]["text"] == "—"
    assert (pairs[0]["cells"][1]["side"], pairs[1]["cells"][0]["side"]) == ("better", "worse")
    standing = standing_rows(found)
    assert sum(row["where"] for row in standing) == 4
    assert [row["ranks"][0] for row in standing] == [1, 2]
    assert winner_rows(found.where.assign(events=0))[0]["best"] == "—"


def test_many_horizons_are_thinned(found: RecordComparison) -> None:
    many = dataclasses.replace(found, horizons=pd.DataFrame({"horizon": range(1, 53)}))
    assert horizon_columns(many) == [1, 8, 16, 23, 30, 37, 45, 52]
    assert horizon_columns(found) == [1, 2, 3, 4, 5, 6]


def test_the_page_is_whole_and_escapes(page: ComparisonContent) -> None:
    text = render_comparison(page)
    assert text == render_comparison(page)
    assert text.rstrip().endswith("</html>")
    assert "A &lt;b&gt;small&lt;/b&gt; test" in text
    assert "Simulated counts" in text
    for anchor in ("horizon-figure", "course-figure", "map-figure", "murphy-mean", "murphy-any-event"):
        assert f'id="{anchor}"' in text


def test_every_table_has_a_caption(page: ComparisonContent) -> None:
    tables = re.findall(r"<table.*?</table>", render_comparison(page), re.S)
    assert len(tables) == 6
    assert all("<caption" in table for table in tables)


def test_a_page_without_outlines(page: ComparisonContent) -> None:
    text = render_comparison(dataclasses.replace(page, polygons={}, simulated=False))
    assert 'id="map-figure"' not in text
    assert "<details open>" in text
    assert "Simulated counts" not in text
