"""Anybody's table by a mapping: every row is accounted for, whatever is wrong with the file."""

from __future__ import annotations

import builtins
import contextlib
import gzip
import itertools
import os
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.events.hxl import columns_from_tags
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.record import COLUMNS, Batch, tally
from forecast.events.table_mapping import TableMapping, read_mapped, read_mapping

SUBSET = Path(__file__).parent / "mappings" / "ucdp_candidate_subset.toml"
KEEP = ImprecisePolicy(month="keep", year="keep", area="keep", country="keep")

HEADER = "nr,day,lat,lon,dead,lowest,highest,where"
GOOD = "{},2026-01-03,14.5,-4.2,3,1,5,Mopti"


def mapping(**more: object) -> TableMapping:
    columns = {
        "event_id": "nr", "date": "day", "latitude": "lat", "longitude": "lon", "fatalities": "dead", "low": "lowest",
        "high": "highest", "location": "where",
    }  # fmt: skip
    return TableMapping.model_validate({"source": "own", "columns": columns, **more})


def write(folder: Path, *rows: str, header: str = HEADER, name: str = "own.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
    return path


def one(path: Path, spec: TableMapping | None, policy: ImprecisePolicy = KEEP) -> Batch:
    (batch,) = read_mapped(path, spec, policy)
    check(batch)
    return batch


def check(batch: Batch) -> None:
    assert len(batch.events) + batch.dropped.total() == batch.rows
    assert dict(batch.events.dtypes.astype(str)).keys() == COLUMNS.keys()
    assert batch.events["event_id"].is_unique
    assert batch.events["event_id"].notna().all()
    assert batch.events["date"].notna().all()
    assert ((batch.events["flags"] != "") <= (batch.events["treatment"] == "flagged")).all()


def test_a_good_row(tmp_path):
    event = one(write(tmp_path, GOOD.format(1)), mapping(constants={"country": "Mali"})).events.iloc[0]
    assert (event["event_id"], event["source"], event["country"], event["location"]) == ("1", "own", "Mali", "Mopti")
    assert (event["date"], event["date_end"]) == (pd.Timestamp("2026-01-03"), pd.Timestamp("2026-01-03"))
    assert (event["date_precision"], event["place_precision"], event["treatment"]) == ("day", "point", "kept")
    assert (event["fatalities"], event["fatalities_low"], event["fatalities_high"]) == (3, 1, 5)


@pytest.mark.parametrize(
    ("row", "kind", "flag"),
    [
        ("1,2026-01-03,x,-4.2,3,1,5,Mopti", "coordinates", "coordinates_unreadable"),
        ("1,2026-01-03,,-4.2,3,1,5,Mopti", "coordinates", "coordinates_missing"),
        ("1,2026-01-03,14.5,-404,3,1,5,Mopti", "coordinates", "coordinates_off_the_globe"),
        ("1,2026-01-03,14.5,-4.2,-3,,5,Mopti", "fatalities", "fatalities_unreadable"),
        ("1,2026-01-03,14.5,-4.2,1.5,1,5,Mopti", "fatalities", "fatalities_unreadable"),
        ("1,2026-01-03,14.5,-4.2,inf,1,5,Mopti", "fatalities", "fatalities_unreadable"),
        ("1,2026-01-03,14.5,-4.2,3,1,many,Mopti", "fatalities", "high_unreadable"),
        ("1,2026-01-03,14.5,-4.2,3,4,5,Mopti", "range", "low_above_best"),
        ("1,2026-01-03,14.5,-4.2,3,1,2,Mopti", "range", "best_above_high"),
        ("1,2026-01-03,14.5,-4.2,,3,2,Mopti", "range", "low_above_high"),
    ],
)
def test_a_fault_is_flagged_or_dropped(tmp_path, row, kind, flag):
    path = write(tmp_path, row, GOOD.format(2))
    flagged = one(path, mapping())
    assert flagged.events["flags"].tolist() == [flag, ""]
    assert flagged.events["treatment"].tolist() == ["flagged", "kept"]
    dropped = one(path, mapping(faults={kind: "drop"}))
    assert (dropped.events["event_id"].tolist(), dropped.dropped) == (["2"], Counter({flag.replace("_", " "): 1}))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2026-01-03,14.5,-4.2,3,1,5,Mopti", "no event id"),
        ("1,,14.5,-4.2,3,1,5,Mopti", "no date"),
        ("1,03/01/2026,14.5,-4.2,3,1,5,Mopti", "date not readable"),
        ("1,2026-02-30,14.5,-4.2,3,1,5,Mopti", "date not readable"),
        ("1,0026-02-03,14.5,-4.2,3,1,5,Mopti", "date not readable"),
        ("2,2026-01-04,14.5,-4.2,3,1,5,Mopti", "event id occurs before"),
        ("1,2026-01-03,14.5,-4.2,3,1,5,Mopti, north", "more or fewer values than columns"),
        ("1,2026-01-03", "more or fewer values than columns"),
    ],
)
def test_a_row_that_cannot_be_an_event(tmp_path, row, reason):
    batch = one(write(tmp_path, GOOD.format(2), row), mapping())
    assert (batch.rows, batch.dropped) == (2, Counter({reason: 1}))
    assert batch.events["event_id"].tolist() == ["2"]


