import numpy as np
import pandas as pd
import pytest
import scoringrules as sr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.evaluation.sample_scores import crps_samples, smoothed_probability
from forecast.evaluation.scores import (
    SCORES,
    brier,
    crps_pmf,
    dawid_sebastiani,
    log_score,
    score_forecast,
    weighted_interval_score,
)
from forecast.panel.units import Units
from forecast.predictive import negbin
from forecast.predictive.forecast import Forecast, pmf_of_paths

EXACT = {"rtol": 0, "atol": 1e-10}


def forecast_of(paths, pmf):
    weeks = pd.date_range("2026-01-03", periods=paths.shape[1], freq="7D")
    return Forecast(paths.astype(np.int32), pmf, weeks, Units.of([f"u{at}" for at in range(paths.shape[2])]))


@pytest.mark.parametrize(("mean", "size"), [(0.03, 0.5), (1.0, 1.0), (7.5, 2.0), (40.0, 30.0)])
def test_crps_of_a_pmf_is_that_of_the_negative_binomial(mean, size):
    pmf = negbin.mixture_pmf(np.array([mean])[:, None], size)[0]
    observed = np.array([0, 1, 2, 5, 30, len(pmf) - 1, len(pmf), len(pmf) + 20, 2000])
    expected = sr.crps_negbinom(observed, size, prob=size / (size + mean))
    # The head leaves out a mass of 1e-9 at most, which weighs more the farther off the observation lies.
    np.testing.assert_allclose(crps_pmf(np.tile(pmf, (len(observed), 1)), observed), expected, rtol=1e-8, atol=1e-10)


def test_crps_of_a_pmf_by_hand():
    pmf = np.array([[0.2, 0.5, 0.3]] * 4)
    # F = 0.2, 0.7, 1: against y = 0 (0.8, 0.3, 0), y = 1 (0.2, 0.3), y = 2 (0.2, 0.7), y = 5 and three more ones.
    expected = [0.64 + 0.09, 0.04 + 0.09, 0.04 + 0.49, 0.04 + 0.49 + 3]
    np.testing.assert_allclose(crps_pmf(pmf, np.array([0, 1, 2, 5])), expected, **EXACT)


def test_mass_that_is_missing_from_the_head_lies_right_behind_it():
    whole, cut = np.array([0.6, 0.3, 0.1]), np.array([0.6, 0.3])
    for observed in (0, 1, 2, 7):
        np.testing.assert_allclose(crps_pmf(cut, np.array(observed)), crps_pmf(whole, np.array(observed)), **EXACT)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=40), st.integers(0, 80))
def test_crps_of_samples_agrees_with_scoringrules_and_with_their_pmf(samples, observed):
    values, y = np.array(samples), np.array(observed)
    score = crps_samples(values, y)
    spread = np.abs(values[:, None] - values).mean()
    np.testing.assert_allclose(score, np.abs(values - y).mean() - spread / 2, **EXACT)
    for estimator in ("qd", "nrg"):
        np.testing.assert_allclose(score, sr.crps_ensemble(y, values.astype(float), estimator=estimator), **EXACT)
    pmf = pmf_of_paths(values[:, None, None])[0, 0]
    np.testing.assert_allclose(score, crps_pmf(pmf, y), **EXACT)


def test_crps_of_samples_keeps_cells_apart():
    rng = np.random.default_rng(1)
    samples, observed = rng.poisson(3, (50, 4, 5)), rng.poisson(3, (4, 5))
    np.testing.assert_allclose(
        crps_samples(samples, observed), sr.crps_ensemble(observed, samples, m_axis=0, estimator="qd"), **EXACT
    )


def test_log_score_has_a_floor():
    np.testing.assert_allclose(log_score(np.array([0.25, 1e-6, 1e-9, 0.0])), -np.log([0.25, 1e-6, 1e-6, 1e-6]), **EXACT)


