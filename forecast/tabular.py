"""Tables that people made: CSV and parquet, read strictly, each fault named by row and column.

Rows are counted as a spreadsheet shows them: the header is row 1.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.cells import IF_MISSING, day, number, text, whole_number
from forecast.csv_text import restored
from forecast.errors import InputError, nearest_names, plain_name, unknown_name
from forecast.tag_row import is_tag_row

MOST_ROWS = 20_000_000
"""Rows of a parquet file: ten thousand regions for almost forty years of weeks."""
LONGEST_CELL = 16 * 2**20
"""Characters of a cell of a CSV file; names are held to fewer when they are read."""
LARGEST_TABLE = 2**31
"""Bytes of a parquet file in memory."""
_MOST_SHOWN = 20
"""Columns of a table that a message names."""
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was written, and checked access to its columns.

    Parameters
    ----------
    frame : DataFrame
        Values as they were written; the index holds the row numbers of a spreadsheet.
    name : str
        What messages call it: the name of the file.
    """

    frame: pd.DataFrame
    name: str

    @classmethod
    def of(cls, frame: pd.DataFrame, name: str = "table") -> Table:
        """Take a frame in memory; its first row counts as row 2."""
        _check_header([str(column) for column in frame.columns], name)
        return cls(frame.set_axis(np.arange(2, len(frame) + 2), axis=0).rename(columns=str), name)

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, mask: NDArray[np.bool_]) -> Table:
        """Return the rows where `mask` holds, under their old numbers."""
        return Table(self.frame[mask], self.name)

    def require(self, *columns: str) -> None:
        """Refuse the table if it lacks one of these columns.

        Raises
        ------
        InputError
            All that are missing, with the nearest names.
        """
        known = [str(column) for column in self.frame.columns]
        absent = [column for column in columns if column not in known]
        if not absent:
            return
        near = {column: nearest_names(column, known, count=1) for column in absent}
        shown = [*map(repr, known[:_MOST_SHOWN])] or ["none"]
        more = f" and {len(known) - len(shown)} more" if len(known) > _MOST_SHOWN else ""
        hints = [f"did you mean {found[0]!r} for {column!r}?" for column, found in near.items() if found]
        raise InputError(
            f"no column {', '.join(map(repr, absent))}",
            where=f"{self.name} row 1",
            expected=f"one of each of {', '.join(map(repr, columns))}; found {', '.join(shown)}{more}",
            hint=" ".join(hints),
        )

    def whole_numbers(self, column: str, if_missing: str = IF_MISSING) -> NDArray[np.int64]:
        """Return a column of counts, shape (rows,); `if_missing` is what to try where there is none."""
        return self._parsed(column, partial(whole_number, if_missing=if_missing), np.int64)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column of finite numbers, shape (rows,)."""
        return self._parsed(column, number, np.float64)

    def days(self, column: str) -> NDArray[np.datetime64]:
        """Return a column of days, shape (rows,), unit day."""
        return self._parsed(column, day, "datetime64[D]")

    def names(self, column: str) -> NDArray[np.object_]:
        """Return a column of names, shape (rows,)."""
        return self._parsed(column, text, object)

    def one_spelling(self, column: str) -> None:
        """Refuse names that differ only by outer space, case or accents: most likely they mean the same.

        Raises
        ------
        InputError
            For the first such pair, with the rows of both.
        """
        written = self.frame[column].map(lambda value: unicodedata.normalize("NFC", str(value)))
        first: dict[str, str] = {}
        for name in dict.fromkeys(written):
            other = first.setdefault(plain_name(name), name)
            if other != name:
                rows = [self.rows(np.flatnonzero((written == spelling).to_numpy())) for spelling in (other, name)]
                raise InputError(
                    f"{other!r} ({rows[0]}) and {name!r} ({rows[1]}) differ only by space, case or accents",
                    where=f"{self.name}, column {column!r}",
                    expected="one spelling of each name",
                )

    def positions(self, column: str, known: Sequence[str], kind: str) -> NDArray[np.intp]:
        """Return for each row the position of its name among the known ones.

        Raises
        ------
        InputError
            For the first name that is not known, with its row and the nearest names.
        """
        at = {name: position for position, name in enumerate(known)}

        def position(value: object) -> int:
            name = text(value)
            if name not in at:
                raise unknown_name(kind, name, known)
            return at[name]

        return self._parsed(column, position, np.intp)

    def refuse(
        self, position: int, what: str, *, column: str | None = None, expected: str = "", hint: str = ""
    ) -> NoReturn:
        """Raise the error of one row, given by its position in the frame."""
        place = f"{self.name} row {self.frame.index[position]}" + (f", column {column!r}" if column else "")
        raise InputError(what, where=place, expected=expected, hint=hint)

    def rows(self, positions: Sequence[int] | NDArray[np.intp], most: int = 5) -> str:
        """Return the row numbers at these positions for a message: ``rows 2, 7 and 9``."""
        shown = [str(self.frame.index[position]) for position in positions[:most]]
        if len(positions) > most:
            return f"rows {', '.join(shown)} and {len(positions) - most} more"
        return f"row {shown[0]}" if len(shown) == 1 else f"rows {', '.join(shown[:-1])} and {shown[-1]}"

    def _parsed(self, column: str, parse: Callable[[object], Parsed], dtype: Any) -> NDArray[Any]:
        """Parse each distinct value once; the first one that is refused is reported with its row."""
        self.require(column)
        try:
            codes, values = pd.factorize(self.frame[column], use_na_sentinel=False)
        except TypeError:
            raise InputError(
                "the column holds lists or other nested values", where=f"{self.name}, column {column!r}"
            ) from None
        parsed: list[Parsed] = []
        for code, value in enumerate(values):
            try:
                parsed.append(parse(value))
            except InputError as error:
                self.refuse(
                    int(np.argmax(codes == code)), error.what, column=column, expected=error.expected, hint=error.hint
                )
        result: NDArray[Any] = np.array(parsed, dtype=dtype)[codes] if parsed else np.empty(0, dtype=dtype)
        return result


def read_table(path: Path) -> Table:
    """Read a CSV file (UTF-8, separated by commas) or a parquet file.

    Raises
    ------
    InputError
        If the file is missing, empty, not UTF-8, separated by something else, or has ragged rows.
    """
    try:
        if path.suffix.lower() == ".parquet":
            return _read_parquet(path)
        if path.suffix.lower() == ".csv":
            return parse_csv(path.read_bytes(), path.name)
    except FileNotFoundError:
        near = nearest_names(path.name, [other.name for other in path.parent.glob("*.*")])
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise InputError(f"no file {path.name}", where=str(path.parent), hint=hint) from None
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror or error}", where=str(path)) from None
    hint = "in the spreadsheet: save as, CSV UTF-8" if path.suffix.lower() in {".xlsx", ".xls", ".ods"} else ""
    raise InputError(
        f"cannot read files of kind {path.suffix or 'unknown'!r}",
        where=path.name,
        expected=".csv or .parquet",
        hint=hint,
    )


def parse_csv(content: bytes, name: str) -> Table:
    r"""Return the table in a CSV file's bytes; every value stays text.

    Empty rows and a row of HXL tags below the header are left out, but counted. A byte order mark is allowed. What
    `forecast.csv_text` wrote with an apostrophe, so that no spreadsheet runs it, is read without.

    Examples
    --------
    >>> parse_csv(b"week,region,events\n2026-01-03,Gao,4\n", "counts.csv").whole_numbers("events")
    array([4])
    """
    decoded = _decoded(content, name)
    header, _, _ = decoded.lstrip("\r\n").partition("\n")
    for sign, label in _DELIMITERS.items():
        if header.count(sign) > header.count(","):
            raise InputError(
                f"the columns are separated by {label}",
                where=f"{name} row 1",
                expected="commas",
                hint="in the spreadsheet: save as, CSV UTF-8 (comma delimited)",
            )
    records: list[list[str]] = []
    numbers: list[int] = []
    csv.field_size_limit(LONGEST_CELL)  # of the process
    reader = csv.reader(io.StringIO(decoded, newline=""), strict=True)
    row = 0
    try:
        for row, record in enumerate(reader, start=1):
            if any(map(str.strip, record)):
                records.append(record)
                numbers.append(row)
    except csv.Error as error:
        raise InputError(
            f"not readable as CSV: {error}", where=f"{name} row {row + 1}", hint="look for a lone double quote"
        ) from None
    if not records:
        raise InputError("the file is empty", where=name, expected="a header and at least one row")
    if "'" in decoded:
        records = [[restored(cell) for cell in record] for record in records]
    columns = [column.strip() for column in records[0]]
    _check_header(columns, f"{name} row {numbers[0]}")
    for record, row in zip(records, numbers, strict=True):
        if len(record) != len(columns):
            raise InputError(
                f"{len(record)} values for {len(columns)} columns",
                where=f"{name} row {row}",
                hint='put a value that has a comma into double quotes: "Mopti, north"',
            )
    first = 2 if len(records) > 1 and is_tag_row(records[1]) else 1
    values = np.array(records[first:], dtype=object).reshape(-1, len(columns))
    return Table(pd.DataFrame(values, index=numbers[first:], columns=columns), name)


def _decoded(content: bytes, name: str) -> str:
    """Return the text of a UTF-8 file, or say what the file is instead."""
    kinds = {b"PK": "a spreadsheet or zip file", b"\x1f\x8b": "a gzip file", b"PAR1": "a parquet file"}
    for start, kind in kinds.items():
        if content.startswith(start) and b"\x00" in content:
            raise InputError(f"this is {kind}, not a CSV file", where=name, expected="CSV in UTF-8")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the file is UTF-16", where=f"{name} byte 0", expected="UTF-8", hint="save as, CSV UTF-8")
    mark = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    try:
        decoded = content[mark:].decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start + mark
        row = content.count(b"\n", 0, at) + 1
        raise InputError(
            f"byte 0x{content[at]:02x} is not UTF-8",
            where=f"{name} byte {at}, row {row}",
            expected="UTF-8",
            hint="save the file as CSV UTF-8; Windows programs often write Latin-1",
        ) from None
    if "\x00" in decoded:
        raise InputError(
            "the file has zero bytes, so that it is no text", where=f"{name} byte {content.index(0)}", expected="UTF-8"
        )
    return decoded


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and most tables are CSV
    from pyarrow import parquet  # noqa: PLC0415

    content = path.read_bytes()
    try:
        with parquet.ParquetFile(io.BytesIO(content)) as file:
            stored = pa.Table.from_batches(_bounded(file, path.name), file.schema_arrow)
        stored.validate(full=True)  # or text that is not UTF-8 is found only when it is used
        frame = stored.to_pandas(ignore_metadata=True)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise InputError(f"not readable as parquet: {str(error).splitlines()[0]}", where=path.name) from None
    return Table.of(frame, path.name)


def _bounded(file: Any, name: str) -> Iterator[Any]:
    """Yield the batches of a parquet file as long as they are no more than a machine can hold."""
    if file.metadata.num_rows > MOST_ROWS:  # a few bytes can say that there are billions
        raise InputError(f"{file.metadata.num_rows} rows", where=name, expected=f"at most {MOST_ROWS}")
    size = 0
    for batch in file.iter_batches(1000):
        size += batch.nbytes
        if size > LARGEST_TABLE:
            raise InputError(f"more than {LARGEST_TABLE // 2**20} MiB", where=name, expected="a table of counts")
        yield batch


def _check_header(columns: Sequence[str], where: str) -> None:
    named = [column for column in columns if column]
    repeated = sorted({column for column in named if named.count(column) > 1})
    if repeated:
        raise InputError(f"two columns are called {repeated[0]!r}", where=where, expected="different names")