def test_dates_and_numbers_of_a_french_spreadsheet(tmp_path):
    spec = mapping(delimiter=";", decimal=",", date_format="%d/%m/%Y", encoding="cp1252")
    path = write(tmp_path, "1;03/01/2026;14,5;-4,25;3;1;5;Ségou", header=HEADER.replace(",", ";"), encoding="cp1252")
    event = one(path, spec).events.iloc[0]
    assert (event["date"], event["latitude"], event["longitude"]) == (pd.Timestamp("2026-01-03"), 14.5, -4.25)
    assert event["location"] == "Ségou"


def test_precision_by_codes_by_span_and_by_place(tmp_path):
    header = "nr,day,last,prec,place,admin1"
    columns = {
        "event_id": "nr", "date": "day", "date_end": "last", "place_precision": "place", "admin1": "admin1"
    }  # fmt: skip
    values = {"place_precision": {"1": "point", "6": "country"}, "date_precision": {"1": "day", "4": "month"}}
    path = write(
        tmp_path,
        "1,2026-01-03,2026-01-03,1,1,Gao",
        "2,2026-01-03,2026-01-09,4,6,Gao",
        "3,2026-01-01,2026-01-31,9,9,Gao",
        "4,2026-01-01,2026-12-31,1,1,",
        "5,2026-01-03,2026-01-01,1,1,",
        header=header,
    )
    spec = TableMapping.model_validate({"source": "own", "columns": columns, "values": values})
    events = one(path, spec).events
    assert events["date_precision"].tolist() == ["day", "week", "month", "year", "day"]
    assert events["place_precision"].tolist() == ["point", "country", "region", "point", "point"]
    assert events["flags"].tolist() == ["", "", "place_precision_unknown", "", "end_before_start"]
    coded = TableMapping.model_validate(
        {"source": "own", "columns": {**columns, "date_precision": "prec"}, "values": values}
    )
    assert one(path, coded).events["date_precision"].tolist() == ["day", "month", "month", "day", "day"]
    dropped = one(path, coded, ImprecisePolicy()).dropped
    assert dropped == Counter({"place known only to a country or worse": 1})


def test_an_id_of_several_columns(tmp_path):
    spec = TableMapping(source="own", columns={"event_id": ("day", "where"), "date": "day"})
    path = write(tmp_path, "1,2026-01-03,,,,,,Mopti", "2,2026-01-03,,,,,,Gao", "3,2026-01-03,,,,,,")
    batch = one(path, spec)
    assert batch.events["event_id"].tolist() == ["2026-01-03/Mopti", "2026-01-03/Gao"]
    assert batch.dropped == Counter({"no event id": 1})


