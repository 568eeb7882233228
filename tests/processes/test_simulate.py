"""Two exact simulations agree with each other and with the theory; so do forecasts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.processes.baseline import Seasonal
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel, PowerLaw
from forecast.processes.nonparametric import fit_steps
from forecast.processes.paths import count_paths
from forecast.processes.simulate import simulate_clusters, simulate_thinning
from forecast.processes.step_kernel import StepKernel

TWO = Hawkes.exponential([0.3, 0.2], [[0.4, 0.1], [0.3, 0.2]], 1.0)


def test_both_simulations_have_the_same_distribution_of_counts():
    kernel = PowerLaw(0.3, 1.7, 100.0)
    model = Hawkes(Seasonal(30.0), np.array([[-1.0, 0.8, 0.1]]), np.array([[0.6]]), ((kernel,),), 0.5, 1.4)
    counts = {}
    for simulate in (simulate_clusters, simulate_thinning):
        rng = np.random.default_rng(1)
        counts[simulate] = [len(simulate(model, 40.0, rng, marks=[0.0, 1.0, 4.0]).times) for _ in range(400)]
    assert stats.ks_2samp(*counts.values()).pvalue > 0.01


@pytest.mark.parametrize("simulate", [simulate_clusters, simulate_thinning])
def test_rates_are_those_of_the_theory(simulate):
    history = simulate(TWO, 40_000.0, np.random.default_rng(1))
    expected = np.linalg.solve(np.eye(2) - TWO.branching, [0.3, 0.2])
    np.testing.assert_allclose(np.bincount(history.nodes) / 40_000, expected, rtol=0.03)


def test_an_explosion_is_stopped(monkeypatch):
    monkeypatch.setattr("forecast.processes.simulate.MOST_EVENTS", 100_000)
    with pytest.raises(InputError, match="events and more"):
        simulate_clusters(Hawkes.exponential(5.0, 2.0, 5.0), 1000.0, np.random.default_rng(1))


def test_a_kernel_that_may_rise_is_not_thinned():
    model = Hawkes(TWO.baseline, TWO.coefficients, TWO.branching, ((StepKernel((0.0, 1.0), (1.0,)),) * 2,) * 2)
    with pytest.raises(InputError, match="StepKernel cannot be thinned"):
        simulate_thinning(model, 10.0, np.random.default_rng(1))


def test_forecasts_continue_simulations():
    """Paths that start anew at some time from their own history have the counts of those that never stopped."""
    rng = np.random.default_rng(1)
    whole, continued = [], []
    for _ in range(300):
        history = simulate_clusters(TWO, 30.0, rng, names=["0", "1"])
        whole.append(int((history.times >= 20.0).sum()))
        continued.append(int(count_paths(TWO, history.until(20.0), [20.0, 30.0], 1, rng).sum()))
    assert stats.ks_2samp(whole, continued).pvalue > 0.01


@pytest.mark.parametrize("kernel", [ExponentialKernel(0.3), StepKernel((0.0, 2.0, 9.0), (1.0, 0.4))])
def test_the_mean_of_a_forecast_solves_its_renewal_equation(kernel):
    model = Hawkes(Seasonal(50.0), np.array([[-2.0, 0.3, 0.2]]), np.array([[0.5]]), ((kernel,),))
    history = History.of([5.0, 18.0, 19.5, 19.9], end=20.0)
    counts = count_paths(model, history, [20.0, 27.0, 34.0], 60_000, np.random.default_rng(1))
    step = 0.01
    at = 20.0 + step * (np.arange(1400) + 0.5)
    mean = model.intensity(history, at)[0]
    delays = 0.5 * step * kernel.density(step * (np.arange(1400) + 0.5))
    for i in range(1400):  # what each moment's events add later
        mean[i + 1 :] += mean[i] * delays[: 1399 - i]
    expected = step * mean.reshape(2, 700).sum(axis=1)
    np.testing.assert_allclose(counts.mean(axis=0).ravel(), expected, rtol=0.02)


def test_drawn_parameters_widen_a_forecast():
    history = simulate_clusters(Hawkes.exponential(0.5, 0.7, 1.0), 150.0, np.random.default_rng(2))
    found = fit(history)
    fixed = count_paths(found, history, [150.0, 200.0], 4000, np.random.default_rng(1))
    drawn = count_paths(found, history, [150.0, 200.0], 4000, np.random.default_rng(1), parameter_draws=400)
    assert fixed.shape == drawn.shape == (4000, 1, 1)
    assert drawn.std() > fixed.std()


def test_nothing_after_the_origin_and_the_seed_decide_a_forecast():
    history = simulate_clusters(TWO, 100.0, np.random.default_rng(1))
    known, edges = history.until(50.0), [50.0, 57.0, 64.0]
    one, two = (count_paths(TWO, known, edges, 50, np.random.default_rng(3)) for _ in range(2))
    assert (one == two).all()
    with pytest.raises(InputError, match="origin"):
        count_paths(TWO, history, edges, 50, np.random.default_rng(3))
    with pytest.raises(InputError, match="not fitted"):
        count_paths(TWO, known, edges, 50, np.random.default_rng(3), parameter_draws=10)


def test_free_kernels_find_the_offspring_of_each_lag():
    truth = Hawkes.exponential([0.3, 0.2], [[0.5, 0.0], [0.3, 0.2]], 1.0)
    history = simulate_clusters(truth, 20_000.0, np.random.default_rng(1))
    edges = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0])
    found = fit_steps(history, edges)
    assert found.loglik == pytest.approx(found.model.loglik(history), rel=1e-10)
    shares = np.diff(-np.expm1(-edges))
    for (k, j), ratio in np.ndenumerate(truth.branching):
        mine = found.offspring.query(f"target == '{k}' and source == '{j}'")
        error = mine["error"].fillna(0.01)
        assert (np.abs(mine["offspring"] - ratio * shares) < 4 * error).all()
    with pytest.raises(InputError, match="edges"):
        fit_steps(history, [1.0, 2.0])
    with pytest.raises(InputError, match="at least"):
        fit_steps(History.of([1.0, 2.0], end=3.0), edges)
