"""Whole forecasts in a file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.units import Units
from forecast.predictive.forecast import Forecast, pmf_of_paths
from forecast.predictive.forecast_file import read_forecasts, write_forecasts


def forecast_of(kind, names, horizon, seed, model="m"):
    paths = np.random.default_rng(seed).poisson(2.0, (50, horizon, len(names))).astype(np.int32)
    weeks = pd.date_range("2026-08-01", periods=horizon, freq="7D", unit="s", name="week")
    radius = None if kind == "region" else [100.0] * len(names)
    units = Units.of(names, kind=kind, groups=["Mali"] * len(names), radius_km=radius)
    return Forecast(paths, pmf_of_paths(paths), weeks, units, model)


def test_forecasts_are_read_as_they_were_written(tmp_path):
    written = [
        forecast_of("region", ["Mali/Gao", "=x"], 8, 1),
        forecast_of("place", ["Gao 100 km"], 8, 2),
        forecast_of("region", ["Mali/Gao"], 1, 3, "other"),
    ]
    write_forecasts(tmp_path / "paths.parquet", written)
    found = read_forecasts(tmp_path / "paths.parquet")
    assert len(found) == 3
    for mine, theirs in zip(written, found, strict=True):
        assert (theirs.model, theirs.units.names, theirs.units.kind) == (mine.model, mine.units.names, mine.units.kind)
        assert theirs.units.groups == mine.units.groups
        np.testing.assert_array_equal(theirs.units.radius_km, mine.units.radius_km)
        np.testing.assert_array_equal(theirs.paths, mine.paths)
        np.testing.assert_array_equal(theirs.pmf, mine.pmf)
        assert theirs.weeks.equals(mine.weeks)


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"no file paths\.parquet"):
        read_forecasts(tmp_path / "paths.parquet")
    (tmp_path / "paths.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not readable as forecasts"):
        read_forecasts(tmp_path / "paths.parquet")
    pd.DataFrame({"unit": ["Gao"]}).to_parquet(tmp_path / "paths.parquet")
    with pytest.raises(InputError, match="not readable as forecasts"):
        read_forecasts(tmp_path / "paths.parquet")
