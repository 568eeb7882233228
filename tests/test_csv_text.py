"""CSV that no spreadsheet runs, and what is read back from it."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forecast.csv_text import csv_bytes, defused, frame_of, restored
from forecast.tabular import parse_csv

RUN = ["=1+1", '=HYPERLINK("http://x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
RUN += ["\uff1d1+1"]
LEFT = ["Gao", "", "-3.5", "+4e2", "0", "Mopti, north", 'a "b"', "a=b", " =1", "'s-Hertogenbosch", "#date"]

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
risky = st.builds("".join, st.tuples(st.sampled_from(["", "'", "''"]), st.sampled_from("=+-@\t\r\n\uff20"), texts))


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert defused(text).startswith(f"'{text[0]}")
    assert restored(defused(text)) == text
    (row,) = list(csv.reader(io.StringIO(csv_bytes(pd.DataFrame({"unit": [text]})).decode(), newline="")))[1:]
    assert row == [defused(text)]


@pytest.mark.parametrize("text", ["Gao;=1+1", "Gao;@SUM(A1);-2+3", "Gao|=1", "Gao\n=1+1", "Gao\t+1+cmd", "a;'=1"])
@pytest.mark.parametrize("sign", [";", "|", "\t"])
def test_no_cell_begins_a_formula_for_a_spreadsheet_that_separates_otherwise(text, sign):
    written = csv_bytes(pd.DataFrame({"country": ["Mali"], "unit": [text]})).decode()
    cells = [cell.strip('"') for line in written.splitlines() for cell in line.split(sign)]
    assert not [cell for cell in cells if cell[:1] in {*"=+-@"}]
    assert frame_of(written.encode())["unit"].tolist() == [text]


@pytest.mark.parametrize("text", LEFT)
def test_other_text_and_plain_numbers_stay(text):
    assert defused(text) == text == restored(text)


@given(texts | risky)
def test_each_text_is_restored(text):
    assert restored(defused(text)) == text
    assert defused(text)[:1] not in {*"=@\t\r\n"}


@given(st.lists(st.tuples(texts | risky, st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
@example([("\r", 0.0), ("a\r\nb", -1.5)])
def test_a_table_is_read_back_as_it_was(rows):
    frame = pd.DataFrame(rows, columns=["=unit", "value"])
    table = parse_csv(csv_bytes(frame), "t.csv")
    assert list(table.frame.columns) == ["=unit", "value"]
    assert table.frame["=unit"].tolist() == [text for text, _ in rows]
    assert table.frame["value"].astype(float).tolist() == [value for _, value in rows]


def test_numbers_days_and_categories():
    frame = pd.DataFrame(
        {
            "change": [-1.5, np.nan],
            "n": pd.array([-3, None], dtype="Int64"),
            "week": pd.to_datetime(["2026-01-03", "2026-01-10"]),
            "unit": pd.Categorical(["=Gao", "Mopti"]),
            "note": ["-", None],
        }
    )
    expected = "change,n,week,unit,note\n-1.500,-3,2026-01-03,'=Gao,'-\n,,2026-01-10,Mopti,\n"
    assert csv_bytes(frame, float_format="%.3f").decode() == expected
    assert frame_of(expected.encode())["unit"].tolist() == ["=Gao", "Mopti"]


def test_a_row_of_tags_is_written_and_passed_over():
    frame = pd.DataFrame({"unit": ["Gao"], "value": [2]})
    content = csv_bytes(frame, tags=["#adm1+name", "#indicator+num"])
    assert content == b"unit,value\n#adm1+name,#indicator+num\nGao,2\n"
    table = parse_csv(content, "t.csv")
    assert table.frame.to_dict("records") == [{"unit": "Gao", "value": "2"}]
    assert table.frame.index.tolist() == [3]  # as a spreadsheet counts
    assert len(parse_csv(b"unit,value\n#adm1+name,#indicator+num\n", "t.csv")) == 0
