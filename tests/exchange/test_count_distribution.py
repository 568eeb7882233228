"""Distributions of counts of which only some points are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.exchange.count_distribution import LARGEST, pmf_of_cdf, pmf_of_quantiles

levels = st.sets(st.integers(1, 999), min_size=5, max_size=30).map(lambda found: sorted(each / 1000 for each in found))


def quantiles_of(pmf, wanted):
    return [int((np.cumsum(pmf) < level - 1e-12).sum()) for level in wanted]


@given(levels, st.data())
def test_the_distribution_has_the_quantiles_it_was_made_of(wanted, data):
    wanted = [0.05, *(level for level in wanted if 0.05 < level < 0.95), 0.95]
    wanted = sorted({*wanted, 0.2, 0.4, 0.6})
    counts = st.integers(0, 12) | st.integers(0, 400)
    values = sorted(data.draw(st.lists(counts, min_size=len(wanted), max_size=len(wanted))))
    pmf = pmf_of_quantiles(wanted, values)
    assert (pmf >= 0).all()
    assert pmf.sum() == pytest.approx(1, abs=1e-12)
    assert quantiles_of(pmf, wanted) == values


@given(st.dictionaries(st.integers(0, 300), st.floats(0, 1), min_size=1, max_size=20))
def test_the_distribution_has_the_cumulative_probabilities_it_was_made_of(points):
    counts, cdf = sorted(points), np.sort(list(points.values()))
    pmf = pmf_of_cdf(counts, cdf)
    assert (pmf >= 0).all()
    assert pmf.sum() == pytest.approx(1, abs=1e-12)
    found = np.cumsum(np.pad(pmf, (0, max(0, counts[-1] + 1 - len(pmf)))))[counts]
    np.testing.assert_allclose(found, cdf, atol=2e-9)


@pytest.mark.parametrize("law", [stats.poisson(0.4), stats.poisson(30), stats.nbinom(0.5, 0.05), stats.nbinom(3, 0.01)])
def test_little_is_lost_of_a_smooth_distribution(law):
    counts = np.arange(int(law.ppf(0.99999)) + 1)
    pmf = pmf_of_quantiles(QUANTILE_LEVELS, law.ppf(QUANTILE_LEVELS))
    found = np.cumsum(np.pad(pmf, (0, max(0, len(counts) - len(pmf)))))[: len(counts)]
    assert np.abs(found - law.cdf(counts)).max() < 0.026  # no more than half a step between levels
    assert (pmf @ np.arange(len(pmf))) == pytest.approx(law.mean(), rel=0.05, abs=0.1)


def test_nothing_but_zeros():
    pmf = pmf_of_quantiles(QUANTILE_LEVELS, np.zeros(23))
    assert 0.99 <= pmf[0] < 1


def test_quantiles_that_are_not_whole_are_those_of_the_next_count():
    np.testing.assert_array_equal(
        pmf_of_quantiles([0.05, 0.25, 0.5, 0.75, 0.95], [0, 0.5, 1, 2.1, 7]),
        pmf_of_quantiles([0.05, 0.25, 0.5, 0.75, 0.95], [0, 1, 1, 3, 7]),
    )


@pytest.mark.parametrize(
    ("wanted", "values", "message"),
    [
        ([0.1, 0.25, 0.5, 0.75, 0.9], [0, 2, 1, 3, 4], "quantiles cross: 2 at level 0.25, 1 at level 0.5"),
        ([0.1, 0.25, 0.5, 0.75, 0.9], [-1, 0, 1, 3, 4], "-1 is no count"),
        ([0.1, 0.25, 0.5, 0.75, 0.9], [0, 0, 1, 3, LARGEST + 1], "is no count"),
        ([0.1, 0.25, 0.5, 0.75, 0.9], [0, 0, 1, 3, np.nan], "no number"),
        ([0.1, 0.5, 0.9], [0, 1, 2], "3 levels, from 0.1 to 0.9"),
        ([0.3, 0.4, 0.5, 0.75, 0.9], [0, 1, 2, 3, 4], "5 levels, from 0.3 to 0.9"),
        ([0.1, 0.5, 0.4, 0.75, 0.9], [0, 1, 2, 3, 4], "levels"),
        ([], [], "no levels"),
    ],
)
def test_bad_quantiles(wanted, values, message):
    with pytest.raises(InputError, match=message):
        pmf_of_quantiles(wanted, values)


@pytest.mark.parametrize(
    ("counts", "cdf", "message"),
    [
        ([0, 1, 2], [0.5, 0.4, 0.9], "falls from 0.5 at 0 to 0.4 at 1"),
        ([0, 1], [0.5, 1.2], "cumulative probabilities from 0.5 to 1.2"),
        ([1, 1], [0.5, 0.6], "counts"),
        ([], [], "counts"),
    ],
)
def test_bad_cumulative_probabilities(counts, cdf, message):
    with pytest.raises(InputError, match=message):
        pmf_of_cdf(counts, cdf)
