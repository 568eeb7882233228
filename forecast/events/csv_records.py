"""Records of a CSV file, one after another, in any encoding; what is no CSV is refused with its row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from forecast.errors import InputError
from forecast.events.packed_file import open_packed

CSV_KINDS = frozenset({"csv", "tsv", "txt"})
"""Endings of the names of such files."""
LONGEST_ROW = 16 * 2**20
"""Characters that one row may have, so that a lone double quote cannot fill the machine with the rest of the file."""

_SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_ENCODING_HINT = 'save the file as CSV UTF-8; or `forecast ingest table` with a mapping that has encoding = "{}"'
_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def csv_records(
    stream: io.BufferedReader, name: str, *, delimiter: str = ",", encoding: str = "utf-8"
) -> Iterator[tuple[int, list[str]]]:
    r"""Yield the records of a CSV file with their row numbers, the header first, without blank ones.

    Parameters
    ----------
    stream : binary file
    name : str
        What messages call it.
    delimiter : str
    encoding : str
        A byte order mark of UTF-8 is passed over.

    Yields
    ------
    row : int
        From 1; blank ones count.
    record : list of str
        Values as they are written; there may be more or fewer of them than the header has.

    Raises
    ------
    InputError
        If the text is not of this encoding, has zero bytes, a double quote too many, another delimiter or rows of
        more than `LONGEST_ROW` characters, or is cut in the middle of a row.

    Examples
    --------
    >>> stream = io.BufferedReader(io.BytesIO(b'day,place\n\n2026-01-03,"Gao,\nnorth"\n'))
    >>> list(csv_records(stream, "events.csv"))
    [(1, ['day', 'place']), (3, ['2026-01-03', 'Gao,\nnorth'])]
    """
    plain = encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
    if plain and stream.peek(2)[:2] in _MARKS_OF_UTF_16:
        hint = _ENCODING_HINT.format("utf-16")
        raise InputError("the file is UTF-16", where=f"{name} row 1", expected="UTF-8", hint=hint)
    row = width = 0
    short = False  # whether the last record has fewer values than the header
    csv.field_size_limit(LONGEST_ROW)  # of the process; lists of sources can be longer than the default
    try:
        with io.TextIOWrapper(stream, encoding="utf-8-sig" if plain else encoding, newline="") as text:
            lines = _Lines(text)
            for record in csv.reader(lines, delimiter=delimiter, strict=True):
                row, lines.taken = row + 1, 0
                if not any(map(str.strip, record)) and len(record) in {0, 1, width or len(record)}:
                    continue
                if not width:
                    _check_delimiter(record, delimiter, name)
                    width = len(record)
                short = len(record) < width
                yield row, record
    except (UnicodeError, csv.Error, OSError) as error:
        raise _explained(error, encoding, name, row) from None
    if short and not lines.ended:
        hint = "was the download cut? if not, end the last row with a new line"
        raise InputError("the file ends in the middle of a row", where=f"{name} row {row}", hint=hint)


class _Lines(Iterator[str]):
    """The lines of a text, refused where they are no CSV.

    `taken` counts characters until the reader, at the end of a record, sets it back; `ended` tells whether the last
    line had an end.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self.taken, self.ended = text, 0, True

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_ROW)
        if not line:
            raise StopIteration
        self.taken += len(line)
        if self.taken >= LONGEST_ROW:
            raise csv.Error(f"a row of more than {LONGEST_ROW} characters")
        if "\x00" in line:
            raise csv.Error("zero bytes, so that it is no text")
        self.ended = line.endswith(("\n", "\r"))
        return line


def _explained(error: Exception, encoding: str, name: str, row: int) -> InputError:
    """Return what to say of an error after some rows."""
    where = f"{name} after row {row}" if row else name
    if isinstance(error, UnicodeError):
        wrong = f"byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else "the text"
        hint = _ENCODING_HINT.format("cp1252")
        return InputError(f"{wrong} is not {encoding}", where=where, expected=encoding, hint=hint)
    if isinstance(error, csv.Error):
        hint = "look for a lone double quote; or was the download cut?"
        return InputError(f"not readable as CSV: {error}", where=f"{name} row {row + 1}", hint=hint)
    return InputError(f"cannot read: {error}", where=where)


def delimiter_of(path: Path) -> str:
    """Return what separates the columns of a CSV file, packed or not: the sign that is most frequent in its header.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with open_packed(path) as inside:
        header = inside.stream.readline(LONGEST_ROW) if inside.kind in CSV_KINDS else b""
    return max(_SIGNS, key=lambda sign: header.count(sign.encode()))  # a comma if there is none of them


def _check_delimiter(header: list[str], delimiter: str, name: str) -> None:
    """Refuse a header that is one column for this delimiter and several for another."""
    for sign, label in _SIGNS.items():
        if len(header) == 1 and sign != delimiter and header[0].count(sign) > 1:
            raise InputError(
                f"the columns are separated by {label}",
                where=f"{name} row 1",
                expected=_SIGNS.get(delimiter, repr(delimiter)),
                hint=f"in the mapping: delimiter = {sign!r}, or none, since the header shows it",
            )
