"""Self-exciting hurdle models: slopes, the truncated negative binomial, recovery of known truth, forecasts."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.families.excited_hurdle import estimate as estimate_module
from forecast.families.excited_hurdle.excitation import LONGEST, kernel
from forecast.families.excited_hurdle.family import ExcitedHurdle
from forecast.families.excited_hurdle.likelihoods import number_likelihood, occurrence_likelihood
from forecast.families.excited_hurdle.past import Past, Pools
from forecast.families.excited_hurdle.paths import simulate_paths
from forecast.families.excited_hurdle.positive import (
    between,
    hurdle_head,
    positive_cell,
    sample_positive,
    untruncated_mean,
    untruncated_table,
)
from forecast.families.excited_hurdle.shrunk import Prior, Shrunk, _Posterior, fit_shrunk
from forecast.families.season import Season
from forecast.families.shot_noise import excitation
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin

RNG = np.random.default_rng
PLAIN = {"harmonics": 0, "half_life_weeks": None}
OCCURRENCE = np.array([-1.2, 0.6, np.log(0.15), np.log(0.05), np.log(2.0), 0.0])
NUMBER = np.array([0.2, 0.4, 0.3, 0.0])
DISPERSION = np.array([0.0, 0.8])
SPREADS = (0.4, 0.3)
TRUTH = pd.Series(
    {
        "log_baseline": OCCURRENCE[0],
        "level_power": OCCURRENCE[1],
        "log_own": OCCURRENCE[2],
        "log_neighbours": OCCURRENCE[3],
        "log_delay": OCCURRENCE[4],
        "number_intercept": NUMBER[0],
        "number_usual": NUMBER[1],
        "number_recent": NUMBER[2],
        "log_size": DISPERSION[0],
        "size_power": DISPERSION[1],
    }
)


def ring(units: int) -> Neighbours:
    """Return units in a ring."""
    if units < 3:
        return Neighbours.none(units)
    first = np.arange(units)
    return Neighbours.from_pairs(first, (first + 1) % units, np.full(units, 100.0), np.full(units, 200.0), units)


def panel_of(counts, *, first="2005-01-01", **more) -> Panel:
    counts = np.asarray(counts)
    weeks = pd.date_range(first, periods=len(counts), freq="7D", unit="s", name="week")
    units = Units.of([f"unit {at}" for at in range(counts.shape[1])])
    return Panel.of(counts, weeks, units, neighbours=ring(counts.shape[1]), **more)


def simulate(seed: int, *, weeks: int = 520, units: int = 20, occurrence=OCCURRENCE, **settings) -> Panel:
    """Return a panel from the model itself, which starts where fits take panels to start."""
    rng = RNG(seed)
    usual = panel_of(rng.poisson(0.6, (weeks, units)) * (rng.random((weeks, units)) < 0.55))
    model = ExcitedHurdle(**settings)
    pools = Pools.of(usual, model.level_weeks, model.pooling, by_count=model.excited_by == "count")
    weights = usual.neighbours.mean_weights().tocsc()
    nothing = np.zeros((weeks, units))
    paths, *_ = simulate_paths(
        pools.start(usual, nothing + 1),
        nothing,
        nothing,
        nothing + 1,
        kernel(*occurrence[4:])[:, 0],
        (weights.indptr.astype(np.int64), weights.indices.astype(np.int64), weights.data),
        pools.arrays(),
        (occurrence, SPREADS[0] * rng.normal(size=units)),
        (NUMBER, SPREADS[1] * rng.normal(size=units)),
        DISPERSION,
        1e5,
        1,
        rng,
    )
    return replace(usual, counts=paths[0].astype(np.int64))


def numerical(function, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return central differences, the last axis along x."""
    return np.stack([(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(len(x))], axis=-1)


@pytest.mark.parametrize("delay", [[-1.0, 0.0], [1.2, 0.0], [1.0, 1.5], [0.5, -1.0]])
def test_the_kernel_is_a_negative_binomial_with_its_slopes(delay):
    shares = kernel(*delay)
    expected = np.exp(negbin.logpmf(np.arange(LONGEST), np.exp(delay[0]), np.exp(delay[1])))
    np.testing.assert_allclose(shares[:, 0], expected, atol=1e-14)
    np.testing.assert_allclose(shares[:, 1:], numerical(lambda x: kernel(*x)[:, 0], np.array(delay)), atol=1e-8)


@pytest.mark.parametrize("excess", [1e-5, 0.1, 1.0, 8.0, 90.0])
@pytest.mark.parametrize("size", [0.01, 0.7, 30.0, 1e6])
def test_the_truncated_negative_binomial_has_its_mean_its_slopes_and_its_information(excess, size):
    mean = untruncated_mean(excess, size)
    count = np.arange(1, 40_000)
    log_p = negbin.logpmf(count, mean, size) - np.log(-np.expm1(negbin.logpmf(np.array(0), mean, size)))
    p = np.exp(log_p)
    assert p.sum() == pytest.approx(1, abs=1e-6)
    assert (count - 1) @ p == pytest.approx(excess, rel=1e-4)
    some = [1, 2, 7, 300]
    cells = np.array([positive_cell(float(y), excess, size) for y in some])
    np.testing.assert_allclose(cells[:, 0], log_p[np.array(some) - 1], rtol=1e-6, atol=1e-6)
    for y, (_, in_excess, in_size, _) in zip(some, cells, strict=True):

        def value(x, y=y):
            return np.array(positive_cell(float(y), np.exp(x[0]), np.exp(x[1]))[0])

        slope = numerical(value, np.log([excess, size]), 1e-4)
        np.testing.assert_allclose([in_excess, in_size], slope, rtol=2e-3, atol=1e-3)
    slopes = np.array([positive_cell(float(y), excess, size)[1] for y in count[:4000]])
    assert cells[0, 3] == pytest.approx(p[:4000] @ slopes**2, rel=2e-2)


@pytest.mark.parametrize("dispersion", [(-6.0, 0.0), (-0.5, 1.0), (0.3, 2.0), (8.0, 0.5)])
def test_what_lies_between_the_knots_of_a_table_is_what_would_be_solved(dispersion: tuple[float, float]) -> None:
    lowest, highest = -12.0, 8.0
    table = untruncated_table(np.array(dispersion), lowest, highest)
    log_excess = np.r_[lowest, np.linspace(lowest + 0.003, highest - 0.003, 2003), highest]
    found = np.array([between(table, each - lowest) for each in log_excess])
    size = np.exp(dispersion[0] + dispersion[1] * np.log1p(np.exp(log_excess)))
    mean = [untruncated_mean(np.exp(each), r) for each, r in zip(log_excess, size, strict=True)]
    assert np.abs(found[:, 1] / size - 1).max() < 1e-7
    assert np.abs(found[:, 0] / mean - 1).max() < 1e-7


@pytest.mark.parametrize(("excess", "size"), [(0.05, 1.0), (2.0, 0.3), (60.0, 5.0)])
def test_draws_have_the_distribution_of_the_head(excess, size):
    rng, mean = RNG(1), untruncated_mean(excess, size)
    draws = np.array([sample_positive(mean, size, rng) for _ in range(20_000)])
    cell = np.ones((1, 1, 1))
    head = hurdle_head(0.7 * cell, mean * cell, size * cell)[0, 0]
    assert head[0] == pytest.approx(np.exp(-0.7))
    assert head.sum() == pytest.approx(1, abs=1e-8)
    share = np.bincount(draws, minlength=len(head))[: len(head)] / len(draws)
    expected = np.r_[0.0, head[1:] / -np.expm1(-0.7)]
    assert (np.abs(share - expected) < 5 * np.sqrt(expected / len(draws)) + 1e-4).all()


def test_the_slopes_of_both_likelihoods_are_those_of_finite_differences():
    rng = RNG(3)
    panel = simulate(1, weeks=80, units=4)
    past = Past.of(panel, Season.none(), Pools.of(panel, 40, 2.0, by_count=True))
    scale = np.exp(rng.normal(0, 0.3, panel.counts.shape))
    weight = rng.random(panel.counts.shape) * (rng.random(panel.counts.shape) < 0.8)

    def occurrence(x):
        shares = kernel(x[4], x[5])
        own, near = (excitation(marks, shares, 0, 80) for marks in (past.own, past.near))
        return occurrence_likelihood(panel.counts, weight, scale, past.level, own, near, x[:6], x[6:])

    def number(x):
        return number_likelihood(panel.counts, weight, past.features, x[:4], x[4:8], x[8:])

    where = {
        occurrence: np.r_[OCCURRENCE + 0.1, rng.normal(0, 0.3, 4)],
        number: np.r_[NUMBER + 0.1, rng.normal(0, 0.3, 4), DISPERSION],
    }
    for function, x in where.items():
        found = function(x)
        slope = numerical(lambda x, function=function: np.array(function(x)[0]), x)
        mine = np.r_[found[1][:, :-1].sum(axis=0), found[1][:, -1], *found[4:]]
        np.testing.assert_allclose(mine, slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("part", ["occurrence", "number"])
def test_the_information_is_the_variance_of_the_score(part):
    rng, units, weeks = RNG(4), 400, 60
    one, level = np.ones((weeks, units)), rng.normal(-1, 0.5, (weeks, units))
    own, near = rng.random((weeks, units, 3)), rng.random((weeks, units, 3))
    features = np.concatenate([np.ones((weeks, units, 1)), rng.normal(0, 0.5, (weeks, units, 3))], axis=2)
    rate = np.exp(OCCURRENCE[0] + OCCURRENCE[1] * level)
    rate = rate + np.exp(OCCURRENCE[2]) * own[..., 0] + np.exp(OCCURRENCE[3]) * near[..., 0]
    excess, zero = np.exp(features @ NUMBER), np.zeros(units)
    # With a constant size, to which alone the information of the number belongs.
    many = np.array([[sample_positive(untruncated_mean(e, 1.0), 1.0, rng) for e in row] for row in excess])
    counts = np.where(rng.random((weeks, units)) < -np.expm1(-rate), many, 0)
    if part == "occurrence":
        _, score, information, _ = occurrence_likelihood(counts, one, one, level, own, near, OCCURRENCE, zero)
    else:
        _, score, information, _, _ = number_likelihood(counts, one, features, NUMBER, zero, np.zeros(2))
    error = np.sqrt(np.einsum("uii->i", information))
    assert (np.abs(score.sum(axis=0)) < 4 * error).all()
    ratio = (score**2).sum(axis=0) / error**2
    assert (np.abs(ratio - 1) < 0.3).all()


def test_levels_are_drawn_in_and_integrated_out_as_in_a_linear_model():
    """In a Gaussian model the mode is that of generalised least squares, and nothing is left to correct."""
    rng = RNG(5)
    units, weeks = 40, 30
    x = rng.normal(size=(units, weeks))
    y = 1.0 + 0.5 * x + 0.6 * rng.normal(size=(units, 1)) + rng.normal(size=(units, weeks))
    design = np.stack([np.ones_like(x), x, np.ones_like(x)], axis=2)

    def likelihood(shared, levels):
        residual = y - design[..., :2] @ shared - levels[:, None]
        information = np.einsum("uti,utj->uij", design, design)
        return -0.5 * (residual**2).sum(), np.einsum("ut,uti->ui", residual, design), information, information

    prior = Prior(np.zeros(2), np.full(2, 1e3))
    found = fit_shrunk(likelihood, prior, Shrunk.start(prior, units))
    assert found.converged
    whole = np.kron(np.eye(units), np.eye(weeks) + found.spread**2)
    flat = design[..., :2].reshape(-1, 2)
    expected = np.linalg.solve(flat.T @ np.linalg.solve(whole, flat), flat.T @ np.linalg.solve(whole, y.ravel()))
    np.testing.assert_allclose(found.shared, expected, atol=1e-5)
    assert found.spread == pytest.approx(0.6, abs=0.15)
    assert np.std(found.units) < found.spread
    again = _Posterior(likelihood, prior, found.spread).marginal(found)
    np.testing.assert_allclose(again.shared, found.shared, atol=1e-9)


def standardised_errors(seed: int, **more) -> pd.Series:
    fitted = ExcitedHurdle(**PLAIN).fit(simulate(seed, **more), RNG(1))
    assert fitted.remarks == ()
    table = fitted.summary().loc[TRUTH.index]
    return (table["estimate"] - TRUTH) / table["std_error"]


def test_parameters_are_recovered_within_their_standard_errors():
    errors = pd.DataFrame([standardised_errors(seed, weeks=300) for seed in range(8)])
    assert (errors.abs() < 4).all(axis=None)
    assert (errors.mean().abs() < 1.2).all()
    assert 0.5 < np.sqrt((errors**2).mean(axis=None)) < 1.5


@pytest.mark.slow
def test_intervals_cover_as_they_should_over_200_panels():
    tables = [ExcitedHurdle(**PLAIN).fit(simulate(seed), RNG(1)).summary() for seed in range(200)]
    estimates = pd.DataFrame([table["estimate"] for table in tables])
    errors = pd.DataFrame([((table["estimate"] - TRUTH) / table["std_error"])[TRUTH.index] for table in tables])
    inside = (errors.abs() < 1.96).mean()
    print(pd.DataFrame({"true": TRUTH, "mean": estimates.mean(), "error": errors.mean(), "inside": inside}).round(3))
    assert 0.92 < inside.mean() < 0.98
    assert inside.min() > 0.88
    assert (errors.mean().abs() < 0.6).all()
    assert estimates["spread_baseline"].mean() == pytest.approx(SPREADS[0], rel=0.15)
    assert estimates["spread_number"].mean() == pytest.approx(SPREADS[1], rel=0.2)


def test_a_delay_that_rises_is_told_from_one_that_falls():
    late = OCCURRENCE + np.array([0, 0, 1.0, 0, 0, 2.0])
    found = [
        ExcitedHurdle(delay="negbin", **PLAIN).fit(simulate(1, weeks=300, occurrence=occurrence), RNG(1)).summary()
        for occurrence in (late, OCCURRENCE)
    ]
    rising, falling = (table.loc["log_delay_size", "estimate"] for table in found)
    assert rising > falling + 0.2
    assert "log_delay_size" not in ExcitedHurdle().fit(simulate(1, weeks=60, units=3), RNG(1)).summary().index


def test_an_event_raises_the_rate_here_more_than_next_door_and_less_later():
    fitted = ExcitedHurdle(**PLAIN).fit(simulate(1), RNG(1))
    before, after = fitted.panel.counts.copy(), fitted.panel.counts.copy()
    before[-1] = after[-1] = 0
    after[-1, 5] = 6
    calm, stirred = (fitted.update(replace(fitted.panel, counts=counts)) for counts in (before, after))
    risks = [1 - model.predict(12, 2000, RNG(1)).pmf[..., 0] for model in (calm, stirred)]
    gain = risks[1] - risks[0]
    assert gain[0, 5] > 3 * gain[0, 4] > 0
    assert gain[0, 6] > 3 * abs(gain[0, 12])
    assert gain[0, 5] > 2 * gain[-1, 5] > 0


def test_the_first_week_ahead_has_the_distribution_of_the_recursion():
    panel = simulate(2)
    fitted = ExcitedHurdle(**PLAIN).fit(panel.weeks_between(0, 519), RNG(1))
    forecast = fitted.predict(1, 4, RNG(1))
    past, found = fitted.family.past(panel, Season.none()), fitted.estimates
    shared = found.occurrence.shared
    shares = kernel(*shared[4:])
    own, near = (excitation(marks, shares, 519, 520)[0, :, 0] for marks in (past.own, past.near))
    rate = np.exp(shared[0] + found.occurrence.units + shared[1] * past.level[519])
    rate = rate + np.exp(shared[2]) * own + np.exp(shared[3]) * near
    np.testing.assert_allclose(forecast.pmf[0, :, 0], np.exp(-rate), rtol=1e-10)
    expected = 1 + np.exp(past.features[519] @ found.number.shared + found.number.units)
    np.testing.assert_allclose(forecast.mean()[0], -np.expm1(-rate) * expected, rtol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"excited_by": "occurrence"}, {"delay": "negbin"}, {"half_life_weeks": None}])
