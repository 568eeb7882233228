"""Records of Excel and parquet files, whose cells have types, as texts: what a CSV file would have."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import warnings
import zipfile
from collections.abc import Iterator
from typing import IO

from forecast.errors import InputError, unknown_name

ROWS_AT_ONCE = 1_000
"""Rows held in memory at a time."""
MOST_SHEET_ROWS, MOST_SHEET_CELLS = 2**20, 200_000_000
"""Rows that Excel can have in a sheet, and cells that are read of one: a small file can say that it has many more."""
LARGEST_SHEETS = 2**30
"""Bytes of XML that a workbook may unpack to; one of a million rows and thirty columns has about as many."""
MOST_ROWS, FEW_ROWS, LARGEST_ROWS = 20_000_000, 250, 2**28
"""Rows of a parquet file that are read, how many at a time, and the bytes that these may have."""


def excel_records(stream: IO[bytes], name: str, sheet: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a sheet, by default of the first, with their row numbers; the header first, no blank ones.

    Parameters
    ----------
    stream : binary file
        In which a reader can go back.
    name : str
        What messages call it.
    sheet : str, optional

    Raises
    ------
    InputError
        If openpyxl is not installed, there is no such sheet, or the file is no workbook.
    """
    try:
        import openpyxl  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - slow, and most tables are CSV
    except ImportError:
        raise InputError(
            "reading Excel files needs the package openpyxl, which is not installed",
            where=name,
            hint="install openpyxl, or save the sheet as CSV UTF-8",
        ) from None
    row = width = seen = 0
    _check_workbook(stream, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and controls, which are not read
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        page = book[_sheet_of([page.title for page in book.worksheets], sheet, name)]
        page.reset_dimensions()  # or what the file says of its size is believed
        for cells in _silently(page.iter_rows(values_only=True)):
            row, seen = row + 1, seen + len(cells)
            _check_size(row, seen, name)
            record = [_as_text(cell) for cell in cells]
            if any(record):
                while len(record) > width and width and not record[-1]:
                    record.pop()
                width = width or len(record)
                yield row, record + [""] * (width - len(record))  # a sheet does not store empty cells at the end
    except InputError:
        raise
    except Exception as error:  # on a broken workbook openpyxl raises whatever its parsers do
        raise _unreadable(error, "Excel", "a workbook of Excel (.xlsx)", name, row) from None


def _check_workbook(stream: IO[bytes], name: str) -> None:
    """Refuse a workbook, which is a zip file of XML, that unpacks to more than the machine could hold."""
    try:
        with zipfile.ZipFile(stream) as parts:
            size = sum(part.file_size for part in parts.infolist())  # no more is read of a part than it says
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        size = 0  # openpyxl says what is wrong
    stream.seek(0)
    if size > LARGEST_SHEETS:
        raise _too_much(f"the workbook unpacks to more than {LARGEST_SHEETS // 2**20} MiB", name)


def _check_size(rows: int, cells: int, name: str) -> None:
    if rows > MOST_SHEET_ROWS or cells > MOST_SHEET_CELLS:
        raise _too_much(f"the sheet has more than {MOST_SHEET_ROWS} rows or {MOST_SHEET_CELLS} cells", name)


def _check_rows(rows: int, size: int, name: str) -> None:
    if rows > MOST_ROWS:
        raise _too_much(f"the file has {rows} rows, more than {MOST_ROWS}", name)
    if size > LARGEST_ROWS:
        raise _too_much(f"{FEW_ROWS} rows of more than {LARGEST_ROWS // 2**20} MiB", name)


def _too_much(what: str, name: str) -> InputError:
    hint = "look at what is inside; save the rows that are meant as CSV UTF-8, or in several files"
    return InputError(what, where=name, expected="a table of events", hint=hint)


def _sheet_of(names: list[str], wanted: str | None, where: str) -> str:
    if not names:
        raise InputError("the workbook has no sheet of cells", where=where)
    if wanted is not None and wanted not in names:
        raise unknown_name("sheet", wanted, names, where=where)
    return wanted if wanted is not None else names[0]


def _silently(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """Yield rows without the warnings that openpyxl gives on the way; those of whoever takes them are not touched."""
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            some = list(itertools.islice(rows, ROWS_AT_ONCE))
        if not some:
            return
        yield from some


def parquet_records(stream: IO[bytes], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the names of the columns as row 0, then the rows with their numbers, from 1.

    Parameters
    ----------
    stream : binary file
        In which a reader can go back.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        If the file is no parquet file, or damaged.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and most tables are CSV
    from pyarrow import parquet  # noqa: PLC0415 - as above

    row = 0
    try:
        with parquet.ParquetFile(stream) as file:
            _check_rows(file.metadata.num_rows, 0, name)
            yield 0, [str(column) for column in file.schema_arrow.names]
            for batch in file.iter_batches(FEW_ROWS):
                _check_rows(0, batch.nbytes, name)
                batch.validate(full=True)  # or text that is not UTF-8 is found only when it is used
                columns = [[_as_text(value) for value in column.to_pylist()] for column in batch.columns]
                for record in zip(*columns, strict=True):
                    row += 1
                    yield row, list(record)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, OverflowError) as error:
        raise _unreadable(error, "parquet", "a parquet file", name, row) from None


def _unreadable(error: Exception, kind: str, expected: str, name: str, row: int) -> InputError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(
        f"not readable as {kind}: {reason}",
        where=f"{name} after row {row}" if row else name,
        expected=expected,
        hint="was the download cut? open the file in the program that made it, and save it again or as CSV UTF-8",
    )


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
