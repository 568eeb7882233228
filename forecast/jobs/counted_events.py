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
from forecast.events.checks.finding import counted
from forecast.events.store import EventStore
from forecast.events.store_index import Vintage
from forecast.events.ucdp_release import is_preliminary
from forecast.jobs.place_points import place_units
from forecast.jobs.region_file import WorkspaceRegions, workspace_regions
from forecast.panel.dataset import DataNote
from forecast.panel.event_versions import COLUMNS, EventVersions
from forecast.panel.from_events import Measure
from forecast.panel.neighbours import Neighbours
from forecast.panel.other_names import country_key
from forecast.panel.polygons import neighbours_from_polygons
from forecast.panel.units import UnitKind, Units
from forecast.panel.vintage_panels import VersionCells, VintagePanels
from forecast.panel.weeks import WEEK, WeekStart, week_range, week_start_of
from forecast.workspace import CONFIG_NAME, Workspace

DAY = dt.timedelta(days=1)
LONGEST_PAUSE = dt.timedelta(days=28)
"""Between the last event of an import and the first of the next there may be quiet days; a longer pause, such as any
month that was not imported, is a gap."""
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
    regions : WorkspaceRegions
        Those that are forecast, and the others of the file.
    hashes : mapping of path to sha256
        Paths below the workspace; of the vintages, those that were known.
    """

    vintages: Mapping[UnitKind, VintagePanels]
    note: DataNote
    regions: WorkspaceRegions
    hashes: Mapping[str, str]


def count_events(workspace: Workspace, as_of: dt.date | None = None) -> CountedEvents:
    """Count the events of the store as they were known on a day, and at each vintage before.

    A panel goes from the first to the last whole week that the vintages claim to cover: the days of their scope, or
    from the first to the last event of an import without one, and never after the day on which they became known. A
    week in between that is not covered whole is unknown, country by country: an import tells of the countries that its
    scope names, or without a scope of those that it has events of.

    An event counts for the region of its own country that it lies in, or that is nearest within 25 km. Events without a
    usable point are not counted in regions: those without coordinates and those located to a country or worse, whose
    point is any point of it. Around places only those located to about 25 km or better are counted.

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
    said, vintages = vintages, [_for_us(vintage, regions.countries) for vintage in vintages]
    if not any(vintage.covers_until for vintage in vintages):
        raise InputError(
            f"no import of {source!r} tells of {', '.join(sorted(set(regions.countries)))}",
            where=f"{CONFIG_NAME} [regions]",
            expected="countries that an import names in --countries, or has events of",
        )
    versions = EventVersions.packed(store.history(source, as_of, COLUMNS))
    weeks, ends = _weeks(versions, vintages, data.first_week, data.week_start, source)

    week = (versions.day - weeks[0].to_numpy().astype("datetime64[D]").astype(np.int32)) // 7
    within = (week >= 0) & (week < len(weeks))
    known = int((versions.stop == len(vintages)).sum())
    versions, week = versions.take(within), week[within]
    begins = _begins(versions, week, vintages, weeks) if data.first_week is None else (0,) * len(vintages)
    unsaid = data.first_week is None
    title, amount = f"Events of {source}", versions.amount(measure)

    def panels(units: Units, neighbours: Neighbours, row: NDArray[Any], column: NDArray[np.int32]) -> VintagePanels:
        untold = _untold(vintages, weeks, units.groups, from_the_first=unsaid)
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
        found["place"] = panels(places, Neighbours.none(len(places)), *versions.near(places, versions.precise))

    untold = found["region"].untold[-1].all(axis=1)
    # Of the events that are held now and fall in weeks that are counted; with `partial` the limits account for all.
    now = (versions.stop == len(vintages)) & ~untold[week] & (week >= begins[-1])
    foreign = _foreign(versions, regions, lies_in) & (region < 0)
    vague = now & versions.usable & ~versions.precise
    attribution, licence = TERMS.get(source, ("", ""))
    note = DataNote(
        title=title,
        description=f"{counted(known, 'event')} in the store of this workspace, counted by week, region and place.",
        attribution=attribution,
        licence=licence,
        vintage=f"{vintages[-1].name}, known at {vintages[-1].known_at}, until {ends[-1] - DAY:%Y-%m-%d}",
        limits=_limits(
            partial=known - int(now.sum()),
            pointless=int((now & ~versions.usable & ~foreign).sum()),
            nearest=int((now & outside & (region >= 0)).sum()),
            lost=int((now & versions.usable & (region < 0) & ~foreign).sum()),
            foreign=int((now & foreign).sum()),
            vague=len(np.unique(versions.near(found["place"].units, vague)[0])) if "place" in found else None,
            measure=measure,
            nowcast_weeks=data.nowcast_weeks,
            untold=weeks[untold],
            elsewhere=sum(before != after for before, after in zip(said, vintages, strict=True)),
        ),
        preliminary=source == "ucdp" and is_preliminary(store.as_of(as_of, [source], ["release"])["release"]),
    )
    hashes = {f"data/events/{vintage.file}": vintage.file_hash for vintage in vintages}
    return CountedEvents(found, note, regions, {**hashes, **regions.hashes})


