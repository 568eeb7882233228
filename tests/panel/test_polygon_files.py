"""GeoPackages and shapefiles give the same polygons as GeoJSON, whatever their reference system."""

from __future__ import annotations

import contextlib
import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.panel.polygon_files import files_of, read_polygon_file

SHAPES = (shapely.box(-4.0, 14.0, -3.0, 15.0), shapely.box(-3.0, 14.0, -2.0, 15.0))
SUFFIXES = (".gpkg", ".shp")


def write(path: Path, *, crs: str | None = "EPSG:4326", shapes=SHAPES, layer: str | None = None, append=False) -> Path:
    """Write two regions of Mali as a person would get them."""
    pyogrio = pytest.importorskip("pyogrio")
    geometry = np.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], dtype=object)
    names = [np.array(["Mopti", "Ségou"][: len(shapes)], dtype=object), np.array(["Mali"] * len(shapes), dtype=object)]
    pyogrio.raw.write(
        path, geometry, [*names, np.arange(len(shapes))], ["adm1", "country", "code"], crs=crs,
        geometry_type="Polygon", layer=layer, append=append, **({"encoding": "UTF-8"} if path.suffix == ".shp" else {}),
    )  # fmt: skip
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_names_and_shapes(tmp_path, suffix):
    found, countries = read_polygon_file(write(tmp_path / f"a{suffix}"), "adm1", country_property="country")
    assert found.names == ("Mali/Mopti", "Mali/Ségou")
    assert countries == ("Mali", "Mali")
    assert all(ours.equals(theirs) for ours, theirs in zip(found.shapes, SHAPES, strict=True))


def test_geojson_has_the_same_options(tmp_path):
    features = [
        {"properties": {"adm1": "Mopti", "country": "Mali"}, "geometry": json.loads(shapely.to_geojson(SHAPES[0]))}
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    found, countries = read_polygon_file(path, "adm1", country_property="country")
    assert (found.names, countries) == (("Mali/Mopti",), ("Mali",))
    with pytest.raises(InputError, match=r"unknown property 'adm'(.|\n)*'adm1'"):
        read_polygon_file(path, "adm")
    with pytest.raises(InputError, match=r"unknown property 'region'(.|\n)*which property names the regions"):
        read_polygon_file(path)
    for wrong, message in ({"layer": "a"}, "no layers"), ({"crs": "EPSG:32630"}, "no reference system but WGS 84"):
        with pytest.raises(InputError, match=message):
            read_polygon_file(path, "adm1", **wrong)


@pytest.mark.parametrize(
    ("properties", "options", "name", "country"),
    [
        ({"region": "Mali/Mopti"}, {}, "Mali/Mopti", "Mali"),
        ({"region": "Mopti", "country": "Mali"}, {}, "Mopti", "Mali"),
        ({"region": "Mali/Mopti", "country": None}, {}, "Mali/Mopti", "Mali"),
        ({"region": "Mopti"}, {}, "Mopti", ""),
        ({"region": "Mopti"}, {"in_country": "Mali"}, "Mali/Mopti", "Mali"),
        ({"region": "Mali/Mopti"}, {"in_country": "Mali"}, "Mali/Mopti", "Mali"),
        ({"region": "Mali/Mopti", "admin": "Mali"}, {"country_property": "admin"}, "Mali/Mopti", "Mali"),
        ({"region": "Mopti/Djenné", "admin": "Mali"}, {"country_property": "admin"}, "Mali/Mopti/Djenné", "Mali"),
    ],
)
def test_where_the_country_comes_from(tmp_path, properties, options, name, country):
    feature = {"properties": properties, "geometry": json.loads(shapely.to_geojson(SHAPES[0]))}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"features": [feature]}), encoding="utf-8")
    found, countries = read_polygon_file(path, **options)
    assert (found.names, countries) == ((name,), (country,))