def test_dawid_sebastiani_is_finite_without_variance():
    np.testing.assert_allclose(dawid_sebastiani(3.0, 4.0, np.array(7)), 16 / 4 + np.log(4), **EXACT)
    certain = dawid_sebastiani(np.zeros(2), np.zeros(2), np.array([0, 1]))
    np.testing.assert_allclose(certain, [np.log(1e-4), 1e4 + np.log(1e-4)], **EXACT)


def test_weighted_interval_score_agrees_with_scoringrules():
    rng = np.random.default_rng(2)
    quantiles = np.sort(rng.poisson(6, (23, 40)), axis=0)
    observed = rng.poisson(6, 40)
    alpha = 2 * np.array(QUANTILE_LEVELS[:11])
    expected = sr.weighted_interval_score(
        observed.astype(float),
        quantiles[11].astype(float),
        quantiles[:11].T.astype(float),
        quantiles[:11:-1].T.astype(float),
        alpha,
    )
    found = weighted_interval_score(quantiles, QUANTILE_LEVELS, observed)
    np.testing.assert_allclose(found, expected, **EXACT)
    pinball = [sr.quantile_score(observed, q, level) for q, level in zip(quantiles, QUANTILE_LEVELS, strict=True)]
    np.testing.assert_allclose(found, 2 * np.mean(pinball, axis=0), **EXACT)
    with pytest.raises(InputError, match="23 quantiles for 2 levels"):
        weighted_interval_score(quantiles, (0.1, 0.9), observed)


def test_brier_agrees_with_scoringrules():
    p, y = np.array([0.0, 0.3, 0.9, 1.0]), np.array([0, 1, 1, 0])
    np.testing.assert_allclose(brier(p, y), sr.brier_score(y, p), **EXACT)


def test_scores_of_a_forecast_come_from_its_pmf():
    rng = np.random.default_rng(3)
    mean = np.array([[0.1, 2.0, 9.0], [0.2, 4.0, 9.0]])
    pmf = negbin.mixture_pmf(mean[None], 1.5)
    forecast = forecast_of(negbin.sample(np.broadcast_to(mean, (50, 2, 3)), 1.5, rng), pmf)
    observed = np.array([[0, 3, 40], [2, 0, 9]])
    scores = score_forecast(forecast, observed)
    assert tuple(scores) == SCORES
    law = stats.nbinom(1.5, 1.5 / (1.5 + mean))
    tolerance = {"rtol": 1e-6, "atol": 1e-7}
    np.testing.assert_allclose(scores["crps"], crps_pmf(pmf, observed), **EXACT)
    np.testing.assert_allclose(scores["log"], -law.logpmf(observed), **tolerance)
    np.testing.assert_allclose(scores["dss"], dawid_sebastiani(law.mean(), law.var(), observed), **tolerance)
    quantiles = np.asarray([law.ppf(level) for level in QUANTILE_LEVELS])
    np.testing.assert_allclose(scores["wis"], weighted_interval_score(quantiles, QUANTILE_LEVELS, observed), **EXACT)
    np.testing.assert_allclose(scores["pit_below"], law.cdf(observed - 1), **tolerance)
    np.testing.assert_allclose(scores["pit_upto"], law.cdf(observed), **tolerance)


