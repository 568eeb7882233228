"""``forecast score``: forecasts of one's own, in and out of hub format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

LEVELS = [round(0.05 * step, 2) for step in range(1, 20)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Forecasts of two regions over 91 weeks by two models, of which one lacks a week, and what came."""
    folder, rng, rates = tmp_path_factory.mktemp("made"), np.random.default_rng(1), {"Gao": 3.0, "Mopti": 6.0}
    weeks = pd.date_range("2024-01-06", periods=91, freq="7D")
    quantiles = {
        (model, unit): stats.poisson(rate * factor).ppf(LEVELS)
        for unit, rate in rates.items()
        for model, factor in (("right", 1.0), ("low", 0.5))
    }
    rows, came = [], []
    for week in weeks:
        known, end = (f"{week + pd.Timedelta(days=days):%Y-%m-%d}" for days in (-1, 6))
        came += [(unit, f"{week:%Y-%m-%d}", rng.poisson(rate)) for unit, rate in rates.items()]
        for (model, unit), values in quantiles.items():
            if model == "right" or week > weeks[0]:
                of = (model, known, 1, unit, end, "quantile")
                rows += [(*of, level, value) for level, value in zip(LEVELS, values, strict=True)]
    rows.append((*rows[0][:5], "mean", "", 3.0))
    keys = ["model_id", "reference_date", "horizon", "location", "target_end_date"]
    hub = pd.DataFrame(rows, columns=[*keys, "output_type", "output_type_id", "value"])
    hub.to_csv(folder / "hub.csv", index=False)
    pd.DataFrame(came, columns=["unit", "week", "events"]).to_csv(folder / "counts.csv", index=False)
    return folder


@pytest.fixture
def files(made, tmp_path):
    """The same, to change at will."""
    return Path(shutil.copytree(made, tmp_path / "files"))


def test_the_table(files, forecast, snapshot):
    done = forecast("score", files / "hub.csv", "--outcomes", files / "counts.csv")
    assert done.code == 0
    text = f"--- stdout\n{done.out}--- stderr\n{done.err}"
    assert "\n".join(line.rstrip() for line in text.splitlines()) == snapshot


def test_json(files, forecast):
    content = json.loads(forecast("score", files / "hub.csv", "--outcomes", files / "counts.csv", "--json").out)
    low, right = content["models"]
    assert (right["model"], right["verdict"], right["crps"]) == ("right", "no fault found", None)
    assert "too low" in low["verdict"]
    assert low["wis"] > right["wis"]
    assert content["missing"] == {"low": 2, "right": 0}
    assert (content["skipped"], content["unknown"], right["n"]) == (1, 0, 180)
    assert {row["horizon"] for row in content["horizons"]} == {1}


def test_each_on_its_own(files, forecast):
    done = forecast("score", files / "hub.csv", "--outcomes", files / "counts.csv", "--each", "--json")
    assert {row["model"]: row["n"] for row in json.loads(done.out)["models"]} == {"right": 182, "low": 180}


def test_a_forecast_of_a_run_is_scored_by_the_counts_of_a_workspace(workspace, forecast):
    assert forecast("run", "--workspace", workspace, "--workers", 1, "--as-of", "2000-08-05", "--json").code in {0, 3}
    path = workspace / "out" / "runs" / "weekly" / "2000-08-05" / "forecast.parquet"
    content = json.loads(forecast("score", path, "--workspace", workspace, "--json").out)
    assert {row["model"] for row in content["models"]} == {"zero", "climatology-26", "discount-negbin", "combined"}
    assert all(row["n"] == 8 * (4 + 3) for row in content["models"])
    assert all(row["verdict"] == "too few weeks to tell" for row in content["models"])
    assert content["unknown"] == 0


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        ({"location": "Gaoo"}, ["of none of the", "'Gaoo'", "'Gao', 'Mopti'"]),
        ({"value": "many"}, ["'many' is not a number", "hub.csv row 2, column 'value'"]),
        ({"target_end_date": "05/01/2024"}, ["hub.csv row 2, column 'target_end_date'", "ISO 8601"]),
        ({"output_type": "cdf"}, ["no forecast that can be scored", "'cdf'", "quantile, sample, pmf"]),
        ({"output_type_id": 95}, ["a level of a quantile that is not between 0 and 1"]),
    ],
)
def test_a_bad_table_is_refused(files, forecast, change, texts):
    table = pd.read_csv(files / "hub.csv", dtype=object).head(1).assign(**change)
    table.to_csv(files / "hub.csv", index=False)
    done = forecast("score", files / "hub.csv", "--outcomes", files / "counts.csv")
    assert (done.code, done.out) == (2, "")
    for text in texts:
        assert text in done.err


def test_a_file_that_is_not_there(files, forecast):
    done = forecast("score", files / "hubb.csv", "--outcomes", files / "counts.csv")
    assert done.code == 2
    assert "did you mean 'hub.csv'?" in done.err
    done = forecast("score", files / "hub.csv", "--outcomes", files / "count.csv")
    assert "did you mean 'counts.csv'?" in done.err


def test_columns_that_are_missing(files, forecast):
    pd.read_csv(files / "hub.csv").drop(columns="location").to_csv(files / "hub.csv", index=False)
    done = forecast("score", files / "hub.csv", "--outcomes", files / "counts.csv")
    assert done.code == 2
    assert "no column tells the unit" in done.err
    assert "one of unit, location, region, country_id, priogrid_gid; found 'model_id'" in done.err
