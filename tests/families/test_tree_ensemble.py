"""The tree ensembles: what they see, what they learn from, and what they make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import threadpoolctl

from forecast.evaluation.scores import crps_pmf
from forecast.families.tree_ensemble.boosting import BoostingSettings, boost
from forecast.families.tree_ensemble.cases import Cases, draw_cases, draw_runs
from forecast.families.tree_ensemble.family import TreeEnsemble
from forecast.families.tree_ensemble.features import NAMES, Clock, Features
from forecast.families.tree_ensemble.forest import PSEUDO_EVENTS, ForestSettings, grow_forest
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.simulation.simulate import simulate

METHODS = ("forest", "boosting")


def panel_of(counts: np.ndarray, observed: np.ndarray | None = None) -> Panel:
    weeks = pd.date_range("2010-01-02", periods=len(counts), freq="7D", unit="s")
    units = Units.of([f"U{i}" for i in range(counts.shape[1])], groups=["AB"[i % 2] for i in range(counts.shape[1])])
    return Panel.of(counts, weeks, units, observed=observed)


def bursty(weeks: int = 300, units: int = 6, seed: int = 1) -> Panel:
    rng = np.random.default_rng(seed)
    level = np.geomspace(0.05, 3, units) * rng.gamma(1, 1, (weeks // 20 + 1, units)).repeat(20, axis=0)[:weeks]
    return panel_of(rng.poisson(level))


def features_of(panel: Panel, horizons: int = 4) -> Features:
    clock = Clock.estimate(panel, half_life_weeks=208, harmonics=0, pooling=1)
    return Features.of(panel, clock, horizons)


def fit(panel: Panel, method: str, **settings: object):
    return TreeEnsemble(method=method, **settings).fit(panel, np.random.default_rng(1))


# What is known at an origin.


def test_the_inputs_of_an_origin_do_not_know_what_came_after_it():
    panel = bursty()
    later = panel.counts.copy()
    later[151:] += 7
    week, unit = np.full(6, 150), np.arange(6)
    both = [
        Features.of(item, Clock.estimate(panel, half_life_weeks=208, harmonics=1, pooling=1), 4)
        for item in (panel, replace(panel, counts=later))
    ]
    # The pooled level from which the means start is that of all weeks; after three years nothing is left of it.
    one, other = (item.inputs(week, unit, np.full(6, 3), 4) for item in both)
    assert np.allclose(one[:, [0, 1, 2]], other[:, [0, 1, 2]], atol=1e-5)
    assert np.array_equal(one[:, NAMES.index("weeks since the last event")], other[:, -4])


def test_weeks_since_the_last_event_are_observed_weeks():
    counts = np.array([[0], [2], [0], [0], [0], [1]])
    observed = np.array([[True], [True], [True], [False], [True], [True]])
    silence = features_of(panel_of(counts, observed)).silence.ravel()
    assert silence[1:].tolist() == [0, 1, 1, 2, 0]
    assert silence[0] > 100  # never, as far as is known


def test_the_plain_forecast_is_a_mean_of_rates_times_exposure():
    counts = np.full((60, 2), 3)
    panel = replace(panel_of(counts), exposure=np.array([1.0, 3.0]))
    week, unit = np.array([59, 59]), np.array([0, 1])
    assert np.allclose(features_of(panel).plain(week, unit, np.array([1, 4])), 3, rtol=0.15)


def test_a_unit_that_has_always_been_silent_has_a_positive_plain_forecast():
    panel = bursty()
    silent = replace(panel, counts=panel.counts * (np.arange(6) > 0))
    assert features_of(silent).plain(np.array([299]), np.array([0]), np.array([1]))[0] > 1e-3


def test_beyond_the_last_horizon_only_the_season_moves():
    features = features_of(bursty(), horizons=9)
    at = np.array([299, 299, 299])
    inputs = features.inputs(at, np.array([2, 2, 2]), np.array([4, 5, 9]), 4)
    season = [NAMES.index("sine of the year"), NAMES.index("cosine of the year")]
    assert (np.ptp(np.delete(inputs, season, axis=1), axis=0) == 0).all()
    assert (np.ptp(inputs[:, season], axis=0) > 0).all()


# What is learnt from.


def test_all_cases_are_taken_if_there_are_not_too_many():
    panel = bursty(weeks=60)
    cases = draw_cases(panel, features_of(panel), 4, 1e6, 10**6, np.random.default_rng(1))
    assert len(cases) == 6 * sum(60 - 20 - ahead for ahead in (1, 2, 3, 4))
    assert np.allclose(cases.weight, 1, atol=1e-3)


def test_thinned_cases_stand_for_all():
    panel = bursty(weeks=600, units=30)
    features = features_of(panel)
    every = draw_cases(panel, features, 4, 1e6, 10**6, np.random.default_rng(1))
    totals = []
    for seed in range(8):
        some = draw_cases(panel, features, 4, 1e6, 6000, np.random.default_rng(seed))
        assert len(some) == pytest.approx(6000, rel=0.1)
        assert (some.count > 0).mean() > 1.5 * (every.count > 0).mean()
        totals.append([some.weight.sum(), some.weight @ some.count, some.weight @ some.plain])
    expected = [every.weight.sum(), every.weight @ every.count, every.weight @ every.plain]
    assert np.allclose(np.mean(totals, axis=0), expected, rtol=0.03)


def test_old_weeks_weigh_less_and_missing_ones_nothing():
    panel = bursty()
    observed = np.ones(panel.counts.shape, dtype=bool)
    observed[100:150, 2] = False
    panel = replace(panel, observed=observed, counts=np.where(observed, panel.counts, 99))
    cases = draw_cases(panel, features_of(panel), 4, 50, 10**6, np.random.default_rng(1))
    assert cases.count.max() < 99
    assert np.allclose(cases.weight, 0.5 ** ((299 - cases.week) / 50))


def test_the_order_of_the_units_does_not_change_the_cases():
    panel = bursty(weeks=120)
    turned = panel.select([panel.units.names[at] for at in (4, 0, 5, 2, 1, 3)])
    one, other = (
        draw_cases(item, features_of(item), 4, 100, 1000, np.random.default_rng(1)) for item in (panel, turned)
    )
    assert np.array_equal(one.count, other.count)
    assert np.allclose(one.inputs, other.inputs, atol=1e-5)


def test_runs_are_whole_and_recent():
    panel = bursty()
    runs = draw_runs(panel, features_of(panel), 4, 20, np.random.default_rng(1))
    assert runs.count.shape == ((20 - 4 + 1) * 6, 4)
    assert runs.count[:6].T.tolist() == panel.counts[280:284].tolist()
    assert runs.count[-6:].T.tolist() == panel.counts[296:].tolist()


# What is made of it.


def tiny(count: list[float], plain: float = 2.0) -> Cases:
    rows = len(count)
    inputs = np.zeros((rows, len(NAMES)), dtype=np.float32)
    return Cases(np.arange(rows), inputs, np.full(rows, plain), np.array(count), np.ones(rows))


def test_a_single_leaf_has_the_moments_of_its_counts():
    rng = np.random.default_rng(1)
    cases = tiny(rng.negative_binomial(0.7, 0.7 / 3.7, 4000).tolist())
    forest = grow_forest(cases, ForestSettings(trees=2), rng)
    mean, size = forest.moments(cases.inputs[:1], np.array([2.0]))
    ratio = (cases.count.sum() + 0.5) / (8000 + 0.5)
    assert np.allclose(mean, 2 * (cases.count.sum() + PSEUDO_EVENTS * ratio) / (8000 + PSEUDO_EVENTS))
    assert np.allclose(size, 0.7, rtol=0.15)


def test_boosting_without_a_split_has_the_mean_of_its_counts():
    cases = tiny(np.random.default_rng(1).poisson(3.0, 400).tolist())
    trees = boost(cases, BoostingSettings(rounds=3), seed=1)
    assert trees.predict(cases.inputs[:1])[0] == pytest.approx(cases.count.mean() / 2)


@pytest.mark.parametrize("method", METHODS)
def test_a_season_is_learnt_by_the_trees_alone(method):
    rng = np.random.default_rng(1)
    week = np.arange(520)
    panel = panel_of(rng.poisson(2 * np.exp(np.cos(2 * np.pi * week / 52.18)))[:, None] + np.zeros((1, 8), dtype=int))
    fitted = fit(panel.weeks_between(0, 496), method, harmonics=0, boosting={"pseudo_events": 10, "rounds": 100})
    low, high = (
        fitted.update(panel.weeks_between(0, stop)).predict(2, 10, np.random.default_rng(1)).mean()[1].mean()
        for stop in (496, 520)
    )
    assert high > 3 * low


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_threads_changes_nothing(method):
    panel = bursty()
    both = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            both.append(fit(panel, method, boosting={"rounds": 5}).predict(3, 50, np.random.default_rng(2)))
    assert both[0].paths.tobytes() == both[1].paths.tobytes()
    assert both[0].pmf.tobytes() == both[1].pmf.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_no_mean_is_beyond_the_largest_multiple(method):
    panel = bursty()
    fitted = fit(panel, method, largest_multiple=1)
    high = replace(fitted, largest_fitted=1).update(replace(panel, counts=np.minimum(panel.counts, 1)))
    assert high.moments(8)[0].max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_neither_means_nor_tails_are_beyond_the_largest_multiple(method):
    """A forest's leaf of few cases may hold next to nothing but one count of 10,000."""
    counts = np.random.default_rng(1).poisson(0.3, (200, 5))
    counts[150, 2] = 10_000
    fitted = fit(panel_of(counts), method)
    mean, size = fitted.moments(8)
    assert (mean / size).max() <= 20_001
    assert fitted.predict(2, 1000, np.random.default_rng(1)).paths.max() < 300_000


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [4.0, 1e9])
def test_large_counts_scatter_in_the_forecast_as_they_did(method, shape):
    rng = np.random.default_rng(2)
    panel = panel_of(rng.poisson(10_000 * rng.gamma(shape, 1 / shape, (100, 4))))
    paths = fit(panel, method).predict(2, 500, rng).paths
    assert paths.mean() == pytest.approx(10_000, rel=0.2)
    assert 0.6 < paths.std(axis=0).mean() / panel.counts.std() < (1.4 if shape == 4 else 4)


