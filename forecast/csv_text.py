"""CSV as this package writes it, with text that no spreadsheet runs as a formula, and how it is read back.

Names of regions, actors and models come from other people's files. A spreadsheet takes a cell that starts with ``=``,
``+``, ``-``, ``@``, a tab or a line break for a formula, whatever quotes stand around it
(https://owasp.org/www-community/attacks/CSV_Injection). One that separates by semicolons, as in France, also takes what
stands behind a semicolon or a line break within a cell for a cell of its own. All CSV files of the package go through
`csv_bytes`, or at least through `safe_frame`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from forecast.cells import PLAIN_NUMBER

_STARTS = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # the last four are the wide forms of the first
_BEGIN = r"(?:\A|(?<=[;|\t\r\n]))"
_FORMULA = re.compile(rf"{_BEGIN}(?='*{_STARTS})")
_DEFUSED = re.compile(rf"{_BEGIN}'(?='*{_STARTS})")


def defused(text: str) -> str:
    """Return a text as it is written: with an apostrophe before each part of it that a spreadsheet would run.

    Plain numbers stay as they are. So that `restored` finds the text again, one that looks defused gets an apostrophe
    more.

    Examples
    --------
    >>> [defused(text) for text in ("=1+1", "-3.5", "'=1+1", "Gao", "-Gao")]
    ["'=1+1", '-3.5', "''=1+1", 'Gao', "'-Gao"]
    >>> defused("Gao;=1+1")
    "Gao;'=1+1"
    """
    return text if PLAIN_NUMBER.fullmatch(text) else _FORMULA.sub("'", text)


def restored(text: str) -> str:
    """Return the text that `defused` wrote so.

    Examples
    --------
    >>> [restored(text) for text in ("'=1+1", "-3.5", "''=1+1", "'s-Hertogenbosch")]
    ['=1+1', '-3.5', "'=1+1", "'s-Hertogenbosch"]
    """
    return _DEFUSED.sub("", text) if "'" in text else text


def csv_bytes(frame: pd.DataFrame, *, float_format: str | None = None, tags: Sequence[str] = ()) -> bytes:
    r"""Return a frame as CSV in UTF-8, text `defused`, days as ISO 8601, lines ending in ``\n``.

    Parameters
    ----------
    frame : DataFrame
        Its index is not written.
    float_format : str, optional
        Such as ``"%.6f"``; the shortest that reads back the same if not given.
    tags : sequence of str
        HXL tags, one a column, for a second header row.

    Examples
    --------
    >>> csv_bytes(pd.DataFrame({"unit": ["=HYPERLINK(0)", "Gao"], "change": [-1.5, 2.0]}))
    b"unit,change\n'=HYPERLINK(0),-1.5\nGao,2.0\n"
    """
    safe = safe_frame(frame)
    lines = _Lines(",".join(tags))
    # Only cells with a character of the line's end are quoted: a lone carriage return ends a row for many readers.
    safe.to_csv(lines, index=False, float_format=float_format, date_format="%Y-%m-%d", lineterminator="\r\n")
    return lines.getvalue().encode()


def safe_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with all text `defused`, also that of the header; for other writers of CSV than `csv_bytes`.

    Examples
    --------
    >>> safe_frame(pd.DataFrame({"@unit": ["-Gao"], "n": [-1]})).to_dict("records")
    [{"'@unit": "'-Gao", 'n': -1}]
    """
    safe = frame.rename(columns=lambda name: defused(str(name)))
    for at, dtype in enumerate(frame.dtypes):
        if not (is_numeric_dtype(dtype) or is_datetime64_any_dtype(dtype)):
            safe.isetitem(at, [_cell(value) for value in frame.iloc[:, at].astype(object)])
    return safe


def frame_of(content: bytes) -> pd.DataFrame:
    r"""Return the frame that `csv_bytes` wrote, without a row of tags.

    Examples
    --------
    >>> frame_of(b"unit,change\n'=1+1,-1.5\n").to_dict("records")
    [{'unit': '=1+1', 'change': -1.5}]
    """
    frame = pd.read_csv(io.BytesIO(content)).rename(columns=restored)
    for name in frame.columns[[not is_numeric_dtype(dtype) for dtype in frame.dtypes]]:
        frame[name] = frame[name].map(restored, na_action="ignore")
    return frame


class _Lines(io.StringIO):
    """What a CSV writer writes, row by row, each ended by a line feed alone; a second one may follow the header."""

    def __init__(self, second: str) -> None:
        super().__init__(newline="")
        self.second = second

    def write(self, row: str) -> int:
        after = f"{self.second}\n" if self.second and not self.tell() else ""
        return super().write(row.removesuffix("\r\n") + "\n" + after)


def _cell(value: object) -> object:
    return defused(value) if isinstance(value, str) else value
