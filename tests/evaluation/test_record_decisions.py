"""Decisions and Murphy diagrams of a record: the arrays that they are made of, and identities that must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.decision import alarms
from forecast.evaluation.record_decisions import record_decisions
from forecast.evaluation.record_murphy import record_murphy
from forecast.evaluation.risk_grid import RiskGrid
from forecast.predictive.escalation import AnyEvent

RULE = AnyEvent(rule="any_event", name="any", weeks=1)
OTHER = AnyEvent(rule="any_event", name="other", weeks=1)


@pytest.fixture(scope="module")
def record(made_record):
    return made_record({"right": 1.0, "high": 1.5})


def test_the_grid_holds_every_week_between(record):
    risk = record.risk[record.risk["origin"] != record.risk["origin"].unique()[3]]
    grid = RiskGrid.of(risk, "any", ["right"])
    assert grid.probability.shape == (1, 65, 3)
    assert np.isnan(grid.outcome[3]).all()
    row = risk[risk["model"] == "right"].iloc[-2]
    assert grid.probability[0, -1, grid.units.index(row["unit"])] == row["probability"]


def test_a_case_that_stands_twice_is_refused(record):
    with pytest.raises(InputError, match="stands twice"):
        RiskGrid.of(pd.concat([record.risk, record.risk]), "any", ["right"])


def test_only_common_cases_are_kept(record):
    risk = record.risk[(record.risk["model"] != "high") | (record.risk["unit"] != "A")]
    grid = RiskGrid.of(risk, "any", ["right", "high"]).common()
    assert np.isnan(grid.outcome[:, 0]).all()
    assert np.isfinite(grid.outcome[:, 1:]).all()


def test_decisions_are_those_of_the_arrays(record):
    found = record_decisions(record, ["right", "high"], [RULE, OTHER], thresholds=[0.5])
    assert set(found.alarms["escalation"]) == {"any"}  # of the other there is no case
    grid = RiskGrid.of(record.risk, "any", ["right"])
    direct = alarms(grid.probability[0], grid.outcome, np.random.default_rng(1), weeks_ahead=1, thresholds=[0.5])
    mine = found.alarms[found.alarms["model"] == "right"].iloc[0]
    for name in ("hits", "misses", "false_alarms", "lead_weeks", "episodes"):
        assert mine[name] == direct[name].iloc[0]
    assert found.values.groupby("model")["ratio"].nunique().to_dict() == {"right": 19, "high": 19}


def test_nothing_to_decide_on(record):
    found = record_decisions(record, ["absent"], [RULE])
    assert found.alarms.empty
    assert found.values.empty


def test_the_area_of_the_murphy_diagram_is_half_the_brier_score(record):
    found = record_murphy(record, ["right", "high"], ["any", "other"])
    assert list(found["of"].unique()) == ["mean", "any"]
    for model in ("right", "high"):
        curve = found[(found["of"] == "any") & (found["model"] == model)]
        area = 0.025 * curve["score"].sum()
        brier = record.risk.loc[record.risk["model"] == model, "brier"].mean()
        assert area == pytest.approx(brier / 2, abs=0.004)


def test_murphy_is_on_what_all_models_have(record):
    forecasts = record.forecasts[(record.forecasts["model"] != "high") | (record.forecasts["unit"] != "A")]
    short = type(record)(record.name, record.source, forecasts, record.scores, record.risk, record.leaderboard)
    found = record_murphy(short, ["right", "high"], [])
    assert (found["n"] == 65 * 3 * 2).all()
