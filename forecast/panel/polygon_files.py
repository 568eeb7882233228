"""Polygons of regions from files of any usual kind: GeoJSON, GeoPackage, shapefile."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from forecast.errors import InputError, nearest_names, unknown_name
from forecast.panel.polygons import Polygons, polygons_from_geojson, read_geojson

KINDS = (".geojson", ".json", ".gpkg", ".shp")
WGS84 = "EPSG:4326"
_NAME = "region"


def read_polygon_file(
    path: Path,
    name_property: str = "region",
    *,
    country_property: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
) -> Polygons:
    """Read the polygons of regions from a GeoJSON file, a GeoPackage or a shapefile.

    Coordinates of another reference system are brought to WGS 84, vertex by vertex.

    Parameters
    ----------
    path : Path
        Ends in .geojson, .json, .gpkg or .shp.
    name_property : str
        The property of each feature that holds the name of its region.
    country_property : str, optional
        One that holds its country; names are then "country/region", as in "Mali/Mopti".
    layer : str, optional
        Of a GeoPackage with several.
    crs : str, optional
        Reference system of a shapefile or GeoPackage that does not say it, such as "EPSG:32630".

    Returns
    -------
    Polygons

    Raises
    ------
    InputError
        As `forecast.panel.polygons.polygons_from_geojson`; for another kind of file, one that cannot be read, a
        layer or property that is not in it, or a reference system that is not known.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        near = nearest_names(path.name, [other.name for other in path.parent.glob("*.*")])
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise InputError(f"no file {path.name}", where=str(path.parent), hint=hint)
    if kind not in KINDS:
        raise InputError(
            f"cannot read polygons from files of kind {kind!r}", where=path.name, expected=", ".join(KINDS)
        )
    content = read_geojson(path) if kind in {".geojson", ".json"} else _features(path, layer, crs)
    features = content.get("features") if isinstance(content, Mapping) else None
    if not isinstance(features, list) or not features:
        return polygons_from_geojson(content, name_property, where=path.name)  # which says what is wrong
    named = [
        _named(feature, name_property, country_property, f"{path.name} feature {position}")
        for position, feature in enumerate(features, start=1)
    ]
    return polygons_from_geojson({"features": named}, _NAME, where=path.name)


def _named(feature: object, name_property: str, country_property: str | None, at: str) -> dict[str, Any]:
    """Return a feature whose only property is the region's full name."""
    properties = feature.get("properties") if isinstance(feature, Mapping) else None
    known = list(map(str, properties)) if isinstance(properties, Mapping) else []
    parts = []
    for name in [country_property, name_property] if country_property else [name_property]:
        if name not in known:
            raise unknown_name("property", name, known, where=at)
        assert isinstance(properties, Mapping)
        value = properties[name]
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"the property {name!r} is {value!r}", where=at, expected="a text that is not empty")
        parts.append(value.strip())
    assert isinstance(feature, Mapping)
    return {"properties": {_NAME: "/".join(parts)}, "geometry": feature.get("geometry")}


def _features(path: Path, layer: str | None, crs: str | None) -> dict[str, Any]:
    """Return the features of a GeoPackage or shapefile as GeoJSON in WGS 84."""
    pyogrio = _imported("pyogrio", "GeoPackages and shapefiles", path)
    chosen: str | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # GDAL warns of shapes that are refused below
            layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
            chosen = layer if layer in layers else layers[0] if layer is None and len(layers) == 1 else None
            read = pyogrio.raw.read(path, layer=chosen, datetime_as_string=True) if chosen is not None else None
    except pyogrio.errors.DataSourceError as error:
        reason = str(error).splitlines()[0]
        hint = "a shapefile needs its .shx and .dbf beside it" if path.suffix.lower() == ".shp" else ""
        raise InputError(f"not readable: {reason}", where=path.name, hint=hint) from None
    except (pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError(f"not readable: {str(error).splitlines()[0]}", where=path.name) from None
    if read is None:
        raise _no_layer(layers, layer, path)
    meta, _, blobs, columns = read
    if blobs is None:
        raise InputError("the file holds a table without geometries", where=path.name)
    try:
        with np.errstate(invalid="ignore"):  # coordinates that are no numbers are refused below
            shapes = _in_degrees(shapely.force_2d(shapely.from_wkb(blobs)), crs or meta["crs"], path)
    except shapely.errors.ShapelyError as error:
        raise InputError(f"a geometry is not readable: {str(error).splitlines()[0]}", where=path.name) from None
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    wrong = owner[~np.isfinite(xy).all(axis=1)]
    if len(wrong):
        raise InputError(
            "a coordinate is no number, or lies outside its reference system",
            where=f"{path.name} feature {wrong[0] + 1}",
        )
    fields = [str(name) for name in meta["fields"]]
    features = []
    for shape, row in zip(shapes, zip(*columns, strict=True) if fields else ((),) * len(shapes), strict=True):
        geometry = None if shape is None else json.loads(shapely.to_geojson(shape))
        features.append({"properties": dict(zip(fields, row, strict=True)), "geometry": geometry})
    return {"features": features}


def _no_layer(layers: list[str], wanted: str | None, path: Path) -> InputError:
    if wanted is not None:
        return unknown_name("layer", wanted, layers, where=path.name)
    listed = ", ".join(map(repr, layers))
    return InputError(f"the file has {len(layers)} layers", where=path.name, expected=f"one of {listed}")


def _in_degrees(shapes: NDArray[np.object_], crs: str | None, path: Path) -> NDArray[np.object_]:
    """Return shapes in degrees, longitude first."""
    if not crs:
        raise InputError(
            "the file does not say its reference system",
            where=path.name,
            expected="for a shapefile a .prj file beside it",
            hint=f'name it: crs = "{WGS84}" for degrees of longitude and latitude',
        )
    if crs == WGS84:
        return shapes
    pyproj = _imported("pyproj", f"the reference system {crs.splitlines()[0][:60]!r}", path)
    try:
        to_degrees = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
    except pyproj.exceptions.ProjError:
        raise InputError(
            f"unknown reference system {crs[:60]!r}", where=path.name, expected=f"such as {WGS84!r}"
        ) from None
    result: NDArray[np.object_] = np.asarray(
        shapely.transform(shapes, to_degrees.transform, interleaved=False), dtype=object
    )
    return result


def _imported(package: str, what: str, path: Path) -> ModuleType:
    """Import a package that only some users need."""
    import importlib  # noqa: PLC0415

    try:
        return importlib.import_module(package)
    except ImportError:
        raise InputError(
            f"reading {what} needs the package {package}, which is not installed",
            where=path.name,
            hint=f"install {package}, or save the polygons as GeoJSON in {WGS84}",
        ) from None