def _weeks(
    versions: EventVersions, vintages: Sequence[Vintage], first_week: dt.date | None, start: WeekStart, source: str
) -> tuple[pd.DatetimeIndex, tuple[pd.Timestamp, ...]]:
    """Return the weeks that are counted, and the first one that each vintage did not know whole."""
    covered = accumulate((vintage.covers_until or dt.date.min for vintage in vintages), max)
    held = versions.day[versions.start < versions.stop]
    first_day = pd.Timestamp(first_week) if first_week else pd.Timestamp(int(held.min()) if len(held) else 0, unit="D")
    first = week_start_of(first_day, start)
    if not first_week:
        first = max(first, _first_whole(min(v.covers_from for v in vintages if v.covers_from), start))
    # Where a vintage knew nothing yet, it ended before the first week.
    ends = tuple(first if day == dt.date.min else max(first, week_start_of(day + DAY, start)) for day in covered)
    if not len(held) or ends[-1] <= first:
        known = f"from {first_day:%Y-%m-%d} until {ends[-1] - DAY:%Y-%m-%d}" if len(held) else "no event has a day"
        raise InputError(f"no whole week is known of {source!r}: {known}", where=f"{CONFIG_NAME} [data]")
    return week_range(first, ends[-1] - WEEK, start), ends


def _first_whole(day: dt.date, start: WeekStart) -> pd.Timestamp:
    """Return the first day of the first week that is covered whole from a day on."""
    return week_start_of(day + WEEK - DAY, start)


