"""Rows of a file that people or programs made, as texts: CSV, Excel, parquet, packed or not; HXL tags found."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.events.cell_records import excel_records, parquet_records
from forecast.events.csv_records import CSV_KINDS, csv_records, delimiter_of
from forecast.events.packed_file import open_packed
from forecast.tag_row import TAG, is_tag_row

KINDS = ".csv, .tsv, .txt, .xlsx or .parquet, also gzipped or in a zip file"
BLOCK_ROWS = 50_000
"""Rows held in memory at a time."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some columns of some rows.

    Parameters
    ----------
    texts : dict of str to ndarray of str, shape (rows,)
        Each column without outer space, empty where nothing is written.
    numbers : ndarray of int, shape (rows,)
        Where each row stands in the file.
    ragged : list of int
        Numbers of the rows besides these that were left out, as they have more or fewer values than there are columns.
    """

    texts: dict[str, NDArray[np.object_]]
    numbers: NDArray[np.int64]
    ragged: list[int]

    @property
    def rows(self) -> int:
        """Whole rows."""
        return len(self.numbers)


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
    records : iterator of (int, list of str)
        The rows after header and tags with their numbers, each value as text, blank rows left out. A row may have more
        or fewer values than there are columns.
    """

    name: str
    columns: tuple[str, ...]
    tags: tuple[str, ...]
    records: Iterator[tuple[int, list[str]]]

    @classmethod
    def of(cls, name: str, records: Iterable[tuple[int, list[str]]]) -> RowStream:
        """Take the header, and the row of HXL tags if there is one, off the records.

        Raises
        ------
        InputError
            If there is no row, or two columns have one name.

        Examples
        --------
        >>> written = [["day", "n"], ["#date", "#affected+killed"], ["2026-01-03", "4"]]
        >>> rows = RowStream.of("t.csv", enumerate(written, 1))
        >>> rows.columns, rows.tags, list(rows.records)
        (('day', 'n'), ('#date', '#affected+killed'), [(3, ['2026-01-03', '4'])])
        """
        rest = iter(records)
        none: tuple[int, list[str]] = (0, [])
        header = [cell.strip() for cell in next(rest, none)[1]]
        if not header:
            raise InputError("the file is empty", where=name, expected="a header and at least one row")
        named = [column for column in header if column]
        repeated = sorted({column for column in named if named.count(column) > 1})
        if repeated:
            raise InputError(
                f"two columns are called {repeated[0]!r}", where=f"{name} row 1", expected="different names"
            )
        number, first = (1, header) if is_tag_row(header) else next(rest, none)
        tags: tuple[str, ...] = ()
        if is_tag_row(first):
            tags = tuple(cell.strip() if TAG.fullmatch(cell.strip()) else "" for cell in first[: len(header)])
            tags += ("",) * (len(header) - len(tags))
        elif first:
            rest = itertools.chain([(number, first)], rest)
        return cls(name, tuple(header), tags, rest)

    def blocks(self, columns: Mapping[str, str]) -> Iterator[Block]:
        """Yield some columns, at most `BLOCK_ROWS` rows at a time.

        Parameters
        ----------
        columns : mapping of str to str
            What the block calls a column, and its name in the header.

        Yields
        ------
        Block

        Examples
        --------
        >>> rows = RowStream.of("t.csv", enumerate([["day", "n"], ["2026-01-03", " 4"], ["2026-01-04"]], 1))
        >>> [(block.texts["count"].tolist(), block.ragged) for block in rows.blocks({"count": "n"})]
        [(['4'], [3])]
        """
        width, at = len(self.columns), [self.columns.index(name) for name in columns.values()]
        take = itemgetter(*at, at[0])  # at least two, so that it gives a tuple in any case
        while True:
            whole, numbers, ragged = [], [], []
            for number, record in itertools.islice(self.records, BLOCK_ROWS):
                if len(record) == width:
                    whole.append(take(record))  # the other columns are not kept
                    numbers.append(number)
                else:
                    ragged.append(number)
            if not numbers and not ragged:
                return
            values = zip(*whole, strict=True) if whole else itertools.repeat(())
            texts = {
                name: np.fromiter(map(str.strip, column), dtype=object, count=len(whole))
                for name, column in zip(columns, values, strict=False)
            }
            yield Block(texts, np.array(numbers, dtype=np.int64), ragged)


def open_rows(
    path: Path, *, delimiter: str | None = None, encoding: str = "utf-8", sheet: str | None = None
) -> RowStream:
    """Open a CSV, Excel or parquet file by the ending of its name; gzipped, or the one table in a zip file, as well.

    Parameters
    ----------
    path : Path
    delimiter : str, optional
        Of CSV files; as the header shows it if it is not given (`forecast.events.csv_records.delimiter_of`).
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
    return RowStream.of(path.name, _records(path, delimiter or delimiter_of(path), encoding, sheet))


def _records(path: Path, delimiter: str, encoding: str, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield header and rows; the file is closed with the iterator."""
    with open_packed(path) as inside:
        if inside.kind in CSV_KINDS:
            yield from csv_records(inside.stream, path.name, delimiter=delimiter, encoding=encoding)
        elif inside.kind in {"xlsx", "parquet"}:
            with inside.seekable() as stream:
                excel = inside.kind == "xlsx"
                yield from excel_records(stream, path.name, sheet) if excel else parquet_records(stream, path.name)
        else:
            hint = "in the spreadsheet: save as .xlsx, or CSV UTF-8" if inside.kind in {"xls", "ods"} else ""
            kind = f".{inside.kind}" if inside.kind else "unknown"
            raise InputError(f"cannot read files of kind {kind!r}", where=path.name, expected=KINDS, hint=hint)
