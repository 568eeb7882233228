"""The diagnosis of a record: right forecasts pass, wrong ones are called what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.record_diagnosis import TESTS, diagnose_record, pit_cells


@pytest.fixture(scope="module")
def record(made_record):
    return made_record({"right": 1.0, "high": 1.6}, origins=104)


def test_the_cells_are_those_of_the_scores(record):
    cells = pit_cells(record, "right")
    assert len(cells) == 104 * 3 * 3
    scores = record.scores[record.scores["model"] == "right"]
    at = 100
    same = (
        (scores["origin"] == cells.origin[at])
        & (scores["horizon"] == cells.horizon[at])
        & (scores["unit"] == ["A", "B", "C"][cells.unit[at]])
    )
    pit = scores[same].set_index("score")["value"]
    assert cells.pit[at].tolist() == [pit["pit_below"], pit["pit_upto"]]
    assert cells.week[at] == cells.origin[at] + (cells.horizon[at] - 1) * pd.Timedelta(days=7)


def test_a_right_forecast_has_no_fault(record):
    found = diagnose_record(record, "right")
    assert found.groups["verdict"].iloc[0] == "no fault found"
    assert not (found.tests["p_holm"] < 0.05).any()
    assert set(found.groups["group"]) == {"all", "horizon", "activity", "season", "year"}
    assert found.tests["test"].tolist() == list(TESTS)


def test_a_forecast_that_is_too_high_is_called_so(record):
    found = diagnose_record(record, "high")
    assert "too high" in found.groups["verdict"].iloc[0]
    p = found.tests.set_index("test")["p_holm"]
    assert p["bias"] < 0.01
    active = found.groups[found.groups["label"] == "active"].iloc[0]
    assert active["bias"] < -0.05


def test_counts_beyond_the_head_are_taken_as_its_end(made_record):
    """Half the counts of the busiest region lie beyond the ten probabilities that a record keeps."""
    record = made_record({"right": 1.0}, origins=104, seed=4)
    big = record.forecasts["unit"] == "A"
    counts = np.random.default_rng(2).poisson(10, big.sum())
    forecasts = record.forecasts.copy()
    forecasts.loc[big, "observed"] = counts
    from scipy import stats

    for count in range(10):
        forecasts.loc[big, f"p{count}"] = stats.poisson(10).pmf(count)
    changed = type(record)(record.name, record.source, forecasts, record.scores, record.risk, record.leaderboard)
    p = diagnose_record(changed, "right").tests.set_index("test")["p"]
    assert (p[["rps", "log", "dss"]] > 0.01).all()


def test_a_short_record_cannot_tell(made_record):
    found = diagnose_record(made_record({"right": 1.0}, origins=12), "right")
    assert found.groups["verdict"].iloc[0] == "too few weeks to tell"
    assert found.tests["p"].isna().all()


def test_a_model_that_is_not_there(record):
    assert diagnose_record(record, "absent") is None
    assert diagnose_record(record, "right", unit_kind="place") is None
