"""The nowcast against simulated vintages of known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import estimate_delay
from forecast.panel.reporting_triangle import triangle_from_vintages
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.predictive.nowcast import nowcast, with_last_weeks
from forecast.simulation.vintages import VintageSettings, simulate_vintages

WEEKS = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
UNITS = Units.of([f"unit {at}" for at in range(6)])
ONE_CLASS = dict.fromkeys(UNITS.names, "all")
LAST = 4


@dataclass(frozen=True)
class Trial:
    """Scores of nowcasts of the last four weeks at many origins: arrays (origins, weeks, units)."""

    crps: np.ndarray
    face_value: np.ndarray  # absolute errors, the CRPS of a point
    chain_ladder: np.ndarray
    inside: np.ndarray  # 90 % interval
    inside_randomised: np.ndarray
    expected: np.ndarray
    final: np.ndarray


def crps_of(samples, truth):
    """Mean distance to the truth less half the mean distance between samples, by sorting."""
    ordered = np.sort(samples, axis=0)
    number = len(ordered)
    weight = (2 * np.arange(1, number + 1) - number - 1) / number**2
    return np.abs(samples - truth).mean(axis=0) - np.tensordot(weight, ordered, axes=1)


def trial(seed, every=5, draws=400, **settings):
    rng = np.random.default_rng(seed)
    history = simulate_vintages(VintageSettings(**settings), WEEKS, UNITS, rng)
    longest = len(VintageSettings().delay) - 1
    results = []
    for origin in list(history.known)[59::every]:
        then = {day: panel for day, panel in history.known.items() if day <= origin}
        delay = estimate_delay(triangle_from_vintages(then, max_delay=longest, classes=ONE_CLASS))
        panel = history.known[origin]
        paths = nowcast(panel, delay, draws, rng)[:, -LAST:]
        weeks = len(panel.weeks)
        truth, known = history.final.counts[weeks - LAST : weeks], panel.counts[-LAST:]
        share = delay.cdf()[0][np.arange(LAST)[::-1], None]
        low, high = np.quantile(paths, [0.05, 0.95], axis=0, method="inverted_cdf")
        rank = (paths < truth).mean(axis=0) + rng.random(truth.shape) * (paths == truth).mean(axis=0)
        results.append(
            (
                crps_of(paths, truth),
                np.abs(known - truth),
                np.abs((known + 1 - share) / share - truth),
                (low <= truth) & (truth <= high),
                (rank > 0.05) & (rank < 0.95),
                paths.mean(axis=0),
                truth,
            )
        )
    return Trial(*(np.array(column) for column in zip(*results, strict=True)))


def pooled(trials, name):
    return np.concatenate([getattr(one, name) for one in trials])


CASES = {
    "one by one": {"mean": 20},
    "in batches": {"mean": 20, "batching": 0.1},
    "false events": {"mean": 20, "false_share": 0.05},
}


@pytest.mark.parametrize("case", CASES)
def test_nowcast_beats_the_counts_at_face_value_and_knows_how_sure_it_is(case):
    trials = [trial(seed, **CASES[case]) for seed in range(4)]
    for one in trials:
        assert one.crps.mean() < 0.7 * one.face_value.mean()
    crps = pooled(trials, "crps")
    assert (crps.mean(axis=(0, 2)) < pooled(trials, "face_value").mean(axis=(0, 2))).all()
    assert crps.mean() < pooled(trials, "chain_ladder").mean()
    assert 0.85 <= pooled(trials, "inside").mean() <= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_over_many_histories_each_week_is_covered_as_it_should_be(case):
    trials = [trial(seed, every=2, **CASES[case]) for seed in range(100, 125)]
    assert 0.85 <= pooled(trials, "inside").mean() <= 0.95
    assert (np.abs(pooled(trials, "inside_randomised").mean(axis=(0, 2)) - 0.9) < 0.05).all()
    better = [one.crps.mean() < one.face_value.mean() for one in trials]
    assert all(better)


def test_an_early_batch_is_not_taken_for_a_bad_week():
    trials = [trial(seed, mean=20, batching=0.15) for seed in range(6)]
    assert pooled(trials, "expected").sum() / pooled(trials, "final").sum() == pytest.approx(1, abs=0.03)
    assert 0.85 <= pooled(trials, "inside").mean() <= 0.95


def test_few_events_are_covered_too():
    trials = [trial(seed, mean=1) for seed in range(6)]
    # An interval of whole numbers holds more than it says; randomised ranks do not.
    assert 0.85 <= pooled(trials, "inside_randomised").mean() <= 0.95
    assert pooled(trials, "crps").mean() < pooled(trials, "face_value").mean()


@pytest.fixture(scope="module")
def known():
    """A panel as known at the last origin, and the delay estimated then."""
    history = simulate_vintages(VintageSettings(), WEEKS, UNITS, np.random.default_rng(3))
    delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7))
    return history.known[WEEKS[-1] + WEEK], delay


def test_paths_are_whole_numbers_of_the_incomplete_weeks_and_never_below_what_is_known(known):
    panel, delay = known
    paths = nowcast(panel, delay, 50, np.random.default_rng(1))
    assert paths.shape == (50, 7, 6)
    assert paths.dtype == np.int64
    assert (paths >= panel.counts[-7:]).all()
    more = (paths - panel.counts[-7:]).mean(axis=(0, 2))
    assert more[-1] > more[-3] > more[0] > 0


def test_same_seed_same_paths(known):
    panel, delay = known
    one, two = (nowcast(panel, delay, 20, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_deletions_take_known_events_away():
    history = simulate_vintages(VintageSettings(false_share=0.3), WEEKS, UNITS, np.random.default_rng(3))
    delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7, classes=ONE_CLASS))
    panel = history.known[WEEKS[-1] + WEEK]
    paths = nowcast(panel, delay, 200, np.random.default_rng(1))
    assert (paths < panel.counts[-7:]).any()


def test_weeks_without_a_count_stay_without(known):
    panel, delay = known
    observed = np.ones(panel.counts.shape, bool)
    observed[-1, 2] = False
    holed = Panel.of(panel.counts, panel.weeks, panel.units, observed=observed)
    assert (nowcast(holed, delay, 50, np.random.default_rng(1))[:, -1, 2] == 0).all()


def test_a_quiet_week_of_a_busy_unit_may_still_fill_up(known):
    panel, delay = known
    counts = panel.counts.copy()
    counts[-1] = 0
    silent = Panel.of(counts, panel.weeks, panel.units)
    last = nowcast(silent, delay, 500, np.random.default_rng(1))[:, -1]
    busy = int(panel.counts.sum(axis=0).argmax())
    assert last[:, busy].mean() > 1
    assert (last == 0).any(axis=0).all()


def test_a_short_panel_and_one_without_events_can_be_nowcast(known):
    panel, delay = known
    short = panel.weeks_between(101, 104)
    assert nowcast(short, delay, 10, np.random.default_rng(1)).shape == (10, 3, 6)
    empty = Panel.of(np.zeros_like(panel.counts), panel.weeks, panel.units)
    assert nowcast(empty, delay, 200, np.random.default_rng(1)).mean() < 0.05


def test_a_path_takes_the_place_of_the_last_weeks(known):
    panel, delay = known
    path = nowcast(panel, delay, 1, np.random.default_rng(1))[0]
    drawn = with_last_weeks(panel, path)
    np.testing.assert_array_equal(drawn.counts[-7:], path)
    np.testing.assert_array_equal(drawn.counts[:-7], panel.counts[:-7])
    for wrong in (path[:, :2], path[0], np.zeros((200, 6), int)):
        with pytest.raises(InputError, match="nowcast of shape"):
            with_last_weeks(panel, wrong)


def test_no_draws_are_refused(known):
    with pytest.raises(InputError, match="0 draws"):
        nowcast(*known, 0, np.random.default_rng(1))
