"""Bad input gets a message that names row and column; good input becomes the panel it says."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.table import panel_from_counts, read_counts
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.plain_text import one_line

HEADER = "week,region,events\n"
GOOD = HEADER + "2026-01-03,Gao,1\n2026-01-10,Gao,2\n2026-01-03,Mopti,0\n"


def written(folder: Path, content: str | bytes, name: str = "counts.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def message(folder: Path, content: str | bytes, name: str = "counts.csv", **arguments: object) -> str:
    with pytest.raises(InputError) as caught:
        read_counts(written(folder, content, name), **arguments)  # type: ignore[arg-type]
    return str(caught.value)


def test_good_file(tmp_path: Path) -> None:
    panel = read_counts(written(tmp_path, GOOD))
    assert panel.units.names == ("Gao", "Mopti")
    assert panel.counts.tolist() == [[1, 0], [2, 0]]
    assert panel.observed.tolist() == [[True, True], [True, False]]
    assert panel.missing().to_dict("records") == [{"week": pd.Timestamp("2026-01-10"), "unit": "Mopti"}]
    assert panel.source == "counts.csv"


def test_absent_rows_are_zero_only_where_complete(tmp_path: Path) -> None:
    content = HEADER + "2026-01-03,Gao,1\n2026-01-24,Gao,2\n"
    assert read_counts(written(tmp_path, content), complete=True).observed.all()
    partial = read_counts(written(tmp_path, content))
    assert [f"{week:%m-%d}" for week in partial.missing()["week"]] == ["01-10", "01-17"]


def test_complete_counts_run_to_the_last_week_that_is_over(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    panel = read_counts(path, complete=True, known_until=dt.date(2026, 1, 31))
    assert panel.weeks[-1] == pd.Timestamp("2026-01-24")
    assert panel.observed.all()
    assert read_counts(path, known_until=dt.date(2026, 1, 31)).weeks[-1] == pd.Timestamp("2026-01-10")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("2026-01-03,Gao,-3", ["'-3' is negative", "counts.csv row 2, column 'events'"]),
        ("2026-01-03,Gao,1.5", ["'1.5' is not whole", "row 2, column 'events'"]),
        ("2026-01-03,Gao,NaN", ["value is missing", "row 2, column 'events'", "leave the row out"]),
        ("2026-01-03,Gao,", ["value is missing", "row 2, column 'events'"]),
        ("2026-01-03,Gao,-inf", ["'-inf' is infinite", "row 2, column 'events'"]),
        ("2026-01-03,Gao,many", ["'many' is not a number", "row 2, column 'events'"]),
        ("2026-01-03,Gao,0x10", ["'0x10' is not a number"]),
        ("2026-01-03,Gao,1_000", ["'1_000' is not a number"]),
        ("2026-01-03,Gao,2147483648", ["'2147483648' is too large", "at most 2147483647"]),
        ("2026-01-03,Gao,1e999", ["'1e999' is too large"]),
        ("2026-01-03,Gao,1\n2026-01-10,Gao,-1", ["row 3, column 'events'"]),
        ("2026-01-03,,1", ["name is missing", "row 2, column 'region'"]),
        ("03/01/2026,Gao,1", ["'03/01/2026' is not an ISO 8601 date", "YYYY-MM-DD", "3 January or 1 March"]),
        ("soon,Gao,1", ["'soon' is not an ISO 8601 date", "row 2, column 'week'"]),
        (",Gao,1", ["the date is missing", "row 2, column 'week'"]),
        ("2026-02-30,Gao,1", ["'2026-02-30' is no day of the calendar"]),
        ("0001-01-06,Gao,1", ["'0001-01-06' lies far outside", "from 1900 to 2100"]),
        ("9999-01-02,Gao,1", ["lies far outside"]),
        ("2026-01-03T00:00:00+01:00,Gao,1", ["has a time zone"]),
        ("2026-01-03T00:00:00Z,Gao,1", ["has a time zone"]),
        ("2026-01-03 14:30,Gao,1", ["is more than a day", "leave the time of day out"]),
        (
            "2026-01-03,Gao,1\n2026-01-03,Gao,2",
            ["more than one row for 'Gao' in the week of 2026-01-03 (rows 2 and 3)"],
        ),
        (
            "2026-01-03,Gao,1\n2026-01-10,Gao,1\n2026-01-04,Mopti,1",
            ["weeks start on different days", "Saturday in 2 of 3 rows", "2026-01-04 is a Sunday (row 4)"],
        ),
        ("2026-01-05,Gao,1\n2026-01-12,Gao,1", ["all weeks start on a Monday", "week_start = 'monday'"]),
        ("2026-01-06,Gao,1", ["all weeks start on a Tuesday", "a Saturday"]),
        ("2026-01-03,Gao,1,extra", ["4 values for 3 columns", "counts.csv row 2", "double quotes"]),
        ("2026-01-03,Gao", ["2 values for 3 columns", "row 2"]),
        ('2026-01-03,"Gao,1', ["not readable as CSV", "double quote"]),
    ],
)
def test_bad_rows(tmp_path: Path, rows: str, expected: list[str]) -> None:
    found = message(tmp_path, HEADER + rows + "\n")
    for part in expected:
        assert part in found


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ["the file is empty", "counts.csv"]),
        (b"\n\n,,\n", ["the file is empty"]),
        (HEADER.encode(), ["header only"]),
        (b"week,regoin,event\n2026-01-03,Gao,1\n", ["no column 'region', 'events'", "row 1", "did you mean 'regoin'"]),
        (GOOD.replace(",", ";").encode(), ["separated by semicolons", "CSV UTF-8 (comma delimited)"]),
        (GOOD.replace(",", "\t").encode(), ["separated by tabs"]),
        ("week,region,events\n2026-01-03,Ségou,1\n".encode("latin-1"), ["byte 0xe9 is not UTF-8", "byte 31, row 2"]),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"2026-01-03,S\xe9gou,1\n", ["byte 0xe9", "byte 34, row 2"]),
        (GOOD.encode("utf-16"), ["the file is UTF-16"]),
        (b"PK\x03\x04\x00\x00", ["a spreadsheet or zip file"]),
        (b"week,region\x00,events\n", ["zero bytes", "byte 11"]),
        (b"week,week,region,events\n", ["two columns are called 'week'"]),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    found = message(tmp_path, content)
    for part in expected:
        assert part in found


def test_byte_order_mark_blank_rows_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + (GOOD + ",,\n\n").replace("\n", "\r\n").encode()
    assert read_counts(written(tmp_path, content)).counts.sum() == 3


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    assert "row 4, column 'events'" in message(tmp_path, HEADER + "2026-01-03,Gao,1\n\n2026-01-10,Gao,x\n")
    assert "row 3, column 'events'" in message(tmp_path, HEADER + '2026-01-03,"Gao\nCity",1\n2026-01-10,Gao,x\n')


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    with pytest.raises(InputError, match=r"no file count\.csv(.|\n)*did you mean 'counts.csv'"):
        read_counts(tmp_path / "count.csv")
    assert "expected: .csv or .parquet" in message(tmp_path, GOOD, "counts.xlsx")
    assert "not readable as parquet" in message(tmp_path, b"PAR1 no", "counts.parquet")


def test_unknown_regions_offer_the_nearest(tmp_path: Path) -> None:
    found = message(tmp_path, HEADER + "2026-01-03,Gao,1\n2026-01-03,Mopty,1\n", units=Units.of(["Gao", "Mopti"]))
    assert "unknown region 'Mopty'" in found
    assert "row 3, column 'region'" in found
    assert "'Mopti'" in found


def test_weeks_that_are_not_over_or_outside(tmp_path: Path) -> None:
    assert "not over at 2026-01-15" in message(tmp_path, GOOD, known_until=dt.date(2026, 1, 15))
    assert "row 3" in message(tmp_path, GOOD, known_until=dt.date(2026, 1, 15))
    assert "lies outside the panel (row 3)" in message(tmp_path, GOOD, last=dt.date(2026, 1, 3))
    assert "(rows 2 and 4)" in message(tmp_path, GOOD, first=dt.date(2026, 1, 10))
    assert "first week 2026-01-11 is a Sunday" in message(tmp_path, GOOD, first=dt.date(2026, 1, 11))


def test_absurd_spans_are_refused() -> None:
    frame = pd.DataFrame(
        {
            "week": ["1900-01-06"] + ["2026-01-03"] * 9000,
            "region": [f"r{i}" for i in range(9001)],
            "events": 1,
        }
    )
    with pytest.raises(InputError, match="look for a date that is wrong"):
        panel_from_counts(frame)


def test_first_few_duplicates_are_listed() -> None:
    frame = pd.DataFrame({"week": ["2026-01-03"] * 10, "region": list("aabbccddee"), "events": 1})
    with pytest.raises(InputError, match=r"'a' in the week of 2026-01-03 \(rows 2 and 3\);(.|\n)*'c'(.|\n)*; 2 more"):
        panel_from_counts(frame)


@pytest.mark.parametrize("other", ["bay", " Bay", "Bay ", "Báy", "BAY"])
def test_two_spellings_of_one_region_are_refused(tmp_path: Path, other: str) -> None:
    rows = f"2026-01-03,Bay,1\n2026-01-10,{other},1\n2026-01-10,Gao,1\n2026-01-17,{other},1\n"
    found = message(tmp_path, HEADER + rows)
    assert f"'Bay' (row 2) and {other!r} (rows 3 and 5) differ only by space, case or accents" in found
    assert "counts.csv, column 'region'" in found


def test_outer_space_of_the_only_spelling_is_cut(tmp_path: Path) -> None:
    assert read_counts(written(tmp_path, HEADER + "2026-01-03, Bay ,1\n")).units.names == ("Bay",)


def test_what_to_do_about_a_missing_count_depends_on_what_an_absent_row_means(tmp_path: Path) -> None:
    content = HEADER + "2026-01-03,Gao,\n"
    assert "try: leave the row out where the count is not known" in message(tmp_path, content)
    told = message(tmp_path, content, complete=True)
    assert "with complete = true a row that is left out is a zero" in told
    assert "set complete = false" in told


def test_countries_become_groups() -> None:
    frame = pd.DataFrame({"week": "2026-01-03", "region": ["Gao", "Tahoua"], "events": 1, "land": ["Mali", "Niger"]})
    assert panel_from_counts(frame, country="land").units.groups == ("Mali", "Niger")
    torn = pd.DataFrame({"week": ["2026-01-03", "2026-01-10"], "region": "Gao", "events": 1, "land": ["Mali", "Niger"]})
    with pytest.raises(InputError, match="'Gao' is in 'Niger' here, but in 'Mali' in row 2"):
        panel_from_counts(torn, country="land")


def test_typed_columns_from_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "week": pd.to_datetime(["2026-01-03", "2026-01-10"]),
            "region": pd.Categorical(["Gao", "Gao"]),
            "events": pd.array([1, 2], dtype="Int64"),
            "day": [dt.date(2026, 1, 3), dt.date(2026, 1, 10)],
            "zoned": pd.to_datetime(["2026-01-03", "2026-01-10"], utc=True),
            "share": [1.0, np.nan],
            "flag": [True, False],
            "nested": [[1], [2]],
        }
    )
    path = tmp_path / "counts.parquet"
    frame.to_parquet(path)
    assert read_counts(path).counts.tolist() == [[1], [2]]
    assert read_counts(path, week="day").counts.tolist() == [[1], [2]]
    for arguments, expected in [
        ({"week": "zoned"}, "has a time zone"),
        ({"count": "share"}, "row 3, column 'share'"),
        ({"count": "flag"}, "'True' is not a number"),
        ({"count": "nested"}, "lists or other nested values"),
        ({"week": "events"}, "'1' is not an ISO 8601 date"),
    ]:
        with pytest.raises(InputError, match=expected):
            read_counts(path, **arguments)


def test_frame_rows_count_from_two_whatever_the_index() -> None:
    frame = pd.DataFrame({"week": "2026-01-03", "region": ["a", "b"], "events": [1, -1]}, index=[70, 80])
    with pytest.raises(InputError, match="row 3, column 'events'"):
        panel_from_counts(frame)


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    weeks, units = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    cells = weeks * units
    counts = draw(st.lists(st.integers(0, 2**31 - 1), min_size=cells, max_size=cells))
    observed = draw(st.lists(st.booleans(), min_size=cells, max_size=cells).filter(any))
    names = draw(
        st.lists(
            st.text(min_size=1).filter(lambda name: one_line(unicodedata.normalize("NFC", name)) == name),
            min_size=units,
            max_size=units,
            unique=True,
        )
    )
    start = pd.Timestamp("2026-01-03") + draw(st.integers(-1000, 1000)) * WEEK
    return Panel.of(
        np.array(counts).reshape(weeks, units),
        pd.date_range(start, periods=weeks, freq=WEEK, unit="s"),
        Units.of(names),
        observed=np.array(observed).reshape(weeks, units),
    )


@settings(max_examples=60, deadline=None)
@given(panel=panels(), seed=st.integers(0, 9))
def test_round_trip(panel: Panel, seed: int) -> None:
    """Counts -> rows in any order -> the same panel."""
    week, unit = np.nonzero(panel.observed)
    rows = pd.DataFrame(
        {
            "week": panel.weeks[week].strftime("%Y-%m-%d"),
            "region": np.array(panel.units.names, dtype=object)[unit],
            "events": panel.counts[week, unit],
        }
    ).sample(frac=1, random_state=seed)
    again = panel_from_counts(rows, first=panel.weeks[0], last=panel.weeks[-1], units=panel.units)
    assert (again.counts == panel.counts).all()
    assert (again.observed == panel.observed).all()
    assert (again.weeks == panel.weeks).all()


def attempt(path: Path) -> None:
    """Reading gives a panel or an InputError, never anything else."""
    try:
        panel = read_counts(path)
    except InputError as error:
        assert error.what  # noqa: PT017
    else:
        assert (panel.counts >= 0).all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), suffix=st.sampled_from(["csv", "parquet"]))
def test_random_bytes(tmp_path: Path, content: bytes, suffix: str) -> None:
    attempt(written(tmp_path, content, f"random.{suffix}"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mangled_csv(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(start + 6, len(content))))
        content[start:stop] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b'"', b",", b"\n", b"\r", b"-", b"1e9"])
        )
    attempt(written(tmp_path, bytes(content), "mangled.csv"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mangled_parquet(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "good.parquet"
    if not path.exists():
        pd.DataFrame({"week": ["2026-01-03"], "region": ["Gao"], "events": [1]}).to_parquet(path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    attempt(written(tmp_path, bytes(content), "mangled.parquet"))