def _begins(
    versions: EventVersions, week: NDArray[np.int32], vintages: Sequence[Vintage], weeks: pd.DatetimeIndex
) -> tuple[int, ...]:
    """Return the first week that each vintage, with those before it, covered whole, and had an event in or before."""
    earliest = np.full(len(vintages), np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(earliest, versions.start, week)
    covered = accumulate((vintage.covers_from or dt.date.max for vintage in vintages), min)
    whole = np.searchsorted(weeks.to_numpy(), np.array(list(covered), dtype="datetime64[D]"))
    return tuple(np.maximum(np.minimum.accumulate(earliest), whole).tolist())


def _for_us(vintage: Vintage, countries: Sequence[str]) -> Vintage:
    """Return a vintage, or one that covers no day if it tells of none of the countries."""
    told = vintage.tells_of()
    if told is None or not all(countries):
        return vintage
    if {*map(country_key, countries)} & {*map(country_key, told)}:
        return vintage
    return vintage.model_copy(update={"covers_from": None, "covers_until": None})


def _untold(
    vintages: Sequence[Vintage], weeks: pd.DatetimeIndex, countries: Sequence[str], *, from_the_first: bool
) -> NDArray[np.bool_]:
    """Return the weeks that each vintage, with those before it, did not cover whole, by the country of each unit.

    Parameters
    ----------
    vintages : sequence of Vintage
    weeks : DatetimeIndex
    countries : sequence of str, shape (units,)
    from_the_first : bool
        Whether weeks before the first day that is covered are unknown; not where the workspace says since when it is.

    Returns
    -------
    ndarray of bool, shape (vintages, weeks, units)
    """
    names = list(dict.fromkeys(countries))
    each = []
    for name in names:
        mine = [_for_us(vintage, [name]) for vintage in vintages]
        gaps = _gaps(mine, weeks)
        first = accumulate((vintage.covers_from or dt.date.max for vintage in mine), min)
        last = accumulate((vintage.covers_until or dt.date.min for vintage in mine), max)
        for at, (begin, end) in enumerate(zip(first, last, strict=True)):
            if begin == dt.date.max or end == dt.date.min:
                gaps[at] = True
                continue
            gaps[at] |= weeks + WEEK - DAY > pd.Timestamp(end)
            if from_the_first:
                gaps[at] |= weeks < pd.Timestamp(begin)
        each.append(gaps)
    return np.stack(each, axis=2)[:, :, [names.index(name) for name in countries]]


def _gaps(vintages: Sequence[Vintage], weeks: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Return the weeks between the days that each vintage, with those before it, covers, shape (vintages, weeks)."""
    untold = np.zeros((len(vintages), len(weeks)), dtype=np.bool_)
    spans: list[tuple[dt.date, dt.date]] = []
    for at, vintage in enumerate(vintages):
        if vintage.covers_from and vintage.covers_until:
            spans = sorted([*spans, (vintage.covers_from, vintage.covers_until)])
        reached = list(accumulate((last for _, last in spans), max))
        for last, (first, _) in zip(reached, spans[1:], strict=False):
            if first - last > LONGEST_PAUSE:
                untold[at] |= (weeks + WEEK - DAY > pd.Timestamp(last)) & (weeks < pd.Timestamp(first))
    return untold


def _foreign(versions: EventVersions, regions: WorkspaceRegions, lies_in: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which versions are of other countries than those forecast, or in a region of the file that is not."""
    ours = {country_key(country) for country in regions.countries}
    named = np.array([*(country_key(name) not in ours for name in versions.countries), False])[versions.country]
    return (named & all(regions.countries)) | (lies_in >= 0)


def _measure(name: str | None) -> Measure:
    if name is None or name == "events":
        return "events"
    if name == "fatalities":
        return "fatalities"
    raise unknown_name("measure", name, ["events", "fatalities"], where=f"{CONFIG_NAME} [data] measure")


def _limits(
    *,
    partial: int,
    pointless: int,
    nearest: int,
    lost: int,
    foreign: int,
    vague: int | None,
    measure: Measure,
    nowcast_weeks: int | None,
    untold: pd.DatetimeIndex,
    elsewhere: int,
) -> tuple[str, ...]:
    """Return what readers must know of the counts; `vague` is None where there are no places."""
    found = []
    if elsewhere:
        found.append(
            f"{counted(elsewhere, 'import')} told only of other countries: of these, nothing is known from there, "
            "neither events nor quiet."
        )
    if len(untold):
        found.append(
            "Not covered whole by any import, so unknown and not without events: "
            f"{counted(len(untold), 'week')} from {untold[0]:%Y-%m-%d} to {untold[-1] + WEEK - DAY:%Y-%m-%d}."
        )
    if nowcast_weeks:
        found.append(
            f"The counts of the last {nowcast_weeks} weeks are not final. They are shown as they are; the forecasts go "
            "through a nowcast of them, from how late events became known before."
        )
    for count, what in (
        (partial, "in weeks that are not covered whole: not counted."),
        (pointless, "of these countries without a usable point (none, or a country's): not counted."),
        (nearest, "up to 25 km outside of the regions of their country: counted in the nearest."),
        (lost, "in none of the regions: not counted in any."),
        (foreign, "of other countries or of regions that are not forecast: not counted in any region."),
    ):
        if count:
            found.append(f"{counted(count, 'event')} {what}")
    if vague is not None:
        left = f"; {counted(vague, 'other')} within the radius {'is' if vague == 1 else 'are'} not" if vague else ""
        found.append(f"Around places only events that are located to about 25 km or better are counted{left}.")
    if measure == "fatalities":
        found.append("Deaths that are not known count as none.")
    return tuple(found)
