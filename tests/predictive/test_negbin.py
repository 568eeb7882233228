"""The negative binomial against scipy and against its own moments."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from forecast.predictive import negbin


@pytest.mark.parametrize(("mean", "size"), [(0.01, 0.1), (1.0, 1.0), (3.7, 0.4), (40.0, 12.0), (2.0, np.inf)])
def test_logpmf_agrees_with_scipy(mean: float, size: float) -> None:
    y = np.arange(60)
    truth = stats.poisson(mean) if np.isinf(size) else stats.nbinom(size, size / (size + mean))
    expected = truth.logpmf(y)
    np.testing.assert_allclose(negbin.logpmf(y, mean, size), expected, rtol=1e-10)
    one = [negbin.logpmf_one(int(k), mean, size) for k in y]
    np.testing.assert_allclose(one, expected, rtol=1e-10)


def test_mean_zero_is_a_point_mass() -> None:
    np.testing.assert_array_equal(negbin.logpmf(np.array([0, 1]), 0.0, 1.0), [0.0, -np.inf])
    assert negbin.logpmf_one(0, 0.0, 1.0) == 0.0
    assert negbin.mixture_pmf(np.zeros((3, 2)), 1.0).tolist() == [[1.0], [1.0]]
    assert negbin.sample(np.zeros(5), 2.0, np.random.default_rng(0)).sum() == 0


def test_a_large_size_is_the_poisson() -> None:
    y = np.arange(30)
    np.testing.assert_allclose(negbin.logpmf(y, 4.0, 1e11), stats.poisson(4.0).logpmf(y), rtol=1e-8)


@pytest.mark.parametrize("size", [0.3, 5.0, np.inf])
def test_samples_have_the_moments(size: float) -> None:
    rng = np.random.default_rng(7)
    drawn = negbin.sample(np.full(200_000, 3.0), size, rng)
    variance = 3.0 + 9.0 / size
    assert drawn.mean() == pytest.approx(3.0, abs=5 * np.sqrt(variance / 200_000))
    assert drawn.var() == pytest.approx(variance, rel=0.05)


def test_mixture_pmf_is_the_weighted_sum() -> None:
    mean = np.array([[0.5, 8.0], [2.0, 30.0]])
    size = np.array([[0.4, 3.0], [np.inf, 9.0]])
    weight = np.array([0.3, 0.7])
    head = negbin.mixture_pmf(mean, size, weight)
    y = np.arange(head.shape[-1])
    for cell in range(2):
        expected = sum(w * np.exp(negbin.logpmf(y, mean[c, cell], size[c, cell])) for c, w in enumerate(weight))
        np.testing.assert_allclose(head[cell], expected, rtol=1e-9, atol=2e-9)  # each cell stops at its tail
    np.testing.assert_allclose(head.sum(axis=1), 1.0, atol=1e-8)


def test_mixture_pmf_takes_weights_of_each_cell() -> None:
    mean = np.array([[0.5, 0.5], [6.0, 6.0]])
    weight = np.array([[0.3, 0.9], [0.7, 0.1]])
    head = negbin.mixture_pmf(mean, 2.0, weight)
    for cell in range(2):
        alone = negbin.mixture_pmf(mean[:, cell], 2.0, weight[:, cell])
        np.testing.assert_allclose(head[cell, : len(alone)], alone, atol=2e-9)


def test_mixture_pmf_keeps_going_to_a_far_mode_and_stops_at_the_limit() -> None:
    head = negbin.mixture_pmf(np.full((1, 1), 500.0), np.inf)[0]
    assert head.argmax() in (499, 500)
    assert head.sum() == pytest.approx(1.0, abs=1e-8)
    assert negbin.mixture_pmf(np.full((1, 1), 500.0), np.inf, limit=50).sum() < 1e-6


@pytest.mark.parametrize(("mean", "size"), [(1000.0, np.inf), (3000.0, np.inf), (3000.0, 1000.0), (2000.0, 5.0)])
def test_mixture_pmf_of_a_large_mean_is_not_lost_to_underflow(mean: float, size: float) -> None:
    """The probability of 0 is below the smallest float; those around the mode are not."""
    head = negbin.mixture_pmf(np.full((1, 1), mean), size)[0]
    np.testing.assert_allclose(head, np.exp(negbin.logpmf(np.arange(len(head)), mean, size)), rtol=1e-8, atol=1e-12)
    assert head.sum() > 0.95


def test_size_from_moments_inverts_the_variance() -> None:
    assert negbin.size_from_moments(2.0, 2.0 + 4.0 / 1.5) == pytest.approx(1.5)
    assert negbin.size_from_moments(2.0, 1.0) == np.inf
    assert negbin.size_from_moments(2.0, 1.0, largest=50.0) == 50.0


def test_digamma_agrees_with_scipy() -> None:
    x = np.geomspace(1e-4, 1e5, 200)
    np.testing.assert_allclose([negbin.digamma_one(value) for value in x], digamma(x), rtol=1e-11, atol=1e-11)
