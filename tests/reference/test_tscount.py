"""INGARCH fits of campylobacterosis counts against the R package tscount.

tscount 1.4.3, ``tsglm(campy, model = list(past_obs = 1, past_mean = 13), distr = "nbinom")``; the model with two
interventions is printed in Liboschik, Fokianos & Fried (2017), doi:10.18637/jss.v082.i05, section 4.1.

tscount starts the recursion at the stationary mean, for the week before the first as well, but leaves the derivative
of that past count out of its gradient (``z`` in ``tsglm.condmean``). Its coefficients are no root of that gradient:
they are where the line search of R's optimiser finds no gain any more on the way from tscount's start, and from
another start it stops elsewhere. So `barrier_search` follows that way: with tscount's gradient it ends at tscount's
coefficients, with the whole one at the maximum, where `fit_series` ends from any start.
"""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecast.families.ingarch.interventions import score_test, search_intervention, with_interventions
from forecast.families.ingarch.likelihood import POISSON, pearson_size
from forecast.families.ingarch.order import INSIDE, Order
from forecast.families.ingarch.recursion import recursion
from forecast.families.ingarch.series import Series, fit_series
from forecast.predictive import negbin

FOLDER = os.environ.get("ESCALATION_FORECAST_REFERENCE", "")
pytestmark = pytest.mark.skipif(
    not (FOLDER and (Path(FOLDER) / "campy.csv").is_file()),
    reason="campy.csv is not in the folder that ESCALATION_FORECAST_REFERENCE names",
)

TSCOUNT = np.array([2.295700, 0.572195, 0.216755])
SIGMASQ, LOG_LIKELIHOOD = 0.1123887, -406.03323
SCORE = np.array([1.081, 16.764, 8.513])
"""tscount's gradient at its coefficients."""
MAXIMUM = np.array([2.312981, 0.589348, 0.194978])
"""The root of the whole score."""
INTERVENTIONS = np.array([3.3184, 0.3690, 0.2198, 3.0810, 41.9541])
"""Printed in the paper: a level shift from the 84th count on and an outlier at the 100th."""


