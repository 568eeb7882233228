import numpy as np
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.count_tests import (
    frequency_test,
    pit_moments,
    pit_moments_test,
    regression_test,
    score_moments,
    serial_dependence_test,
    unconditional_test,
)
from forecast.evaluation.scores import crps_pmf, dawid_sebastiani, log_score

EXACT = {"rtol": 0, "atol": 1e-10}


def pmfs(rng, cells=40, k=9):
    return rng.dirichlet(np.ones(k), cells)


@pytest.mark.parametrize("rule", ["rps", "log", "dss"])
def test_moments_are_those_over_all_counts(rule):
    rng = np.random.default_rng(1)
    pmf = pmfs(rng)
    count = np.arange(9)
    mean = pmf @ count
    variance = pmf @ count**2 - mean**2

    def score(y):
        if rule == "rps":
            return crps_pmf(pmf, y)
        if rule == "log":
            return log_score(np.take_along_axis(pmf, y[:, None], axis=1)[:, 0])
        return dawid_sebastiani(mean, variance, y)

    every = np.stack([score(np.full(len(pmf), k)) for k in count], axis=1)
    expected = (pmf * every).sum(axis=1)
    spread = (pmf * (every - expected[:, None]) ** 2).sum(axis=1)
    y = rng.integers(0, 9, len(pmf))
    found = score_moments(pmf, y, rule)
    np.testing.assert_allclose(found.score, score(y), **EXACT)
    np.testing.assert_allclose(found.expected, expected, **EXACT)
    np.testing.assert_allclose(found.variance, spread, **EXACT)


def test_counts_beyond_the_head_are_scored_as_elsewhere():
    pmf = np.array([[0.6, 0.3]])
    for y in (2, 3, 9):
        np.testing.assert_allclose(score_moments(pmf, np.array([y])).score, crps_pmf(pmf, np.array([y])), **EXACT)
        dss = score_moments(pmf, np.array([y]), "dss").score
        np.testing.assert_allclose(dss, dawid_sebastiani(0.5, 0.7 - 0.25, y), **EXACT)
    assert score_moments(pmf, np.array([2]), "log").score[0] == pytest.approx(-np.log(0.1))
    assert score_moments(pmf, np.array([3]), "log").score[0] == pytest.approx(-np.log(1e-6))


def test_dss_of_the_negative_binomial_has_the_moments_of_the_closed_form():
    # E = 1 + log variance; Var = excess kurtosis + 2.
    law = stats.nbinom([2.0, 5.0], [0.4, 0.7])
    mean, variance, _, kurtosis = law.stats(moments="mvsk")
    found = score_moments(law.pmf(np.arange(400)[:, None]).T, np.array([1, 2]), "dss")
    np.testing.assert_allclose(found.expected, 1 + np.log(variance), rtol=1e-9)
    np.testing.assert_allclose(found.variance, kurtosis + 2, rtol=1e-9)
    np.testing.assert_allclose(found.score, (np.array([1, 2]) - mean) ** 2 / variance + np.log(variance), rtol=1e-9)


def test_both_statistics_of_wei_and_held_by_hand():
    rng = np.random.default_rng(2)
    moments = score_moments(pmfs(rng), rng.integers(0, 9, 40), "log")
    excess = moments.score - moments.expected
    plain = unconditional_test(moments, weighted=False)
    assert plain.statistic == pytest.approx(excess.sum() / np.sqrt(moments.variance.sum()))
    weighted = unconditional_test(moments)
    assert weighted.statistic == pytest.approx((excess / np.sqrt(moments.variance)).sum() / np.sqrt(40))
    assert weighted.p == pytest.approx(2 * stats.norm.sf(abs(weighted.statistic)))


def test_regression_is_weighted_least_squares():
    rng = np.random.default_rng(3)
    moments = score_moments(pmfs(rng, 200), rng.integers(0, 9, 200))
    design = np.column_stack([np.ones(200), moments.expected])
    precision = np.diag(1 / moments.variance)
    covariance = np.linalg.inv(design.T @ precision @ design)
    slope = covariance @ design.T @ precision @ (moments.score - moments.expected)
    found = regression_test(moments)
    assert found.statistic == pytest.approx(slope @ np.linalg.inv(covariance) @ slope)
    assert np.isnan(regression_test(score_moments(np.tile([0.5, 0.3], (9, 1)), np.zeros(9, int))).p)


def test_certain_forecasts_say_nothing():
    moments = score_moments(np.ones((20, 1)), np.zeros(20, int))
    assert np.isnan(unconditional_test(moments).p)
    with pytest.raises(InputError, match="rule 'mse'"):
        score_moments(np.ones((2, 1)), np.zeros(2, int), "mse")
    with pytest.raises(InputError, match="shape"):
        score_moments(np.ones((2, 1)), np.zeros(3, int))


def test_moments_of_the_pit_are_means_over_its_randomness():
    rng = np.random.default_rng(4)
    pit = np.sort(rng.random((30, 2)), axis=1)
    u = pit[:, 0] + (np.arange(20000)[:, None] + 0.5) / 20000 * (pit[:, 1] - pit[:, 0])
    np.testing.assert_allclose(pit_moments(pit, "bias"), (u - 0.5).mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(pit_moments(pit, "dispersion"), (12 * (u - 0.5) ** 2 - 1).mean(axis=0), atol=1e-7)


def test_any_right_forecast_has_moments_of_mean_zero():
    rng = np.random.default_rng(5)
    pmf = pmfs(rng)
    upto = np.cumsum(pmf, axis=1)
    for moment in ("bias", "dispersion"):
        values = [
            pit_moments(np.column_stack([upto[:, k] - pmf[:, k], upto[:, k]]), moment) * pmf[:, k] for k in range(9)
        ]
        np.testing.assert_allclose(np.sum(values, axis=0), 0, atol=1e-12)


def test_block_tests_need_blocks_and_leave_out_the_unknown():
    pit = np.full((100, 2), 0.8)
    assert np.isnan(pit_moments_test(pit, np.arange(100) // 2, moment="bias").p)  # 50 weeks: 4 blocks
    pit[::2] = np.nan
    assert pit_moments_test(pit, np.arange(100), moment="bias").n == 50
    found = frequency_test(np.full(130, 0.3), np.tile([1, 0], 65), np.arange(130))
    assert found.statistic > 0
    assert found.p < 0.01


def test_serial_dependence_starts_at_the_horizon():
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(403, 5))
    moving = stats.norm.cdf((noise[3:] + noise[2:-1] + noise[1:-2] + noise[:-3]) / 2)
    pit = np.stack([moving, moving], axis=-1)
    assert serial_dependence_test(pit).p < 1e-6
    assert serial_dependence_test(pit, horizon=4).p > 0.01
    assert np.isnan(serial_dependence_test(pit[:30]).p)
    assert np.isnan(serial_dependence_test(np.full((100, 2, 2), np.nan)).p)
