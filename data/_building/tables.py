"""Events to weekly counts, and tables to files that have the same bytes each time."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from data._building.geometry import (
    EARTH_RADIUS_KM,
    Region,
    area_km2,
    great_circle_km,
    representative_point,
    shared_borders,
)

SATURDAY = 5
RADII_KM = (50, 100, 150)

REGION_COLUMNS = ("region", "country", "iso3", "name", "latitude", "longitude", "area_km2")
NEIGHBOUR_COLUMNS = ("region_a", "region_b", "border_km", "distance_km")
PLACE_COLUMNS = ("place", "country", "latitude", "longitude", "population", "geonameid")
PLACE_WEEK_COLUMNS = ("week", "place", "radius_km", "events", "fatalities")

Row = Sequence[str | int | float]


@dataclass(frozen=True)
class Event:
    """One lethal event: where, in which week, and how many died."""

    week: date
    region: str
    latitude: float
    longitude: float
    fatalities: int


@dataclass(frozen=True)
class Place:
    """A town: a point that circles are drawn around."""

    name: str
    country: str
    latitude: float
    longitude: float
    population: int
    geonameid: int


def week_of(day: date) -> date:
    """Return the Saturday that starts the week of a day."""
    return day - timedelta(days=(day.weekday() - SATURDAY) % 7)


def region_weeks(events: Iterable[Event]) -> dict[tuple[str, str], tuple[int, int]]:
    """Count events and deaths per week and region; weeks without an event are absent."""
    counts: Counter[tuple[str, str]] = Counter()
    deaths: Counter[tuple[str, str]] = Counter()
    for event in events:
        key = (event.week.isoformat(), event.region)
        counts[key] += 1
        deaths[key] += event.fatalities
    return {key: (counts[key], deaths[key]) for key in sorted(counts)}


def place_weeks(events: Sequence[Event], places: Sequence[Place]) -> list[Row]:
    """Count events and deaths per week within each radius of each place; an event may count at many places."""
    latitudes = np.array([event.latitude for event in events])
    longitudes = np.array([event.longitude for event in events])
    rows: list[Row] = []
    for place in places:
        distances = great_circle_km(place.latitude, place.longitude, latitudes, longitudes)
        for radius in RADII_KM:
            near = [events[index] for index in np.flatnonzero(distances <= radius).tolist()]
            weeks = region_weeks(near_event(event, place.name) for event in near)
            rows += [(week, name, radius, *counts) for (week, name), counts in weeks.items()]
    return sorted(rows, key=lambda row: (row[0], row[1], row[2]))


def near_event(event: Event, place: str) -> Event:
    """Return the event as one of a place instead of its region."""
    return Event(event.week, place, event.latitude, event.longitude, event.fatalities)


def region_rows(regions: Sequence[Region]) -> list[Row]:
    """Rows of `regions.csv`."""
    return [
        (
            region.key,
            region.country,
            region.iso3,
            region.name,
            *representative_point(region.polygon),
            round(area_km2(region.polygon), 1),
        )
        for region in regions
    ]


def neighbour_rows(regions: Sequence[Region]) -> list[Row]:
    """Rows of `neighbours.csv`: pairs that share a border, with its length and the distance of the centroids."""
    points = {region.key: representative_point(region.polygon) for region in regions}
    return [
        (a, b, round(length, 2), round(float(great_circle_km(*points[a], *points[b])), 1))
        for (a, b), length in shared_borders(regions).items()
    ]


def place_rows(places: Sequence[Place]) -> list[Row]:
    """Rows of `places.csv`."""
    return [(p.name, p.country, p.latitude, p.longitude, p.population, p.geonameid) for p in places]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file, gzipped or not, as strings by column name."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a CSV file with unix newlines; gzipped without name or time if the path ends with `.gz`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    path.write_bytes(gzip.compress(data, compresslevel=9, mtime=0) if path.suffix == ".gz" else data)


RADIUS_NOTE = f"great-circle distance on a sphere of radius {EARTH_RADIUS_KM} km"