def test_repeats_are_found_across_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("forecast.events.table_rows.BLOCK_ROWS", 3)
    path = write(tmp_path, *(GOOD.format(number % 5) for number in range(10)))
    batches = list(read_mapped(path, mapping(), KEEP))
    assert [len(batch.events) for batch in batches] == [3, 2, 0, 0]
    assert tally(batches) == (10, Counter({"kept": 5}), Counter({"event id occurs before": 5}))


def test_a_wrong_mapping_names_the_column_and_the_nearest(tmp_path):
    path = write(tmp_path, GOOD.format(1), header=HEADER.replace("lat", "Latitude").replace("dead", "killed"))
    with pytest.raises(InputError) as caught:
        one(path, mapping())
    message = str(caught.value)
    assert "no column 'lat' (latitude), 'dead' (fatalities)" in message
    assert "own.csv row 1" in message
    assert "latitude = 'Latitude'?" in message


@pytest.mark.parametrize(
    ("header", "offered"),
    [
        ("nr,dead,Date of event,lat,lon,lowest", "date = 'Date of event'?"),
        ("nr,Days,date,lat,lon", "date = 'Days' or 'date'?"),
        ("nr,date_start,best,date_end", "date = 'date_start' or 'date_end'?"),
        ("nr,dead,n,lat,lon", None),
    ],
)
def test_a_short_name_is_not_taken_for_any_other(tmp_path, header, offered):
    spec = TableMapping(source="own", columns={"event_id": "nr", "date": "day"})
    with pytest.raises(InputError) as caught:
        one(write(tmp_path, header=header), spec)
    assert caught.value.hint == (f"in the mapping, [columns]: {offered}" if offered else "")
    assert caught.value.expected == f"the columns of the mapping; found {', '.join(map(repr, header.split(',')))}"


def test_of_many_columns_the_first_are_shown(tmp_path):
    path = write(tmp_path, header=",".join(f"c{number:02}" for number in range(49)))
    with pytest.raises(InputError, match=r"'c23', 'c24' ... \(49 in all\)") as caught:
        one(path, mapping())
    assert "'c25'" not in str(caught.value)


def test_without_mapping_headers_are_roles(tmp_path):
    path = write(tmp_path, "1,2026-01-03,Mali", header="event_id,date,country", name="My events.csv")
    assert one(path, None).events["source"].tolist() == ["table"]
    with pytest.raises(InputError, match="no column 'date' "):
        one(write(tmp_path, "1,2026-01-03", header="event_id,datum"), None)


def test_a_mapping_file_with_a_typo(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text('source = "own"\n[columns]\nevent_id = "a"\ndate = "b"\nlatitud = "c"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"unknown key 'columns.latitud'(.|\n)*did you mean 'latitude'"):
        read_mapping(path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"constants": {"location": "x"}}, "location is both a column and a constant"),
        ({"values": {"date_precision": {"1": "Day"}}}, "date_precision cannot be 'Day'"),
        ({"encoding": "klingon"}, "no encoding"),
        ({"encoding": "rot13"}, "no encoding"),
        ({"delimiter": '"'}, "delimiter"),
        ({"columns": {"event_id": "a", "date": "b", "latitude": "c"}}, "belong together"),
        ({"source": "My source"}, "source"),
    ],
)
def test_mappings_that_make_no_sense(change, expected):
    with pytest.raises(ValueError, match=expected):
        mapping(**change)


HXL = (
    ",id,day,adm_1,y,x,best,extra",
    "0,,#date +start,#adm1+name,#geo+lat,#geo+lon,#affected+killed,",
    "1,15960.0,2009-06-09 00:00:00.000,Borno state,11.84,13.16,14,z",
)


