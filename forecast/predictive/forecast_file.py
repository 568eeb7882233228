"""Whole forecasts in a parquet file: marginals and sample paths, so that nothing is lost on the way to others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.errors import InputError
from forecast.panel.units import UnitKind, Units
from forecast.predictive.forecast import Forecast

_PLACE = ("latitude", "longitude", "radius_km")


def write_forecasts(path: Path, forecasts: Sequence[Forecast]) -> None:
    """Write forecasts, one row a forecast, week and unit.

    Columns are model, week (its first day), horizon, unit, unit_kind, group, latitude, longitude, radius_km, pmf (a
    list: the probabilities of 0, 1, .. events) and paths (a list: the count in each sample path, in the same order in
    all rows of a forecast). Remarks are not kept.
    """
    tables = []
    for each in forecasts:
        units, cells = each.units, each.horizon * len(each.units)
        tables.append(
            pa.table(
                {
                    "model": pa.repeat(each.model, cells),
                    "week": pa.array(np.repeat(each.weeks.to_numpy(), len(units)).astype("datetime64[D]")),
                    "horizon": pa.array(np.repeat(np.arange(1, each.horizon + 1, dtype=np.int32), len(units))),
                    "unit": pa.array(list(units.names) * each.horizon, pa.string()),
                    "unit_kind": pa.repeat(units.kind, cells),
                    "group": pa.array(list(units.groups) * each.horizon, pa.string()),
                    **{name: pa.array(np.tile(getattr(units, name), each.horizon)) for name in _PLACE},
                    "pmf": pa.array(list(each.pmf.reshape(cells, -1)), pa.list_(pa.float64())),
                    "paths": pa.array(list(each.paths.reshape(each.draws, cells).T), pa.list_(pa.int32())),
                }
            )
        )
    pq.write_table(pa.concat_tables(tables), path, compression="zstd")


def read_forecasts(path: Path) -> list[Forecast]:
    """Read what `write_forecasts` wrote.

    Raises
    ------
    InputError
        If the file is missing or is none.
    """
    try:
        table = pq.read_table(path)
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
        kinds = list(zip(columns["model"], columns["unit_kind"], strict=True))
        of = np.array([list(dict.fromkeys(kinds)).index(kind) for kind in kinds])
        return [_forecast({name: values[of == at] for name, values in columns.items()}) for at in range(of.max() + 1)]
    except FileNotFoundError:
        raise InputError(f"no file {path.name}", where=str(path.parent), hint="`forecast run`") from None
    except (KeyError, OSError, ValueError, pa.ArrowException) as error:
        raise InputError(
            f"not readable as forecasts: {error}", where=str(path), expected="the file that a run wrote"
        ) from None


def _forecast(columns: dict[str, np.ndarray]) -> Forecast:
    horizon = int(columns["horizon"].max())
    one = slice(len(columns["unit"]) // horizon)
    units = Units.of(
        columns["unit"][one].tolist(),
        kind=cast("UnitKind", columns["unit_kind"][0]),
        groups=columns["group"][one].tolist(),
        latitude=columns["latitude"][one],
        longitude=columns["longitude"][one],
        radius_km=columns["radius_km"][one],
    )
    weeks = pd.DatetimeIndex(columns["week"][:: len(units)].astype("datetime64[s]"), name="week")
    paths = np.stack(list(columns["paths"]), axis=1).reshape(-1, horizon, len(units))
    pmf = np.stack(list(columns["pmf"])).reshape(horizon, len(units), -1)
    return Forecast(np.ascontiguousarray(paths), pmf, weeks, units, str(columns["model"][0]))