def test_the_pmf_agrees_with_the_paths(settings):
    forecast = ExcitedHurdle(**settings).fit(simulate(3, weeks=200, units=6), RNG(1)).predict(6, 20_000, RNG(2))
    share = (forecast.paths[..., None] == np.arange(5)).mean(axis=0)
    np.testing.assert_allclose(forecast.pmf[..., :5], share, atol=0.02)
    error = forecast.paths.std(axis=0) / np.sqrt(20_000)
    assert (np.abs(forecast.mean() - forecast.paths.mean(axis=0)) < 5 * error).all()


def test_seasonal_counts_have_seasonal_forecasts():
    weeks = np.arange(520)
    factor = np.exp(0.9 * np.sin(2 * np.pi * weeks / 52.18))
    panel = panel_of(RNG(1).poisson(0.4 * factor[:, None], (520, 12)))
    mean = ExcitedHurdle().fit(panel, RNG(1)).predict(52, 500, RNG(1)).mean().mean(axis=1)
    flat = ExcitedHurdle(harmonics=0).fit(panel, RNG(1)).predict(52, 500, RNG(1)).mean().mean(axis=1)
    assert mean.max() > 3 * mean.min()
    assert flat.max() < 2 * flat.min()


def test_a_week_that_is_not_observed_excites_as_its_level_says():
    panel = simulate(4, weeks=120, units=4)
    observed = np.ones(panel.counts.shape, bool)
    observed[-1, 2] = False
    past = Past.of(replace(panel, observed=observed), Season.none(), Pools.of(panel, 78, 1.0, by_count=False))
    assert past.own[-1, 2] == pytest.approx(np.exp(past.level[-1, 2]))


