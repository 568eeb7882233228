"""The annual season: found where there is one, none where there is not."""

import numpy as np
import pandas as pd
import pytest

from forecast.families.season import LEAST_WEEKS, Season, shrunk
from forecast.panel.panel import Panel
from forecast.panel.units import Units

YEAR = 365.25


def wave(weeks: pd.DatetimeIndex, amplitude: float, peak: float) -> np.ndarray:
    year = np.asarray((weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=YEAR), dtype=float)
    return np.exp(amplitude * np.cos(2 * np.pi * (year - peak)))


def panel_of(amplitudes: dict[str, float], *, weeks: int = 520, level: float = 0.6, seed: int = 1, growth=0.0) -> Panel:
    """Return counts of four units a country whose levels wander and grow; the season peaks in April."""
    rng = np.random.default_rng(seed)
    first = pd.date_range("2008-01-05", periods=weeks, freq="7D", unit="s", name="week")
    groups = [name for name in amplitudes for _ in range(4)]
    season = np.column_stack([wave(first, amplitudes[group], 0.27) for group in groups])
    years = np.arange(weeks) / 52
    level = level * np.exp(growth * (years - years.mean()))[:, None] * rng.gamma(2.0, 0.5, len(groups))
    bursts = np.repeat(rng.gamma(2.0, 0.5, (weeks // 4 + 1, len(groups))), 4, axis=0)[:weeks]
    counts = rng.poisson(level * bursts * season)
    return Panel.of(counts, first, Units.of([f"{g}/{i}" for i, g in enumerate(groups)], groups=groups))


def swing(season: Season, panel: Panel) -> np.ndarray:
    """Return the log of the highest over the lowest factor of each unit."""
    factors = season.factors(panel.weeks, panel.units)
    return np.log(factors.max(axis=0) / factors.min(axis=0))


def test_a_season_is_found_in_height_and_time():
    panel = panel_of({"A": 0.6, "B": 0.6})
    season = Season.estimate(panel, half_life_weeks=520)
    truth = wave(panel.weeks, 0.6, 0.27)
    ratio = season.factors(panel.weeks, panel.units)[:, 0] / (truth / truth.mean())
    assert np.abs(np.log(ratio)).max() < 0.2


def test_growing_violence_is_not_taken_for_a_season():
    panels = [panel_of({"A": 0.0, "B": 0.0}, growth=0.7, level=2.0, seed=seed) for seed in range(6)]
    swings = [swing(Season.estimate(panel, half_life_weeks=104), panel).max() for panel in panels]
    assert np.mean(swings) < 0.2


def test_countries_differ_where_the_data_show_it():
    panel = panel_of({"A": 0.8, "B": 0.0, "C": 0.8, "D": 0.0}, level=2.0)
    found = swing(Season.estimate(panel, half_life_weeks=520), panel)[::4]
    assert (found[[0, 2]] > 1.0).all()
    assert (found[[1, 3]] < 0.5).all()


def test_a_country_of_few_events_and_an_unknown_one_follow_the_others():
    panel = panel_of({"A": 0.6, "B": 0.6, "C": 0.6}, level=2.0)
    thin = panel.counts.copy()
    thin[:, 8:] = 0
    thin[[200, 300], 8] = 1
    panel = Panel.of(thin, panel.weeks, panel.units)
    season = Season.estimate(panel, half_life_weeks=520)
    known, unknown = swing(season, panel)[::4], season.factors(panel.weeks, Units.of(["X"], groups=["X"]))[:, 0]
    assert known[2] == pytest.approx(known[:2].mean(), rel=0.2)
    assert np.log(unknown.max() / unknown.min()) == pytest.approx(known[:2].mean(), rel=0.2)


def test_pooling_takes_a_country_at_its_word_or_denies_a_season():
    panel = panel_of({"A": 0.5, "B": 0.1})
    own, usual, none = (Season.estimate(panel, half_life_weeks=520, pooling=p) for p in (0.0, 1.0, 1e6))
    assert swing(own, panel)[0] >= swing(usual, panel)[0] > swing(none, panel)[0]
    assert swing(none, panel).max() == 0


@pytest.mark.parametrize("harmonics", [1, 2])
def test_factors_have_mean_one_over_a_year(harmonics):
    season = Season(("A",), np.full((1, 2 * harmonics), 0.7), np.full(2 * harmonics, -0.4))
    weeks = pd.date_range("2000-01-01", periods=1461, freq="7D")  # 28 years are whole weeks
    assert season.factors(weeks, Units.of(["a", "b"], groups=["A", "B"])).mean(axis=0) == pytest.approx(1, abs=1e-3)


def test_two_harmonics_follow_a_season_of_two_peaks():
    panel = panel_of({"A": 0.0}, level=6.0)
    two = wave(panel.weeks, 0.0, 0.0) * np.exp(0.8 * np.cos(4 * np.pi * np.arange(520) / (YEAR / 7)))
    counts = np.random.default_rng(2).poisson(6.0 * two[:, None], (520, 4))
    panel = Panel.of(counts, panel.weeks, panel.units)
    assert swing(Season.estimate(panel, half_life_weeks=520, harmonics=2), panel)[0] == pytest.approx(1.6, rel=0.15)
    assert swing(Season.estimate(panel, half_life_weeks=520, harmonics=1), panel)[0] < 0.2


@pytest.mark.parametrize("weeks", [1, 2, 51, LEAST_WEEKS - 1])
def test_a_short_history_has_no_season(weeks):
    panel = panel_of({"A": 1.0}, weeks=weeks)
    assert (Season.estimate(panel, half_life_weeks=104).factors(panel.weeks, panel.units) == 1).all()


@pytest.mark.parametrize("case", ["silent", "one event", "always 3", "unknown", "10,000", "missing weeks", "two years"])
def test_panels_at_the_edge_have_next_to_no_season(case):
    counts, observed = np.zeros((LEAST_WEEKS if case == "two years" else 260, 3), dtype=int), None
    match case:
        case "one event":
            counts[130, 1] = 1
        case "always 3" | "two years":
            counts[:] = 3
        case "10,000":
            counts[:, 0] = np.random.default_rng(1).poisson(10_000, 260)
        case "unknown":
            counts[:], observed = 3, np.zeros(counts.shape, dtype=bool)
        case "missing weeks":
            observed = np.random.default_rng(1).random(counts.shape) < 0.5
            counts[:] = 3
    weeks = pd.date_range("2010-01-02", periods=len(counts), freq="7D", unit="s")
    panel = Panel.of(counts, weeks, Units.of(["a", "b", "c"], groups=["A", "A", "B"]), observed=observed)
    assert np.abs(np.log(Season.estimate(panel, half_life_weeks=104).factors(weeks, panel.units))).max() < 0.1


def test_weeks_not_observed_are_not_weeks_without_events():
    panel = panel_of({"A": 0.6, "B": 0.6}, level=2.0)
    observed = np.ones(panel.counts.shape, dtype=bool)
    month = np.asarray(panel.weeks.month)
    observed[(month == 4) & (np.asarray(panel.weeks.year) % 2 == 0)] = False
    holes = Panel.of(panel.counts, panel.weeks, panel.units, observed=observed)
    whole, seen = (Season.estimate(item, half_life_weeks=520) for item in (panel, holes))
    assert swing(seen, panel) == pytest.approx(swing(whole, panel), abs=0.2)


def test_the_order_of_units_does_not_matter():
    panel = panel_of({"A": 0.6, "B": 0.2})
    names = panel.units.names
    turned = panel.select([names[at] for at in (5, 0, 7, 2, 3, 6, 1, 4)])
    one, other = (Season.estimate(item, half_life_weeks=104) for item in (panel, turned))
    assert np.allclose(one.coefficients, other.coefficients, atol=1e-6)


def test_shrinkage_of_exact_and_of_useless_estimates():
    estimates = np.array([[1.0, 0.5], [0.8, 0.4], [1.2, 0.6]])
    exact, mean = shrunk(estimates, np.full((3, 2, 2), 1e-9) * np.eye(2))
    assert np.allclose(exact, estimates, atol=1e-3)
    assert np.allclose(mean, [1.0, 0.5], atol=0.02)
    useless, mean = shrunk(estimates, np.full((3, 2, 2), 1e3) * np.eye(2))
    assert np.allclose(useless, 0)
    assert np.allclose(mean, 0)