@pytest.mark.parametrize("method", METHODS)
def test_what_could_not_be_learnt_is_said(method):
    panel = bursty()
    assert fit(panel, method).remarks == ()
    season, trees, path = fit(panel.weeks_between(0, 12), method).remarks
    assert season.startswith("no season")
    assert trees == "no trees: 168 cases to learn from are fewer than 200; the plain mixture of means is taken"
    assert path.startswith("how the weeks of a path depend on each other is taken as usual")
    trees, _ = fit(replace(panel, counts=np.zeros_like(panel.counts)), method).remarks
    assert trees == "no trees: no case to learn from has an event; the plain mixture of means is taken"


@pytest.mark.parametrize("method", METHODS)
def test_a_panel_whose_only_event_is_recent_has_trees(method):
    """Those that are to learn the scatter of the last year have no event to learn from."""
    counts = np.zeros((200, 4), dtype=int)
    counts[180, 1] = 1
    fitted = fit(panel_of(counts), method)
    assert fitted.summary().loc["trees", "estimate"] > 0
    assert any("scatter" in remark for remark in fitted.remarks) == (method == "boosting")
    mean = fitted.predict(4, 10, np.random.default_rng(1)).mean()
    assert (mean > 0).all()
    assert mean.max() < 0.2


@pytest.mark.parametrize("method", METHODS)
def test_a_history_of_few_weeks_of_many_units_has_trees_but_no_runs(method):
    panel = panel_of(np.random.default_rng(1).poisson(1.0, (20, 60)))
    fitted = fit(panel, method)
    assert fitted.summary().loc["trees", "estimate"] > 0
    assert any("weeks of a path" in remark for remark in fitted.remarks)
    assert any("scatter" in remark for remark in fitted.remarks) == (method == "boosting")
    assert fitted.predict(4, 10, np.random.default_rng(1)).mean().mean() == pytest.approx(1, abs=0.2)


