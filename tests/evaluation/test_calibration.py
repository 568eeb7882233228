import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation import calibration
from forecast.evaluation.calibration import (
    _column_quantile,
    central_coverage,
    pit_histogram,
    randomised_pit,
    reliability,
)

WEEKS = pd.date_range("2022-01-01", periods=104, freq="7D")


def test_pit_of_a_right_forecast_is_uniform():
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.5, 2.0, 20_000)
    law = stats.poisson(rate)
    y = law.rvs(random_state=rng)
    pit = np.column_stack([law.cdf(y - 1), law.cdf(y)])
    assert stats.kstest(randomised_pit(pit, rng), "uniform").pvalue > 0.01
    np.testing.assert_allclose(pit_histogram(pit)["density"], 1, atol=0.08)
    np.testing.assert_allclose(central_coverage(pit), [0.5, 0.8, 0.95], atol=0.012)


def test_pit_of_a_narrow_forecast_is_not():
    rng = np.random.default_rng(2)
    y = rng.poisson(rng.gamma(1.0, 5.0, 5000))
    law = stats.poisson(5.0)
    pit = np.column_stack([law.cdf(y - 1), law.cdf(y)])
    density = pit_histogram(pit)["density"]
    assert density.iloc[0] > 1.5
    assert density.iloc[-1] > 1.5
    assert (central_coverage(pit) < [0.4, 0.65, 0.85]).all()


def test_pit_lies_between_the_two_cdfs():
    below, upto = np.array([0.0, 0.3, 1.0]), np.array([0.3, 0.9, 1.0])
    bounds = np.column_stack([below, upto])
    pit = np.array([randomised_pit(bounds, np.random.default_rng(seed)) for seed in range(50)])
    assert ((pit >= below) & (pit <= upto)).all()
    np.testing.assert_allclose(np.ptp(pit, axis=0), upto - below, atol=0.06)


def test_coverage_and_histogram_leave_out_what_is_unknown():
    pit = np.array([[0.5, 0.5], [np.nan, np.nan], [0.02, 0.1]])
    assert central_coverage(pit, [0.5]).tolist() == [0.5]
    assert pit_histogram(pit, bins=4)["density"].tolist() == [2.0, 0.0, 2.0, 0.0]
    assert np.isnan(central_coverage(np.empty((0, 2)))).all()


