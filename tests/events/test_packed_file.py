"""Tables that are gzipped or in a zip file, for every importer; all records are made up."""

from __future__ import annotations

import gzip
import io
import zipfile

import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.events import packed_file
from forecast.events.acled import read_acled, read_acled_deletions
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.packed_file import open_packed
from forecast.events.table_mapping import read_mapped
from forecast.events.ucdp import read_ucdp

KEEP = ImprecisePolicy(month="keep", year="keep", area="keep", country="keep")
DAY = "2026-01-03"
TABLES = {
    "table": {"event_id": "7", "date": DAY, "latitude": "14.5", "longitude": "-4.2", "country": "Mali"},
    "acled": {
        "event_id_cnty": "7", "event_date": DAY, "event_type": "Battles", "country": "Mali", "latitude": "14.5",
        "longitude": "-4.2",
    },
    "ucdp": {
        "id": "7", "date_start": DAY, "date_end": DAY, "latitude": "14.5", "longitude": "-4.2", "country": "Mali",
        "where_prec": "1", "best": "2",
    },
}  # fmt: skip
READ = {
    "table": lambda path: read_mapped(path, None, KEEP),
    "acled": lambda path: read_acled(path, KEEP),
    "ucdp": lambda path: read_ucdp(path, KEEP),
}


def content(source, ending):
    frame = pd.DataFrame([TABLES[source]])
    stream = io.BytesIO()
    if ending == ".csv":
        frame.to_csv(stream, index=False)
    elif ending == ".tsv":
        frame.to_csv(stream, index=False, sep="\t")
    elif ending == ".xlsx":
        frame.to_excel(stream, index=False)
    else:
        frame.to_parquet(stream)
    return stream.getvalue()


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in members.items():
            archive.writestr(name, inside)
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".xlsx", ".parquet"])
@pytest.mark.parametrize("source", list(TABLES))
def test_every_importer_reads_every_kind_packed_or_not(tmp_path, source, ending):
    inside = content(source, ending)
    plain, packed = tmp_path / f"v26.0.1{ending}", tmp_path / f"v26.0.1{ending}.gz"
    plain.write_bytes(inside)
    packed.write_bytes(gzip.compress(inside))
    members = {"readme.txt": b"x,y", "folder/": b"", f"folder/Events{ending.upper()}": inside, "__MACOSX/._a.csv": b""}
    for path in (plain, packed, zipped(tmp_path / "v26.0.1.zip", members)):
        (batch,) = READ[source](path)
        assert batch.rows == 1
        event = batch.events.iloc[0]
        assert (event["event_id"], event["date"], event["latitude"]) == ("7", pd.Timestamp(DAY), 14.5)


def test_acled_with_semicolons_in_a_zip_file(tmp_path):
    text = content("acled", ".csv").decode().replace(",", ";").replace("14.5", "14,5")
    (batch,) = read_acled(zipped(tmp_path / "acled.zip", {"acled.csv": text}), KEEP)
    assert batch.events["latitude"].tolist() == [14.5]
    deleted = zipped(tmp_path / "deleted.zip", {"deleted.csv": "event_id_cnty;deleted_timestamp\nXXX1;1\n"})
    assert read_acled_deletions(deleted).deleted == ("XXX1",)


def test_of_several_tables_all_are_named(tmp_path):
    path = zipped(tmp_path / "my.zip", {"mali/a.csv": b"x", "b.xlsx": b"y", "c.PARQUET": b"z", "about.txt": b"t"})
    for read in READ.values():
        with pytest.raises(InputError) as refused:
            list(read(path))
        assert "3 tables inside" in str(refused.value)
        assert "found 'mali/a.csv', 'b.xlsx', 'c.PARQUET'\n" in str(refused.value)
        assert "import the one" in str(refused.value)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "no table inside(.|\n)*found nothing"),
        ({"about.txt": b"t"}, "no table inside(.|\n)*found 'about.txt'"),
        ({"inner.zip": b"t"}, "no table inside"),
    ],
)
def test_a_zip_file_without_a_table(tmp_path, members, said):
    with pytest.raises(InputError, match=said):
        list(read_mapped(zipped(tmp_path / "my.zip", members), None, KEEP))


@pytest.mark.parametrize(
    ("name", "inside"),
    [("a.zip", b"event_id,date\n"), ("a.csv.gz", b"event_id,date\n"), ("a.zip", b""), ("a.csv", b"PK\x03\x04x")],
)
def test_what_is_not_what_its_name_or_start_says(tmp_path, name, inside):
    (tmp_path / name).write_bytes(inside)
    with pytest.raises(InputError, match=r"cannot read|empty"):
        list(read_mapped(tmp_path / name, None, KEEP))


def test_a_password_is_named(tmp_path):
    path = zipped(tmp_path / "my.zip", {"a.csv": b"event_id,date\n1,2026-01-03\n"})
    locked = bytearray(path.read_bytes())
    locked[locked.index(b"PK\x01\x02") + 8] |= 1  # the flag of encryption, in the list of contents
    path.write_bytes(locked)
    with pytest.raises(InputError, match="has a password"):
        list(read_mapped(path, None, KEEP))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_small_file_cannot_fill_the_machine(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(packed_file, "FREE_BYTES", 2**16)
    path = zipped(tmp_path / "my.zip", {f"a{ending}": b"event_id,date\n" + b"1,2026-01-03\n" * 2**17})
    with pytest.raises(InputError, match="unpacks to more than 200 times"):
        list(read_mapped(path, None, KEEP))


def test_a_file_that_ends_early_says_so(tmp_path):
    path = tmp_path / "own.csv.gz"
    path.write_bytes(gzip.compress(b"event_id,date\n" + bytes(range(14, 255)) * 99)[:-30])
    with pytest.raises(InputError, match="damaged or cut off"), open_packed(path) as inside:
        inside.stream.read()
