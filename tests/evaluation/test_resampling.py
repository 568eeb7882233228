import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.resampling import block_bootstrap, bootstrap_interval, sums_by, week_numbers


def test_bootstrap_draws_whole_blocks_in_a_circle():
    drawn = block_bootstrap(26, 4000, np.random.default_rng(1))
    assert drawn.shape == (4000, 26)
    assert (drawn.sum(axis=1) == 26).all()
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.06)
    one = block_bootstrap(26, 1, np.random.default_rng(2), block=26)
    assert (one == 1).all()
    # Two blocks of 13: each week is drawn 0, 1 or 2 times, in runs around the circle.
    changes = (np.diff(np.c_[drawn, drawn[:, :1]], axis=1) != 0).sum(axis=1)
    assert changes.max() <= 4
    with pytest.raises(InputError, match="0 items"):
        block_bootstrap(0, 1, np.random.default_rng(1))


def test_weeks_of_dates_and_numbers():
    dates = pd.date_range("2025-12-27", periods=4, freq="7D")
    assert week_numbers(dates).tolist() == week_numbers(pd.Series(dates)).tolist() == [0, 1, 2, 3]
    assert week_numbers(dates.to_numpy()).tolist() == [0, 1, 2, 3]
    assert week_numbers([]).tolist() == []


def test_sums_by_label_of_columns():
    assert sums_by(np.array([1, 1]), np.array([[1.0, 2.0], [3.0, 4.0]]), 3).tolist() == [[0, 0], [4, 6], [0, 0]]
    assert sums_by(np.empty(0, int), np.empty((0, 2)), 1).tolist() == [[0, 0]]


def test_intervals_hold_the_mean_as_often_as_they_say_though_weeks_depend_on_each_other():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(300):
        x = rng.normal(size=156)
        for week in range(1, 156):
            x[week] += 0.3 * x[week - 1]
        low, high = bootstrap_interval(x[:, None], np.ones((156, 1)), rng, replicates=300)
        held.append(low[0] <= 0 <= high[0])
    assert 0.83 < np.mean(held) < 0.95


def test_too_few_weeks_and_nothing_to_divide_by():
    rng = np.random.default_rng(1)
    assert np.isnan(bootstrap_interval(np.ones((25, 1)), np.ones((25, 1)), rng)).all()
    low, high = bootstrap_interval(np.ones((26, 2)), np.tile([1.0, 0.0], (26, 1)), rng)
    assert low[0] == high[0] == 1
    assert np.isnan([low[1], high[1]]).all()
