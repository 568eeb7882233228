"""Hashes: what an entry says as one string of bytes, and how it is linked to the entry before.

The bytes depend on what was said alone, not on the database or the machine: numbers as 64 bits in little-endian order,
one kind of zero and one of NaN, texts as UTF-8, each part with its length.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecast.provenance import hash_bytes

GENESIS = "0" * 64
"""What stands before the first entry."""


def link_of(previous: str, number: int, kind: str, recorded_at: dt.datetime, content: str) -> str:
    """Return the hash that links an entry to the one before.

    Parameters
    ----------
    previous : str
        The link of the entry before; `GENESIS` for the first.
    number : int
        Its place in the chain, from 1.
    kind : str
    recorded_at : datetime
        In UTC, to the second.
    content : str
        Hash of all that it says.

    Examples
    --------
    >>> moment = dt.datetime(2026, 8, 3, 6, tzinfo=dt.UTC)
    >>> link_of(GENESIS, 1, "issue", moment, "ab")[:12]
    'af1ceb4bfb4b'
    """
    row = [previous, number, kind, f"{recorded_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", content]
    return hash_bytes(text_bytes(row))


def text_bytes(content: Any) -> bytes:
    r"""Return a JSON-like value without floats as bytes; the order of keys does not matter.

    Examples
    --------
    >>> text_bytes({"b": "Ségou", "a": 1})
    b'{"a":1,"b":"S\xc3\xa9gou"}'
    """
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def float_bytes(values: ArrayLike | Sequence[float | None]) -> bytes:
    """Return numbers as bytes; None is NaN.

    Examples
    --------
    >>> float_bytes([-0.0, None]) == float_bytes([0.0, float("nan")])
    True
    """
    array = np.array(values, dtype="<f8") + 0.0  # a negative zero becomes a positive one
    array[np.isnan(array)] = np.nan
    return array.tobytes()


def int_bytes(values: ArrayLike) -> bytes:
    """Return whole numbers as bytes.

    Examples
    --------
    >>> int_bytes([1]) == int_bytes(np.array([1], dtype="int16"))
    True
    """
    return np.asarray(values).astype("<i8").tobytes()
