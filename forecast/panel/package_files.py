"""Files of a dataset folder, and what its ``datapackage.json`` says of them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from forecast.csv_text import csv_bytes
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units

_TYPES = {
    **dict.fromkeys(("week", "date"), "date"),
    **dict.fromkeys(("events", "radius_km", "population", "geonameid"), "integer"),
    **dict.fromkeys(("latitude", "longitude", "area_km2", "border_km", "distance_km"), "number"),
}


def described(
    name: str, path: str, description: str, content: bytes, *, radii_km: Sequence[int] = ()
) -> dict[str, Any]:
    """Return what ``datapackage.json`` says of a file: name, format, size, hash and, of a table, its columns.

    Parameters
    ----------
    name, path, description : str
    content : bytes
    radii_km : sequence of int
        Those that a column ``radius_km`` may have.
    """
    geojson = path.endswith(".geojson")
    said: dict[str, Any] = {"name": name} if geojson else {"name": name, "type": "table"}
    said |= {"path": path, "description": description, "format": "geojson" if geojson else "csv"}
    said |= {"mediatype": "application/geo+json" if geojson else "text/csv", "encoding": "utf-8"}
    if path.endswith(".gz"):
        said["compression"] = "gz"
    said |= {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    return said if geojson else said | {"schema": {"fields": _fields(path, content, radii_km)}}


def _fields(path: str, content: bytes, radii_km: Sequence[int]) -> list[dict[str, Any]]:
    """Describe the columns of a table by their names, which mean the same in every file."""
    header = (gzip.decompress(content) if path.endswith(".gz") else content).partition(b"\n")[0].decode()
    fields: list[dict[str, Any]] = [{"name": name, "type": _TYPES.get(name, "string")} for name in header.split(",")]
    for field in fields:
        if field["name"] == "radius_km":
            field["constraints"] = {"enum": list(radii_km)}
    return fields


def nonzero_counts(panel: Panel) -> tuple[pd.DataFrame, list[int]]:
    """Return week and events of each week and unit that had any, and the position of its unit."""
    week, unit = np.nonzero(panel.counts)
    return pd.DataFrame({"week": panel.weeks[week], "events": panel.counts[week, unit]}), unit.tolist()


def region_weeks_csv(panel: Panel) -> bytes:
    """Return the counts of regions as CSV, weeks with events only."""
    frame, unit = nonzero_counts(panel)
    frame.insert(1, "region", [panel.units.names[at] for at in unit])
    return csv_bytes(frame)


def neighbours_csv(units: Units, neighbours: Neighbours) -> bytes:
    """Return pairs of regions that share a border as CSV, each pair once."""
    names = np.asarray(units.names, dtype=object)
    border, distance = (sparse.triu(matrix, format="csr") for matrix in (neighbours.border_km, neighbours.distance_km))
    for matrix in (border, distance):
        matrix.sort_indices()
    first, second = np.repeat(np.arange(len(names)), np.diff(border.indptr)), border.indices
    return csv_bytes(
        pd.DataFrame(
            {
                "region_a": names[first],
                "region_b": names[second],
                "border_km": border.data.round(2),
                "distance_km": distance.data.round(1),
            }
        )
    )


def geojson_bytes(polygons: Polygons) -> bytes:
    """Return polygons as GeoJSON, each with its name as the property ``region``."""
    features = [
        {"type": "Feature", "properties": {"region": name}, "geometry": geometry}
        for name, geometry in polygons.geojson().items()
    ]
    return (json.dumps({"type": "FeatureCollection", "features": features}) + "\n").encode()