def test_files_of_a_shapefile(tmp_path):
    path = write(tmp_path / "a.shp")
    write(tmp_path / "ab.shp")
    assert {file.name for file in files_of(path)} == {"a.shp", "a.shx", "a.dbf", "a.prj", "a.cpg"}
    path = write(tmp_path / "a.gpkg")
    assert files_of(path) == (path,)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_another_reference_system_is_brought_to_degrees(tmp_path, suffix):
    pyproj = pytest.importorskip("pyproj")
    forward = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32630", always_xy=True)
    metres = shapely.transform(np.array(SHAPES), forward.transform, interleaved=False)
    found, _ = read_polygon_file(write(tmp_path / f"a{suffix}", crs="EPSG:32630", shapes=metres), "adm1")
    for ours, theirs in zip(found.shapes, SHAPES, strict=True):
        assert shapely.hausdorff_distance(ours, theirs) < 1e-6


def test_a_shapefile_without_prj_needs_its_system_named(tmp_path):
    path = write(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(InputError, match=r"does not say its reference system(.|\n)*EPSG:4326"):
        read_polygon_file(path, "adm1")
    assert read_polygon_file(path, "adm1", crs="EPSG:4326")[0].names == ("Mopti", "Ségou")
    pytest.importorskip("pyproj")
    with pytest.raises(InputError, match="unknown reference system 'EPSG:1'"):
        read_polygon_file(path, "adm1", crs="EPSG:1")


def test_layers(tmp_path):
    path = write(tmp_path / "a.gpkg", layer="adm1")
    write(path, layer="adm2", append=True)
    with pytest.raises(InputError, match=r"2 layers(.|\n)*'adm1', 'adm2'"):
        read_polygon_file(path, "adm1")
    assert len(read_polygon_file(path, "adm1", layer="adm2")[0]) == 2
    with pytest.raises(InputError, match="unknown layer 'adm3'"):
        read_polygon_file(path, "adm1", layer="adm3")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("name", "expected"), [("Adm1", r"unknown property 'Adm1'(.|\n)*'adm1'"), ("code", "property 'code' is")]
)
def test_wrong_property(tmp_path, suffix, name, expected):
    with pytest.raises(InputError, match=expected):
        read_polygon_file(write(tmp_path / f"a{suffix}"), name)


def test_broken_shapes_are_refused_as_in_geojson(tmp_path):
    twice = (SHAPES[0], shapely.box(-3.5, 14, -2.5, 15))
    with pytest.raises(InputError, match="overlap by 50%"):
        read_polygon_file(write(tmp_path / "a.gpkg", shapes=twice), "adm1")
    with pytest.raises(InputError, match=r"geometry of type None(.|\n)*Ségou"):
        read_polygon_file(write(tmp_path / "b.gpkg", shapes=(SHAPES[0], None)), "adm1")


def test_no_such_file_or_kind(tmp_path):
    write(tmp_path / "regions.gpkg")
    with pytest.raises(InputError, match=r"no file region.gpkg(.|\n)*did you mean 'regions.gpkg'"):
        read_polygon_file(tmp_path / "region.gpkg")
    (tmp_path / "a.kml").touch()
    with pytest.raises(InputError, match=r"kind '.kml'(.|\n)*\.gpkg"):
        read_polygon_file(tmp_path / "a.kml")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "a.gpkg")
    real = importlib.import_module

    def without(name, package=None):
        if name == "pyogrio":
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(InputError, match=r"needs the package pyogrio(.|\n)*GeoJSON"):
        read_polygon_file(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mangled_files_are_refused_or_read(tmp_path, data):
    suffix = data.draw(st.sampled_from(SUFFIXES))
    path = tmp_path / f"a{suffix}"
    for old in tmp_path.glob("a.*"):
        old.unlink()
    content = bytearray(write(path).read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:start]
    else:
        content[start : start + 40] = data.draw(st.binary(min_size=40, max_size=40))
    path.write_bytes(bytes(content))
    with contextlib.suppress(InputError):
        assert len(read_polygon_file(path, "adm1")[0]) >= 1
