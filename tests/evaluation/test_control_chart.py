"""The control chart: its limits are those of the tables, and it raises false alarms as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.evaluation.control_chart import (
    REFERENCE,
    WEEKS_BETWEEN_FALSE_ALARMS,
    control_chart,
    cusum_limit,
    cusum_weeks,
    standardised,
)


@pytest.mark.parametrize(
    ("limit", "shift", "weeks"),
    [
        # Montgomery, Introduction to Statistical Quality Control, table of the tabular cusum with k = 0.5.
        (4.0, 0.0, 168),
        (4.0, 0.5, 26.6),
        (4.0, 1.0, 8.38),
        (4.0, 2.0, 3.34),
        (5.0, 0.0, 465),
        (5.0, 0.5, 38.0),
        (5.0, 1.0, 10.4),
        (5.0, 2.0, 4.01),
    ],
)
def test_run_lengths_are_those_of_the_published_table(limit, shift, weeks):
    assert cusum_weeks(0.5, limit, shift) == pytest.approx(weeks, rel=6e-3)


@pytest.mark.parametrize(("reference", "weeks"), [(0.25, 100), (0.5, 1040), (1.0, 5000)])
def test_the_limit_gives_the_weeks(reference, weeks):
    assert cusum_weeks(reference, cusum_limit(reference, weeks)) == pytest.approx(weeks, rel=1e-6)


def test_impossible_charts_are_refused():
    with pytest.raises(InputError):
        cusum_limit(0.0, 100)
    with pytest.raises(InputError):
        cusum_limit(0.5, 1)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_values_of_unknown_variance_become_independent_standard_normal_ones(scale):
    drawn = np.random.default_rng(1).normal(0, scale, (4000, 12))
    u = np.array([standardised(row) for row in drawn])[:, 1:]
    assert stats.kstest(u.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(u.T) - np.eye(u.shape[1])).max() < 0.06


def test_weeks_of_which_nothing_is_known_change_nothing():
    values = np.random.default_rng(2).normal(size=60)
    gaps = np.insert(values, [10, 30, 30], np.nan)
    known = np.isfinite(gaps)
    chart, whole = control_chart(gaps), control_chart(values)
    np.testing.assert_array_equal(chart.value[known], whole.value)
    np.testing.assert_array_equal(chart.above[known], whole.above)
    assert chart.above[10] == chart.above[9]


def test_it_is_the_same_upside_down():
    values = np.random.default_rng(3).normal(0.7, 1, 200)
    up, down = control_chart(values), control_chart(-values)
    np.testing.assert_array_equal(up.above, down.below)
    assert [(week, "below") for week, _ in up.alarms] == list(down.alarms)
    assert {side for _, side in up.alarms} == {"above"}


def test_false_alarms_come_as_seldom_as_stated():
    rng = np.random.default_rng(4)
    charts, weeks = 1500, 104
    raised = [bool(control_chart(rng.normal(0, 3.0, weeks)).alarms) for _ in range(charts)]
    # Alarms of a chart in control come as events of a Poisson process, but for a start at zero.
    stated = 1 - np.exp(-weeks / WEEKS_BETWEEN_FALSE_ALARMS)
    assert stated == pytest.approx(0.095, abs=0.001)
    assert abs(np.mean(raised) - stated) < 3 * np.sqrt(stated * (1 - stated) / charts)


def test_a_lasting_shift_is_found_in_about_the_weeks_of_the_theory():
    rng = np.random.default_rng(5)
    expected = cusum_weeks(REFERENCE, cusum_limit(REFERENCE, WEEKS_BETWEEN_FALSE_ALARMS), shift=2.0)
    found = []
    for _ in range(200):
        chart = control_chart(np.r_[rng.normal(size=100), rng.normal(2, 1, 30)])
        after = [week - 99 for week, side in chart.alarms if week >= 100 and side == "above"]
        found.append(after[0] if after else 30)
    assert np.median(found) == pytest.approx(expected, abs=1.5)


def test_nothing_known_is_no_alarm():
    assert control_chart([]).alarms == ()
    assert control_chart(np.zeros(20)).alarms == ()
    assert control_chart(np.full(5, np.nan)).alarms == ()
