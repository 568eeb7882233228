"""Each rule against counts worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pydantic import TypeAdapter, ValidationError

from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive.escalation import Escalation, base_rate, base_rate_and_origins, probability, weeks_known
from forecast.predictive.forecast import Forecast, pmf_of_paths

RULES = TypeAdapter(Escalation)


def rule(**keys: object):
    return RULES.validate_python({"name": "r", **keys})


def panel(counts: list[list[int]], observed: list[list[bool]] | None = None) -> Panel:
    values = np.array(counts)
    weeks = pd.date_range("2020-01-04", periods=len(values), freq="7D", unit="s")
    units = Units.of([f"U{i}" for i in range(values.shape[1])])
    return Panel.of(values, weeks, units, observed=None if observed is None else np.array(observed))


def forecast_of(paths: list[list[list[int]]], origin: str = "2020-03-07") -> Forecast:
    array = np.array(paths, dtype=np.int32)
    weeks = pd.date_range(origin, periods=array.shape[1], freq="7D", unit="s")
    return Forecast(array, pmf_of_paths(array), weeks, Units.of([f"U{i}" for i in range(array.shape[2])]))


def test_any_event_counts_paths_with_one_within_the_weeks() -> None:
    paths = [[[0], [0], [1]], [[0], [1], [0]], [[0], [0], [0]], [[2], [0], [0]]]
    history = panel([[0]] * 9)
    assert probability(rule(rule="any_event", weeks=2), forecast_of(paths), history).tolist() == [0.5]
    assert probability(rule(rule="any_event", weeks=3), forecast_of(paths), history).tolist() == [0.75]


def test_at_least_is_about_the_sum() -> None:
    paths = [[[1], [1]], [[2], [1]], [[0], [3]], [[1], [0]]]
    assert probability(rule(rule="at_least", count=3, weeks=2), forecast_of(paths), panel([[0]] * 9)).tolist() == [0.5]


def test_above_recent_is_strict() -> None:
    # Two-week sums of the last six weeks: 1, 2, 3, 3, 2; their median is 2, so 3 is above and 2 is not.
    history = panel([[9], [0], [1], [1], [2], [1], [1]])
    above = rule(rule="above_recent", weeks=2, quantile=0.5, window=6)
    assert above.level(history).tolist() == [3.0]
    assert probability(above, forecast_of([[[1], [1]], [[2], [1]]]), history).tolist() == [0.5]


def test_above_recent_with_a_fractional_quantile_needs_the_next_whole_number() -> None:
    history = panel([[0], [1], [0], [2], [1], [3]])  # one-week sums; the 0.9 quantile is 2.5
    assert rule(rule="above_recent", weeks=1, quantile=0.9, window=6).level(history).tolist() == [3.0]


def test_increase_compares_with_the_recent_weekly_mean() -> None:
    history = panel([[0, 0], [1, 0], [2, 0], [3, 0]])  # the last two weeks of U0 have a mean of 2.5
    level = rule(rule="increase", factor=2.0, over=2, weeks=2).level(history)
    assert level.tolist() == [10.0, 1.0]


def test_increase_rounds_up_and_not_beyond() -> None:
    assert rule(rule="increase", factor=1.5, over=4, weeks=4).level(panel([[1], [0], [0], [0]])).tolist() == [2.0]
    assert rule(rule="increase", factor=3.0, over=3, weeks=1).level(panel([[1], [0], [0]])).tolist() == [1.0]


def test_record_is_above_every_span_of_the_window() -> None:
    history = panel([[8], [8], [0], [1], [2], [0]])
    assert rule(rule="record", weeks=2, window=4).level(history).tolist() == [4.0]


def test_what_the_history_cannot_say_is_nan() -> None:
    short = panel([[1], [1]])
    above = rule(rule="above_recent", weeks=4)
    assert np.isnan(probability(above, forecast_of([[[1]] * 4]), short)).all()


def test_missing_weeks_are_no_zeros() -> None:
    history = panel([[4], [0], [4]], observed=[[True], [False], [True]])
    assert rule(rule="increase", factor=2.0, over=3, weeks=1).level(history).tolist() == [8.0]
    assert np.isnan(rule(rule="record", weeks=2, window=4).level(history)).all()


def test_spans_with_a_missing_week_are_left_out_and_the_others_count() -> None:
    history = panel([[1], [2], [0], [3], [1]], observed=[[True], [True], [False], [True], [True]])
    assert rule(rule="record", weeks=2, window=5).level(history).tolist() == [5.0]
    assert rule(rule="above_recent", weeks=1, quantile=0.5, window=5).level(history).tolist() == [2.0]


def test_base_rate_is_the_share_of_origins_whose_weeks_are_over() -> None:
    history = panel([[0], [1], [0], [0], [1], [1], *[[0]] * 12])
    # Origins after weeks 1 .. 16 (two target weeks each): met from the first, third, fourth and fifth.
    assert base_rate(rule(rule="any_event", weeks=2), history).tolist() == [4 / 16]
    assert base_rate(rule(rule="any_event", weeks=2), history, window=14).tolist() == [3 / 14]


def test_base_rate_needs_a_quarter_of_origins_that_know_half_of_what_the_rule_looks_back() -> None:
    assert np.isnan(base_rate(rule(rule="any_event", weeks=2), panel([[1]] * 14))).all()
    assert base_rate(rule(rule="any_event", weeks=2), panel([[1]] * 15)).tolist() == [1.0]
    record = rule(rule="record", weeks=1, window=20)
    assert np.isnan(base_rate(record, panel([[1]] * 22))).all()
    assert base_rate(record, panel([[1]] * 23)).tolist() == [0.0]


def test_origins_after_a_gap_do_not_know_what_the_rule_looks_back() -> None:
    observed = [[True]] * 30 + [[False]] * 20 + [[True]] * 20
    rate, origins = base_rate_and_origins(rule(rule="record", weeks=1, window=20), panel([[1]] * 70, observed))
    # From weeks 10 .. 29, and again from week 60 on, when ten of the last twenty are known.
    assert (rate.tolist(), origins.tolist()) == ([0.0], [30])
    assert weeks_known(rule(rule="record", weeks=1, window=20), panel([[1]] * 55, observed[:55])).tolist() == [5]


@pytest.mark.parametrize("kind", ["any_event", "at_least", "above_recent", "increase", "record"])
def test_every_rule_says_what_it_is(kind: str) -> None:
    keys = {"count": 3} if kind == "at_least" else {}
    assert "event" in rule(rule=kind, weeks=1, **keys).sentence()
    assert "next week" in rule(rule=kind, weeks=1, **keys).sentence()


@pytest.mark.parametrize(
    "keys",
    [
        {"rule": "any_evnt"},
        {"rule": "any_event", "weeks": 0},
        {"rule": "at_least"},
        {"rule": "above_recent", "quantile": 1.0},
        {"rule": "increase", "factor": 1.0},
        {"rule": "any_event", "week": 4},
    ],
)
def test_rules_that_make_no_sense_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(**keys)


def gamma_poisson(draws: int, rate: float, seed: int) -> tuple[Forecast, float]:
    """Four weeks of Poisson counts with a common gamma rate: a forecast, and the exact probability of any event."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.5, rate / 0.5, (draws, 1, 1))
    paths = rng.poisson(rates, (draws, 4, 1)).astype(np.int32)
    counts = np.arange(60)
    pmf = scipy.stats.nbinom(0.5, 0.5 / (0.5 + rate)).pmf(counts)
    weeks = pd.date_range("2020-03-07", periods=4, freq="7D", unit="s")
    made = Forecast(paths, np.broadcast_to(pmf, (4, 1, 60)), weeks, Units.of(["U0"]))
    return made, 1 - (0.5 / (0.5 + 4 * rate)) ** 0.5


