"""Rows of texts translated into canonical events; each fault of a row flags it or drops it, with the reason."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.cells import FIRST_YEAR, LARGEST_COUNT, LAST_YEAR, day
from forecast.errors import InputError
from forecast.events.mapping_spec import PRECISIONS, Role, TableMapping
from forecast.events.record import DATE_PRECISIONS, event_frame

MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>", "nat", "-"})
"""What stands for no number or no day, in lower case."""

_TEXTS: tuple[Role, ...] = ("country", "admin1", "admin2", "location", "event_type", "sub_event_type", "release")
_DEATHS: dict[Role, str] = {"fatalities": "fatalities", "low": "fatalities_low", "high": "fatalities_high"}


def translate(
    texts: dict[Role, NDArray[np.object_]], rows: int, mapping: TableMapping
) -> tuple[pd.DataFrame, Counter[str]]:
    """Translate rows of texts into canonical events.

    Parameters
    ----------
    texts : dict of role to ndarray of str, shape (rows,)
        As they were written, without outer space; empty where nothing is.
    rows : int
    mapping : TableMapping

    Returns
    -------
    events : DataFrame
        Canonical; a row with a fault has its flag, and no value where the faulty one was.
    dropped : Counter
        Rows left out by reason; with `events` they add up to `rows`.
    """
    for role, table in mapping.values.items():
        if role in texts:
            texts[role] = np.array([table.get(text, text) for text in texts[role]], dtype=object)
    for role, constant in mapping.constants.items():
        texts[role] = np.full(rows, constant, dtype=object)
    faults = _Faults(rows)
    out: dict[str, object] = {"event_id": texts["event_id"], "source": np.full(rows, mapping.source, dtype=object)}
    faults.drop("no event id", texts["event_id"] == "")

    start, end = _dates(texts, mapping, faults)
    out |= {"date": start, "date_start": start, "date_end": end}

    if "latitude" in texts:
        latitude, longitude = _coordinates(texts, mapping, faults)
        out |= {"latitude": latitude, "longitude": longitude}
    for role, column in _DEATHS.items():
        if role in texts:
            out[column] = _deaths(texts[role], role, mapping, faults)
    _check_range(out, mapping, faults)
    if "reported" in texts:
        out["reported"], _, bad = _days(texts["reported"], mapping.date_format)
        faults.note("reported_unreadable", "reported", bad, mapping)
    for role in _TEXTS:
        if role in texts:
            out[role] = pd.Series(texts[role], dtype=object).mask(texts[role] == "", None)

    out["date_precision"] = _precision("date_precision", texts, _precision_of_span(start, end), mapping, faults)
    out["place_precision"] = _precision("place_precision", texts, _precision_of_place(out, rows), mapping, faults)
    out["flags"] = faults.flags()
    events = event_frame(pd.DataFrame(out))
    events["treatment"] = events["treatment"].mask(events["flags"] != "", "flagged")
    return events[~faults.out].reset_index(drop=True), faults.dropped


class _Faults:
    """Faults of the rows of one batch, found one kind after another."""

    def __init__(self, rows: int) -> None:
        self.out = np.zeros(rows, dtype=bool)
        self.dropped: Counter[str] = Counter()
        self._flagged: list[tuple[str, NDArray[np.bool_]]] = []

    def drop(self, reason: str, rows: NDArray[np.bool_]) -> None:
        """Drop rows; one that is dropped already keeps its first reason."""
        fresh = rows & ~self.out
        if fresh.any():
            self.dropped[reason] += int(fresh.sum())
            self.out |= fresh

    def note(self, flag: str, kind: str, rows: NDArray[np.bool_], mapping: TableMapping) -> None:
        """Flag or drop rows, as the mapping says for this kind of fault."""
        if getattr(mapping.faults, kind) == "drop":
            self.drop(flag.replace("_", " "), rows)
        elif rows.any():
            self._flagged.append((flag, rows))

    def flags(self) -> NDArray[np.object_]:
        """Return the flags of each row, separated by spaces."""
        joined = np.full(len(self.out), "", dtype=object)
        for flag, rows in self._flagged:
            joined[rows] = [f"{text} {flag}".strip() for text in joined[rows]]
        return joined


def _dates(
    texts: dict[Role, NDArray[np.object_]], mapping: TableMapping, faults: _Faults
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Return first and last day of each event; the last is the first where none that makes sense is given."""
    start, blank, bad = _days(texts["date"], mapping.date_format)
    faults.drop("no date", blank)
    faults.drop("date not readable", bad)
    if "date_end" not in texts:
        return start, start
    end, blank, bad = _days(texts["date_end"], mapping.date_format)
    faults.note("date_end_unreadable", "date_end", bad, mapping)
    faults.note("end_before_start", "date_end", end < start, mapping)
    return start, np.where(blank | bad | (end < start), start, end)


