"""Panels of a workspace that forecasts from its event store: events as known on a day, in regions and around places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import InputError, unknown_name
from forecast.events.store import EventStore
from forecast.events.table import Events
from forecast.panel.dataset import DataNote
from forecast.panel.from_events import Measure, panel_from_events, place_panel_from_events
from forecast.panel.panel import Panel
from forecast.panel.polygons import Polygons, neighbours_from_polygons, polygons_from_geojson, read_geojson
from forecast.panel.units import UnitKind, Units, great_circle_km
from forecast.panel.weeks import WEEK, week_start_of
from forecast.provenance import hash_file
from forecast.workspace import CONFIG_NAME, Workspace

DAY = dt.timedelta(days=1)
PRECISE = ("point", "near")
"""Precisions of place that can be counted within a circle."""
_COLUMNS = ("event_id", "date", "latitude", "longitude", "place_precision", "fatalities")
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
    panels : mapping of unit kind to Panel
        "region" always, "place" if the workspace has places.
    note : DataNote
    polygons : Polygons
        Of the regions of the panel.
    hashes : mapping of path to sha256
        Paths below the workspace; of the vintages, those that were known.
    """

    panels: Mapping[UnitKind, Panel]
    note: DataNote
    polygons: Polygons
    hashes: Mapping[str, str]


