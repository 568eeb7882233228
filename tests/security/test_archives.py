"""Packed files and workbooks cannot lead out of a folder, and cannot unpack to more than is said."""

from __future__ import annotations

import gzip
import io
import json
import stat
import sys
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecast import tabular
from forecast.errors import InputError
from forecast.events import cell_records, packed_file
from forecast.events.cell_records import excel_records, parquet_records
from forecast.panel.dataset import Dataset
from forecast.panel.polygon_files import read_polygon_file
from forecast.tabular import read_table

TABLE = b"event_id,date,latitude,longitude\n1,2026-01-03,1,1\n"


@pytest.fixture
def ingest(tmp_path, call):
    """A function that imports a table and returns what the command said; nothing else may appear beside the file."""

    def run(path):
        beside = {other.name for other in tmp_path.parent.iterdir()}
        done = call("ingest", "table", path, "--workspace", tmp_path)
        assert {other.name for other in tmp_path.parent.iterdir()} == beside
        assert {other.name for other in tmp_path.iterdir()} <= {path.name, "data"}
        return done

    return run


@pytest.mark.parametrize("name", ["../../planted.csv", "/tmp/planted.csv", "..\\planted.csv", "C:\\planted.csv"])
def test_a_path_out_of_a_zip_file_is_refused(tmp_path, ingest, name):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), TABLE)
    done = ingest(path)
    assert done.code == 2
    assert "leads out of the archive" in done.err


def test_a_link_in_a_zip_file_is_not_followed(tmp_path, ingest):
    secret = tmp_path.parent / "secret.csv"
    secret.write_bytes(TABLE)
    path, link = tmp_path / "export.zip", zipfile.ZipInfo("events.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, str(secret))
    done = ingest(path)
    assert done.code == 2  # the path of the link is all that is in the table
    assert "rows" not in done.out


def test_a_zip_file_in_a_zip_file_is_not_opened(tmp_path, ingest):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("events.csv", TABLE)
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    done = ingest(path)
    assert done.code == 2
    assert "no table inside" in done.err


def test_a_zip_file_of_very_many_files_is_refused(tmp_path, ingest):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("events.csv", TABLE)
        for number in range(packed_file.MOST_MEMBERS):
            archive.writestr(f"{number}.txt", b"")
    done = ingest(path)
    assert done.code == 2
    assert "1001 files inside" in done.err


@pytest.mark.parametrize("ending", ["csv.gz", "zip"])
def test_a_bomb_of_the_real_size_is_refused(tmp_path, ingest, ending):
    """A file of about 100 kB that unpacks to 100 MB: more than `FREE_BYTES`, and 1000 times its size."""
    path, content = tmp_path / f"events.{ending}", TABLE + b"," * (100 * 2**20)
    if ending == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("events.csv", content)
    else:
        path.write_bytes(gzip.compress(content))
    done = ingest(path)
    assert done.code == 2
    assert "more than" in done.err


def workbook(change=lambda name, content: content):
    """Return a small workbook of which a function changes the parts."""
    book, plain, changed = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(["event_id", "date"])
    book.active.append(["1", "2026-01-03"])
    book.save(plain)
    with zipfile.ZipFile(plain) as parts, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as out:
        for part in parts.namelist():
            out.writestr(part, change(part, parts.read(part)))
    changed.seek(0)
    return changed


def of_sheet(*pairs):
    """Return a function that replaces texts in the first sheet."""

    def change(name, content):
        for old, new in pairs if name.endswith("sheet1.xml") else ():
            assert old in content
            content = content.replace(old, new, 1)
        return content

    return change


def entities(content: bytes) -> bytes:
    steps = b"".join(b'<!ENTITY e%d "%s">' % (at + 1, b"&e%d;" % at * 20) for at in range(8))
    bomb = b'<!DOCTYPE x [<!ENTITY e0 "%s">%s<!ENTITY f SYSTEM "file:///etc/passwd">]>' % (b"A" * 1000, steps)
    cell = b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&e8;&f;</t></is></c></row>'
    return bomb + content.replace(b"<sheetData>", cell, 1)


def test_entities_of_xml_are_not_expanded():
    stream = workbook(lambda name, content: entities(content) if name.endswith("sheet1.xml") else content)
    with pytest.raises(InputError, match="not readable as Excel"):
        list(excel_records(stream, "x.xlsx"))


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(cell_records, "LARGEST_SHEETS", 2**20)
    stream = workbook(of_sheet((b"</worksheet>", b" " * 2**20 + b"</worksheet>")))
    assert len(stream.getvalue()) < 20_000
    with pytest.raises(InputError, match="the workbook unpacks to more than 1 MiB"):
        list(excel_records(stream, "x.xlsx"))


@pytest.mark.parametrize("row", [b"1048577", b"99999999999"])
def test_a_row_far_down_does_not_have_all_rows_before_it_made(row):
    stream = workbook(of_sheet((b'<row r="2"', b'<row r="%s"' % row), (b'ref="A1:B2"', b'ref="A1:B%s"' % row)))
    with pytest.raises(InputError, match="more than 1048576 rows"):
        list(excel_records(stream, "x.xlsx"))


def test_wide_rows_of_one_cell_are_counted_whole(monkeypatch):
    monkeypatch.setattr(cell_records, "MOST_SHEET_CELLS", 100_000)
    rows = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (at, at) for at in range(1, 9))
    with pytest.raises(InputError, match="100000 cells"):
        list(excel_records(workbook(of_sheet((b"<sheetData>", b"<sheetData>" + rows))), "x.xlsx"))


