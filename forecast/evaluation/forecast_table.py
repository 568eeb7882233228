"""Forecasts that were made elsewhere, in a table: quantiles, samples or probabilities of counts, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.panel.months import last_days
from forecast.tabular import Table, read_table

Kind = Literal["quantile", "sample", "pmf", "cdf"]

KINDS: tuple[Kind, ...] = ("quantile", "sample", "pmf")
"""Those that can be scored."""
ONE_MODEL = "forecast"
"""Name of the model in a table without a column for it."""

MODEL = ("model", "model_id", "team_model")
ORIGIN = ("origin", "origin_date", "reference_date", "forecast_date")
UNIT = ("unit", "location", "region", "country_id", "priogrid_gid")
END = ("target_end_date", "target_end")
WEEK = ("week", "target_start")
MONTH = "month_id"
OBSERVED = ("observed", "observation", "oracle_value", "events", "count", "value", "outcome")

_FROM_ON = r"\s*\d+\+\s*"
_WEEK = np.timedelta64(7, "D")
_WEEK_END = np.timedelta64(6, "D")


@dataclass(frozen=True, eq=False)
class ForecastTable:
    """Forecasts of counts of one kind, one row a value.

    Parameters
    ----------
    kind : {"quantile", "sample", "pmf", "cdf"}
    rows : DataFrame
        model, unit, origin (NaT where the table has none), end (last day of the week forecast), horizon (0 where it
        cannot be known), key (level of the quantile, name of the sample, or the count), value. The category of all
        counts from one on ("20+") has no row: it is what a pmf lacks to 1.
    """

    kind: Kind
    rows: pd.DataFrame


def read_forecasts(
    path: Path, *, kinds: Sequence[Kind] = KINDS, target: str | None = None
) -> tuple[list[ForecastTable], int]:
    """Read forecasts from a CSV or parquet file.

    Long, as forecast hubs exchange them: output_type ("quantile", "sample", "pmf"), output_type_id and value. Or wide,
    one row a forecast with columns such as q0.025, as in the files that this package writes. Or samples as ViEWS has
    them: draw and outcome. Beside these a unit (or location, region, country_id, priogrid_gid); the week, by
    target_end_date (its last day) or week (its first day), or by an origin (its first day forecast) or reference_date
    (of which horizon 1 is seven days later) with a horizon; or a month_id; and the model, if there are several.

    Parameters
    ----------
    path : Path
    kinds : sequence of {"quantile", "sample", "pmf", "cdf"}
        Those that are read.
    target : str, optional
        Only rows with this target; needed where the table has several.

    Returns
    -------
    list of ForecastTable, int
        One for each kind, and how many rows of other kinds (mean, median, point) were left out.

    Raises
    ------
    InputError
        For columns that are missing, values that are none, and forecasts that stand in the table twice.
    """
    table = read_table(path)
    if not len(table):
        raise InputError("the table has no rows", where=table.name)
    table = _of_target(table, target)
    wide = [column for column in map(str, table.frame.columns) if _level(column) is not None]
    keys = _keys(table)
    if "output_type" not in table.frame and wide:
        values = np.column_stack([table.numbers(column) for column in wide])
        rows = keys.loc[keys.index.repeat(len(wide))].reset_index(drop=True)
        levels = [_level(column) for column in wide]
        rows = rows.assign(key=np.tile(np.asarray(levels, np.float64), len(keys)), value=values.ravel())
        return [_checked(ForecastTable("quantile", rows), table.name)], 0
    if "output_type" not in table.frame and {"draw", "outcome"} <= set(table.frame):
        rows = keys.assign(key=table.names("draw"), value=table.numbers("outcome"))
        return [_checked(ForecastTable("sample", rows), table.name)], 0
    table.require("output_type", "output_type_id", "value")
    written = table.names("output_type")
    found, rest = [], 0
    for kind in kinds:
        mask = written == kind
        if kind == "pmf":
            above = mask & table.frame["output_type_id"].astype(str).str.fullmatch(_FROM_ON).to_numpy(bool)
            mask, rest = mask & ~above, int(above.sum())
        if not mask.any():
            continue
        part = table.where(mask)
        parse = {"quantile": part.numbers, "sample": part.names, "pmf": part.whole_numbers, "cdf": part.whole_numbers}
        key = parse[kind]("output_type_id")
        rows = keys[mask].reset_index(drop=True).assign(key=key, value=part.numbers("value"))
        found.append(_checked(ForecastTable(kind, rows), table.name))
    if not found:
        raise InputError(
            f"no forecast that can be scored: output types {', '.join(map(repr, sorted(set(written))[:5]))}",
            where=f"{table.name}, column 'output_type'",
            expected=f"one of {', '.join(kinds)}",
        )
    return found, int(len(written) - rest - sum(len(each.rows) for each in found))


def read_outcomes(path: Path) -> pd.DataFrame:
    """Read what came from a CSV or parquet file: unit, week (or target_end_date, or month_id), and the count.

    Returns
    -------
    DataFrame
        unit, end (last day of the week), observed.

    Raises
    ------
    InputError
        For columns that are missing, values that are none, and a unit and week that stand in the table twice.
    """
    table = read_table(path)
    count, unit = _column(table, OBSERVED, "what came"), _column(table, UNIT, "unit")
    found = pd.DataFrame({"unit": table.names(unit), "end": _ends(table), "observed": table.whole_numbers(count)})
    again = found.duplicated(["unit", "end"]).to_numpy()
    if again.any():
        table.refuse(int(np.argmax(again)), "this unit and week stand in the table already", column=unit)
    return found


def _of_target(table: Table, target: str | None) -> Table:
    """Return the rows of one target."""
    if "target" not in table.frame:
        return table
    written = table.names("target")
    known = sorted(set(written))
    if target is not None and target not in known:
        raise unknown_name("target", target, known, where=f"{table.name}, column 'target'")
    if target is None and len(known) > 1:
        raise InputError(
            f"forecasts of {len(known)} targets: {', '.join(map(repr, known[:5]))}",
            where=f"{table.name}, column 'target'",
            expected="one, or a choice of one of them",
        )
    return table if target is None else table.where(written == target)


def _keys(table: Table) -> pd.DataFrame:
    """Return model, unit, origin, end and horizon of each row."""
    unit, model, origin = _column(table, UNIT, "unit"), _known(table, MODEL), _known(table, ORIGIN)
    issued = table.days(origin) if origin else np.full(len(table), np.datetime64("NaT", "D"))
    ahead = table.numbers("horizon").astype(np.int64) if "horizon" in table.frame else None
    if _known(table, (*END, *WEEK, MONTH)):
        end = _ends(table)
    elif origin and ahead is not None:
        end = issued + (ahead - 1) * _WEEK + _WEEK_END if origin == "origin" else issued + ahead * _WEEK
    else:
        raise InputError(
            "no column tells the week forecast",
            where=f"{table.name} row 1",
            expected="target_end_date, or week, or month_id, or both origin (or reference_date) and horizon",
        )
    if ahead is None:
        days = (end - issued).astype("timedelta64[D]").astype(np.float64)
        ahead = np.where(np.isnat(issued), 0, np.ceil(np.nan_to_num(days, nan=0.0) / 7)).astype(np.int64)
    return pd.DataFrame(
        {
            "model": table.names(model) if model else ONE_MODEL,
            "unit": table.names(unit),
            "origin": issued.astype("datetime64[s]"),
            "end": end.astype("datetime64[s]"),
            "horizon": ahead,
        }
    )


def _ends(table: Table) -> NDArray[np.datetime64]:
    """Return the last day of the week, or of the month, of each row."""
    end = _known(table, END)
    if end:
        return table.days(end).astype("datetime64[s]")
    if MONTH in table.frame and not _known(table, WEEK):
        return last_days(table.whole_numbers(MONTH)).to_numpy().astype("datetime64[s]")
    return (table.days(_column(table, WEEK, "week")) + _WEEK_END).astype("datetime64[s]")


def _known(table: Table, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in table.frame), None)


def _column(table: Table, names: Sequence[str], what: str) -> str:
    found = _known(table, names)
    if found is None:
        known = ", ".join(map(repr, map(str, table.frame.columns)))
        raise InputError(
            f"no column tells the {what}" if what != "what came" else "no column tells what came",
            where=f"{table.name} row 1",
            expected=f"one of {', '.join(names)}; found {known}",
        )
    return found


def _level(column: str) -> float | None:
    """Return the level of a column such as q0.025."""
    try:
        level = float(column[1:]) if column.startswith("q") else np.nan
    except ValueError:
        return None
    return level if 0 < level < 1 else None


def _checked(table: ForecastTable, name: str) -> ForecastTable:
    rows, kind = table.rows, table.kind
    again = rows.duplicated(["model", "unit", "origin", "end", "horizon", "key"]).to_numpy()
    if again.any():
        first = rows.iloc[int(np.argmax(again))]
        week = f"{first['unit']!r}, week until {first['end']:%Y-%m-%d}"
        raise InputError(
            f"{kind} {first['key']} of {week}, stands in the table twice",
            where=name,
            hint="a column `model`, if there are several",
        )
    if kind == "quantile" and not rows["key"].between(0, 1, inclusive="neither").all():
        raise InputError("a level of a quantile that is not between 0 and 1", where=f"{name}, column 'output_type_id'")
    if kind in {"pmf", "cdf"} and not rows["value"].between(0, 1 + 1e-9).all():
        raise InputError("a probability that is not between 0 and 1", where=f"{name}, column 'value'")
    if kind == "sample" and not ((rows["value"] >= 0) & (rows["value"] % 1 == 0)).all():
        raise InputError(
            "a sample that is no count", where=f"{name}, column 'value'", expected="whole numbers from 0 on"
        )
    return table