def test_a_season_that_is_switched_off_is_not_remarked():
    assert not any("season" in remark for remark in fit(bursty(weeks=70), "forest", harmonics=0).remarks)


# Whether it is calibrated.


def integral_transforms(kind: str, method: str, seed: int, origins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return randomised integral transforms of counts and of four-week sums on a simulated panel."""
    panel = simulate(kind, weeks=420, regions=16, seed=seed).panel
    rng = np.random.default_rng(seed)
    fitted = fit(panel.weeks_between(0, 316), method)
    weeks: list[np.ndarray] = []
    sums: list[np.ndarray] = []
    for stop in range(316, 316 + 4 * origins, 4):
        forecast = fitted.update(panel.weeks_between(0, stop)).predict(4, 1000, rng)
        truth = panel.counts[stop : stop + 4]
        cdf = np.cumsum(forecast.pmf, axis=2)
        at = np.minimum(truth, cdf.shape[2] - 1)[..., None]
        upper = np.take_along_axis(cdf, at, axis=2)[..., 0]
        lower = upper - np.take_along_axis(forecast.pmf, at, axis=2)[..., 0]
        weeks.append((lower + rng.random(truth.shape) * (upper - lower)).ravel())
        total, paths = truth.sum(axis=0), forecast.paths.sum(axis=1)
        below, equal = (paths < total).mean(axis=0), (paths == total).mean(axis=0)
        sums.append(below + rng.random(len(total)) * equal)
    return np.concatenate(weeks), np.concatenate(sums)


@pytest.mark.parametrize("method", METHODS)
def test_forecasts_of_a_simulated_panel_are_calibrated(method):
    for u in integral_transforms("negbin", method, seed=1, origins=20):
        assert ((u > 0.1) & (u < 0.9)).mean() == pytest.approx(0.8, abs=0.08)
        assert u.mean() == pytest.approx(0.5, abs=0.07)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["negbin", "endemic-epidemic", "hawkes"])
def test_forecasts_of_a_hundred_simulated_panels_are_calibrated(kind, method):
    found = [integral_transforms(kind, method, seed, origins=12) for seed in range(100)]
    for u in (np.concatenate(column) for column in zip(*found, strict=True)):
        cover = {level: (np.abs(u - 0.5) <= level / 2).mean() for level in (0.5, 0.8, 0.95)}
        histogram = np.histogram(u, np.linspace(0, 1, 11))[0] / len(u)
        print(kind, method, len(u), {k: round(float(v), 3) for k, v in cover.items()}, histogram.round(3).tolist())
        assert all(abs(share - level) < 0.02 for level, share in cover.items())
        assert np.abs(histogram - 0.1).max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_it_forecasts_real_counts_better_than_their_last_year_does(method):
    from forecast.families.window_negbin import WindowNegbin
    from forecast.panel.dataset import Dataset
    from forecast.reference import reference_workspace

    panel = Dataset.open(reference_workspace() / "data" / "west-africa-weekly").region_panel(
        countries=["Mali", "Burkina Faso", "Niger"]
    )
    scores: dict[str, list[float]] = {}
    for first in range(680, 880, 26):
        past = panel.weeks_between(0, first)
        for family in (TreeEnsemble(method=method), WindowNegbin()):
            fitted = family.fit(past, np.random.default_rng(1))
            for stop in range(first, first + 26, 2):
                forecast = fitted.update(panel.weeks_between(0, stop)).predict(8, 50, np.random.default_rng(2))
                score = crps_pmf(forecast.pmf, panel.counts[stop : stop + 8]).mean()
                scores.setdefault(family.family, []).append(float(score))
    assert np.mean(scores["tree_ensemble"]) < 1.005 * np.mean(scores["window_negbin"])
