"""The canonical record of an incident, whatever source it comes from, and the account of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from forecast.plain_text import one_line, visible

_LONGEST_EXAMPLE = 120

DatePrecision = Literal["day", "week", "month", "year"]
"""How well the date is known: to the day, to a span of up to seven days, to a month, to a year or worse."""

PlacePrecision = Literal["point", "near", "district", "region", "area", "country"]
"""How well the place is known: exactly; within about 25 km; to a second-level region; to a first-level region; to a
line or fuzzy area (a road, a forest) that may cross borders of regions; to the country or worse."""

DATE_PRECISIONS: tuple[DatePrecision, ...] = ("day", "week", "month", "year")
PLACE_PRECISIONS: tuple[PlacePrecision, ...] = ("point", "near", "district", "region", "area", "country")

Treatment = Literal["kept", "spread", "flagged"]
"""What an import did with a row that it stored: took it as it is; gave it a day within the month (or longer) that is
all that is known, the same day at every import; took it, but some rule for imprecise rows or a fault marks it."""

COLUMNS: dict[str, str] = {
    "event_id": "string",  # unique within the source
    "source": "string",  # "ucdp", "acled" or the name given to a table
    "date": "datetime64[s]",  # the day the event counts for: date_start, or the day given to it when spread
    "date_start": "datetime64[s]",
    "date_end": "datetime64[s]",
    "date_precision": "string",
    "latitude": "float64",  # NaN where unknown
    "longitude": "float64",
    "place_precision": "string",
    "country": "string",
    "admin1": "string",
    "admin2": "string",
    "location": "string",
    "event_type": "string",
    "sub_event_type": "string",
    "fatalities": "Int32",  # best estimate
    "fatalities_low": "Int32",
    "fatalities_high": "Int32",
    "reported": "datetime64[s]",  # first day on which a source reported it, or NaT
    "release": "string",  # version of the release or timestamp of the record, for precedence
    "treatment": "string",
    "flags": "string",  # names of what was found wrong with the row, separated by spaces; empty if nothing
}
"""Columns and pandas types of the canonical event table, in order; texts are names of one line. No names of people,
units or actors: the toolkit works on counts per region, and keeps no more than it needs."""

_WRITTEN = ("event_id", "country", "admin1", "admin2", "location", "event_type", "sub_event_type", "release")


def event_frame(columns: dict[str, object] | pd.DataFrame) -> pd.DataFrame:
    """Return a canonical event table; columns that are not given are empty.

    Parameters
    ----------
    columns : mapping or DataFrame
        Any of `COLUMNS`; others are an error.

    Returns
    -------
    DataFrame
        All of `COLUMNS`, in order, with their types.

    Raises
    ------
    KeyError
        For a column that is none of them.

    Examples
    --------
    >>> event_frame({"event_id": ["1"], "latitude": [12.6]}).shape
    (1, 22)
    """
    frame = pd.DataFrame(columns).reset_index(drop=True)
    unknown = [name for name in frame.columns if name not in COLUMNS]
    if unknown:
        raise KeyError(unknown[0])
    for name, kind in COLUMNS.items():
        if name not in frame:
            frame[name] = pd.Series([None] * len(frame), dtype="object")
        if kind == "string" and name in {"treatment", "flags"}:
            frame[name] = frame[name].fillna("kept" if name == "treatment" else "")
    for name in _WRITTEN:
        frame[name] = _one_line(frame[name])
    return frame[list(COLUMNS)].astype(COLUMNS)


def _one_line(column: pd.Series) -> pd.Series:
    """Return names as `forecast.plain_text.one_line` has them; each text is looked at once."""
    plain = {text: one_line(text) for text in column.unique() if isinstance(text, str)}
    changed = {text: clean or None for text, clean in plain.items() if clean != text}
    return column.replace(changed) if changed else column


@dataclass(frozen=True)
class Example:
    """Where a fault of rows occurs first.

    Parameters
    ----------
    where : str
        File and numbers of the first rows, as far as they are known.
    value : str
        What the first of them says; may be empty, and is cut if it is long.
    hint : str
        What to try, if something can be done about it.
    """

    where: str = ""
    value: str = ""
    hint: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if len(self.value) > _LONGEST_EXAMPLE:
            object.__setattr__(self, "value", f"{self.value[: _LONGEST_EXAMPLE - 3]}...")

    def __str__(self) -> str:
        """Return where to look, and what stands there.

        Examples
        --------
        >>> str(Example("own.csv row 2", "31/02/2025"))
        "own.csv row 2: '31/02/2025'"
        """
        return ": ".join(filter(None, [visible(self.where, lines=False), self.value and repr(self.value)]))


@dataclass(frozen=True)
class Batch:
    """Some rows of a source, read and translated.

    Parameters
    ----------
    events : DataFrame
        Canonical (`event_frame`), unique event_id within the batch.
    rows : int
        Rows of the source that were read for it.
    dropped : Counter
        Rows that were left out, by reason in plain words; ``len(events) + dropped.total() == rows``.
    deleted : tuple of str
        Event ids that the source says are deleted.
    examples : dict of str to Example
        For each reason to drop rows, and for each of the events' flags.
    """

    events: pd.DataFrame
    rows: int
    dropped: Counter[str] = field(default_factory=Counter)
    deleted: tuple[str, ...] = ()
    examples: dict[str, Example] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What an import speaks for as a whole: an event within it that the import lacks is deleted.

    Parameters
    ----------
    countries : tuple of str
        All countries if empty.
    first, last : Timestamp
        Days of `date_start`, both included.
    """

    countries: tuple[str, ...]
    first: pd.Timestamp
    last: pd.Timestamp


@dataclass(frozen=True)
class Account:
    """What an import did: ``kept + spread + flagged + dropped == rows``.

    Parameters
    ----------
    rows, kept, spread, flagged, dropped : int
        Rows of the source by what became of them.
    new, changed, deleted : int
        Events against what the store held before.
    reasons : Counter
        Dropped rows by reason.
    vintage : str
        Name of the vintage that holds the import; empty if nothing changed.
    flags : Counter
        Flagged rows by what marks them; a row can have several marks.
    examples : dict of str to Example
        For each reason and each mark.
    """

    rows: int
    kept: int
    spread: int
    flagged: int
    dropped: int
    new: int
    changed: int
    deleted: int
    reasons: Counter[str]
    vintage: str
    flags: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)


def tally(batches: Iterable[Batch]) -> tuple[int, Counter[str], Counter[str]]:
    """Return rows read, stored rows by treatment, and dropped rows by reason.

    Examples
    --------
    >>> batch = Batch(event_frame({"event_id": ["1"]}), 2, Counter({"no date": 1}))
    >>> tally([batch])
    (2, Counter({'kept': 1}), Counter({'no date': 1}))
    """
    rows, treatments, dropped = 0, Counter[str](), Counter[str]()
    for batch in batches:
        rows += batch.rows
        treatments.update(batch.events["treatment"].tolist())
        dropped.update(batch.dropped)
    return rows, treatments, dropped