def test_a_unit_of_more_exposure_starts_at_a_higher_level():
    panel = replace(panel_of(np.zeros((10, 3), int)), exposure=np.array([1.0, 1.0, 4.0]))
    past = Past.of(panel, Season.none(), Pools.of(panel, 78, 1.0, by_count=True))
    assert np.exp(past.level[0, 2] - past.level[0, 0]) == pytest.approx(4.0)


def test_a_new_unit_has_the_pooled_levels():
    fitted = ExcitedHurdle(**PLAIN).fit(simulate(5, weeks=200), RNG(1))
    live = panel_of(RNG(1).poisson(0.5, (30, 3)), first="2024-01-06")
    live = replace(live, units=Units.of(["unit 3", "elsewhere", "unit 0"]))
    found = fitted.estimates.of_units(fitted.update(live).positions(live))
    own = fitted.estimates.occurrence.units
    np.testing.assert_array_equal(found.occurrence.units, [own[3], 0.0, own[0]])


def test_paths_stay_below_the_largest_multiple():
    counts = RNG(1).poisson(np.geomspace(0.1, 60, 100))[:, None]
    forecast = ExcitedHurdle(largest_multiple=1.5, **PLAIN).fit(panel_of(counts), RNG(1)).predict(104, 200, RNG(1))
    assert (forecast.mean() <= 1.5 * counts.max() + 1).all()


