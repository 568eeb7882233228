"""What to do with events whose day or place is known only roughly: keep, spread, flag or drop, as the policy says."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from forecast.events.record import DATE_PRECISIONS, PLACE_PRECISIONS
from forecast.events.row_faults import RowFaults

DateRule = Literal["keep", "spread", "flag", "drop"]
"""Keep: the event counts for the first day of its span. Spread: for a day of the span, drawn once for all from the
event's id. Flag: for the first day, and marked. Drop: left out, and counted by reason."""

PlaceRule = Literal["keep", "flag", "drop"]
"""Keep the row as it is; keep it and mark it; leave it out and count it by reason."""

SATURDAY = 5  # as pandas counts days of the week

_DATE_REASONS = {
    "day": "date known to the day",
    "week": "date known only to a week",
    "month": "date known only to a month",
    "year": "date known only to a year or worse",
}
_PLACE_REASONS = {
    "point": "place known exactly",
    "near": "place known only to about 25 km",
    "district": "place known only to a second-level region",
    "region": "place known only to a first-level region",
    "area": "place known only to a line or area",
    "country": "place known only to a country or worse",
}
_KEEP = "--imprecise {}=flag keeps such rows, with a mark"


class ImprecisePolicy(BaseModel):
    """The rule for each precision of date and place.

    Parameters
    ----------
    day, week, month, year : {"keep", "spread", "flag", "drop"}
        By precision of the date.
    point, near, district, region, area, country : {"keep", "flag", "drop"}
        By precision of the place.

    Examples
    --------
    >>> ImprecisePolicy(month="flag").month
    'flag'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: DateRule = "keep"
    week: DateRule = "keep"
    month: DateRule = "spread"
    year: DateRule = "drop"
    point: PlaceRule = "keep"
    near: PlaceRule = "keep"
    district: PlaceRule = "keep"
    region: PlaceRule = "keep"
    area: PlaceRule = "flag"
    country: PlaceRule = "drop"


PLACE_FAULTS = ("coordinates_unreadable", "coordinates_off_the_globe", "coordinates_missing", "no_coordinates")
"""Flags of rows without usable coordinates: why a place may be known no better."""


def apply_policy(
    events: pd.DataFrame,
    policy: ImprecisePolicy,
    faults: RowFaults | None = None,
    date_codes: Sequence[str] | NDArray[np.object_] | None = None,
) -> tuple[pd.DataFrame, Counter[str]]:
    """Set `date`, `treatment` and `flags` as the policy says, and leave out what it drops.

    A row that is both spread and flagged has its day spread and counts as flagged; one that came with flags of its
    own counts as flagged. A precision that is empty counts as exact.

    Parameters
    ----------
    events : DataFrame
        Canonical (`forecast.events.record.event_frame`); `date` is overwritten by what follows from `date_start`,
        `date_end` and `date_precision`.
    policy : ImprecisePolicy
    faults : RowFaults, optional
        What is wrong with the same rows beside their precision: rows to leave out and flags to set. What the policy
        leaves out and flags is added to it.
    date_codes : sequence of str, shape (rows,), optional
        What the source says of the precision of each date, shown with the rows that are left out or flagged for it.

    Returns
    -------
    stored : DataFrame
        Canonical, under a new index.
    dropped : Counter
        Rows left out, by reason in plain words; with `stored` they add up to the rows of `events` (and the ragged ones
        of `faults`). A row that has several reasons counts under the first of: those of `faults`, no date, its date's
        precision, its place's precision.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> days = pd.to_datetime(["2023-10-01", "2023-10-01"])
    >>> rows = {"event_id": ["1", "2"], "date_start": days, "date_end": days + pd.Timedelta(days=30),
    ...         "date_precision": ["month", "year"], "place_precision": ["area", "point"]}
    >>> stored, dropped = apply_policy(event_frame(rows), ImprecisePolicy())
    >>> stored[["treatment", "flags"]].values.tolist(), dropped
    ([['flagged', 'place_area']], Counter({'date known only to a year or worse': 1}))
    """
    faults = RowFaults(len(events)) if faults is None else faults
    dates = events["date_precision"].fillna("day").to_numpy(dtype=object)
    places = events["place_precision"].fillna("point").to_numpy(dtype=object)
    days = events[["date_start", "date_end"]].to_numpy().astype("datetime64[D]")
    faults.drop("no date", events["date_start"].isna().to_numpy())
    dated = [*days.T] if date_codes is None else [*days.T, date_codes]
    spread = np.zeros(len(events), dtype=bool)
    for precision in DATE_PRECISIONS:
        rows, rule = dates == precision, getattr(policy, precision)
        spread |= rows & (rule == "spread")
        if rule == "drop":
            faults.drop(_DATE_REASONS[precision], rows, *dated, hint=_KEEP.format(precision))
        elif rule == "flag":
            faults.flag(f"date_{precision}", rows, *dated)
    for place in PLACE_PRECISIONS:
        rows, rule = places == place, getattr(policy, place)
        shown = [events[name] for name in ("location", "admin1", "country")]
        if rule == "drop":
            faults.drop_flagged(_PLACE_REASONS[place], rows, PLACE_FAULTS, hint=_KEEP.format(place))
            faults.drop(_PLACE_REASONS[place], rows, *shown, hint=_KEEP.format(place))
        elif rule == "flag":
            faults.flag(f"place_{place}", rows, *shown)

    keep = ~faults.out
    stored, spread = events[keep].reset_index(drop=True), spread[keep]
    stored["date"] = stored["date_start"]
    stored.loc[spread, "date"] = _drawn_days(stored[spread], dates[keep][spread])
    flags = stored["flags"].fillna("") + " " + pd.Series(faults.flags()[keep], dtype="string")
    stored["flags"] = flags.map(_unique_words).astype("string")
    flagged = (stored["flags"] != "").to_numpy() | (stored["treatment"] == "flagged").to_numpy(bool, na_value=False)
    stored["treatment"] = pd.Series(np.where(flagged, "flagged", np.where(spread, "spread", "kept")), dtype="string")
    return stored, faults.dropped


def _drawn_days(events: pd.DataFrame, precisions: NDArray[np.object_]) -> pd.Series:
    """Return a day within each event's span, the same at every import: uniform over the span by a hash of the id.

    The span is `date_start` to `date_end`; where these are one day, it is the calendar month or year, or the week
    from Saturday to Friday, that contains it.
    """
    first, last = events["date_start"], events["date_end"].fillna(events["date_start"])
    one_day = (last <= first).to_numpy()
    start, length = first.copy(), (last - first).dt.days.clip(lower=0) + 1
    for precision, period in (("month", "M"), ("year", "Y")):
        chosen = one_day & (precisions == precision)
        whole = first[chosen].dt.to_period(period)
        start[chosen] = whole.dt.start_time.astype(start.dtype)
        length[chosen] = (whole.dt.end_time.dt.normalize() - whole.dt.start_time).dt.days + 1
    chosen = one_day & (precisions == "week")
    start[chosen] = first[chosen] - pd.to_timedelta((first[chosen].dt.day_of_week - SATURDAY) % 7, unit="D")
    length[chosen] = 7
    names = zip(events["source"].fillna(""), events["event_id"], strict=True)
    draws = np.array(
        [int.from_bytes(hashlib.blake2b(f"{a}\n{b}".encode(), digest_size=6).digest(), "big") for a, b in names],
        dtype=np.int64,
    )
    offset = pd.to_timedelta(draws % length.to_numpy(dtype=np.int64), unit="D").astype("timedelta64[s]")
    return (start + pd.Series(offset, index=start.index)).astype("datetime64[s]")


def _unique_words(text: str) -> str:
    return " ".join(dict.fromkeys(text.split()))