def count_events(workspace: Workspace, as_of: dt.date | None = None) -> CountedEvents:
    """Count the events of the store as they were known on a day.

    The panel ends with the last whole week that the vintages claim to cover: up to the end of their scope, or to the
    last event of an import without one, and never after the day on which they became known. Events without a usable
    point are not counted in regions: those without coordinates and those located to a country or worse, whose point
    is any point of it. Around places only those located to about 25 km or better are counted.

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
    known_until = max((vintage.covers_until for vintage in vintages if vintage.covers_until), default=None)
    if known_until is None:
        raise InputError(
            f"nothing was known of {source!r} on {as_of}" if as_of else f"the store has no event of {source!r}",
            where=f"{CONFIG_NAME} [data] store",
            expected="a day on which a vintage with events was known",
            hint="a later --as-of, or `forecast ingest`",
        )
    polygons, countries = _regions(workspace)

    frame = store.as_of(as_of, [source], _COLUMNS)
    first_day = data.first_week or frame["date"].min()
    first, last = week_start_of(first_day, data.week_start), week_start_of(known_until + DAY, data.week_start) - WEEK
    if pd.isna(first) or last < first:
        raise InputError(
            f"no whole week is known of {source!r}: from {first_day:%Y-%m-%d} until {known_until}",
            where=f"{CONFIG_NAME} [data]",
        )
    frame = frame[(frame["date"].ge(first) & frame["date"].lt(last + WEEK)).to_numpy()].reset_index(drop=True)
    frame["fatalities"] = frame["fatalities"].fillna(0)
    precision = frame["place_precision"].fillna("point")
    pointed = (frame["latitude"].notna() & frame["longitude"].notna()).to_numpy()
    usable = pointed & precision.ne("country").to_numpy(dtype=bool)
    precise = usable & precision.isin(PRECISE).to_numpy(dtype=bool)
    at = np.full(len(frame), -1, dtype=np.intp)
    at[usable] = polygons.locate(frame["latitude"].to_numpy()[usable], frame["longitude"].to_numpy()[usable])
    frame["region"] = pd.Categorical.from_codes(at, categories=pd.Index(polygons.names))

    title = f"Events of {source}"
    regions = panel_from_events(
        Events(frame[at >= 0], title),
        polygons.units(countries),
        first=first,
        last=last,
        week_start=data.week_start,
        measure=measure,
    )
    panels: dict[UnitKind, Panel] = {"region": replace(regions, neighbours=neighbours_from_polygons(polygons))}
    if workspace.spec.places:
        panels["place"] = place_panel_from_events(
            Events(frame[precise], title),
            _places(workspace, polygons, countries),
            first=first,
            last=last,
            week_start=data.week_start,
            measure=measure,
        )
    attribution, licence = TERMS.get(source, ("", ""))
    note = DataNote(
        title=title,
        description=f"{len(frame)} events in {len(panels['region'].weeks)} weeks.",
        attribution=attribution,
        licence=licence,
        vintage=f"{vintages[-1].name}, known at {vintages[-1].known_at}, until {panels['region'].known_until:%Y-%m-%d}",
        limits=_limits(int((~usable).sum()), int((usable & (at < 0)).sum()), measure, places="place" in panels),
    )
    hashes = {f"data/events/{vintage.file}": vintage.file_hash for vintage in vintages}
    hashes[str(data.regions)] = hash_file(workspace.root / str(data.regions))
    return CountedEvents(panels, note, polygons, hashes)


def _measure(name: str | None) -> Measure:
    if name is None or name == "events":
        return "events"
    if name == "fatalities":
        return "fatalities"
    raise unknown_name("measure", name, ["events", "fatalities"], where=f"{CONFIG_NAME} [data] measure")


def _regions(workspace: Workspace) -> tuple[Polygons, list[str]]:
    """Return the polygons of the regions that are forecast, and the country of each."""
    name = str(workspace.spec.data.regions)
    content: Any = read_geojson(workspace.root / name)
    every = polygons_from_geojson(content, where=name)
    given = [str(feature["properties"].get("country") or "") for feature in content["features"]]
    # The embedded sets, and what was made from them, name a region after its country: "Mali/Mopti".
    countries = [own or region.rpartition("/")[0] for own, region in zip(given, every.names, strict=True)]
    wanted = workspace.spec.regions
    for region in wanted.names:
        if region not in every.names:
            raise unknown_name("region", region, every.names, where=f"{CONFIG_NAME} [regions]")
    for country in wanted.countries:
        if country not in countries:
            raise unknown_name("country", country, sorted(set(countries)), where=f"{CONFIG_NAME} [regions]")
    chosen = [
        position
        for position, (region, country) in enumerate(zip(every.names, countries, strict=True))
        if region in wanted.names or country in wanted.countries or not (wanted.names or wanted.countries)
    ]
    polygons = Polygons(tuple(every.names[at] for at in chosen), tuple(every.shapes[at] for at in chosen))
    return polygons, [countries[at] for at in chosen]


def _places(workspace: Workspace, polygons: Polygons, countries: Sequence[str]) -> Units:
    """Return the places as units; the country of each is that of its region, or of the nearest centroid."""
    places = workspace.spec.places
    for place in places:
        if place.latitude is None:
            raise InputError(
                f"place {place.name!r} has no coordinates",
                where=f"{CONFIG_NAME} [[places]]",
                expected="latitude and longitude in degrees, to count single events around it",
            )
    latitude = np.array([place.latitude for place in places], dtype=np.float64)
    longitude = np.array([place.longitude for place in places], dtype=np.float64)
    inside = polygons.locate(latitude, longitude)
    distance = great_circle_km(latitude[:, None], longitude[:, None], *polygons.centroids())
    nearest = np.where(inside >= 0, inside, distance.argmin(axis=1))
    return Units.of(
        [place.unit for place in places],
        kind="place",
        groups=[countries[at] for at in nearest],
        latitude=latitude,
        longitude=longitude,
        radius_km=[float(place.radius_km) for place in places],
    )


def _limits(pointless: int, outside: int, measure: Measure, *, places: bool) -> tuple[str, ...]:
    found = ["The track record is computed from what is known now, with corrections that came after each origin."]
    if pointless:
        found.append(f"{pointless} events have no usable point (none, or a country's) and are not counted.")
    if outside:
        found.append(f"{outside} events lie in none of the regions and are not counted in any.")
    if places:
        found.append("Around places only events that are located to about 25 km or better are counted.")
    if measure == "fatalities":
        found.append("Deaths that are not known count as none.")
    return tuple(found)
