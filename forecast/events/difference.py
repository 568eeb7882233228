"""What an import changes: its records against those that are held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.events.fold import Hashes, Positions, Records, find


@dataclass(frozen=True, eq=False)
class Difference:
    """What must be stored.

    Parameters
    ----------
    wanted : ndarray of bool, shape (records that came,)
        The records to store: new, changed, or the same from a release of higher rank.
    new, changed : int
        Events.
    gone : ndarray of int, shape (deleted,)
        Positions of the held records that get a tombstone, ascending.
    gone_rank : ndarray of int64, shape (deleted,)
        Rank of each tombstone.
    """

    wanted: NDArray[np.bool_]
    new: int
    changed: int
    gone: Positions
    gone_rank: NDArray[np.int64]


def difference(
    came: Records,
    held: Records,
    *,
    deleted: tuple[Hashes, Hashes],
    scope: NDArray[np.bool_] | None = None,
    ranked: bool = False,
) -> Difference:
    """Compare the records of an import with those that are held.

    Parameters
    ----------
    came : Records
        Of unique identities.
    held : Records
        Of unique identities; tombstones among them.
    deleted : pair of ndarray of uint64
        Identities that the import says are deleted, whatever their rank.
    scope : ndarray of bool, shape (held,), optional
        The held records that are deleted if the import lacks them, unless their rank is above all that came.
    ranked : bool
        Whether ranks count. A record of lower rank than the held one is left out. The tombstone of a deletion
        outranks what it deletes; that of a scope has the highest rank that came.

    Returns
    -------
    Difference
    """
    at = find(came.low, came.high, held)
    known = at >= 0
    same = np.zeros(len(came), dtype=bool)
    alive, beaten, outranks = same.copy(), same.copy(), same.copy()
    alive[known] = ~held.deleted[at[known]]
    same[known] = came.content[known] == held.content[at[known]]
    if ranked:
        beaten[known] = came.rank[known] < held.rank[at[known]]
        outranks[known] = came.rank[known] > held.rank[at[known]]

    removed = np.zeros(len(held), dtype=bool)
    named = find(*deleted, held)
    removed[named[named >= 0]] = True
    named_too = np.zeros(len(came), dtype=bool)
    if len(deleted[0]):
        named_too = find(came.low, came.high, _identities(deleted)) >= 0
    top = int(came.rank.max(initial=0))
    lost = np.zeros(len(held), dtype=bool)
    if scope is not None:
        lost |= scope
        lost[at[known]] = False
        if ranked:
            lost &= held.rank <= top
    removed &= ~held.deleted
    lost &= ~held.deleted & ~removed
    gone = np.flatnonzero(removed | lost)
    gone_rank = np.where(lost[gone], top, held.rank[gone] + 1) if ranked else np.zeros(len(gone), dtype=np.int64)

    news = ~named_too & ~beaten
    new, changed = news & ~alive, news & alive & ~same
    wanted = new | changed | (news & alive & same & outranks)
    return Difference(wanted, int(new.sum()), int(changed.sum()), gone, gone_rank)


def _identities(hashes: tuple[Hashes, Hashes]) -> Records:
    """Return records of nothing but unique identities."""
    low, high = np.unique(np.stack(hashes), axis=1)
    return Records(low, high, low, np.zeros(len(low), dtype=np.int64), np.ones(len(low), dtype=bool))
