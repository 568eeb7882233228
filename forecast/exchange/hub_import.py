"""Model output of a forecast hub as a forecast: paths where there are samples, a count distribution in any case."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.combination.dependence import with_marginals
from forecast.errors import InputError
from forecast.evaluation.forecast_table import ForecastTable, Kind, read_forecasts
from forecast.exchange.hub_cells import SEPARATE, HubCells
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK, WeekStart, week_start_of
from forecast.predictive.forecast import Forecast, Paths

Floats = NDArray[np.float64]

TOLD_BY: tuple[Kind, ...] = ("pmf", "cdf", "quantile")
"""What tells the marginals, the best first; without any of them the samples do."""
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-")


def read_model_output(
    path: Path,
    units: Units,
    rng: np.random.Generator,
    *,
    draws: int = 1000,
    target: str | None = None,
    week_start: WeekStart = "saturday",
    any_location: bool = False,
) -> Forecast:
    """Read one file of model output: the forecast of one model from one reference date.

    Rows that look back (horizon 0 and below) are passed over. Samples are joint paths as far as rows share their
    output_type_id; where nothing is known of the dependence, a remark of the forecast says so.

    Parameters
    ----------
    path : Path
        CSV or parquet.
    units : Units
        Those that the locations are names of; the forecast has the ones that the file has, in this order.
    rng : Generator
        Of paths, where the file has no samples.
    draws : int
        How many paths there are then.
    target : str, optional
        Needed where the file has several.
    week_start : {"saturday", "sunday", "monday"}
        First day of the weeks of the units.
    any_location : bool
        Pass over locations that are no units, as long as one is.

    Returns
    -------
    Forecast
        Its model is named as the file: what follows the date.

    Raises
    ------
    InputError
        For locations that are not known, dates that are no ends of weeks or not as far ahead as the horizon says, weeks
        or levels that some locations lack, quantiles that cross, and probabilities that are none.
    """
    tables, _ = read_forecasts(path, kinds=("quantile", "pmf", "cdf", "sample"), target=target)
    wanted = [table.rows["horizon"] > 0 for table in tables]
    if any_location:
        wanted = [ahead & table.rows["unit"].isin(units.names) for ahead, table in zip(wanted, tables, strict=True)]
    tables = [ForecastTable(table.kind, table.rows[rows]) for table, rows in zip(tables, wanted, strict=True)]
    tables = [table for table in tables if len(table.rows)]
    if not tables:
        of = f" of {units.names[0]!r} or the like" if any_location else ""
        raise InputError(f"no forecast{of} of a week ahead", where=path.name, expected="rows with horizon 1 or more")
    origin = _origin(pd.concat([table.rows for table in tables]), path.name, week_start)
    found = [HubCells.of(table, units, origin, path.name) for table in tables]
    if len({cells.shape for cells in found}) > 1 or len({cells.units.names for cells in found}) > 1:
        raise InputError(
            "output types of different weeks or locations",
            where=path.name,
            expected="the same ones: " + ", ".join(f"{cells.kind} {cells.shape}" for cells in found),
        )
    by_kind = {cells.kind: cells for cells in found}
    told = next((by_kind[kind] for kind in TOLD_BY if kind in by_kind), None)
    remarks: tuple[str, ...] = ()
    if "sample" in by_kind:
        paths, remarks = by_kind["sample"].paths(rng)
    pmf = by_kind["sample"].shares() if told is None else told.pmf()
    if "sample" not in by_kind:
        paths, remarks = separate_paths(pmf, draws, rng), (SEPARATE,)
    horizon = found[0].shape[0]
    weeks = pd.date_range(origin, periods=horizon, freq=WEEK, unit="s", name="week")
    return Forecast(paths, pmf, weeks, found[0].units, _DATED.sub("", path.stem, count=1), remarks)


def separate_paths(pmf: Floats, draws: int, rng: np.random.Generator) -> Paths:
    """Return paths with these marginals, independent over weeks and units, shape (draws, horizon, units)."""
    cells = (*pmf.shape[:2], draws)
    order = rng.permuted(np.broadcast_to(np.arange(draws, dtype=np.int32), cells), axis=2)
    return with_marginals(np.moveaxis(order, 2, 0), pmf, rng)


def _origin(rows: pd.DataFrame, name: str, week_start: WeekStart) -> pd.Timestamp:
    """Return the first day of the first week that is forecast, after a check of all dates."""
    known = rows["origin"].unique()
    if len(known) != 1 or pd.isna(known[0]):
        several = " and ".join(f"{day:%Y-%m-%d}" for day in pd.DatetimeIndex(known[:2]))
        raise InputError(
            f"reference dates {several}" if len(known) > 1 else "no reference_date",
            where=name,
            expected="one reference_date, the last day of the last known week",
        )
    reference = pd.Timestamp(known[0])
    wrong = rows[rows["end"] != rows["origin"] + rows["horizon"] * WEEK]
    if len(wrong):
        row = wrong.iloc[0]
        raise InputError(
            f"target_end_date {row['end']:%Y-%m-%d} at horizon {row['horizon']} from {reference:%Y-%m-%d}",
            where=name,
            expected=f"{reference + row['horizon'] * WEEK:%Y-%m-%d}, seven days for each week ahead",
        )
    origin = reference + pd.Timedelta(days=1)
    if week_start_of(origin, week_start) != origin:
        last = week_start_of(origin, week_start) - pd.Timedelta(days=1)
        raise InputError(
            f"reference_date {reference:%Y-%m-%d} is a {reference.day_name()}",
            where=name,
            expected=f"a {last.day_name()}, on which the weeks end, such as {last:%Y-%m-%d}",
        )
    written = _DATED.match(name)
    if written and written[1] != f"{reference:%Y-%m-%d}":
        raise InputError(f"the file is of {written[1]}, its rows of {reference:%Y-%m-%d}", where=name)
    return origin
