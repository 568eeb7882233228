"""One value of a table that people made: a count, a number, a day, a name; refused with the reason if it is none."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.plain_text import LONGEST_NAME, one_line

LARGEST_COUNT = 2**31 - 1
FIRST_YEAR, LAST_YEAR = 1900, 2100
PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>", "nat"})
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(.*)", re.ASCII | re.DOTALL)
_MIDNIGHT = re.compile(r"([T ]00:00(:00(\.0+)?)?)?", re.ASCII)
_ZONE = re.compile(r"[T ][\d:.]+ ?(Z|UTC|[+-]\d{2}(:?\d{2})?)", re.ASCII)


IF_MISSING = "leave the row out where the number is not known"
"""What to try where there is no number."""


def whole_number(value: object, if_missing: str = IF_MISSING) -> int:
    """Return a count: a whole number from 0 to 2^31 - 1; ``3.0`` is one, for programs that write it so.

    `if_missing` is what the message says to try where there is none.

    Raises
    ------
    InputError
        Of `what`, `expected` and `hint`; the caller knows where.

    Examples
    --------
    >>> whole_number(" 3.0 ")
    3
    """
    expected = "a whole number >= 0"
    parsed = number(value, expected, if_missing)
    if parsed < 0:
        raise InputError(f"{_shown(value)} is negative", expected=expected)
    if not parsed.is_integer():
        raise InputError(f"{_shown(value)} is not whole", expected=expected, hint="counts, not rates or averages")
    if parsed > LARGEST_COUNT:
        raise InputError(f"{_shown(value)} is too large", expected=f"a count of at most {LARGEST_COUNT}")
    return int(parsed)


def number(value: object, expected: str = "a number", if_missing: str = IF_MISSING) -> float:
    """Return a finite number; the decimal sign is a point."""
    if _is_missing(value):
        raise InputError("the value is missing", expected=expected, hint=if_missing)
    if isinstance(value, (bool, np.bool_)):
        raise InputError(f"{_shown(value)} is not a number", expected=expected)
    text = str(value).strip()
    if text.lower().lstrip("+-") in {"inf", "infinity"}:
        raise InputError(f"{_shown(value)} is infinite", expected=expected)
    if not PLAIN_NUMBER.fullmatch(text):
        raise InputError(f"{_shown(value)} is not a number", expected=expected, hint="plain digits, decimal point")
    parsed = float(text)
    if not math.isfinite(parsed):
        raise InputError(f"{_shown(value)} is too large", expected=expected)
    return parsed


def day(value: object) -> dt.date:
    """Return a day written as ISO 8601, ``YYYY-MM-DD``; a time of day or a time zone is refused.

    Examples
    --------
    >>> day("2026-01-03")
    datetime.date(2026, 1, 3)
    """
    expected = "an ISO 8601 date, YYYY-MM-DD"
    if _is_missing(value):
        raise InputError("the date is missing", expected=expected)
    text = value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value).strip()
    parts = _DAY.fullmatch(text)
    if parts is None:
        hint = "03/01/2026 can be 3 January or 1 March, so that only 2026-01-03 is read" if "/" in text else ""
        raise InputError(f"{_shown(value)} is not an ISO 8601 date", expected=expected, hint=hint)
    rest = parts[4]
    if _ZONE.fullmatch(rest):
        raise InputError(f"{_shown(value)} has a time zone", expected=expected, hint="local days without time zone")
    if not _MIDNIGHT.fullmatch(rest):
        raise InputError(f"{_shown(value)} is more than a day", expected=expected, hint="leave the time of day out")
    if not FIRST_YEAR <= int(parts[1]) <= LAST_YEAR:
        raise InputError(f"{_shown(value)} lies far outside", expected=f"a day from {FIRST_YEAR} to {LAST_YEAR}")
    try:
        return dt.date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        raise InputError(f"{_shown(value)} is no day of the calendar", expected=expected) from None


def text(value: object) -> str:
    """Return a name: one line, not empty and of a length that names have, in Unicode's composed form."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        raise InputError("the name is missing")
    name = one_line(unicodedata.normalize("NFC", str(value)), None)
    if not name:
        raise InputError("the name is missing")
    if len(name) > LONGEST_NAME:
        raise InputError(f"a name of {len(name)} characters", expected=f"at most {LONGEST_NAME}")
    return name


def _is_missing(value: object) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    return isinstance(value, str) and value.strip().lower() in _MISSING


def _shown(value: object) -> str:
    """Return a value for a message, cut if it is long."""
    written = value if isinstance(value, str) else str(value)
    return repr(written if len(written) <= 40 else written[:37] + "...")
