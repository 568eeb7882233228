"""ACLED's records in words of the canonical table: what is taken, what is marked, what is left out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.cells import FIRST_YEAR, LARGEST_COUNT, LAST_YEAR
from forecast.events.imprecise import ImprecisePolicy, apply_policy
from forecast.events.record import Batch, DatePrecision, PlacePrecision, event_frame
from forecast.events.row_faults import RowFaults

FIELDS = (
    "event_id_cnty",
    "event_date",
    "year",
    "time_precision",
    "disorder_type",
    "event_type",
    "sub_event_type",
    "country",
    "admin1",
    "admin2",
    "location",
    "latitude",
    "longitude",
    "geo_precision",
    "fatalities",
    "timestamp",
)
"""Columns that are read; names of actors, sources and notes are not."""

REQUIRED = ("event_id_cnty", "event_date", "event_type", "country", "latitude", "longitude")
"""Columns without which a file is none of ACLED's event files."""

DATE_PRECISION: dict[str, DatePrecision] = {"1": "day", "2": "week", "3": "month"}
"""ACLED codebook, time precision: the day; the week; the month."""

PLACE_PRECISION: dict[str, PlacePrecision] = {"1": "point", "2": "near", "3": "region"}
"""ACLED codebook, spatial precision: the town; a part of a region near a town; a larger region."""

DISORDER_TYPES = frozenset({"political violence", "demonstrations", "strategic developments"})

SUB_EVENT_TYPES: dict[str, frozenset[str]] = {
    "battles": frozenset({"armed clash", "government regains territory", "non-state actor overtakes territory"}),
    "protests": frozenset(
        {
            "peaceful protest",
            "protest with intervention",
            "excessive force against protesters",
            "excessive force against protestors",
        }
    ),
    "riots": frozenset({"violent demonstration", "mob violence"}),
    "explosions/remote violence": frozenset(
        {
            "chemical weapon",
            "air/drone strike",
            "suicide bomb",
            "shelling/artillery/missile attack",
            "remote explosive/landmine/ied",
            "grenade",
        }
    ),
    "violence against civilians": frozenset({"sexual violence", "attack", "abduction/forced disappearance"}),
    "strategic developments": frozenset(
        {
            "agreement",
            "arrests",
            "change to group/activity",
            "disrupted weapons use",
            "headquarters or base established",
            "looting/property destruction",
            "non-violent transfer of territory",
            "other",
        }
    ),
}
"""Event types and their sub-event types in the ACLED codebook, in lower case."""

_DATE_HINT = (
    "ACLED writes days as 2023-03-04, 04 March 2023 or 04-Mar-23; for another form `forecast ingest table` takes a "
    "mapping with date_format"
)
_DECIMAL_HINT = "ACLED writes 14.5; for another form `forecast ingest table` takes a mapping with decimal"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_WORDED_DAY = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4}|\d{2})", re.ASCII)
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


