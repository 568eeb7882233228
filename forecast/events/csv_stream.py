"""CSV files of any size, plain, gzipped or alone in a zip file, read in blocks of text."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from forecast.errors import InputError, nearest_names

BLOCK_BYTES = 8 * 2**20
"""Bytes of text read at a time; a single row must fit."""
LARGEST_RATIO, FREE_BYTES = 200, 64 * 2**20
"""A packed file may unpack to `FREE_BYTES`, or `LARGEST_RATIO` times its size; event tables reach about 10 times."""
_LONGEST_HEADER = 2**16
_FAULTS = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of a CSV file.

    Parameters
    ----------
    frame : DataFrame
        Text without outer space, empty where nothing stands; columns as asked for.
    ragged : int
        Rows besides these that were left out, as they have more or fewer values than there are columns.
    """

    frame: pd.DataFrame
    ragged: int


@dataclass(frozen=True, eq=False)
class CsvStream:
    """An open CSV file whose header has been read.

    Parameters
    ----------
    name : str
        What messages call it.
    columns : tuple of str
        The header.
    source : Unpacked
        What follows the header.
    """

    name: str
    columns: tuple[str, ...]
    source: Unpacked

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield some columns, block by block; can be done once.

        A row of HXL tags below the header is no row and is left out, as are empty lines.

        Raises
        ------
        InputError
            For a column that stands twice in the header, text that is not UTF-8, a file that ends within a row, a
            packed file that is damaged.
        """
        for column in columns:
            if self.columns.count(column) > 1:
                raise InputError(f"two columns are called {column!r}", where=f"{self.name} row 1")
        positions = [str(self.columns.index(column)) for column in columns]
        ragged: list[int | None] = []

        def leave_out(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row.number)
            return "skip"

        rows = reported = 0
        try:
            reader = arrow_csv.open_csv(
                self.source,
                read_options=arrow_csv.ReadOptions(
                    column_names=[str(position) for position in range(len(self.columns))],
                    block_size=BLOCK_BYTES,
                    use_threads=False,  # or rows that are left out have no number
                ),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=leave_out),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(positions, pa.string()),
                    include_columns=positions,
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                frame = batch.to_pandas().set_axis(list(columns), axis=1)
                frame = frame.apply(lambda values: values.str.strip())
                if rows == 0 and len(frame) and is_tag_row(frame.iloc[0].tolist()):
                    frame = frame.iloc[1:].reset_index(drop=True)
                yield Block(frame, len(ragged) - reported)
                rows, reported = rows + batch.num_rows, len(ragged)
        except pa.ArrowInvalid as error:
            if not self.source.ended or self.source.bytes_read:
                raise self._explained(str(error), rows) from None
        if len(ragged) > reported:
            yield Block(pd.DataFrame({column: pd.Series(dtype="str") for column in columns}), len(ragged) - reported)
        if ragged and ragged[-1] == rows + len(ragged):
            raise InputError("the file ends in the middle of a row", where=self.name, hint="was the download cut?")

    def _explained(self, error: str, rows: int) -> InputError:
        what = f"not readable as CSV: {error.splitlines()[0]}"
        return InputError(what, where=f"{self.name}, after row {rows + 1}", hint="look for a lone double quote")


class Unpacked(io.RawIOBase):
    """Bytes of a packed file, counted, so that a small file cannot fill the machine, and checked to be UTF-8.

    Parameters
    ----------
    stream : binary file
    name : str
    limit : int, optional
        The most bytes to give out.
    """

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, name: str, limit: int | None) -> None:
        super().__init__()
        self._stream, self._name, self._limit, self._ahead = stream, name, limit, b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.bytes_read, self.ended = 0, False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub names a private buffer type
        """Fill a buffer as far as the bytes go."""
        content = self._ahead[: len(buffer)] if self._ahead else self._unpack(len(buffer))
        self._ahead = self._ahead[len(content) :]
        try:
            self._decoder.decode(content, final=not content)
        except UnicodeDecodeError:
            hint = "save the file as CSV UTF-8; Windows programs often write Latin-1"
            raise InputError("the text is not UTF-8", where=self._name, expected="UTF-8", hint=hint) from None
        buffer[: len(content)] = content
        self.bytes_read += len(content)
        return len(content)

    def first_line(self) -> bytes:
        """Return the first line that is not empty, and go behind it."""
        line = b""
        while len(line) <= _LONGEST_HEADER and (b"\n" not in line.lstrip(b"\r\n")):
            more = self._unpack(_LONGEST_HEADER)
            if not more:
                break
            line += more
        line = line.lstrip(b"\r\n")
        header, _, self._ahead = line.partition(b"\n")
        self.bytes_read = 0
        return header

    def _unpack(self, size: int) -> bytes:
        try:
            content = self._stream.read(size)
        except _FAULTS as error:
            raise InputError(f"the file is damaged or cut short: {error}", where=self._name) from None
        self.ended = not content
        if self._limit is not None:
            self._limit -= len(content)
            if self._limit < 0:
                raise InputError(
                    f"unpacks to more than {LARGEST_RATIO} times its size",
                    where=self._name,
                    expected="a packed table of events",
                    hint="unpack it, and look at what is inside",
                )
        return content


@contextmanager
def open_csv(path: Path) -> Iterator[CsvStream]:
    """Open a CSV file (UTF-8, separated by commas): as it is, gzipped, or as the only CSV file in a zip file.

    What it is shows in its first bytes, not in its name. Nothing is unpacked to the disk.

    Raises
    ------
    InputError
        If there is no such file, or it is something else.
    """
    path = Path(path)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            start, size = file.read(4), path.stat().st_size
            file.seek(0)
            limit = max(FREE_BYTES, LARGEST_RATIO * size)
            if start.startswith(b"\x1f\x8b"):
                source = Unpacked(gzip.GzipFile(fileobj=file), path.name, limit)
            elif start == b"PK\x03\x04":
                archive = stack.enter_context(zipfile.ZipFile(file))
                source = Unpacked(stack.enter_context(archive.open(_only_csv(archive, path.name))), path.name, limit)
            else:
                source = Unpacked(file, path.name, None)
        except FileNotFoundError:
            near = nearest_names(path.name, [other.name for other in path.parent.glob("*.*")])
            hint = f"did you mean {near[0]!r}?" if near else ""
            raise InputError(f"no file {path.name}", where=str(path.parent), hint=hint) from None
        except InputError:
            raise
        except (*_FAULTS, ValueError) as error:
            raise InputError(f"cannot read: {error}", where=str(path)) from None
        yield CsvStream(path.name, _header(source.first_line(), path.name), source)


def is_tag_row(values: Sequence[str]) -> bool:
    """Return whether these are HXL tags: all that is not empty starts with #.

    Examples
    --------
    >>> is_tag_row(["#event+id", "", "#date+start"]), is_tag_row(["", "7"])
    (True, False)
    """
    written = [value for value in values if value]
    return bool(written) and all(value.startswith("#") for value in written)


def _only_csv(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the one CSV file of an archive."""
    found = [
        member
        for member in archive.infolist()
        if member.filename.lower().endswith(".csv") and not member.filename.startswith("__MACOSX/")
    ]
    if len(found) != 1:
        inside = ", ".join(repr(member.filename) for member in found[:5]) or "none"
        raise InputError(f"{len(found)} CSV files inside", where=name, expected="one", hint=f"found: {inside}")
    inner = PurePosixPath(found[0].filename.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in found[0].filename:
        raise InputError(f"the path {found[0].filename!r} leads out of the archive", where=name)
    if found[0].flag_bits & 1:
        raise InputError("the archive has a password", where=name, hint="unpack it first")
    return found[0]


def _header(line: bytes, name: str) -> tuple[str, ...]:
    """Return the names of the columns."""
    where = f"{name} row 1"
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the file is UTF-16", where=where, expected="UTF-8", hint="save as, CSV UTF-8")
    try:
        text = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("the header is not UTF-8 text", where=where, expected="CSV in UTF-8") from None
    if "\x00" in text or len(line) > _LONGEST_HEADER:
        raise InputError("this is no CSV file", where=where, expected="a header with the names of the columns")
    for sign, label in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")):
        if text.count(sign) > text.count(","):
            raise InputError(f"the columns are separated by {label}", where=where, expected="commas")
    try:
        names = [value.strip() for row in csv.reader([text]) for value in row]
    except csv.Error as error:
        raise InputError(f"not readable as CSV: {error}", where=where) from None
    if not any(names):
        raise InputError("the file is empty", where=name, expected="a header and rows")
    return tuple(names)
