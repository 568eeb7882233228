"""Forecasts through a nowcast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.families.climatology import Climatology
from forecast.families.discount_negbin import DiscountNegbin
from forecast.families.nowcasted import predict_through_nowcast
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import estimate_delay
from forecast.panel.reporting_triangle import triangle_from_vintages
from forecast.panel.units import Units
from forecast.predictive.nowcast import nowcast, with_last_weeks
from forecast.simulation.vintages import VintageSettings, simulate_vintages

WEEKS = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
UNITS = Units.of(["Mali/Gao", "Mali/Mopti"], groups=["Mali", "Mali"])


@pytest.fixture(scope="module")
def panel():
    return Panel.of(np.random.default_rng(2).poisson([1, 6], (104, 2)), WEEKS, UNITS)


def test_a_certain_nowcast_gives_the_forecast_from_its_counts(panel):
    fitted = Climatology().fit(panel, np.random.default_rng(1))
    other = panel.counts[-3:] + 4
    paths = np.broadcast_to(other, (40, 3, 2))
    found = predict_through_nowcast(fitted, panel, paths, 4, 600, np.random.default_rng(1))
    straight = fitted.update(with_last_weeks(panel, other)).predict(4, 600, np.random.default_rng(1))
    np.testing.assert_allclose(found.pmf, straight.pmf, atol=1e-12)
    np.testing.assert_array_equal(found.weeks, straight.weeks)
    assert found.paths.shape == (600, 4, 2)
    np.testing.assert_allclose(found.paths.mean(axis=0), straight.mean(), rtol=0.25)


def test_marginals_are_the_average_over_the_draws_each_with_its_share(panel):
    fitted = Climatology().fit(panel, np.random.default_rng(1))
    paths = np.stack([panel.counts[-3:], panel.counts[-3:] + 30])
    found = predict_through_nowcast(fitted, panel, paths, 2, 11, np.random.default_rng(1), updates=2)
    pmfs = [fitted.update(with_last_weeks(panel, path)).predict(2, 11, np.random.default_rng(1)).pmf for path in paths]
    longest = max(pmf.shape[2] for pmf in pmfs)
    low, high = (np.pad(pmf, ((0, 0), (0, 0), (0, longest - pmf.shape[2]))) for pmf in pmfs)
    mixtures = [(5 * low + 6 * high) / 11, (6 * low + 5 * high) / 11]
    assert any(np.allclose(found.pmf, mixture, atol=1e-12) for mixture in mixtures)
    assert found.draws == 11


def test_the_uncertainty_of_the_last_weeks_goes_through(panel):
    fitted = DiscountNegbin().fit(panel, np.random.default_rng(1))
    mean = panel.counts[-4:] + 10
    certain = np.broadcast_to(mean, (50, 4, 2))
    swing = np.array([-10, 10])[np.arange(50) % 2]
    uncertain = np.maximum(certain + swing[:, None, None], 0)
    narrow, wide = (
        predict_through_nowcast(fitted, panel, paths, 2, 2000, np.random.default_rng(1), updates=50)
        for paths in (certain, uncertain)
    )
    for unit in range(2):
        spread = [np.subtract(*np.quantile(found.paths[:, 0, unit], [0.9, 0.1])) for found in (wide, narrow)]
        assert spread[0] > spread[1]


def test_same_seed_same_bytes(panel):
    fitted = DiscountNegbin().fit(panel, np.random.default_rng(1))
    paths = np.random.default_rng(5).poisson(4, (100, 3, 2))
    one, two = (predict_through_nowcast(fitted, panel, paths, 4, 100, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one.paths, two.paths)
    np.testing.assert_array_equal(one.pmf, two.pmf)


@pytest.mark.parametrize(("draws", "updates"), [(1, 30), (7, 30), (500, 1), (10, 4)])
def test_any_number_of_draws_and_updates_gives_all_paths(panel, draws, updates):
    fitted = Climatology().fit(panel, np.random.default_rng(1))
    paths = np.random.default_rng(5).poisson(4, (20, 3, 2))
    found = predict_through_nowcast(fitted, panel, paths, 2, draws, np.random.default_rng(9), updates=updates)
    assert found.draws == draws
    assert found.pmf.sum(axis=2).max() <= 1 + 1e-9


def test_bad_arguments_are_refused(panel):
    fitted = Climatology().fit(panel, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    good = np.zeros((5, 3, 2), int)
    for wrong in (good[0], good[:0], np.zeros((5, 3, 4), int)):
        with pytest.raises(InputError, match="nowcast of shape"):
            predict_through_nowcast(fitted, panel, wrong, 2, 10, rng)
    with pytest.raises(InputError, match="0 draws"):
        predict_through_nowcast(fitted, panel, good, 2, 0, rng)
    with pytest.raises(InputError, match="10 draws through 0 updates"):
        predict_through_nowcast(fitted, panel, good, 2, 10, rng, updates=0)


def test_forecasts_through_the_nowcast_are_nearly_those_from_complete_counts():
    crps = {"raw": [], "nowcast": [], "complete": []}
    means = {name: [] for name in crps}
    for seed in range(2):
        rng = np.random.default_rng(seed)
        history = simulate_vintages(VintageSettings(mean=20, size=50), WEEKS, UNITS, rng)
        for origin in list(history.known)[60:100:4]:
            then = {day: known for day, known in history.known.items() if day <= origin}
            delay = estimate_delay(triangle_from_vintages(then, max_delay=7))
            known, start = history.known[origin], len(history.known[origin].weeks)
            fitted = DiscountNegbin().fit(known, rng)
            paths = nowcast(known, delay, 100, rng)
            found = {
                "raw": fitted.predict(4, 600, rng),
                "nowcast": predict_through_nowcast(fitted, known, paths, 4, 600, rng, updates=20),
                "complete": fitted.update(history.final.weeks_between(0, start)).predict(4, 600, rng),
            }
            truth = history.final.counts[start : start + 4]
            for name, forecast in found.items():
                cdf = np.cumsum(forecast.pmf, axis=2)
                step = np.arange(cdf.shape[2]) >= truth[..., None]
                crps[name].append(((cdf - step) ** 2).sum(axis=2).mean())
                means[name].append(forecast.mean().mean())
    assert np.mean(crps["nowcast"]) < np.mean(crps["raw"])
    # The raw last weeks are too low, and so is the forecast from them.
    assert np.mean(means["raw"]) < 0.93 * np.mean(means["complete"])
    assert np.mean(means["nowcast"]) == pytest.approx(np.mean(means["complete"]), rel=0.03)
