"""Panels of a workspace that forecasts from its event store: events as known on a day, in regions and around places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.events.store import EventStore
from forecast.events.store_index import Vintage
from forecast.jobs.place_points import place_units
from forecast.jobs.region_file import workspace_regions
from forecast.panel.dataset import DataNote
from forecast.panel.event_versions import COLUMNS, EventVersions
from forecast.panel.from_events import Measure
from forecast.panel.neighbours import Neighbours
from forecast.panel.polygons import Polygons, neighbours_from_polygons
from forecast.panel.units import UnitKind, Units
from forecast.panel.vintage_panels import VersionCells, VintagePanels
from forecast.panel.weeks import WEEK, WeekStart, week_range, week_start_of
from forecast.workspace import CONFIG_NAME, Workspace

DAY = dt.timedelta(days=1)
LONGEST_PAUSE = dt.timedelta(days=31)
"""Between the last event of an import and the first of the next there may be quiet days; a longer pause is a gap."""
TERMS: dict[str, tuple[str, str]] = {
    "ucdp": (
        "Uppsala Conflict Data Program, UCDP Georeferenced Event Dataset (Sundberg and Melander 2013, "
        "doi:10.1177/0022343313484347)",
        "CC BY 4.0",
    ),
    "acled": ("ACLED, acleddata.com", "ACLED's terms of use"),
}


@dataclass(frozen=True)
class CountedEvents:
    """What is counted, and from what.

    Parameters
    ----------
    vintages : mapping of unit kind to VintagePanels
        "region" always, "place" if the workspace has places.
    note : DataNote
    polygons : Polygons
        Of the regions of the panel.
    hashes : mapping of path to sha256
        Paths below the workspace; of the vintages, those that were known.
    """

    vintages: Mapping[UnitKind, VintagePanels]
    note: DataNote
    polygons: Polygons
    hashes: Mapping[str, str]


def count_events(workspace: Workspace, as_of: dt.date | None = None) -> CountedEvents:
    """Count the events of the store as they were known on a day, and at each vintage before.

    A panel ends with the last whole week that the vintages claim to cover: up to the end of their scope, or to the
    last event of an import without one, and never after the day on which they became known. An event counts for the
    region of its own country that it lies in, or that is nearest within 25 km. Events without a usable point are not
    counted in regions: those without coordinates and those located to a country or worse, whose point is any point
    of it. Around places only those located to about 25 km or better are counted.

    Parameters
    ----------
    workspace : Workspace
        With ``[data] store`` and ``regions``.
    as_of : date, optional
        All that is known if not given.

    Raises
    ------
    InputError
        If nothing was known by then, the regions cannot be read, a region, country or place is not known, or a place
        has no coordinates.
    """
    data = workspace.spec.data
    source, measure = str(data.store), _measure(data.measure)
    store = EventStore(workspace.data_folder("events"))
    vintages = store.known(source, as_of)
    if not any(vintage.covers_until for vintage in vintages):
        raise InputError(
            f"nothing was known of {source!r} on {as_of}" if as_of else f"the store has no event of {source!r}",
            where=f"{CONFIG_NAME} [data] store",
            expected="a day on which a vintage with events was known",
            hint="a later --as-of, or `forecast ingest`",
        )
    regions = workspace_regions(workspace)
    versions = EventVersions.packed(store.history(source, as_of, COLUMNS))
    weeks, ends = _weeks(versions, vintages, data.first_week, data.week_start, source)

    week = (versions.day - weeks[0].to_numpy().astype("datetime64[D]").astype(np.int32)) // 7
    counted = (week >= 0) & (week < len(weeks))
    versions, week = versions.take(counted), week[counted]
    begins = _begins(versions, week, len(vintages)) if data.first_week is None else (0,) * len(vintages)
    untold = _untold(vintages, weeks)
    title, amount = f"Events of {source}", versions.amount(measure)

    def panels(units: Units, neighbours: Neighbours, row: NDArray[Any], column: NDArray[np.int32]) -> VintagePanels:
        cells = VersionCells(week[row], column, amount[row], versions.start[row], versions.stop[row])
        known_at = tuple(vintage.known_at for vintage in vintages)
        return VintagePanels(cells, weeks, units, neighbours, known_at, begins, ends, untold, title)

    # Among all regions of the file, so that an event just outside of those that are forecast goes where it belongs.
    lies_in, outside = versions.regions(regions.every, regions.every_countries)
    chosen = {name: at for at, name in enumerate(regions.polygons.names)}
    region = np.array([*(chosen.get(name, -1) for name in regions.every.names), -1], dtype=np.int32)[lies_in]
    inside = np.flatnonzero(region >= 0)
    units, neighbours = regions.polygons.units(regions.countries), neighbours_from_polygons(regions.polygons)
    found: dict[UnitKind, VintagePanels] = {"region": panels(units, neighbours, inside, region[inside])}
    if workspace.spec.places:
        places = place_units(workspace, regions)
        found["place"] = panels(places, Neighbours.none(len(places)), *versions.near(places))

    now = versions.stop == len(vintages)
    attribution, licence = TERMS.get(source, ("", ""))
    note = DataNote(
        title=title,
        description=f"{int(now.sum())} events in {len(weeks)} weeks.",
        attribution=attribution,
        licence=licence,
        vintage=f"{vintages[-1].name}, known at {vintages[-1].known_at}, until {ends[-1] - DAY:%Y-%m-%d}",
        limits=_limits(
            pointless=int((now & ~versions.usable).sum()),
            nearest=int((now & outside & (region >= 0)).sum()),
            lost=int((now & versions.usable & (region < 0)).sum()),
            measure=measure,
            places="place" in found,
            nowcast_weeks=data.nowcast_weeks,
            untold=weeks[untold[-1]],
        ),
    )
    hashes = {f"data/events/{vintage.file}": vintage.file_hash for vintage in vintages}
    return CountedEvents(found, note, regions.polygons, {**hashes, **regions.hashes})


def _weeks(
    versions: EventVersions, vintages: Sequence[Vintage], first_week: dt.date | None, start: WeekStart, source: str
) -> tuple[pd.DatetimeIndex, tuple[pd.Timestamp, ...]]:
    """Return the weeks that are counted, and the first one that each vintage did not know whole."""
    covered = accumulate((vintage.covers_until or dt.date.min for vintage in vintages), max)
    held = versions.day[versions.start < versions.stop]
    first_day = pd.Timestamp(first_week) if first_week else pd.Timestamp(int(held.min()) if len(held) else 0, unit="D")
    first = week_start_of(first_day, start)
    # Where a vintage knew nothing yet, it ended before the first week.
    ends = tuple(first if day == dt.date.min else max(first, week_start_of(day + DAY, start)) for day in covered)
    if not len(held) or ends[-1] <= first:
        known = f"from {first_day:%Y-%m-%d} until {ends[-1] - DAY:%Y-%m-%d}" if len(held) else "no event has a day"
        raise InputError(f"no whole week is known of {source!r}: {known}", where=f"{CONFIG_NAME} [data]")
    return week_range(first, ends[-1] - WEEK, start), ends


def _begins(versions: EventVersions, week: NDArray[np.int32], vintages: int) -> tuple[int, ...]:
    """Return the week of the first event that each vintage, or one before it, had."""
    earliest = np.full(vintages, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(earliest, versions.start, week)
    return tuple(np.minimum.accumulate(earliest).tolist())


def _untold(vintages: Sequence[Vintage], weeks: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Return the weeks between the days of which each vintage, and those before it, tell, shape (vintages, weeks)."""
    untold = np.zeros((len(vintages), len(weeks)), dtype=np.bool_)
    spans: list[tuple[dt.date, dt.date]] = []
    for at, vintage in enumerate(vintages):
        if vintage.covers_from and vintage.covers_until:
            spans = sorted([*spans, (vintage.covers_from, vintage.covers_until)])
        reached = list(accumulate((last for _, last in spans), max))
        for last, (first, _) in zip(reached, spans[1:], strict=False):
            if first - last > LONGEST_PAUSE:
                untold[at] |= (weeks > pd.Timestamp(last)) & (weeks + WEEK <= pd.Timestamp(first))
    return untold


