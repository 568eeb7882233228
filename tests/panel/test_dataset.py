"""Datasets: what is read, what is refused, that nothing changed gets through."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.dataset import DataNote, Dataset

ROOT = Path(__file__).parents[2] / "data"
SAHEL = ROOT / "sahel-2026-weekly"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAHEL, tmp_path / "set"))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "datapackage.json"
    content = json.loads(path.read_text())
    for key, value in changes.items():
        if value is None:
            del content[key]
        else:
            content[key] = value
    path.write_text(json.dumps(content))


def replace_file(folder: Path, name: str, content: bytes) -> None:
    """Change a file and its hash, as somebody who makes a set by hand would."""
    (folder / name).write_bytes(content)
    resources = json.loads((folder / "datapackage.json").read_text())["resources"]
    for resource in resources:
        if resource["path"] == name:
            resource["hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    edit(folder, resources=resources)


def test_region_panel_agrees_with_the_files() -> None:
    panel = Dataset.open(SAHEL).region_panel()
    table = pd.read_csv(SAHEL / "region_weeks.csv")
    regions = pd.read_csv(SAHEL / "regions.csv")
    assert list(panel.units.names) == regions["region"].tolist()
    assert list(panel.units.groups) == regions["country"].tolist()
    assert panel.counts.sum() == table["events"].sum()
    row = table.iloc[17]
    assert panel.to_frame().loc[row["week"], row["region"]] == row["events"]
    assert panel.observed.all()
    assert not panel.simulated
    assert panel.known_until == pd.Timestamp("2026-07-31")
    assert panel.neighbours.border_km.nnz == 2 * len(pd.read_csv(SAHEL / "neighbours.csv"))
    assert (panel.exposure == 1).all()


def test_regions_of_countries_and_by_name() -> None:
    dataset = Dataset.open(SAHEL)
    whole = dataset.region_panel()
    panel = dataset.region_panel(countries=["Mali"], names=["Niger/Tahoua"])
    assert set(panel.units.groups) == {"Mali", "Niger"}
    assert panel.units.groups.count("Niger") == 1
    assert (panel.counts == whole.select(panel.units.names).counts).all()
    kept = whole.select(panel.units.names).neighbours.border_km
    assert (panel.neighbours.border_km.toarray() == kept.toarray()).all()


def test_measures() -> None:
    dataset = Dataset.open(SAHEL)
    precise = dataset.region_panel("events_precise")
    assert precise.counts.sum() == pd.read_csv(SAHEL / "region_weeks.csv")["events_precise"].sum()
    with pytest.raises(InputError, match=r"unknown measure 'event'(.|\n)*'events'"):
        dataset.region_panel("event")


def test_place_panel() -> None:
    panel = Dataset.open(SAHEL).place_panel([("Mopti", 50), ("Bamako", 100), ("Bamako", 50)])
    table = pd.read_csv(SAHEL / "place_weeks.csv.gz")
    assert panel.units.names == ("Mopti 50 km", "Bamako 100 km", "Bamako 50 km")
    assert panel.units.kind == "place"
    assert panel.units.groups == ("Mali",) * 3
    assert panel.units.radius_km.tolist() == [50, 100, 50]
    mine = table[(table["place"] == "Bamako") & (table["radius_km"] == 100)]
    assert panel.counts[:, 1].sum() == mine["events"].sum() > 0
    assert np.isfinite(panel.units.latitude).all()


def test_unknown_names_offer_the_nearest() -> None:
    dataset = Dataset.open(SAHEL)
    for call, expected in [
        (lambda: dataset.region_panel(countries=["Maly"]), "unknown country 'Maly'(.|\n)*'Mali'"),
        (lambda: dataset.region_panel(names=["Mali/Mopty"]), "unknown region 'Mali/Mopty'(.|\n)*'Mali/Mopti'"),
        (lambda: dataset.place_panel([("Bamakko", 100)]), "unknown place 'Bamakko'(.|\n)*'Bamako'"),
        (lambda: dataset.place_panel([("Bamako", 75)]), "no counts within 75 km of Bamako(.|\n)*50, 100, 150 km"),
        (lambda: dataset.place_panel([]), "no places"),
        (lambda: dataset.polygons(["Mopti"]), "unknown region 'Mopti'"),
    ]:
        with pytest.raises(InputError, match=expected):
            call()


def test_polygons_and_places() -> None:
    dataset = Dataset.open(SAHEL)
    assert set(dataset.polygons()) == set(dataset.region_panel().units.names)
    (shape,) = dataset.polygons(["Mali/Mopti"]).values()
    assert shape["type"] in {"Polygon", "MultiPolygon"}
    assert {"place", "country", "latitude", "longitude", "population"} == set(dataset.places().columns)


def test_note() -> None:
    note = Dataset.open(SAHEL).note()
    assert note.preliminary
    assert "CC BY 4.0" in note.attribution
    assert "2026-07-31" in note.vintage
    assert any("preliminary" in limit for limit in note.limits)
    assert any("in an area without a region" in limit for limit in note.limits)
    assert [field.name for field in dataclasses.fields(DataNote)] == [
        *("title", "description", "attribution", "licence", "vintage", "limits", "preliminary"),
    ]


@pytest.mark.parametrize(
    "name", sorted(path.name for path in ROOT.glob("*/datapackage.json") for path in [path.parent])
)
def test_every_embedded_set_is_whole(name: str) -> None:
    dataset = Dataset.open(ROOT / name)
    hashes = dataset.hashes()
    assert set(hashes) == {"datapackage.json", *(resource.path for resource in dataset.spec.resources)}
    for path, found in hashes.items():
        assert hashlib.sha256((ROOT / name / path).read_bytes()).hexdigest() == found


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("region_weeks.csv", lambda dataset: dataset.region_panel()),
        ("regions.csv", lambda dataset: dataset.region_panel()),
        ("neighbours.csv", lambda dataset: dataset.region_panel()),
        ("places.csv", lambda dataset: dataset.places()),
        ("place_weeks.csv.gz", lambda dataset: dataset.place_panel([("Bamako", 100)])),
        ("regions.geojson", lambda dataset: dataset.polygons()),
    ],
)
def test_tampering_is_detected(copy: Path, name: str, call: Any) -> None:
    old = (copy / name).read_bytes()
    (copy / name).write_bytes(old[:-1] + bytes([old[-1] ^ 1]))
    dataset = Dataset.open(copy)
    for attempt in (call, lambda dataset: dataset.hashes()):
        with pytest.raises(InputError) as caught:
            attempt(dataset)
        assert f"set/{name}" in caught.value.where
        assert hashlib.sha256(old).hexdigest() in caught.value.expected
        assert hashlib.sha256((copy / name).read_bytes()).hexdigest() in caught.value.what
        assert caught.value.hint


@pytest.mark.parametrize(
    "path", ["../outside.csv", "/etc/hosts", "a/../../outside.csv", "..\\outside.csv", "link.csv", "a\x00b"]
)
def test_paths_that_leave_the_folder(copy: Path, path: str) -> None:
    (copy.parent / "outside.csv").write_text("secret")
    (copy / "link.csv").symlink_to(copy.parent / "outside.csv")
    edit(copy, resources=[{"name": "regions", "path": path, "hash": "sha256:0"}])
    with pytest.raises(InputError, match=r"outside the dataset|control character"):
        Dataset.open(copy).region_panel()


def test_missing_file(copy: Path) -> None:
    (copy / "regions.csv").unlink()
    with pytest.raises(InputError, match=r"cannot read: No such file(.|\n)*set/regions\.csv"):
        Dataset.open(copy).region_panel()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"weeks": {"start_day": "saturday", "first": "2026-01-04", "last": "2026-07-25"}}, "2026-01-04 is a Sunday"),
        ({"known_until": "2026-07-30"}, "not over at known_until, 2026-07-30"),
        ({"default_measure": "dead"}, "unknown default_measure 'dead'"),
        ({"complete": None}, "key 'complete' is missing"),
        ({"resources": []}, "resources"),
        ({"weeks": "all"}, "weeks"),
    ],
)
def test_descriptions_that_are_wrong(copy: Path, changes: dict[str, Any], expected: str) -> None:
    edit(copy, **changes)
    with pytest.raises(InputError, match=expected):
        Dataset.open(copy)


def test_no_description(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file datapackage\.json"):
        Dataset.open(tmp_path)
    for content, expected in [(b"{", "not valid JSON"), (b"[]", "not a JSON object"), (b"\xff", "not valid JSON")]:
        (tmp_path / "datapackage.json").write_bytes(content)
        with pytest.raises(InputError, match=expected):
            Dataset.open(tmp_path)


def test_incomplete_sets_have_missing_weeks(copy: Path) -> None:
    edit(copy, complete=False)
    dataset = Dataset.open(copy)
    panel = dataset.region_panel()
    assert panel.observed.sum() == len(pd.read_csv(SAHEL / "region_weeks.csv"))
    assert any("unknown, not zero" in limit for limit in dataset.note().limits)


def test_counts_that_contradict_the_set(copy: Path) -> None:
    header = b"week,region,events\n"
    for row, expected in [
        (b"2026-08-01,Mali/Mopti,1\n", "not over at 2026-07-31"),
        (b"2025-12-27,Mali/Mopti,1\n", "lies outside the panel"),
        (b"2026-01-03,Mali/Mopty,1\n", "unknown region 'Mali/Mopty'"),
        (b"2026-01-03,Mali/Mopti,-1\n", "negative"),
        (b"2026-01-03,Mali/Mopti,1\n" * 2, "more than one row"),
    ]:
        replace_file(copy, "region_weeks.csv", header + row)
        with pytest.raises(InputError, match=expected):
            Dataset.open(copy).region_panel()
    replace_file(copy, "region_weeks.csv", header)
    assert Dataset.open(copy).region_panel().counts.sum() == 0
    replace_file(copy, "neighbours.csv", b"region_a,region_b,border_km,distance_km\nMali/Gao,Mali/Gao,1,1\n")
    with pytest.raises(InputError, match="a pair is listed twice, or is one region"):
        Dataset.open(copy).region_panel()
    replace_file(copy, "place_weeks.csv.gz", b"week\n")
    with pytest.raises(InputError, match="not gzip"):
        Dataset.open(copy).place_panel([("Bamako", 100)])


def test_simulated_sets_say_so(copy: Path) -> None:
    edit(copy, simulated=True)
    dataset = Dataset.open(copy)
    panel = dataset.region_panel()
    assert panel.simulated
    assert panel.source.startswith("SIMULATED")
    assert dataset.note().title.startswith("SIMULATED")