def batch_of_rows(
    columns: Mapping[str, Sequence[str]], policy: ImprecisePolicy, faults: RowFaults | None = None
) -> Batch:
    """Return some of ACLED's rows as a batch.

    A row without an id or a date is left out. A row with a fault is kept and marked: ``unknown_type``,
    ``unknown_precision``, ``no_coordinates``, ``coordinates_unreadable``, ``coordinates_off_the_globe``,
    ``no_fatalities``, ``year_differs``.
    Of an event that is given more than once, the version with the latest timestamp is kept.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Any of `FIELDS`, at least `REQUIRED`; of the same length; empty text where nothing is known.
    policy : ImprecisePolicy
    faults : RowFaults, optional
        Tells where in a file the rows stand, and which rows besides these could not be read.

    Returns
    -------
    Batch
        `reported` is empty, since ACLED does not say when an event was first reported; `release` is the timestamp
        of the row's last change, in Unix seconds.

    Examples
    --------
    >>> simulated = {"event_id_cnty": ["XXX1"], "event_date": ["04-Mar-23"], "event_type": ["Battles"],
    ...              "country": ["Mali"], "latitude": ["14.5"], "longitude": ["-4.2"], "fatalities": ["2"]}
    >>> batch_of_rows(simulated, ImprecisePolicy()).events[["event_id", "date", "fatalities"]].values.tolist()
    [['XXX1', Timestamp('2023-03-04 00:00:00'), 2]]
    """
    rows = len(columns["event_id_cnty"])
    faults = RowFaults(rows) if faults is None else faults
    given = {name: np.array(list(columns.get(name, ("",) * rows)), dtype=object) for name in FIELDS}
    ids = _names(given["event_id_cnty"])
    days = _days(given["event_date"])
    release = np.array([_seconds(value) for value in given["timestamp"]], dtype=object)
    absent = np.array([not value.strip() for value in given["event_date"]], dtype=bool)
    faults.drop("no event id", pd.isna(ids))
    faults.drop("no date", absent)
    faults.drop("date not understood", np.isnat(days), given["event_date"], hint=_DATE_HINT)
    older = _older_versions(ids, release, ~faults.out)
    faults.drop("another version of an event in the same source", older, ids)
    stated = np.array([code and f"time_precision {code}" for code in given["time_precision"]], dtype=object)
    stored, dropped = apply_policy(_events(given, ids, days, release, faults), policy, faults, stated)
    return Batch(stored, rows + len(faults.ragged), dropped, examples=faults.examples())


def _events(
    given: Mapping[str, NDArray[np.object_]],
    ids: NDArray[np.object_],
    days: NDArray[np.datetime64],
    release: NDArray[np.object_],
    faults: RowFaults,
) -> pd.DataFrame:
    latitude, longitude = _numbers(given["latitude"]), _numbers(given["longitude"])
    no_point = np.isnan(latitude) | np.isnan(longitude)
    off = ~no_point & ((np.abs(latitude) > 90) | (np.abs(longitude) > 180))
    latitude[no_point | off], longitude[no_point | off] = np.nan, np.nan
    fatalities = _numbers(given["fatalities"])
    with np.errstate(invalid="ignore"):
        fatalities[~((fatalities >= 0) & (fatalities <= LARGEST_COUNT) & (fatalities % 1 == 0))] = np.nan
    date_precision, strange_date = _coded(given["time_precision"], DATE_PRECISION)
    place_precision, strange_place = _coded(given["geo_precision"], PLACE_PRECISION)
    years = _numbers(given["year"])
    other_year = ~np.isnan(years) & (years != days.astype("datetime64[Y]").astype(np.int64) + 1970)
    written = [np.array([bool(text.strip()) for text in given[name]], dtype=bool) for name in ("latitude", "longitude")]
    unreadable = no_point & written[0] & written[1]
    faults.flag("coordinates_unreadable", unreadable, given["latitude"], given["longitude"], hint=_DECIMAL_HINT)
    for name, mask, shown in (
        ("unknown_type", _of_unknown_type(given), ("disorder_type", "event_type", "sub_event_type")),
        ("unknown_precision", strange_date | strange_place, ("time_precision", "geo_precision")),
        ("no_coordinates", no_point & ~unreadable, ("latitude", "longitude")),
        ("coordinates_off_the_globe", off, ("latitude", "longitude")),
        ("no_fatalities", np.isnan(fatalities), ("fatalities",)),
        ("year_differs", other_year, ("event_date", "year")),
    ):
        faults.flag(name, mask, *(given[column] for column in shown))
    count = pd.array(fatalities).astype("Int32")
    day = days.astype("datetime64[s]")
    return event_frame(
        {
            "event_id": ids,
            "source": np.full(len(ids), "acled", dtype=object),
            "date": day,
            "date_start": day,
            "date_end": day,
            "date_precision": date_precision,
            "latitude": latitude,
            "longitude": longitude,
            "place_precision": place_precision,
            **{name: _names(given[name]) for name in ("country", "admin1", "admin2", "location")},
            **{name: _names(given[name]) for name in ("event_type", "sub_event_type")},
            "fatalities": count,
            "fatalities_low": count,
            "fatalities_high": count,
            "release": release,
        }
    )