@pytest.mark.parametrize(
    "case", ["silent", "one event", "constant", "two weeks", "ten thousand", "one unit", "all ones", "long ago"]
)
def test_odd_panels_give_a_forecast_that_makes_sense(case):
    weeks, units = {"two weeks": (2, 3), "one unit": (80, 1)}.get(case, (80, 4))
    counts = RNG(1).poisson(0.8, (weeks, units))
    observed = np.ones(counts.shape, bool)
    match case:
        case "silent":
            counts[:] = 0
        case "one event":
            counts[:] = 0
            counts[40, 1] = 1
        case "constant":
            counts[:] = 4
        case "all ones":
            counts[:] = 1
        case "ten thousand":
            counts[:, 2] = RNG(2).poisson(10_000, weeks)
        case "long ago":
            counts = np.vstack([counts, np.zeros((1500, units), int)])
            observed = np.arange(len(counts))[:, None] < np.full(units, 80)
    fitted = ExcitedHurdle().fit(panel_of(counts, observed=observed), RNG(1))
    assert fitted.estimates.converged
    mean = fitted.predict(8, 300, RNG(1)).mean()
    expected = {"silent": 0.0, "one event": 0.01, "constant": 4.0, "all ones": 1.0, "long ago": 0.8}.get(case)
    if expected is not None:
        np.testing.assert_allclose(mean, expected, rtol=0.5, atol=0.1)
    if case == "ten thousand":
        np.testing.assert_allclose(mean[:, 2], 10_000, rtol=0.3)
        assert mean[:, [0, 1, 3]].max() < 100
    assert bool(fitted.remarks) == (case in ("silent", "one event", "two weeks"))