def test_hxl_tags_are_a_mapping_and_no_row(tmp_path):
    path = write(tmp_path, *HXL[1:], header=HXL[0])
    batch = one(path, None)
    assert batch.rows == 1
    event = batch.events.iloc[0]
    assert (event["event_id"], event["admin1"], event["fatalities"]) == ("15960.0", "Borno state", 14)
    assert event["latitude"] == 11.84
    spec = TableMapping(source="own", columns={"event_id": "id", "date": "day"})
    assert one(path, spec).rows == 1  # with a mapping the tags are passed over


def test_hxl_tags_may_be_the_header(tmp_path):
    path = write(tmp_path, "7,2026-01-03,Gao", header="#event+id,#date,#adm1")
    assert one(path, None).events[["event_id", "admin1"]].values.tolist() == [["7", "Gao"]]


def test_hxl_without_an_id_says_so(tmp_path):
    path = write(tmp_path, "#date,#adm1", "2026-01-03,Gao", header="day,region")
    with pytest.raises(InputError, match=r"no HXL tag says which column is 'event_id'(.|\n)*#date, #adm1"):
        one(path, None)


def test_attributes_in_any_order_and_language():
    assert columns_from_tags(["a", "b", "c"], ["#affected +best+killed", "#adm1+name+fr", "#date+end"]) == {
        "fatalities": "a", "admin1": "b", "date_end": "c"
    }  # fmt: skip


def frame(path: Path) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "nr": [12, 13], "day": pd.to_datetime(["2026-01-03", "2026-01-04"]), "lat": [14.5, None],
            "lon": [-4.2, None], "dead": [3.0, None], "lowest": [1, 2], "highest": [5, 6], "where": ["Ségou", None],
        }
    )  # fmt: skip


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_excel_and_parquet(tmp_path, suffix):
    path = tmp_path / f"own{suffix}"
    if suffix == ".xlsx":
        pytest.importorskip("openpyxl")
        with pd.ExcelWriter(path) as book:
            pd.DataFrame({"other": [1]}).to_excel(book, sheet_name="Notes", index=False)
            frame(path).to_excel(book, sheet_name="Events", index=False)
        with pytest.raises(InputError, match=r"unknown sheet 'Event'(.|\n)*'Events'"):
            one(path, mapping(sheet="Event"))
        with pytest.raises(InputError, match="no column 'nr'"):
            one(path, mapping())  # the first sheet
    else:
        frame(path).to_parquet(path)
    events = one(path, mapping(sheet="Events", date_format="%d/%m/%Y")).events
    assert events["event_id"].tolist() == ["12", "13"]
    assert events["date"].dt.day.tolist() == [3, 4]
    assert events["fatalities"].tolist() == [3, pd.NA]
    assert events["flags"].tolist() == ["", "coordinates_missing"]


def test_excel_without_openpyxl(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments):
        if name == "openpyxl":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "own.xlsx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"needs the package openpyxl(.|\n)*CSV UTF-8"):
        one(tmp_path / "own.xlsx", mapping())


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"", "own.csv", "the file is empty"),
        (b"\n\n", "own.csv", "the file is empty"),
        (b"a,b,a\n", "own.csv", "two columns are called 'a'"),
        ("nr,day\n1,S\u00e9gou\n".encode("cp1252"), "own.csv", r"byte 0xe9 is not utf-8(.|\n)*encoding = \"cp1252\""),
        (b'nr,day\n"1,2', "own.csv", "not readable as CSV"),
        (b"nr,day\n\x00,2\n", "own.csv", "zero bytes"),
        (b"nr,day\n1,2\n", "own.csv.gz", "cannot read"),
        (gzip.compress(b"nr,day\n" + b"1,2\n" * 999, mtime=0)[:-20], "own.csv.gz", "cannot read"),
        (b"PAR1", "own.parquet", "not readable as parquet"),
        (b"PK\x03\x04", "own.xlsx", "not readable as Excel"),
        (b"x", "own.ods", r"kind '.ods'(.|\n)*save as"),
    ],
)
def test_files_that_are_no_tables(tmp_path, content, name, expected):
    if name.endswith("xlsx"):
        pytest.importorskip("openpyxl")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=expected):
        list(read_mapped(path, mapping(), KEEP))


