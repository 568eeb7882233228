"""The format of the ViEWS prediction challenge: samples of monthly counts per country or PRIO-GRID cell.

One row a month, unit and draw: month_id, country_id or priogrid_gid, draw, outcome. The challenge forecasts deaths;
what is written here are the events that the workspace counts.
Hegre et al. (2024), the 2023/24 VIEWS Prediction Challenge, arXiv:2407.11045.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.csv_text import csv_bytes
from forecast.errors import InputError
from forecast.exchange.months_of_weeks import MonthlyPaths
from forecast.exchange.views_countries import country_ids
from forecast.panel.months import first_days
from forecast.panel.priogrid import cell_centroids
from forecast.panel.units import Units
from forecast.tabular import Table, read_table

Level = Literal["cm", "pgm"]

UNIT: dict[Level, str] = {"cm": "country_id", "pgm": "priogrid_gid"}
"""Country-months and PRIO-GRID-months."""
DRAWS = 1000
"""That the challenge takes."""


def level_of(units: Units) -> Level:
    """Return ``"pgm"`` if the units are PRIO-GRID cells, called by their ids, otherwise ``"cm"``."""
    return "pgm" if all(name.isascii() and name.isdigit() for name in units.names) else "cm"


def views_rows(months: MonthlyPaths, units: Units, draws: int = DRAWS) -> pd.DataFrame:
    """Return samples in the columns of the challenge.

    Regions are added up to countries path by path, so that their dependence is kept: a country is the sum of its
    regions in the workspace.

    Parameters
    ----------
    months : MonthlyPaths
    units : Units
        Those of the paths: PRIO-GRID cells, or regions of known countries.
    draws : int, default 1000
        At most so many.

    Returns
    -------
    DataFrame
        month_id, country_id or priogrid_gid, draw (from 0), outcome; in this order.

    Raises
    ------
    InputError
        For cells and countries that there are not, and for places: they overlap.
    """
    if units.kind != "region":
        raise InputError("places overlap, and are neither countries nor cells", expected="regions")
    level, paths = level_of(units), months.paths[:draws]
    if level == "pgm":
        ids = [int(name) for name in units.names]
        cell_centroids(ids)  # there are such cells
    else:
        countries = list(dict.fromkeys(units.groups))
        ids = country_ids(countries)
        of = np.array([[group == country for country in countries] for group in units.groups], dtype=np.int64)
        paths = paths @ of
    n, m, u = paths.shape
    return pd.DataFrame(
        {
            "month_id": np.repeat(months.months, u * n),
            UNIT[level]: np.tile(np.repeat(np.asarray(ids, np.int64), n), m),
            "draw": np.tile(np.arange(n), m * u),
            "outcome": paths.transpose(1, 2, 0).ravel(),
        }
    )


def write_views(path: Path, rows: pd.DataFrame) -> None:
    """Write rows of samples, as parquet, which the challenge takes, or CSV, by the ending of the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        path.write_bytes(csv_bytes(rows))
    else:
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path, compression="zstd")


def read_views(path: Path) -> MonthlyPaths:
    r"""Read samples in the format of the challenge, as joint paths: rows of one draw belong together.

    Returns
    -------
    MonthlyPaths
        Units are called by their ids.

    Raises
    ------
    InputError
        For columns that are missing, numbers that are none, rows that stand in the table twice, and months, units or
        draws that some others have and some have not.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "f.csv"
    ...     _ = path.write_text("month_id,country_id,draw,outcome\n560,50,0,3\n560,50,1,4\n")
    ...     found = read_views(path)
    >>> found.units, found.months.tolist(), found.paths.ravel().tolist()
    (('50',), [560], [3, 4])
    """
    table = read_table(path)
    unit = unit_column(table)
    month, place, draw = (table.whole_numbers(name) for name in ("month_id", unit, "draw"))
    outcome = table.whole_numbers("outcome")
    if not len(table):
        raise InputError("the table has no rows", where=table.name)
    first_days(month)
    (months, m), (units, u), (draws, d) = (np.unique(each, return_inverse=True) for each in (month, place, draw))
    cell = (d * len(months) + m) * len(units) + u
    size = np.bincount(cell, minlength=len(draws) * len(months) * len(units))
    if (size > 1).any():
        again = int(np.flatnonzero(pd.Series(cell).duplicated())[0])
        table.refuse(again, "this month, unit and draw stand in the table already")
    if (size == 0).any():
        gone = int(np.flatnonzero(size == 0)[0])
        at = np.unravel_index(gone, (len(draws), len(months), len(units)))
        raise InputError(
            f"no row of month {months[at[1]]}, {unit} {units[at[2]]}, draw {draws[at[0]]}",
            where=table.name,
            expected="each draw of each month and unit",
        )
    paths = np.empty(len(cell), dtype=np.int64)
    paths[cell] = outcome
    return MonthlyPaths(paths.reshape(len(draws), len(months), len(units)), months, tuple(map(str, units)))


def unit_column(table: Table) -> str:
    """Return the name of the column of units.

    Raises
    ------
    InputError
        If there is none, or both.
    """
    found = [name for name in UNIT.values() if name in table.frame]
    if len(found) != 1:
        known = ", ".join(map(repr, map(str, table.frame.columns)))
        raise InputError(
            "no column of units" if not found else "two columns of units",
            where=f"{table.name} row 1",
            expected=f"one of {' and '.join(UNIT.values())}; found {known}",
        )
    return found[0]
