"""When a step has earned its place."""

import numpy as np
import pytest

from forecast.combination.earned import earned

WEEK = np.arange(130)


def scores(gain, seed=1, spread=0.5):
    """Two scores of one group, the second step better by a share, with noise that quarters have in common."""
    rng = np.random.default_rng(seed)
    before = rng.gamma(4, 0.25, (2, len(WEEK), 1))
    noise = np.repeat(rng.normal(0, spread, 10), 13)[None, :, None]
    return before, before * (1 - gain - noise * 0.1)


def test_a_sure_gain_earns_and_a_loss_does_not():
    before, after = scores(0.1)
    assert earned(before, after, before[0], WEEK, least=52).all()
    assert not earned(after, before, before[0], WEEK, least=52).any()


def test_one_score_that_became_worse_is_enough_to_refuse():
    before, after = scores(0.2)
    after[1] = 1.01 * before[1]
    assert not earned(before, after, before[0], WEEK, least=52).any()


def test_too_few_origins_earn_nothing():
    before, after = scores(0.3)
    assert not earned(before[:, :51], after[:, :51], before[0, :51], WEEK[:51], least=52).any()


def test_groups_without_cases_or_scores_earn_nothing():
    nothing = np.zeros((1, 130, 2))
    assert not earned(nothing, nothing, nothing[0], WEEK, least=26).any()


def test_chance_alone_earns_about_as_often_as_stated():
    rng = np.random.default_rng(3)
    before = np.ones((1, 130, 2000))
    on = earned(before, before + rng.normal(0, 0.2, before.shape), before[0], WEEK, least=52)
    assert on.mean() == pytest.approx(0.05, abs=0.02)
