"""Panels as they were known at each origin, against counts made event by event."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.reporting_delay import estimate_delay
from forecast.panel.reporting_triangle import triangle_from_vintages
from forecast.panel.units import Units
from forecast.panel.vintage_panels import LEAST_VINTAGES, VersionCells, VintagePanels

WEEKS = pd.date_range("2025-01-04", periods=30, freq="7D", unit="s", name="week")
WEEK = pd.Timedelta(days=7)
UNITS = Units.of(["A/one", "A/two", "B/three"], groups=["A", "A", "B"])
FIRST = 6
"""Weeks that the first vintage knew."""
VINTAGES = len(WEEKS) - FIRST + 1
TOLD = np.zeros((VINTAGES, len(WEEKS), 1), bool)


def simulated(seed: int = 3, events: int = 900) -> VersionCells:
    """Each event is known after some weeks; some are deleted again, some move to another unit."""
    rng = np.random.default_rng(seed)
    week = rng.integers(0, len(WEEKS), events)
    late = rng.geometric(0.6, events) - 1
    start = np.maximum(week - FIRST + 1 + late, 0)
    stop = np.where(rng.random(events) < 0.15, start + rng.integers(1, 5, events), VINTAGES)
    seen = start < VINTAGES
    columns = (week, rng.integers(0, len(UNITS), events), np.ones(events), start, np.minimum(stop, VINTAGES))
    return VersionCells(*(column[seen].astype(np.int32) for column in columns))


@pytest.fixture(scope="module")
def panels() -> VintagePanels:
    ends = tuple(pd.Timestamp(end) for end in [*WEEKS[FIRST:], WEEKS[-1] + WEEK])
    days = tuple((end + pd.Timedelta(days=3)).date() for end in ends)
    return VintagePanels(
        simulated(), WEEKS, UNITS, Neighbours.none(3), days, (0,) * VINTAGES, ends, TOLD, "events of a test"
    )


def counted(cells: VersionCells, vintage: int) -> np.ndarray:
    counts = np.zeros((len(WEEKS), len(UNITS)), int)
    for week, unit, amount, start, stop in zip(
        cells.week, cells.unit, cells.amount, cells.start, cells.stop, strict=True
    ):
        if start <= vintage < stop:
            counts[week, unit] += amount
    return counts[: FIRST + vintage]


def test_each_origin_sees_what_the_first_vintage_to_reach_it_held(panels):
    for vintage, end in enumerate(panels.ends):
        panel = panels.at(end)
        np.testing.assert_array_equal(panel.counts, counted(panels.cells, vintage))
        assert panel.origin == end
        assert panels.day(end) == (end + pd.Timedelta(days=3)).date()
    early = panels.at(WEEKS[3])
    np.testing.assert_array_equal(early.counts, counted(panels.cells, 0)[:3])
    np.testing.assert_array_equal(panels.final.counts, counted(panels.cells, VINTAGES - 1))


def test_imports_of_one_day_count_together(panels):
    days = list(panels.known_at)
    days[5] = days[4]
    together = replace(panels, known_at=tuple(days))
    np.testing.assert_array_equal(together.at(panels.ends[4]).counts, counted(panels.cells, 5)[: FIRST + 4])


def test_history_that_was_imported_later_is_not_there_before(panels):
    begins = tuple(10 if vintage < 12 else 0 for vintage in range(VINTAGES))
    later = replace(panels, begins=begins)
    assert later.at(panels.ends[11]).weeks[0] == WEEKS[10]
    assert later.at(panels.ends[12]).weeks[0] == WEEKS[0]
    with pytest.raises(InputError, match="no whole week was known"):
        later.at(panels.ends[2])


def test_weeks_of_which_nobody_tells_are_unknown(panels):
    untold = TOLD.copy()
    untold[3, 2:5] = True
    silent = panels.cells.week != 3
    columns = {name: values[silent] for name, values in vars(panels.cells).items()}
    panels = replace(panels, cells=VersionCells(**columns))
    gap = replace(panels, untold=untold).at(panels.ends[3])
    expected = panels.at(panels.ends[3])
    told = [0, 1, *range(5, len(gap.weeks))]
    np.testing.assert_array_equal(gap.counts[told], expected.counts[told])
    assert gap.observed[told].all()
    assert expected.counts[2:5].any()  # the few events that are known are not the counts of these weeks
    assert not gap.observed[2:5].any()
    assert replace(panels, untold=untold).at(panels.ends[4]).observed.all()


def test_an_origin_that_is_not_reached_yet_is_refused(panels):
    with pytest.raises(InputError, match="not all known"):
        panels.at(WEEKS[-1] + 2 * WEEK)


@pytest.mark.parametrize("at", [LEAST_VINTAGES - 1, 15, VINTAGES - 1])
def test_the_delay_at_an_origin_is_that_of_the_vintages_before_it(panels, at):
    known = {end: panels.at(end) for end in panels.ends[: at + 1]}
    classes = dict(zip(UNITS.names, UNITS.groups, strict=True))
    expected = estimate_delay(triangle_from_vintages(known, max_delay=4, classes=classes))
    found = panels.delay(panels.ends[at], 4)
    np.testing.assert_allclose(found.cdf(), expected.cdf())
    np.testing.assert_allclose(found.lasting.alpha, expected.lasting.alpha)
    assert found.scatter == pytest.approx(expected.scatter)


def test_there_is_no_delay_from_few_or_rare_vintages(panels):
    assert panels.delay(panels.ends[LEAST_VINTAGES - 2], 4) is None
    monthly = [*range(0, VINTAGES, 4)]
    cells = panels.cells
    rank = np.searchsorted(monthly, np.arange(VINTAGES + 1))
    rare = replace(
        panels,
        cells=replace(cells, start=rank[cells.start].astype(np.int32), stop=rank[cells.stop].astype(np.int32)),
        known_at=tuple(panels.known_at[at] for at in monthly),
        begins=(0,) * len(monthly),
        ends=tuple(panels.ends[at] for at in monthly),
        untold=TOLD[monthly],
    )
    assert rare.delay(rare.ends[-1], 4) is None


def test_a_later_correction_changes_nothing_before_it(panels):
    cells = panels.cells
    extra = [np.full(50, value, np.int32) for value in (5, 1, 7, 14, VINTAGES)]  # in week 5, known by vintage 14
    names = ("week", "unit", "amount", "start", "stop")
    planted = replace(
        panels,
        cells=VersionCells(*(np.r_[getattr(cells, name), more] for name, more in zip(names, extra, strict=True))),
    )
    for end in panels.ends[:14]:
        np.testing.assert_array_equal(planted.at(end).counts, panels.at(end).counts)
        before, after = panels.delay(end, 4), planted.delay(end, 4)
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(before.hazard.alpha, after.hazard.alpha)
    assert planted.at(panels.ends[14]).counts[5, 1] == panels.at(panels.ends[14]).counts[5, 1] + 350


def test_amounts_are_added_up():
    cells = VersionCells(*(np.array(values, np.int32) for values in ([0, 0], [1, 1], [2, 40], [0, 0], [1, 1])))
    day = dt.date(2025, 2, 1)
    panels = VintagePanels(cells, WEEKS[:1], UNITS, Neighbours.none(3), (day,), (0,), (WEEKS[1],), TOLD[:1], "")
    assert panels.final.counts.tolist() == [[0, 42, 0]]
