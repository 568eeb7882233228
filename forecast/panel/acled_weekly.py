"""ACLED's weekly aggregated file: events per week, first-level region and type, made into a panel."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, plain_name, unknown_name
from forecast.events.acled import column_positions
from forecast.events.acled_record import day_of
from forecast.events.table_rows import open_rows
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.panel.weeks import week_range, week_start_of
from forecast.tabular import Table

REQUIRED = ("week", "country", "admin1", "event_type", "events")
OPTIONAL = (
    "region",
    "disorder_type",
    "sub_event_type",
    "fatalities",
    "population_best",
    "centroid_longitude",
    "centroid_latitude",
)
_KEY = ("week", "country", "admin1", "disorder_type", "event_type", "sub_event_type")
_MOST_CELLS = 50_000_000
_SATURDAY = 5


def panel_from_acled_weekly(
    path: Path, *, event_types: Sequence[str] = (), countries: Sequence[str] = (), complete: bool = True
) -> Panel:
    """Make a panel of ACLED's weekly aggregated file: events per week and first-level region, summed over types.

    Parameters
    ----------
    path : Path
        CSV, Excel (``.xlsx``, with openpyxl) or parquet. Columns are found whatever their case, spaces and
        underscores; ``week`` is the Saturday that starts a week; at least `REQUIRED`, any of `OPTIONAL`.
    event_types : sequence of str, optional
        ACLED's event types to add up; all if empty.
    countries : sequence of str, optional
        All if empty.
    complete : bool
        A region-week without a row is a zero, from the first week in which its country has a row to the file's
        last week. Otherwise only region-weeks that have a row, of whatever type, are observed.

    Returns
    -------
    Panel
        Regions are named "Country/Admin1", sorted, and grouped by country; a row without admin1 counts for a region
        named as its country. Coordinates are the centroids; exposure is the mean over weeks of population_best,
        which repeats the same people in every row and is never summed. A region without population gets the mean of
        the others; without any, exposure is one.

    Raises
    ------
    InputError
        For a missing column, a week that does not start on a Saturday, counts that are none, two rows of one week,
        region and type, a country or event type that the file lacks.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> simulated = '''Week,Country,Admin1,Event Type,Events,Population_Best
    ... 2026-01-03,Mali,Mopti,Battles,2,1000
    ... 2026-01-03,Mali,Mopti,Protests,1,1000
    ... 2026-01-10,Mali,Gao,Battles,4,500'''
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "simulated.csv")
    ...     _ = path.write_text(simulated, encoding="utf-8")
    ...     panel = panel_from_acled_weekly(path)
    >>> panel.units.names, panel.counts.tolist(), panel.exposure.tolist()
    (('Mali/Gao', 'Mali/Mopti'), [[0, 3], [4, 0]], [500.0, 1000.0])
    """
    table = _read(Path(path))
    if not len(table):
        raise InputError("the table has a header only", where=table.name, expected="at least one row of counts")
    last = pd.Timestamp(_weeks(table).max())  # of all countries: so far does the file speak
    _refuse_repeated(table)
    if countries:
        table = table.where(_chosen(table, "country", countries))
    country = table.names("country")
    unit, names = pd.factorize(_regions(table, country), sort=True)
    groups = country[np.unique(unit, return_index=True)[1]]
    starts = _weeks(table)
    weeks = week_range(pd.Timestamp(starts.min()), last)
    if len(weeks) * len(names) > _MOST_CELLS:
        raise InputError(
            f"{len(weeks)} weeks from {weeks[0]:%Y-%m-%d} to {weeks[-1]:%Y-%m-%d} and {len(names)} regions",
            where=table.name,
            expected=f"at most {_MOST_CELLS} region-weeks",
            hint="look for a date that is wrong",
        )
    week = (starts - weeks[0].to_numpy().astype("datetime64[D]")).astype(np.int64) // 7
    counts = np.zeros((len(weeks), len(names)), dtype=np.int64)
    taken = _chosen(table, "event_type", event_types) if event_types else np.ones(len(table), dtype=bool)
    np.add.at(counts, (week[taken], unit[taken]), table.whole_numbers("events")[taken])
    units = Units.of(
        names.tolist(),
        groups=groups.tolist(),
        latitude=_mean(_numbers(table, "centroid_latitude", -90, 90), unit, len(names)),
        longitude=_mean(_numbers(table, "centroid_longitude", -180, 180), unit, len(names)),
    )
    return Panel.of(
        counts,
        weeks,
        units,
        observed=_observed(week, unit, groups, counts.shape, complete=complete),
        exposure=_exposure(_numbers(table, "population_best", 0, np.inf), week, unit, len(names)),
        source=table.name,
    )


def _regions(table: Table, country: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return "Country/Admin1" of each row, the country alone where there is no admin1."""
    codes, texts = pd.factorize(table.frame["admin1"])
    admin1 = np.array([unicodedata.normalize("NFC", text).strip() for text in texts], dtype=object)[codes]
    return np.array([f"{of}/{name}" if name else of for of, name in zip(country, admin1, strict=True)], dtype=object)


