"""Events counted per week, in regions and around places."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.events.table import Events
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.polygons import Polygons, neighbours_from_polygons
from forecast.panel.units import Units, great_circle_km
from forecast.panel.weeks import WeekStart, week_range

Measure = Literal["events", "fatalities"]


def panel_from_events(
    events: Events,
    regions: Polygons | Units,
    *,
    first: dt.date,
    last: dt.date,
    week_start: WeekStart = "saturday",
    measure: Measure = "events",
    outside: Literal["refuse", "leave_out"] = "refuse",
) -> Panel:
    """Count events per week and region; a week and region without one is a zero.

    Parameters
    ----------
    events : Events
    regions : Polygons or Units
        Polygons: an event counts where its point lies, on a border for the first region; borders give the
        neighbours. Units: an event counts for the region that its column `region` names.
    first, last : date
        First days of the first and last week, for all of which the events are known. Events of other weeks are
        not counted.
    week_start : {"saturday", "sunday", "monday"}
    measure : {"events", "fatalities"}
        What is added up.
    outside : {"refuse", "leave_out"}
        What to do with an event that lies in no region.

    Returns
    -------
    Panel

    Raises
    ------
    InputError
        If an event within the weeks lies in no region and `outside` is "refuse", or a column is missing.
    """
    weeks = week_range(pd.Timestamp(first), pd.Timestamp(last), week_start)
    if isinstance(regions, Polygons):
        units, neighbours = regions.units(), neighbours_from_polygons(regions)
        column = regions.locate(events.latitude, events.longitude)
    else:
        units, neighbours = regions, Neighbours.none(len(regions))
        column = _named_regions(events, regions)
    week = _week_of(events, weeks)
    lost = np.flatnonzero((column < 0) & (week >= 0))
    if len(lost) and outside == "refuse":
        raise _in_no_region(events, units, lost)
    inside = (week >= 0) & (column >= 0)
    counts = np.zeros((len(weeks), len(units)), dtype=np.int64)
    np.add.at(counts, (week[inside], column[inside]), _amount(events, measure)[inside])
    return Panel.of(counts, weeks, units, neighbours=neighbours, source=events.source, simulated=events.simulated)


def place_panel_from_events(
    events: Events,
    places: Units,
    *,
    first: dt.date,
    last: dt.date,
    week_start: WeekStart = "saturday",
    measure: Measure = "events",
) -> Panel:
    """Count events per week within a great-circle distance of places; an event counts for each place it is near.

    Parameters
    ----------
    events : Events
    places : Units of kind "place"
        With latitude, longitude and radius.
    first, last, week_start, measure
        As in `panel_from_events`.

    Returns
    -------
    Panel

    Raises
    ------
    InputError
        If a place lacks coordinates or a radius.
    """
    for label in ("latitude", "longitude", "radius_km"):
        unknown = np.flatnonzero(~np.isfinite(getattr(places, label)))
        if len(unknown):
            raise InputError(f"place {places.names[unknown[0]]!r} has no {label}")
    weeks = week_range(pd.Timestamp(first), pd.Timestamp(last), week_start)
    week, amount = _week_of(events, weeks), _amount(events, measure)
    known = week >= 0
    week, amount = week[known], amount[known]
    latitude, longitude = events.latitude[known], events.longitude[known]
    counts = np.zeros((len(weeks), len(places)), dtype=np.int64)
    for column in range(len(places)):  # one place at a time, so that memory stays that of the events
        distance = great_circle_km(latitude, longitude, places.latitude[column], places.longitude[column])
        near = distance <= places.radius_km[column]
        np.add.at(counts[:, column], week[near], amount[near])
    return Panel.of(counts, weeks, places, source=events.source, simulated=events.simulated)


def _week_of(events: Events, weeks: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return the position of each event's week, -1 where it is not among the weeks."""
    week = (events.days - weeks[0].to_numpy().astype("datetime64[D]")).astype(np.int64) // 7
    return np.where((week >= 0) & (week < len(weeks)), week, -1)


def _amount(events: Events, measure: Measure) -> NDArray[np.int64]:
    if measure == "events":
        return np.ones(len(events), dtype=np.int64)
    if "fatalities" not in events.frame:
        raise InputError("the events have no fatalities", where=events.source, expected="a column of deaths")
    return events.frame["fatalities"].to_numpy(dtype=np.int64)


def _named_regions(events: Events, units: Units) -> NDArray[np.intp]:
    if "region" not in events.frame:
        raise InputError("the events have no region", where=events.source, expected="a column of regions, or polygons")
    at = {name: position for position, name in enumerate(units.names)}
    codes, names = pd.factorize(events.frame["region"])
    return np.array([at.get(name, -1) for name in names], dtype=np.intp)[codes]


def _in_no_region(events: Events, units: Units, lost: NDArray[np.intp]) -> InputError:
    row = events.frame.iloc[int(lost[0])]
    hint = "outside='leave_out' counts the other events only"
    which = f"event {row['event_id']!r}"
    more = f" ({len(lost)} such events)" if len(lost) > 1 else ""
    if "region" in events.frame and row["region"] not in units.names:
        error = unknown_name("region", str(row["region"]), units.names)
        return InputError(f"{error.what} of {which}{more}", where=events.source, expected=error.expected, hint=hint)
    at = f"latitude {row['latitude']:g}, longitude {row['longitude']:g}"
    return InputError(f"{which} at {at} lies in no region{more}", where=events.source, hint=hint)
