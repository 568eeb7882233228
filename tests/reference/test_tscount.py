"""INGARCH fits of campylobacterosis counts against the R package tscount.

tscount 1.4.3, ``tsglm(campy, model = list(past_obs = 1, past_mean = 13), distr = "nbinom")``; the model with two
interventions is printed in Liboschik, Fokianos & Fried (2017), doi:10.18637/jss.v082.i05, section 4.1.

tscount starts the recursion at the stationary mean, for the week before the first as well, but leaves the derivative
of that past count out of its gradient (``z`` in ``tsglm.condmean``), so that its optimiser stops short of the maximum:
R's own ``constrOptim`` ends at tscount's coefficients with that gradient, and at ours with the whole one. So what is
compared to all digits are means, dispersion and likelihoods at tscount's coefficients, and the maxima with them.
"""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from forecast.families.ingarch.interventions import score_test, search_intervention, with_interventions
from forecast.families.ingarch.likelihood import POISSON, pearson_size
from forecast.families.ingarch.order import Order
from forecast.families.ingarch.series import Series, fit_series
from forecast.predictive import negbin

FOLDER = os.environ.get("ESCALATION_FORECAST_REFERENCE", "")
pytestmark = pytest.mark.skipif(
    not (FOLDER and (Path(FOLDER) / "campy.csv").is_file()),
    reason="campy.csv is not in the folder that ESCALATION_FORECAST_REFERENCE names",
)

TSCOUNT = np.array([2.295700, 0.572195, 0.216755])
SIGMASQ, LOG_LIKELIHOOD = 0.1123887, -406.03323
WHOLE_GRADIENT = np.array([2.313186, 0.589346, 0.194964])
"""Where ``constrOptim`` ends with the whole gradient (reltol 1e-11); it is loose along a ridge of 1e-5 in the value."""
INTERVENTIONS = np.array([3.3184, 0.3690, 0.2198, 3.0810, 41.9541])
"""Printed in the paper: a level shift from the 84th count on and an outlier at the 100th."""


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


def test_the_quasi_likelihood_ends_where_the_whole_gradient_leads_and_above_tscount(series):
    fit = fit_series(series, distribution="negbin")
    np.testing.assert_allclose(fit.theta, WHOLE_GRADIENT, atol=1e-3)
    gain = series.score(fit.theta, POISSON)[0] - series.score(TSCOUNT, POISSON)[0]
    assert gain == pytest.approx(0.09916, abs=1e-4)
    assert fit.sigmasq == pytest.approx(SIGMASQ, abs=1e-3)
    assert fit.log_likelihood == pytest.approx(LOG_LIKELIHOOD, abs=0.01)


def test_tscount_stops_where_its_own_gradient_is_not_zero_either(series):
    assert np.abs(series.score(TSCOUNT, POISSON)[1]).max() > 10
    assert np.abs(series.score(fit_series(series).theta, POISSON)[1]).max() < 0.01


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
    # The whole gradient once more: within a twentieth of a standard error of the printed values.
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