def _observed(
    week: NDArray[np.int64],
    unit: NDArray[np.intp],
    groups: NDArray[np.object_],
    shape: tuple[int, ...],
    *,
    complete: bool,
) -> NDArray[np.bool_]:
    """Return of which region-weeks the file speaks, shape (weeks, units)."""
    observed = np.zeros(shape, dtype=bool)
    if not complete:
        observed[week, unit] = True
        return observed
    codes = np.unique(groups, return_inverse=True)[1]
    begins = np.full(codes.max() + 1, shape[0], dtype=np.int64)
    np.minimum.at(begins, codes[unit], week)
    return np.arange(shape[0])[:, None] >= begins[codes][None, :]


def _exposure(
    population: NDArray[np.float64], week: NDArray[np.int64], unit: NDArray[np.intp], units: int
) -> NDArray[np.float64]:
    """Return the mean population of each region, each week counted once however many rows it has."""
    known = population > 0
    rows = pd.DataFrame({"week": week[known], "unit": unit[known], "people": population[known]})
    once = rows.groupby(["week", "unit"], as_index=False)["people"].mean()
    mean = _mean(once["people"].to_numpy(), once["unit"].to_numpy(), units)
    if np.isnan(mean).all():
        return np.ones(units)
    return np.where(np.isnan(mean), np.nanmean(mean), mean)


def _mean(values: NDArray[np.float64], unit: NDArray[np.intp], units: int) -> NDArray[np.float64]:
    """Return the mean of the known values of each unit, NaN where none is known."""
    known = ~np.isnan(values)
    total = np.bincount(unit[known], weights=values[known], minlength=units)
    rows = np.bincount(unit[known], minlength=units)
    return np.where(rows > 0, total / np.maximum(rows, 1), np.nan)


def _numbers(table: Table, column: str, low: float, high: float) -> NDArray[np.float64]:
    """Return a column of numbers, NaN where the cell is empty or the column is not there."""
    values = np.full(len(table), np.nan)
    if column not in table.frame:
        return values
    given = table.frame[column].str.strip().ne("").to_numpy(dtype=bool)
    values[given] = table.where(given).numbers(column)
    off = np.flatnonzero((values < low) | (values > high))
    if len(off):
        expected = f"from {low:g} to {high:g}" if np.isfinite(high) else f"at least {low:g}"
        table.refuse(int(off[0]), f"{values[off[0]]:g} is impossible", column=column, expected=expected)
    return values


def _weeks(table: Table) -> NDArray[np.datetime64]:
    """Return the first day of each row's week, unit day; refuse those that are no Saturday."""
    codes, cells = pd.factorize(table.frame["week"])
    days = [day_of(text.strip()) for text in cells]
    for code, found in enumerate(days):
        if found is not None and found.weekday() == _SATURDAY:
            continue
        at = int(np.argmax(codes == code))
        if found is None:
            table.refuse(
                at, f"{cells[code][:40]!r} is not a date", column="week", expected="the Saturday that starts the week"
            )
        table.refuse(
            at,
            f"the week of {found} starts on a {found:%A}",
            column="week",
            expected="a Saturday: ACLED's weeks run from Saturday to Friday",
            hint=f"the week that holds this day starts on {week_start_of(found):%Y-%m-%d}",
        )
    return np.array(days, dtype="datetime64[D]")[codes]


def _chosen(table: Table, column: str, wanted: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the rows with one of the wanted names, whatever their case and accents; refuse names that none has."""
    codes, known = pd.factorize(table.names(column))
    keys = [plain_name(name) for name in known]
    for name in wanted:
        if plain_name(name) not in keys:
            raise unknown_name(column.replace("_", " "), name, list(known), where=table.name)
    chosen = {plain_name(name) for name in wanted}
    return np.array([key in chosen for key in keys], dtype=bool)[codes]


def _refuse_repeated(table: Table) -> None:
    """Refuse two rows of one week, region and type: their counts would be added up twice."""
    key = [column for column in _KEY if column in table.frame]
    repeated = np.flatnonzero(table.frame[key].duplicated().to_numpy())
    if len(repeated):
        table.refuse(
            int(repeated[0]),
            f"a second row of the same {', '.join(key)} ({table.rows(repeated)})",
            expected="one row a week, region and type",
            hint="was the same file appended twice?",
        )


def _read(path: Path) -> Table:
    """Return the file with ACLED's names for its columns; every value is text."""
    rows = open_rows(path)
    fields = (*REQUIRED, *OPTIONAL)
    at = column_positions(rows, fields, REQUIRED)
    width = len(rows.columns)
    numbers, records = [], []
    for number, record in rows.records:
        if len(record) != width:
            raise InputError(
                f"{len(record)} values for {width} columns",
                where=f"{rows.name} row {number}",
                hint='put a value that has a comma into double quotes: "Mopti, north"',
            )
        numbers.append(number)
        records.append(record)
    columns = {name: [record[i] for record in records] for name, i in zip(fields, at, strict=True) if i < width}
    return Table(pd.DataFrame(columns, index=np.array(numbers, dtype=np.int64), dtype=object), rows.name)
