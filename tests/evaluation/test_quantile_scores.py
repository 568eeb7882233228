"""Distributions known by quantiles: bounds that must hold, and calibration of right forecasts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.calibration import central_coverage, pit_histogram
from forecast.evaluation.count_tests import pit_moments
from forecast.evaluation.quantile_scores import cdf_at, pit_of_quantiles
from forecast.evaluation.record import QUANTILE_LEVELS


@given(st.floats(0.05, 30), st.integers(0, 60))
def test_the_cdf_lies_between_the_levels_that_enclose_it(rate, count):
    law = stats.poisson(rate)
    quantiles = law.ppf(QUANTILE_LEVELS)[:, None]
    found = cdf_at(quantiles, QUANTILE_LEVELS, [count])[0]
    reached = [level for level, x in zip(QUANTILE_LEVELS, quantiles[:, 0], strict=True) if x <= count]
    beyond = [level for level, x in zip(QUANTILE_LEVELS, quantiles[:, 0], strict=True) if x > count]
    assert max(reached, default=0) <= found <= min(beyond, default=1)
    assert abs(found - law.cdf(count)) <= min(beyond, default=1) - max(reached, default=0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.data())
def test_it_rises_with_the_count(values, data):
    levels = np.linspace(0.05, 0.95, len(values)).tolist()
    counts = np.arange(-1, 12)
    quantiles = np.repeat(np.sort(values)[:, None], len(counts), axis=1)
    found = cdf_at(quantiles, levels, counts)
    assert found[0] == 0
    assert (np.diff(found) >= 0).all()
    assert (found < 1).all()


@pytest.mark.parametrize("rate", [0.1, 1.0, 12.0])
def test_a_right_forecast_has_neither_bias_nor_dispersion(rate):
    law = stats.poisson(rate)
    y = law.rvs(20_000, random_state=np.random.default_rng(3))
    pit = pit_of_quantiles(np.repeat(law.ppf(QUANTILE_LEVELS)[:, None], len(y), axis=1), QUANTILE_LEVELS, y)
    assert np.abs(central_coverage(pit) - [0.5, 0.8, 0.95]).max() < 0.02
    assert abs(pit_moments(pit, "bias").mean()) < 0.02  # what a verdict calls slight
    assert abs(pit_moments(pit, "dispersion").mean()) < 0.04


def test_the_pit_of_right_forecasts_is_even():
    rng = np.random.default_rng(3)
    law = stats.poisson(rng.gamma(1, 3, 20_000))
    pit = pit_of_quantiles(law.ppf(np.array(QUANTILE_LEVELS)[:, None]), QUANTILE_LEVELS, law.rvs(random_state=rng))
    assert np.abs(pit_histogram(pit)["density"] - 1).max() < 0.05


def test_quantiles_that_are_not_whole_are_rounded_up():
    assert cdf_at([[0.2], [1.6]], [0.5, 0.9], [1]) == cdf_at([[1], [2]], [0.5, 0.9], [1])


@pytest.mark.parametrize(
    ("quantiles", "levels", "counts", "text"),
    [
        ([[1], [0]], [0.1, 0.9], [1], "cross"),
        ([[1], [2]], [0.9, 0.1], [1], "do not ascend"),
        ([[1]], [1.0], [1], "do not ascend"),
        ([[1]], [0.5], [1, 2], "shape"),
    ],
)
def test_what_is_no_set_of_quantiles(quantiles, levels, counts, text):
    with pytest.raises(InputError, match=text):
        cdf_at(quantiles, levels, counts)
