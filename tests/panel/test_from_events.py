"""Counting events: in regions by point or by name, around places by great-circle distance."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from forecast.errors import InputError
from forecast.events.table import Events, events_from_frame
from forecast.panel.from_events import panel_from_events, place_panel_from_events
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units, great_circle_km

FIRST, LAST = dt.date(2026, 1, 3), dt.date(2026, 1, 17)
SQUARES = Polygons(("A", "B"), (box(0, 0, 1, 1), box(1, 0, 2, 1)))


def table(*rows: tuple[str, float, float], **columns: list[object]) -> Events:
    frame = pd.DataFrame(rows, columns=["date", "latitude", "longitude"]).assign(**columns)
    frame["event_id"] = [f"e{number}" for number in range(len(rows))]
    names = {name: name for name in ("region", "fatalities") if name in columns}
    return events_from_frame(frame, source="mine", **names)


def test_regions_by_point() -> None:
    events = table(
        ("2026-01-03", 0.5, 0.5), ("2026-01-09", 0.5, 1.5), ("2026-01-10", 0.5, 1.0), ("2026-01-24", 0.5, 0.5)
    )
    panel = panel_from_events(events, SQUARES, first=FIRST, last=LAST)
    assert panel.counts.tolist() == [[1, 1], [1, 0], [0, 0]]
    assert panel.observed.all()
    assert panel.neighbours.border_km[0, 1] > 100
    assert panel.source == "mine"


def test_regions_by_name_and_fatalities() -> None:
    events = table(("2026-01-03", 9, 9), ("2026-01-04", 9, 9), region=["B", "B"], fatalities=[4, 0])
    units = Units.of(["A", "B"])
    assert panel_from_events(events, units, first=FIRST, last=LAST).counts[0].tolist() == [0, 2]
    deaths = panel_from_events(events, units, first=FIRST, last=LAST, measure="fatalities")
    assert deaths.counts[0].tolist() == [0, 4]


def test_events_in_no_region() -> None:
    lost = table(("2026-01-03", 5, 5), ("2026-01-03", 0.5, 0.5))
    with pytest.raises(InputError, match="event 'e0' at latitude 5, longitude 5 lies in no region"):
        panel_from_events(lost, SQUARES, first=FIRST, last=LAST)
    assert panel_from_events(lost, SQUARES, first=FIRST, last=LAST, outside="leave_out").counts.sum() == 1
    named = table(("2026-01-03", 5, 5), region=["Bb"])
    with pytest.raises(InputError, match=r"unknown region 'Bb' of event 'e0'(.|\n)*'B'"):
        panel_from_events(named, Units.of(["A", "B"]), first=FIRST, last=LAST)


def test_what_is_missing_is_said() -> None:
    events = table(("2026-01-03", 0.5, 0.5))
    with pytest.raises(InputError, match="have no region"):
        panel_from_events(events, Units.of(["A"]), first=FIRST, last=LAST)
    with pytest.raises(InputError, match="have no fatalities"):
        panel_from_events(events, SQUARES, first=FIRST, last=LAST, measure="fatalities")
    with pytest.raises(InputError, match="place 'P' has no latitude"):
        place_panel_from_events(events, Units.of(["P"], kind="place"), first=FIRST, last=LAST)
    with pytest.raises(InputError, match="is a Sunday"):
        panel_from_events(events, SQUARES, first=dt.date(2026, 1, 4), last=LAST)


@settings(max_examples=40, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 20)), min_size=1, max_size=12),
    radius=st.floats(10, 400),
)
def test_places_count_what_is_near(points: list[tuple[float, float, int]], radius: float) -> None:
    days = [(pd.Timestamp(FIRST) + pd.Timedelta(days=point[2])).strftime("%Y-%m-%d") for point in points]
    events = table(*((day, point[0], point[1]) for day, point in zip(days, points, strict=True)))
    places = Units.of(["P", "Q"], kind="place", latitude=[0, 2], longitude=[0, 2], radius_km=[radius, radius])
    panel = place_panel_from_events(events, places, first=FIRST, last=LAST)
    for column, (latitude, longitude) in enumerate([(0, 0), (2, 2)]):
        near = [point for point in points if great_circle_km(point[0], point[1], latitude, longitude) <= radius]
        for week in range(3):
            assert panel.counts[week, column] == sum(point[2] // 7 == week for point in near)