def test_cells_with_mass_beyond_the_head_are_scored_from_the_paths():
    rng = np.random.default_rng(4)
    paths = rng.poisson([[2.0, 30.0]], (4000, 1, 2))
    whole = negbin.mixture_pmf(np.array([[[2.0, 30.0]]]), np.inf)
    forecast = forecast_of(paths, whole[..., :20])
    for observed in (np.array([[1, 15]]), np.array([[3, 28]])):
        scores = score_forecast(forecast, observed)
        far = paths[:, 0, 1]
        y = observed[0, 1]
        np.testing.assert_allclose(scores["crps"][0, 0], crps_pmf(whole[0, 0], observed[0, 0]), **EXACT)
        np.testing.assert_allclose(scores["crps"][0, 1], crps_samples(far, y), **EXACT)
        np.testing.assert_allclose(scores["dss"][0, 1], dawid_sebastiani(far.mean(), far.var(), y), **EXACT)
        # Within the head the pmf is exact; beyond it the paths have to say.
        p = whole[0, 1, y] if y < 20 else smoothed_probability(far, np.array(y))
        below = whole[0, 1, :y].sum() if y < 20 else (far < y).mean()
        np.testing.assert_allclose(scores["log"][0, 1], -np.log(p), **EXACT)
        upto = whole[0, 1, : y + 1].sum() if y < 20 else (far <= y).mean()
        np.testing.assert_allclose(scores["pit_below"][0, 1], below, **EXACT)
        np.testing.assert_allclose(scores["pit_upto"][0, 1], upto, **EXACT)


@pytest.mark.parametrize(("mean", "size"), [(10_000.0, np.inf), (10_000.0, 30.0), (50_000.0, 1000.0)])
@pytest.mark.parametrize("draws", [200, 1000])
def test_log_scores_of_counts_beyond_any_head_are_near_the_exact_ones(mean, size, draws):
    """Counted on the paths alone nearly all of them were at their cap, the same for every model."""
    rng = np.random.default_rng(5)
    paths, observed = (negbin.sample(np.full((n, 1, 60), mean), size, rng) for n in (draws, 1))
    forecast = forecast_of(paths, negbin.mixture_pmf(np.full((1, 1, 60), mean), size))
    exact = -negbin.logpmf(observed[0], mean, size)
    found = score_forecast(forecast, observed[0])["log"]
    assert np.abs(found - exact).mean() < 0.15
    assert found.mean() == pytest.approx(exact.mean(), abs=0.1)


def test_a_count_that_was_called_impossible_has_finite_scores():
    nothing = forecast_of(np.zeros((10, 1, 2), dtype=int), np.ones((1, 2, 1)))
    scores = score_forecast(nothing, np.array([[0, 3]]))
    assert all(np.isfinite(values).all() for values in scores.values())
    np.testing.assert_allclose(scores["crps"], [[0, 3]], **EXACT)
    np.testing.assert_allclose(scores["log"], [[0, -np.log(1e-6)]], **EXACT)
    assert scores["pit_below"][0, 1] == scores["pit_upto"][0, 1] == 1
    with pytest.raises(InputError, match="shape"):
        score_forecast(nothing, np.array([0, 3]))


def test_the_truth_has_the_best_expected_score():
    rng = np.random.default_rng(6)
    observed = negbin.sample(np.full(6000, 3.0), 1.5, rng)
    mean_scores = {}
    for label, mean, size in (
        ("truth", 3.0, 1.5),
        ("low", 2.2, 1.5),
        ("high", 4.0, 1.5),
        ("narrow", 3.0, 6.0),
        ("wide", 3.0, 0.6),
    ):
        pmf = negbin.mixture_pmf(np.full((1, 1, 1), mean), size)
        forecast = forecast_of(np.zeros((1, 1, 1), dtype=int), pmf)
        quantiles = forecast.quantile(QUANTILE_LEVELS)[:, 0, 0][:, None]
        head = np.broadcast_to(pmf[0], (len(observed), pmf.shape[2]))
        p = np.exp(negbin.logpmf(observed, mean, size))
        mean_scores[label] = [
            crps_pmf(head, observed).mean(),
            log_score(p).mean(),
            dawid_sebastiani(mean, mean + mean**2 / size, observed).mean(),
            weighted_interval_score(quantiles, QUANTILE_LEVELS, observed).mean(),
            brier(pmf[0, 0, 0], observed == 0).mean(),
        ]
    for label in ("low", "high", "narrow", "wide"):
        assert (np.array(mean_scores["truth"]) < mean_scores[label]).all(), label
