"""Catalogues: what is refused, what is remarked on, and jitter."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.sphere import vectors

AREA = Area.box(10.0, 0.0, 12.0, 2.0)


def test_unsorted_and_tied_times_are_remarked_on():
    events = Catalogue.of([5.0, 1.0, 5.0], [11.0, 11.5, 10.5], [1.0, 0.5, 1.5], AREA, end=10.0, kinds=[1, 0, 0])
    assert list(events.times) == [1.0, 5.0, 5.0]
    assert list(events.latitude) == [11.5, 11.0, 10.5]
    assert list(events.kinds) == [0, 1, 0]
    assert "sorted" in events.remarks[0]
    assert "the time of another" in events.remarks[1]


@pytest.mark.parametrize(
    ("times", "lat", "lon", "message"),
    [
        ([1.0, 11.0], [11.0, 11.0], [1.0, 1.0], "outside the window"),
        ([-1.0, 1.0], [11.0, 11.0], [1.0, 1.0], "outside the window"),
        ([1.0, np.nan], [11.0, 11.0], [1.0, 1.0], "time nan"),
        ([1.0, 2.0], [11.0, np.nan], [1.0, 1.0], "off the globe"),
        ([1.0, 2.0], [11.0, 100.0], [1.0, 1.0], "off the globe"),
        ([1.0, 2.0], [11.0, 13.0], [1.0, 1.0], "1 of 2 events outside the study area"),
        ([1.0, 2.0], [11.0], [1.0], "1 places of 2 events"),
        ([], [], [], "no event"),
    ],
)
def test_bad_events_are_refused(times, lat, lon, message):
    with pytest.raises(InputError, match=message):
        Catalogue.of(times, lat, lon, AREA, end=10.0)


def test_jitter_stays_in_the_day_the_disc_and_the_area():
    days, at = np.repeat(np.arange(50.0), 20), np.full(1000, 10.01)
    events = Catalogue.of(days, at, np.full(1000, 1.0), AREA, end=50.0)
    moved = events.jittered(np.random.default_rng(1), within_km=8.0)
    np.testing.assert_array_equal(np.sort(np.floor(moved.times)), days)
    assert (np.diff(moved.times) > 0).all()
    distance = np.linalg.norm(moved.vectors - vectors(np.array([10.01]), np.array([1.0])), axis=1)
    assert distance.max() <= 8.0 + 1e-9
    assert 0.3 < np.mean(distance == 0.0) < 0.6  # nearly half of the disc lies outside of the area
    assert moved.remarks == ()


def test_what_was_known_before():
    events = Catalogue.of([1.0, 5.0, 7.0], [11.0] * 3, [1.0] * 3, AREA, end=10.0)
    assert len(events.until(5.0)) == 1
    assert events.until(5.0).end == 5.0
    with pytest.raises(InputError, match="end 20"):
        events.until(20.0)
