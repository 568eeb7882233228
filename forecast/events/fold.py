"""Which record of an event is the valid one: identities and contents as hashes, the last of each, and matching them.

An event's identity is hashed to 128 bits and its content to 64, so that 5 million events are compared in 160 MB. The
hash of pandas (SipHash of texts, a mixing function for numbers) is the same in every process and on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.events.record import COLUMNS

Hashes = NDArray[np.uint64]
Positions = NDArray[np.intp]

IDENTITY = ("source", "event_id")
NO_CONTENT = frozenset({*IDENTITY, "release"})
"""A new release that says the same of an event does not change the event."""
_KEYS = ("escalation-fore1", "escalation-fore2")


@dataclass(frozen=True, eq=False)
class Records:
    """Records of the events of one source, in the order in which they came.

    Parameters
    ----------
    low, high : ndarray of uint64, shape (records,)
        The two halves of the identity's hash.
    content : ndarray of uint64, shape (records,)
        Hash of what the record says; 0 for a tombstone.
    rank : ndarray of int64, shape (records,)
        Precedence; a record never replaces one of higher rank.
    deleted : ndarray of bool, shape (records,)
        True for a tombstone.
    """

    low: Hashes
    high: Hashes
    content: Hashes
    rank: NDArray[np.int64]
    deleted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.low)

    def take(self, at: Positions | NDArray[np.bool_]) -> Records:
        """Return the records at these positions, or where a mask holds."""
        return Records(*(getattr(self, field.name)[at] for field in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Records]) -> Records:
        """Return all records, those of the first part first."""
        if not parts:
            none = np.empty(0, dtype=np.uint64)
            return cls(none, none, none, np.empty(0, dtype=np.int64), np.empty(0, dtype=bool))
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def identity_hashes(event_ids: pd.Series) -> tuple[Hashes, Hashes]:
    """Return the two halves of each event's 128-bit identity within its source, each of shape (events,)."""
    ids = event_ids.to_numpy(dtype=object)
    low, high = (pd.util.hash_array(ids, hash_key=key, categorize=False) for key in _KEYS)
    return low, high


def content_hashes(events: pd.DataFrame) -> Hashes:
    """Return a 64-bit hash of what each canonical row says of its event, shape (events,)."""
    names = [name for name in COLUMNS if name not in NO_CONTENT]
    hashes = pd.util.hash_pandas_object(events[names], index=False).to_numpy(dtype=np.uint64)
    return np.maximum(hashes, np.uint64(1))


def last_of_each(low: Hashes, high: Hashes, rank: NDArray[np.int64] | None = None) -> Positions:
    """Return the position of each identity's valid record, ascending.

    Parameters
    ----------
    low, high : ndarray of uint64, shape (records,)
    rank : ndarray of int64, shape (records,), optional
        The record of the highest rank is valid, the last one among equals; without ranks, the last one.

    Examples
    --------
    >>> low = np.array([7, 8, 7], dtype=np.uint64)
    >>> last_of_each(low, low).tolist(), last_of_each(low, low, np.array([2, 0, 1])).tolist()
    ([1, 2], [0, 1])
    """
    if len(low) == 0:
        return np.empty(0, dtype=np.intp)
    order = np.lexsort((high, low) if rank is None else (rank, high, low))  # stable: ties keep their order
    ends = np.ones(len(order), dtype=bool)
    ends[:-1] = (low[order[1:]] != low[order[:-1]]) | (high[order[1:]] != high[order[:-1]])
    return np.sort(order[ends])


def superseded(low: Hashes, high: Hashes, vintage: Positions, vintages: int) -> Positions:
    """Return the vintage in which each record was replaced by a later one of the same identity, shape (records,).

    Parameters
    ----------
    low, high : ndarray of uint64, shape (records,)
    vintage : ndarray of int, shape (records,)
        In which each record came, ascending.
    vintages : int
        How many there are: what a record that still holds gets.

    Examples
    --------
    >>> low = np.array([7, 8, 7], dtype=np.uint64)
    >>> superseded(low, low, np.array([0, 0, 1]), 2).tolist()
    [1, 2, 2]
    """
    stop = np.full(len(low), vintages, dtype=np.intp)
    if len(low):
        order = np.lexsort((high, low))  # stable: those of one identity stay in the order in which they came
        again = (low[order[1:]] == low[order[:-1]]) & (high[order[1:]] == high[order[:-1]])
        stop[order[:-1][again]] = vintage[order[1:][again]]
    return stop


def find(low: Hashes, high: Hashes, among: Records) -> Positions:
    """Return the position of each identity among records whose identities are unique, -1 for none, shape (len(low),).

    Examples
    --------
    >>> one = np.array([5], dtype=np.uint64)
    >>> held = Records(one, one, one, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=bool))
    >>> find(np.array([5, 6], dtype=np.uint64), np.array([5, 5], dtype=np.uint64), held).tolist()
    [0, -1]
    """
    found = np.full(len(low), -1, dtype=np.intp)
    if len(among) == 0 or len(low) == 0:
        return found
    order = np.lexsort((among.high, among.low))
    sorted_low = among.low[order]
    at = np.searchsorted(sorted_low, low)
    open_ = np.flatnonzero(at < len(order))
    while len(open_):  # twice only for identities that share half of their hash with another one
        open_ = open_[sorted_low[at[open_]] == low[open_]]
        candidate = order[at[open_]]
        same = among.high[candidate] == high[open_]
        found[open_[same]] = candidate[same]
        open_ = open_[~same]
        at[open_] += 1
        open_ = open_[at[open_] < len(order)]
    return found
