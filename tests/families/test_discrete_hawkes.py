"""Discrete-time Hawkes processes: likelihood against a direct one, slopes, recovery of known truth, forecasts."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.special import loggamma

from forecast.families.discrete_hawkes.baseline import PANEL_EVENTS, START_WEEKS, discount_of
from forecast.families.discrete_hawkes.coordinates import Layout
from forecast.families.discrete_hawkes.estimate import _climb, estimate
from forecast.families.discrete_hawkes.excited import Around, Excited
from forecast.families.discrete_hawkes.family import DiscreteHawkes, FittedDiscreteHawkes
from forecast.families.discrete_hawkes.kernels import delay_names, delay_shares, spread_shares, usual_delay
from forecast.families.discrete_hawkes.likelihood import Likelihood
from forecast.families.discrete_hawkes.paths import simulate_paths
from forecast.families.season import Season
from forecast.panel.panel import Panel
from forecast.panel.units import Units, great_circle_km

RNG = np.random.default_rng
PLAIN = {"harmonics": 0, "half_life_weeks": None, "delay": "geometric"}
DELAYS = [("geometric", 20), ("negbin", 20), ("power", 30), ("free", 6)]


def panel_of(counts, *, first="2005-01-01", **more) -> Panel:
    """Return units of two countries on a grid of about 100 km."""
    counts = np.asarray(counts)
    weeks = pd.date_range(first, periods=len(counts), freq="7D", unit="s", name="week")
    at = np.arange(counts.shape[1])
    units = Units.of(
        [f"unit {u}" for u in at],
        groups=["AB"[u % 2] for u in at],
        latitude=12 + 0.9 * (at // 4),
        longitude=0.9 * (at % 4) + 0.1 * (at // 4),
    )
    return Panel.of(counts, weeks, units, **more)


def simulate(family: DiscreteHawkes, parameters, seed: int, *, weeks: int, level, exposure=None) -> Panel:
    """Return counts of the model itself, from the start that a fit of them assumes."""
    rng, units = RNG(seed), len(level)
    panel = panel_of(np.zeros((weeks, units), int), exposure=exposure)
    around = Around.of(panel, family.spread, family.reach_km)
    layout = Layout(family.delay, family.lags, family.spread, around.unit, family.distribution == "negbin")
    natural = layout.natural(parameters)
    exposed = panel.exposure / panel.exposure.mean()
    shares = spread_shares(layout.spread, around.start, around.apart, natural.reach)[:, 0]
    before = Excited(np.tile(np.asarray(level, float), (family.lags, 1)), around, family.lags)
    paths, *_ = simulate_paths(
        START_WEEKS * np.asarray(level) * (1 - natural.branching),
        START_WEEKS * exposed,
        before.expected(layout, natural, ahead=weeks),
        np.ones((weeks, units)),
        exposed,
        panel.units.group_codes().astype(np.int64),
        discount_of(family.baseline_weeks),
        np.ascontiguousarray(natural.shares[:, 0]),
        natural.own,
        natural.others,
        around.start,
        around.receiver,
        np.ascontiguousarray(shares),
        natural.pooling,
        natural.precision,
        natural.noise,
        1e6,
        1,
        rng,
    )
    return replace(panel, counts=paths[0].astype(np.int64))


def likelihood_of(family: DiscreteHawkes, *, seed: int = 1, weeks: int = 45, units: int = 5) -> Likelihood:
    """Return a likelihood with all that can be in it: season, exposure, missing weeks, weights."""
    rng = RNG(seed)
    level = np.geomspace(0.1, 2.0, units)
    observed = rng.random((weeks, units)) < 0.9
    observed[:, 3] &= np.arange(weeks) > 8
    panel = panel_of(rng.poisson(level, (weeks, units)), observed=observed, exposure=rng.uniform(0.5, 2, units))
    season = Season(("A",), np.array([[0.4, -0.3]]), np.array([0.1, 0.2]))
    found = family.likelihood(panel, season)
    return replace(found, weight=np.where(np.arange(weeks) < 3, 0.0, rng.random(weeks)))


def shares_of(layout: Layout, parameters: np.ndarray) -> np.ndarray:
    """Return the shares of the lags from their definitions."""
    k = np.arange(layout.lags)
    delay = parameters[layout.delay_at]
    if layout.delay == "geometric":
        weight = (1 / (1 + np.exp(-delay[0]))) ** k
    elif layout.delay == "negbin":
        m, s = np.exp(delay)
        weight = np.exp(loggamma(k + s) - loggamma(k + 1) - loggamma(s + 0 * k)) * (m / (m + s)) ** k
    elif layout.delay == "power":
        weight = (k + np.exp(delay[0])) ** -(1 + np.exp(delay[1]))
    else:
        weight = np.exp(np.concatenate([[0], delay]))
    return weight / weight.sum()


def branching_of(given: Likelihood, parameters: np.ndarray) -> np.ndarray:
    """Return the branching matrix, shape (units, units), from its definition."""
    layout, around, units = given.layout, given.excited.around, given.counts.shape[1]
    x = dict(zip(layout.names, parameters, strict=True))
    nu = 1 / (1 + np.exp(-x["logit branching"]))
    pi = 1 / (1 + np.exp(-x["logit own share"])) if "logit own share" in x else 1.0
    shared = np.zeros((units, units), parameters.dtype)
    for j in range(units):
        own = slice(around.start[j], around.start[j + 1])
        d = around.apart[own]
        if layout.spread == "exponential":
            w = np.exp(-d / np.exp(x["log distance"]))
        else:
            w = (1 + d) ** -np.exp(x.get("log distance power", -np.inf))
        shared[around.receiver[own], j] = w / w.sum() if len(d) else 0.0
    return nu * (pi * np.eye(units) + (1 - pi) * shared)


def direct(given: Likelihood, parameters: np.ndarray):
    """Return the log likelihood cell by cell from the definitions, each from all weeks before; complex numbers too."""
    layout, exposed = given.layout, given.exposed
    weeks, units = given.counts.shape
    x = dict(zip(layout.names, parameters, strict=True))
    nu = 1 / (1 + np.exp(-x["logit branching"]))
    g, branching = shares_of(layout, parameters), branching_of(given, parameters)
    kappa, z = np.exp(x["log pooling"]), np.exp(x["log precision"])
    noise = np.exp(-x["log size"]) if layout.overdispersed else 0.0
    scale, e, y = exposed.scale, exposed.exposure, given.counts
    d = exposed.discount
    marks = np.zeros((layout.lags + weeks, units))
    marks[: layout.lags] = exposed.level
    for t in range(weeks):
        for u in range(units):
            before = given.observed[:t, u]
            age = before.sum() - np.cumsum(before)
            kept = d ** age[before]
            start = d ** before.sum() * START_WEEKS
            mean = (start * exposed.level[u] + kept @ y[:t, u][before]) / (start + kept @ scale[:t, u][before])
            marks[layout.lags + t, u] = y[t, u] / scale[t, u] if given.observed[t, u] else mean
    total = 0.0
    phi = np.zeros((weeks, units), parameters.dtype)
    for t in range(weeks):
        lagged = sum(g[lag - 1] * marks[layout.lags + t - lag] for lag in range(1, layout.lags + 1))
        excited = branching @ lagged
        a, n = np.zeros(units, parameters.dtype), np.zeros(units)
        for u in range(units):
            before = given.observed[:t, u]
            kept = d ** (before.sum() - np.cumsum(before)[before])
            start = d ** before.sum() * START_WEEKS
            a[u] = start * exposed.level[u] * (1 - nu) + kept @ (phi[:t, u] * y[:t, u])[before]
            n[u] = start * e[u] + kept @ (scale[:t, u] * e[u])[before]
        overall, one = (a.sum() + PANEL_EVENTS) / (n.sum() + 1), (n.sum() + 1) / (units + 1)
        for u in range(units):
            of = exposed.groups == exposed.groups[u]
            pooled = (a[of].sum() + one * overall) / (n[of].sum() + one)
            b = e[u] * (a[u] + kappa) / (n[u] + kappa / pooled)
            mean = scale[t, u] * (b + excited[u])
            phi[t, u] = b / (b + excited[u])
            r = 1 / (phi[t, u] ** 2 / (z * (a[u] + kappa)) + noise)
            if given.observed[t, u]:
                one_count = loggamma(y[t, u] + r) - loggamma(r) - loggamma(y[t, u] + 1)
                one_count = one_count + r * np.log(r / (r + mean)) + y[t, u] * np.log(mean / (r + mean))
                total = total + given.weight[t] * one_count
    return total


@pytest.mark.parametrize("kind", DELAYS)
@pytest.mark.parametrize("spread", ["exponential", "power", "adjacent", "none"])
@pytest.mark.parametrize("distribution", ["negbin", "poisson"])
def test_likelihood_and_score_are_those_of_the_definitions(kind, spread, distribution):
    delay, lags = kind
    family = DiscreteHawkes(delay=delay, lags=lags, spread=spread, distribution=distribution, baseline_weeks=12)
    given = likelihood_of(family)
    x = given.layout.usual() + RNG(2).normal(0, 0.3, len(given.layout.names))
    slope = given.at(x)
    assert slope.value == pytest.approx(direct(given, x), rel=1e-10)
    step = 1e-30
    score = np.array([direct(given, x + 1j * step * unit).imag / step for unit in np.eye(len(x))])
    np.testing.assert_allclose(slope.score, score, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("kind", DELAYS)
def test_delay_shares_sum_to_one_and_have_their_slopes(kind):
    delay, lags = kind
    x = usual_delay(delay, lags) + RNG(1).normal(0, 0.2, len(delay_names(delay, lags)))
    shares = delay_shares(delay, lags, x)
    assert shares[:, 0].sum() == pytest.approx(1)
    step = 1e-6
    moved = [
        (delay_shares(delay, lags, x + step * e) - delay_shares(delay, lags, x - step * e))[:, 0]
        for e in np.eye(len(x))
    ]
    np.testing.assert_allclose(shares[:, 1:], np.stack(moved, axis=1) / (2 * step), atol=1e-8)


def test_shares_of_distance_are_by_great_circle_and_sum_to_one():
    panel = panel_of(np.ones((3, 8), int))
    around = Around.of(panel, "exponential", 600.0)
    [matrix] = around.matrices("exponential", np.array([np.log(0.8)]))[:1]
    lat, lon = panel.units.latitude, panel.units.longitude
    dense = np.exp(-great_circle_km(lat[:, None], lon[:, None], lat, lon) / 80)
    np.fill_diagonal(dense, 0)
    np.testing.assert_allclose(matrix.toarray(), dense / dense.sum(axis=0), atol=1e-12)
    near = Around.of(panel, "exponential", 120.0)
    assert 0 < len(near.receiver) < len(around.receiver)


@pytest.mark.parametrize("branching", [0.2, 0.7, 0.97])
def test_the_spectral_radius_is_the_branching_ratio(branching):
    panel = panel_of(np.ones((3, 9), int))
    around = Around.of(panel, "power", 150.0)
    layout = Layout("geometric", 10, "power", around.unit, True)
    natural = layout.natural(layout.usual(branching))
    matrix = natural.own * np.eye(9) + natural.others * around.matrices("power", natural.reach)[0].toarray()
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(branching)


def test_the_information_is_the_variance_of_the_score():
    family = DiscreteHawkes(**PLAIN, lags=8, baseline_weeks=20)
    layout = Layout("geometric", 8, "exponential", 100.0, True)
    x = layout.usual()
    scores, information = [], 0.0
    for seed in range(150):
        panel = simulate(family, x, seed, weeks=60, level=np.full(6, 1.0))
        # The level before the first week is that of the panel, which is not known when it is simulated.
        given = family.likelihood(panel, Season.none())
        given = replace(given, weight=np.where(np.arange(60) < 20, 0.0, 1.0))
        slope = given.at(x)
        scores.append(slope.score)
        information = information + slope.information / 150
    z = np.array(scores) / np.sqrt(np.diag(information))
    assert (np.abs(z.mean(axis=0)) < 0.6).all()
    assert (np.abs(np.log(z.std(axis=0))) < 0.35).all()


TRUTH = {"logit branching": 0.4, "logit own share": 1.2, "log delay": 0.7, "log distance": -0.2}


def truth_of(layout: Layout) -> np.ndarray:
    """Return the parameters that panels are simulated with."""
    values = TRUTH | {"log pooling": -1.5, "log precision": -0.7, "log size": 1.0}
    return np.array([values[name] for name in layout.names])


def standardised(seed: int, *, weeks: int, units: int, **settings) -> pd.DataFrame:
    """Return estimate, truth and error in standard errors of one simulated panel."""
    family = DiscreteHawkes(**PLAIN, lags=26, baseline_weeks=52, **settings)
    layout = Layout("geometric", 26, "exponential", 100.0, family.distribution == "negbin")
    truth = truth_of(layout)
    panel = simulate(family, truth, seed, weeks=weeks, level=np.full(units, 1.0))
    fitted = family.fit(panel, RNG(1))
    assert fitted.remarks == ()
    found = fitted.estimates
    error = np.sqrt(np.diag(found.covariance))
    return pd.DataFrame(
        {"truth": truth, "estimate": found.parameters, "z": (found.parameters - truth) / error}, index=layout.names
    )


@pytest.mark.parametrize("distribution", ["negbin", "poisson"])
def test_parameters_are_recovered_within_their_standard_errors(distribution):
    tables = [standardised(seed, weeks=400, units=12, distribution=distribution) for seed in range(5)]
    z = np.array([table["z"] for table in tables])
    assert (np.abs(z) < 4).all()
    assert (np.abs(z.mean(axis=0)) < 1.5).all()
    assert 0.4 < np.sqrt((z**2).mean()) < 1.6


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["negbin", "poisson"])
def test_intervals_cover_as_they_should_over_200_panels(distribution):
    tables = [standardised(seed, weeks=520, units=20, distribution=distribution) for seed in range(200)]
    z = pd.DataFrame([table["z"] for table in tables])
    estimates = pd.DataFrame([table["estimate"] for table in tables])
    inside = (z.abs() < 1.96).mean()
    print(pd.DataFrame({"truth": tables[0]["truth"], "mean": estimates.mean(), "sd": estimates.std(), "in": inside}))
    assert (inside > 0.9).all()
    assert 0.92 < inside.mean() < 0.98
    # The pooling is hardly told by units that are all alike, and stays near its prior.
    assert (z.mean().drop("log pooling").abs() < 0.5).all()


def constant_baseline_radius(seed: int) -> float:
    """Return the error, in standard errors, of the radius of a plain Hawkes process with a constant baseline."""
    rng = RNG(seed)
    weeks, units, nu, lags = 520, 10, 0.5, 26
    share = delay_shares("geometric", lags, np.array([0.7]))[:, 0]
    base = rng.uniform(0.1, 0.6, units)
    counts = np.zeros((lags + 100 + weeks, units))
    for t in range(lags, len(counts)):
        counts[t] = rng.poisson(base + nu * share @ counts[t - lags : t][::-1])
    family = DiscreteHawkes(**PLAIN, lags=lags, spread="none", distribution="poisson", baseline_weeks=np.inf)
    found = family.fit(panel_of(counts[-weeks:].astype(int)), RNG(1)).estimates
    return float((found.parameters[0] - 0.0) / np.sqrt(found.covariance[0, 0]))


def test_a_constant_baseline_is_told_from_excitation():
    z = np.array([constant_baseline_radius(seed) for seed in range(12)])
    assert np.abs(z).max() < 4
    assert abs(z.mean()) < 1.0


def test_every_start_ends_at_a_maximum_and_the_best_is_taken():
    family = DiscreteHawkes(**PLAIN, lags=20)
    layout = Layout("geometric", 20, "exponential", 100.0, True)
    panel = simulate(family, truth_of(layout), 3, weeks=300, level=np.full(8, 1.0))
    given = family.likelihood(panel, Season.none())
    centre, precision = given.layout.prior(16.0)
    ends = [_climb(given, centre, precision, start) for start in given.layout.starts()]
    assert all(converged for *_, converged in ends)
    best = estimate(given, 16.0)
    loss = 0.5 * (best.parameters - centre) @ precision @ (best.parameters - centre) - best.log_likelihood
    assert loss == pytest.approx(min(value for _, value, _ in ends), abs=1e-8)
    warm = estimate(given, 16.0, best.parameters + 0.3)
    np.testing.assert_allclose(warm.parameters, best.parameters, atol=5e-3)


def test_a_free_delay_finds_a_delay_of_two_weeks():
    rng = RNG(1)
    counts = np.zeros((620, 12))
    for t in range(2, len(counts)):
        counts[t] = rng.poisson(0.4 + 0.5 * counts[t - 2])
    settings = PLAIN | {"delay": "free"}
    shares = {}
    for smoothness in (0.1, 1e6):
        family = DiscreteHawkes(**settings, lags=6, spread="none", smoothness=smoothness)
        found = family.fit(panel_of(counts[20:].astype(int)), RNG(1)).estimates
        shares[smoothness] = found.layout.natural(found.parameters).shares[:, 0]
    assert shares[0.1].argmax() == 1
    assert shares[0.1][1] > 0.6
    ratio = shares[1e6][1:] / shares[1e6][:-1]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-2)


@pytest.fixture(scope="module")
def fitted() -> FittedDiscreteHawkes:
    family = DiscreteHawkes(**PLAIN, lags=26)
    layout = Layout("geometric", 26, "exponential", 100.0, True)
    return family.fit(simulate(family, truth_of(layout), 1, weeks=400, level=np.full(12, 1.0)), RNG(1))


def test_the_summary_tells_radius_and_endogenous_share_with_intervals(fitted):
    table = fitted.summary()
    low, radius, high = table.loc[["spectral radius, 2.5 %", "spectral radius", "spectral radius, 97.5 %"], "estimate"]
    assert 0 < low < radius < high < 1
    assert table.loc["spectral radius", "std_error"] > 0
    parts = table.loc[["triggered in the unit", "triggered around it"], "estimate"].sum()
    assert parts == pytest.approx(radius)
    share = table.loc[["endogenous share, 2.5 %", "endogenous share", "endogenous share, 97.5 %"], "estimate"]
    assert share.is_monotonic_increasing
    assert share.iloc[0] > 0
    assert share.iloc[2] < 1


def test_errors_of_the_endogenous_share_are_those_of_the_delta_method(fitted):
    family, x = fitted.family, fitted.estimates.parameters
    given = family.likelihood(fitted.panel, fitted.season)

    def share(parameters):
        slope = given.at(parameters)
        return slope.triggered / slope.expected

    step = 1e-5
    slopes = np.array([(share(x + step * e) - share(x - step * e)) / (2 * step) for e in np.eye(len(x))])
    np.testing.assert_allclose(given.at(x).in_share, slopes, atol=1e-7)
    error = np.sqrt(slopes @ fitted.estimates.covariance @ slopes)
    assert fitted.estimates.endogenous_error == pytest.approx(error, rel=1e-4)


def test_an_event_raises_the_rate_here_most_then_nearby_and_less_later(fitted):
    calm, stirred = fitted.panel.counts.copy(), fitted.panel.counts.copy()
    calm[-1] = stirred[-1] = 0
    stirred[-1, 5] = 6
    means = [
        fitted.update(replace(fitted.panel, counts=counts)).predict(10, 4000, RNG(1)).mean()
        for counts in (calm, stirred)
    ]
    gain = means[1] - means[0]
    assert gain[0, 5] > 2 * gain[0, 4] > 0
    assert gain[0, 4] > gain[0, 11]
    assert gain[0, 5] > 1.5 * gain[-1, 5]


def test_a_baseline_that_rose_is_followed():
    rng = RNG(1)
    level = np.r_[np.full(200, 0.2), np.full(60, 1.5)]
    panel = panel_of(rng.poisson(level[:, None], (260, 8)))
    forecasts = [
        DiscreteHawkes(harmonics=0, baseline_weeks=memory).fit(panel, RNG(1)).predict(8, 400, RNG(1)).mean()[-1].mean()
        for memory in (13, np.inf)
    ]
    assert forecasts[0] == pytest.approx(1.5, rel=0.2)
    assert forecasts[1] < forecasts[0]


def test_little_known_of_the_baseline_widens_the_forecast(fitted):
    short, long = fitted.panel.weeks_between(396, 400), fitted.panel
    spread = []
    for panel in (short, long):
        forecast = fitted.update(panel).predict(1, 10, RNG(1))
        mean = forecast.mean()[0]
        variance = forecast.pmf[0] @ np.arange(forecast.pmf.shape[2]) ** 2 - mean**2
        spread.append(((variance - mean) / mean**2).mean())
    assert spread[0] > 1.1 * spread[1]


def test_the_pmf_agrees_with_the_paths_and_no_path_explodes(fitted):
    forecast = fitted.predict(8, 20_000, RNG(2))
    share = (forecast.paths[..., None] == np.arange(5)).mean(axis=0)
    np.testing.assert_allclose(forecast.pmf[..., :5], share, atol=0.02)
    wild = fitted.panel.counts.copy()
    wild[-3:] = 500
    hot = fitted.update(replace(fitted.panel, counts=wild)).predict(104, 200, RNG(1))
    assert hot.mean().max() <= 2 * 500


def test_weeks_of_one_path_depend_on_each_other(fitted):
    paths = fitted.predict(2, 20_000, RNG(1)).paths
    correlation = [np.corrcoef(paths[:, 0, u], paths[:, 1, u])[0, 1] for u in range(12)]
    assert np.mean(correlation) > 0.1


def test_seasonal_counts_have_seasonal_forecasts():
    factor = np.exp(0.9 * np.sin(2 * np.pi * np.arange(520) / 52.18))
    panel = panel_of(RNG(1).poisson(0.4 * factor[:, None], (520, 12)))
    mean = DiscreteHawkes().fit(panel, RNG(1)).predict(52, 300, RNG(1)).mean().mean(axis=1)
    assert mean.max() > 3 * mean.min()


def test_an_explosive_fit_says_so():
    rng = RNG(2)
    level = np.exp(np.linspace(np.log(0.05), np.log(60), 150))
    panel = panel_of(rng.poisson(level[:, None], (150, 6)))
    settings = PLAIN | {"lags": 4, "baseline_weeks": 2000}
    fitted = DiscreteHawkes(**settings).fit(panel, RNG(1))
    assert any("nearly explosive" in remark for remark in fitted.remarks)
    assert fitted.summary().loc["spectral radius, 97.5 %", "estimate"] < 1


@pytest.mark.parametrize(("counts", "remark"), [(0, "no event"), (1, "too few")])
def test_silent_panels_say_so(counts, remark):
    panel = panel_of(np.zeros((200, 3), int))
    panel.counts[100, 0] = counts
    fitted = DiscreteHawkes().fit(panel, RNG(1))
    assert any(remark in text for text in fitted.remarks)
    assert fitted.predict(4, 100, RNG(1)).mean().max() < 0.1


def test_units_without_place_excite_only_themselves_and_that_is_said():
    weeks = pd.date_range("2005-01-01", periods=120, freq="7D", unit="s")
    panel = Panel.of(RNG(1).poisson(0.5, (120, 3)), weeks, Units.of(["A", "B", "C"]))
    fitted = DiscreteHawkes().fit(panel, RNG(1))
    assert any("near each other" in text for text in fitted.remarks)
    assert fitted.summary().loc["triggered around it", "estimate"] == 0


@pytest.mark.parametrize("settings", [{"lags": 1}, {"delay": "gamma"}, {"baseline_weeks": 1}, {"decay": 3}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValidationError):
        DiscreteHawkes(**settings)


def test_a_failed_search_says_so(monkeypatch):
    family = DiscreteHawkes(**PLAIN, lags=10)
    panel = panel_of(RNG(1).poisson(0.5, (80, 4)))
    monkeypatch.setattr("forecast.families.discrete_hawkes.estimate.TOLERANCE", -1.0)
    fitted = family.fit(panel, RNG(1))
    assert any("did not converge" in text for text in fitted.remarks)
    assert np.isfinite(fitted.predict(2, 50, RNG(1)).mean()).all()


@pytest.mark.slow
def test_a_backtest_of_three_years_takes_less_than_a_minute():
    rng = RNG(1)
    panel = panel_of(rng.poisson(rng.gamma(0.5, 0.4, 30), (520 + 156, 30)))
    family, begun, fit = DiscreteHawkes(), time.process_time(), None
    for origin in range(156):
        known = panel.weeks_between(0, 520 + origin)
        if origin % 13 == 0:
            fit = family.fit(known, rng) if fit is None else family.refit(known, rng, fit)
        fit.update(known).predict(8, 1000, rng)
    assert time.process_time() - begun < 60
