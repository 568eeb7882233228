"""Rows of a file that people or programs made, one after another as texts: CSV, Excel, parquet; HXL tags found."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import itertools
import math
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from forecast.errors import InputError, nearest_names, unknown_name

KINDS = ".csv, .tsv, .txt (each also with .gz), .xlsx, .parquet"
PARQUET_ROWS = 50_000  # rows held in memory at a time

_TAG = re.compile(r"#[a-z]\w*(\s*\+\s*[a-z]\w*)*\s*", re.ASCII | re.IGNORECASE)
_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True, eq=False)
class RowStream:
    """A table that is read once, from top to bottom.

    Parameters
    ----------
    name : str
        What messages call it: the name of the file.
    columns : tuple of str
        Unique names; empty where the header is.
    tags : tuple of str
        The HXL tag of each column, empty for one without; no entry at all if the table has no row of tags.
    records : iterator of list of str
        The rows after header and tags, each value as text, blank rows left out. A row may have more or fewer
        values than there are columns.
    """

    name: str
    columns: tuple[str, ...]
    tags: tuple[str, ...]
    records: Iterator[list[str]]

    @classmethod
    def of(cls, name: str, records: Iterable[list[str]]) -> RowStream:
        """Take the header, and the row of HXL tags if there is one, off the records.

        Raises
        ------
        InputError
            If there is no row, or two columns have one name.

        Examples
        --------
        >>> rows = RowStream.of("t.csv", [["day", "n"], ["#date", "#affected+killed"], ["2026-01-03", "4"]])
        >>> rows.columns, rows.tags, list(rows.records)
        (('day', 'n'), ('#date', '#affected+killed'), [['2026-01-03', '4']])
        """
        rest = iter(records)
        header = [cell.strip() for cell in next(rest, [])]
        if not header:
            raise InputError("the file is empty", where=name, expected="a header and at least one row")
        named = [column for column in header if column]
        repeated = sorted({column for column in named if named.count(column) > 1})
        if repeated:
            raise InputError(
                f"two columns are called {repeated[0]!r}", where=f"{name} row 1", expected="different names"
            )
        first = header if is_tag_row(header) else next(rest, [])
        tags: tuple[str, ...] = ()
        if is_tag_row(first):
            tags = tuple(cell.strip() if _TAG.fullmatch(cell.strip()) else "" for cell in first[: len(header)])
            tags += ("",) * (len(header) - len(tags))
        elif first:
            rest = itertools.chain([first], rest)
        return cls(name, tuple(header), tags, rest)


def is_tag_row(cells: Iterable[str]) -> bool:
    """Return whether a row holds HXL tags: at least two, and they are at least half of what is not empty.

    Half, because programs put row numbers before a tag row. See https://hxlstandard.org/standard/1-1final/.

    Examples
    --------
    >>> is_tag_row(["0", "#date+start", "#geo+lat", ""]), is_tag_row(["#4 checkpoint", "Gao"])
    (True, False)
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    tagged = sum(_TAG.fullmatch(cell) is not None for cell in filled)
    return tagged >= 2 and 2 * tagged >= len(filled)


def open_rows(path: Path, *, delimiter: str = ",", encoding: str = "utf-8", sheet: str | None = None) -> RowStream:
    """Open a CSV, Excel or parquet file by the ending of its name.

    Parameters
    ----------
    path : Path
    delimiter : str
        Of CSV files; tabs for ``.tsv``.
    encoding : str
        Of CSV files.
    sheet : str, optional
        Of Excel files; the first one if it is not given.

    Returns
    -------
    RowStream
        Faults further down in the file raise `InputError` while the records are read.

    Raises
    ------
    InputError
        If the file is missing, of another kind, empty or not readable.
    """
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if not path.is_file():
        near = nearest_names(path.name, [other.name for other in path.parent.glob("*.*")])
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise InputError(f"no file {path.name}", where=str(path.parent), hint=hint)
    if kind in {"csv", "tsv", "txt"}:
        sign = "\t" if kind == "tsv" else delimiter
        rows = RowStream.of(path.name, _csv_records(path, sign, encoding))
        _check_delimiter(rows, sign)
        return rows
    if kind == "xlsx":
        return RowStream.of(path.name, _excel_records(path, sheet))
    if kind == "parquet":
        return RowStream.of(path.name, _parquet_records(path))
    hint = "in the spreadsheet: save as .xlsx, or CSV UTF-8" if kind in {"xls", "ods"} else ""
    raise InputError(f"cannot read files of kind {path.suffix!r}", where=path.name, expected=KINDS, hint=hint)