def test_a_fit_that_does_not_converge_is_tried_again_and_says_so(monkeypatch):
    tried = []
    whole = estimate_module.fit_shrunk

    def never(likelihood, prior, start):
        tried.append(start)
        return replace(whole(likelihood, prior, start), converged=False)

    monkeypatch.setattr(estimate_module, "fit_shrunk", never)
    monkeypatch.setattr(estimate_module, "MOST_ROUNDS", 1)
    fitted = ExcitedHurdle(**PLAIN).fit(simulate(1, weeks=60, units=3), RNG(1))
    assert len(tried) == 2 + 3
    assert "did not converge" in fitted.remarks[-1]


def test_a_warm_refit_ends_at_the_same_estimates_after_fewer_steps(monkeypatch):
    panel = simulate(6, weeks=300)
    model = ExcitedHurdle()
    start = model.fit(panel.weeks_between(0, 287), RNG(1))
    steps = []
    whole = estimate_module.occurrence_likelihood
    monkeypatch.setattr(estimate_module, "occurrence_likelihood", lambda *a: steps.append(1) or whole(*a))
    fresh = model.fit(panel, RNG(1))
    cold = len(steps)
    warm = model.refit(panel, RNG(1), start)
    assert len(steps) - cold < cold
    pd.testing.assert_frame_equal(warm.summary(), fresh.summary(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize(
    "settings", [{"level_weeks": 1}, {"pooling": 0}, {"excited_by": "deaths"}, {"delay": "none"}, {"harmonics": 9}]
)
def test_odd_settings_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        ExcitedHurdle(**settings)


def test_fit_and_forecast_of_30_units_are_fast():
    panel = panel_of(RNG(1).poisson(0.2, (520, 30)))
    model = ExcitedHurdle()
    fitted = model.fit(panel, RNG(1))
    fitted.predict(8, 10, RNG(1))
    begun = time.process_time()
    model.fit(panel, RNG(1))
    between = time.process_time()
    fitted.predict(8, 1000, RNG(1))
    assert between - begun < 3
    assert time.process_time() - between < 1
