"""Build the weekly counts of Mali, Burkina Faso and Niger in 2026 from UCDP candidate events.

    python data/_building/sahel_2026_weekly.py --events EVENTS.csv.gz --regions-from data/west-africa-weekly --out DIR

`EVENTS.csv.gz` holds UCDP Candidate Events of all precisions with the columns id, country, adm_1, where_prec,
date_prec, date_start, latitude, longitude and best. Regions, neighbours and places are those of the dataset
`west-africa-weekly`. Needs shapely 2.1 or newer. The same inputs and versions give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data._building import package, tables
from data._building.geometry import Region, assign_point, read_polygons, write_geojson
from data._building.tables import Event, Place, Row, week_of

COUNTRIES = ("Burkina Faso", "Mali", "Niger")
SPAN = package.Span(date(2026, 1, 3), date(2026, 7, 25))
KNOWN_UNTIL = "2026-07-31"

# The coarsest `where_prec` that can be known to a region: a line or an area, if the source names the region it lies in.
AREA_WHERE_PREC = 5
PRECISE_WHERE_PREC = 2
WEEK_DATE_PREC = 3
NEAREST_LIMIT_KM = 25.0

MEASURES = ("events", "fatalities", "events_precise", "fatalities_precise")

# Faults of the source that are put right here, by event: the column, what it says and what it should say.
CORRECTIONS: Mapping[str, tuple[str, str, str, str]] = {
    "633589": (
        "longitude",
        "8.805267",
        "-8.805267",
        "The sign is wrong: the place is between Soribougou and Sebekoro, Kita cercle, west of Bamako, "
        "and +8.8 lies in Niger. So read, the event counts in Mali/Kayes; it has where_prec 5 and is in no circle.",
    ),
}


@dataclass
class Reading:
    """What was read from the event file."""

    known: list[Event] = field(default_factory=list)
    precise: list[Event] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    left_out_by_country: Counter[str] = field(default_factory=Counter)
    nearest: list[dict[str, Any]] = field(default_factory=list)


def read_regions(folder: Path) -> list[Region]:
    """Read the regions of the three countries from another dataset."""
    about = {row["region"]: row for row in tables.read_rows(folder / "regions.csv")}
    regions = []
    for properties, polygon in read_polygons(folder / "regions.geojson", "region"):
        row = about[properties["region"]]
        if row["country"] in COUNTRIES:
            regions.append(Region(row["region"], row["country"], row["iso3"], row["name"], polygon))
    return regions


def read_places(folder: Path) -> list[Place]:
    """Read the places of the three countries from another dataset."""
    return [
        Place(
            row["place"],
            row["country"],
            float(row["latitude"]),
            float(row["longitude"]),
            int(row["population"]),
            int(row["geonameid"]),
        )
        for row in tables.read_rows(folder / "places.csv")
        if row["country"] in COUNTRIES
    ]


def read_neighbours(folder: Path, keys: set[str]) -> list[Row]:
    """Read the pairs of neighbours that are both among the regions."""
    return [
        [row[column] for column in tables.NEIGHBOUR_COLUMNS]
        for row in tables.read_rows(folder / "neighbours.csv")
        if {row["region_a"], row["region_b"]} <= keys
    ]


def corrected(row: dict[str, str]) -> dict[str, str]:
    """Return a row with its known fault put right; a row that no longer has the fault is an error."""
    if row["id"] not in CORRECTIONS:
        return row
    column, wrong, right, _ = CORRECTIONS[row["id"]]
    if row[column] != wrong:
        raise ValueError(f"event {row['id']}: {column} is {row[column]}, not {wrong}: drop the correction")
    return {**row, column: right}


def reason_to_leave_out(row: Mapping[str, str]) -> str | None:
    """Return the first reason why an event is not known to a region and a week, if there is one."""
    where_prec, date_prec = int(row["where_prec"]), int(row["date_prec"])
    week = week_of(date.fromisoformat(row["date_start"]))
    reasons = {
        "in_an_area_without_a_region": where_prec == AREA_WHERE_PREC and not row["adm_1"],
        "known_only_to_the_country": where_prec == 6,
        "outside_of_any_country": where_prec > 6,
        "known_only_to_a_month": date_prec == 4,
        "known_only_to_a_year": date_prec > 4,
        "before_first_week": week < SPAN.first,
        "after_last_week": week > SPAN.last,
        "no_point": not (row["latitude"] and row["longitude"]),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def read_events(path: Path, regions: Sequence[Region]) -> Reading:
    """Read the events, give them to regions by their point and count what is left out.

    Parameters
    ----------
    path
        The event file.
    regions
        The regions of the three countries.

    Returns
    -------
    Reading
        Each event of the file is in `known` or counted once in `left_out`; `precise` is a part of `known`.
    """
    reading = Reading(
        left_out=Counter(
            in_an_area_without_a_region=0,
            known_only_to_the_country=0,
            outside_of_any_country=0,
            known_only_to_a_month=0,
            known_only_to_a_year=0,
            before_first_week=0,
            after_last_week=0,
            no_point=0,
            outside=0,
        )
    )
    for row in map(corrected, tables.read_rows(path)):
        reason = reason_to_leave_out(row) or _add(reading, row, regions)
        if reason:
            reading.left_out[reason] += 1
            reading.left_out_by_country[row["country"]] += 1
    return reading


def _add(reading: Reading, row: Mapping[str, str], regions: Sequence[Region]) -> str | None:
    latitude, longitude = float(row["latitude"]), float(row["longitude"])
    given = assign_point(latitude, longitude, row["country"], regions)
    if given.distance_km > NEAREST_LIMIT_KM:
        return "outside"
    if given.distance_km > 0:
        reading.nearest.append(
            {"id": int(row["id"]), "region": given.region, "distance_km": round(given.distance_km, 2)}
        )
    week = week_of(date.fromisoformat(row["date_start"]))
    event = Event(week, given.region, latitude, longitude, int(row["best"]))
    reading.known.append(event)
    if int(row["where_prec"]) <= PRECISE_WHERE_PREC:
        reading.precise.append(event)
    return None


def region_week_rows(reading: Reading) -> list[Row]:
    """Rows of `region_weeks.csv`: all events beside the precisely located ones."""
    precise = tables.region_weeks(reading.precise)
    return [(*key, *counts, *precise.get(key, (0, 0))) for key, counts in tables.region_weeks(reading.known).items()]


def describe(reading: Reading) -> tuple[dict[str, Any], list[package.Resource]]:
    """Return the head and the resources of the data package."""
    known = "events known to a region (where_prec 1 to 4, or 5 with its region named) and a week (date_prec 1 to 3)"
    precise = "events with where_prec 1 or 2 and date_prec 1 to 3"
    measures = [
        package.field("events", "integer", f"Lethal {known}, by the week they start in", minimum=1),
        package.field("fatalities", "integer", f"Deaths in {known}, UCDP best estimate", minimum=0),
        package.field("events_precise", "integer", f"Lethal {precise}, by the week they start in", minimum=0),
        package.field("fatalities_precise", "integer", f"Deaths in {precise}, UCDP best estimate", minimum=0),
    ]
    place_measures = [
        package.field("events", "integer", f"Only precisely located: {precise}", minimum=1),
        package.field("fatalities", "integer", f"Deaths in only precisely located {precise}", minimum=0),
    ]
    head = {
        "name": "sahel-2026-weekly",
        "title": "Weekly lethal political violence per region and town, Mali, Burkina Faso and Niger, 2026",
        "description": (
            "Counts of UCDP candidate events known to a region and their deaths, per week and first-level region "
            "(the frames before 2016) of three countries, and of the precisely located ones within 50, 100 and 150 km "
            "of towns. Preliminary. "
            "Only non-zero rows are listed: the set is complete, so that a week between the first and the last one "
            "that a region or place has no row for is a zero."
        ),
        "version": "1.0.0",
        "vintage": "UCDP Candidate Events 26.01.26.06 (January to June 2026) and 26.0.7 (July), events to 2026-07-31",
        "weeks": {"start_day": "saturday", "first": SPAN.first.isoformat(), "last": SPAN.last.isoformat()},
        "known_until": KNOWN_UNTIL,
        "complete": True,
        "preliminary": True,
        "measures": list(MEASURES),
        "default_measure": "events",
        "left_out": dict(reading.left_out),
        "left_out_by_country": dict(sorted(reading.left_out_by_country.items())),
        "assigned_nearest": reading.nearest,
        "corrections": [
            {"id": int(key), "field": column, "from": float(wrong), "to": float(right), "reason": reason}
            for key, (column, wrong, right, reason) in CORRECTIONS.items()
        ],
        "licenses": [package.CC_BY],
        "contributors": package.CONTRIBUTORS,
        "sources": [
            {
                "title": "UCDP Candidate Events Dataset, releases 26.01.26.06 and 26.0.7 (CC BY 4.0)",
                "path": "https://ucdp.uu.se/downloads/",
            },
            package.NATURAL_EARTH,
            package.GEONAMES,
        ],
        "attribution": [
            "Hegre, Croicu, Eck and Hogbladh (2020), Introducing the UCDP Candidate Events Dataset, Research & "
            "Politics 7(3)",
            "UCDP, Uppsala University, CC BY 4.0",
            "GeoNames (geonames.org), CC BY 4.0",
            "Made with Natural Earth",
        ],
    }
    resources = [
        package.region_weeks_resource(SPAN, measures, "Counts per week and region, non-zero rows only"),
        package.place_weeks_resource(
            SPAN,
            place_measures,
            "Counts of precisely located events per week, place and radius, non-zero rows only",
        ),
        *package.unit_resources(),
    ]
    return head, resources


def build(events_path: Path, regions_from: Path, out: Path) -> None:
    """Write all files of the dataset but its README."""
    out.mkdir(parents=True, exist_ok=True)
    regions, places = read_regions(regions_from), read_places(regions_from)
    neighbours = read_neighbours(regions_from, {region.key for region in regions})
    reading = read_events(events_path, regions)
    tables.write_rows(out / "region_weeks.csv", ("week", "region", *MEASURES), region_week_rows(reading))
    near = tables.place_weeks(reading.precise, places)
    tables.write_rows(out / "place_weeks.csv.gz", tables.PLACE_WEEK_COLUMNS, near)
    tables.write_rows(out / "regions.csv", tables.REGION_COLUMNS, tables.region_rows(regions))
    tables.write_rows(out / "neighbours.csv", tables.NEIGHBOUR_COLUMNS, neighbours)
    tables.write_rows(out / "places.csv", tables.PLACE_COLUMNS, tables.place_rows(places))
    write_geojson(out / "regions.geojson", regions)
    package.write_package(out, *describe(reading))
    print(f"{len(reading.known)} events, {len(reading.precise)} of them precise; left out: {dict(reading.left_out)}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the dataset sahel-2026-weekly.")
    parser.add_argument("--events", type=Path, required=True, help="candidate events, .csv or .csv.gz")
    parser.add_argument("--regions-from", type=Path, required=True, help="folder of the dataset west-africa-weekly")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    build(options.events, options.regions_from, options.out)


if __name__ == "__main__":
    main()
