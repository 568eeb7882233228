"""The columns of a tidy frame that a chart needs, checked, so that a slip is told in the words of the frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from forecast.errors import InputError, nearest_names, unknown_name
from forecast.plain_text import one_line

Kind = Literal["name", "week", "number", "count", "share", "known number", "known count", "known share"]
"""Names; days; finite numbers; numbers of at least 0; numbers in [0, 1]. Those that are `known` may be missing."""

_EXPECTED = {"count": "a number of at least 0", "share": "a number from 0 to 1"}


def tidy(
    frame: pd.DataFrame, needed: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None, *, what: str
) -> pd.DataFrame:
    """Return some columns of a frame, checked and in one type each, the rows as they were.

    Parameters
    ----------
    frame : DataFrame
    needed : mapping of column to Kind
    optional : mapping of column to Kind
        Taken where they are there.
    what : str
        What the frame is called in messages: ``"quantiles"``.

    Returns
    -------
    DataFrame
        The columns in this order; a new index.

    Raises
    ------
    InputError
        For something other than a frame, a column that is missing (with the nearest name), a frame without rows, and
        the first value that is no such thing.

    Examples
    --------
    >>> frame = pd.DataFrame({"unti": ["Gao"], "probability": [0.2]})
    >>> tidy(frame, {"unit": "name", "probability": "share"}, what="probabilities")
    Traceback (most recent call last):
    forecast.errors.InputError: no column 'unit'
      where: the frame of probabilities
      expected: the columns 'unit', 'probability'; found 'unti', 'probability'
      try: did you mean 'unti' for 'unit'?
    """
    where = f"the frame of {what}"
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"a {type(frame).__name__}", where=where, expected="a pandas DataFrame")
    found = [str(column) for column in frame.columns]
    absent = [column for column in needed if column not in found]
    if absent:
        near = {column: nearest_names(column, found, count=1) for column in absent}
        raise InputError(
            f"no column {', '.join(map(repr, absent))}",
            where=where,
            expected=f"the columns {', '.join(map(repr, needed))}; found {', '.join(map(repr, found)) or 'none'}",
            hint=" ".join(f"did you mean {names[0]!r} for {column!r}?" for column, names in near.items() if names),
        )
    if not len(frame):
        raise InputError("no rows", where=where, expected="at least one")
    kinds = {**needed, **{column: kind for column, kind in (optional or {}).items() if column in found}}
    return pd.DataFrame({column: _checked(frame[column], kind, where) for column, kind in kinds.items()})


def only(frame: pd.DataFrame, column: str, chosen: str | None, *, what: str) -> pd.DataFrame:
    """Return the rows of one name of a column: the chosen one, or the only one there is.

    Raises
    ------
    InputError
        For a name that is not there, or several of which none is chosen.

    Examples
    --------
    >>> frame = pd.DataFrame({"unit": ["Gao", "Mopti"]})
    >>> len(only(frame, "unit", "Gao", what="probabilities"))
    1
    """
    names = list(dict.fromkeys(frame[column]))
    if chosen is None and len(names) > 1:
        shown = ", ".join(repr(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
        raise InputError(
            f"{len(names)} names in the column {column!r}: {shown}",
            where=f"the frame of {what}",
            expected="one",
            hint=f"say which: {column}={names[0]!r}",
        )
    if chosen is not None and chosen not in names:
        raise unknown_name(column, chosen, names, where=f"the frame of {what}")
    return frame[frame[column] == (names[0] if chosen is None else chosen)].reset_index(drop=True)


def once(frame: pd.DataFrame, *columns: str, what: str) -> None:
    """Refuse a frame with two rows of the same names.

    Raises
    ------
    InputError
        With the first of them.
    """
    twice = frame.duplicated(list(columns))
    if twice.any():
        row = frame[list(columns)].iloc[int(twice.to_numpy().argmax())]
        told = ", ".join(f"{name} {_shown(value)}" for name, value in row.items())
        raise InputError(f"two rows for {told}", where=f"the frame of {what}", expected="one row each")


def _checked(column: pd.Series, kind: Kind, where: str) -> pd.Series:
    place = f"{where}, column {str(column.name)!r}"
    rows = column.reset_index(drop=True)
    if kind == "name":
        if rows.isna().any():
            raise InputError("a name is missing", where=_row(place, column, rows.isna()))
        return rows.map(lambda name: one_line(str(name))).astype(object)
    if kind == "week":
        days = pd.to_datetime(rows, errors="coerce")
        if days.isna().any():
            raise InputError(_first(rows, days.isna()), where=_row(place, column, days.isna()), expected="a day")
        return days.astype("datetime64[s]")
    numbers = pd.to_numeric(rows, errors="coerce").astype(np.float64)
    missing = rows.isna()
    finite = pd.Series(np.isfinite(numbers.to_numpy()))
    # Infinity and what is no number are wrong even where a number may be missing.
    wrong = (~finite & ~missing) | (missing & (not kind.startswith("known")))
    if kind.endswith("count"):
        wrong |= numbers < 0
    if kind.endswith("share"):
        wrong |= (numbers < 0) | (numbers > 1)
    if wrong.any():
        expected = _EXPECTED.get(kind.removeprefix("known "), "a finite number")
        raise InputError(_first(rows, wrong), where=_row(place, column, wrong), expected=expected)
    return numbers


def _first(rows: pd.Series, wrong: pd.Series) -> str:
    return _shown(rows.iloc[int(wrong.to_numpy().argmax())])


def _row(place: str, column: pd.Series, wrong: pd.Series) -> str:
    return f"{place}, row {column.index[int(wrong.to_numpy().argmax())]}"


def _shown(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else repr(value)
