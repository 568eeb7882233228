"""INGARCH models of panels: gradients, recovery of known truth, shrinkage, drivers, forecasts, odd panels."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.families.ingarch import family as family_module
from forecast.families.ingarch.coordinates import Coordinates
from forecast.families.ingarch.drivers import Intervention
from forecast.families.ingarch.family import Ingarch
from forecast.families.ingarch.likelihood import POISSON
from forecast.families.ingarch.order import Order
from forecast.families.ingarch.panel_fit import Prior, _Problem
from forecast.families.ingarch.panel_likelihood import PanelData
from forecast.families.ingarch.recursion import simulate_paths
from forecast.panel.panel import Panel
from forecast.panel.units import Units

RNG = np.random.default_rng
PLAIN = {"past_mean": (1,), "harmonics": 0, "half_life_weeks": None}
BURN_IN = 300
PAST = np.array([0.3, 0.5])
LEVEL, SPREAD, SIZE, POWER = 0.5, 0.6, 2.0, 0.0


def panel_of(counts, *, first="2010-01-02", **more) -> Panel:
    counts = np.asarray(counts)
    weeks = pd.date_range(first, periods=len(counts), freq="7D", unit="s", name="week")
    return Panel.of(counts, weeks, Units.of([f"unit {at}" for at in range(counts.shape[1])]), **more)


def simulate(seed: int, *, weeks: int = 260, units: int = 20, link: str = "identity", power: float = POWER) -> Panel:
    """Return a panel of units that differ in their levels and pasts by as much as the spreads say."""
    rng = RNG(seed)
    order = Order((1,), (1,), link)
    free = Coordinates(order)
    centre = np.r_[np.log(LEVEL), np.log(PAST / (1 - PAST.sum()))]
    found = free.coefficients(centre + np.array([SPREAD, 0.2, 0.2]) * rng.normal(size=(units, 3)), np.zeros(0))
    paths, _, _ = simulate_paths(
        found.start[:, 0][None],
        found.start[:, 1][None],
        found.theta,
        np.zeros((BURN_IN + weeks, units)),
        np.zeros((BURN_IN + weeks, units, 0)),
        np.zeros(0, bool),
        *order.arrays(),
        np.array([np.log(SIZE), power]),
        1e6,
        1,
        rng,
    )
    return panel_of(paths[0, BURN_IN:])


TRUTH = pd.Series({"log_level": np.log(LEVEL), "past_obs_1": PAST[0], "past_mean_1": PAST[1], "log_size": np.log(SIZE)})


def standardised_errors(seed: int, **more) -> pd.Series:
    table = Ingarch(dispersion="constant", **PLAIN).fit(simulate(seed, **more), RNG(1)).summary().loc[TRUTH.index]
    return (table["estimate"] - TRUTH) / table["std_error"]


@pytest.mark.parametrize("link", ["identity", "log"])
def test_the_slopes_of_the_posterior_are_those_of_finite_differences(link):
    rng = RNG(1)
    units, weeks, order = 4, 50, Order((1, 2), (1, 3), link)
    free = Coordinates(order, covariates=1, loads=2)
    data = PanelData(
        rng.poisson(1.0, (units, weeks)).astype(float),
        rng.random((units, weeks)) > 0.2,
        rng.normal(0, 0.2, (units, weeks)),
        rng.random(weeks),
        rng.normal(0, 0.3, (units, weeks, 2)),
        rng.random((units, weeks, 1)),
    )
    centre = free.usual(0.1)
    problem = _Problem(data, free, Prior(centre, np.full(5, 2.0)), np.full(5, 0.7), np.array([0.3, 0.5]))
    pooled, shared, deviation = centre + 0.1, np.array([0.2, 0.3, -0.2]), rng.normal(size=(units, 5))
    point = problem.at(pooled, shared, deviation)
    both = np.concatenate([point.coefficients.by_unit, point.coefficients.by_shared], axis=2)
    found = np.einsum("npk,np->k", both, point.found[0]) - np.r_[(pooled - centre) / 4, shared / [9, 1, 1]]
    step = 1e-6
    expected = [
        (
            problem.at(pooled + e[:5], shared + e[5:], deviation).value
            - problem.at(pooled - e[:5], shared - e[5:], deviation).value
        )
        / (2 * step)
        for e in step * np.eye(8)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    own = 0.7 * np.einsum("npk,np->nk", point.coefficients.by_unit, point.found[0]) - deviation
    for unit in range(units):
        for at in range(5):
            move = np.zeros((units, 5))
            move[unit, at] = step
            slope = (
                problem.at(pooled, shared, deviation + move).value - problem.at(pooled, shared, deviation - move).value
            )
            assert slope / (2 * step) == pytest.approx(own[unit, at], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("link", ["identity", "log"])
def test_every_point_is_stationary_and_rests_at_its_level(link):
    order = Order((1, 2), (1,), link)
    units = RNG(1).normal(0, 2, (50, 4))
    found = Coordinates(order).coefficients(units, np.zeros(0))
    past = found.theta[:, 1:]
    assert (past > 0).all()
    assert (past.sum(axis=1) < 1).all()
    level, seen = found.start.T
    np.testing.assert_allclose(found.theta[:, 0] + past[:, :2].sum(axis=1) * seen + past[:, 2] * level, level)
    np.testing.assert_allclose(Coordinates(order).usual(0.0)[0], 0.0)


def test_pooled_parameters_are_recovered_within_their_standard_errors():
    errors = pd.DataFrame([standardised_errors(seed) for seed in range(8)])
    assert (errors.abs() < 4).all(axis=None)
    assert (errors.mean().abs() < 1.2).all()
    assert 0.5 < np.sqrt((errors**2).mean(axis=None)) < 1.5


@pytest.mark.slow
def test_intervals_cover_as_they_should_over_200_panels():
    errors = pd.DataFrame([standardised_errors(seed) for seed in range(200)])
    inside = errors.abs() < 1.96
    print(errors.describe(), inside.mean())
    assert 0.92 < inside.mean(axis=None) < 0.98
    assert inside.mean().min() > 0.90
    assert (errors.mean().abs() < 0.4).all()


def test_the_power_of_the_size_and_the_spread_of_the_levels_are_recovered():
    found = [
        Ingarch(**PLAIN).fit(simulate(seed, units=30, power=0.8), RNG(1)).summary()["estimate"] for seed in range(4)
    ]
    mean = pd.DataFrame(found).mean()
    assert mean["size_power"] == pytest.approx(0.8, abs=0.15)
    assert mean["spread_level"] == pytest.approx(SPREAD, rel=0.3)


def test_units_with_few_weeks_are_drawn_to_the_pooled_level():
    panel = simulate(3, weeks=300)
    observed = np.ones(panel.counts.shape, bool)
    observed[:-3, 0] = False
    observed[:, 1] = False
    counts = np.where(observed, panel.counts, 0)
    counts[-3:, 0] = 6
    fitted = Ingarch(**PLAIN).fit(replace(panel, observed=observed, counts=counts), RNG(1))
    distance = np.abs(fitted.estimates.units[:, 0] - fitted.estimates.pooled[0])
    assert distance[1] < 1e-6
    assert 0.2 < distance[0] < 0.8 * np.log(6 / LEVEL)
    assert distance[2:].max() > 0.5
    np.testing.assert_allclose(fitted.coordinates_of(panel)[5], fitted.estimates.units[5])


def test_a_unit_that_was_not_in_the_fit_gets_the_pooled_values():
    fitted = Ingarch(**PLAIN).fit(simulate(1), RNG(1))
    later = panel_of(np.zeros((5, 2), int), first="2025-01-04", observed=np.array([[False, True]] * 5))
    later = replace(later, units=replace(later.units, names=("new", "unit 3")))
    np.testing.assert_allclose(fitted.coordinates_of(later), [fitted.estimates.pooled, fitted.estimates.units[3]])
    taken_up = fitted.update(later)
    np.testing.assert_allclose(taken_up.coordinates[0], fitted.estimates.pooled, atol=1e-3)
    assert taken_up.coordinates[1, 0] < fitted.estimates.pooled[0]
    pd.testing.assert_frame_equal(taken_up.summary(), fitted.summary())


@pytest.mark.parametrize("link", ["identity", "log"])
def test_the_first_week_ahead_has_the_mean_of_the_recursion(link):
    panel = simulate(1, link=link)
    fitted = Ingarch(link=link, **PLAIN).fit(panel, RNG(1))
    theta, (nu, z) = fitted.coefficients().theta, fitted.state()
    forecast = fitted.predict(2, 4000, RNG(2))
    value = theta[:, 0] + theta[:, 1] * z[-1] + theta[:, 2] * nu[-1]
    mean = np.exp(value) if link == "log" else value
    np.testing.assert_allclose(forecast.mean()[0], mean, rtol=1e-5)
    then = forecast.paths[:, 0]
    follow = theta[:, 0] + theta[:, 1] * (np.log1p(then) if link == "log" else then) + theta[:, 2] * value
    follow = np.exp(follow) if link == "log" else follow
    np.testing.assert_allclose(forecast.mean()[1], follow.mean(axis=0), rtol=1e-5)
    assert z[-1] == pytest.approx(np.log1p(panel.counts[-1]) if link == "log" else panel.counts[-1])


@pytest.mark.parametrize("link", ["identity", "log"])
def test_a_refit_ends_where_a_fit_does(link):
    model = Ingarch(link=link)
    panel = simulate(2, weeks=300, link=link)
    start = model.fit(panel.until(panel.weeks[280]), RNG(1))
    warm, cold = model.refit(panel, RNG(1), start), model.fit(panel, RNG(1))
    assert np.abs(warm.summary()["estimate"] - cold.summary()["estimate"]).max() < 0.01
    np.testing.assert_allclose(warm.predict(4, 500, RNG(1)).mean(), cold.predict(4, 500, RNG(1)).mean(), rtol=0.02)
    other = Ingarch(past_obs=(1, 2), link=link).refit(panel, RNG(1), start)
    assert other.summary().index[2] == "past_obs_2"


def test_old_weeks_count_less():
    counts = np.r_[np.full((200, 2), 9), RNG(1).poisson(1.0, (200, 2))]
    level = [
        np.exp(
            Ingarch(past_mean=(1,), harmonics=0, half_life_weeks=half).fit(panel_of(counts), RNG(1)).estimates.pooled[0]
        )
        for half in (20, None)
    ]
    assert level[0] < 2 < level[1]


def test_the_season_of_the_country_enters():
    weeks = pd.date_range("2010-01-02", periods=520, freq="7D")
    wave = np.exp(0.8 * np.sin(2 * np.pi * np.asarray((weeks - pd.Timestamp("2000-01-01")).days) / 365.25))
    counts = RNG(1).poisson(1.5 * wave[:, None], (520, 10))
    year = Ingarch().fit(panel_of(counts), RNG(1)).predict(52, 20, RNG(1)).mean().mean(axis=1)
    ahead = np.exp(0.8 * np.sin(2 * np.pi * (np.arange(520, 572) * 7 + 3654) / 365.25))
    assert np.corrcoef(year, ahead)[0, 1] > 0.97


def test_exposure_scales_level_and_past():
    rng = RNG(1)
    exposure = np.r_[np.full(5, 1.0), np.full(5, 8.0)]
    counts = rng.poisson(0.5 * exposure, (300, 10))
    fitted = Ingarch(**PLAIN).fit(panel_of(counts, exposure=exposure), RNG(1))
    assert fitted.summary().loc["spread_level", "estimate"] < 0.4
    np.testing.assert_allclose(fitted.predict(4, 200, RNG(1)).mean().mean(axis=0), counts.mean(axis=0), rtol=0.35)


def test_trend_and_covariates_multiply_the_mean():
    rng = RNG(1)
    years = np.arange(400) / 52.18
    wind = rng.normal(3.0, 2.0, (400, 6))
    before = np.vstack([wind[:1], wind[:-1]])
    counts = rng.poisson(np.exp(-1 + 0.3 * years[:, None] + 0.25 * (before - 3)))
    model = Ingarch(trend=True, covariates=("wind",), distribution="poisson", **PLAIN)
    fitted = model.fit(panel_of(counts, covariates={"wind": wind}), RNG(1))
    table = fitted.summary()
    assert abs(table.loc["trend", "estimate"] - 0.3) < 4 * table.loc["trend", "std_error"]
    assert abs(table.loc["covariate_wind", "estimate"] - 0.5) < 4 * table.loc["covariate_wind", "std_error"] + 0.02
    assert table.loc["covariate_wind", "std_error"] < 0.05
    high = replace(fitted.panel, covariates={"wind": np.vstack([wind[:-1], np.full((1, 6), 7.0)])})
    low = replace(fitted.panel, covariates={"wind": np.vstack([wind[:-1], np.full((1, 6), 3.0)])})
    ratio = fitted.update(high).predict(1, 10, RNG(1)).mean() / fitted.update(low).predict(1, 10, RNG(1)).mean()
    assert ratio == pytest.approx(np.exp(1.0), rel=0.15)
    with pytest.raises(InputError, match="unknown covariate of the panel 'wnd'"):
        Ingarch(covariates=("wnd",)).fit(fitted.panel, RNG(1))
    holes = np.where(np.arange(400)[:, None] == 7, np.nan, wind)
    with pytest.raises(InputError, match="not a number everywhere"):
        model.fit(panel_of(counts, covariates={"wind": holes}), RNG(1))


@pytest.mark.parametrize("link", ["identity", "log"])
def test_a_known_outlier_is_taken_out_of_the_scatter(link):
    panel = simulate(4, weeks=200, units=6, link=link)
    counts = panel.counts.copy()
    counts[150, 2] = 80
    spoilt = replace(panel, counts=counts)
    known = Ingarch(link=link, interventions=(Intervention(week=panel.weeks[150].date(), unit="unit 2"),), **PLAIN)
    blind = Ingarch(link=link, **PLAIN)
    clean, with_it, without = (
        model.fit(one, RNG(1)).summary()["estimate"]
        for model, one in ((blind, panel), (known, spoilt), (blind, spoilt))
    )
    assert abs(with_it["log_size"] - clean["log_size"]) < abs(without["log_size"] - clean["log_size"])
    assert with_it["intervention_1"] > 2
    with pytest.raises(InputError, match="unknown unit of an intervention 'unit 22'"):
        Ingarch(interventions=(Intervention(week=panel.weeks[3].date(), unit="unit 22"),)).fit(panel, RNG(1))


def test_a_short_panel_of_another_level_is_not_drawn_to_that_of_the_fit():
    fitted = Ingarch(**PLAIN).fit(simulate(1), RNG(1))
    live = panel_of(RNG(2).poisson(5.0, (30, 20)), first="2024-01-06")
    mean = fitted.update(live).predict(8, 200, RNG(1)).mean()
    assert mean.mean() == pytest.approx(5.0, rel=0.25)


def test_paths_stay_below_the_largest_multiple():
    counts = RNG(1).poisson(np.geomspace(0.1, 60, 100))[:, None]
    forecast = Ingarch(largest_multiple=1.5, **PLAIN).fit(panel_of(counts), RNG(1)).predict(104, 200, RNG(1))
    cap = 1.5 * counts.max()
    assert (forecast.mean() <= cap).all()


@pytest.mark.parametrize("link", ["identity", "log"])
@pytest.mark.parametrize("case", ["silent", "one event", "constant", "two weeks", "ten thousand", "one unit"])
def test_odd_panels_give_a_forecast_that_makes_sense(link, case):
    weeks, units = {"two weeks": (2, 3), "one unit": (80, 1)}.get(case, (80, 4))
    counts = RNG(1).poisson(0.8, (weeks, units))
    if case in ("silent", "one event"):
        counts[:] = 0
    if case == "one event":
        counts[40, 1] = 1
    if case == "constant":
        counts[:] = 4
    if case == "ten thousand":
        counts[:, 2] = RNG(2).poisson(10_000, weeks)
    fitted = Ingarch(link=link).fit(panel_of(counts), RNG(1))
    mean = fitted.predict(8, 300, RNG(1)).mean()
    expected = {"silent": 0, "one event": 0.01, "constant": 4}.get(case)
    if expected is not None:
        np.testing.assert_allclose(mean, expected, rtol=0.3, atol=0.1)
    if case == "ten thousand":
        np.testing.assert_allclose(mean[:, 2], 10_000, rtol=0.2)
    assert bool(fitted.remarks) == (case in ("silent", "one event", "two weeks"))


def test_a_fit_that_does_not_converge_says_so(monkeypatch):
    tried = []
    whole = family_module.fit_panel

    def never(*arguments, **more):
        tried.append(1)
        return replace(whole(*arguments, **more), converged=False)

    monkeypatch.setattr(family_module, "fit_panel", never)
    fitted = Ingarch(**PLAIN).fit(simulate(1, weeks=60, units=3), RNG(1))
    assert len(tried) == 2
    assert "did not converge" in fitted.remarks[-1]


def test_the_poisson_has_no_dispersion():
    fitted = Ingarch(distribution="poisson", **PLAIN).fit(simulate(1, weeks=100, units=4), RNG(1))
    assert np.array_equal(fitted.estimates.dispersion, POISSON)
    assert "log_size" not in fitted.summary().index


@pytest.mark.parametrize("settings", [{"past_obs": (0,)}, {"past_mean": (1, 1)}, {"link": "sqrt"}, {"harmonics": 9}])
def test_odd_settings_are_refused(settings):
    with pytest.raises(ValueError, match=r"past_mean|past_obs|link|harmonics"):
        Ingarch(**settings)


def test_fit_and_forecast_of_30_units_are_fast():
    panel = panel_of(RNG(1).poisson(0.2, (520, 30)))
    model = Ingarch()
    fitted = model.fit(panel, RNG(1))
    fitted.predict(8, 10, RNG(1))
    begun = time.process_time()
    model.fit(panel, RNG(1))
    between = time.process_time()
    fitted.predict(8, 1000, RNG(1))
    assert between - begun < 3
    assert time.process_time() - between < 0.6