def _measure(name: str | None) -> Measure:
    if name is None or name == "events":
        return "events"
    if name == "fatalities":
        return "fatalities"
    raise unknown_name("measure", name, ["events", "fatalities"], where=f"{CONFIG_NAME} [data] measure")


def _limits(
    *,
    pointless: int,
    nearest: int,
    lost: int,
    measure: Measure,
    places: bool,
    nowcast_weeks: int | None,
    untold: pd.DatetimeIndex,
) -> tuple[str, ...]:
    found = []
    if len(untold):
        found.append(
            f"No import tells of {len(untold)} weeks between {untold[0]:%Y-%m-%d} and "
            f"{untold[-1] + WEEK - DAY:%Y-%m-%d}: they are unknown, not without events."
        )
    if nowcast_weeks:
        found.append(
            f"The counts of the last {nowcast_weeks} weeks are not final. They are shown as they are; the forecasts go "
            "through a nowcast of them, from how late events became known before."
        )
    if pointless:
        found.append(f"{pointless} events have no usable point (none, or a country's) and are not counted.")
    if nearest:
        found.append(f"{nearest} events lie up to 25 km outside of the regions of their country: the nearest has them.")
    if lost:
        found.append(f"{lost} events lie in none of the regions and are not counted in any.")
    if places:
        found.append("Around places only events that are located to about 25 km or better are counted.")
    if measure == "fatalities":
        found.append("Deaths that are not known count as none.")
    return tuple(found)
