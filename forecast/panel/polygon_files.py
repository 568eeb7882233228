"""Polygons of regions from files of any usual kind: GeoJSON, GeoPackage, shapefile."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from forecast.errors import InputError, nearest_names, unknown_name
from forecast.panel.polygons import Polygons, named_polygons, polygons_from_geojson, read_geojson, region_name

KINDS = (".geojson", ".json", ".gpkg", ".shp")
WGS84 = "EPSG:4326"
_GEOJSON = (".geojson", ".json")
_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_STARTS = {".gpkg": b"SQLite format 3\x00", ".shp": b"\x00\x00\x27\x0a"}
_NAME, _COUNTRY = "region", "country"


def read_polygon_file(
    path: Path,
    name_property: str | None = _NAME,
    *,
    country_property: str | None = None,
    in_country: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
) -> tuple[Polygons, tuple[str, ...]]:
    """Read the polygons of regions, and their countries, from a GeoJSON file, a GeoPackage or a shapefile.

    Coordinates of another reference system are brought to WGS 84, vertex by vertex.

    Parameters
    ----------
    path : Path
        Ends in .geojson, .json, .gpkg or .shp.
    name_property : str or None
        The property of each feature that holds the name of its region; None where names do not matter, and features
        are numbered.
    country_property : str, optional
        One that holds its country; names are then "country/region", as in "Mali/Mopti".
    in_country : str, optional
        The one country of all regions, for names of the same form, if no property is named.
    layer : str, optional
        Of a GeoPackage with several.
    crs : str, optional
        Reference system of a shapefile or GeoPackage that does not say it, such as "EPSG:32630".

    Returns
    -------
    Polygons
    tuple of str, shape (polygons,)
        The country of each. Where none is given: the property `country` if the file has it, or else what stands
        before the slash of the name, or else empty.

    Raises
    ------
    InputError
        As `forecast.panel.polygons.polygons_from_geojson`; for another kind of file, one that cannot be read, a
        layer or property that is not in it, a reference system that is not known, or a layer or reference system of
        GeoJSON, which has neither.
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
    if kind in _GEOJSON and (layer or crs):
        raise InputError(
            f"GeoJSON has no {'layers' if layer else 'reference system but WGS 84'}",
            where=path.name,
            hint=f"leave out {'the layer' if layer else 'the reference system, or save the polygons as a GeoPackage'}",
        )
    if kind not in _GEOJSON:
        rows, shapes = _features(path, layer, crs)
        named = _names_and_countries(rows, name_property, country_property, in_country, path)
        return named_polygons([name for name, _ in named], shapes, where=path.name), tuple(of for _, of in named)
    content = read_geojson(path)
    features = content.get("features") if isinstance(content, Mapping) else None
    if not isinstance(features, list) or not features:
        return polygons_from_geojson(content, name_property or _NAME, where=path.name), ()  # which says what is wrong
    parts = [feature if isinstance(feature, Mapping) else {} for feature in features]
    rows = [part["properties"] if isinstance(part.get("properties"), Mapping) else {} for part in parts]
    named = _names_and_countries(rows, name_property, country_property, in_country, path)
    plain = [
        {"properties": {_NAME: name}, "geometry": part.get("geometry")}
        for (name, _), part in zip(named, parts, strict=True)
    ]
    return polygons_from_geojson({"features": plain}, _NAME, where=path.name), tuple(of for _, of in named)


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the files that hold the polygons of a file: itself, and those beside it that a shapefile is made of."""
    if path.suffix.lower() != ".shp":
        return (path,)
    beside = sorted(path.parent.glob("*.*"))
    return tuple(other for other in beside if other.stem == path.stem and other.suffix.lower() in _SHAPEFILE)


def _names_and_countries(
    rows: Sequence[Mapping[str, Any]],
    name_property: str | None,
    country_property: str | None,
    in_country: str | None,
    path: Path,
) -> list[tuple[str, str]]:
    """Return the full name of each region and its country."""
    found = []
    for position, properties in enumerate(rows, start=1):
        at = f"{path.name} feature {position}"
        name = str(position) if name_property is None else _text(properties, name_property, at)
        if country_property is not None or in_country is not None:
            country = _text(properties, country_property, at) if country_property is not None else str(in_country)
            name = name if name.startswith(f"{country}/") else f"{country}/{name}"
        else:
            own = properties.get(_COUNTRY)
            before, slash, _ = name.partition("/")
            country = region_name(own, at) if isinstance(own, str) and own.strip() else before if slash else ""
        found.append((name, country))
    return found


def _text(properties: Mapping[str, Any], name: str, at: str) -> str:
    if name not in properties:
        error = unknown_name("property", name, map(str, properties), where=at)
        hint = 'say which property names the regions: name = "..."' if name == _NAME else ""
        raise InputError(error.what, where=at, expected=error.expected, hint=hint)
    value = properties[name]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"the property {name!r} is {value!r}", where=at, expected="a text that is not empty")
    return region_name(value, at)


def _features(
    path: Path, layer: str | None, crs: str | None
) -> tuple[list[Mapping[str, Any]], list[BaseGeometry | None]]:
    """Return the properties and shapes of a GeoPackage or shapefile, in WGS 84."""
    pyogrio = _imported("pyogrio", "GeoPackages and shapefiles", path)
    _check_start(path)
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
    values = zip(*columns, strict=True) if fields else ((),) * len(shapes)
    return [dict(zip(fields, row, strict=True)) for row in values], list(shapes)


def _check_start(path: Path) -> None:
    """Refuse a file of another kind than its name says: GDAL would open it as what it is.

    Some kinds, such as VRT, are descriptions that have it read other files and addresses.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from None
    kind = path.suffix.lower()
    if not start.startswith(_STARTS[kind]):
        raise InputError(f"not readable: this is not a file of kind {kind!r}", where=path.name)


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