def test_a_missing_file_names_the_nearest(tmp_path):
    write(tmp_path, GOOD)
    with pytest.raises(InputError, match=r"no file own.cvs(.|\n)*did you mean 'own.csv'"):
        list(read_mapped(tmp_path / "own.cvs", mapping(), KEEP))


def test_the_subset_of_2026_adds_up_to_999():
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    path = Path(folder) / "ucdp_candidate_2026_sahel.csv.gz"
    batch = one(path, read_mapping(SUBSET), ImprecisePolicy())
    rows, treatments, dropped = tally([batch])
    assert rows == 999
    assert treatments.total() + dropped.total() == 999
    assert dropped == Counter({"place known only to a country or worse": 20})
    ranges = batch.events[batch.events["flags"].str.contains("above")]
    assert sorted(ranges["event_id"]) == ["620031", "620034", "620035", "622870", "622874", "630982", "636627"]
    everything = one(path, read_mapping(SUBSET)).events
    assert len(everything) == 999
    assert everything["date_precision"].value_counts().to_dict() == {"day": 711, "week": 270, "month": 18}
    assert everything.groupby("country").size().to_dict() == {"Burkina Faso": 407, "Mali": 490, "Niger": 102}


def table_bytes(suffix: str, folder: Path) -> bytes:
    if suffix == ".csv":
        return ("\n".join([HEADER, *(GOOD.format(number) for number in range(5))]) + "\n").encode()
    path = folder / f"whole{suffix}"
    if not path.exists():
        frame(path).to_parquet(path) if suffix == ".parquet" else frame(path).to_excel(path, index=False)
    return path.read_bytes()


def mangled(content: bytes, data: st.DataObject) -> bytes:
    how = data.draw(st.sampled_from(["random", "truncated", "overwritten", "shuffled", "mis-encoded", "cells"]))
    at = data.draw(st.integers(0, len(content)))
    if how == "random":
        return data.draw(st.binary(max_size=200))
    if how == "truncated":
        return content[:at]
    if how == "overwritten":
        noise = data.draw(st.binary(min_size=1, max_size=30))
        return content[:at] + noise + content[at + len(noise) :]
    if how == "shuffled":
        return b"\n".join(data.draw(st.permutations(content.split(b"\n")[:12])))
    if how == "mis-encoded":
        return content.decode("latin-1").encode(data.draw(st.sampled_from(["utf-8", "utf-16", "cp037", "utf-7"])))
    rows = data.draw(st.lists(st.lists(st.text(max_size=12), min_size=7, max_size=9), max_size=6))
    return b"\n".join([HEADER.encode(), *(",".join(row).encode("utf-8", "surrogatepass") for row in rows)])


def feed(folder: Path, data: st.DataObject) -> None:
    """Read a mangled table: batches that add up, or an error that says what is wrong; nothing else."""
    suffix = data.draw(st.sampled_from([".csv", ".csv", ".parquet", ".xlsx"]))
    path = folder / f"own{suffix}"
    path.write_bytes(mangled(table_bytes(suffix, folder), data))
    spec = data.draw(st.sampled_from([mapping(), mapping(encoding="cp1252", decimal=","), None]))
    with contextlib.suppress(InputError):
        for batch in read_mapped(path, spec, ImprecisePolicy()):
            check(batch)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_mangled_tables(tmp_path, data):
    pytest.importorskip("openpyxl")
    feed(tmp_path, data)


@pytest.mark.slow
def test_mangled_tables_for_a_minute(tmp_path):
    pytest.importorskip("openpyxl")
    end = time.monotonic() + 60
    for number in itertools.count():
        if time.monotonic() > end:
            break

        @seed(number)
        @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(st.data())
        def run(data):
            feed(tmp_path, data)

        run()
