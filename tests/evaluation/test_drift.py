"""Drift of forecasts: right ones raise no more alarms than stated, wrong ones do soon."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.control_chart import WEEKS_BETWEEN_FALSE_ALARMS
from forecast.evaluation.drift import count_ranks, drift_charts, score_ranks, weekly
from forecast.evaluation.scores import crps_pmf

SIZE, COUNTS = 0.8, 60


def simulated(seed, weeks=104, regions=10, common=0.0, change=None, factor=1.0):
    """Return pmf, counts and weeks: regions share a shock; from a week on there is a factor that nobody forecast."""
    rng = np.random.default_rng([seed, regions])
    mean = rng.lognormal(np.log(rng.lognormal(-0.5, 1.2, regions)), 0.3, (weeks, regions))
    shock, own = rng.standard_normal((weeks, 1)), rng.standard_normal((weeks, regions))
    rank = stats.norm.cdf(np.sqrt(common) * shock + np.sqrt(1 - common) * own)
    came = mean * np.where(np.arange(weeks) >= (weeks if change is None else change), factor, 1.0)[:, None]
    counts = stats.nbinom.ppf(rank, SIZE, SIZE / (SIZE + came)).astype(np.int64)
    pmf = stats.nbinom.pmf(np.arange(COUNTS), SIZE, SIZE / (SIZE + mean[..., None]))
    week = pd.date_range("2024-01-06", periods=weeks, freq="7D").repeat(regions)
    return pmf.reshape(-1, COUNTS), counts.ravel(), week


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_ranks_have_the_mean_and_variance_of_right_forecasts(weights, seed):
    p = np.array(weights) / sum(weights) * np.random.default_rng(seed).uniform(0.6, 1)
    every = np.arange(len(p) + 1)
    mass = np.r_[p, 1 - p.sum()]
    for ranks in (count_ranks, score_ranks):
        found = ranks(np.tile(p, (len(every), 1)), every)
        assert mass @ found.middle == pytest.approx(0, abs=1e-12)
        assert mass @ found.middle**2 == pytest.approx(found.variance[0], abs=1e-9)
        assert np.ptp(found.variance) < 1e-12


def test_scores_are_ranked_as_the_crps_ranks_them():
    p = np.array([0.1, 0.4, 0.3, 0.15, 0.05])
    every = np.arange(5)
    found = score_ranks(np.tile(p, (5, 1)), every).middle
    assert np.argsort(found).tolist() == np.argsort(crps_pmf(np.tile(p, (5, 1)), every)).tolist()


def test_counts_beyond_the_pmf_have_the_rest_of_the_mass():
    found = count_ranks(np.array([[0.6, 0.3]]), np.array([9]))
    assert found.middle[0] == pytest.approx(2 * (0.9 + 0.05) - 1)


def test_what_could_only_turn_out_one_way_tells_nothing():
    found = count_ranks(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 1]))
    assert np.isnan(weekly(found, np.array([0, 1]), 2)).tolist() == [True, False]


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError):
        count_ranks(np.ones((2, 3)) / 3, np.array([0]))
    with pytest.raises(InputError):
        score_ranks(np.ones((1, 3)) / 3, np.array([-1]))


@pytest.mark.parametrize(("regions", "common"), [(4, 0.0), (12, 0.3)])
def test_right_forecasts_raise_false_alarms_as_seldom_as_stated(regions, common):
    """Also where regions of a week depend on each other, which nothing tells the chart."""
    replicates, weeks = 150, 104
    raised = {"pit": 0, "score": 0}
    for seed in range(replicates):
        for name, chart in drift_charts(*simulated(seed, weeks, regions, common)).items():
            raised[name] += bool(chart.alarms)
    stated = 1 - np.exp(-weeks / WEEKS_BETWEEN_FALSE_ALARMS)
    error = np.sqrt(stated * (1 - stated) / replicates)
    for count in raised.values():
        assert abs(count / replicates - stated) < 2.5 * error


@pytest.mark.parametrize(("factor", "sides"), [(2.5, {"pit": "above", "score": "above"}), (0.3, {"pit": "below"})])
def test_a_lasting_change_is_found(factor, sides):
    late = {name: [] for name in sides}
    for seed in range(20):
        charts = drift_charts(*simulated(seed, 104, 12, 0.1, change=52, factor=factor))
        for name, side in sides.items():
            late[name].append(next((week - 51 for week, at in charts[name].alarms if week >= 52 and at == side), 53))
    for weeks in late.values():
        assert np.median(weeks) <= 12


def test_without_forecasts_there_is_no_chart():
    assert drift_charts(np.empty((0, 3)), np.empty(0, int), pd.DatetimeIndex([])) == {}
