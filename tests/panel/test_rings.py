"""Shares of a region's area and events near a place."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from forecast.panel.polygons import named_polygons
from forecast.panel.rings import PRIOR_EVENTS, area_shares, count_shares, ring_shares
from forecast.panel.units import Units

TWO = named_polygons(["W", "E"], [shapely.box(0, 10, 2, 12), shapely.box(2, 10, 4, 12)], where="a test")


def town(latitude, longitude, radius=50.0):
    return Units.of(["T"], kind="place", latitude=[latitude], longitude=[longitude], radius_km=[radius])


def test_a_ring_across_a_border_has_half_of_its_area_in_each():
    share = area_shares(town(11.0, 2.0), TWO)[0]
    area = np.pi * 50**2 / 2 / (222.39 * 222.39 * np.cos(np.radians(11)))
    np.testing.assert_allclose(share, [area, area], rtol=0.02)


def test_a_ring_around_all_of_a_region_has_all_of_it():
    assert area_shares(town(11.0, 1.0, 300.0), TWO)[0, 0] == 1


def test_a_region_smaller_than_the_raster_has_a_point_of_its_own():
    tiny = named_polygons(["W", "tiny"], [shapely.box(0, 10, 2, 12), shapely.box(3, 10, 3.001, 10.001)], where="a test")
    assert area_shares(town(10.0, 3.0, 10.0), tiny)[0].tolist() == [0, 1]


def test_shares_follow_the_events_and_the_area_where_there_are_few():
    lat, lon = np.full(200, 11.0), np.r_[np.full(100, 1.0), np.full(100, 0.2)]
    many = ring_shares(town(11.0, 1.0), TWO, lat, lon, np.zeros(200, int))[0]
    area = area_shares(town(11.0, 1.0), TWO)[0]
    assert many[0] == pytest.approx((100 + PRIOR_EVENTS * area[0]) / (200 + PRIOR_EVENTS))
    assert many[1] == 0
    few = ring_shares(town(11.0, 1.0), TWO, [], [], [])[0]
    np.testing.assert_allclose(few, area)


def test_old_events_count_less_and_those_of_no_region_not_at_all():
    place = town(11.0, 1.0)
    share = ring_shares(place, TWO, [11.0, 11.0, 11.0], [1.0, 0.1, 1.0], [0, 0, -1], [1.0, 0.25, 1.0])[0, 0]
    area = area_shares(place, TWO)[0, 0]
    assert share == pytest.approx((1 + PRIOR_EVENTS * area) / (1.25 + PRIOR_EVENTS))


@pytest.mark.parametrize("inside", [0.0, 3.0, 40.0, 500.0])
def test_shares_from_counts_alone_give_the_ring_what_it_had(inside):
    area, counts = np.array([0.9, 0.2, 0.05, 0.0]), np.array([10.0, 60.0, 30.0, 20.0])
    shares = count_shares(area, inside, counts)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares[3] == 0
    mass = counts + PRIOR_EVENTS
    wanted = min(inside + PRIOR_EVENTS * area.sum(), mass[:3].sum())
    assert shares @ mass == pytest.approx(wanted)


def test_shares_from_counts_of_a_ring_that_touches_nothing():
    assert count_shares([0.0, 0.0], 3.0, [1.0, 2.0]).tolist() == [0.0, 0.0]
