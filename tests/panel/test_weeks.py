"""Weeks: Saturday to Friday unless set otherwise."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.panel.weeks import week_range, week_start_of, week_starts_of, whole_weeks


@pytest.mark.parametrize(
    ("day", "start", "expected"),
    [
        ("2026-07-25", "saturday", "2026-07-25"),
        ("2026-07-31", "saturday", "2026-07-25"),
        ("2026-08-01", "saturday", "2026-08-01"),
        ("2026-08-02", "monday", "2026-07-27"),
        ("2026-08-02", "sunday", "2026-08-02"),
        ("2026-08-01 23:59", "sunday", "2026-07-26"),
    ],
)
def test_a_day_belongs_to_the_week_that_started_last(day: str, start: str, expected: str) -> None:
    assert week_start_of(pd.Timestamp(day), start) == pd.Timestamp(expected)


@given(st.dates(min_value=pd.Timestamp("1900-01-01").date()), st.sampled_from(["saturday", "sunday", "monday"]))
def test_series_and_single_days_agree_and_are_within_a_week(day, start) -> None:
    single = week_start_of(day, start)
    assert week_starts_of(pd.Series([pd.Timestamp(day)]), start).iloc[0] == single
    assert 0 <= (pd.Timestamp(day) - single).days < 7
    assert single.day_name().lower() == start


def test_saturday_weeks_are_those_that_pandas_ends_on_friday() -> None:
    day = pd.Timestamp("2026-03-11")
    assert week_start_of(day) == day.to_period("W-FRI").start_time


def test_a_week_that_is_not_over_is_left_out() -> None:
    weeks = whole_weeks(pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-07-30").date())
    assert (weeks[0], weeks[-1]) == (pd.Timestamp("2026-01-03"), pd.Timestamp("2026-07-18"))
    weeks = whole_weeks(pd.Timestamp("2026-01-03").date(), pd.Timestamp("2026-07-31").date())
    assert (weeks[0], weeks[-1], len(weeks)) == (pd.Timestamp("2026-01-03"), pd.Timestamp("2026-07-25"), 30)


def test_ranges_start_and_end_on_the_first_day_of_a_week() -> None:
    with pytest.raises(InputError, match="is a Sunday"):
        week_range(pd.Timestamp("2026-01-04"), pd.Timestamp("2026-01-10"))
    with pytest.raises(InputError, match="lies before"):
        week_range(pd.Timestamp("2026-01-10"), pd.Timestamp("2026-01-03"))
