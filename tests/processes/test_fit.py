"""Fits: gradients, maxima, uncertainty, remarks."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.baseline import Constant, Covariates, Piecewise, Seasonal
from forecast.processes.exponential_fit import fit_exponential
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel, PowerLaw, SumOfExponentials
from forecast.processes.profile import Profile
from forecast.processes.row import derivatives
from forecast.processes.simulate import simulate_clusters

TRUTH = Hawkes.exponential([0.3, 0.2], [[0.4, 0.0], [0.3, 0.2]], 1.0)


def simulated(duration: float = 1500.0, seed: int = 1, model: Hawkes = TRUTH, **options) -> History:
    return simulate_clusters(model, duration, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("kernel", [ExponentialKernel(0.8), SumOfExponentials((0.3, 2.0), (1.0, 1.0))])
def test_the_gradient_in_shapes_and_marks_is_a_difference(kernel, shared):
    history = simulated(200.0, marks=[0.0, 1.0, 5.0])
    profile = Profile(history, Constant(), kernel, shared=shared, marked=True)
    x, size = profile.start(kernel) + 0.1, 1e-5
    _, gradient = profile.value_and_gradient(x)
    for e, unit in enumerate(np.eye(len(x))):
        up, down = (
            Profile(history, Constant(), kernel, shared, marked=True).value_and_gradient(x + sign * size * unit)[0]
            for sign in (1, -1)
        )
        assert gradient[e] == pytest.approx((up - down) / (2 * size), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("baseline", [Constant(), Piecewise((50.0, 120.0)), Seasonal(40.0, 2)])
def test_the_derivatives_of_a_row_are_differences(baseline):
    profile = Profile(simulated(200.0), baseline, ExponentialKernel(1.2))
    row = profile.slopes(profile.start(profile.kernel))[0].row
    b, theta, size = baseline.start(0.3) + 0.05, np.array([0.4, 0.1]), 1e-6
    gradient, hessian, _ = derivatives(row, b, theta)
    at = np.concatenate([b, theta])
    for e, unit in enumerate(np.eye(len(at))):
        up, down = (at + sign * size * unit for sign in (1, -1))
        values = [row.loglik(point[: len(b)], point[len(b) :]) for point in (up, down)]
        assert gradient[e] == pytest.approx((values[0] - values[1]) / (2 * size), rel=1e-6, abs=1e-6)
        slopes = [derivatives(row, point[: len(b)], point[len(b) :])[0] for point in (up, down)]
        np.testing.assert_allclose(hessian[e], (slopes[0] - slopes[1]) / (2 * size), rtol=1e-5, atol=1e-4)


def test_one_node_has_the_maximum_of_the_fast_fit():
    history = simulated(model=Hawkes.exponential(0.4, 0.6, 1.3))
    found, fast = fit(history), fit_exponential(history)
    assert found.loglik == pytest.approx(fast.loglik, abs=1e-6)
    table = found.summary().set_index("parameter")
    np.testing.assert_allclose(table["estimate"], fast.parameters, rtol=1e-4)
    errors = np.sqrt(np.diag(fast.covariance))
    wide = np.log(table.loc[["baseline level", "decay"], "high"] / table.loc[["baseline level", "decay"], "estimate"])
    np.testing.assert_allclose(wide, 1.96 * errors[[0, 2]], rtol=1e-3)


def test_the_maximum_is_above_the_truth_and_all_that_is_near():
    history = simulated()
    found = fit(history)
    assert found.loglik == pytest.approx(found.model.loglik(history), rel=1e-10)
    assert found.loglik > TRUTH.loglik(history)
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert found.draw(rng).loglik(history) < found.loglik
    given = Profile(history, Constant(), ExponentialKernel(1.0))  # what a fit with the true decay given can reach
    assert found.loglik > given.value_and_gradient(np.zeros(1))[0]
    assert any("branching ratios are 0" in remark for remark in found.remarks) == (found.model.branching.min() == 0)


def test_own_kernels_are_at_least_as_likely_as_a_shared_one():
    history = simulated(800.0)
    shared, own = fit(history), fit(history, shared=False)
    assert own.loglik >= shared.loglik - 1e-6
    assert own.parameters == shared.parameters + 3
    assert set(own.summary().query("parameter == 'decay'")["target"]) == {"0", "1"}


def test_a_node_that_is_silent_at_first_is_fitted():
    rng = np.random.default_rng(1)
    early = simulate_clusters(Hawkes.exponential(0.5, 0.5, 1.0), 12_000.0, rng).times
    late = 11_000.0 + simulate_clusters(Hawkes.exponential(0.5, 0.5, 1.0), 1000.0, rng).times
    times, nodes = np.concatenate([early, late]), np.repeat([0, 1], [len(early), len(late)])
    history = History.of(times, nodes=nodes, end=12_000.0, names=["early", "late"])
    table = fit(history, baseline=Piecewise((11_000.0,))).summary().query("target == 'late'").set_index("parameter")
    silent, level = table.loc["baseline level 1"], table.loc["baseline level 2"]
    assert silent["estimate"] < 1e-3
    assert level["low"] < 0.5 < level["high"]


def test_marks_and_covariates_are_found():
    rng = np.random.default_rng(4)
    weeks = Covariates.of(np.arange(0.0, 2801.0, 7.0), rng.normal(size=(400, 1)), ["rain"])
    marks = rng.geometric(0.2, 500) - 1.0
    scale = float(np.exp(0.6 * np.log1p(marks)).mean())
    truth = Hawkes(weeks, np.array([[-1.0, 0.5]]), np.array([[0.5]]), ((ExponentialKernel(0.5),),), 0.6, scale)
    history = simulated(2800.0, model=truth, marks=marks)
    found = fit(history, baseline=weeks, marked=True)
    table = found.summary().set_index("parameter")
    for name, value in (("baseline rain", 0.5), ("branching", 0.5), ("decay", 0.5), ("mark exponent", 0.6)):
        spread = (table.loc[name, "high"] - table.loc[name, "low"]) / 3.92
        assert abs(table.loc[name, "estimate"] - value) < 3.5 * spread
        assert spread < 0.15
    assert found.loglik > fit(history, baseline=weeks).loglik + 10


def test_the_power_law_is_told_from_the_exponential():
    truth = Hawkes(Constant(), np.array([[-1.0]]), np.array([[0.6]]), ((PowerLaw(0.2, 1.5, 4000.0),),))
    history = simulated(4000.0, model=truth)
    power, exponential = fit(history, kernel=PowerLaw(1.0, 2.0, 4000.0)), fit(history)
    assert power.loglik > exponential.loglik + 10
    table = power.summary().set_index("parameter")
    assert table.loc["exponent", "low"] < 1.5 < table.loc["exponent", "high"]
    assert table.loc["scale", "low"] < 0.2 < table.loc["scale", "high"]


def test_the_radius_has_an_interval_and_same_seed_same_bytes():
    found = fit(simulated())
    low, high = found.radius_interval(np.random.default_rng(1), draws=200)
    assert low < found.model.radius < high
    assert (low, high) == found.radius_interval(np.random.default_rng(1), draws=200)


def test_an_explosive_fit_is_remarked_on():
    found = fit(simulated(11.0, 3, Hawkes.exponential(1.0, 1.5, 1.0)))
    assert any("explosive" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("history", "options", "words"),
    [
        (History.of([1.0], end=2.0), {}, "1 events"),
        (History.of(np.arange(30.0), end=40.0), {"marked": True}, "all marks are 0"),
        (History.of(np.arange(30.0), end=40.0, nodes=np.arange(30) % 6), {}, "30 events"),
    ],
)
def test_too_little_to_fit_is_refused(history, options, words):
    with pytest.raises(InputError, match=words):
        fit(history, **options)


@pytest.mark.slow
def test_intervals_of_two_nodes_cover_the_truth():
    truth = Hawkes.exponential([0.3, 0.2], [[0.4, 0.2], [0.3, 0.2]], 1.0)
    expected = [0.3, 0.4, 0.2, 0.2, 0.3, 0.2, 1.0]
    tables = [fit(simulated(1000.0, seed, truth)).summary() for seed in range(600)]
    inside = np.array([(table["low"] <= expected) & (expected <= table["high"]) for table in tables])
    print(inside.mean(axis=0))
    assert (inside.mean(axis=0) >= 0.92).all()
    assert (inside.mean(axis=0) <= 0.98).all()
