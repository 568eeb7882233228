import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.comparison import breakdown, leaderboard, log_note, missing_cells, reference_models
from forecast.evaluation.scores import LOG_CAP, SCORES
from forecast.families.model import ModelSpec

WEEKS = pd.date_range("2025-12-20", periods=60, freq="7D")
NO_RISK = pd.DataFrame(columns=["model", "origin", "unit", "unit_kind", "escalation", "brier"])


def cell(model, week, horizon, unit, values, *, kind="region", activity="low"):
    return [
        (model, WEEKS[week], horizon, unit, kind, activity, score, value)
        for score, value in zip(SCORES, (*values, values[-1]), strict=True)  # a PIT without width
    ]


def table(*cells):
    columns = ["model", "origin", "horizon", "unit", "unit_kind", "activity", "score", "value"]
    frame = pd.DataFrame([row for rows in cells for row in rows], columns=columns)
    return frame.astype(dict.fromkeys(("model", "unit", "unit_kind", "activity", "score"), "category"))


@pytest.fixture
def tiny():
    """Two models on two cells, a third cell that one model lacks, and a place that is not for the leaderboard."""
    return table(
        cell("good", 0, 1, "A", (1.0, 2.0, 3.0, 4.0, 0.5)),
        cell("good", 1, 1, "B", (3.0, 4.0, 5.0, 6.0, 0.05), activity="active"),
        cell("good", 2, 1, "B", (90.0, 90.0, 90.0, 90.0, 0.5)),
        cell("base", 0, 1, "A", (2.0, 1.0, 1.0, 1.0, 0.99)),
        cell("base", 1, 1, "B", (6.0, 1.0, 1.0, 1.0, 0.3), activity="active"),
        cell("base", 0, 1, "P", (0.0, 0.0, 0.0, 0.0, 0.5), kind="place"),
    )


def test_leaderboard_by_hand(tiny):
    risk = pd.DataFrame(
        [
            ("good", WEEKS[0], "A", "region", "any", 0.04),
            ("good", WEEKS[1], "A", "region", "any", 0.64),
            ("base", WEEKS[0], "A", "region", "any", 0.25),
            ("base", WEEKS[0], "P", "place", "any", 0.99),
        ],
        columns=NO_RISK.columns,
    )
    board = leaderboard(tiny, risk, references=("base",), rng=np.random.default_rng(1))
    assert board["model"].tolist() == ["good", "base"]
    assert board["n"].tolist() == [2, 2]
    assert board["crps"].tolist() == [2.0, 4.0]
    assert board["log"].tolist() == [3.0, 1.0]
    assert board["dss"].tolist() == [4.0, 1.0]
    assert board["wis"].tolist() == [5.0, 1.0]
    assert board["brier_any"].tolist() == [0.04, 0.25]
    assert board["cov50"].tolist() == [0.5, 0.5]
    assert board["cov80"].tolist() == [0.5, 0.5]
    assert board["cov95"].tolist() == [1.0, 0.5]
    assert board["skill"].tolist() == [0.5, 0.0]
    assert board[["skill_low", "skill_high"]].isna().all(axis=None)  # two weeks are too few for an interval
    assert missing_cells(tiny) == {"base": 1, "good": 0}
    places = leaderboard(tiny, risk, references=(), rng=np.random.default_rng(1), unit_kind="place")
    assert places[["model", "n", "crps", "brier_any"]].values.tolist() == [["base", 1, 0.0, 0.99]]
    assert places["skill"].isna().all()


def test_log_scores_at_their_cap_are_counted_and_told():
    week = pd.Timestamp("2026-01-03")
    scores = pd.DataFrame(
        [
            (
                model,
                week,
                horizon,
                "A",
                "region",
                "low",
                score,
                LOG_CAP if score == "log" and horizon <= capped else 1.0,
            )
            for model, capped in (("sure", 3), ("careful", 0))
            for horizon in range(1, 5)
            for score in SCORES
        ],
        columns=["model", "origin", "horizon", "unit", "unit_kind", "activity", "score", "value"],
    )
    board = leaderboard(scores, NO_RISK, references=(), rng=np.random.default_rng(1))
    assert board.set_index("model")["log_capped"].to_dict() == {"careful": 0.0, "sure": 0.75}
    assert log_note(board) == "the log score is at its cap of 13.8 in 75 % of the cells of sure: go by the CRPS there"
    assert log_note(board[board["model"] == "careful"]) == ""


