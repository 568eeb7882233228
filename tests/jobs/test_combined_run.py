"""A run whose headline is the combined model."""

import json

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.jobs.new_workspace import simulate_workspace
from forecast.jobs.run import run
from forecast.jobs.track_record import backtest_workspace
from forecast.workspace import open_workspace

MODELS = ("discount-negbin", "climatology-26")
MEMBERS = 'members = ["discount-negbin", "climatology-26"]'
HEADLINE = 'headline = "combined"'


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_combined_model_is_published_with_the_others_and_with_its_steps(workspace):
    done = run(open_workspace(workspace), workers=1)
    files = files_of(done.folder)
    manifest = json.loads(files["manifest.json"])
    assert manifest["headline_model"] == "combined"
    assert manifest["combination"]["members"] == ["discount-negbin", "climatology-26"]
    assert set(manifest["combination"]["steps"]) == {"region", "place"}
    assert "combined" in manifest["backtests"]["simulated-poisson"]["models"]

    forecasts = pd.read_parquet(done.folder / "forecast.parquet")
    mean = forecasts.pivot_table(index=["unit", "week"], columns="model", values="mean")
    np.testing.assert_allclose(mean["combined"], mean[["discount-negbin", "climatology-26"]].mean(axis=1), rtol=1e-6)

    risk = pd.read_csv(done.folder / "risk.csv")
    assert risk.columns[-1] == "uncalibrated"
    stated = risk.pivot_table(index=["unit", "escalation"], columns="model", values="probability")
    np.testing.assert_allclose(
        stated["combined"], stated[["discount-negbin", "climatology-26"]].mean(axis=1), atol=2e-6
    )
    shown = done.content.risk[done.content.risk["model"] == "combined"]
    assert shown["previous"].notna().mean() > 0.5
    assert "Steps of the combined forecast" in files["index.html"].decode()

    again = run(open_workspace(workspace), workers=2)
    assert files_of(again.folder) == files


def test_paths_agree_with_the_marginals(workspace):
    done = run(open_workspace(workspace), workers=1)
    for kind in ("region", "place"):
        forecast = done.content.forecasts[kind]["combined"]
        np.testing.assert_allclose(forecast.paths.mean(axis=0), forecast.mean(), atol=0.35)


def test_a_backtest_publishes_the_same_record_as_a_run(workspace):
    opened = open_workspace(workspace)
    run(opened, workers=1)
    folder = opened.out / "backtests" / "simulated-poisson"
    before = files_of(folder)
    assert "steps.csv" in before
    record, where = backtest_workspace(opened, workers=1)
    assert (where, files_of(where)) == (folder, before)
    assert record.steps is not None


def test_models_of_ones_own_choice_have_it_where_all_of_its_members_are_among_them(workspace):
    opened = open_workspace(workspace)
    for models, more in [(["zero"], set()), (["zero", "climatology-26"], set()), ([*MODELS], {"combined"})]:
        record, _ = backtest_workspace(opened, models=models, workers=1)
        assert set(record.leaderboard["model"]) == {*models, *more}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (MEMBERS, MEMBERS.replace("climatology-26", "climatolgy-26"), "did you mean 'climatology-26'"),
        (MEMBERS, MEMBERS.replace('"discount-negbin", ', ""), "fewer than 2 entries"),
        (MEMBERS, MEMBERS + '\nname = "zero"', "is called 'zero' already"),
        (MEMBERS, MEMBERS + '\nweigths = "equal"', "unknown key 'combination.weigths'"),
        (HEADLINE, 'headline = "combind"', "did you mean 'combined'"),
    ],
)
def test_what_is_wrong_with_the_section_is_told(workspace, edit, old, new, message):
    edit(old, new)
    with pytest.raises(InputError, match=message):
        open_workspace(workspace)


def test_a_workspace_made_from_it_has_the_section_too(workspace, tmp_path):
    source = open_workspace(workspace)
    made = simulate_workspace(tmp_path / "other", source, "poisson", weeks=30, regions=2, seed=1)
    assert made.spec.combination == source.spec.combination
    assert made.spec.models.headline == "combined"
    assert made.headline_model().name == "discount-negbin"
