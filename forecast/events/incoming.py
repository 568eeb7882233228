"""What an import brings into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.events.record import Batch, Scope

Days = tuple[pd.Timestamp, pd.Timestamp]
Rank = Callable[[pd.Series], NDArray[np.int64]]
"""From the releases of some rows to their precedence, whole numbers >= 0, shape (rows,)."""


@dataclass(frozen=True, eq=False)
class Incoming:
    """What is imported as one vintage: a file, or what an API answers to one query.

    Parameters
    ----------
    source : str
        The same in all rows; small letters, digits, ``.``, ``-`` and ``_``.
    batches : iterable of Batch
        Nothing is read before the store asks for it.
    input_hash : str
        sha256 of the file, or of the query.
    scope : Scope, optional
        What it speaks for as a whole: events of the source within it that it lacks are deleted, unless their rank is
        above all of its ranks.
    rank : callable, optional
        Precedence by `release`: a row never replaces one of higher rank, and a deleted event comes back only by a row
        that outranks the one that was deleted. Without it all rows are equal and the last import counts.
    days : (Timestamp, Timestamp), optional
        First and last day of which it tells. Those of the scope if not given, or of the first and the last event: a
        week outside of all imports' days is unknown, not without events.
    """

    source: str
    batches: Iterable[Batch]
    input_hash: str
    scope: Scope | None = None
    rank: Rank | None = None
    days: Days | None = None
