"""Levels that follow what came: coverage in the long run, whatever comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import nbinom, poisson

from forecast.combination.conformal_levels import (
    adaptive_error_bound,
    adaptive_levels,
    level_limits,
    pid_error_bound,
    pid_levels,
    share_below,
)
from forecast.errors import InputError

SEQUENCES = arrays(np.float64, (60, 2), elements=st.floats(0, 1, width=32)).map(lambda raw: np.sort(raw, axis=1))
STEPS = 200
TARGETS = st.floats(0.02, 0.98)
DELAYS = st.integers(1, 8)


def error(pairs, levels, target):
    known = [t for t in range(len(pairs)) if np.isfinite(pairs[t]).all()]
    return abs(np.mean([share_below(pairs[t].reshape(-1, 2), levels[t])[0] for t in known]) - target)


@given(pairs=SEQUENCES, target=TARGETS, delay=DELAYS, rate=st.floats(0.005, 1.0), start=st.floats(0, 1))
def test_the_error_of_adaptive_levels_is_bounded_for_any_sequence(pairs, target, delay, rate, start):
    levels = adaptive_levels(pairs, [target], rate=rate, delay=delay, start=[start])
    assert error(pairs, levels, target) <= adaptive_error_bound(60, target, rate=rate, delay=delay, start=start) + 1e-9
    assert levels.min() >= -delay * rate * (1 - target) - 1e-9
    assert levels.max() <= 1 + delay * rate * target + 1e-9


@given(
    pairs=SEQUENCES,
    target=TARGETS,
    delay=DELAYS,
    rate=st.floats(0.0, 1.0),
    saturation=st.floats(0.05, 1.0),
    seed=st.integers(0, 99),
)
def test_the_error_of_pid_levels_is_bounded_for_any_sequence(pairs, target, delay, rate, saturation, seed):
    expected = np.random.default_rng(seed).normal(0, 1, (61, 1))  # even if what is expected is nonsense
    levels = pid_levels(pairs, [target], rate=rate, saturation=saturation, delay=delay, expected=expected)
    assert error(pairs, levels, target) <= pid_error_bound(60, saturation=saturation, delay=delay) + 1e-9


@pytest.mark.parametrize("follow", [adaptive_levels, pid_levels])
@pytest.mark.parametrize("delay", [1, 4])
def test_an_adversary_who_sees_the_level_cannot_do_more(follow, delay):
    """Each PIT is put just where it is not covered, or just where it is, in long runs."""
    pairs = np.full((STEPS, 2), np.nan)
    for t in range(STEPS):
        level = follow(pairs[:t], [0.9], delay=delay)[-1, 0] if t else 0.9
        place = np.clip(level + (0.01 if (t // 50) % 2 == 0 else -0.01), 0, 1)
        pairs[t] = place, place
    bound = adaptive_error_bound if follow is adaptive_levels else pid_error_bound
    extra = (0.9,) if follow is adaptive_levels else ()
    assert error(pairs, follow(pairs, [0.9], delay=delay), 0.9) <= bound(STEPS, *extra, delay=delay) + 1e-9


@pytest.mark.parametrize("follow", [adaptive_levels, pid_levels])
def test_nothing_that_is_not_yet_known_moves_a_level(follow):
    rng = np.random.default_rng(1)
    pairs = np.sort(rng.random((50, 3, 2)), axis=2)
    levels = follow(pairs, [0.1, 0.9], delay=4)
    changed = pairs.copy()
    changed[20:] = [0.0, 1.0]
    again = follow(changed, [0.1, 0.9], delay=4)
    assert np.array_equal(levels[:24], again[:24])
    assert not np.array_equal(levels[24], again[24])
    assert np.array_equal(follow(pairs[:20], [0.1, 0.9], delay=4), levels[:21])


@pytest.mark.parametrize("follow", [adaptive_levels, pid_levels])
def test_a_forecaster_that_becomes_too_narrow_is_followed(follow):
    rng = np.random.default_rng(2)
    steps, cells = 600, 20
    mean = rng.gamma(2.0, 3.0, (steps, cells))
    came = rng.negative_binomial(2, 2 / (2 + mean))
    size = np.where(np.arange(steps) < 200, 2.0, 50.0)[:, None]
    pairs = np.stack(
        [nbinom.cdf(came - 1, size, size / (size + mean)), nbinom.cdf(came, size, size / (size + mean))], -1
    )
    levels = follow(pairs, [0.05, 0.95])

    def covered(t):
        low, high = share_below(pairs[t], levels[t])
        return high - low

    stated = np.mean([np.diff(share_below(pairs[t], [0.05, 0.95])) for t in range(400, 600)])
    assert stated < 0.7
    assert np.mean([covered(t) for t in range(400, 600)]) == pytest.approx(0.9, abs=0.03)
    assert np.mean([covered(t) for t in range(200)]) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("follow", [adaptive_levels, pid_levels])
def test_levels_of_a_sparse_region_do_not_collapse(follow):
    """98 % zeros, as forecast: yes-or-no coverage would sink the upper level until nothing was covered at all."""
    rng = np.random.default_rng(3)
    came = rng.poisson(0.02, 3000)
    pairs = np.column_stack([poisson.cdf(came - 1, 0.02), poisson.cdf(came, 0.02)])
    levels = follow(pairs, [0.05, 0.95])[:, 1]
    assert levels.min() > 0.85
    assert levels.max() < 1.0
    yes_or_no = 0.95
    for count in came:
        yes_or_no += 0.02 * (
            0.95 - (poisson.cdf(count, 0.02) <= poisson.cdf(poisson.ppf(max(yes_or_no, 1e-9), 0.02), 0.02))
        )
    assert yes_or_no < 0.1
    limits = level_limits(np.tile(poisson.pmf(range(9), 0.02), (3001, 1)), np.full(3001, 0.05), levels)
    assert np.isin(limits, (0, 1)).all()


def test_a_right_forecaster_is_left_nearly_alone():
    rng = np.random.default_rng(4)
    mean = rng.gamma(2.0, 2.0, (500, 10))
    came = rng.poisson(mean)
    pairs = np.stack([poisson.cdf(came - 1, mean), poisson.cdf(came, mean)], axis=-1)
    for follow in (adaptive_levels, pid_levels):
        levels = follow(pairs, [0.05, 0.5, 0.95])
        assert np.abs(levels - [0.05, 0.5, 0.95]).mean() < 0.03


def test_steps_without_outcomes_change_nothing():
    pairs = np.array([[[0.5, 1.0]], [[np.nan, np.nan]], [[0.5, 1.0]]])
    for follow in (adaptive_levels, pid_levels):
        levels = follow(pairs, [0.5])
        assert levels[1] == levels[2]
        short = follow(pairs[[0, 2]], [0.5])
        np.testing.assert_allclose(levels[-1], short[-1])


def test_limits_are_whole_numbers_that_cover_what_lies_between_the_levels():
    pmf = nbinom.pmf(np.arange(60), 2, 0.3)
    cdf = np.cumsum(pmf)
    for low, high in ((0.05, 0.95), (0.25, 0.75), (-0.1, 1.2), (0.6, 0.4)):
        smallest, largest = level_limits(pmf, low, high)
        touched = np.flatnonzero((cdf > min(low, high)) & (np.r_[0, cdf[:-1]] < max(low, high)))
        assert (smallest, largest) == (touched[0], touched[-1])
    assert level_limits(np.tile(pmf, (2, 3, 1)), 0.1, 0.9).shape == (2, 3, 2)
    assert level_limits([0.5, 0.5], np.inf, np.inf).tolist() == [1, 1]
    assert level_limits([0.5, 0.5], -np.inf, -np.inf).tolist() == [0, 0]


@pytest.mark.parametrize("follow", [adaptive_levels, pid_levels])
def test_bad_input_is_refused(follow):
    for bad in ({"target": [1.0]}, {"start": [0.5, 0.5]}, {"start": [1.5]}, {"delay": 0}, {"rate": -1.0}):
        with pytest.raises(InputError):
            follow([[0.1, 0.2]], **{"target": [0.5], **bad})
    with pytest.raises(InputError, match="pairs of shape"):
        follow([0.1, 0.2], [0.5])
    with pytest.raises(InputError, match="expected changes"):
        pid_levels([[0.1, 0.2]], [0.5], expected=[[0.0]])
