from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.record import BacktestRecord
from forecast.plots.classes import CLASS_EDGES
from forecast.reporting.content import ReportContent
from forecast.reporting.track import record_titles, records_saw, track_classes, track_of, track_tables, tracks_by_record
from forecast.reporting.words import DASH, SPACE


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def with_places(record: BacktestRecord, stated: float, outcomes: Sequence[int]) -> BacktestRecord:
    """The record with further statements on a place, all of one probability."""
    rows = pd.DataFrame({"outcome": outcomes}).assign(
        model="discount",
        origin=pd.Timestamp("2025-01-04"),
        unit="Bamako 100 km",
        unit_kind="place",
        activity="active",
        escalation="above_recent",
        probability=stated,
        brier=0.0,
    )
    return replace(record, risk=pd.concat([record.risk, rows], ignore_index=True))


def test_what_the_model_could_see_is_told_by_the_label_of_each_record(content: ReportContent) -> None:
    first, second = (record_titles(content)[record.name] for record in content.backtests)
    assert records_saw(content) == (
        f"It saw only the weeks before: in “{first}” as it was known at each origin; in “{second}” on final data."
    )
    one = replace(content, backtests=content.backtests[1:])
    assert records_saw(one) == "It saw only the weeks before (on final data)."
    assert records_saw(replace(content, backtests=())) == ""


def test_each_statement_counts_once(content: ReportContent) -> None:
    record = content.backtests[1]
    tracks = track_classes(record, "discount", "above_recent")
    risk = record.risk[(record.risk["model"] == "discount") & (record.risk["escalation"] == "above_recent")]
    assert sum(track.statements for track in tracks) == len(risk)
    assert sum(track.came_true for track in tracks) == risk["outcome"].sum()
    fifth = risk[(risk["probability"] >= 0.3) & (risk["probability"] < 0.45)]
    assert (plain(tracks[4].range), tracks[4].statements) == (f"30{DASH}45 %", len(fifth))
    assert tracks[4].came_true == fifth["outcome"].sum()
    assert tracks[4].stated == pytest.approx(fifth["probability"].mean())


def test_certain_statements_belong_to_the_last_class(content: ReportContent) -> None:
    risk = content.backtests[0].risk.assign(probability=1.0)
    tracks = track_classes(replace(content.backtests[0], risk=risk), "discount", "above_recent")
    assert len(tracks) == len(CLASS_EDGES) - 1
    assert tracks[-1].statements == 12 * 4


def test_track_speaks_from_the_first_record_with_enough(content: ReportContent) -> None:
    told = plain(track_of(tracks_by_record(content, "region"), 0.4, "region"))
    live, long = (track_classes(record, "discount", "above_recent")[4] for record in content.backtests)
    assert live.statements < 20 <= long.statements
    assert told == (
        f"Of the statements of 30{DASH}45 % on regions in the record “Long 2025{DASH}2026”, {long.came_true} of "
        f"{long.statements} came true ({100 * long.came_true / long.statements:.0f} %)."
    )


def test_track_says_when_it_is_too_few(content: ReportContent) -> None:
    short = replace(content, backtests=content.backtests[:1])
    assert track_of(tracks_by_record(short, "region"), 0.4, "region").endswith("That is too few to judge by.")


def test_place_without_record_says_so(content: ReportContent) -> None:
    assert (
        track_of(tracks_by_record(content, "place"), 0.4, "place")
        == "No statement like this one is in the backtest record yet."
    )


def test_records_are_called_by_what_they_cover(content: ReportContent) -> None:
    first, second = content.backtests
    mine = replace(content.panels["region"], source="Counts of mine, 2025; vintage 1")
    made = replace(
        content,
        panels={**content.panels, "region": mine},
        backtests=(replace(first, source=mine.source), replace(second, name="west-africa-weekly")),
    )
    assert list(record_titles(made).values()) == ["2025 (this data)", f"West Africa 2025{DASH}2026"]
    told = replace(made.backtests[0], source=f"{made.backtests[0].source}, on final data")
    assert list(record_titles(replace(made, backtests=(told,))).values()) == ["2025 (this data)"]


def test_places_have_a_table_only_where_statements_were_made_on_them(content: ReportContent) -> None:
    assert [table.unit_kind for table in track_tables(content)] == ["region"]
    first = with_places(content.backtests[0], 0.15, [0, 1])
    tables = track_tables(replace(content, backtests=(first, content.backtests[1])))
    assert [table.unit_kind for table in tables] == ["region", "place"]
    assert tables[1].records == ("Live 2025",)
    assert [(plain(label), tracks[0].share) for label, tracks in tables[1].rows] == [(f"10{DASH}20 %", f"50{SPACE}%")]


def test_verdict_names_the_classes_beyond_chance(content: ReportContent) -> None:
    first = content.backtests[0]
    off = track_tables(replace(content, backtests=(with_places(first, 0.15, [1] * 10 + [0] * 10),)))[1]
    assert plain(off.verdict) == (
        "For places, what was stated and what came true differ beyond chance "
        f"in “Live 2025” at 10{DASH}20 % (15 % stated, 50 % came true)."
    )
    fair = track_tables(replace(content, backtests=(with_places(first, 0.15, [1] * 3 + [0] * 17),)))[1]
    assert fair.verdict == "For places, what was stated and what came true differ in no class beyond chance."


def test_beyond_chance_has_its_size_under_a_calibrated_forecast(content: ReportContent) -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        made = with_places(content.backtests[0], 0.15, rng.binomial(1, 0.15, 100).tolist())
        found.append(track_classes(made, "discount", "above_recent", "place")[2].beyond_chance)
    assert np.mean(found) < 0.1
