"""Tables of counts, one row a week and region, made into a panel."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK, WeekStart, week_range
from forecast.tabular import Table, read_table

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_CELLS = 50_000_000
"""Weeks times units: beyond it a date or the list of regions is most likely wrong, and memory runs out."""

_IF_MISSING = {
    True: "with complete = true a row that is left out is a zero; for a count that is not known set complete = false "
    "and leave the row out",
    False: "leave the row out where the count is not known",
}
"""What to try where a count is missing, if an absent row is a zero, and if it is not."""


def read_counts(
    path: Path,
    *,
    week: str = "week",
    region: str = "region",
    count: str = "events",
    country: str | None = None,
    complete: bool = False,
    week_start: WeekStart = "saturday",
    first: dt.date | None = None,
    last: dt.date | None = None,
    known_until: dt.date | None = None,
    units: Units | None = None,
    neighbours: Neighbours | None = None,
    source: str = "",
) -> Panel:
    """Read a panel from a CSV or parquet file with one row a week and region.

    The parameters are those of `panel_from_counts`; `source` is the name of the file if not given.

    Raises
    ------
    InputError
        For whatever is wrong in the file, with row and column.
    """
    return panel_from_counts(
        read_table(Path(path)),
        week=week,
        region=region,
        count=count,
        country=country,
        complete=complete,
        week_start=week_start,
        first=first,
        last=last,
        known_until=known_until,
        units=units,
        neighbours=neighbours,
        source=source or Path(path).name,
    )


def panel_from_counts(
    frame: pd.DataFrame | Table,
    *,
    week: str = "week",
    region: str = "region",
    count: str = "events",
    country: str | None = None,
    complete: bool = False,
    week_start: WeekStart = "saturday",
    first: dt.date | None = None,
    last: dt.date | None = None,
    known_until: dt.date | None = None,
    units: Units | None = None,
    neighbours: Neighbours | None = None,
    source: str = "",
    simulated: bool = False,
) -> Panel:
    """Make a panel of a table with one row a week and region, in any order.

    Parameters
    ----------
    frame : DataFrame or Table
        Weeks are ISO 8601 dates (``YYYY-MM-DD``) of the first day of the week; counts are whole numbers.
    week, region, count : str
        Names of the columns.
    country : str, optional
        Column with the country of each region, the group of its unit.
    complete : bool
        A region-week without a row is a zero. Otherwise it is missing, and listed by `Panel.missing`.
    week_start : {"saturday", "sunday", "monday"}
    first, last : date, optional
        First days of the first and of the last week; those of the rows if not given. With `complete` and
        `known_until`, the last week is the last one that is over, also if it has no row.
    known_until : date, optional
        Last day that the source covers. A row of a week that ends later is an error: a week that is not over is
        never a target.
    units : Units, optional
        The regions in order; a row of another one is an error. Otherwise all that have rows, sorted by name.
    neighbours : Neighbours, optional
        Of these units.
    source : str
    simulated : bool

    Returns
    -------
    Panel

    Raises
    ------
    InputError
        For a missing column, a count that is no whole number >= 0, a date that is not ISO 8601, two rows of one
        region-week, two spellings of one region, weeks that start on another day than `week_start`, and whatever
        else is wrong.

    Examples
    --------
    >>> frame = pd.DataFrame({"week": ["2026-01-10", "2026-01-03"], "region": ["Gao", "Mopti"], "events": [2, 1]})
    >>> panel_from_counts(frame, complete=True).counts
    array([[0, 1],
           [2, 0]])
    """
    table = frame if isinstance(frame, Table) else Table.of(frame)
    table.require(week, region, count, *([country] if country else []))
    bounds = first is not None and last is not None
    if len(table) == 0 and not (complete and bounds and units is not None):
        raise InputError("the table has a header only", where=table.name, expected="at least one row of counts")
    starts = table.days(week)
    _check_week_start(table, starts, week, week_start)
    counts = table.whole_numbers(count, _IF_MISSING[complete])
    if units is None:
        units = _units_of(table, region, country)
    column = table.positions(region, units.names, units.kind)
    weeks = _weeks(starts, first, last, known_until, week_start, complete=complete)
    row = _rows_of_panel(table, starts, week, weeks, known_until)
    if len(weeks) * len(units) > _MOST_CELLS:
        raise InputError(
            f"{len(weeks)} weeks from {weeks[0]:%Y-%m-%d} to {weeks[-1]:%Y-%m-%d} and {len(units)} regions",
            where=table.name,
            expected=f"at most {_MOST_CELLS} region-weeks",
            hint="look for a date that is wrong, or give the first week",
        )
    cell = row * len(units) + column
    _check_unique(table, cell, starts, column, units)
    dense = np.zeros(len(weeks) * len(units), dtype=np.int64)
    observed = np.full(dense.shape, complete)
    dense[cell], observed[cell] = counts, True
    shape = (len(weeks), len(units))
    return Panel.of(
        dense.reshape(shape),
        weeks,
        units,
        observed=observed.reshape(shape),
        neighbours=neighbours,
        source=source,
        simulated=simulated,
    )


def usual_week_start(starts: NDArray[np.datetime64]) -> WeekStart:
    """Return the day on which most weeks start; Saturday if that is none on which weeks may start.

    Examples
    --------
    >>> usual_week_start(np.array(["2026-01-05", "2026-01-12"], dtype="datetime64[D]"))
    'monday'
    """
    usual = int(np.argmax(np.bincount(_weekday(starts), minlength=7)))
    days: dict[int, WeekStart] = {0: "monday", 5: "saturday", 6: "sunday"}
    return days.get(usual, "saturday")


def _weekday(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return 0 for a Monday to 6 for a Sunday."""
    return (days.astype(np.int64) + 3) % 7  # day 0, 1970-01-01, was a Thursday


