"""Rows of texts translated into canonical events; each fault of a row flags it or drops it, with the reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.cells import FIRST_YEAR, LARGEST_COUNT, LAST_YEAR, day
from forecast.errors import InputError
from forecast.events.death_order import OUT_OF_ORDER, out_of_order
from forecast.events.mapping_spec import PRECISIONS, Role, TableMapping
from forecast.events.record import DATE_PRECISIONS, event_frame
from forecast.events.row_faults import Column, RowFaults

MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>", "nat", "-"})
"""What stands for no number or no day, in lower case."""

_ID_HINT = 'in the mapping, several columns can make the id: event_id = ["day", "place"]'
_DATE_HINT = 'if days are not written like 2026-07-31, in the mapping: date_format, such as "%d/%m/%Y"'
_DECIMAL_HINT = 'if numbers have a decimal comma, in the mapping: decimal = ","'
_TEXTS: tuple[Role, ...] = ("country", "admin1", "admin2", "location", "event_type", "sub_event_type", "release")
_DEATHS: dict[Role, str] = {"fatalities": "fatalities", "low": "fatalities_low", "high": "fatalities_high"}


def translate(texts: dict[Role, NDArray[np.object_]], mapping: TableMapping, faults: RowFaults) -> pd.DataFrame:
    """Translate rows of texts into canonical events.

    Parameters
    ----------
    texts : dict of role to ndarray of str, shape (rows,)
        As they were written, without outer space; empty where nothing is.
    mapping : TableMapping
    faults : RowFaults
        Gets what is wrong with the rows.

    Returns
    -------
    DataFrame
        Canonical, all rows; no value where a faulty one was.
    """
    rows = faults.rows
    for role, table in mapping.values.items():
        if role in texts:
            texts[role] = np.array([table.get(text, text) for text in texts[role]], dtype=object)
    for role, constant in mapping.constants.items():
        texts[role] = np.full(rows, constant, dtype=object)
    out: dict[str, object] = {"event_id": texts["event_id"], "source": np.full(rows, mapping.source, dtype=object)}
    faults.drop("no event id", texts["event_id"] == "", hint=_ID_HINT)

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
        _note(faults, mapping, "reported", "reported_unreadable", bad, texts["reported"], hint=_DATE_HINT)
    for role in _TEXTS:
        if role in texts:
            out[role] = pd.Series(texts[role], dtype=object).mask(texts[role] == "", None)

    out["date_precision"] = _precision("date_precision", texts, _precision_of_span(start, end), mapping, faults)
    out["place_precision"] = _precision("place_precision", texts, _precision_of_place(out, rows), mapping, faults)
    return event_frame(pd.DataFrame(out))


def _note(
    faults: RowFaults,
    mapping: TableMapping,
    kind: str,
    flag: str,
    rows: NDArray[np.bool_],
    *values: Column,
    hint: str = "",
) -> None:
    """Flag or drop rows, as the mapping says for this kind of fault."""
    if getattr(mapping.faults, kind) == "drop":
        faults.drop(flag.replace("_", " "), rows, *values, hint=hint)
    else:
        faults.flag(flag, rows, *values, hint=hint)


def _dates(
    texts: dict[Role, NDArray[np.object_]], mapping: TableMapping, faults: RowFaults
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Return first and last day of each event; the last is the first where none that makes sense is given."""
    start, blank, bad = _days(texts["date"], mapping.date_format)
    faults.drop("no date", blank)
    faults.drop("date not readable", bad, texts["date"], hint=_DATE_HINT)
    if "date_end" not in texts:
        return start, start
    end, blank, bad = _days(texts["date_end"], mapping.date_format)
    _note(faults, mapping, "date_end", "date_end_unreadable", bad, texts["date_end"], hint=_DATE_HINT)
    _note(faults, mapping, "date_end", "end_before_start", end < start, texts["date"], texts["date_end"])
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
    texts: dict[Role, NDArray[np.object_]], mapping: TableMapping, faults: RowFaults
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude, both NaN where either is missing, not readable or off the globe."""
    latitude, bad_latitude = _numbers(texts["latitude"], mapping.decimal)
    longitude, bad_longitude = _numbers(texts["longitude"], mapping.decimal)
    bad = bad_latitude | bad_longitude
    off = (np.abs(latitude) > 90) | (np.abs(longitude) > 180)
    missing = (np.isnan(latitude) | np.isnan(longitude)) & ~bad
    written = texts["latitude"], texts["longitude"]
    _note(faults, mapping, "coordinates", "coordinates_unreadable", bad, *written, hint=_DECIMAL_HINT)
    _note(faults, mapping, "coordinates", "coordinates_off_the_globe", off, *written)
    _note(faults, mapping, "coordinates", "coordinates_missing", missing)
    wrong = bad | off | missing
    latitude[wrong] = longitude[wrong] = np.nan
    return latitude, longitude


def _deaths(texts: NDArray[np.object_], role: str, mapping: TableMapping, faults: RowFaults) -> pd.Series:
    values, bad = _numbers(texts, mapping.decimal)
    known = ~np.isnan(values)
    bad[known] |= (values[known] < 0) | (values[known] > LARGEST_COUNT) | (values[known] % 1 != 0)
    _note(faults, mapping, "fatalities", f"{role}_unreadable", bad, texts)
    return pd.Series(np.where(bad, np.nan, values)).astype("Int32")


def _check_range(out: dict[str, object], mapping: TableMapping, faults: RowFaults) -> None:
    """Note rows in which low <= best <= high fails; their numbers stay as they are."""
    unknown = pd.Series(np.nan, index=range(faults.rows))
    columns = {"low": "fatalities_low", "best": "fatalities", "high": "fatalities_high"}
    given = {name: pd.Series(out.get(column, unknown)) for name, column in columns.items()}
    low, best, high = (values.astype("Float64").to_numpy(np.float64, na_value=np.nan) for values in given.values())
    disorder = out_of_order(low, best, high)
    for flag, smaller, larger in OUT_OF_ORDER:
        _note(faults, mapping, "range", flag, disorder[flag], given[smaller], given[larger])


def _precision(
    role: Role,
    texts: dict[Role, NDArray[np.object_]],
    derived: NDArray[np.object_],
    mapping: TableMapping,
    faults: RowFaults,
) -> NDArray[np.object_]:
    """Return what the table says, or what follows from the row where it says nothing that is known."""
    if role not in texts:
        return derived
    known = np.isin(texts[role].astype(str), PRECISIONS[role])
    hint = f"in the mapping, [values.{role}]: what each value means, one of {', '.join(PRECISIONS[role])}"
    _note(faults, mapping, "precision", f"{role}_unknown", ~known, texts[role], hint=hint)
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
