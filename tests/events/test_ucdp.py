"""UCDP files: what is taken, flagged, left out and refused. All rows here are simulated; the real files are read from
the folder that ESCALATION_FORECAST_SOURCES names, and the tests on them skipped where there is none."""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.events import packed_file, table_rows
from forecast.events.checks.deaths import deaths_order
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.record import COLUMNS, Batch, tally
from forecast.events.ucdp import read_ucdp, read_ucdp_releases, release_in

KEEP = ImprecisePolicy(month="keep", year="keep", area="keep", country="keep")
GED = [
    "id",
    "relid",
    "year",
    "active_year",
    "code_status",
    "type_of_violence",
    "conflict_dset_id",
    "conflict_new_id",
    "conflict_name",
    "dyad_dset_id",
    "dyad_new_id",
    "dyad_name",
    "side_a_dset_id",
    "side_a_new_id",
    "side_a",
    "side_b_dset_id",
    "side_b_new_id",
    "side_b",
    "number_of_sources",
    "source_article",
    "source_office",
    "source_date",
    "source_headline",
    "source_original",
    "where_prec",
    "where_coordinates",
    "where_description",
    "adm_1",
    "adm_2",
    "latitude",
    "longitude",
    "geom_wkt",
    "priogrid_gid",
    "country",
    "country_id",
    "region",
    "event_clarity",
    "date_prec",
    "date_start",
    "date_end",
    "deaths_a",
    "deaths_b",
    "deaths_civilians",
    "deaths_unknown",
    "best",
    "high",
    "low",
    "gwnoa",
    "gwnob",
]
ROW = dict.fromkeys(GED, "") | {
    "type_of_violence": "1",
    "side_a": "Person of Side A",
    "side_b": "Side B",
    "source_article": '"Simulated wire, 2026-07-04, a headline";\n"Another, second line"',
    "source_date": "2026-07-04",
    "where_prec": "1",
    "where_coordinates": "Simulated town",
    "adm_1": "Simulated region",
    "adm_2": "Simulated district",
    "latitude": "12.5",
    "longitude": "-8.0",
    "country": "Mali",
    "date_prec": "1",
    "date_start": "2026-07-03 00:00:00.000",
    "date_end": "2026-07-03 00:00:00.000",
    "best": "2",
    "high": "3",
    "low": "1",
}


