"""The right model passes, the wrong one does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.processes.fit import fit
from forecast.processes.goodness import (
    against_poisson,
    residual_quantiles,
    residual_tests,
    residuals,
    superthinned,
)
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import PowerLaw
from forecast.processes.simulate import simulate_clusters, simulate_thinning

TRUTH = Hawkes.exponential([0.3, 0.2], [[0.4, 0.1], [0.3, 0.2]], 1.0)


def simulated(duration: float = 2000.0, seed: int = 1) -> History:
    return simulate_clusters(TRUTH, duration, np.random.default_rng(seed))


def test_the_true_process_passes_and_a_poisson_process_fails():
    history = simulated()
    right = residual_tests(residuals(TRUTH, history))
    wrong = residual_tests(residuals(Hawkes.exponential([0.5, 0.5], np.zeros((2, 2)), 1.0), history))
    assert right[["ks_p", "lag1_p", "ljung_box_p"]].to_numpy().min() > 0.001
    assert wrong[["ks_p", "ljung_box_p"]].to_numpy().max() < 1e-3
    assert right["events"].tolist() == np.bincount(history.nodes).tolist()


def test_the_band_of_the_quantiles_holds_the_true_process():
    table = residual_quantiles(residuals(TRUTH, simulated()))
    inside = (table["observed"] >= table["low"]) & (table["observed"] <= table["high"])
    assert inside.mean() > 0.85
    assert (table["low"] < table["expected"]).all()
    assert (table["expected"] < table["high"]).all()


def test_superthinned_points_are_a_poisson_process():
    history = simulated()
    for rate in (None, 0.3, 2.0):
        points = superthinned(TRUTH, history, np.random.default_rng(1), node=1, rate=rate)
        c = rate or np.bincount(history.nodes)[1] / 2000
        assert abs(len(points) - c * 2000) < 4 * np.sqrt(c * 2000)
        assert stats.kstest(np.diff(points) * c, "expon").pvalue > 0.01
    poisson = Hawkes.exponential([0.5, 0.5], np.zeros((2, 2)), 1.0)
    points = superthinned(poisson, history, np.random.default_rng(1), node=1)
    assert stats.kstest(np.diff(points) / np.diff(points).mean(), "expon").pvalue < 0.01


def test_a_fit_is_compared_with_a_poisson_process():
    found = fit(simulated(800.0))
    table = against_poisson(found)
    counts = np.bincount(found.history.nodes)
    assert table.loc["poisson", "loglik"] == pytest.approx((counts * np.log(counts / 800.0) - counts).sum(), rel=1e-9)
    assert table.loc["hawkes", "aic"] == pytest.approx(found.aic)
    assert table.loc["hawkes", "aic"] < table.loc["poisson", "aic"]


def test_few_events_and_bad_rates():
    table = residual_tests(residuals(Hawkes.exponential(0.5, 0.5, 1.0), History.of([1.0, 2.0], end=3.0)))
    assert table["events"].tolist() == [2]
    assert table["ks_p"].isna().all()
    with pytest.raises(InputError, match="rate"):
        superthinned(TRUTH, simulated(50.0), np.random.default_rng(1), rate=0.0)
    with pytest.raises(InputError, match="node 5"):
        superthinned(TRUTH, simulated(50.0), np.random.default_rng(1), node=5)


@pytest.mark.slow
@pytest.mark.parametrize("simulate", [simulate_clusters, simulate_thinning])
@pytest.mark.parametrize("kernel", ["exponential", "power law"])
def test_p_values_of_the_true_process_are_uniform(simulate, kernel):
    model = TRUTH
    if kernel == "power law":
        model = Hawkes(TRUTH.baseline, TRUTH.coefficients, TRUTH.branching, ((PowerLaw(0.3, 1.6, 500.0),) * 2,) * 2)
    values = []
    for seed in range(200):
        history = simulate(model, 500.0, np.random.default_rng(seed))
        values.append(residual_tests(residuals(model, history)).loc["0", ["ks_p", "lag1_p", "ljung_box_p"]])
    table = np.array(values, dtype=float)
    found = [stats.kstest(column, "uniform").pvalue for column in table.T]
    print(found)
    assert min(found) > 0.005
