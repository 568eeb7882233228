"""Pools of distributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.combination.pools import beta_pool, linear_pool, quantile_pool
from forecast.errors import InputError

POOLS = (
    linear_pool,
    beta_pool,
    quantile_pool,
    lambda pmf, weight=None: quantile_pool(pmf, weight, middle=True),
)


def distributions(members, cells=3, k=6):
    return arrays(np.float64, (members, cells, k), elements=st.floats(0, 1)).map(
        lambda raw: (raw + 1e-3) / (raw + 1e-3).sum(axis=-1, keepdims=True)
    )


@pytest.mark.parametrize("pool", POOLS)
@settings(deadline=None)  # the first call may compile
@given(one=distributions(1))
def test_pools_of_identical_forecasts_return_them(pool, one):
    np.testing.assert_allclose(pool(np.repeat(one, 3, axis=0)), one[0], atol=1e-12)


@pytest.mark.parametrize("pool", POOLS[:3])
@given(each=distributions(3))
def test_a_pool_is_a_distribution_between_its_members(pool, each):
    pooled = pool(each, [0.2, 0.3, 0.5])
    assert (pooled >= -1e-15).all()
    np.testing.assert_allclose(pooled.sum(axis=-1), 1)
    mean, means = pooled @ np.arange(6), each @ np.arange(6)
    assert (mean >= means.min(axis=0) - 1e-9).all()
    assert (mean <= means.max(axis=0) + 1e-9).all()


@given(each=distributions(3))
def test_linear_and_quantile_pools_have_the_mean_of_the_means(each):
    weight, means = np.array([0.2, 0.3, 0.5]), each @ np.arange(6)
    for pool in (linear_pool, quantile_pool):
        np.testing.assert_allclose(pool(each, weight) @ np.arange(6), weight @ means, atol=1e-9)


@given(each=distributions(2))
def test_the_quantile_pool_is_the_mean_of_quantiles_at_every_level(each):
    """Against the definition, at many levels: rounding up and down around the mean quantile."""
    levels = (np.arange(20_000) + 0.5) / 20_000
    cdf = np.cumsum(each, axis=-1)
    for cell in range(3):
        quantile = np.minimum([np.searchsorted(cdf[m, cell], levels) for m in range(2)], 5)
        mean = quantile.mean(axis=0)
        expected = np.zeros(6)
        np.add.at(expected, np.floor(mean).astype(int), 1 - (mean - np.floor(mean)))
        np.add.at(expected, np.minimum(np.floor(mean).astype(int) + 1, 5), mean - np.floor(mean))
        np.testing.assert_allclose(quantile_pool(each)[cell], expected / 20_000, atol=1e-3)


def test_quantile_averaging_keeps_the_shape_and_mixing_widens():
    from scipy.stats import poisson

    k = np.arange(60)
    each = np.stack([poisson.pmf(k, 10), poisson.pmf(k, 20)])[:, None]

    def variance(pmf):
        return pmf @ k**2 - (pmf @ k) ** 2

    assert variance(linear_pool(each)[0]) == pytest.approx(15 + 25, rel=1e-3)
    assert variance(quantile_pool(each)[0]) == pytest.approx(15, rel=0.03)


def test_the_median_takes_the_middle_model():
    each = np.eye(5)[[0, 1, 4]][:, None]
    assert quantile_pool(each, middle=True)[0].tolist() == [0, 1, 0, 0, 0]


def test_weights_of_their_own_for_each_cell():
    each = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    assert linear_pool(each, [[1.0, 0.25], [0.0, 0.75]]).tolist() == [[1.0, 0.0], [0.25, 0.75]]
    assert quantile_pool(each, [[1.0, 0.25], [0.0, 0.75]]).tolist() == [[1.0, 0.0], [0.25, 0.75]]


def test_beta_transform_narrows():
    pmf = np.full((2, 1, 9), 1 / 9)
    narrow = beta_pool(pmf, a=3, b=3)[0]
    assert narrow[4] > 1 / 9 > narrow[0]


@pytest.mark.parametrize(
    ("weight", "text"),
    [([0.5, 0.6], "sum to 1"), ([-0.5, 1.5], "sum to 1"), ([1.0], "one for each"), ([np.nan, 1.0], "sum to 1")],
)
def test_wrong_weights(weight, text):
    with pytest.raises(InputError, match=text):
        linear_pool(np.full((2, 3), 1 / 3), weight)
