"""Inhibition, and the linear process as its limit."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.simulate import simulate_clusters
from forecast.processes.softplus import SoftplusHawkes, _loss, fit_softplus

TRUTH = Hawkes.exponential([0.3, 0.2], [[0.4, 0.1], [0.3, 0.2]], 1.0)


def simulated(duration: float = 300.0) -> History:
    return simulate_clusters(TRUTH, duration, np.random.default_rng(1))


def test_with_a_hard_link_it_is_the_linear_process():
    history = simulated()
    model = SoftplusHawkes(np.array([0.3, 0.2]), TRUTH.branching, 1.0, 1e-4)
    assert model.loglik(history) == pytest.approx(TRUTH.loglik(history), rel=1e-7)
    at = np.linspace(0.0, 300.0, 50)
    np.testing.assert_allclose(model.intensity(history, at), TRUTH.intensity(history, at), rtol=1e-10)


def test_the_integral_converges():
    history = simulated()
    model = SoftplusHawkes(np.array([0.3, 0.2]), np.array([[-0.4, 0.1], [0.3, -0.2]]), 2.0, 0.05)
    assert model.loglik(history) == pytest.approx(model.loglik(history, points=16), rel=1e-6)


def test_the_gradient_is_a_difference():
    history, size = simulated(60.0), 1e-6
    x = np.array([0.3, 0.2, -0.2, 0.1, 0.3, -0.3, 0.2])
    _, gradient = _loss(x, history, 0.05)
    for e, unit in enumerate(np.eye(7)):
        up, down = (_loss(x + sign * size * unit, history, 0.05)[0] for sign in (1, -1))
        assert gradient[e] == pytest.approx((up - down) / (2 * size), rel=1e-4, abs=1e-4)


def test_inhibition_is_found_where_the_linear_process_says_none():
    rng = np.random.default_rng(2)
    shots = np.cumsum(rng.uniform(0.8, 1.4, 300))
    end = float(shots[-1] + 1)
    history = History.of(shots, end=end)
    linear, free = fit(history), fit_softplus(history)
    assert linear.model.branching[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert free.model.weights[0, 0] < -0.1
    assert free.loglik > linear.loglik + 20


def test_bad_parameters_are_refused():
    one = np.ones(1)
    with pytest.raises(InputError, match="softness"):
        SoftplusHawkes(one, np.ones((1, 1)), 1.0, 0.0)
    with pytest.raises(InputError, match="shape"):
        SoftplusHawkes(one, np.ones((2, 2)), 1.0, 1.0)
    with pytest.raises(InputError, match="decay"):
        SoftplusHawkes(one, np.ones((1, 1)), -1.0, 1.0)
    with pytest.raises(InputError, match="missing"):
        SoftplusHawkes(np.array([np.nan]), np.ones((1, 1)), 1.0, 1.0)
    with pytest.raises(InputError, match="1 events"):
        fit_softplus(History.of([1.0], end=2.0))
