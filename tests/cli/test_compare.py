"""``forecast compare``: its tables, its page, its figures in JSON, and what it refuses."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from forecast.cli import main


@pytest.fixture(scope="module")
def compared(small_workspace, tmp_path_factory):
    """A copy of the small workspace with a record of 22 origins; tests read it only, or write below out/comparisons."""
    folder = tmp_path_factory.mktemp("compare") / "workspace"
    shutil.copytree(small_workspace, folder)
    assert main(["backtest", "--workspace", str(folder), "--workers", "1", "--json"]) == 0
    return folder


def test_the_tables(compared, forecast, snapshot):
    done = forecast("compare", "--workspace", compared)
    assert done.code == 0
    assert "\n".join(line.rstrip() for line in done.out.splitlines()) == snapshot
    page = compared / "out" / "comparisons" / "simulated-poisson" / "index.html"
    assert done.err.splitlines() == ["SIMULATED counts: nothing of this describes a real place.", str(page)]
    text = page.read_text(encoding="utf-8")
    assert text.rstrip().endswith("</html>")
    assert 'id="map-figure"' in text
    assert [path.name for path in page.parent.parent.iterdir()] == ["simulated-poisson"]


def test_json_agrees_with_the_leaderboard(compared, forecast):
    content = json.loads(forecast("compare", "--workspace", compared, "--reference", "climatology-26", "--json").out)
    board = pd.read_csv(compared / "out/backtests/simulated-poisson/leaderboard.csv").set_index("model")
    assert content["models"] == list(board.index)
    assert content["n"] == board["n"].iloc[0]
    skill = {row["model"]: row["skill"] for row in content["skill"] if row["against"] == "reference"}
    assert skill == pytest.approx(board["skill"].to_dict())
    assert (content["reference"], content["simulated"], content["score"]) == ("climatology-26", True, "crps")
    labels = {row["label"] for row in content["where"]}
    assert len(labels) == 4
    assert {row["of"] for row in content["murphy"]} > {"mean", "any_event_4w"}
    rows = [row for row in content["alarms"] if row["escalation"] == "any_event_4w" and row["threshold"] == 0.5]
    assert {row["model"] for row in rows} == set(content["models"])
    assert all(row["hits"] + row["misses"] <= row["cases"] for row in rows)
    assert content["values"]
    assert all(row["low"] is None for row in content["values"])  # too few origins for an interval
    assert content["course"][0]["week"] == content["first"]


def test_other_scores_models_and_units(compared, forecast):
    done = forecast(
        *("compare", "--workspace", compared, "--score", "log", "--models", "zero,climatology-26"),
        *("--units", "place", "--json"),
    )
    content = json.loads(done.out)
    assert sorted(content["models"]) == ["climatology-26", "combined", "zero"]  # the reference is among them
    assert (content["score"], content["units"]) == ("log", "place")
    assert all("Town" in row["label"] for row in content["where"])


def test_the_same_record_gives_the_same_bytes(compared, forecast):
    page = compared / "out" / "comparisons" / "simulated-poisson" / "index.html"
    forecast("compare", "--workspace", compared)
    before = page.read_bytes()
    forecast("compare", "--workspace", compared)
    assert page.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--reference", "climatology-25"], ["unknown model 'climatology-25'", "'climatology-26'"]),
        (["--models", "zeroo"], ["unknown model 'zeroo'", "'zero'"]),
        (["--score", "dss"], ["unknown score 'dss'", "--score", "'crps'"]),
        (["--units", "regions"], ["unknown kind of unit 'regions'", "--units", "'region'"]),
        (["--name", "simulated"], ["unknown record 'simulated'", "--name", "'simulated-poisson'"]),
        (["--data", "long"], ["unknown dataset 'long'", "--data"]),
    ],
)
def test_a_slip_is_refused(compared, forecast, arguments, texts):
    done = forecast("compare", "--workspace", compared, *arguments)
    assert (done.code, done.out) == (2, "")
    for text in texts:
        assert text in done.err


def test_without_a_record_it_says_how_to_get_one(workspace, forecast, outputs):
    done = forecast("compare", "--workspace", workspace)
    assert (done.code, done.out) == (2, "")
    for text in ("no record 'simulated-poisson' yet", "out/backtests", "`forecast backtest` first"):
        assert text in done.err
    assert outputs() == {}
    shutil.copytree(workspace / "data" / "simulated-poisson", workspace / "data" / "long")
    assert (
        "`forecast backtest --data long` first" in forecast("compare", "--workspace", workspace, "--data", "long").err
    )


def test_a_damaged_record_is_refused(compared, tmp_path, forecast):
    folder = tmp_path / "workspace"
    shutil.copytree(compared, folder)
    path = folder / "out" / "backtests" / "simulated-poisson" / "scores.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    done = forecast("compare", "--workspace", folder)
    assert done.code == 2
    assert "the record of the backtest is damaged" in done.err
