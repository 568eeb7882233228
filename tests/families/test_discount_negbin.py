"""The discounted negative binomial: its filter by hand, its settings recovered, its figures on real counts."""

import numpy as np
import pandas as pd
import pytest

from forecast.families.discount_negbin import DiscountNegbin, _discounted_sums, _simulate
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin

ONE = DiscountNegbin(discounts=(0.9,), pooling=(0.3,), precision=(0.5,), burstiness=(0.2,))


def panel_of(counts: np.ndarray, observed: np.ndarray | None = None, **keys: object) -> Panel:
    weeks = pd.date_range("2015-01-03", periods=len(counts), freq="7D", unit="s")
    units = Units.of([f"U{i}" for i in range(counts.shape[1])], groups=["G"] * counts.shape[1])
    return Panel.of(counts, weeks, units, observed=observed, **keys)


def simulated_panel(family: DiscountNegbin, weeks: int, units: int, seed: int) -> Panel:
    """Draw a panel from the model itself, with one combination of settings."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(1.0, 1.0, units) + 0.3
    memory = 1 / (1 - family.discounts[0])
    start, neighbour = np.zeros(units + 1, np.int64), np.empty(0, np.int64)
    paths, _, _ = _simulate(
        (level * memory)[None], np.full((1, units), memory), np.zeros(1, np.int64), family.grid(),
        start, neighbour, np.zeros(units, np.int64), 0.1, weeks, rng,
    )  # fmt: skip
    return panel_of(paths[0])


def test_sums_forget_and_skip_missing_weeks() -> None:
    counts = np.array([[4], [0], [2]])
    a, b = _discounted_sums(counts, np.array([[True], [False], [True]]), 0.5)
    assert a.tolist() == [4 * 0.25 + 2]
    assert b.tolist() == [0.25 + 1]


def test_first_step_is_the_formula() -> None:
    counts = np.array([[3, 0], [1, 0]])
    neighbours = Neighbours.from_pairs(np.array([0]), np.array([1]), np.array([10.0]), np.array([99.0]), 2)
    forecast = ONE.fit(panel_of(counts, neighbours=neighbours), np.random.default_rng(0)).predict(
        1, 200, np.random.default_rng(0)
    )
    a, b = np.array([3 * 0.9 + 1, 0.0]), np.array([1.9, 1.9])
    rate = a / b
    overall = (0.1 + a.sum()) / (1.0 + b.sum())
    pooled = (overall + rate.mean() + rate[::-1]) / 3
    shape = a + 0.3
    expected = negbin.mixture_pmf((shape / (b + 0.3 / pooled))[None], 1 / (1 / (0.5 * shape) + 0.2))
    width = min(expected.shape[-1], forecast.pmf.shape[-1])
    np.testing.assert_allclose(forecast.pmf[0, :, :width], expected[:, :width], atol=1e-12)


def test_a_surge_on_a_path_raises_its_next_weeks_and_the_neighbour() -> None:
    rng = np.random.default_rng(5)
    counts = np.column_stack([rng.poisson(1.0, 40), np.zeros(40, int)])
    neighbours = Neighbours.from_pairs(np.array([0]), np.array([1]), np.array([10.0]), np.array([99.0]), 2)
    fitted = ONE.fit(panel_of(counts, neighbours=neighbours), rng)
    paths = fitted.predict(8, 4000, rng).paths
    surge = paths[:, 0, 0] >= 4
    assert paths[surge, 4, 0].mean() > paths[~surge, 4, 0].mean() * 1.1
    risen = np.vstack([counts, [[9, 0]]])
    after = [
        fitted.update(panel_of(risen[:stop], neighbours=neighbours)).predict(1, 100, rng).mean()[0, 1]
        for stop in (40, 41)
    ]
    assert after[1] > after[0]


def test_weights_sum_to_one_and_summary_averages_them() -> None:
    panel = simulated_panel(ONE, 60, 4, seed=2)
    fitted = DiscountNegbin().fit(panel, np.random.default_rng(0))
    assert fitted.weights.sum() == pytest.approx(1.0)
    summary = fitted.summary()
    assert summary.index.tolist() == ["discount", "pooling", "precision", "burstiness"]
    assert summary.loc["discount", "estimate"] == pytest.approx(fitted.weights @ DiscountNegbin().grid()[:, 0])


def test_all_zero_panel_still_expects_something() -> None:
    forecast = (
        DiscountNegbin()
        .fit(panel_of(np.zeros((30, 3), int)), np.random.default_rng(0))
        .predict(4, 500, np.random.default_rng(0))
    )
    assert (forecast.mean() > 0).all()
    assert (forecast.mean() < 0.05).all()


def recovery(seeds: range) -> np.ndarray:
    """Return (estimate - truth) / standard deviation of the discount and the pooling, one row a panel."""
    truth = DiscountNegbin(discounts=(0.9,), pooling=(0.2,), precision=(1.0,), burstiness=(0.3,))
    family = DiscountNegbin(
        discounts=(0.7, 0.8, 0.85, 0.9, 0.94, 0.97), pooling=(0.05, 0.1, 0.2, 0.4, 0.8), precision=(0.3, 1.0, 3.0),
        burstiness=(0.1, 0.3, 0.9), half_life_weeks=1e9, temper=1.0,
    )  # fmt: skip
    rows = []
    for seed in seeds:
        summary = family.fit(simulated_panel(truth, 200, 12, seed), np.random.default_rng(0)).summary()
        error = summary["estimate"] - [0.9, 0.2, 1.0, 0.3]
        # A grid cannot be surer than half the distance between its points.
        rows.append((error / np.maximum(summary["std_error"], [0.02, 0.1, 1.0, 0.3])).to_numpy())
    return np.array(rows)


def test_true_settings_are_recovered() -> None:
    z = recovery(range(6))
    assert (np.abs(z) < 3).mean() > 0.9
    assert (np.abs(z.mean(axis=0)) < 1.5).all()


@pytest.mark.slow
def test_true_settings_are_recovered_over_a_hundred_panels() -> None:
    z = recovery(range(100))
    assert (np.abs(z) < 2).mean() > 0.92
    assert (np.abs(z.mean(axis=0)) < 1.0).all()


def test_large_counts_that_hardly_vary_are_remarked():
    rng = np.random.default_rng(3)
    weeks = pd.date_range("2023-01-07", periods=80, freq="7D", unit="s")
    for sd, told in ((300, True), (6_000, False)):
        counts = np.maximum(rng.normal(10_000, sd, (80, 2)), 0).round().astype(int)
        remarks = DiscountNegbin().fit(Panel.of(counts, weeks, Units.of(["A", "B"])), rng).remarks
        assert any("ranges are too wide" in remark for remark in remarks) is told