def _units_of(table: Table, region: str, country: str | None) -> Units:
    """Return the regions that have rows, sorted by name, each in the one country that its rows name."""
    regions = table.names(region)
    table.one_spelling(region)
    names, first_row, codes = np.unique(regions, return_index=True, return_inverse=True)
    if country is None:
        return Units.of(names.tolist())
    countries = table.names(country)
    table.one_spelling(country)
    differs = np.flatnonzero(countries != countries[first_row][codes])
    if len(differs):
        at = int(differs[0])
        table.refuse(
            at,
            f"{regions[at]!r} is in {countries[at]!r} here, but in {countries[first_row[codes[at]]]!r} in "
            f"{table.rows([int(first_row[codes[at]])])}",
            column=country,
            expected="one country a region",
        )
    return Units.of(names.tolist(), groups=countries[first_row].tolist())


def _check_week_start(table: Table, starts: NDArray[np.datetime64], column: str, week_start: WeekStart) -> None:
    """Refuse weeks that do not all start on the day of the setting."""
    weekday = _weekday(starts)
    found = np.bincount(weekday, minlength=7)
    names = [name.lower() for name in _WEEKDAYS]
    if found[names.index(week_start)] == len(starts):
        return
    if np.count_nonzero(found) == 1:
        name = _WEEKDAYS[int(weekday[0])]
        hint = f"week_start = {name.lower()!r}" if name in {"Saturday", "Sunday", "Monday"} else ""
        table.refuse(
            0,
            f"all weeks start on a {name}",
            column=column,
            expected=f"a {week_start.title()}, as the setting week_start = {week_start!r} says",
            hint=hint,
        )
    usual = int(np.argmax(found))
    others = np.flatnonzero(weekday != usual)
    at = int(others[0])
    table.refuse(
        at,
        f"weeks start on different days: {_WEEKDAYS[usual]} in {found[usual]} of {len(starts)} rows, but "
        f"{starts[at]} is a {_WEEKDAYS[int(weekday[at])]} ({table.rows(others)})",
        column=column,
        expected=f"a {week_start.title()} in every row",
    )


def _weeks(
    starts: NDArray[np.datetime64],
    first: dt.date | None,
    last: dt.date | None,
    known_until: dt.date | None,
    week_start: WeekStart,
    *,
    complete: bool,
) -> pd.DatetimeIndex:
    begin = pd.Timestamp(first if first is not None else starts.min())
    if last is not None:
        end = pd.Timestamp(last)
    elif complete and known_until is not None:
        over = pd.Timestamp(known_until) - pd.Timedelta(days=6)
        end = max(begin, pd.Timestamp(starts.max()), begin + (over - begin) // WEEK * WEEK)
    else:
        end = pd.Timestamp(starts.max())
    return week_range(begin, end, week_start)


def _rows_of_panel(
    table: Table,
    starts: NDArray[np.datetime64],
    column: str,
    weeks: pd.DatetimeIndex,
    known_until: dt.date | None,
) -> NDArray[np.int64]:
    """Return the position of each row's week; refuse weeks that are not over, and weeks outside the panel."""
    if known_until is not None:
        unfinished = np.flatnonzero(starts + np.timedelta64(6, "D") > np.datetime64(known_until, "D"))
        if len(unfinished):
            table.refuse(
                int(unfinished[0]),
                f"the week of {starts[unfinished[0]]} is not over at {pd.Timestamp(known_until):%Y-%m-%d}, until when "
                f"the counts are known ({table.rows(unfinished)})",
                column=column,
                expected="weeks that are over",
                hint="leave the rows of the running week out",
            )
    position: NDArray[np.int64] = (starts - weeks[0].to_numpy().astype("datetime64[D]")).astype(np.int64) // 7
    outside = np.flatnonzero((position < 0) | (position >= len(weeks)))
    if len(outside):
        table.refuse(
            int(outside[0]),
            f"the week of {starts[outside[0]]} lies outside the panel ({table.rows(outside)})",
            column=column,
            expected=f"weeks from {weeks[0]:%Y-%m-%d} to {weeks[-1]:%Y-%m-%d}",
        )
    return position


def _check_unique(
    table: Table,
    cell: NDArray[np.int64],
    starts: NDArray[np.datetime64],
    column: NDArray[np.intp],
    units: Units,
) -> None:
    """Refuse two rows of one region-week; the first few are listed."""
    repeated = np.flatnonzero(pd.Series(cell).duplicated(keep="first"))
    if not len(repeated):
        return
    cells = list(dict.fromkeys(cell[repeated].tolist()))
    shown = [
        f"{units.names[column[same[0]]]!r} in the week of {starts[same[0]]} ({table.rows(same)})"
        for same in (np.flatnonzero(cell == value) for value in cells[:3])
    ]
    more = f"; {len(cells) - 3} more" if len(cells) > 3 else ""
    raise InputError(
        f"more than one row for {'; '.join(shown)}{more}",
        where=table.name,
        expected=f"one row a week and {units.kind}",
        hint="add the counts up first, if they are parts of one",
    )
