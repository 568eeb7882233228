"""What is wrong with the rows of a batch: why some are left out and others marked, and where to look it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.events.record import Example

RAGGED = "more or fewer values than columns"
_RAGGED_HINT = "a value that holds the delimiter, or a line break, must stand in double quotes"
Column = Sequence[Any] | NDArray[Any] | pd.Series
_MOST_ROWS = 3  # that an example names


@dataclass(eq=False)
class RowFaults:
    """Faults of the rows of one batch, found one kind after another.

    Parameters
    ----------
    rows : int
    name : str
        Of the file.
    numbers : sequence of int, shape (rows,)
        Where each row stands in the file; empty for rows of no file.
    ragged : sequence of int
        Numbers of the rows of the file besides these that could not be told into columns.

    Examples
    --------
    >>> faults = RowFaults(3, "own.csv", [2, 3, 5])
    >>> faults.drop("date not readable", np.array([False, True, True]), ["2026-01-03", "3/1/2026", "?"])
    >>> faults.dropped, faults.examples()
    (Counter({'date not readable': 2}), {'date not readable': Example(where='own.csv rows 3, 5', value='3/1/2026')})
    """

    rows: int
    name: str = ""
    numbers: Sequence[int] | NDArray[np.int64] = ()
    ragged: Sequence[int] = ()
    dropped: Counter[str] = field(init=False)
    out: NDArray[np.bool_] = field(init=False)
    _examples: dict[str, Example] = field(init=False)
    _flagged: dict[str, tuple[NDArray[np.bool_], Sequence[Column], str]] = field(init=False)

    def __post_init__(self) -> None:
        self.out = np.zeros(self.rows, dtype=bool)
        self.dropped, self._examples, self._flagged = Counter(), {}, {}
        if self.ragged:
            self.dropped[RAGGED] = len(self.ragged)
            self._examples[RAGGED] = Example(self._where(self.ragged), hint=_RAGGED_HINT)

    def drop(self, reason: str, rows: NDArray[np.bool_], *values: Column, hint: str = "") -> None:
        """Leave rows out; one that is left out already keeps its first reason.

        Parameters
        ----------
        reason : str
        rows : ndarray of bool, shape (rows,)
        *values : sequence, shape (rows,)
            The columns that show the fault.
        hint : str
            What to try if these rows should not be left out.
        """
        fresh = rows & ~self.out
        if fresh.any():
            self.dropped[reason] += int(fresh.sum())
            self.out |= fresh
            self._examples.setdefault(reason, self._example(fresh, values, hint))

    def flag(self, name: str, rows: NDArray[np.bool_], *values: Column, hint: str = "") -> None:
        """Mark rows; the parameters are those of `drop`."""
        if rows.any():
            self._flagged[name] = rows, values, hint

    def drop_flagged(self, reason: str, rows: NDArray[np.bool_], names: Sequence[str], hint: str = "") -> None:
        """Leave out those of some rows that have one of these marks, which then is part of the reason.

        The hint is for marks that have none of their own.
        """
        for name in names:
            if name in self._flagged:
                marked, values, own = self._flagged[name]
                self.drop(f"{reason} ({name})", rows & marked, *values, hint=own or hint)

    def flags(self) -> NDArray[np.object_]:
        """Return the marks of each row, separated by spaces, shape (rows,)."""
        joined = np.full(self.rows, "", dtype=object)
        for name, (rows, _, _) in self._flagged.items():
            joined[rows] = [f"{text} {name}".lstrip() for text in joined[rows]]
        return joined

    def examples(self) -> dict[str, Example]:
        """Return an example of each reason, and of each mark of rows that are not left out."""
        marks = {
            name: self._example(rows & ~self.out, values, hint)
            for name, (rows, values, hint) in self._flagged.items()
            if (rows & ~self.out).any()
        }
        return self._examples | marks

    def _example(self, rows: NDArray[np.bool_], values: Sequence[Column], hint: str) -> Example:
        at = np.flatnonzero(rows)
        numbers = [self.numbers[row] for row in at[: _MOST_ROWS + 1]] if len(self.numbers) else []
        shown = dict.fromkeys(str(column[at[0]]) for column in values if not pd.isna(column[at[0]]))
        return Example(self._where(numbers), ", ".join(filter(None, shown)), hint)

    def _where(self, numbers: Sequence[int]) -> str:
        if not numbers:
            return self.name
        listed = ", ".join(str(number) for number in numbers[:_MOST_ROWS])
        more = ", ..." if len(numbers) > _MOST_ROWS else ""
        return f"{self.name} row{'s' if len(numbers) > 1 else ''} {listed}{more}".lstrip()