def test_histogram_and_coverage_are_means_over_the_randomised_pit():
    rng = np.random.default_rng(3)
    bounds = np.sort(rng.random((200, 2)), axis=1)
    bounds[:5, 1] = bounds[:5, 0]
    bounds[0] = 1.0
    drawn = np.concatenate([randomised_pit(bounds, rng) for _ in range(2000)])
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0] / len(drawn)
    np.testing.assert_allclose(pit_histogram(bounds)["density"] / 10, counts, atol=2e-3)
    expected = [(np.abs(drawn - 0.5) <= level / 2).mean() for level in (0.5, 0.8, 0.95)]
    np.testing.assert_allclose(central_coverage(bounds), expected, atol=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_the_decomposition_adds_up(seed):
    rng = np.random.default_rng(seed)
    p = rng.choice(np.round(rng.random(30), 3), 104)
    y = rng.random(104) < p**2
    found = reliability(p, y, WEEKS, rng, replicates=50)
    total = found.miscalibration - found.discrimination + found.uncertainty
    assert abs(found.score - total) < 1e-12
    assert abs(found.score - np.mean((p - y) ** 2)) < 1e-12
    assert found.miscalibration >= 0
    assert found.discrimination >= 0
    assert found.curve["recalibrated"].is_monotonic_increasing
    assert found.curve["n"].sum() == found.histogram["count"].sum() == 104
    assert (found.curve["low"] <= found.curve["high"]).all()


def test_curve_by_hand():
    p = [0.1, 0.1, 0.4, 0.4, 0.6, 0.6, 0.9]
    y = [0, 0, 1, 1, 0, 1, 1]
    found = reliability(p, y, WEEKS[:7], np.random.default_rng(1), bins=2)
    # The two of 0.4 and the two of 0.6 break the order and are pooled: 3 of 4.
    np.testing.assert_allclose(found.curve["recalibrated"], [0, 0.75, 0.75, 1], atol=1e-12)
    np.testing.assert_allclose(found.score - found.miscalibration, 4 * 0.75 * 0.25 / 7, atol=1e-12)
    assert found.histogram["count"].tolist() == [4, 3]


def test_perfect_and_useless_probabilities():
    y = np.arange(104) % 4 == 0
    perfect = reliability(y.astype(float), y, WEEKS, np.random.default_rng(1))
    assert perfect.score == perfect.miscalibration == 0
    assert perfect.discrimination == perfect.uncertainty == pytest.approx(0.1875)
    useless = reliability(np.full(104, 0.25), y, WEEKS, np.random.default_rng(1))
    assert perfect.right_mean == perfect.right_high == 0
    assert useless.discrimination == pytest.approx(0, abs=1e-15)
    assert useless.miscalibration == pytest.approx(0, abs=1e-15)


def inside(found):
    curve = found.curve
    return ((curve["recalibrated"] >= curve["low"]) & (curve["recalibrated"] <= curve["high"])).to_numpy()


def test_band_holds_the_curve_of_a_calibrated_forecast_and_not_of_others():
    rng = np.random.default_rng(4)
    held, missed = [], []
    for _ in range(60):
        p = np.round(rng.random((104, 8)), 1)
        origin = WEEKS.repeat(8)
        calibrated = rng.random(p.shape) < p
        held.append(inside(reliability(p.ravel(), calibrated.ravel(), origin, rng, replicates=200)).mean())
        biased = rng.random(p.shape) < p**2
        missed.append(inside(reliability(p.ravel(), biased.ravel(), origin, rng, replicates=200)).mean())
    assert 0.8 < np.mean(held) < 0.97
    assert np.mean(missed) < 0.6


def test_a_right_forecaster_shows_the_miscalibration_that_chance_explains_and_a_wrong_one_more():
    rng = np.random.default_rng(8)
    beyond = {"right": 0, "wrong": 0}
    for _ in range(100):
        common = rng.random((104 // 4, 8)).repeat(4, axis=0)  # what came depends on each other over four weeks
        p = np.round(rng.random((104, 8)), 2)
        for name, true in (("right", p), ("wrong", p**1.5)):
            found = reliability(p.ravel(), (common < true).ravel(), WEEKS.repeat(8), rng, replicates=60)
            assert 0 < found.right_mean < found.right_high
            beyond[name] += found.miscalibration > found.right_high
    assert 4 <= beyond["right"] <= 20
    assert beyond["wrong"] >= 90


def test_what_a_right_forecaster_shows_does_not_depend_on_the_band():
    rng = np.random.default_rng(9)
    p = np.round(rng.random(104), 1)
    y = rng.random(104) < p
    both = [reliability(p, y, WEEKS, np.random.default_rng(1), band=band) for band in ("consistency", "confidence")]
    assert both[0].right_mean == both[1].right_mean
    assert both[0].right_high == both[1].right_high


def test_band_is_wider_where_weeks_depend_on_each_other():
    rng = np.random.default_rng(5)
    p = np.full((104, 20), 0.3)
    alone = rng.random(p.shape) < p
    together = np.repeat(rng.random((104 // 13, 1)), 13, axis=0) < p
    origin = WEEKS.repeat(20)
    widths = [
        float((found.curve["high"] - found.curve["low"]).iloc[0])
        for found in (reliability(p.ravel(), y.ravel(), origin, rng) for y in (alone, together))
    ]
    assert widths[1] > 3 * widths[0]


def test_confidence_band_is_about_the_curve_and_holds_the_truth():
    rng = np.random.default_rng(6)
    held, near = [], []
    for _ in range(40):
        p = np.round(rng.random((104, 8)), 1)
        y = rng.random(p.shape) < p**2
        found = reliability(p.ravel(), y.ravel(), WEEKS.repeat(8), rng, replicates=200, band="confidence")
        truth = found.curve["probability"] ** 2
        held.append(truth.between(found.curve["low"], found.curve["high"]).mean())
        near.append(inside(found).mean())
    assert np.mean(held) > 0.75
    assert np.mean(near) > 0.95


def test_a_probability_issued_once_has_a_confidence_band_too():
    rng = np.random.default_rng(7)
    p = np.full(104, 0.2)
    p[50] = 0.9
    found = reliability(p, rng.random(104) < 0.2, WEEKS, rng, replicates=100, band="confidence")
    assert np.isfinite(found.curve[["low", "high"]]).all(axis=None)
    assert (found.curve["low"] <= found.curve["high"]).all()


def test_bad_cases_are_refused():
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match="0 probabilities"):
        reliability([], [], WEEKS[:0], rng)
    with pytest.raises(InputError, match="outside"):
        reliability([1.2], [1], WEEKS[:1], rng)
    with pytest.raises(InputError, match="outcomes other"):
        reliability([0.2], [2], WEEKS[:1], rng)


@pytest.mark.parametrize("level", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_quantiles_of_columns_are_those_of_numpy(level):
    rng = np.random.default_rng(3)
    values = rng.random((101, 40))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:100, 0] = np.nan
    np.testing.assert_array_equal(_column_quantile(values, level), np.nanquantile(values, level, axis=0))


@pytest.mark.parametrize("band", ["consistency", "confidence"])
def test_the_band_of_very_many_probabilities_is_nearly_that_of_each(monkeypatch, band):
    rng = np.random.default_rng(5)
    weeks = pd.DatetimeIndex(np.repeat(pd.date_range("2020-01-04", periods=104, freq="7D"), 30))
    p = rng.beta(0.5, 2.0, len(weeks))
    y = rng.random(len(p)) < p
    each = reliability(p, y, weeks, np.random.default_rng(1), band=band, replicates=200)
    monkeypatch.setattr(calibration, "MOST_DISTINCT", 100)
    together = reliability(p, y, weeks, np.random.default_rng(1), band=band, replicates=200)
    np.testing.assert_array_equal(together.curve["recalibrated"], each.curve["recalibrated"])
    for edge in ("low", "high"):
        assert (together.curve[edge] - each.curve[edge]).abs().quantile(0.95) < 0.05
        assert (together.curve[edge] - each.curve[edge]).abs().mean() < 0.01
    assert together.right_mean == pytest.approx(each.right_mean, rel=0.1)