def tscount_gradient(series: Series, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and gradient as `tsglm.condmean` does: the count before the first week has no derivative."""
    left = 1 - theta[1 : 1 + series.order.lags].sum()
    slope = np.zeros((2, len(theta)))
    slope[0, : 1 + series.order.lags] = theta[0] / left**2
    slope[0, 0] = 1 / left
    weeks = len(series.counts)
    mean, gradient, _, _ = recursion(
        series.counts,
        np.ones(weeks, bool),
        np.zeros(weeks),
        np.zeros((weeks, 0)),
        series.covariates,
        np.array(series.external, bool),
        theta,
        *series.order.arrays(),
        np.full(2, theta[0] / left),
        slope,
    )
    return mean, gradient


def independent_start(series: Series, parameters: int) -> np.ndarray:
    """Return where tscount starts: independent counts with the mean of the series."""
    return np.r_[series.counts.mean(), np.full(parameters - 1, INSIDE)]


def barrier_search(series: Series, means: Callable, start: np.ndarray) -> np.ndarray:
    """Maximise the Poisson quasi-likelihood as tscount does: R's ``constrOptim`` with ``reltol = 1e-11``.

    Parameters
    ----------
    series : Series
        Identity link.
    means : callable
        Returns means and their gradient at a theta.
    start : ndarray, shape (parameters,)
    """
    total = np.zeros(len(start))
    total[1 : 1 + series.order.lags] = -1
    rows, limits = np.vstack([np.eye(len(start)), total]), np.r_[INSIDE, np.zeros(len(start) - 1), -1 + INSIDE]
    y = series.counts

    def value(theta: np.ndarray) -> float:
        mean = means(theta)[0]
        return float((y * np.log(mean) - mean).sum()) if (mean > 0).all() else -np.inf

    def barrier(theta: np.ndarray, old: np.ndarray) -> float:
        inside = rows @ theta - limits
        if (inside < 0).any():
            return np.inf
        return -value(theta) - 1e-4 * float(((rows @ old - limits) * np.log(inside) - rows @ theta).sum())

    def slope(theta: np.ndarray, old: np.ndarray) -> np.ndarray:
        mean, gradient = means(theta)
        wall = ((rows @ old - limits) / (rows @ theta - limits)) @ rows - rows.sum(axis=0)
        return -((y / mean - 1) @ gradient) - 1e-4 * wall

    theta, lowest = start, barrier(start, start)
    while True:
        old = theta
        found, reached = variable_metric(lambda x, old=old: barrier(x, old), lambda x, old=old: slope(x, old), old)
        if abs(reached - lowest) < (1e-3 + abs(reached)) * 1e-5 or value(found) < value(old):
            return found
        theta, lowest = found, reached


def variable_metric(value: Callable, slope: Callable, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Minimise as R's ``optim(method = "BFGS")``: Nash (1990), Compact Numerical Methods, algorithm 21."""
    x, lowest, gradient = start, value(start), slope(start)
    inverse, fresh = np.eye(len(x)), True
    steps = since = 0
    while steps < 100:
        move = -inverse @ gradient
        descent = float(move @ gradient)
        step, before, accepted = 1.0, x, False
        while descent < 0 and not accepted:
            x = before + step * move
            if (10.0 + x == 10.0 + before).all():
                break
            reached = value(x)
            accepted = reached <= lowest + 1e-4 * step * descent
            step = step if accepted else 0.2 * step
        if accepted and lowest - reached <= 1e-11 * (abs(lowest) + 1e-11):
            accepted, lowest = False, reached
        if not accepted:
            if fresh:
                return x, lowest
            inverse, fresh, since = np.eye(len(x)), True, 0
            continue
        steps, since = steps + 1, since + 1
        lowest, earlier, gradient = reached, gradient, slope(x)
        moved, bent = step * move, gradient - earlier
        along = float(moved @ bent)
        fresh = along <= 0 or since > 2 * len(x)
        if fresh:
            inverse, since = np.eye(len(x)), 0
        else:
            left = np.eye(len(x)) - np.outer(moved, bent) / along
            inverse = left @ inverse @ left.T + np.outer(moved, moved) / along
    return x, lowest


@pytest.fixture(scope="module")
def series() -> Series:
    with (Path(FOLDER) / "campy.csv").open() as file:
        counts = [int(row[1]) for row in list(csv.reader(file))[1:]]
    return Series.of(counts, Order((1,), (13,)))


def test_dispersion_and_likelihood_at_the_coefficients_of_tscount(series):
    mean, _ = series.mean(TSCOUNT)
    size = pearson_size(series.counts, mean, parameters=3)
    assert 1 / size == pytest.approx(SIGMASQ, abs=1e-6)
    assert negbin.logpmf(series.counts, mean, size).sum() == pytest.approx(LOG_LIKELIHOOD, abs=5e-5)


def test_coefficients_of_tscount_are_reproduced_on_the_path_of_its_optimiser(series):
    start = independent_start(series, 3)
    found = barrier_search(series, lambda theta: tscount_gradient(series, theta), start)
    np.testing.assert_allclose(found, TSCOUNT, atol=1e-5)
    np.testing.assert_allclose(barrier_search(series, series.mean, start), MAXIMUM, atol=5e-4)


def test_coefficients_of_tscount_are_no_root_of_its_gradient_and_depend_on_the_start(series):
    mean, gradient = tscount_gradient(series, TSCOUNT)
    np.testing.assert_allclose((series.counts / mean - 1) @ gradient, SCORE, atol=0.01)
    assert np.abs(series.score(TSCOUNT, POISSON)[1]).max() > 10
    other = barrier_search(series, lambda theta: tscount_gradient(series, theta), np.array([8.0, 0.2, 0.1]))
    assert np.abs(other - TSCOUNT).max() > 0.01


def test_the_quasi_likelihood_is_at_its_maximum_and_above_tscount(series):
    fit = fit_series(series, distribution="negbin")
    np.testing.assert_allclose(fit.theta, MAXIMUM, atol=1e-4)
    assert np.abs(series.score(fit.theta, POISSON)[1]).max() < 0.01
    gain = series.score(fit.theta, POISSON)[0] - series.score(TSCOUNT, POISSON)[0]
    assert gain == pytest.approx(0.09916, abs=1e-4)
    assert fit.sigmasq == pytest.approx(SIGMASQ, abs=1e-3)
    assert fit.log_likelihood == pytest.approx(LOG_LIKELIHOOD, abs=0.01)


def test_full_likelihood_is_above_that_of_the_quasi_likelihood(series):
    full = fit_series(series, distribution="negbin", estimator="likelihood")
    assert full.log_likelihood > LOG_LIKELIHOOD + 0.5
    assert full.log_likelihood >= fit_series(series, distribution="negbin").log_likelihood
    np.testing.assert_allclose(full.theta, TSCOUNT, atol=0.2)


def test_the_model_with_interventions_of_the_paper(series):
    wider = with_interventions(series, [83, 99], [1.0, 0.0])
    mean, _ = wider.mean(INTERVENTIONS)
    size = pearson_size(series.counts, mean, parameters=5)
    assert 1 / size == pytest.approx(0.0297, abs=1e-4)
    assert negbin.logpmf(series.counts, mean, size).sum() == pytest.approx(-381.1, abs=0.05)
    fit = fit_series(wider, distribution="negbin")
    found = barrier_search(wider, lambda theta: tscount_gradient(wider, theta), independent_start(series, 5))
    np.testing.assert_allclose(found, INTERVENTIONS, atol=1e-4)
    # The maximum is within a twentieth of a standard error of the printed values.
    errors = np.sqrt(np.diag(fit.covariance))
    assert (np.abs(fit.theta - INTERVENTIONS) < 0.06 * errors).all()
    np.testing.assert_allclose(errors, [0.7851, 0.0696, 0.0942, 0.8560, 12.0914], rtol=0.01)


def test_the_interventions_of_the_paper_are_found(series):
    fit = fit_series(series, distribution="negbin")
    assert score_test(fit, [83, 99], [1.0, 0.0]).p_value < 1e-6
    assert search_intervention(fit, 0.0).time == 99
    shift = search_intervention(fit, 1.0, times=range(60, 99))
    assert shift.statistics.shape == (39,)
    assert 80 <= shift.time <= 98