def _older_versions(
    ids: NDArray[np.object_], release: NDArray[np.object_], usable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the rows of an event of which the same rows hold a later version; of equals the last one stays."""
    older = np.zeros(len(ids), dtype=bool)
    at = np.flatnonzero(usable)
    names = pd.Series(ids[at])
    if not names.duplicated().any():
        return older
    stamps = np.array([int(value) if value else -1 for value in release[at]], dtype=np.int64)
    order = np.argsort(stamps, kind="stable")
    older[at[order]] = names.iloc[order].duplicated(keep="last").to_numpy()
    return older


def _of_unknown_type(given: Mapping[str, NDArray[np.object_]]) -> NDArray[np.bool_]:
    """Mark the rows whose disorder, event or sub-event type is not in the codebook; absent ones are not marked."""
    triples = list(zip(given["disorder_type"], given["event_type"], given["sub_event_type"], strict=True))
    known = {triple: _is_known_type(*triple) for triple in set(triples)}
    return np.array([not known[triple] for triple in triples], dtype=bool)


def _is_known_type(disorder: str, event: str, sub_event: str) -> bool:
    subs = SUB_EVENT_TYPES.get(event.strip().lower())
    if subs is None or (sub_event.strip() and sub_event.strip().lower() not in subs):
        return False
    return all(part.strip().lower() in DISORDER_TYPES for part in disorder.split(";") if part.strip())


def _days(values: NDArray[np.object_]) -> NDArray[np.datetime64]:
    """Return days, NaT for what is no day; each distinct text is read once."""
    codes, texts = pd.factorize(values)
    parsed = np.array([day_of(text.strip()) for text in texts], dtype="datetime64[D]")
    return parsed[codes] if len(parsed) else np.empty(0, dtype="datetime64[D]")


def day_of(text: str) -> dt.date | None:
    """Return a day as ACLED writes it; None if it is none.

    Examples
    --------
    >>> day_of("2023-03-04") == day_of("04 March 2023") == day_of("04-Mar-23")
    True
    """
    if parts := _ISO_DAY.fullmatch(text):
        year, month, day = (int(part) for part in parts.groups())
    elif (parts := _WORDED_DAY.fullmatch(text)) and (name := parts[2].lower())[:3] in _MONTHS:
        year, month, day = int(parts[3]), _MONTHS.index(name[:3]) + 1, int(parts[1])
        if len(parts[3]) == 2:
            year += 1900 if year >= 69 else 2000  # as POSIX reads them; ACLED begins in 1997
    else:
        return None
    try:
        return dt.date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def _numbers(values: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return numbers, NaN for what is no finite number."""
    numbers: NDArray[np.float64] = np.array(pd.to_numeric(pd.Series(values), errors="coerce"), dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _coded(values: NDArray[np.object_], meaning: Mapping[str, str]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return what the codes mean, and which are none; an absent one means nothing, and is no fault."""
    codes, texts = pd.factorize(values)
    plain = [text.strip().removesuffix(".0") for text in texts]
    words = np.array([meaning.get(text) for text in plain], dtype=object)
    strange = np.array([bool(text) and text not in meaning for text in plain], dtype=bool)
    return words[codes], strange[codes]


def _names(values: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return texts without outer space in Unicode's composed form, None for empty ones."""
    codes, texts = pd.factorize(values)
    names = np.array([unicodedata.normalize("NFC", text).strip() or None for text in texts], dtype=object)
    return names[codes]


def _seconds(value: str) -> str:
    text = value.strip().removesuffix(".0")
    return str(int(text)) if _SECONDS.fullmatch(text) else ""


def timestamp_rank(releases: pd.Series) -> NDArray[np.int64]:
    """Return the precedence of records by their release: the later timestamp wins, an unknown one never does.

    Examples
    --------
    >>> timestamp_rank(pd.Series(["1700000000", "", None])).tolist()
    [1700000000, -1, -1]
    """
    numbers = pd.to_numeric(releases.astype(object), errors="coerce").fillna(-1)
    rank: NDArray[np.int64] = numbers.to_numpy(dtype=np.float64).astype(np.int64)
    return rank