@pytest.mark.parametrize(("rate", "gain"), [(0.0005, 50.0), (0.002, 20.0), (0.05, 2.0), (1.0, 1.2)])
def test_probabilities_are_right_and_steadier_than_the_share_of_paths(rate: float, gain: float) -> None:
    any_event, history = rule(rule="any_event", weeks=4), panel([[0]] * 9)
    steadied, shares = [], []
    for seed in range(300):
        made, exact = gamma_poisson(500, rate, seed)
        steadied.append(float(probability(any_event, made, history)[0]))
        shares.append(made.paths.any(axis=(1, 2)).mean())
        assert steadied[-1] <= made.mean().sum() + 1e-12
    error = np.std(steadied) / np.sqrt(len(steadied))
    assert abs(np.mean(steadied) - exact) < 4 * error + 0.01 * exact
    assert np.var(shares) > gain * np.var(steadied)


def test_units_that_are_the_same_are_equally_probable_whatever_their_paths_met() -> None:
    """Of 2,000 paths 0, 8 and 20 had one event; the marginals, which are exact, are the same."""
    paths = np.zeros((2000, 4, 3), dtype=np.int32)
    paths[:8, 0, 1] = 1
    paths[:20, 2, 2] = 1
    weeks = pd.date_range("2020-03-07", periods=4, freq="7D", unit="s")
    pmf = np.broadcast_to(np.array([0.999, 0.0009, 0.0001]), (4, 3, 3))
    made = Forecast(paths, pmf, weeks, Units.of(["U0", "U1", "U2"]))
    found = probability(rule(rule="any_event", weeks=4), made, panel([[0, 0, 0]] * 9))
    assert found == pytest.approx(0.004)


def test_a_level_that_all_paths_reach_in_all_weeks_is_as_sure_as_the_paths() -> None:
    paths = np.full((100, 4, 1), 9, dtype=np.int32)
    pmf = np.zeros((4, 1, 10))
    pmf[..., 9], pmf[..., 0] = 0.99, 0.01
    weeks = pd.date_range("2020-03-07", periods=4, freq="7D", unit="s")
    made = Forecast(paths, pmf, weeks, Units.of(["U0"]))
    assert probability(rule(rule="any_event", weeks=4), made, panel([[0]] * 9)).tolist() == [1.0]
    assert probability(rule(rule="at_least", count=30, weeks=4), made, panel([[0]] * 9)).tolist() == [1.0]
