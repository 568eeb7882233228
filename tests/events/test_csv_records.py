"""CSV as people and programs write it: what is read, what is refused, and that its size does not matter."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from forecast.errors import InputError
from forecast.events import csv_records
from forecast.events.csv_records import delimiter_of
from forecast.events.table_rows import open_rows


def records(content, **settings):
    stream = io.BufferedReader(io.BytesIO(content if isinstance(content, bytes) else content.encode()))
    return [record for _, record in csv_records.csv_records(stream, "t.csv", **settings)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_quotes_and_blank_rows(end):
    lines = ["", "a,b", '"one, two","say ""no"""', "", " , ", f'"over{end}lines",2', '"",""', "3,4"]
    assert records(end.join(lines)) == [
        ["a", "b"],
        ["one, two", 'say "no"'],
        [f"over{end}lines", "2"],
        ["3", "4"],
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF_8", "utf-8-sig", "utf-16", "cp1252", "mac-roman"])
def test_encodings(encoding):
    assert records("a,b\nSégou,1\n".encode(encoding), encoding=encoding) == [["a", "b"], ["Ségou", "1"]]


def test_a_byte_order_mark_is_no_text():
    assert records(b"\xef\xbb\xbfa,b\n1,2\n")[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        ("a,b\nSégou,1\n".encode("cp1252"), {}, "byte 0xe9 is not utf-8"),
        (b"a,b\n1,2\n\xe2\x82", {}, "is not utf-8"),
        ("a,b\n".encode("utf-16"), {}, "the file is UTF-16"),
        (b"a,b\n1,2\n", {"encoding": "utf-16"}, "is not utf-16"),
        ("a;b;c\n1;2;3\n", {}, "separated by semicolons"),
        ("a,b,c\n1,2,3\n", {"delimiter": "\t"}, "separated by commas"),
        ('a,b\n"1,2\n3,4\n5,6\n', {}, "not readable as CSV"),
        ('a,b\n"1,2\n3,"4\n', {}, "not readable as CSV"),  # a lone quote does not swallow rows up to the next one
        ("a,b\n1,\x002\n", {}, "zero bytes"),
        ("a,b\n1,2\n3", {}, "ends in the middle of a row"),
    ],
)
def test_what_is_no_csv_is_refused(content, settings, said):
    with pytest.raises(InputError, match=said) as refused:
        records(content, **settings)
    assert "t.csv" in refused.value.where


def test_rows_with_other_numbers_of_values_are_given_as_they_are():
    assert records("a,b\n1\n1,2,3\n,,\n4,5\n9\n") == [
        ["a", "b"],
        ["1"],
        ["1", "2", "3"],
        ["", "", ""],
        ["4", "5"],
        ["9"],
    ]


def test_a_row_has_an_end(monkeypatch):
    long = "x" * 200_000
    assert records(f"a,b\n{long},1\n")[1] == [long, "1"]
    monkeypatch.setattr(csv_records, "LONGEST_ROW", 1000)
    assert len(records("a,b\n" + "1,2\n" * 1000)) == 1001
    for content in ("a,b\n" + "1," * 1000, 'a,b\n"' + "1\n" * 1000, "a,b\n" + '"\n",' * 1000):
        with pytest.raises(InputError, match="a row of more than 1000 characters"):
            records(content)


@pytest.mark.parametrize(
    ("name", "content", "sign"),
    [
        ("a.csv", "a;b\n", ";"),
        ("a.csv", "a;b,c,d\n", ","),
        ("a.tsv", "a\tb,c\td\n", "\t"),
        ("a.txt", "a|b\n", "|"),
        ("a.csv", "", ","),
        ("a.parquet", ";;;", ","),
    ],
)
def test_the_delimiter_shows_in_the_header(tmp_path, name, content, sign):
    (tmp_path / name).write_text(content)
    assert delimiter_of(tmp_path / name) == sign


def test_blocks_hold_the_columns_that_are_asked_for_and_count_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr("forecast.events.table_rows.BLOCK_ROWS", 3)
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2, 3 \n4,5\n7,8,9\n,,\n1\n2,3,4,5\n")
    blocks = list(open_rows(path).blocks({"last": "c", "first": "a"}))
    assert [(block.numbers.tolist(), block.ragged) for block in blocks] == [([2, 4], [3]), ([], [6, 7])]
    assert {name: values.tolist() for name, values in blocks[0].texts.items()} == {
        "last": ["3", "9"], "first": ["1", "7"]
    }  # fmt: skip
    assert [len(values) for values in blocks[1].texts.values()] == [0, 0]


def test_the_size_of_a_file_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr("forecast.events.table_rows.BLOCK_ROWS", 1000)
    path = tmp_path / "large.csv"
    path.write_text("id,text\n" + "".join(f"{number},{'of a source ' * 20}\n" for number in range(40_000)))
    tracemalloc.start()
    rows = sum(block.rows for block in open_rows(path).blocks({"id": "id"}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 40_000
    assert peak < path.stat().st_size / 10
