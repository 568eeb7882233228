"""The fast likelihood of the exponential process, and its maximum."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.exponential import (
    Exponential,
    compensator,
    intensity,
    loglik,
    loglik_gradient,
    second_order,
)
from forecast.processes.exponential_fit import fit_exponential
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.simulate import simulate_clusters

PARAMETERS = Exponential(0.4, 0.7, 1.3)


def simulated(duration: float, seed: int = 1, truth: Exponential = PARAMETERS) -> History:
    return simulate_clusters(Hawkes.exponential(*truth), duration, np.random.default_rng(seed))


def exact_loglik(times, end, mu, n, beta):
    """O(N^2), in as many digits as the context has."""
    times, end = [Decimal(float(t)) for t in times], Decimal(end)
    rates = [mu + n * beta * sum(((-beta * (t - s)).exp() for s in times if s < t), Decimal(0)) for t in times]
    gone = sum(1 - (-beta * (end - t)).exp() for t in times)
    return sum(rate.ln() for rate in rates) - mu * end - n * gone


@pytest.mark.parametrize("ties", [False, True])
def test_likelihood_and_gradient_are_those_of_fifty_digits(ties):
    history = simulated(40.0)
    if ties:
        history = History.of(np.round(history.times), end=40.0)
        assert "the time of another" in history.remarks[0]
    with localcontext(prec=50):
        point, size = [Decimal(p) for p in PARAMETERS], Decimal(10) ** -15
        expected, slopes = exact_loglik(history.times, 40.0, *point), []
        for e in range(3):
            up, down = (
                exact_loglik(history.times, 40.0, *(p + sign * size * (i == e) for i, p in enumerate(point)))
                for sign in (1, -1)
            )
            slopes.append(float((up - down) / (2 * size)))
    value, gradient = loglik_gradient(history, PARAMETERS)
    assert value == pytest.approx(float(expected), rel=1e-12)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-9)


@pytest.mark.parametrize("size", [30.0, 20_000.0])  # also longer than one stretch of the pass
def test_the_general_engine_agrees(size):
    history = simulated(size)
    model = Hawkes.exponential(*PARAMETERS)
    assert loglik(history, PARAMETERS) == pytest.approx(model.loglik(history), rel=1e-11)
    at = np.linspace(0.0, size, 500)
    np.testing.assert_allclose(intensity(history, PARAMETERS, at), model.intensity(history, at)[0], rtol=1e-11)
    np.testing.assert_allclose(compensator(history, PARAMETERS, at), model.compensator(history, at)[0], atol=1e-8)


def test_it_is_the_sum_over_pairs(direct_loglik):
    history = simulated(200.0)
    assert loglik(history, PARAMETERS) == pytest.approx(
        direct_loglik(Hawkes.exponential(*PARAMETERS), history), rel=1e-11
    )


def test_extreme_rates_neither_overflow_nor_vanish():
    times = np.sort(np.random.default_rng(1).uniform(0, 1e-3, 20_000))
    dense = History.of(times, end=1e-3)
    value = loglik(dense, Exponential(1e7, 0.5, 1e7))
    assert np.isfinite(value)
    scaled = History.of(times * 1e9, end=1e6)  # time in other units moves the likelihood by N log(factor)
    shifted = loglik(scaled, Exponential(1e-2, 0.5, 1e-2))
    assert shifted == pytest.approx(value - 20_000 * np.log(1e9), rel=1e-11)


def test_the_hessian_is_the_slope_of_the_gradient():
    history, at, size = simulated(300.0), np.log(PARAMETERS), 1e-5
    _, _, hessian = second_order(history, at)
    for e, unit in enumerate(np.eye(3)):
        up, down = (second_order(history, at + sign * size * unit)[1] for sign in (1, -1))
        np.testing.assert_allclose(hessian[e], (up - down) / (2 * size), rtol=1e-6, atol=1e-6)


def test_the_fit_is_where_the_gradient_is_zero_and_nothing_near_is_better():
    history = simulated(2000.0)
    found = fit_exponential(history)
    _, gradient = loglik_gradient(history, found.parameters)
    assert np.abs(gradient * np.array(found.parameters)).max() < 1e-3
    assert found.loglik > loglik(history, PARAMETERS)
    for factor in (0.95, 1.05):
        for e in range(3):
            near = list(found.parameters)
            near[e] *= factor
            assert loglik(history, Exponential(*near)) < found.loglik


def test_a_fit_that_starts_on_a_stretch_ends_at_the_same_maximum():
    history = simulated(70_000.0)
    assert len(history.times) > 80_000
    found = fit_exponential(history)
    again = fit_exponential(history, start=Exponential(1.0, 0.3, 0.3))
    assert found.steps <= 6
    assert found.loglik == pytest.approx(again.loglik, abs=1e-6)
    np.testing.assert_allclose(found.parameters, again.parameters, rtol=1e-5)


def test_nothing_to_find_is_said():
    regular = fit_exponential(History.of(np.arange(200.0) + 0.5, end=200.0))
    assert regular.parameters.branching < 1e-6
    assert regular.parameters.baseline == pytest.approx(1.0, rel=1e-4)
    assert any("no event seems to trigger" in remark for remark in regular.remarks)
    assert np.isnan(regular.covariance[1:, 1:]).all()


def test_the_better_of_several_maxima_is_found():
    """A likelihood of few events has several; the general engine climbs other starts."""
    for seed in range(10):
        history = History.of(np.random.default_rng(seed).uniform(0, 200, 60), end=200.0)
        assert fit_exponential(history).loglik >= fit(history).loglik - 1e-4


def test_delays_beyond_all_gaps_are_remarked_on():
    rng = np.random.default_rng(1)
    times = np.concatenate([rng.uniform(0, 200, 20), 100 + rng.exponential(1e-9, 50)])
    assert any("bound" in remark for remark in fit_exponential(History.of(times, end=200.0)).remarks)


def test_an_explosive_fit_is_remarked_on():
    found = fit_exponential(simulated(11.0, 3, Exponential(1.0, 1.5, 1.0)))
    assert found.parameters.branching > 1
    assert any("explosive" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("history", "parameters", "words"),
    [
        (History.of([1.0], end=2.0), Exponential(0.0, 0.5, 1.0), "baseline is 0"),
        (History.of([1.0], end=2.0), Exponential(1.0, -0.5, 1.0), "branching is -0.5"),
        (History.of([1.0], end=2.0), Exponential(1.0, 0.5, np.nan), "decay is nan"),
        (History.of([1.0, 1.5], end=2.0, nodes=[0, 1]), PARAMETERS, "2 nodes"),
    ],
)
def test_bad_parameters_are_refused(history, parameters, words):
    with pytest.raises(InputError, match=words):
        loglik(history, parameters)


def test_a_single_event_cannot_be_fitted():
    with pytest.raises(InputError, match="at least 10 events"):
        fit_exponential(History.of([1.0], end=2.0))


@pytest.mark.slow
def test_intervals_cover_the_truth():
    truth = Exponential(0.5, 0.6, 1.0)
    inside = []
    for seed in range(200):
        found = fit_exponential(simulated(1000.0, seed, truth))
        interval = found.interval()
        inside.append((interval[:, 0] <= truth) & (np.array(truth) <= interval[:, 1]))
    coverage = np.mean(inside, axis=0)
    print(coverage)
    assert (coverage >= 0.92).all()
    assert (coverage <= 0.98).all()