def test_without_regions_the_leaderboard_is_empty():
    board = leaderboard(
        table(cell("a", 0, 1, "P", (1.0,) * 5, kind="place")), NO_RISK, references=(), rng=np.random.default_rng(1)
    )
    assert len(board) == 0
    assert list(board.columns)[:3] == ["model", "n", "crps"]


def test_models_without_a_common_cell_have_no_score():
    scores = table(cell("a", 0, 1, "A", (1.0,) * 5), cell("b", 1, 1, "A", (1.0,) * 5))
    board = leaderboard(scores, NO_RISK, references=("a",), rng=np.random.default_rng(1))
    assert board["n"].tolist() == [0, 0]
    assert board[["crps", "cov50", "skill"]].isna().all(axis=None)


def test_a_cell_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        breakdown(table(cell("a", 0, 1, "A", (1.0,) * 5), cell("a", 0, 1, "A", (2.0,) * 5)), "horizon")


def test_breakdown_by_each_key(tiny):
    by_activity = breakdown(tiny, "activity", references=("base",))
    assert by_activity[["activity", "model", "n", "crps", "skill"]].values.tolist() == [
        ["active", "good", 1, 3.0, 0.5],
        ["active", "base", 1, 6.0, 0.0],
        ["low", "good", 1, 1.0, 0.5],
        ["low", "base", 1, 2.0, 0.0],
    ]
    two = table(*(cell("a", week, h, "A", (week + h,) * 4 + (0.5,)) for week in (0, 1) for h in (1, 2, 3)))
    by_horizon = breakdown(two, "horizon")
    assert by_horizon[["horizon", "n", "crps"]].values.tolist() == [[1, 2, 1.5], [2, 2, 2.5], [3, 2, 3.5]]
    assert by_horizon["skill"].isna().all()
    # The third target week from 20 December is 3 January.
    by_year = breakdown(two, "year")
    assert by_year[["year", "n", "crps"]].values.tolist() == [[2025, 3, 5 / 3], [2026, 3, 10 / 3]]


def scores_over_time(rng, *, weeks=52, persistent=False):
    shock = np.repeat(rng.normal(0, 1, weeks // 13), 13) if persistent else rng.normal(0, 1, weeks)
    cells = []
    for week in range(weeks):
        cells += [cell("base", week, 1, "A", (4.0, 1.0, 1.0, 1.0, 0.5))]
        cells += [cell("model", week, 1, "A", (3.0 + shock[week], 1.0, 1.0, 1.0, 0.5))]
    return table(*cells)


def test_interval_of_skill_is_seeded_and_widens_with_dependence():
    found = {}
    for persistent in (False, True):
        scores = scores_over_time(np.random.default_rng(3), persistent=persistent)
        board, again = (
            leaderboard(scores, NO_RISK, references=("base",), rng=np.random.default_rng(1)) for _ in range(2)
        )
        pd.testing.assert_frame_equal(board, again)
        row = board.set_index("model").loc["model"]
        assert row["skill_low"] < row["skill"] < row["skill_high"]
        base = board.set_index("model").loc["base"]
        assert base[["skill", "skill_low", "skill_high"]].tolist() == [0, 0, 0]
        found[persistent] = row["skill_high"] - row["skill_low"]
    assert found[True] > 1.5 * found[False]


def test_skill_is_measured_against_climatology_or_zero():
    def spec(name, family):
        return ModelSpec(name=name, family=family, title=name, method="")

    models = [spec("naught", "zero"), spec("year", "climatology"), spec("all", "climatology"), spec("glm", "glm")]
    assert reference_models(models) == ("year", "all")
    assert reference_models(models[:1] + models[3:]) == ("naught",)
    assert reference_models(models[3:]) == ()


def test_the_best_of_the_references_is_the_one():
    values = {"poor": 8.0, "fair": 4.0, "model": 3.0}
    scores = table(*(cell(name, 0, 1, "A", (value, 1.0, 1.0, 1.0, 0.5)) for name, value in values.items()))
    board = leaderboard(scores, NO_RISK, references=("poor", "fair"), rng=np.random.default_rng(1))
    assert board["model"].tolist() == ["model", "fair", "poor"]
    assert board["skill"].tolist() == [0.25, 0.0, -1.0]


def test_there_is_no_skill_over_a_forecast_that_was_always_right():
    scores = table(
        *(cell(name, 0, 1, "A", (crps, 1.0, 1.0, 1.0, 0.5)) for name, crps in (("year", 3e-31), ("glm", 0.1)))
    )
    board = leaderboard(scores, NO_RISK, references=("year",), rng=np.random.default_rng(1))
    assert board["skill"].isna().all()