def _is_missing(texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([text.lower() in MISSING for text in texts], dtype=bool)


def _days(
    texts: NDArray[np.object_], form: str | None
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return days (NaT where there is none), which are missing and which cannot be read; each text is read once."""
    codes, distinct = pd.factorize(texts)
    days = np.array([_day(text, form) for text in distinct], dtype="datetime64[s]")[codes]
    blank = _is_missing(np.asarray(distinct, dtype=object))[codes] if len(distinct) else np.zeros(len(texts), bool)
    return days, blank, np.isnat(days) & ~blank


def _day(text: str, form: str | None) -> dt.date | None:
    if form is not None:
        try:
            found = dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - only the day is taken
        except ValueError:
            pass
        else:
            return found if FIRST_YEAR <= found.year <= LAST_YEAR else None
    try:
        return day(text)
    except InputError:
        return None


def _numbers(texts: NDArray[np.object_], decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return numbers, NaN where there is none, and which are written but cannot be read."""
    written = [text.replace(",", ".") for text in texts] if decimal == "," else list(texts)
    values = pd.to_numeric(pd.Series(written, dtype=object), errors="coerce").to_numpy(dtype=np.float64, copy=True)
    values[~np.isfinite(values)] = np.nan
    bad = np.isnan(values)
    bad[bad] = ~_is_missing(texts[bad])
    return values, bad


def _coordinates(
    texts: dict[Role, NDArray[np.object_]], mapping: TableMapping, faults: _Faults
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude, both NaN where either is missing, not readable or off the globe."""
    latitude, bad_latitude = _numbers(texts["latitude"], mapping.decimal)
    longitude, bad_longitude = _numbers(texts["longitude"], mapping.decimal)
    bad = bad_latitude | bad_longitude
    off = (np.abs(latitude) > 90) | (np.abs(longitude) > 180)
    missing = (np.isnan(latitude) | np.isnan(longitude)) & ~bad
    faults.note("coordinates_unreadable", "coordinates", bad, mapping)
    faults.note("coordinates_off_the_globe", "coordinates", off, mapping)
    faults.note("coordinates_missing", "coordinates", missing, mapping)
    wrong = bad | off | missing
    latitude[wrong] = longitude[wrong] = np.nan
    return latitude, longitude


def _deaths(texts: NDArray[np.object_], role: str, mapping: TableMapping, faults: _Faults) -> pd.Series:
    values, bad = _numbers(texts, mapping.decimal)
    known = ~np.isnan(values)
    bad[known] |= (values[known] < 0) | (values[known] > LARGEST_COUNT) | (values[known] % 1 != 0)
    faults.note(f"{role}_unreadable", "fatalities", bad, mapping)
    return pd.Series(np.where(bad, np.nan, values)).astype("Int32")


def _check_range(out: dict[str, object], mapping: TableMapping, faults: _Faults) -> None:
    """Note rows in which low <= best <= high fails; their numbers stay as they are."""
    for flag, lower, upper in (
        ("low_above_best", "fatalities_low", "fatalities"),
        ("best_above_high", "fatalities", "fatalities_high"),
        ("low_above_high", "fatalities_low", "fatalities_high"),
    ):
        if lower in out and upper in out:
            above = pd.Series(out[lower]) > pd.Series(out[upper])
            faults.note(flag, "range", above.fillna(value=False).to_numpy(dtype=bool), mapping)


def _precision(
    role: Role,
    texts: dict[Role, NDArray[np.object_]],
    derived: NDArray[np.object_],
    mapping: TableMapping,
    faults: _Faults,
) -> NDArray[np.object_]:
    """Return what the table says, or what follows from the row where it says nothing that is known."""
    if role not in texts:
        return derived
    known = np.isin(texts[role].astype(str), PRECISIONS[role])
    faults.note(f"{role}_unknown", "precision", ~known, mapping)
    return np.where(known, texts[role], derived)


def _precision_of_span(start: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> NDArray[np.object_]:
    span = (end - start).astype("timedelta64[D]").astype(np.float64) + 1
    span[np.isnat(start) | np.isnat(end)] = 1
    return np.select([span <= 1, span <= 7, span <= 31], list(DATE_PRECISIONS[:3]), default="year").astype(object)


def _precision_of_place(out: dict[str, object], rows: int) -> NDArray[np.object_]:
    def known(column: str) -> NDArray[np.bool_]:
        return pd.Series(out.get(column, [None] * rows), dtype=object).notna().to_numpy(dtype=bool)

    conditions: Sequence[NDArray[np.bool_]] = [known("latitude"), known("admin2"), known("admin1")]
    return np.select(conditions, ["point", "district", "region"], default="country").astype(object)
