"""The live case of 2026: parameters from the long set against the best climatology that knows only 2026."""

import pandas as pd
import pytest

from forecast.evaluation.backtest import run_backtest
from forecast.jobs.inputs import fit_panels, open_inputs
from forecast.jobs.track_plans import backtest_plan
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

CLIMATOLOGIES = ("climatology-26", "climatology-52", "climatology-104")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    workspace = open_workspace(reference_workspace())
    inputs = open_inputs(workspace)
    models = [workspace.catalogue[name] for name in ("discount-negbin", *CLIMATOLOGIES)]
    panels = {"region": inputs.panels["region"]}
    plan = backtest_plan(workspace, "live", panels, models, fit_panels(workspace, models, panels))
    record = run_backtest(plan, tmp_path_factory.mktemp("live") / "record", workers=1)
    found = record.scores[record.scores["origin"] >= "2026-03-07"]
    assert found["origin"].nunique() == 21
    assert found["origin"].max() == pd.Timestamp("2026-07-25")
    return found.pivot_table(index="model", columns="score", values="value", observed=True)


@pytest.mark.parametrize("score", ["crps", "log"])
def test_borrowed_parameters_beat_the_best_climatology_of_the_stream(scores: pd.DataFrame, score: str) -> None:
    assert scores.loc["discount-negbin", score] < scores.loc[list(CLIMATOLOGIES), score].min()
