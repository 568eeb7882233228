"""The figures to reach on the embedded counts: Mali, Burkina Faso and Niger, targets 2017 to 2019, horizons 1 to 8."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from forecast.evaluation.record import BacktestRecord
from forecast.workspace import open_workspace

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location(
    "embedded_protocol", ROOT / "benchmarks" / "studies" / "embedded_protocol.py"
)
embedded_protocol = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(embedded_protocol)

MODELS = ("discount-negbin", "climatology-52", "zero")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> BacktestRecord:
    catalogue = open_workspace(ROOT).catalogue
    folder = tmp_path_factory.mktemp("protocol") / "record"
    return embedded_protocol.protocol([catalogue[name] for name in MODELS], folder, workers=1)


@pytest.fixture(scope="module")
def board(record: BacktestRecord) -> pd.DataFrame:
    return embedded_protocol.summary(record)


def test_every_target_week_is_scored_at_every_horizon(record: BacktestRecord) -> None:
    rows = record.forecasts.query("model == 'zero' and '2017-01-01' <= week <= '2019-12-31'").dropna(subset="observed")
    assert rows["unit"].nunique() == 30
    assert (rows.groupby("horizon")["week"].nunique() == 155).all()


def test_scores_of_the_discounted_model(board: pd.DataFrame) -> None:
    assert board.loc["discount-negbin", "crps"] <= 0.1203
    assert board.loc["discount-negbin", "log"] <= 0.327
    assert board.index[0] == "discount-negbin"


@pytest.mark.parametrize("among", ["cov", "active"])
@pytest.mark.parametrize("level", [50, 80, 95])
def test_intervals_of_the_discounted_model_cover_within_two_points(board: pd.DataFrame, among: str, level: int) -> None:
    assert board.loc["discount-negbin", f"{among}{level}"] == pytest.approx(level / 100, abs=0.02)


def test_plain_models_agree_with_the_trials(board: pd.DataFrame) -> None:
    # The trials found .1686 for zero (exact by definition) and .1220 / .3639 for the last 52 weeks with 5 % pooled.
    assert board.loc["zero", "crps"] == pytest.approx(0.1686, abs=5e-5)
    assert board.loc["climatology-52", "crps"] == pytest.approx(0.1220, abs=5e-4)
    assert board.loc["climatology-52", "log"] == pytest.approx(0.3639, abs=5e-3)
