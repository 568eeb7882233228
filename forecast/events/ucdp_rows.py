"""Rows as UCDP publishes them, in files and by the API, translated into canonical events.

Columns and codes: Hogbladh, UCDP Georeferenced Event Dataset Codebook; Sundberg and Melander (2013),
doi:10.1177/0022343313484347; Hegre, Croicu, Eck and Hogbladh (2020), doi:10.1177/2053168020935257.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.cells import LARGEST_COUNT, day
from forecast.errors import InputError
from forecast.events.death_order import OUT_OF_ORDER, out_of_order
from forecast.events.imprecise import ImprecisePolicy, apply_policy
from forecast.events.missing_columns import offers, other_source
from forecast.events.record import Batch, DatePrecision, PlacePrecision, event_frame
from forecast.events.row_faults import RowFaults
from forecast.events.ucdp_release import Release

REQUIRED = ("id", "date_start", "latitude", "longitude", "country", "where_prec", "best")
EITHER = ("date_end", "date_prec")
"""One of these two is needed; where there is no date_end, the longest span that date_prec admits is taken."""
OPTIONAL = ("type_of_violence", "adm_1", "adm_2", "where_coordinates", "low", "high", "source_date")
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "best": ("best_est",),
    "low": ("low_est",),
    "high": ("high_est",),
}
"""Names of columns in older files and of the API."""

PLACES: Mapping[int, PlacePrecision] = {
    1: "point",
    2: "near",
    3: "district",
    4: "region",
    5: "area",
    6: "country",
    7: "country",  # international waters or airspace
}
"""Words for where_prec."""
DATES: Mapping[int, DatePrecision] = {1: "day", 2: "week", 3: "week", 4: "month", 5: "year"}
"""Words for date_prec: the day; 2 to 6 days; a week; 8 to 30 days or a month; longer, up to a year."""
_LONGEST_SPAN = {1: 0, 2: 5, 3: 6, 4: 30, 5: 364}  # days from date_start to date_end
_VIOLENCE = {1: "state-based", 2: "non-state", 3: "one-sided"}

REPORT_TOLERANCE = 1
"""Days that a source may be dated before the event (time zones) for its date to count as a report."""
LONGEST_REPORT_DELAY = 3 * 366
"""Days after date_start within which a source's date counts as a report. A later one is a mistyped year, or a book
or a data collection that looks back; neither tells when the event became known."""

_HINT = "UCDP writes 2023-03-04 and 14.5; for another form `forecast ingest table` takes a mapping"
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?", re.ASCII)
_NAT = np.datetime64("NaT", "D")


def pick_columns(header: Sequence[str], name: str) -> dict[str, str]:
    """Return for each canonical UCDP column that a table has what it calls it; case does not matter.

    Raises
    ------
    InputError
        All columns that are missing, with the nearest names.

    Examples
    --------
    >>> header = ["ID", "date_start", "date_prec", "latitude", "longitude", "country", "where_prec", "best_est"]
    >>> pick_columns(header, "ged.csv")["best"]
    'best_est'
    """
    written = {column.casefold(): column for column in header}
    found = {}
    for column in (*REQUIRED, *EITHER, *OPTIONAL):
        known = [written[other] for other in (column, *OTHER_NAMES.get(column, ())) if other in written]
        if known:
            found[column] = known[0]
    missing = [column for column in REQUIRED if column not in found]
    if not any(column in found for column in EITHER):
        missing.append(" or ".join(EITHER))
    if missing:
        near = offers({column: column.split(" or ") for column in missing}, set(header) - set(found.values()))
        hints = [f"did you mean {name!r} for {column}?" for column, (name,) in near.items()]
        raise InputError(
            f"no column {', '.join(missing)}",
            where=f"{name} row 1",
            expected=f"the columns of UCDP GED, of which {', '.join(REQUIRED)}, and {' or '.join(EITHER)} are needed",
            hint=other_source(header, "ucdp")
            or " ".join(hints)
            or "is it another dataset? `forecast ingest table` takes a mapping of columns",
        )
    return found


@dataclass(frozen=True, eq=False)
class Translator:
    """Turns UCDP rows into canonical events; knows which ids and days were there before.

    An id that occurs again is left out, be it in the same file or in one of lower precedence that is read later. So
    is, after `speaks_for`, an event of a later file within the days that a complete one speaks for.

    Parameters
    ----------
    policy : ImprecisePolicy
        For events of which day or place are known roughly.
    """

    policy: ImprecisePolicy
    _seen: dict[str, str] = field(default_factory=dict)
    _complete: list[Release] = field(default_factory=list)

    def speaks_for(self, release: Release) -> None:
        """Take a release, all of which was translated, to be all that there is of its days."""
        self._complete.append(release)

    def batch(self, rows: pd.DataFrame, version: str, faults: RowFaults | None = None) -> Batch:
        """Translate some rows.

        A row is left out, and counted under the first reason, if it has no id, or one that occurred; if date_start
        is no day, or date_end no day or an earlier one; if coordinates, deaths or precision are no such numbers; if
        it has no country; if the policy says so. Empty coordinates and deaths are unknown. No row stops the import.

        Flags: those of `forecast.events.death_order`, ``reported_before_event`` (a source is dated before date_start),
        ``longer_than_date_prec`` (the span is longer than date_prec says; the span is believed),
        ``no_coordinates``, ``no_deaths``, ``unknown_type``, and those of the policy.

        Parameters
        ----------
        rows : DataFrame
            Text without outer space, empty where nothing is known; columns as in `pick_columns`.
        version : str
            Of the release; empty if not known.
        faults : RowFaults, optional
            Tells where in a file the rows stand, and which rows besides these could not be read.
        """
        count = len(rows)
        faults = RowFaults(count) if faults is None else faults
        ids = _text(rows, "id")
        faults.drop("no id", ids == "")
        start, end, date_precision, too_long = _span(rows, faults)
        latitude, longitude, placeless = _coordinates(rows, faults)
        place_precision = _codes(rows, "where_prec", PLACES, faults, blank_is_fault=True)
        country = _text(rows, "country")
        faults.drop("no country", country == "")
        best, low, high = (_deaths(rows, column, faults) for column in ("best", "low", "high"))
        violence = _codes(rows, "type_of_violence", _VIOLENCE, None)
        for release in self._complete:
            within = (start >= release.first.to_datetime64()) & (start <= release.last.to_datetime64())
            faults.drop(f"replaced by release {release.version}", within, ids)
        self._refuse_repeated(ids, version, faults)
        reported, early = _reports(rows, start)
        disorder = out_of_order(low, best, high)
        for name, marked, shown in (
            *((flag, disorder[flag], estimates) for flag, *estimates in OUT_OF_ORDER),
            ("reported_before_event", early, ("date_start", "source_date")),
            ("longer_than_date_prec", too_long, ("date_start", "date_end", "date_prec")),
            ("no_coordinates", placeless, ()),
            ("no_deaths", np.isnan(best), ()),
            ("unknown_type", violence == "", ("type_of_violence",)),
        ):
            faults.flag(name, marked, *(_text(rows, column) for column in shown))
        events = pd.DataFrame(
            {
                "event_id": ids,
                "source": "ucdp",
                "date": start.astype("datetime64[s]"),
                "date_start": start.astype("datetime64[s]"),
                "date_end": end.astype("datetime64[s]"),
                "date_precision": date_precision,
                "latitude": latitude,
                "longitude": longitude,
                "place_precision": place_precision,
                "country": country,
                "admin1": _text(rows, "adm_1"),
                "admin2": _text(rows, "adm_2"),
                "location": _text(rows, "where_coordinates"),
                "event_type": violence,
                "fatalities": best,
                "fatalities_low": low,
                "fatalities_high": high,
                "reported": reported.astype("datetime64[s]"),
                "release": version,
            }
        )
        for column in ("admin1", "admin2", "location", "event_type", "release"):
            events[column] = events[column].mask(events[column] == "", None)
        stated = np.array([code and f"date_prec {code}" for code in _text(rows, "date_prec")], dtype=object)
        events, dropped = apply_policy(event_frame(events), self.policy, faults, stated)
        return Batch(events, count + len(faults.ragged), dropped, examples=faults.examples())

    def _refuse_repeated(self, ids: NDArray[np.object_], version: str, faults: RowFaults) -> None:
        """Refuse ids that occurred; of equal ones the first row without a fault is taken."""
        repeated = np.zeros(len(ids), dtype=bool)
        replaced: dict[str, list[int]] = {}
        for position in np.flatnonzero(~faults.out):
            known = self._seen.get(ids[position])
            if known is None:
                self._seen[ids[position]] = version
            elif known == version:
                repeated[position] = True
            else:
                replaced.setdefault(known, []).append(int(position))
        faults.drop("id occurs more than once", repeated, ids)
        for other, positions in replaced.items():
            faults.drop(f"replaced by release {other}", np.isin(np.arange(len(ids)), positions), ids)


def _text(rows: pd.DataFrame, column: str) -> NDArray[np.object_]:
    """Return a column as it is written, shape (rows,); empty text where the table has no such column."""
    if column not in rows:
        return np.full(len(rows), "", dtype=object)
    values: NDArray[np.object_] = rows[column].to_numpy(dtype=object)
    return values


def _numbers(rows: pd.DataFrame, column: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a column of numbers, NaN where there is none, and where nothing is written."""
    written = _text(rows, column)
    values = pd.to_numeric(pd.Series(written, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan), written == ""


def _deaths(rows: pd.DataFrame, column: str, faults: RowFaults) -> NDArray[np.float64]:
    """Return whole numbers, NaN where nothing is written."""
    values, blank = _numbers(rows, column)
    good = (values >= 0) & (values <= LARGEST_COUNT) & (values == np.floor(values))
    faults.drop(f"{column} is no whole number >= 0", ~good & ~blank, _text(rows, column))
    return np.where(good, values, np.nan)


def _coordinates(
    rows: pd.DataFrame, faults: RowFaults
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return latitude, longitude, and where one of them is not written, so that both are NaN."""
    (latitude, no_latitude), (longitude, no_longitude) = _numbers(rows, "latitude"), _numbers(rows, "longitude")
    written = _text(rows, "latitude"), _text(rows, "longitude")
    faults.drop("latitude is no number", np.isnan(latitude) & ~no_latitude, written[0], hint=_HINT)
    faults.drop("longitude is no number", np.isnan(longitude) & ~no_longitude, written[1], hint=_HINT)
    faults.drop("coordinates off the globe", (np.abs(latitude) > 90) | (np.abs(longitude) > 180), *written)
    unknown = no_latitude | no_longitude
    return np.where(unknown, np.nan, latitude), np.where(unknown, np.nan, longitude), unknown


def _codes(
    rows: pd.DataFrame, column: str, words: Mapping[int, str], faults: RowFaults | None, *, blank_is_fault: bool = False
) -> NDArray[np.object_]:
    """Return the words for a column of codes, empty where there is none."""
    values, blank = _numbers(rows, column)
    found = pd.Series(values).map(dict(words)).fillna("").to_numpy(dtype=object)
    if faults is not None:
        wrong = found == ""
        wrong &= blank_is_fault | ~blank
        faults.drop(f"{column} is not {min(words)} to {max(words)}", wrong, _text(rows, column))
    return found


def _span(
    rows: pd.DataFrame, faults: RowFaults
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64], NDArray[np.object_], NDArray[np.bool_]]:
    """Return first day, last day, precision, and where the span is longer than the precision that is written."""
    start, end = _days(_text(rows, "date_start")), _days(_text(rows, "date_end"))
    written = _text(rows, "date_start"), _text(rows, "date_end")
    faults.drop("date_start is no day", np.isnat(start), written[0], hint=_HINT)
    no_end = written[1] == ""
    faults.drop("date_end is no day", np.isnat(end) & ~no_end, written[1], hint=_HINT)
    faults.drop("date_end before date_start", end < start, *written)
    code, no_code = _numbers(rows, "date_prec")
    stated = _codes(rows, "date_prec", DATES, faults)
    faults.drop("neither date_end nor date_prec", no_end & no_code)
    longest = pd.Series(code).map(_LONGEST_SPAN).fillna(0).to_numpy(dtype=np.int64).astype("timedelta64[D]")
    end = np.where(no_end, start + longest, end)
    length = (end - start).astype(np.float64)
    length[np.isnat(end) | np.isnat(start)] = 0
    spanned = np.select([length <= 0, length <= 6, length <= 30], [0, 1, 2], 3)
    words: NDArray[np.object_] = np.array(["day", "week", "month", "year"], dtype=object)
    level = pd.Series(stated).map({"day": 0, "week": 1, "month": 2, "year": 3}).fillna(-1).to_numpy(dtype=np.int64)
    return start, end, words[np.maximum(spanned, level)], (level >= 0) & (spanned > level)


def _reports(rows: pd.DataFrame, start: NDArray[np.datetime64]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Return the day of the earliest plausible report, and where some source is dated before the event.

    source_date is a list of days, separated by semicolons and not in order, in which years are mistyped now and then.
    """
    written = pd.Series(_text(rows, "source_date"), dtype=object)
    lists = written[written != ""].str.split(";").explode()
    days, event = _days(lists.str.strip().to_numpy(dtype=object)), lists.index.to_numpy(dtype=np.intp)
    delay = (days - start[event]).astype("timedelta64[D]")
    early = np.zeros(len(rows), dtype=bool)
    early[event[delay < np.timedelta64(0, "D")]] = True
    good = (delay >= np.timedelta64(-REPORT_TOLERANCE, "D")) & (delay <= np.timedelta64(LONGEST_REPORT_DELAY, "D"))
    reported = np.full(len(rows), _NAT)
    np.fmin.at(reported, event[good], days[good])  # of NaT and a day, fmin is the day
    return reported, early


def _days(values: NDArray[np.object_]) -> NDArray[np.datetime64]:
    """Return days, NaT for what is none; each distinct text is parsed once."""
    codes, distinct = pd.factorize(values)
    parsed = np.array([_day(value) for value in distinct], dtype="datetime64[D]").reshape(-1)
    return parsed[codes] if len(parsed) else np.full(len(values), _NAT)


@lru_cache(maxsize=2**16)  # a dataset has some ten thousand different days
def _day(text: str) -> np.datetime64:
    """Return a day, with or without a time, which is let go; NaT for what is none."""
    timed = _TIME.fullmatch(text)
    try:
        return np.datetime64(day(timed[1] if timed else text), "D")
    except InputError:
        return _NAT