def test_what_a_sheet_says_of_its_size_is_not_believed():
    for said in (b'ref="A1:XFD1048576"', b'ref="A1:A1"'):
        records = list(excel_records(workbook(of_sheet((b'ref="A1:B2"', said))), "x.xlsx"))
        assert records == [(1, ["event_id", "date"]), (2, ["1", "2026-01-03"])]


@pytest.fixture
def repeated(tmp_path):
    """A parquet file of few bytes in which every row has the same 64 KiB of text."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 2500, pa.int32()), pa.array(["A" * 2**16]))
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"event_id": column}), path, store_schema=False)
    assert path.stat().st_size < 10_000
    return path


def test_a_parquet_file_that_unpacks_to_too_much_is_refused(repeated, monkeypatch):
    monkeypatch.setattr(cell_records, "LARGEST_ROWS", 2**23)
    monkeypatch.setattr(tabular, "LARGEST_TABLE", 2**23)
    with repeated.open("rb") as stream, pytest.raises(InputError, match="250 rows of more than 8 MiB"):
        list(parquet_records(stream, "events.parquet"))
    with pytest.raises(InputError, match="more than 8 MiB"):
        read_table(repeated)


def test_a_parquet_file_of_too_many_rows_is_refused(repeated, monkeypatch):
    monkeypatch.setattr(cell_records, "MOST_ROWS", 1000)
    monkeypatch.setattr(tabular, "MOST_ROWS", 1000)
    with repeated.open("rb") as stream, pytest.raises(InputError, match="2500 rows"):
        list(parquet_records(stream, "events.parquet"))
    with pytest.raises(InputError, match="2500 rows"):
        read_table(repeated)


def test_a_packed_file_of_a_dataset_cannot_explode(workspace, monkeypatch):
    import hashlib

    folder = workspace / "data" / "simulated-poisson"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    (resource,) = [item for item in package["resources"] if item["name"] == "region_weeks"]
    bomb = gzip.compress(b"," * 2**20)
    (folder / resource["path"]).write_bytes(bomb)
    resource |= {"hash": f"sha256:{hashlib.sha256(bomb).hexdigest()}", "compression": "gz"}
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    monkeypatch.setattr(packed_file, "FREE_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to more than 200 times its size"):
        Dataset.open(folder).region_panel()


def test_json_and_toml_nested_without_end_are_refused(tmp_path, workspace, forecast):
    deep = sys.getrecursionlimit() * 50
    path = tmp_path / "regions.geojson"
    path.write_text('{"features":' + "[" * deep, encoding="utf-8")
    with pytest.raises(InputError, match="not valid JSON"):
        read_polygon_file(path)
    (workspace / "models" / "deep.toml").write_text("a = " + "[" * deep, encoding="utf-8")
    done = forecast("run", "--workspace", workspace)
    assert done.code == 2
    assert "not valid TOML" in done.err


LAYER = b'<OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
VRT = b"<OGRVRTDataSource>" + LAYER + b"</OGRVRTDataSource>"


@pytest.mark.parametrize("kind", ["gpkg", "shp"])
@pytest.mark.parametrize("content", [VRT, b'{"type":"FeatureCollection","features":[]}', b"PK\x03\x04", b""])
def test_polygons_of_another_kind_than_the_name_says_are_not_opened(tmp_path, kind, content):
    """GDAL opens a file as what it is: a virtual one (VRT) would have it read other files and addresses."""
    pytest.importorskip("pyogrio")
    path = tmp_path / f"regions.{kind}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"this is not a file of kind '.{kind}'"):
        read_polygon_file(path)
