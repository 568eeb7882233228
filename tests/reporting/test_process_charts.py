"""Charts of residuals: they show what the tables hold, and tell a right process from a wrong one."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.processes.fit import fit
from forecast.processes.goodness import against_poisson, poisson_of, residual_quantiles, residuals
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.simulate import simulate_clusters
from forecast.reporting.process_charts import goodness_figures

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def found():
    return fit(simulate_clusters(Hawkes.exponential(0.5, 0.6, 1.0), 800.0, RNG(3)))


def trace(chart, name):
    return next(each for each in chart.plot.data if each.name == name)


def test_the_quantiles_are_those_of_the_table(found):
    chart = goodness_figures(found, RNG(1))[0]
    table = residual_quantiles(residuals(found.model, found.history))
    assert list(trace(chart, "0").y) == table["observed"].tolist()
    poisson = residual_quantiles(residuals(poisson_of(found)[0], found.history))
    assert list(trace(chart, "0, Poisson").y) == poisson["observed"].tolist()


def test_a_right_process_stays_in_its_bands_and_poisson_does_not(found):
    quantiles, time, _, thinned = goodness_figures(found, RNG(1))
    for chart in (time, thinned):
        bound = max(chart.plot.data[1].y)
        assert np.abs(np.array(chart.plot.data[2].y)).max() < bound
    high = np.array(quantiles.plot.data[2].y)
    assert (np.array(trace(quantiles, "0, Poisson").y)[-20:] > high[-20:]).mean() > 0.5


def test_poisson_of_a_fit_is_the_one_of_the_table(found):
    model, loglik = poisson_of(found)
    assert not model.branching.any()
    assert loglik == against_poisson(found).loc["poisson", "loglik"]
    assert loglik == pytest.approx(model.loglik(found.history), abs=1e-6)


def test_nodes_with_few_events_are_left_out():
    few = fit(History.of([1.0, 2.0, 4.0, 5.5], end=10.0))
    assert goodness_figures(few, RNG(1)) == ()


def test_figures_are_plain_data_with_ids_of_their_own(found):
    charts = goodness_figures(found, RNG(1), anchor="mopti")
    assert [chart.anchor for chart in charts] == [
        f"mopti-{part}" for part in ("quantiles", "time", "correlation", "superthinned")
    ]
    again = goodness_figures(found, RNG(1), anchor="mopti")
    assert [chart.data() for chart in charts] == [chart.data() for chart in again]
