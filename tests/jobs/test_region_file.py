"""The regions of a workspace come from any usual file of polygons, by the keys of ``[data] regions``."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import shapely

from forecast.config import parse
from forecast.errors import InputError
from forecast.jobs.region_file import WorkspaceRegions, workspace_regions
from forecast.panel.dataset import Dataset
from forecast.panel.polygons import Polygons, neighbours_from_polygons, read_polygons
from forecast.provenance import hash_file
from forecast.workspace import Workspace, WorkspaceSpec

ROOT = Path(__file__).parents[2]
SET = ROOT / "data" / "west-africa-weekly"
REST = """
[[escalations]]
name = "any"
rule = "any_event"
weeks = 4
[models]
use = ["zero"]
headline = "zero"
[report]
name = "weekly"
"""


def spec_of(regions: str, wanted: str = "") -> WorkspaceSpec:
    text = f'title = "T"\n[data]\nstore = "own"\nregions = {regions}\n[regions]\n{wanted}\n{REST}'
    return parse(WorkspaceSpec, tomllib.loads(text), where="forecast.toml")


def read(root: Path, regions: str, wanted: str = "") -> WorkspaceRegions:
    return workspace_regions(Workspace(root, spec_of(regions, wanted), {}))


def message(regions: str) -> str:
    with pytest.raises(InputError) as caught:
        spec_of(regions)
    return str(caught.value)


def put_geojson(path: Path, shapes: dict[str, tuple[shapely.Geometry, dict[str, str]]]) -> None:
    features = [
        {"type": "Feature", "properties": {"region": name, **more}, "geometry": json.loads(shapely.to_geojson(shape))}
        for name, (shape, more) in shapes.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def borders(polygons: Polygons) -> dict[tuple[str, str], float]:
    """Return the shared border of each pair of neighbours, in km."""
    found = neighbours_from_polygons(polygons).border_km.tocoo()
    names = polygons.names
    return {(names[i], names[j]): float(km) for i, j, km in zip(found.row, found.col, found.data, strict=True)}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """A workspace with the files that the example of the documentation makes, by its own code."""
    pytest.importorskip("pyogrio")
    pytest.importorskip("pyproj")
    root = tmp_path_factory.mktemp("published")
    (root / "data" / SET.name).mkdir(parents=True)
    shutil.copy(SET / "regions.geojson", root / "data" / SET.name)
    page = (ROOT / "docs" / "event-store.md").read_text(encoding="utf-8")
    block = re.search(r"^    import json.*?(?=^\S)", page, re.MULTILINE | re.DOTALL)
    assert block
    code = "\n".join(line[4:] for line in block[0].splitlines())
    folder = Path.cwd()
    os.chdir(root)
    try:
        exec(compile(code, "docs/event-store.md", "exec"), {})
    finally:
        os.chdir(folder)
    return root


GPKG = '{ file = "data/adm1.gpkg", layer = "adm1", name = "adm1_name", country = "adm0_name" }'
SHP = '{ file = "data/mali.shp", name = "shapeName", in_country = "Mali" }'


def test_the_examples_of_the_documentation_are_these():
    page = (ROOT / "docs" / "event-store.md").read_text(encoding="utf-8")
    assert f"`regions = {GPKG}`" in page
    assert f"`regions = {SHP}`" in page


def test_a_geopackage_gives_the_regions_of_the_set(published):
    found = read(published, GPKG, 'countries = ["Mali", "Burkina Faso", "Niger"]')
    of_set = Dataset.open(SET).region_panel(countries=["Mali", "Burkina Faso", "Niger"]).units
    assert found.polygons.names == of_set.names
    assert found.countries == of_set.groups
    every = read_polygons(SET / "regions.geojson")
    assert found.every.names == every.names
    assert all(ours.equals(theirs) for ours, theirs in zip(found.every.shapes, every.shapes, strict=True))
    assert found.every_countries == tuple(name.partition("/")[0] for name in every.names)
    assert found.hashes == {"data/adm1.gpkg": hash_file(published / "data" / "adm1.gpkg")}


def test_a_shapefile_in_metres_gives_the_same_shapes_and_neighbours(published):
    found = read(published, SHP)
    every = read_polygons(SET / "regions.geojson")
    mali = [at for at, name in enumerate(every.names) if name.startswith("Mali/")]
    expected = Polygons(tuple(every.names[at] for at in mali), tuple(every.shapes[at] for at in mali))
    assert found.polygons.names == found.every.names == expected.names
    assert set(found.countries) == {"Mali"}
    apart = shapely.hausdorff_distance(np.array(found.polygons.shapes), np.array(expected.shapes))
    assert apart.max() < 1e-8
    assert borders(found.polygons) == pytest.approx(borders(expected), abs=1e-3)
    files = {f"data/mali{suffix}" for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")}
    assert found.hashes == {path: hash_file(published / path) for path in files}


def test_a_change_of_the_table_of_a_shapefile_changes_a_hash(published, tmp_path):
    shutil.copytree(published / "data", tmp_path / "data")
    before = read(tmp_path, SHP).hashes
    table = tmp_path / "data" / "mali.dbf"
    table.write_bytes(table.read_bytes().replace(b"Gao", b"Gaw"))
    after = read(tmp_path, SHP)
    assert "Mali/Gaw" in after.polygons.names
    assert [path for path in before if before[path] != after.hashes[path]] == ["data/mali.dbf"]


def test_names_need_not_be_spelled_as_in_the_file(published):
    found = read(published, SHP, 'names = ["Timbuktu", "Segou region", "Mali/Gao"]')
    assert found.polygons.names == ("Mali/Gao", "Mali/Ségou", "Mali/Tombouctou")
    assert len(found.every) == 9
    with pytest.raises(InputError) as caught:
        read(published, SHP, 'names = ["Tomboktu", "Segou region", "Menaka"]')
    page = (ROOT / "docs" / "event-store.md").read_text(encoding="utf-8")
    assert "\n".join(f"    {line}" for line in str(caught.value).splitlines()) in page


def test_a_file_of_ones_own_needs_its_name_only(tmp_path):
    west, east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    put_geojson(tmp_path / "a.geojson", {"West": (west, {"country": "A"}), "B/East": (east, {})})
    found = read(tmp_path, '"a.geojson"', 'countries = ["B"]')
    assert (found.polygons.names, found.countries) == (("B/East",), ("B",))
    assert (found.every.names, found.every_countries) == (("West", "B/East"), ("A", "B"))
    assert list(found.hashes) == ["a.geojson"]
    same = read(tmp_path, '{ file = "./a.geojson" }')
    assert same.polygons.names == same.every.names == found.every.names
    assert spec_of('"a.geojson"') == spec_of('{ file = "a.geojson" }')


def test_the_country_of_a_point_is_that_of_its_region_or_of_a_near_one(tmp_path):
    west, east = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    put_geojson(tmp_path / "a.geojson", {"A/West": (west, {}), "B/East": (east, {})})
    found = read(tmp_path, '"a.geojson"', 'names = ["A/West"]')
    assert found.countries_at([0.5, 0.5, 0.5, 0.5], [0.5, 1.5, 2.1, 2.5]) == ("A", "B", "B", "")


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ('{ file = "a.gpkg", nmae = "x" }', "unknown key 'data.regions.nmae'(.|\n)*did you mean 'name'"),
        ('{ fiel = "a.gpkg" }', "'data.regions.file' is missing(.|\n)*did you mean 'file'"),
        ('{ file = "a.gpkg", country = "a", in_country = "b" }', "either `country`(.|\n)*or `in_country`"),
        ('["a.gpkg"]', "data.regions: give the name of a file, or a table"),
        ('""', "data.regions = ''"),
        ('{ file = "a.gpkg", layer = 1 }', "data.regions.layer = 1"),
    ],
)
def test_wrong_keys_are_named(regions, expected):
    assert re.search(expected, message(regions))


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ('"data/mali.shp"', r"unknown property 'region'(.|\n)*'shapeName'(.|\n)*which property names the regions"),
        ('{ file = "data/mali.shp", name = "shapName" }', r"unknown property 'shapName'(.|\n)*'shapeName'"),
        ('{ file = "data/adm1.gpkg", layer = "adm2", name = "adm1_name" }', r"unknown layer 'adm2'(.|\n)*'adm1'"),
        ('{ file = "data/adm1.gpkg", name = "adm0_name" }', "two polygons are called 'Algeria'"),
        ('"data/adm2.gpkg"', r"no file adm2.gpkg(.|\n)*did you mean 'adm1.gpkg'"),
    ],
)
def test_what_a_file_does_not_have_is_named(published, regions, expected):
    with pytest.raises(InputError, match=expected):
        read(published, regions)


def test_published_boundaries(tmp_path):
    """Natural Earth: 288 regions of 18 countries, whose country and name are properties of their own."""
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source files")
    for name in ("adm1_west_africa_naturalearth", "adm2_burkina_faso_naturalearth"):
        content = gzip.decompress((Path(folder) / f"{name}.geojson.gz").read_bytes())
        (tmp_path / f"{name}.geojson").write_bytes(content)
    file = 'file = "adm1_west_africa_naturalearth.geojson"'
    by_name = read(tmp_path, f'{{ {file}, name = "adm1", country = "country" }}')
    of_set = read_polygons(SET / "regions.geojson")
    assert sorted(by_name.every.names) == sorted(of_set.names)
    ours, theirs = borders(by_name.every), borders(of_set)
    assert ours == pytest.approx(theirs, rel=0.1, abs=4)  # those of the set are simplified, and so shorter or longer

    by_code = read(tmp_path, f'{{ {file}, name = "adm1", country = "iso3" }}', 'countries = ["Mali", "Côte d\'Ivoire"]')
    assert set(by_code.countries) == {"MLI", "CIV"}
    assert len(by_code.polygons) == 9 + 19

    provinces = read(
        tmp_path, '{ file = "adm2_burkina_faso_naturalearth.geojson", name = "adm2", in_country = "Burkina Faso" }'
    )
    assert len(provinces.polygons) == 45
    assert "Burkina Faso/Soum" in provinces.polygons.names
    assert (np.diff(neighbours_from_polygons(provinces.polygons).border_km.tocsr().indptr) > 0).all()
