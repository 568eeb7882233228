"""The models of a record against each other: what is certain by construction, and what must be refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.comparison import leaderboard
from forecast.evaluation.record_comparison import compare_record

FACTORS = {"right": 1.0, "high": 1.5, "zero": 0.0}


@pytest.fixture(scope="module")
def record(made_record):
    return made_record(FACTORS)


@pytest.fixture(scope="module")
def found(record):
    return compare_record(record, "high", usual={"zero": ["zero"], "best climatology": ["absent"]})


def test_the_right_one_is_best_and_the_order_is_that_of_the_leaderboard(record, found):
    assert found.models == ("right", "high", "zero")
    board = leaderboard(record.scores, record.risk, references=["high"], rng=np.random.default_rng(1))
    mine = found.skill[found.skill["against"] == "reference"].set_index("model")
    assert mine["skill"].to_dict() == pytest.approx(board.set_index("model")["skill"].to_dict())
    assert mine["loss"].to_dict() == pytest.approx(board.set_index("model")["crps"].to_dict())
    assert (found.n, found.origins, found.units) == (65 * 3 * 3, 65, 3)


def test_only_references_that_the_record_has_are_told(found):
    assert list(found.skill["against"].unique()) == ["zero", "reference"]


def test_the_intervals_exclude_what_is_clearly_worse(found):
    ahead = found.horizons[found.horizons["model"] == "right"]
    assert (ahead["low"] > 0).all()
    assert (ahead["p_holm"] < 0.05).all()
    inside = found.confidence_set.set_index("model")["inside"]
    assert inside.to_dict() == {"right": True, "high": False, "zero": False}


def test_relative_skill_is_one_for_the_reference(found):
    scaled = found.relative.set_index("model")["scaled_relative_skill"]
    assert scaled["high"] == 1
    assert scaled["right"] < 1 < scaled["zero"]


def test_where_and_when(record, found):
    where = found.where.set_index("label")
    assert where["best"][["A", "B"]].tolist() == ["right", "right"]
    assert where["events"]["C"] == 0
    weeks = record.forecasts.drop_duplicates(["week", "unit"])
    assert where["events"].sum() == weeks["observed"].sum() == found.when["events"].sum()
    assert found.when["label"].iloc[0] == "2024 Q1"
    assert found.when["n"].sum() == found.n


def test_the_course_ends_at_the_whole_difference(record, found):
    crps = record.scores[record.scores["score"] == "crps"].groupby("model")["value"].sum()
    last = found.course.groupby("model")["total"].last()
    assert last.to_dict() == pytest.approx((crps["high"] - crps).to_dict())
    assert (last["high"], len(found.course)) == (0, 3 * 67)


def test_the_largest_weeks_are_those_with_most_events(record, found):
    scores = record.scores[record.scores["score"] == "crps"]
    week = scores["origin"] + (scores["horizon"] - 1) * pd.Timedelta(days=7)
    events = record.forecasts.drop_duplicates(["week", "unit"]).groupby("week")["observed"].sum()
    largest = events[events == events.max()].index
    one = found.largest[(found.largest["dropped"] == 1) & (found.largest["model"] == "right")]
    kept = [scores[(scores["model"] == "right") & (week != day)]["value"].mean() for day in largest]
    assert any(mean == pytest.approx(one["loss"].iloc[0]) for mean in kept)


def test_what_a_model_lacks_is_left_out_for_all_and_told(record, made_record):
    short = made_record(FACTORS)
    scores = short.scores
    lost = (scores["model"] == "zero") & (scores["horizon"] == 3)
    short = type(short)(short.name, short.source, short.forecasts, scores[~lost], short.risk, short.leaderboard)
    found = compare_record(short, "high")
    assert found.missing == {"right": 0, "high": 0, "zero": 65 * 3}
    assert found.n == 65 * 2 * 3
    third = found.horizons[found.horizons["horizon"] == 3]
    assert (third["n"] == 0).all()
    assert third["skill"].isna().all()


def test_a_short_record_has_no_intervals_and_rules_out_none(made_record):
    found = compare_record(made_record(FACTORS, origins=12), "high")
    assert found.skill[["low", "high"]].isna().all(axis=None)
    assert found.confidence_set["inside"].all()
    assert found.confidence_set["p"].isna().all()


def test_the_same_record_gives_the_same_numbers(record, found):
    again = compare_record(record, "high", usual={"zero": ["zero"]})
    pd.testing.assert_frame_equal(again.horizons, found.horizons)
    pd.testing.assert_frame_equal(again.confidence_set, found.confidence_set)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"reference": "hihg"}, "unknown model 'hihg'"),
        ({"reference": "high", "models": ["righ"]}, "unknown model 'righ'"),
        ({"reference": "high", "models": ["high"]}, "one model alone"),
        ({"reference": "high", "unit_kind": "place"}, "no forecast of this kind of unit"),
    ],
)
def test_what_cannot_be_compared_is_refused(record, arguments, text):
    with pytest.raises(InputError, match=text):
        compare_record(record, **arguments)