def _csv_records(path: Path, delimiter: str, encoding: str) -> Iterator[list[str]]:
    codec = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    row = 0
    try:
        with opener(path, "rt", encoding=codec, newline="") as stream:
            for record in csv.reader(_checked(stream), delimiter=delimiter, strict=True):
                row += 1
                if any(map(str.strip, record)):
                    yield record
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte 0x{error.object[error.start]:02x} is not {encoding}",
            where=f"{path.name} after row {row}",
            expected=encoding,
            hint='save the file as CSV UTF-8, or name its encoding in the mapping: encoding = "cp1252"',
        ) from None
    except csv.Error as error:
        raise InputError(
            f"not readable as CSV: {error}", where=f"{path.name} row {row + 1}", hint="look for a lone double quote"
        ) from None
    except (EOFError, zlib.error, OSError) as error:
        raise InputError(f"cannot read: {error}", where=f"{path.name} after row {row}") from None


def _checked(stream: Iterable[str]) -> Iterator[str]:
    for line in stream:
        if "\x00" in line:
            raise csv.Error("the file has zero bytes, so that it is no text")
        yield line


def _check_delimiter(rows: RowStream, delimiter: str) -> None:
    """Refuse a header that is one column for this delimiter and several for another."""
    if len(rows.columns) > 1:
        return
    for sign, label in _SIGNS.items():
        if sign != delimiter and rows.columns[0].count(sign) > 1:
            raise InputError(
                f"the columns are separated by {label}",
                where=f"{rows.name} row 1",
                expected=_SIGNS.get(delimiter, repr(delimiter)),
                hint=f"in the mapping: delimiter = {sign!r}",
            )


def _excel_records(path: Path, sheet: str | None) -> Iterator[list[str]]:
    try:
        import openpyxl  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - slow, and most tables are CSV
    except ImportError:
        raise InputError(
            "reading Excel files needs the package openpyxl, which is not installed",
            where=path.name,
            hint="install openpyxl, or save the sheet as CSV UTF-8",
        ) from None
    row = 0
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and controls, which are not read
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            page = book[_sheet_of([page.title for page in book.worksheets], sheet, path.name)]
            width = 0
            for cells in page.iter_rows(values_only=True):
                row += 1
                record = [_as_text(cell) for cell in cells]
                if any(record):
                    while len(record) > width and width and not record[-1]:
                        record.pop()
                    width = width or len(record)
                    yield record + [""] * (width - len(record))  # a sheet does not store empty cells at the end
    except InputError:
        raise
    except Exception as error:  # on a broken workbook openpyxl raises whatever its parsers do
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"not readable as Excel: {reason}", where=f"{path.name} after row {row}") from None


def _sheet_of(names: list[str], wanted: str | None, where: str) -> str:
    if not names:
        raise InputError("the workbook has no sheet of cells", where=where)
    if wanted is not None and wanted not in names:
        raise unknown_name("sheet", wanted, names, where=where)
    return wanted if wanted is not None else names[0]


def _parquet_records(path: Path) -> Iterator[list[str]]:
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and most tables are CSV
    from pyarrow import parquet  # noqa: PLC0415 - as above

    row = 0
    try:
        with parquet.ParquetFile(path) as file:
            yield [str(name) for name in file.schema_arrow.names]
            for batch in file.iter_batches(PARQUET_ROWS):
                batch.validate(full=True)  # or text that is not UTF-8 is found only when it is used
                columns = [[_as_text(value) for value in column.to_pylist()] for column in batch.columns]
                for record in zip(*columns, strict=True):
                    row += 1
                    yield list(record)
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"not readable as parquet: {reason}", where=f"{path.name} after row {row}") from None


def _as_text(value: object) -> str:
    """Return a cell as a CSV file would have it: days as ISO 8601, whole floats without a point, nothing as ``""``."""
    if value is None:
        return ""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return str(value).strip()