def text(rows: Iterable[dict[str, str]], columns: Iterable[str] = GED) -> str:
    """Rows as CSV: each a change of `ROW`, numbered from 1 unless it has an id."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(rows, start=1):
        writer.writerow({**ROW, "id": str(number), **row})
    return stream.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(*rows: dict[str, str], name: str = "GEDEvent_v26_0_7.csv", columns: Iterable[str] = GED) -> Path:
        path = tmp_path / name
        path.write_text(text(rows, columns), encoding="utf-8")
        return path

    return write


def read(path: Path, policy: ImprecisePolicy = KEEP) -> tuple[pd.DataFrame, Counter[str]]:
    batches = list(read_ucdp(path, policy))
    check(batches)
    return pd.concat([batch.events for batch in batches], ignore_index=True), tally(batches)[2]


def check(batches: list[Batch]) -> None:
    for batch in batches:
        assert list(batch.events) == list(COLUMNS)
        assert {name: str(kind) for name, kind in batch.events.dtypes.items()} == COLUMNS
        assert batch.events["event_id"].is_unique
        assert len(batch.events) + batch.dropped.total() == batch.rows
        assert batch.events[["date", "date_start", "date_end", "country"]].notna().all(axis=None)


def test_a_row_in_full(write: Any) -> None:
    assert len(GED) == 49
    events, dropped = read(write({}))
    assert not dropped
    found = {name: None if pd.isna(value) else value for name, value in events.iloc[0].items()}
    day = pd.Timestamp("2026-07-03")
    assert found == {
        "event_id": "1",
        "source": "ucdp",
        "date": day,
        "date_start": day,
        "date_end": day,
        "date_precision": "day",
        "latitude": 12.5,
        "longitude": -8.0,
        "place_precision": "point",
        "country": "Mali",
        "admin1": "Simulated region",
        "admin2": "Simulated district",
        "location": "Simulated town",
        "event_type": "state-based",
        "sub_event_type": None,
        "fatalities": 2,
        "fatalities_low": 1,
        "fatalities_high": 3,
        "reported": pd.Timestamp("2026-07-04"),
        "release": "26.0.7",
        "treatment": "kept",
        "flags": "",
    }


def test_only_what_is_needed(write: Any) -> None:
    columns = ["best_est", "ID", "date_start", "date_prec", "latitude", "longitude", "country", "where_prec"]
    path = write({"ID": "7", "best_est": "4", "date_start": "2026-07-03T00:00:00"}, columns=columns, name="mine.csv")
    (event,) = read(path)[0].to_dict("records")
    assert (event["event_id"], event["fatalities"], event["date_end"]) == ("7", 4, pd.Timestamp("2026-07-03"))
    assert pd.isna(event["release"])
    assert event["flags"] == "unknown_type"
    assert pd.isna(event["reported"])


@pytest.mark.parametrize(
    ("prec", "end", "precision", "last", "flags"),
    [
        ("1", "2026-07-03", "day", "2026-07-03", ""),
        ("2", "2026-07-05", "week", "2026-07-05", ""),
        ("3", "2026-07-09", "week", "2026-07-09", ""),
        ("4", "2026-08-02", "month", "2026-08-02", ""),
        ("5", "2026-12-31", "year", "2026-12-31", ""),
        ("1", "", "day", "2026-07-03", ""),
        ("2", "", "week", "2026-07-08", ""),
        ("3", "", "week", "2026-07-09", ""),
        ("4", "", "month", "2026-08-02", ""),
        ("5", "", "year", "2027-07-02", ""),
        ("", "2026-07-03", "day", "2026-07-03", ""),
        ("", "2026-07-09", "week", "2026-07-09", ""),
        ("", "2026-07-10", "month", "2026-07-10", ""),
        ("", "2026-08-03", "year", "2026-08-03", ""),
        ("1", "2026-07-04", "week", "2026-07-04", "longer_than_date_prec"),
        ("4", "2026-07-03", "month", "2026-07-03", ""),
    ],
)
def test_date_precision(write: Any, prec: str, end: str, precision: str, last: str, flags: str) -> None:
    (event,) = read(write({"date_prec": prec, "date_end": end, "date_start": "2026-07-03"}))[0].to_dict("records")
    assert (event["date_precision"], event["date_end"], event["flags"]) == (precision, pd.Timestamp(last), flags)
    assert event["treatment"] == ("flagged" if flags else "kept")


def test_place_precision_and_type(write: Any) -> None:
    events, dropped = read(write(*[{"where_prec": str(code), "type_of_violence": str(code)} for code in range(1, 8)]))
    assert not dropped
    words = ["point", "near", "district", "region", "area", "country", "country"]
    assert events["place_precision"].tolist() == words
    assert events["event_type"].tolist()[:3] == ["state-based", "non-state", "one-sided"]
    assert events["flags"].tolist() == [""] * 3 + ["unknown_type"] * 4


@pytest.mark.parametrize(
    ("written", "reported", "early"),
    [
        ("2026-07-04", "2026-07-04", False),
        ("2026-07-09;2026-07-05; 2026-07-06", "2026-07-05", False),
        ("2026-07-05 00:00:00;2026-07-06T00:00:00", "2026-07-05", False),
        ("2026-07-02;2026-07-05", "2026-07-02", True),  # a time zone away
        ("2026-07-01;2026-07-05", "2026-07-05", True),
        ("2025-07-04;2026-07-05", "2026-07-05", True),  # mistyped year
        ("2062-07-04;2026-07-05", "2026-07-05", False),
        ("2062-07-04", None, False),
        ("1753-01-01", None, False),  # a database's word for nothing
        ("4 July 2026;;2026-07-08", "2026-07-08", False),
        ("", None, False),
    ],
)
def test_reported(write: Any, written: str, reported: str | None, early: bool) -> None:
    (event,) = read(write({"source_date": written}))[0].to_dict("records")
    assert pd.isna(event["reported"]) if reported is None else event["reported"] == pd.Timestamp(reported)
    assert event["flags"] == ("reported_before_event" if early else "")


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"low": "3"}, "low_above_best"),
        ({"best": "4"}, "best_above_high"),
        ({"low": "4", "best": "", "high": "3"}, "low_above_high no_deaths"),
        ({"best": ""}, "no_deaths"),
        ({"latitude": ""}, "no_coordinates"),
        ({"type_of_violence": ""}, "unknown_type"),
    ],
)
def test_faults_that_are_flagged(write: Any, change: dict[str, str], flag: str) -> None:
    events, dropped = read(write(change, {}))
    assert not dropped
    assert events["flags"].tolist() == [flag, ""]
    assert events["treatment"].tolist() == ["flagged", "kept"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "no id"),
        ({"id": "2"}, "id occurs more than once"),
        ({"date_start": "2026-02-30"}, "date_start is no day"),
        ({"date_start": ""}, "date_start is no day"),
        ({"date_end": "31/07/2026"}, "date_end is no day"),
        ({"date_end": "2026-07-01"}, "date_end before date_start"),
        ({"date_end": "", "date_prec": ""}, "neither date_end nor date_prec"),
        ({"date_prec": "6"}, "date_prec is not 1 to 5"),
        ({"where_prec": "0"}, "where_prec is not 1 to 7"),
        ({"where_prec": ""}, "where_prec is not 1 to 7"),
        ({"latitude": "12,5"}, "latitude is no number"),
        ({"longitude": "inf"}, "longitude is no number"),
        ({"latitude": "125"}, "coordinates off the globe"),
        ({"longitude": "-181"}, "coordinates off the globe"),
        ({"country": " "}, "no country"),
        ({"best": "some"}, "best is no whole number >= 0"),
        ({"best": "-1"}, "best is no whole number >= 0"),
        ({"high": "2.5"}, "high is no whole number >= 0"),
        ({"low": "99999999999"}, "low is no whole number >= 0"),
    ],
)
def test_faults_that_are_left_out(write: Any, change: dict[str, str], reason: str) -> None:
    events, dropped = read(write({"id": "2"}, change, {"id": "3"}) if change.get("id") == "2" else write({}, change))
    assert dropped == {reason: 1}
    assert len(events) == (2 if change.get("id") == "2" else 1)


def test_of_equal_ids_the_first_good_row_is_taken(write: Any) -> None:
    events, dropped = read(write({"id": "5", "best": "x"}, {"id": "5", "best": "1"}, {"id": "5"}))
    assert events["fatalities"].tolist() == [1]
    assert dropped == {"best is no whole number >= 0": 1, "id occurs more than once": 1}


def test_policy_is_applied(write: Any) -> None:
    rows = [{"where_prec": "6"}, {"date_prec": "4", "date_end": ""}, {"where_prec": "5"}, {}]
    events, dropped = read(write(*rows), ImprecisePolicy())
    assert events["treatment"].tolist() == ["spread", "flagged", "kept"]
    assert dropped == {"place known only to a country or worse": 1}


def test_no_actor_is_kept(write: Any) -> None:
    assert "Side" not in read(write({}))[0].to_csv()


@pytest.mark.parametrize("missing", ["id", "date_start", "latitude", "longitude", "country", "where_prec", "best"])
def test_missing_column(write: Any, missing: str) -> None:
    with pytest.raises(InputError, match=f"^no column {missing}\n"):
        read(write({}, columns=[column for column in GED if column != missing]))


def test_missing_columns_are_named_with_the_nearest(write: Any) -> None:
    columns = [column for column in GED if column not in {"date_end", "date_prec", "latitude"}] + ["lattitude"]
    with pytest.raises(InputError, match="no column latitude, date_end or date_prec") as refused:
        read(write({}, columns=columns))
    assert "'lattitude' for latitude" in str(refused.value)


def test_hxl_row_is_no_row(write: Any) -> None:
    tags = dict.fromkeys(GED, "") | {"id": "#id+code", "date_start": "#date+start", "latitude": "#geo+lat"}
    path = write(tags, {})
    assert tally(read_ucdp(path, KEEP)) == (1, Counter(kept=1), Counter())


def test_packings(write: Any, tmp_path: Path) -> None:
    path = write({}, {}, {})
    expected = read(path)[0]
    packed = tmp_path / "ged_26.0.7.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    zipped = tmp_path / "ged-26.0.7-csv.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "inside/GEDEvent.csv")
        archive.writestr("__MACOSX/._GEDEvent.csv", "x")
        archive.writestr("readme.txt", "simulated")
    for other in (packed, zipped):
        pd.testing.assert_frame_equal(read(other)[0], expected)
    marked = tmp_path / "v26_0_7.csv"
    marked.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    pd.testing.assert_frame_equal(read(marked)[0], expected)


def zip_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_refused_files(write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write({}, {}).read_bytes()

    def refused(content: bytes, said: str, name: str = "v26.0.7.csv") -> None:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=said):
            read(path)

    refused(b"", "empty")
    refused(b"\n\n", "empty")
    refused(good.splitlines()[0] + b"\n", "header only")
    refused(good.replace(b"Mali", "Mali\u00e9".encode("latin-1")), "is not utf-8")
    refused(good + b"\xb6,ragged\n", "is not utf-8")
    refused(good + b"\xe2\x82", "is not utf-8")
    refused(good.decode().encode("utf-16"), "UTF-16")
    refused(b"\x00" * 100, "zero bytes")
    refused(good.replace(b"relid", b"latitude", 1), "two columns are called 'latitude'")
    refused(good[:-30], "ends in the middle of a row")
    refused(gzip.compress(good)[:-20], "damaged or cut off")
    refused(b"\x1f\x8bnonsense", "damaged or cut off")
    refused(b"PK\x03\x04nonsense", "cannot read")
    for members, said in (
        ({"readme.txt": b"x"}, "no table inside"),
        ({"a.csv": good, "b.csv": good}, "2 tables inside"),
        ({"../a.csv": good}, "leads out of the archive"),
        ({"/a.csv": good}, "leads out of the archive"),
        ({"c:\\a.csv": good}, "leads out of the archive"),
    ):
        with pytest.raises(InputError, match=said):
            read(zip_of(tmp_path / "ged261.zip", **members))
    content = bytearray(zip_of(tmp_path / "ged261.zip", **{"a.csv": good * 50}).read_bytes())
    content[200] ^= 255
    refused(bytes(content), "damaged or cut off|not readable|not utf-8", "ged261.zip")
    monkeypatch.setattr(packed_file, "FREE_BYTES", 2**16)
    header = good.splitlines()[0] + b"\n"
    bomb = header + b"1," * 2**22
    with pytest.raises(InputError, match="unpacks to more than 200 times"):
        read(zip_of(tmp_path / "ged261.zip", **{"a.csv": bomb}))
    refused(gzip.compress(bomb), "unpacks to more than 200 times")
    with pytest.raises(InputError, match="did you mean"):
        read(tmp_path / "v26.0.7.cs")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


def test_ragged_rows_are_counted(write: Any) -> None:
    path = write({}, {}, {})
    lines = path.read_text().replace('\n""Another', ' ""Another').splitlines()
    lines.insert(2, "9,9,9")
    lines.insert(1, "," * 60)
    path.write_text("\n".join(lines) + "\n")
    events, dropped = read(path)
    assert events["event_id"].tolist() == ["1", "2", "3"]
    assert dropped == {"more or fewer values than columns": 2}


def test_blocks_are_one_file(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"latitude": f"{number / 100:.2f}"} for number in range(300)] + [{"id": "5"}]
    path = write(*rows)
    whole, dropped = read(path)
    monkeypatch.setattr(table_rows, "BLOCK_ROWS", 25)
    batches = list(read_ucdp(path, KEEP))
    assert len(batches) > 10
    assert tally(batches)[2] == dropped == {"id occurs more than once": 1}
    pd.testing.assert_frame_equal(pd.concat([batch.events for batch in batches], ignore_index=True), whole)


def test_releases_by_precedence(write: Any) -> None:
    march = {"date_start": "2026-03-05", "date_end": "2026-03-05"}
    monthly = write({"id": "1", **march}, {"id": "2", **march}, {"id": "3", **march}, name="v26_0_3.csv")
    july = write({"id": "4"}, {"id": "2", "best": "9"}, name="v26_0_7.csv")
    cumulative = write(
        {"id": "1", "best": "1", **march}, {"id": "2", "where_prec": "6", **march}, name="v26.01.26.06.csv"
    )
    paths = [july, monthly, cumulative]
    policy = ImprecisePolicy()
    batches = list(read_ucdp_releases(paths, policy))
    check(batches)
    found = {row.event_id: (row.release, row.fatalities) for batch in batches for row in batch.events.itertuples()}
    assert found == {"1": ("26.01.26.06", 1), "4": ("26.0.7", 2), "3": ("26.0.3", 2)}
    assert tally(batches)[2] == {
        "place known only to a country or worse": 1,  # of event 2, which no lower release brings back
        "replaced by release 26.01.26.06": 3,
    }
    whole = list(read_ucdp_releases(paths, policy, complete=True))
    assert sorted(name for batch in whole for name in batch.events["event_id"]) == ["1", "4"]
    assert tally(whole)[2]["replaced by release 26.01.26.06"] == 4  # event 3 has been withdrawn


def test_releases_that_cannot_be_put_in_order(write: Any, tmp_path: Path) -> None:
    first, second = write({}, name="v26_0_3.csv"), write({}, name="mine.csv")
    with pytest.raises(InputError, match="no UCDP version in 'mine"):
        list(read_ucdp_releases([first, second], KEEP))
    with pytest.raises(InputError, match="two files of release"):
        list(read_ucdp_releases([first, write({}, name="26.0.3.csv")], KEEP))
    assert tally(read_ucdp_releases([second], KEEP))[0] == 1


def test_version_in_a_column(write: Any) -> None:
    columns = [*GED, "Version"]
    release = release_in(write({"Version": "25.1"}, columns=columns, name="mine.csv"))
    assert release is not None
    assert release.version == "25.1"
    assert release_in(write({"Version": "newest"}, columns=columns, name="mine.csv")) is None


FOLDER = os.environ.get("ESCALATION_FORECAST_SOURCES", "")
real = pytest.mark.skipif(not FOLDER, reason="ESCALATION_FORECAST_SOURCES names no folder with the real files")


@real
@pytest.mark.parametrize(
    ("name", "rows", "dropped", "flags"),
    [
        (
            "ucdp_ged201_nigeria_full.csv.gz",
            4603,
            {"date known only to a year or worse": 41, "place known only to a country or worse": 5},
            {"place_area": 206, "reported_before_event": 63}
            | {"low_above_best": 19, "best_above_high": 50, "low_above_high": 47},
        ),
        (
            "ucdp_candidate_v23_0_10_africa.csv.gz",
            404,
            {"place known only to a country or worse": 2},
            {"place_area": 25, "reported_before_event": 5}
            | {"low_above_best": 2, "best_above_high": 2, "low_above_high": 2},
        ),
        (
            "ucdp_candidate_2026_sahel.csv.gz",
            999,
            {"place known only to a country or worse": 20},
            {"place_area": 185, "low_above_best": 1, "best_above_high": 6, "low_above_high": 6},
        ),
    ],
)
def test_real_files(name: str, rows: int, dropped: dict[str, int], flags: dict[str, int]) -> None:
    batches = list(read_ucdp(Path(FOLDER) / name, ImprecisePolicy()))
    check(batches)
    read_rows, treatments, reasons = tally(batches)
    assert read_rows == rows == treatments["kept"] + treatments["spread"] + treatments["flagged"] + reasons.total()
    assert reasons == dropped
    assert Counter(flag for batch in batches for text in batch.events["flags"] for flag in text.split()) == flags


@real
def test_real_file_in_numbers() -> None:
    """Against the file read plainly with pandas."""
    path = Path(FOLDER) / "ucdp_ged201_nigeria_full.csv.gz"
    events, _ = read(path, ImprecisePolicy(month="keep", year="keep", area="keep", country="keep"))
    plain = pd.read_csv(path)
    assert events["event_id"].tolist() == plain["id"].astype(str).tolist()
    assert events["date"].dt.strftime("%Y-%m-%d").tolist() == plain["date_start"].tolist()
    for ours, theirs in {"fatalities": "best", "fatalities_low": "low", "latitude": "latitude"}.items():
        assert events[ours].tolist() == plain[theirs].tolist()
    wrong = (plain["low"] > plain["best"]) | (plain["best"] > plain["high"]) | (plain["low"] > plain["high"])
    assert events["flags"].str.contains("_above_").tolist() == wrong.tolist()
    assert wrong.sum() == 70
    delay = (events["reported"] - events["date_start"]).dt.days.dropna()
    assert delay.between(-1, 3 * 366).all()


@real
def test_seven_rows_of_2026() -> None:
    events, _ = read(Path(FOLDER) / "ucdp_candidate_2026_sahel.csv.gz")
    found = events[events["flags"].str.contains("_above_")].set_index("event_id")["flags"]
    assert sorted(map(int, found.index)) == [620031, 620034, 620035, 622870, 622874, 630982, 636627]
    assert found["622870"] == "best_above_high"  # 13, 14, 13
    assert found["622874"] == "low_above_best low_above_high"
    assert deaths_order(events, None)[0].count == 7


VALUES = st.sampled_from(
    ["", "1", "7", "2026-07-03", "2026-02-30", "-1", "1e400", "nan", "\x00", "é", "#x", "9" * 30, "a;b"]
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A file with random values, then perhaps truncated, shuffled, mis-encoded or overwritten."""
    shuffle = random.Random(draw(st.integers(0, 99)))
    columns = list(GED)
    shuffle.shuffle(columns)
    count = draw(st.integers(0, 6))
    changes = st.dictionaries(st.sampled_from(GED), VALUES | st.text(max_size=6), max_size=4)
    encodable = text(draw(st.lists(changes, min_size=count, max_size=count)), columns).encode("utf-8", "replace")
    kind = draw(st.sampled_from(["whole", "cut", "bytes", "encoded", "lines", "gzip", "zip", "noise"]))
    if kind == "cut":
        return encodable[: draw(st.integers(0, len(encodable)))]
    if kind == "bytes":
        content = bytearray(encodable)
        for place in draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
            content[place] = shuffle.randrange(256)
        return bytes(content)
    if kind == "encoded":
        return encodable.decode().encode(draw(st.sampled_from(["latin-1", "utf-16", "utf-32", "cp037"])), "replace")
    if kind == "lines":
        lines = encodable.splitlines(keepends=True)
        shuffle.shuffle(lines)
        return b"".join(lines)
    if kind == "gzip":
        packed = gzip.compress(encodable)
        return packed[: draw(st.integers(0, len(packed)))]
    if kind == "zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("a.csv", encodable)
        content = bytearray(stream.getvalue())
        content[shuffle.randrange(len(content))] ^= shuffle.randrange(256)
        return bytes(content)
    return draw(st.binary(max_size=400)) if kind == "noise" else encodable


def check_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        batches = list(read_ucdp(path, ImprecisePolicy()))
    except InputError:
        return
    check(batches)


SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=60, deadline=None, suppress_health_check=SHARED)
@given(content=spoiled())
def test_any_file_is_an_error_or_clean(tmp_path: Path, content: bytes) -> None:
    check_file(tmp_path / "GEDEvent_v26_0_7.csv", content)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=SHARED)
@given(content=spoiled())
def test_any_file_is_an_error_or_clean_for_a_minute(tmp_path: Path, content: bytes) -> None:
    check_file(tmp_path / "GEDEvent_v26_0_7.csv", content)
