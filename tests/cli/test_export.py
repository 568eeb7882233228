"""``forecast export``: a run in the formats of others, and back to scores."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.cli import main
from forecast.evaluation.sample_scores import crps_samples
from forecast.exchange.hub_import import read_model_output
from forecast.exchange.views import read_views
from forecast.panel.units import Units
from forecast.predictive.forecast_file import read_forecasts, write_forecasts
from forecast.tabular import read_table

NEWEST, EARLIER = "2000-10-07", "2000-08-05"


@pytest.fixture(scope="module")
def ran(small_workspace, tmp_path_factory):
    """The small workspace, run from two origins; do not change it."""
    folder = tmp_path_factory.mktemp("ran") / "workspace"
    shutil.copytree(small_workspace, folder)
    for options in ([], ["--as-of", EARLIER]):
        assert main(["run", "--workspace", str(folder), "--workers", "1", "--json", *options]) in {0, 3}
    return folder


@pytest.fixture
def exported(ran, tmp_path, forecast):
    """A function that exports, and returns the folder."""

    def call(*options):
        done = forecast("export", "--workspace", ran, "--out", tmp_path / "out", *options)
        assert (done.code, done.out) == (0, f"{tmp_path / 'out'}\n"), done.err
        return tmp_path / "out"

    return call


def of_run(ran, origin=NEWEST, kind="region"):
    found = read_forecasts(ran / "out" / "runs" / "weekly" / origin / "paths.parquet")
    return next(each for each in found if each.units.kind == kind)


def test_a_hub_of_the_newest_run(ran, exported):
    folder = exported("--format", "hub")
    model = "escalation-combined"
    path = folder / "model-output" / model / f"2000-10-06-{model}.csv"
    sent = of_run(ran)
    got = read_model_output(path, sent.units, np.random.default_rng(1))
    np.testing.assert_array_equal(got.paths, sent.paths[:100])
    assert got.remarks == ()
    assert got.weeks.equals(sent.weeks)
    note = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert (note["format"], note["weeks"], note["simulated"]) == ("hub", "Saturday to Friday", True)
    assert list(note["runs"]) == [NEWEST]
    assert json.loads((folder / "hub-config" / "admin.json").read_text())["name"].startswith("SIMULATED: ")


def test_all_runs_in_one_hub_can_be_scored(ran, exported, forecast):
    folder = exported("--format", "hub", "--all", "--file-format", "parquet", "--types", "pmf,quantile", "--team", "us")
    files = sorted(path.name for path in folder.rglob("*.parquet"))
    assert files == ["2000-08-04-us-combined.parquet", "2000-10-06-us-combined.parquet"]
    outcomes = folder / "target-data" / "time-series.csv"
    done = forecast("score", folder / "model-output" / "us-combined" / files[0], "--outcomes", outcomes, "--json")
    (row,) = json.loads(done.out)["models"]
    assert (row["n"], done.code) == (8 * 4, 0)
    own = ran / "out" / "runs" / "weekly" / EARLIER / "forecast.parquet"
    frame = pd.read_parquet(own)
    regions = frame[(frame["model"] == "combined") & (frame["unit_kind"] == "region")]
    regions.to_parquet(folder / "own.parquet")
    (ours,) = json.loads(forecast("score", folder / "own.parquet", "--outcomes", outcomes, "--json").out)["models"]
    assert row["wis"] == pytest.approx(ours["wis"])


def test_views_samples_can_be_scored(ran, tmp_path, forecast):
    workspace = shutil.copytree(ran, tmp_path / "workspace")
    paths = workspace / "out" / "runs" / "weekly" / EARLIER / "paths.parquet"
    (sent,) = [each for each in read_forecasts(paths) if each.units.kind == "region"]
    groups = ("Mali", "Mali", "Niger", "Niger")  # the simulated country has no number
    write_forecasts(paths, [replace(sent, units=Units.of(sent.units.names, groups=groups))])
    done = forecast("export", "--workspace", workspace, "--format", "views", "--origin", EARLIER, "--json")
    assert json.loads(done.out)["files"] == ["cm/window=2000-08-05/predictions.parquet", "export.json"]
    path = workspace / "out" / "exports" / "views" / "cm" / f"window={EARLIER}" / "predictions.parquet"
    got = read_views(path)
    assert got.units == ("50", "78")
    assert got.months.tolist() == [248]  # August, with what was known of its first days; September is not whole
    assert len(got.paths) == min(1000, sent.draws)
    (tmp_path / "actuals.csv").write_text("month_id,country_id,outcome\n248,50,9\n248,78,3\n249,78,0\n")
    done = forecast("score", path, "--outcomes", tmp_path / "actuals.csv", "--json")
    content = json.loads(done.out)
    assert (content["models"][0]["n"], content["first"], content["last"]) == (2, "2000-08-31", "2000-08-31")
    expected = crps_samples(got.paths[:, 0], np.array([9, 3])).mean()
    assert content["models"][0]["crps"] == pytest.approx(expected)


def test_places_with_tags(ran, exported, forecast):
    folder = exported("--format", "hdx", "--units", "places", "--origin", EARLIER)
    weekly, risk = (read_table(folder / name) for name in ("weekly.csv", "risk.csv"))
    assert (folder / "weekly.csv").read_text(encoding="utf-8").splitlines()[1].startswith("#meta+id,#country+name,#loc")
    sent = of_run(ran, EARLIER, "place")
    assert set(risk.frame["unit"]) == set(weekly.frame["unit"]) == set(sent.units.names)
    assert risk.numbers("probability").max() <= 1
    assert set(risk.frame["model"]) == {"combined"}
    assert weekly.numbers("mean") == pytest.approx(sent.mean().ravel(), rel=1e-5, abs=1e-6)
    done = forecast("score", folder / "weekly.csv", "--workspace", ran, "--json")
    (row,) = json.loads(done.out)["models"]
    assert (row["model"], row["n"]) == ("combined", 8 * 3)


def test_an_export_takes_the_place_of_the_one_before(ran, exported, forecast):
    folder = exported("--format", "hub")
    (folder / "old.txt").write_text("old")
    exported("--format", "hdx", "--all")
    assert {path.name for path in folder.iterdir()} == {NEWEST, EARLIER, "export.json"}
    done = forecast("export", "--workspace", ran, "--format", "hdx", "--json")
    assert json.loads(done.out) == {
        "folder": str(ran / "out" / "exports" / "hdx"),
        "origins": [NEWEST],
        "files": ["export.json", "risk.csv", "weekly.csv"],
    }


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--format", "hub", "--origin", "2000-09-30"], ["unknown origin '2000-09-30'", EARLIER]),
        (["--format", "hub", "--origin", NEWEST, "--all"], ["--origin and --all"]),
        (["--format", "hub", "--types", "median"], ["output types median", "quantile, pmf, cdf, sample"]),
        (["--format", "hub", "--team", "a-b"], ["--team", "abbreviation = 'a-b'"]),
        (["--format", "hub", "--licence", "mine"], ["licence = 'mine'", "cc-by-4.0"]),
        (["--format", "hub", "--draws", "5000"], ["5000 sample paths"]),
        (["--format", "hub", "--report", "weakly"], ["unknown report 'weakly'", "weekly"]),
        (["--format", "views", "--units", "places"], ["places overlap"]),
        (["--format", "views"], ["unknown country 'Simulated'"]),
        (["--format", "xml"], ["xml"]),
    ],
)
def test_what_cannot_be_exported(ran, tmp_path, forecast, options, texts):
    done = forecast("export", "--workspace", ran, "--out", tmp_path / "out", *options)
    assert (done.code, done.out) == (2, "")
    for text in texts:
        assert text in done.err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(ran, tmp_path, forecast):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("dear")
    done = forecast("export", "--workspace", ran, "--format", "hub", "--out", tmp_path / "letters")
    assert done.code == 2
    assert "something else than an earlier export" in done.err
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["love.txt"]


def test_no_run_and_a_run_of_an_earlier_version(workspace, ran, tmp_path, forecast):
    done = forecast("export", "--workspace", workspace, "--format", "hub")
    assert done.code == 2
    assert "no run of report 'weekly'" in done.err
    folder = workspace / "out" / "runs" / "weekly" / NEWEST
    shutil.copytree(ran / "out" / "runs" / "weekly" / NEWEST, folder)
    (folder / "paths.parquet").unlink()
    done = forecast("export", "--workspace", workspace, "--format", "hub")
    assert done.code == 2
    assert f"`forecast run --as-of {NEWEST}` makes it anew" in done.err
