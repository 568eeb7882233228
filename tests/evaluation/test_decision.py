import numpy as np
import pytest

from forecast.errors import InputError
from forecast.evaluation.decision import alarms, value_curve

RNG = np.random.default_rng(1)


def test_hits_false_alarms_and_lead_by_hand():
    #                    one unit, weeks down: an episode warned at once, one warned late, one missed, one false alarm
    outcome = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0])[:, None]
    said = np.array([0, 8, 8, 0, 0, 8, 8, 0, 0, 0, 8, 0, 0])[:, None] / 10
    row = alarms(said, outcome, RNG, weeks_ahead=4, thresholds=[0.5]).iloc[0]
    assert row[["cases", "alarms", "hits", "misses", "false_alarms"]].tolist() == [13, 5, 4, 2, 1]
    assert row[["episodes", "warned"]].tolist() == [3, 2]
    assert row["lead_weeks"] == (4 + 3) / 2
    assert row["hit_rate"] == pytest.approx(4 / 6)
    assert row["false_share"] == pytest.approx(1 / 5)
    assert row["false_per_quarter"] == pytest.approx(1)
    assert np.isnan(row["hit_rate_low"])


def test_a_warning_under_way_leads_by_nothing_and_the_unknown_is_no_case():
    outcome = np.array([1.0, 1, 1, np.nan, 0, 0])[:, None] * np.ones(2)
    said = np.array([0.0, 0, 0.9, 0.9, 0.1, np.nan])[:, None] * np.ones(2)
    row = alarms(said, outcome, RNG, weeks_ahead=2, thresholds=[0.5]).iloc[0]
    assert row[["cases", "alarms", "episodes", "lead_weeks"]].tolist() == [8, 2, 2, 0]
    none = alarms(said, outcome, RNG, weeks_ahead=2, thresholds=[0.95]).iloc[0]
    assert none["hit_rate"] == 0
    assert np.isnan(none["lead_weeks"])
    assert np.isnan(none["false_share"])


def simulated(weeks=156, units=8):
    rng = np.random.default_rng(2)
    p = rng.beta(0.5, 2, (weeks, units))
    return p, (rng.random(p.shape) < p).astype(float)


def test_intervals_are_about_the_rates_and_thresholds_trade_hits_for_false_alarms():
    p, y = simulated()
    table = alarms(p, y, np.random.default_rng(3), weeks_ahead=4)
    for name in ("hit_rate", "false_share", "false_per_quarter", "lead_weeks"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
    assert table["hit_rate"].is_monotonic_decreasing
    assert table["false_per_quarter"].is_monotonic_decreasing
    assert (table["hits"] + table["misses"] == y.sum()).all()
    assert (table["hit_rate_high"] <= 1).all()


def test_value_of_perfect_constant_and_calibrated_probabilities():
    p, y = simulated()
    rng = np.random.default_rng(4)
    assert value_curve(y, y, rng)["value"].to_numpy() == pytest.approx(1)
    rate = np.full_like(p, y.mean())
    assert value_curve(rate, y, rng)["value"].to_numpy() == pytest.approx(0, abs=1e-12)
    table = value_curve(p, y, rng)
    assert (table.loc[table["ratio"] <= 0.6, "value"] > 0).all()
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert (value_curve(1 - p, y, rng)["value"] < 1e-9).all()
    row = table.set_index("ratio").loc[0.2]
    acted = p >= 0.2
    assert row["expense"] == pytest.approx((0.2 * acted.sum() + y[~acted].sum()) / y.size)


def test_bad_cases_are_refused():
    with pytest.raises(InputError, match="outside"):
        alarms(np.array([[2.0]]), np.array([[1]]), RNG, weeks_ahead=1)
    with pytest.raises(InputError, match="shape"):
        alarms(np.array([0.2]), np.array([1]), RNG, weeks_ahead=1)
    with pytest.raises(InputError, match="0 weeks"):
        alarms(np.array([[0.2]]), np.array([[1]]), RNG, weeks_ahead=0)
    with pytest.raises(InputError, match="no probability"):
        value_curve(np.array([[np.nan]]), np.array([[1]]), RNG)
    with pytest.raises(InputError, match="ratio"):
        value_curve(np.array([[0.2]]), np.array([[1]]), RNG, ratios=[1.0])
