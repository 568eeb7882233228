"""The seasonal endemic-epidemic regression with one fit a horizon."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.families.direct_endemic.estimate import Prior, penalised_maximum
from forecast.families.direct_endemic.family import DirectEndemic
from forecast.families.direct_endemic.likelihood import LinearCases, moments
from forecast.families.direct_endemic.rates import RateMemory, rate_memory
from forecast.families.direct_endemic.terms import TermSettings, distance_kernel, epidemic_terms
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units, great_circle_km
from forecast.predictive import negbin

ALONE = TermSettings(adjacent=0, country=0, near=0)


def weeks_from(count: int, first: str = "2008-01-05") -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, freq="7D", unit="s", name="week")


def ring(units: int) -> Neighbours:
    at = np.arange(units)
    return Neighbours.from_pairs(at, (at + 1) % units, np.full(units, 100.0), np.full(units, 60.0), units)


def panel_of(counts: np.ndarray, *, located: bool = True, **more: object) -> Panel:
    """Return a panel of two countries on a line of points 0.5 degrees apart, neighbours in a ring."""
    units = counts.shape[1]
    names = [f"unit {at}" for at in range(units)]
    place = {"latitude": np.full(units, 13.0), "longitude": 0.5 * np.arange(units)} if located else {}
    made = Units.of(names, groups=["AB"[2 * at >= units] for at in range(units)], **place)
    more.setdefault("neighbours", ring(units) if units > 2 else None)
    return Panel.of(counts, weeks_from(len(counts)), made, **more)


def some_counts(weeks: int = 200, units: int = 6, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = np.geomspace(0.05, 2.0, units) * np.repeat(rng.gamma(4, 0.25, (weeks // 20 + 1, units)), 20, axis=0)[:weeks]
    return rng.poisson(level * rng.gamma(1.5, 1 / 1.5, (weeks, units)))


TRUTH = {"constant": 0.05, "own 0.25": 0.3, "own 0.03": 0.3, "own mean": 0.1, "adjacent": 0.1, "country": 0.1}
SIZE_TRUTH = (0.4, 1.0)


PARTS = ("own 0.25", "own 0.03", "adjacent", "steady", "log size", "slope")


def steady_parts(parameters: np.ndarray) -> np.ndarray:
    """Return what these counts can tell: `PARTS`.

    All units have the same endemic rate and settle at half an event a week, so that the constant, the mean of all of
    a unit's weeks and that of its country can take each other's place.
    """
    constant, fast, slow, mean, adjacent, country, s0, s1 = parameters
    return np.array([fast, slow, adjacent, constant + 0.5 * (mean + country), s0, s1])


def simulated(seed: int, weeks: int = 624, units: int = 12, amplitude: float = 0.0) -> Panel:
    """Return counts of the model itself, one week ahead, with the parameters `TRUTH` and a season of April."""
    rng = np.random.default_rng(seed)
    panel = panel_of(np.zeros((weeks, units), dtype=int), located=False)
    year = np.asarray((panel.weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=365.25))
    season = np.exp(amplitude * np.cos(2 * np.pi * (year - 0.27)))
    season /= season.mean()
    spread, code = panel.neighbours.mean_weights().toarray(), panel.units.group_codes()
    member = (code[:, None] == code) / np.bincount(code)[code]
    b = list(TRUTH.values())
    means = np.full((5, units), 0.5)  # of weights 0.25, 0.03, all weeks alike, 0.3, 0.05
    counts = np.empty((weeks, units), dtype=int)
    for t in range(weeks):
        level = b[0] + b[1] * means[0] + b[2] * means[1] + b[3] * means[2]
        mean = season[t] * (level + b[4] * spread @ means[3] + b[5] * member @ means[4])
        counts[t] = negbin.sample(mean, np.exp(SIZE_TRUTH[0] + SIZE_TRUTH[1] * np.log(mean)), rng)
        gain = np.array([0.25, 0.03, 1 / (t + 5), 0.3, 0.05])[:, None]
        means += gain * (counts[t] / season[t] - means)
    return replace(panel, counts=counts)


def test_terms_are_exponentially_weighted_means_over_observed_weeks():
    counts = some_counts()
    observed = np.random.default_rng(3).random(counts.shape) < 0.9
    panel = panel_of(counts, observed=observed)
    values = epidemic_terms(TermSettings(own=(0.2,)), panel, np.ones(counts.shape))
    frame = pd.DataFrame(np.where(observed, counts, np.nan))
    own = frame.ewm(alpha=0.2, adjust=True, ignore_na=True).mean().to_numpy()
    # The start at the pooled level is forgotten by then.
    assert np.allclose(values[100:, :, 1], own[100:], atol=1e-3)
    assert np.allclose(values[100:, :, 2], frame.expanding().mean().to_numpy()[100:], atol=0.05)


def test_terms_of_those_around_are_means_of_the_units_own():
    panel = panel_of(some_counts())
    own = epidemic_terms(TermSettings(own=(0.3, 0.15), adjacent=0, country=0, near=0), panel, np.ones((200, 6)))
    values = epidemic_terms(TermSettings(own=(0.1,)), panel, np.ones((200, 6)))
    fast, slow = own[:, :, 1], own[:, :, 2]
    assert np.allclose(values[:, :, 3], (np.roll(fast, 1, axis=1) + np.roll(fast, -1, axis=1)) / 2)
    assert np.allclose(values[:, 0, 4], slow[:, :3].mean(axis=1))
    assert np.allclose(values[:, 5, 4], slow[:, 3:].mean(axis=1))
    assert np.allclose(values[:, :, 5], fast @ distance_kernel(panel, 80.0).toarray().T)


def test_the_distance_kernel_is_that_of_great_circles():
    rng = np.random.default_rng(5)
    units = Units.of([f"u{at}" for at in range(30)], latitude=rng.uniform(8, 20, 30), longitude=rng.uniform(-8, 8, 30))
    panel = Panel.of(np.ones((2, 30), dtype=int), weeks_from(2), units)
    km = great_circle_km(units.latitude[:, None], units.longitude[:, None], units.latitude, units.longitude)
    expected = np.where((km < 5 * 100) & (km > 0), np.exp(-km / 100), 0.0)
    assert np.allclose(distance_kernel(panel, 100.0).toarray(), expected, atol=1e-9)


def test_without_coordinates_only_adjacent_units_are_near():
    panel = panel_of(some_counts(), located=False)
    kernel = distance_kernel(panel, 80.0).toarray()
    assert np.allclose(kernel, np.where(panel.neighbours.border_km.toarray() > 0, np.exp(-60 / 80), 0.0))
    assert not distance_kernel(replace(panel, neighbours=Neighbours.none(6)), 80.0).nnz


def cases_of(counts: np.ndarray, ahead: int = 2, seed: int = 4) -> LinearCases:
    rng = np.random.default_rng(seed)
    terms = np.concatenate([np.ones((*counts.shape, 1)), rng.gamma(1.0, 1.0, (*counts.shape, 2))], axis=2)
    observed = rng.random(counts.shape) < 0.9
    weight = 0.5 ** (np.arange(len(counts))[::-1] / 50)
    return LinearCases(terms, rng.uniform(0.5, 2, counts.shape), counts, observed, weight, ahead)


@pytest.mark.parametrize("large", [1, 200])
def test_the_likelihood_is_that_of_the_negative_binomial(large):
    cases = cases_of(large * some_counts(60))
    at = np.array([0.3, 0.4, 0.2, 0.3, 0.8])
    mean = cases.scale[2:] * (cases.terms[:-2] @ at[:3])
    logs = negbin.logpmf(cases.counts[2:], mean, np.exp(0.3 + 0.8 * np.log(mean)))
    # The factorial of the count is left out.
    known = cases.weight[2:, None] * cases.observed[2:]
    constant = (known * np.vectorize(lambda y: np.log(np.arange(1, y + 1)).sum())(cases.counts[2:])).sum()
    assert cases.loss(at)[0] == pytest.approx(-(known * logs).sum() - constant, rel=1e-9)


@pytest.mark.parametrize("large", [1, 200])
def test_the_gradient_is_that_of_the_likelihood(large):
    cases = cases_of(large * some_counts(60))
    at, gradient = np.array([0.3, 0.4, 0.2, 0.3, 0.8]), np.empty(5)
    for j, step in enumerate(1e-6 * np.eye(5)):
        gradient[j] = (cases.loss(at + step)[0] - cases.loss(at - step)[0]) / 2e-6
    assert cases.loss(at)[1] == pytest.approx(gradient, rel=1e-5)


def test_the_estimate_is_a_maximum_wherever_the_search_begins():
    cases = cases_of(some_counts(150))
    prior = Prior(np.array([0.1, 0.3, 0.3, 0.5, 1.0]), np.full(5, 4.0), 0.5, 0.5)
    ends = [penalised_maximum(cases, prior, begin) for begin in (None, np.array([2.0, 0.0, 1.5, -3.0, 0.1]))]
    assert all(end.converged for end in ends)
    assert ends[0].parameters == pytest.approx(ends[1].parameters, abs=2e-3)

    def loss(parameters: np.ndarray) -> float:
        return cases.loss(parameters)[0] + prior.loss(parameters)[0]

    best = ends[0].parameters
    for step in 0.02 * np.eye(5):
        for moved in (best + step, best - step):
            if (moved[:3] >= 0).all():
                assert loss(moved) > loss(best)


def test_a_term_without_any_value_stays_where_it_was():
    cases = cases_of(some_counts(80))
    terms = cases.terms.copy()
    terms[:, :, 2] = 0
    prior = Prior(np.array([0.1, 0.3, 0.25, 0.5, 1.0]), np.full(5, 4.0), 0.5, 0.5)
    assert penalised_maximum(replace(cases, terms=terms), prior).parameters[2] == 0.25


@pytest.mark.parametrize("size", [1e-3, 0.3, 40.0])
def test_rates_in_common_leave_each_week_negative_binomial(size):
    draws = 40_000
    mean, sizes = np.array([[0.4], [1.5], [3.0]]), size * np.array([[1.0], [2.0], [1.5]])
    paths = RateMemory(0.8, 0.9).sample(mean, sizes, draws, np.random.default_rng(1))
    for week in range(3):
        expected = np.exp(negbin.logpmf(np.arange(6), mean[week], sizes[week]))
        share = np.array([(paths[:, week, 0] == count).mean() for count in range(6)])
        assert (np.abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / draws) + 1e-4).all()


def test_rates_in_common_have_the_covariance_of_the_formula():
    mean, size = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [1.5], [2.0]])
    paths = RateMemory(0.8, 0.9).sample(mean, size, 200_000, np.random.default_rng(2))[:, :, 0]
    found = np.cov(paths.T.astype(float))
    for h, k in ((0, 1), (0, 2), (1, 2)):
        expected = mean[h, 0] * mean[k, 0] * 0.8 * 0.9 ** (k - h) / (size[h, 0] * size[k, 0])
        assert found[h, k] == pytest.approx(expected, rel=0.05)
    assert np.cov(RateMemory(0.0, 0.9).sample(mean, size, 50_000, np.random.default_rng(2))[:, :2, 0].T)[
        0, 1
    ] == pytest.approx(0, abs=0.05)


def test_the_memory_of_rates_is_found_again():
    weeks, units = 2_000, 20
    counts = RateMemory(0.7, 0.8).sample(
        np.full((weeks, units), 2.0), np.full((weeks, units), 1.0), 1, np.random.default_rng(3)
    )[0]
    panel = panel_of(counts)
    constant = np.tile([2.0, 0.0, 0.0], (6, 1))
    found = rate_memory(constant, np.ones((weeks, units, 1)), np.ones((weeks, units)), panel, np.ones(weeks))
    assert found.common == pytest.approx(0.7, abs=0.06)
    assert found.persistence == pytest.approx(0.8, abs=0.03)


def test_two_weeks_without_event_are_as_likely_as_the_likelihood_says():
    memory, mean, size = RateMemory(0.8, 0.7), np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.2, 1.5])
    paths = memory.sample(mean[:, None], size[:, None], 200_000, np.random.default_rng(2))[:, :, 0]
    a, b = mean[0] / size[0], mean[1:] / size[1:]
    silent = (1 + mean / size) ** -size
    expected = silent[0] * silent[1:] * ((1 + a) * (1 + b) / (1 + a + b)) ** (0.8 * 0.7 ** np.array([1, 2]))
    assert [((paths[:, 0] == 0) & (paths[:, at] == 0)).mean() for at in (1, 2)] == pytest.approx(expected, rel=0.01)


def test_a_mean_stays_above_zero():
    mean, size = moments(np.array([0.0]), np.array([0.5, 1.0]))
    assert mean > 0
    assert np.isfinite(size)


def fit(panel: Panel, **settings: object):
    return DirectEndemic(**settings).fit(panel, np.random.default_rng(1))


def test_the_coefficients_that_made_the_counts_are_found():
    settings = {
        "harmonics": 0,
        "horizons": 1,
        "half_life_weeks": 1e6,
        "ridge": 1e-3,
        "terms": TermSettings(country=0.05, near=0),
    }
    found = np.mean([steady_parts(fit(simulated(seed), **settings).parameters[0]) for seed in range(6)], axis=0)
    assert found == pytest.approx(steady_parts([*TRUTH.values(), *SIZE_TRUTH]), abs=0.08)


def test_a_season_shows_in_the_forecast_at_the_target_week():
    fitted = fit(simulated(2, amplitude=0.7))
    mean = fitted.predict(52, 100, np.random.default_rng(1)).mean().sum(axis=1)
    peak = fitted.target_weeks(52)[int(np.argmax(mean))]
    assert 3 <= peak.month <= 5
    assert 1.5 < mean.max() / mean.min() < 8


def test_a_warm_start_ends_where_a_cold_one_does():
    panel = panel_of(some_counts(300))
    family = DirectEndemic()
    early = family.fit(panel.weeks_between(0, 250), np.random.default_rng(1))
    cold, warm = family.fit(panel, np.random.default_rng(1)), family.refit(panel, np.random.default_rng(1), early)
    assert warm.parameters == pytest.approx(cold.parameters, abs=5e-3)
    assert warm.moments(8)[0] == pytest.approx(cold.moments(8)[0], rel=1e-3)


def test_a_fit_of_other_terms_is_no_start():
    panel = panel_of(some_counts(150))
    other = fit(panel, terms=ALONE)
    family = DirectEndemic()
    again = family.refit(panel, np.random.default_rng(1), other)
    assert np.array_equal(again.parameters, family.fit(panel, np.random.default_rng(1)).parameters)


def test_a_short_history_says_what_it_could_not_carry():
    remarks = fit(panel_of(some_counts(4))).remarks
    assert any("no season: a history of 4 weeks" in remark for remark in remarks)
    assert any("no coefficients 4 weeks ahead" in remark and "those 3 ahead" in remark for remark in remarks)
    assert any("usual ones" in remark for remark in fit(panel_of(some_counts(1))).remarks)
    assert fit(panel_of(some_counts(150))).remarks == ()
    silent = fit(panel_of(np.zeros((150, 6), dtype=int)))
    assert any("no event in the history" in remark for remark in silent.remarks)
    assert 0 < silent.moments(1)[0].sum() * 150 < 2


def test_neighbours_coordinates_and_further_units_are_not_needed():
    counts = some_counts(150)
    plain = panel_of(counts, located=False, neighbours=None)
    assert np.isfinite(fit(plain).moments(8)[0]).all()
    assert np.isfinite(fit(plain.select(["unit 5"])).moments(8)[0]).all()
    assert fit(panel_of(counts)).update(plain).moments(2)[0].shape == (2, 6)


def test_exposure_scales_the_endemic_part_whatever_its_unit():
    counts = some_counts(150)
    exposure = np.array([1.0, 1.0, 1.0, 4.0, 4.0, 4.0])
    one, other = (fit(panel_of(counts, exposure=exposure * unit)).moments(3)[0] for unit in (1.0, 1e6))
    assert other == pytest.approx(one, rel=1e-6)


def test_beyond_the_last_horizon_only_the_season_moves():
    fitted = fit(simulated(2, amplitude=0.7))
    mean, _ = fitted.moments(60)
    factors = fitted.season.factors(fitted.target_weeks(60), fitted.panel.units)
    level = mean / factors
    assert np.allclose(level[7:], level[7])


def test_a_mean_is_kept_below_a_multiple_of_the_largest_count():
    panel = panel_of(some_counts(150))
    fitted = fit(panel, largest_multiple=1.0)
    wild = replace(fitted, parameters=np.full_like(fitted.parameters, 50.0))
    assert wild.moments(3)[0].max() == panel.counts.max()


def test_the_summary_names_every_horizon():
    table = fit(simulated(1), horizons=2, terms=ALONE).summary()
    assert "own 0.25, 1 ahead" in table.index
    assert "log size, 2 ahead" in table.index
    assert {"rate in common", "persistence of it", "season, A"} <= set(table.index)


@pytest.mark.slow
def test_recovery_over_a_hundred_panels():
    """Bias of the coefficients, and coverage of the forecasts, of 100 panels of 12 units and 12 years."""
    truth = steady_parts([*TRUTH.values(), *SIZE_TRUTH])
    settings = {"horizons": 4, "half_life_weeks": 1e6, "ridge": 1e-3, "terms": TermSettings(country=0.05, near=0)}
    rows, inside, sums = [], [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        panel = simulated(seed, amplitude=0.5)
        known, ahead = panel.weeks_between(0, 620), panel.counts[620:]
        fitted = DirectEndemic(**settings).fit(known, rng)
        rows.append(steady_parts(fitted.parameters[0]))
        forecast = fitted.predict(4, 2000, rng)
        cdf = np.concatenate([np.zeros((4, 12, 1)), np.cumsum(forecast.pmf, axis=2)], axis=2)
        top = np.minimum(ahead, cdf.shape[2] - 2)[..., None]
        pit = np.concatenate([np.take_along_axis(cdf, top + side, axis=2) for side in (0, 1)], axis=2)
        inside.append(pit[..., 0] + rng.random(pit.shape[:2]) * (pit[..., 1] - pit[..., 0]))
        total, drawn = ahead.sum(axis=0), forecast.paths.sum(axis=1)
        below, upto = (drawn < total).mean(axis=0), (drawn <= total).mean(axis=0)
        sums.append(below + rng.random(12) * (upto - below))
    found = pd.DataFrame(rows, columns=PARTS)
    print(pd.DataFrame({"truth": truth, "mean": found.mean(), "sd": found.std()}).round(3).to_string())
    for pits in (np.stack(inside), np.stack(sums)):
        for level in (0.5, 0.8, 0.95):
            share = (np.abs(pits - 0.5) < level / 2).mean()
            print(pits.shape, level, share.round(4))
            assert share == pytest.approx(level, abs=0.03)
    assert np.abs(found.mean().to_numpy() - truth).max() < 0.05
