"""The families without parameters, against computation by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.config import parse
from forecast.errors import InputError
from forecast.families.climatology import Climatology
from forecast.families.last import Last
from forecast.families.recent import pooled_level, recent_sums
from forecast.families.zero import Zero
from forecast.panel.panel import Panel
from forecast.panel.units import Units

RNG = np.random.default_rng


def panel_of(counts, observed=None, groups=None) -> Panel:
    counts = np.asarray(counts)
    weeks = pd.date_range("2026-01-03", periods=len(counts), freq="7D", unit="s")
    units = Units.of([f"unit {at}" for at in range(counts.shape[1])], groups=groups)
    return Panel.of(counts, weeks, units, observed=None if observed is None else np.asarray(observed, dtype=bool))


def test_zero_is_certain_of_nothing():
    forecast = Zero().fit(panel_of([[3, 9], [7, 0]]), RNG(1)).predict(5, 20, RNG(1))
    assert not forecast.paths.any()
    assert (forecast.pmf == 1).all()
    assert forecast.pmf.shape == (5, 2, 1)


def test_last_is_a_poisson_at_the_last_observed_count():
    panel = panel_of([[4, 1], [2, 3], [9, 0]], observed=[[1, 1], [1, 1], [0, 1]])
    forecast = Last(floor_share=0.2).fit(panel, RNG(1)).predict(3, 10, RNG(1))
    # Pooled: 6 + 4 events and half a one in 5 weeks; the group has 10 in 5 and takes 2.5 weeks of that level.
    overall = 10.5 / 5
    level = (10 + 2.5 * overall) / 7.5
    for week in range(3):
        for unit, rate in enumerate((2.0, 0.2 * level)):
            expected = stats.poisson.pmf(np.arange(forecast.pmf.shape[2]), rate)
            np.testing.assert_allclose(forecast.pmf[week, unit], expected, atol=1e-9)


def test_last_gives_a_unit_that_was_never_observed_the_pooled_level():
    rates = Last().fit(panel_of([[4, 0], [2, 0]], observed=[[1, 0], [1, 0]]), RNG(1)).rates()
    overall = 6.5 / 2
    assert rates == pytest.approx([2.0, (6 + overall) / 3])


def test_last_keeps_weeks_independent_given_the_rate():
    paths = Last().fit(panel_of([[4], [3]]), RNG(1)).predict(2, 20_000, RNG(1)).paths[:, :, 0]
    assert abs(np.corrcoef(paths.T)[0, 1]) < 0.03


def test_climatology_is_the_empirical_distribution_with_a_pooled_share():
    panel = panel_of([[5, 5], [0, 2], [1, 2], [0, 0], [0, 0]])
    forecast = Climatology(weeks=4, pooled_share=0.1).fit(panel, RNG(1)).predict(2, 10, RNG(1))
    own = np.array([[3, 1, 0], [2, 0, 2]]) / 4
    expected = 0.9 * own + 0.1 * own.mean(axis=0)
    np.testing.assert_allclose(forecast.pmf, np.stack([expected, expected]), atol=1e-12)


def test_climatology_steps_over_missing_weeks_and_weighs_the_pool_by_known_ones():
    panel = panel_of([[7, 1], [1, 1], [8, 0], [0, 2]], observed=[[1, 0], [1, 0], [0, 1], [1, 1]])
    forecast = Climatology(weeks=2, pooled_share=1).fit(panel, RNG(1)).predict(1, 10, RNG(1))
    np.testing.assert_allclose(forecast.pmf[0], [[0.5, 0.25, 0.25]] * 2)  # 1, 0 of the first unit; 0, 2 of the second


def test_climatology_can_pool_within_groups():
    panel = panel_of([[0, 3, 1], [0, 3, 1]], groups=["A", "B", "A"])
    pmf = Climatology(weeks=2, pooled_share=0.5, pool="group").fit(panel, RNG(1)).predict(1, 10, RNG(1)).pmf[0]
    np.testing.assert_allclose(pmf, [[0.75, 0.25, 0, 0], [0, 0, 0, 1], [0.25, 0.75, 0, 0]])


def test_climatology_draws_runs_of_consecutive_weeks_for_all_units_together():
    history = np.arange(6)[:, None] + np.array([[0, 100]])
    paths = Climatology(weeks=6, pooled_share=0).fit(panel_of(history), RNG(1)).predict(3, 200, RNG(1)).paths
    start = paths[:, 0, 0]
    assert set(start) == set(range(6))
    for ahead in range(3):
        np.testing.assert_array_equal(paths[:, ahead, 0], (start + ahead) % 6)
    np.testing.assert_array_equal(paths[:, :, 1], paths[:, :, 0] + 100)


def test_recent_sums_agree_with_a_plain_loop():
    rng = RNG(5)
    values, observed = rng.poisson(2.0, (40, 3)), rng.random((40, 3)) < 0.7
    found = recent_sums(values, observed, 6)
    for week in range(40):
        for unit in range(3):
            assert found[week, unit] == values[: week + 1, unit][observed[: week + 1, unit]][-6:].sum()


def test_the_pooled_level_is_positive_and_between_group_and_all():
    level = pooled_level(np.array([20.0, 10.0, 0.0]), np.full(3, 10.0), np.array([0, 0, 1]))
    overall = 30.5 / 30
    assert level == pytest.approx([(30 + 10 * overall) / 30, (30 + 10 * overall) / 30, 10 * overall / 20])
    assert (pooled_level(np.zeros(2), np.full(2, 52.0), np.zeros(2, dtype=np.intp)) > 0).all()


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        (Zero, {"weeks": 3}),
        (Last, {"floor_share": 0}),
        (Climatology, {"weeks": 1}),
        (Climatology, {"pooled_share": 1.5}),
        (Climatology, {"pool": "country"}),
    ],
)
def test_settings_out_of_range_are_refused(family, settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        parse(family, settings, where="a test")
