"""Forecasts that were issued against what came."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.issued import IssuedRecord, against_base_rate, by_issue, calls, corrections, over_time

FIRST = pd.Timestamp("2026-01-03")
UNITS = ("Mali/Gao", "Mali/Mopti", "Mali/Kidal")


def statements(weeks, seed=1, units=UNITS, chance=None, span=4):
    """Statements of one escalation, week after week; calibrated ones without `chance`."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        [(week + 1, FIRST + pd.Timedelta(weeks=week), unit) for week in range(weeks) for unit in units],
        columns=["issue", "origin", "unit"],
    )
    true = rng.uniform(0.05, 0.9, len(table))
    met = (rng.random(len(table)) < true).astype(int)
    return table.assign(
        unit_kind="region",
        escalation="any",
        weeks=span,
        probability=true if chance is None else chance,
        base_rate=0.4,
        level=1.0,
        met=met,
        met_first=met,
    )


def record_of(said, counts=None):
    issues = said[["issue", "origin"]].drop_duplicates().assign(issued_at=FIRST, model="discount")
    if counts is None:
        counts = pd.DataFrame(
            columns=["issue", "week", "unit_kind", "unit", "count", "count_first", "crps", "crps_first"]
        ).assign(pit_below=0.0, pit_upto=0.0)
    return IssuedRecord(issues.reset_index(drop=True), said, counts, pd.DatetimeIndex([]), {}, 0)


def test_each_issue_stands_against_what_came():
    said = statements(3)
    said = pd.concat([said, said.assign(unit_kind="place"), said.assign(escalation="other")], ignore_index=True)
    counts = pd.DataFrame(
        {
            "issue": [1, 1, 2],
            "week": FIRST,
            "unit_kind": "region",
            "unit": ["Mali/Gao", "Mali/Mopti", "Mali/Gao"],
            "count": [3, 0, 1],
            "count_first": [2, 0, 1],
            "crps": [1.0, 0.5, 0.25],
            "crps_first": [0.5, 0.5, 0.25],
            "pit_below": [0.3, 0.0, 0.95],
            "pit_upto": [0.5, 0.2, 0.99],
        }
    )
    table = by_issue(record_of(said, counts), "any").set_index("issue")
    assert table.index.tolist() == [3, 2, 1]
    assert table["statements"].tolist() == [3, 3, 3]
    mine = statements(3)
    first = mine[mine["issue"] == 1]
    assert table.loc[1, "stated"] == pytest.approx(first["probability"].sum())
    assert table.loc[1, "came"] == first["met"].sum()
    assert table.loc[1, "brier"] == pytest.approx(((first["probability"] - first["met"]) ** 2).mean())
    assert table.loc[1, "brier_base"] == pytest.approx(((0.4 - first["met"]) ** 2).mean())
    assert table["crps"].tolist() == pytest.approx([np.nan, 0.25, 0.75], nan_ok=True)
    assert table["corrected"].tolist() == [0, 0, 1]
    # Of the first cell all of the PIT lies between 0.1 and 0.9, of the second half, of the third nothing.
    assert table["within"].tolist() == pytest.approx([np.nan, 0.0, 0.75], nan_ok=True)


def test_the_base_rate_is_beaten_by_what_is_right():
    found = against_base_rate(statements(104), np.random.default_rng(1)).iloc[0]
    assert found["n"] == 104 * 3
    assert found["brier"] < found["brier_base"]
    assert 0 < found["low"] < found["skill"] < found["high"] < 1
    same = against_base_rate(statements(104, chance=0.4), np.random.default_rng(1)).iloc[0]
    assert (same["skill"], same["low"], same["high"]) == pytest.approx((0, 0, 0))
    short = against_base_rate(statements(8), np.random.default_rng(1)).iloc[0]
    assert np.isnan([short["low"], short["high"]]).all()
    assert against_base_rate(statements(2).iloc[:0], np.random.default_rng(1)).empty


def test_what_is_usual_but_not_known_is_left_out_of_the_comparison():
    said = statements(10)
    said.loc[said["unit"] == "Mali/Gao", "base_rate"] = np.nan
    assert against_base_rate(said, np.random.default_rng(1)).iloc[0]["n"] == 20
    best, worst = calls(said, 50)
    assert "Mali/Gao" not in {*best["unit"], *worst["unit"]}


def test_right_statements_lie_within_the_band_as_often_as_stated():
    inside = []
    for seed in range(120):
        said = statements(52, seed, units=[f"Mali/{number}" for number in range(8)], span=1)
        found = over_time(said, np.random.default_rng(seed))
        assert found["n"].sum() == 52 * 8
        inside += list(found["came"].between(found["low"], found["high"]))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_the_band_is_wider_where_statements_share_weeks():
    width = []
    for span in (1, 4):
        found = over_time(statements(26, span=span), np.random.default_rng(1))
        width.append((found["high"] - found["low"]).mean())
    assert width[1] > 1.3 * width[0]


def test_wrong_statements_leave_the_band():
    said = statements(52, units=[f"Mali/{number}" for number in range(8)], chance=0.9)
    found = over_time(said, np.random.default_rng(1))
    assert (found["came"] < found["low"]).all()


def test_best_and_worst_calls_do_not_share_weeks_of_one_region():
    said = statements(40)
    best, worst = calls(said, 6)
    assert best["gain"].is_monotonic_decreasing
    assert worst["gain"].is_monotonic_increasing
    assert best["gain"].min() > 0 > worst["gain"].max()
    for table in (best, worst):
        assert len(table) == 6
        for _, part in table.groupby("unit"):
            starts = part["origin"].sort_values()
            assert (starts.diff().dropna() >= pd.Timedelta(weeks=4)).all()
    top = ((0.4 - said["met"]) ** 2 - (said["probability"] - said["met"]) ** 2).max()
    assert best.loc[0, "gain"] == pytest.approx(top)


def test_corrections_stand_apart():
    said = statements(2)
    said.loc[0, "met_first"] = 1 - said.loc[0, "met"]
    counts = pd.DataFrame(
        {
            "issue": [1, 2, 2],
            "week": [FIRST + pd.Timedelta(weeks=1)] * 2 + [FIRST + pd.Timedelta(weeks=2)],
            "unit_kind": "region",
            "unit": "Mali/Gao",
            "count": [5, 5, 1],
            "count_first": [2, 2, 1],
            "crps": [3.0, 1.0, 0.1],
            "crps_first": [1.0, 0.5, 0.1],
        }
    )
    weeks, turned = corrections(record_of(said, counts))
    assert weeks.to_dict("records") == [
        {
            "unit_kind": "region",
            "unit": "Mali/Gao",
            "week": FIRST + pd.Timedelta(weeks=1),
            "count_first": 2,
            "count": 5,
            "crps_first": 0.75,
            "crps": 2.0,
        }
    ]
    assert turned["unit"].tolist() == ["Mali/Gao"]
