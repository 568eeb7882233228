"""Events known only to their day."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.daily import _moments, daily_loglik, effect_of_days, fit_daily, fit_jittered, jittered
from forecast.processes.exponential import Exponential
from forecast.processes.hawkes import Hawkes
from forecast.processes.simulate import simulate_clusters


def test_jitter_stays_within_the_day():
    days = np.array([4, 0, 0, 2])
    history = jittered(days, 5, np.random.default_rng(1))
    assert history.times.astype(int).tolist() == [0, 0, 2, 4]
    assert not history.remarks


def test_the_moments_of_a_day_are_those_of_simulations():
    mu, n, beta = 0.7, 0.6, 2.0
    base, slope = _moments(mu, n, beta)
    rng = np.random.default_rng(1)
    model = Hawkes.exponential(mu, n, beta)
    counts = []
    for _ in range(6000):  # from an empty past: the rate at the start is the baseline
        try:
            counts.append(len(simulate_clusters(model, 1.0, rng).times))
        except InputError:  # no event happened
            counts.append(0)
    mean, excess = base + slope * mu
    assert np.mean(counts) == pytest.approx(mean, abs=4 * np.std(counts) / np.sqrt(6000))
    assert np.var(counts) - np.mean(counts) == pytest.approx(excess, abs=0.15)


def test_without_excitation_days_are_poisson():
    counts = np.array([0, 2, 1, 0, 3])
    value = daily_loglik(counts, Exponential(1.2, 1e-9, 1.0))
    assert value == pytest.approx((counts * np.log(1.2) - 1.2).sum() - np.log(12.0), abs=1e-5)


def test_daily_counts_find_what_jitter_hides():
    truth = Exponential(0.3, 0.6, 4.0)
    table = effect_of_days(truth, 3000, np.random.default_rng(1), draws=4).set_index(["method", "parameter"])
    daily, jitter = (table.loc[(method, "decay")] for method in ("daily counts", "jittered"))
    assert daily["low"] < 4.0 < daily["high"]
    assert jitter["high"] < 4.0
    assert table.loc[("midnight", "branching"), "high"] < 0.6
    assert set(table["truth"]) == set(truth)


def test_slow_excitation_loses_nothing_by_jitter():
    history = simulate_clusters(Hawkes.exponential(0.3, 0.6, 0.2), 3000.0, np.random.default_rng(1))
    pooled = fit_jittered(history.times.astype(int), 3000, np.random.default_rng(1), draws=5)
    assert (pooled["between"] < 0.2).all()
    assert pooled.loc["branching", "low"] < 0.6 < pooled.loc["branching", "high"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: jittered([0.5], 3, np.random.default_rng(1)), "whole numbers"),
        (lambda: jittered([3], 3, np.random.default_rng(1)), "days from 3"),
        (lambda: fit_daily([0, -1]), "whole numbers"),
        (lambda: fit_daily([0, 1, 2]), "3 events"),
        (lambda: fit_jittered([0] * 20, 3, np.random.default_rng(1), draws=1), "1 draws"),
    ],
)
def test_bad_days_are_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
