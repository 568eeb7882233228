"""Kernels are densities; their draws and derivatives are theirs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from forecast.errors import InputError
from forecast.processes.excitation import expected_by, expected_sums, offspring_of, rate_sums, rates_of
from forecast.processes.kernels import ExponentialKernel, PowerLaw, SumOfExponentials
from forecast.processes.step_kernel import StepKernel

KERNELS = [
    ExponentialKernel(0.7),
    SumOfExponentials((0.1, 2.0, 5.0), (1.0, 2.0, 0.5)),
    PowerLaw(scale=0.5, exponent=1.6, longest=200.0),
    StepKernel((0.0, 0.5, 2.0, 6.0), (1.0, 0.0, 0.2)),
]
mixtures = pytest.mark.parametrize("kernel", KERNELS[:3], ids=lambda kernel: type(kernel).__name__)
named = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)


@named
def test_the_cumulative_kernel_integrates_the_density(kernel):
    for lag in (0.3, 1.7, 5.0):
        area, _ = integrate.quad(kernel.density, 0.0, lag, points=[0.5, 2.0], limit=200)
        assert float(kernel.cumulative(lag)) == pytest.approx(area, abs=1e-7)
    assert float(kernel.density(0.0)) == float(kernel.density(-1.0)) == 0.0


@named
@pytest.mark.parametrize(("age", "within"), [(0.0, np.inf), (0.4, np.inf), (0.4, 3.0)])
def test_draws_follow_the_kernel_beyond_an_age(kernel, age, within):
    rng = np.random.default_rng(1)
    lag = kernel.draw_after(np.full(5000, age), rng, within)
    gone, upto = float(kernel.cumulative(age)), float(kernel.cumulative(min(age + within, 1e12)))

    def distribution(u):
        return np.where(np.isinf(u), 1.0, (kernel.cumulative(np.minimum(u, 1e12)) - gone) / (max(upto, gone) - gone))

    finite = lag[np.isfinite(lag)]
    if np.isinf(within) and isinstance(kernel, PowerLaw):  # some of it comes after an infinite lag
        finite = finite[finite < 200.0]
        top = float(kernel.cumulative(200.0)) - gone
        assert stats.kstest((kernel.cumulative(finite) - gone) / top, "uniform").pvalue > 1e-3
        assert len(finite) / 5000 == pytest.approx(top / (1 - gone), abs=0.02)
        return
    assert len(finite) == 5000
    assert lag.min() > age
    assert stats.kstest(distribution(lag), "uniform").pvalue > 1e-3


def test_the_power_law_is_the_sum_of_exponentials_up_to_its_longest_lag():
    for scale, exponent in ((0.01, 1.05), (0.5, 1.6), (10.0, 4.0), (1.0, 15.0)):
        kernel = PowerLaw(scale, exponent, longest=1000.0)
        lag = np.geomspace(1e-4, 1000.0, 300)
        exact = (exponent - 1) / scale * (1 + lag / scale) ** -exponent
        keep = exact > 1e-12 * exact[0]
        np.testing.assert_allclose(kernel.density(lag)[keep], exact[keep], rtol=2e-6)
        np.testing.assert_allclose(kernel.cumulative(lag), 1 - (1 + lag / scale) ** (1 - exponent), atol=1e-6)


@named
def test_sums_are_those_over_all_pairs_with_weights_and_ties(kernel):
    rng = np.random.default_rng(2)
    events = np.sort(np.round(rng.uniform(0, 40, 80), 1))
    at = np.sort(np.concatenate([events[::3], rng.uniform(0, 40, 30)]))
    weights = rng.uniform(0.1, 2.0, 80)
    lag = np.subtract.outer(at, events)
    np.testing.assert_allclose(rates_of(kernel, events, weights, at), kernel.density(lag) @ weights, atol=1e-10)
    np.testing.assert_allclose(offspring_of(kernel, events, weights, at), kernel.cumulative(lag) @ weights, atol=1e-10)


@mixtures
def test_derivatives_in_the_shape_are_differences(kernel):
    rng = np.random.default_rng(3)
    events, at, size = np.sort(rng.uniform(0, 40, 50)), np.sort(rng.uniform(0, 50, 20)), 1e-5
    for sums in (rate_sums, expected_sums):
        gradient = sums(kernel, events, np.ones(50), at).gradient
        for q, unit in enumerate(np.eye(len(kernel.shape))):
            up, down = (
                sums(kernel.with_shape(kernel.shape + sign * size * unit), events, np.ones(50), at).value
                for sign in (1, -1)
            )
            # The grid of the power law moves with its shape: beyond the error of the rule nothing else differs.
            tolerance = 1e-3 if isinstance(kernel, PowerLaw) else 1e-7
            np.testing.assert_allclose(gradient[q], (up - down) / (2 * size), rtol=tolerance, atol=tolerance * 0.1)


@mixtures
def test_what_is_expected_by_the_end_is_what_the_recursion_has_then(kernel):
    rng = np.random.default_rng(4)
    events, channel, weights = np.sort(rng.uniform(0, 40, 60)), rng.integers(0, 3, 60), rng.uniform(0.5, 1.5, 60)
    quick = expected_by(kernel, events, weights, 41.0, channel, 3)
    slow = expected_sums(kernel, events, weights, np.array([41.0]), channel, 3)
    np.testing.assert_allclose(quick.value, slow.value, rtol=1e-11)
    np.testing.assert_allclose(quick.gradient, slow.gradient, rtol=1e-9, atol=1e-11)


@mixtures
def test_shapes_and_stretching_return(kernel):
    again = kernel.with_shape(kernel.shape)
    np.testing.assert_allclose(again.shape, kernel.shape)
    slow = kernel.stretched(3.0)
    np.testing.assert_allclose(slow.cumulative([0.3, 3.0, 30.0]), kernel.cumulative([0.1, 1.0, 10.0]), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ExponentialKernel(0.0), "decay is 0"),
        (lambda: ExponentialKernel(np.nan), "decay is nan"),
        (lambda: SumOfExponentials((1.0,), (1.0, 2.0)), "1 decays and 2 weights"),
        (lambda: SumOfExponentials((1.0, 2.0), (1.0, -2.0)), "weight is -2"),
        (lambda: PowerLaw(1.0, 1.0, 10.0), "exponent is 1"),
        (lambda: PowerLaw(-1.0, 2.0, 10.0), "scale is -1"),
        (lambda: StepKernel((0.5, 1.0), (1.0,)), "edges"),
        (lambda: StepKernel((0.0, 1.0), (-1.0,)), "heights"),
    ],
)
def test_bad_kernels_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
