"""Dynamic Poisson-gamma: against its formulas in plain Python and scipy, its settings and seasons recovered."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.families.dynamic_poisson_gamma.country import CYCLIC, CountryBelief, CountrySettings, waves
from forecast.families.dynamic_poisson_gamma.family import DynamicPoissonGamma, FittedDynamicPoissonGamma
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units

PLAIN = {"factors": ((0.0, 0.0),), "follow": (False,)}
ONE = DynamicPoissonGamma(
    discounts=(0.8,), pooling=(0.5,), base_pooling=(0.2,), factors=((0.5, 0.3),), excesses=(0.4,), follow=(False,)
)


def panel_of(counts: np.ndarray, observed: np.ndarray | None = None, *, chain: bool = False) -> Panel:
    """Return a panel of one country, or of two with units that are adjacent in a chain."""
    weeks = pd.date_range("2012-01-07", periods=len(counts), freq="7D", unit="s")
    n = counts.shape[1]
    units = Units.of([f"U{i}" for i in range(n)], groups=["AB"[i % 2] if chain else "A" for i in range(n)])
    first, length = np.arange(n - 1), np.full(n - 1, 100.0)
    neighbours = Neighbours.from_pairs(first, first + 1, length, length, n) if chain else None
    return Panel.of(counts, weeks, units, observed=observed, neighbours=neighbours)


def fitted(family: DynamicPoissonGamma, panel: Panel) -> FittedDynamicPoissonGamma:
    return family.fit(panel, np.random.default_rng(0))


def distribution(panel: Panel, week: int, ahead: int, unit: int) -> object:
    """Return what `ONE` says after `week` of `ahead` weeks on, by the formulas of its page, with scipy."""
    y, seen = panel.counts[: week + 1], panel.observed[: week + 1]

    def sums(discount: float) -> tuple[np.ndarray, np.ndarray]:
        kept = discount ** np.arange(week + 1)[::-1]
        return kept @ np.where(seen, y, 0), kept @ seen

    (a, b), (slow, slow_weeks), (recent, recent_weeks) = sums(0.8), sums(0.985), sums(0.9)
    overall = (slow.sum() + 0.1) / (slow_weeks.sum() + 1)

    def circle(units: list[int]) -> tuple[float, float]:
        level = (slow[units].sum() + 10 * overall) / (slow_weeks[units].sum() + 10)
        return level, np.clip((recent[units].sum() + 2) / (recent_weeks[units].sum() * level + 2), 0.2, 5)

    units = range(len(panel.units))
    country, by_country = circle([u for u in units if panel.units.groups[u] == panel.units.groups[unit]])
    adjacent, by_adjacent = circle([u for u in units if abs(u - unit) == 1])
    around = (overall + country + adjacent) / 3
    base = (0.985**ahead * slow[unit] + 0.2) / (0.985**ahead * slow_weeks[unit] + 0.2 / around)
    base *= by_country**0.5 * by_adjacent**0.3
    shape = 0.8**ahead * a[unit] + 0.5
    mean = shape / (0.8**ahead * b[unit] + 0.5 / base)
    size = 1 / (1 / shape + 0.4 / mean)
    return stats.nbinom(size, size / (size + mean))


def test_forecasts_and_scores_are_those_of_the_formulas() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson([0.2, 1.0, 4.0, 0.5], (14, 4))
    panel = panel_of(counts, rng.random(counts.shape) > 0.15, chain=True)
    model = fitted(ONE, panel)
    pmf = model.predict(4, 10, np.random.default_rng(0)).pmf
    for h, unit in product(range(4), range(4)):
        expected = distribution(panel, 13, h + 1, unit).pmf(np.arange(pmf.shape[2]))
        np.testing.assert_allclose(pmf[h, unit], expected, atol=1e-9)  # where heads are cut
    for unit in range(4):
        came_true = [
            0.5 ** ((13 - t) / 30) * distribution(panel, t - 1, 1, unit).logpmf(panel.counts[t, unit])
            for t in range(1, 14)
            if panel.observed[t, unit]
        ]
        assert model.evidence[unit, 0] == pytest.approx(sum(came_true), rel=1e-10)


@pytest.mark.parametrize("excess", [0.0, 1.5])
def test_weeks_of_a_path_share_the_level(excess: float) -> None:
    family = ONE.model_copy(update={"excesses": (excess,), "factors": ((0.0, 0.0),)})
    model = fitted(family, panel_of(np.array([[3], [5], [2], [6]])))
    found = model.predict(3, 200_000, np.random.default_rng(2))
    mean = found.mean()[:, 0]
    shape = 0.8 ** np.arange(1, 4) * (np.array([3, 5, 2, 6]) @ 0.8 ** np.arange(4)[::-1]) + 0.5
    covariance = np.cov(found.paths[:, :, 0].T)
    np.testing.assert_allclose(np.diag(covariance), mean + mean**2 / shape + excess * mean, rtol=0.03)
    for h, k in ((0, 1), (0, 2), (1, 2)):
        assert covariance[h, k] == pytest.approx(mean[h] * mean[k] / shape[h], rel=0.04)


def test_updates_filter_only_what_is_new_and_end_in_the_same_bytes() -> None:
    rng = np.random.default_rng(4)
    panel = panel_of(rng.poisson(0.7, (90, 4)), rng.random((90, 4)) > 0.1, chain=True)
    stepped = fitted(DynamicPoissonGamma(), panel.weeks_between(0, 75))
    for stop in range(76, 91):
        stepped = stepped.update(panel.weeks_between(0, stop))
    whole = fitted(DynamicPoissonGamma(), panel)
    for name in ("sums", "around", "evidence"):
        assert getattr(stepped.filtered, name).tobytes() == getattr(whole.filtered, name).tobytes()
    again = DynamicPoissonGamma().refit(panel, rng, stepped)
    assert again.weights().tobytes() == whole.weights().tobytes()


def test_a_changed_past_is_filtered_anew() -> None:
    counts = np.random.default_rng(5).poisson(1.0, (60, 2))
    model = fitted(ONE, panel_of(counts))
    revised = counts.copy()
    revised[50, 0] += 6
    again = model.update(panel_of(revised))
    assert again.filtered.sums.tobytes() == fitted(ONE, panel_of(revised)).filtered.sums.tobytes()
    assert again.evidence is model.evidence


def test_a_unit_that_was_not_in_the_fit_has_the_weights_of_all() -> None:
    counts = np.random.default_rng(6).poisson([0.1, 6.0], (80, 2))
    model = fitted(DynamicPoissonGamma(temper=0.05, own_temper=1.0), panel_of(counts))
    panel = panel_of(counts[:, [1, 0]])
    other = Panel.of(counts[:, [1, 0]], panel.weeks, Units.of(["U1", "new"], groups=["A", "A"]))
    weights, before = model.update(other).weights(), model.weights()
    np.testing.assert_array_equal(weights[0], before[1])
    pooled = np.exp(0.05 * (model.evidence.sum(axis=0) - model.evidence.sum(axis=0).max()))
    np.testing.assert_allclose(weights[1], pooled / pooled.sum())
    assert np.abs(before[0] - before[1]).max() > 0.01


def test_it_learns_to_forget_faster_and_slower_again() -> None:
    """Steady counts, then levels that jump every few weeks, then steady ones again."""
    rng = np.random.default_rng(7)
    steady = rng.poisson(3.0, (150, 6))
    jumping = rng.poisson(np.repeat(rng.choice([0.2, 9.0], (20, 6)), 5, axis=0))
    counts = np.concatenate([steady, jumping, rng.poisson(3.0, (150, 6))])
    family = DynamicPoissonGamma(temper=0.5, follow=(False,))
    speed = [
        fitted(family, panel_of(counts[:weeks])).summary().loc["discount", "estimate"] for weeks in (150, 250, 400)
    ]
    assert speed[0] > 0.9
    assert speed[1] < 0.75
    assert speed[2] > 0.9


def test_the_season_is_followed_where_there_is_one() -> None:
    weeks = np.arange(8 * 52)
    rng = np.random.default_rng(8)
    mean = 1.5 * np.exp(0.9 * np.sin(2 * np.pi * weeks / 52.18))
    model = fitted(DynamicPoissonGamma(temper=0.5), panel_of(rng.poisson(mean[:, None], (len(weeks), 6))))
    assert model.summary().loc["season and slope", "estimate"] > 0.9
    ahead = model.predict(52, 10, rng).mean()[:, 0]
    assert ahead.max() > 2.5 * ahead.min()
    flat = model.family.model_copy(update={"follow": (False,)})
    ahead = fitted(flat, model.panel).predict(52, 10, rng).mean()[12:, 0]  # by then back at the base
    assert ahead.max() < 1.1 * ahead.min()


def test_a_quiet_unit_follows_its_country() -> None:
    counts = np.zeros((120, 6), int)
    counts[::30, :] = 1
    counts[-5:, ::2] = 3
    counts[-5:, 0] = 0
    panel = panel_of(counts, chain=True)
    alone, together = (
        fitted(ONE.model_copy(update={"factors": (pair,)}), panel).predict(1, 10, np.random.default_rng(0)).mean()[0]
        for pair in ((0.0, 0.0), (1.0, 0.0))
    )
    assert together[0] > 1.5 * alone[0]
    assert together[1] < 1.1 * alone[1]


def test_remarks_say_what_the_panel_could_not_carry() -> None:
    assert any("no event" in remark for remark in fitted(ONE, panel_of(np.zeros((30, 3), int))).remarks)
    assert any("no weights" in remark for remark in fitted(ONE, panel_of(np.ones((1, 3), int))).remarks)
    assert fitted(ONE, panel_of(np.ones((30, 3), int))).remarks == ()
    [remark] = fitted(DynamicPoissonGamma(), panel_of(np.ones((30, 3), int))).remarks
    assert "season: 30 weeks" in remark


def test_levels_are_multiplied_by_a_season_of_mean_one_and_a_damped_slope() -> None:
    settings = CountrySettings()
    belief = replace(CountryBelief.start(settings, 1), mean=np.array([[0.0, 0.1, 0.5, -0.3]]))
    year = waves(pd.date_range("2015-01-03", periods=1461, freq="D", unit="s"), 1)
    season = [belief.scales(settings, wave, 0)[CYCLIC, 0] for wave in year]
    assert np.mean(season) == pytest.approx(1.0, abs=1e-3)
    growth = belief.scales(settings, year[0], 2)[CYCLIC, 0] / season[0]
    assert growth == pytest.approx(np.exp(0.1 * (0.9 + 0.81)))


def test_level_slope_and_season_forget_each_at_its_own_speed() -> None:
    settings = CountrySettings(level_discount=0.9, slope_discount=0.7, slope_persistence=0.5, season_discount=0.99)
    belief = CountryBelief.start(settings, 1)
    known = replace(belief, covariance=np.diag([0.04, 1e-4, 0.01, 0.01])[None])
    mean, covariance = known.evolved(settings)
    np.testing.assert_allclose(mean, belief.mean)
    expected = [(0.04 + 1e-4) / 0.9, 0.25e-4 / 0.7, 0.01 / 0.99, 0.01 / 0.99]
    np.testing.assert_allclose(np.diag(covariance[0]), expected)
    assert covariance[0, 0, 1] == pytest.approx(0.5e-4)
    np.testing.assert_allclose(np.diag(belief.evolved(settings)[1][0])[2:], settings.season_scale**2)


SEARCH = DynamicPoissonGamma(
    discounts=(0.7, 0.85, 0.95), pooling=(0.5, 4.0), base_pooling=(0.3,), excesses=(0.0, 0.5, 1.5),
    half_life_weeks=1e9, temper=1.0, own_temper=0.0, **PLAIN,
)  # fmt: skip


def settings_held(seeds: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit panels drawn from the one-step forecasts of a component of `SEARCH`: errors, variances, whether sets hold it.

    50 weeks and 6 units each. Sets are those of 95 % of the weight.
    """
    errors, variances, held = [], [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        one = {
            name: (rng.choice(getattr(SEARCH, name)),) for name in ("discounts", "pooling", "base_pooling", "excesses")
        }
        truth = DynamicPoissonGamma(**{**SEARCH.model_dump(), **one})
        counts = rng.poisson(2.0, (1, 6))
        model = fitted(truth, panel_of(counts))
        for _ in range(50):
            counts = np.concatenate([counts, model.predict(1, 1, rng).paths[0]])
            model = model.update(panel_of(counts))
        found = fitted(SEARCH, panel_of(counts))
        weight = found.weights()[0]
        parameters = np.array([(*row[:2], e) for row in SEARCH.combinations() for e in SEARCH.excesses])
        true = np.array([one["discounts"][0], one["pooling"][0], one["excesses"][0]])
        mine = weight[(parameters == true).all(axis=1)][0]
        held.append(weight[weight > mine].sum() + rng.random() * mine < 0.95)
        errors.append(weight @ parameters - true)
        variances.append(weight @ (parameters - weight @ parameters) ** 2)
    return np.array(errors), np.array(variances), np.array(held)


def seasons_held(seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Filter countries drawn from the model: errors in units of what is stated, of level, slope and season."""
    settings = CountrySettings(season_discount=1.0)
    still = settings.model_copy(update={"level_discount": 1.0, "slope_discount": 1.0})
    weeks = pd.date_range("2010-01-02", periods=520, freq="7D", unit="s")
    wave = waves(weeks, 1)
    out = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        truth = np.r_[np.log(0.2), 0.0, rng.normal(0, settings.season_scale, 2)]
        belief, exposure = CountryBelief.start(settings, 1), np.array([10.0])
        for t in range(len(weeks)):
            # Level and slope move by as much as the filter takes them to, given all before.
            moved = np.diag(belief.evolved(settings)[1][0] - belief.evolved(still)[1][0])[:2]
            truth[:2] = truth[0] + truth[1], settings.slope_persistence * truth[1]
            truth[:2] += np.sqrt(np.maximum(moved, 0)) * rng.standard_normal(2)
            truth[0] = np.clip(truth[0], -6, 3)
            count = rng.poisson(10 * np.exp(truth[0] + wave[t] @ truth[2:]))
            belief = belief.follow(settings, np.array([float(count)]), exposure, wave[t])
        out.append((belief.mean[0] - truth) / np.sqrt(np.diag(belief.covariance[0])))
    return np.array(out), np.abs(np.array(out)) < 1.96


def test_settings_are_recovered() -> None:
    errors, variances, held = settings_held(range(12))
    assert held.sum() >= 9
    assert (np.abs(errors.mean(axis=0)) < 3.5 * np.sqrt(variances.mean(axis=0) / 12)).all()


def test_seasons_are_recovered() -> None:
    errors, held = seasons_held(range(5))
    assert held[:, 2:].mean() > 0.6
    assert np.abs(errors[:, 2:]).max() < 4


@pytest.mark.slow
def test_settings_are_recovered_over_300_panels() -> None:
    errors, variances, held = settings_held(range(300))
    spread = np.sqrt(variances.mean(axis=0))
    assert (np.abs(errors.mean(axis=0)) < 3.5 * spread / np.sqrt(300)).all()
    ratio = (errors**2).mean(axis=0) / spread**2
    assert ((ratio > 0.7) & (ratio < 1.4)).all()
    assert 0.92 <= held.mean() <= 0.98


@pytest.mark.slow
def test_seasons_are_recovered_over_300_countries() -> None:
    errors, held = seasons_held(range(300))
    assert (np.abs(errors.mean(axis=0)) < 0.25).all()
    assert ((held.mean(axis=0) >= 0.92) & (held.mean(axis=0) <= 0.98)).all()
