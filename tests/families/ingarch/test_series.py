"""INGARCH models of one series: gradients, constraints, recovery of known truth, interventions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.families.ingarch.interventions import (
    intervention_covariates,
    score_test,
    search_intervention,
    with_interventions,
)
from forecast.families.ingarch.likelihood import POISSON, dispersion_likelihood, likelihood, pearson_size
from forecast.families.ingarch.order import Order, check_stationary
from forecast.families.ingarch.recursion import recursion
from forecast.families.ingarch.series import Series, SeriesFit, fit_series
from forecast.predictive import negbin

RNG = np.random.default_rng
TRUTH = {"identity": np.array([1.0, 0.3, 0.5]), "log": np.array([0.3, 0.3, 0.4])}


def truth(link: str, weeks: int = 400, size: float = 4.0) -> SeriesFit:
    """Return a fit that is the truth, to simulate from."""
    series = Series.of(np.ones(weeks, int), Order((1,), (1,), link))
    return SeriesFit(series, TRUTH[link], size, np.eye(3), 0.0, np.ones(weeks), "quasi")


def numerical(function, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return central differences, the last axis along x."""
    return np.stack([(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(len(x))], axis=-1)


@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("missing", [False, True])
def test_the_gradient_of_the_recursion_is_that_of_finite_differences(link, missing):
    rng = RNG(1)
    weeks, order = 60, Order((1, 3), (1, 2), link)
    counts = rng.poisson(2.0, weeks).astype(float)
    observed = rng.random(weeks) > 0.3 if missing else np.ones(weeks, bool)
    fixed = (counts, observed, rng.normal(0, 0.3, weeks), rng.normal(size=(weeks, 2)), rng.random((weeks, 2)))
    theta = np.array([0.5, 0.2, 0.1, 0.3, 0.1, 0.4, 0.3, 0.2, -0.1])
    external = np.array([True, False])

    def start(x):
        value = np.array([x[0] * 2 + x[1], x[0] + x[3] ** 2])
        slope = np.zeros((2, len(x)))
        slope[0, [0, 1]] = 2, 1
        slope[1, [0, 3]] = 1, 2 * x[3]
        return value, slope

    def run(x):
        return recursion(*fixed, external, x, *order.arrays(), *start(x))

    mean, gradient, nu, z = run(theta)
    assert (mean > 0).all()
    assert nu.shape == z.shape == (3 + weeks,)
    np.testing.assert_allclose(gradient, numerical(lambda x: run(x)[0], theta), atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("start", ["marginal", "iid"])
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("dispersion", [POISSON, np.array([0.5, 0.0]), np.array([0.2, 0.7])])
def test_the_score_is_the_slope_of_the_likelihood(start, drop, link, dispersion):
    rng = RNG(2)
    series = Series.of(
        rng.poisson(3.0, 80),
        Order((1, 2), (5,), link),
        covariates=rng.random((80, 2)),
        external=[True, False],
        start=start,
        drop=drop,
    )
    theta = np.array([0.6, 0.3, 0.1, 0.2, 0.4, 0.3])
    value, score, _ = series.score(theta, dispersion)
    assert np.isfinite(value)
    np.testing.assert_allclose(score, numerical(lambda x: series.score(x, dispersion)[0], theta), rtol=1e-5, atol=1e-5)


def test_the_likelihood_is_the_sum_of_log_probabilities_and_its_slope_in_the_dispersion_is_right():
    rng = RNG(3)
    counts, mean = rng.poisson(2.0, (50, 3)).astype(float), rng.gamma(2.0, 1.0, (50, 3))
    observed, weight = rng.random((50, 3)) < 0.8, rng.random(50)
    d = np.array([0.3, 0.6])

    def value(x):
        return dispersion_likelihood(counts, observed, weight, mean, x)[0]

    exact = (negbin.logpmf(counts, mean, np.exp(d[0] + d[1] * np.log(mean))) * observed * weight[:, None]).sum()
    assert value(d) == pytest.approx(exact)
    np.testing.assert_allclose(
        dispersion_likelihood(counts, observed, weight, mean, d)[1], numerical(value, d), rtol=1e-6
    )
    one = likelihood(counts[:, 0], observed[:, 0], weight, mean[:, 0], np.ones((50, 1)), d)
    assert one[0] == pytest.approx(dispersion_likelihood(counts[:, :1], observed[:, :1], weight, mean[:, :1], d)[0])


def test_the_pearson_size_solves_its_equation():
    rng = RNG(4)
    mean = rng.gamma(3.0, 2.0, 500)
    counts = rng.poisson(mean * rng.gamma(2.0, 0.5, 500)).astype(float)
    size = pearson_size(counts, mean, 3)
    assert ((counts - mean) ** 2 / (mean + mean**2 / size)).sum() == pytest.approx(497)
    assert pearson_size(np.full(20, 3.0), np.full(20, 3.0), 1) == np.inf


@pytest.mark.parametrize("link", ["identity", "log"])
def test_parameters_are_recovered_within_their_standard_errors(link):
    model = truth(link)
    fits = [fit_series(model.simulate(RNG(seed)), distribution="negbin") for seed in range(30)]
    errors = np.array([(fit.theta - TRUTH[link]) / np.sqrt(np.diag(fit.covariance)) for fit in fits])
    assert (np.abs(np.median(errors, axis=0)) < 0.6).all()
    assert 0.7 < np.sqrt((errors**2).mean()) < 1.4
    assert np.median([fit.size for fit in fits]) == pytest.approx(4.0, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("estimator", ["quasi", "likelihood"])
def test_intervals_cover_as_they_should_over_400_series(link, estimator):
    model = truth(link, weeks=1000)
    fits = [fit_series(model.simulate(RNG(s)), distribution="negbin", estimator=estimator) for s in range(400)]
    errors = np.array([(fit.theta - TRUTH[link]) / np.sqrt(np.diag(fit.covariance)) for fit in fits])
    assert 0.92 < (np.abs(errors) < 1.96).mean() < 0.98
    bias = np.mean([fit.theta for fit in fits], axis=0) - TRUTH[link]
    assert (np.abs(bias) < 0.05 * np.array([1.5, 1, 1])).all()


def test_full_likelihood_is_never_below_the_quasi_likelihood():
    for seed in range(5):
        series = truth("identity", size=1.5).simulate(RNG(seed))
        quasi = fit_series(series, distribution="negbin")
        full = fit_series(series, distribution="negbin", estimator="likelihood")
        assert full.log_likelihood >= quasi.log_likelihood - 1e-6


def test_the_estimate_stays_in_the_stationary_region():
    growing = np.round(1.2 ** np.arange(40)).astype(int)
    fit = fit_series(Series.of(growing, Order((1,), ())))
    assert fit.theta[1] == pytest.approx(1.0, abs=1e-5)
    falling = np.tile([0, 9], 30)
    assert fit_series(Series.of(falling, Order((1,), ()))).theta[1] == pytest.approx(0.0, abs=1e-5)
    assert fit_series(Series.of(falling, Order((1,), (), "log"))).theta[1] < -0.9


def test_a_model_without_past_has_the_mean_of_the_series():
    counts = RNG(1).poisson(3.0, 50)
    assert fit_series(Series.of(counts, Order((), ()))).theta[0] == pytest.approx(counts.mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("link", "past", "message"),
    [
        ("identity", [0.5, 0.5], "sum to 1"),
        ("identity", [-0.1, 0.5], "coefficient of the past -0.1"),
        ("log", [-1.2, 0.5], "coefficient of the past -1.2"),
        ("log", [-0.6, -0.5], "sum to -1.1"),
        ("log", [0.5], "1 coefficients"),
    ],
)
def test_coefficients_outside_of_the_region_are_refused(link, past, message):
    with pytest.raises(InputError, match=message):
        check_stationary(Order((1,), (1,), link), past)
    check_stationary(Order((1,), (1,), "log"), [-0.4, 0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"counts": [1.5] * 20}, "counts of a series"),
        ({"counts": [-1] * 20}, "counts of a series"),
        ({"counts": [1, 2, 3]}, "3 weeks"),
        ({"covariates": np.full((20, 1), -1.0)}, "negative"),
        ({"covariates": np.full((20, 1), np.nan)}, "not a number"),
        ({"covariates": np.ones((19, 1))}, "shape"),
        ({"covariates": np.ones((20, 2)), "external": [True]}, "flags"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Series.of(**{"counts": np.ones(20, int), "order": Order(), **arguments})


@pytest.mark.parametrize("lags", [(0,), (1, 1), (600,)])
def test_odd_lags_are_refused(lags):
    with pytest.raises(InputError, match="past_obs"):
        Order(lags, ())


def test_courses_of_interventions():
    found = intervention_covariates(5, [1, 2, 3], [0.0, 1.0, 0.5])
    np.testing.assert_array_equal(found.T, [[0, 1, 0, 0, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 0.5]])
    for times, decays in (([5], [0.0]), ([1], [1.5]), ([1, 2], [0.0])):
        with pytest.raises(InputError):
            intervention_covariates(5, times, decays)


@pytest.mark.parametrize("link", ["identity", "log"])
def test_the_score_test_is_chi_squared_without_interventions(link):
    model = truth(link)
    p_values = []
    for seed in range(60):
        fit = fit_series(model.simulate(RNG(seed)), distribution="negbin")
        p_values.append(score_test(fit, [200], [1.0]).p_value)
    assert 0.3 < np.mean(p_values) < 0.7
    assert np.mean(np.array(p_values) < 0.05) < 0.15


@pytest.mark.parametrize("decay", [0.0, 0.8, 1.0])
def test_a_planted_intervention_is_found_and_estimated(decay):
    course = intervention_covariates(400, [250], [decay])[:, 0]
    effect = 3.0 if decay == 1 else 30.0
    model = replace(truth("identity"), theta=np.array([1.0, 0.3, 0.3]), size=20.0)
    wider = replace(model.series, covariates=course[:, None], external=(False,), names=("planted",))
    planted = replace(model, series=wider, theta=np.r_[model.theta, effect]).simulate(RNG(3))
    series = Series.of(planted.counts, model.series.order)
    fit = fit_series(series, distribution="negbin")
    found = search_intervention(fit, decay)
    assert abs(found.time - 250) <= (0 if decay == 0 else 4)
    assert found.statistic == pytest.approx(score_test(fit, [found.time], [decay]).statistic)
    assert score_test(fit, [found.time], [decay]).p_value < 1e-3
    again = fit_series(with_interventions(series, [found.time], [decay]), distribution="negbin")
    assert again.summary().loc["intervention_1", "estimate"] == pytest.approx(effect, rel=0.4)


def test_the_bootstrap_tells_a_planted_outlier_from_none():
    series = truth("identity", weeks=150).simulate(RNG(1))
    nothing = search_intervention(fit_series(series, distribution="negbin"), 0.0, bootstrap=19, rng=RNG(2))
    counts = series.counts.copy()
    counts[70] += 80
    outlier = fit_series(replace(series, counts=counts), distribution="negbin")
    found = search_intervention(outlier, 0.0, bootstrap=19, rng=RNG(2))
    assert nothing.p_value > 0.1
    assert (found.time, found.p_value) == (70, pytest.approx(0.05))
    with pytest.raises(InputError, match="random generator"):
        search_intervention(outlier, 0.0, bootstrap=5)
