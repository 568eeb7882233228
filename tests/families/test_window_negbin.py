"""Window negative binomial: values by hand, recovery of known truth, dependence along a path."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.families.window_negbin import LEAD, PRIOR, FittedWindowNegbin, Parameters, WindowNegbin
from forecast.panel.panel import Panel
from forecast.panel.units import Units

RNG = np.random.default_rng
SHAPE, LEVEL, EXCESS = 0.8, 0.6, 0.5


def panel_of(counts: np.ndarray) -> Panel:
    weeks = pd.date_range("2015-01-03", periods=len(counts), freq="7D", unit="s")
    return Panel.of(counts, weeks, Units.of([f"unit {at}" for at in range(counts.shape[1])]))


def simulate(seed: int, weeks: int = 160, units: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and the rate of each unit: the model itself, with rates that stay the same for ever."""
    rng = RNG(seed)
    rate = rng.gamma(SHAPE, LEVEL / SHAPE, units)
    return rng.poisson(rng.gamma(rate / EXCESS, EXCESS, (weeks, units))), rate


def test_mean_and_size_by_hand():
    panel = panel_of(np.array([[9, 9], [4, 0], [0, 0], [2, 0]]))
    fitted = FittedWindowNegbin(panel, 3, "all", Parameters(shape=0.5, excess=0.8, excess_events=2.0, persistence=0.4))
    mean, size = fitted.mean_and_size()
    overall = 6.5 / 6
    level = (6 + 3 * overall) / 9
    assert mean == pytest.approx([6.5 / (3 + 0.5 / level), 0.5 / (3 + 0.5 / level)])
    own = 20 - 36 / 3 - 6  # three times the variance, less the events
    assert size == pytest.approx([mean[0] * (6 + 2) / (own + 1.6), mean[1] / 0.8])


def test_a_short_silent_panel_keeps_the_prior():
    shared = WindowNegbin().fit(panel_of(np.zeros((3, 2), dtype=int)), RNG(1)).parameters
    assert vars(shared) == pytest.approx(vars(PRIOR))


def test_the_shared_parameters_are_recovered():
    shared = WindowNegbin(weeks=104).fit(panel_of(simulate(1)[0]), RNG(1)).parameters
    assert SHAPE / 1.6 < shared.shape < SHAPE * 1.6
    assert EXCESS / 1.3 < shared.excess < EXCESS * 1.3
    assert shared.excess_events > 3 * PRIOR.excess_events  # all units have the same excess


def test_mean_and_size_of_the_units_are_recovered():
    counts, rate = simulate(2, weeks=208)
    mean, size = WindowNegbin(weeks=208).fit(panel_of(counts), RNG(1)).mean_and_size()
    error = np.sqrt(rate * (1 + EXCESS) / 208)
    assert (np.abs(mean - rate) < 4 * error + 0.01).all()
    frequent = rate > 0.2
    assert np.median(size[frequent] / (rate[frequent] / EXCESS)) == pytest.approx(1, abs=0.2)


def test_a_rate_that_drifts_is_more_persistent_than_one_that_stays():
    steady, _ = simulate(3)
    drift = np.exp(np.cumsum(RNG(4).normal(0, 0.15, steady.shape), axis=0))
    moving = RNG(5).poisson(drift / drift.mean(axis=0))
    found = [WindowNegbin().fit(panel_of(counts), RNG(1)).parameters.persistence for counts in (steady, moving)]
    assert found[0] < 0.3
    assert found[1] > found[0] + 0.3


@pytest.mark.parametrize("persistence", [0.0, 0.35, 1.0])
def test_weeks_of_a_path_have_the_covariance_that_the_persistence_says(persistence):
    panel = panel_of(np.array([[4], [0], [6], [1]]))
    fitted = FittedWindowNegbin(panel, 52, "all", Parameters(0.5, 1.5, 2.0, persistence))
    mean, size = (value[0] for value in fitted.mean_and_size())
    forecast = fitted.predict(6, 40_000, RNG(1))
    paths = forecast.paths[:, :, 0].astype(float)
    covariance = np.cov(paths.T)
    assert covariance[0, 5] == pytest.approx(persistence * mean**2 / size, abs=0.05 * covariance[0, 0])
    assert np.diag(covariance) == pytest.approx(np.full(6, mean + mean**2 / size), rel=0.06)
    expected = stats.nbinom.pmf(np.arange(forecast.pmf.shape[2]), size, size / (size + mean))
    np.testing.assert_allclose(forecast.pmf[3, 0], expected, atol=1e-9)


def test_parameters_are_judged_on_weeks_that_the_forecast_does_not_know():
    counts, _ = simulate(6, weeks=60, units=5)
    changed = counts.copy()
    changed[-1] += 1  # the newest week is a target but in no window that is judged
    with_more = WindowNegbin(weeks=8).fit(panel_of(changed), RNG(1))
    plain = WindowNegbin(weeks=8).fit(panel_of(counts), RNG(1))
    assert with_more.parameters != plain.parameters
    shared = plain.update(panel_of(counts[: 60 - LEAD])).parameters
    assert shared == plain.parameters


@pytest.mark.slow
def test_central_intervals_cover_as_they_should_over_100_panels():
    inside = []
    for seed in range(100):
        counts, _ = simulate(seed, weeks=116, units=30)
        forecast = WindowNegbin().fit(panel_of(counts[:112]), RNG(seed)).predict(4, 10, RNG(seed))
        cdf = np.concatenate([np.zeros((4, 30, 1)), np.minimum(np.cumsum(forecast.pmf, axis=2), 1)], axis=2)
        y = np.minimum(counts[112:], cdf.shape[2] - 2)[..., None]
        low, high = (np.take_along_axis(cdf, y + step, axis=2)[..., 0] for step in (0, 1))
        pit = low + RNG(seed).random(low.shape) * (high - low)
        inside.append((pit > 0.025) & (pit < 0.975))
    assert 0.92 < np.mean(inside) < 0.98
