"""Regressions: closed forms, recovery of known truth, simulation, other panels."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import ForecastError
from forecast.families import weighted_fit
from forecast.families.glm import Clock, Glm
from forecast.panel.panel import Panel
from forecast.panel.units import Units

RNG = np.random.default_rng
PLAIN = {"half_life_weeks": None, "pseudo_weeks": 0}
TRUTH = {"Intercept": -0.3, "own_1": 0.4, "sin1": 0.5, "cos1": -0.3, "size": 1.5}


def panel_of(counts, *, first="2010-01-02", groups=None, exposure=None, observed=None) -> Panel:
    counts = np.asarray(counts)
    weeks = pd.date_range(first, periods=len(counts), freq="7D", unit="s")
    units = Units.of([f"unit {at}" for at in range(counts.shape[1])], groups=groups)
    return Panel.of(counts, weeks, units, exposure=exposure, observed=observed)


def simulate(seed: int, weeks: int = 250, units: int = 8) -> Panel:
    """Return a panel from `TRUTH`."""
    rng = RNG(seed)
    panel = panel_of(np.zeros((weeks, units), dtype=int))
    wave = Clock(panel.weeks[0], panel.weeks[-1]).covariates(panel.weeks)
    counts = panel.counts.copy()
    before = rng.poisson(1.0, units)
    for week in range(weeks):
        log_mean = TRUTH["Intercept"] + TRUTH["own_1"] * np.log1p(before)
        log_mean += TRUTH["sin1"] * wave["sin1"][week] + TRUTH["cos1"] * wave["cos1"][week]
        before = counts[week] = rng.poisson(rng.gamma(TRUTH["size"], np.exp(log_mean) / TRUTH["size"]))
    return replace(panel, counts=counts)


def standardised_errors(seed: int) -> pd.Series:
    table = Glm(formula="count ~ own_1 + sin1 + cos1", **PLAIN).fit(simulate(seed), RNG(1)).summary()
    return (table["estimate"] - pd.Series(TRUTH)) / table["std_error"]


def test_unit_means_are_the_estimates_of_a_formula_of_units():
    counts = RNG(1).poisson([0.5, 2.0, 9.0], (80, 3))
    exposure = np.array([1.0, 2.0, 4.0])
    model = Glm(formula="count ~ 0 + C(unit)", distribution="poisson", **PLAIN)
    table = model.fit(panel_of(counts, exposure=exposure), RNG(1)).summary()
    np.testing.assert_allclose(np.exp(table["estimate"]), counts.mean(axis=0) / exposure, rtol=1e-6)
    np.testing.assert_allclose(table["std_error"], 1 / np.sqrt(counts.sum(axis=0)), rtol=1e-6)


def test_the_likelihood_of_old_weeks_decays():
    counts = np.r_[np.full((50, 1), 8), np.full((50, 1), 2)]
    model = Glm(formula="count ~ 1", distribution="poisson", half_life_weeks=10, pseudo_weeks=0)
    weight = 0.5 ** (np.arange(100)[::-1] / 10)
    weight[weight < 2e-3] = 0
    found = np.exp(model.fit(panel_of(counts), RNG(1)).summary()["estimate"].iloc[0])
    assert found == pytest.approx(np.average(counts[:, 0], weights=weight), rel=1e-6)


def test_pseudo_weeks_draw_a_silent_unit_to_the_mean_of_its_group():
    counts = np.zeros((50, 2), dtype=int)
    counts[:, 1] = 3
    model = Glm(formula="count ~ 0 + C(unit)", distribution="poisson", half_life_weeks=None, pseudo_weeks=2)
    found = np.exp(model.fit(panel_of(counts), RNG(1)).summary()["estimate"])
    overall = 150.5 / 100
    level = (150 + 50 * overall) / 150
    weight = 2 / level  # two events, as the level is above 1
    expected = [2 / (50 + weight), 152 / (50 + weight)]
    assert found.to_numpy() == pytest.approx(expected, rel=1e-6)


def test_coefficients_and_size_are_recovered_within_their_standard_errors():
    errors = pd.DataFrame([standardised_errors(seed) for seed in range(20)])
    assert (errors.abs() < 4).all(axis=None)
    assert 0.7 < np.sqrt((errors**2).mean(axis=None)) < 1.3
    assert (errors.mean().abs() < 4 / np.sqrt(20)).all()


@pytest.mark.slow
def test_intervals_cover_as_they_should_over_100_panels():
    errors = pd.DataFrame([standardised_errors(seed) for seed in range(100)])
    inside = errors.abs() < 1.96
    assert 0.92 < inside.mean(axis=None) < 0.98
    assert inside.mean().min() > 0.87  # 4 standard errors of a share of 100


def test_the_first_week_ahead_has_the_mean_of_the_formula():
    fitted = Glm(formula="count ~ own_1 + sin1 + cos1", **PLAIN).fit(simulate(1), RNG(1))
    forecast = fitted.predict(2, 4000, RNG(2))
    found = fitted.summary()["estimate"]
    season = fitted.clock.covariates(forecast.weeks)

    def mean(week: int, before: np.ndarray) -> np.ndarray:
        wave = found["sin1"] * season["sin1"][week] + found["cos1"] * season["cos1"][week]
        return np.exp(found["Intercept"] + found["own_1"] * np.log1p(before) + wave)

    np.testing.assert_allclose(forecast.mean()[0], mean(0, fitted.panel.counts[-1]), rtol=1e-5)
    np.testing.assert_allclose(forecast.mean()[1], mean(1, forecast.paths[:, 0]).mean(axis=0), rtol=1e-5)


def test_a_trend_stops_where_the_fit_did():
    counts = RNG(1).poisson(np.exp(np.linspace(0, 2, 200)))[:, None]
    fitted = Glm(formula="count ~ trend", distribution="poisson", **PLAIN).fit(panel_of(counts), RNG(1))
    now = fitted.predict(4, 10, RNG(1)).mean()
    later = fitted.update(panel_of(counts[-30:], first="2026-01-03")).predict(4, 10, RNG(1)).mean()
    np.testing.assert_allclose(later, now)
    np.testing.assert_allclose(now, now[0, 0])


def test_units_that_were_not_in_the_fit_get_the_mean_of_their_group():
    counts = RNG(1).poisson([1.0, 3.0, 8.0], (100, 3))
    model = Glm(formula="count ~ 0 + C(unit)", distribution="poisson", **PLAIN)
    fitted = model.fit(panel_of(counts, groups=["A", "A", "B"]), RNG(1))
    other = panel_of(counts, groups=["A", "B", "C"])
    other = replace(other, units=replace(other.units, names=("new", "unit 0", "elsewhere")))
    level = counts.mean(axis=0)
    expected = [level[:2].mean(), level[0], level.mean()]
    np.testing.assert_allclose(fitted.update(other).predict(1, 10, RNG(1)).mean()[0], expected, rtol=1e-6)


def test_a_missing_week_has_no_likelihood():
    counts = RNG(1).poisson(2.0, (60, 2))
    observed = RNG(2).random((60, 2)) < 0.6
    table = (
        Glm(formula="count ~ 1", distribution="poisson", **PLAIN)
        .fit(panel_of(counts, observed=observed), RNG(1))
        .summary()
    )
    assert np.exp(table.loc["Intercept", "estimate"]) == pytest.approx(counts[observed].mean())


def test_pseudo_weeks_follow_the_exposure():
    exposure = np.array([1.0, 9.0])
    model = Glm(formula="count ~ 1", distribution="poisson", pseudo_weeks=50)
    found = model.fit(panel_of(np.tile([2, 18], (100, 1)), exposure=exposure), RNG(1))
    np.testing.assert_allclose(found.predict(1, 10, RNG(1)).mean()[0], [2, 18], rtol=0.01)


def test_paths_do_not_explode():
    counts = np.tile(2 ** np.arange(9), 4)[:, None] // np.repeat([1, 2, 1, 2], 9)[:, None]
    fitted = Glm(formula="count ~ own_1", distribution="poisson", **PLAIN).fit(panel_of(counts), RNG(1))
    assert fitted.summary().loc["own_1", "estimate"] > 0.5
    steep = replace(fitted, estimates=replace(fitted.estimates, coefficients=np.array([1.0, 1.5])))
    forecast = steep.predict(60, 200, RNG(1))
    cap = 2 * counts.max()
    assert forecast.paths.max() < cap + 6 * np.sqrt(cap)
    assert forecast.paths[:, -1].mean() == pytest.approx(cap, rel=0.02)


def test_a_fit_that_does_not_converge_is_tried_again_with_more_pseudo_weeks(monkeypatch):
    tried = []

    def never(rows, observed, distribution):
        tried.append(rows.weight[observed:].sum())

    monkeypatch.setattr(weighted_fit, "_fit", never)
    with pytest.raises(ForecastError, match="does not converge, even with 64 pseudo-weeks"):
        Glm(pseudo_weeks=1).fit(panel_of(RNG(1).poisson(0.4, (30, 2))), RNG(1))
    assert tried == [2, 8, 32, 128]


def test_events_in_a_single_season_do_not_separate():
    counts = np.zeros((160, 3), dtype=int)
    counts[20::52, 1] = 5
    fitted = Glm(formula="count ~ C(unit) + sin1 + cos1 + sin2 + cos2 + trend").fit(panel_of(counts), RNG(1))
    assert np.isfinite(fitted.summary()).all(axis=None)
    year = fitted.predict(52, 10, RNG(1)).mean()
    assert 2 < year[:, 1].sum() < 10
    assert (year[:, [0, 2]].sum(axis=0) < 1).all()


def test_a_forecast_of_30_units_takes_no_half_second():
    fitted = Glm(formula="count ~ C(unit) + own_1 + own_ewm_8 + own_ewm_52 + neighbour_ewm_8 + sin1 + cos1").fit(
        panel_of(RNG(1).poisson(0.3, (300, 30))), RNG(1)
    )
    fitted.predict(1, 10, RNG(1))
    taken = []
    for _ in range(3):
        start = time.process_time()
        fitted.predict(8, 1000, RNG(1))
        taken.append(time.process_time() - start)
    assert min(taken) < 0.4
