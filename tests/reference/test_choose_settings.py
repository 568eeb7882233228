"""The grid of settings that is tried, and the specs made from it."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.config import parse, read_toml
from forecast.errors import InputError
from forecast.families.model import ModelSpec
from forecast.workspace import open_workspace

ROOT = Path(__file__).parents[2]
FILE = importlib.util.spec_from_file_location("choose_settings", ROOT / "benchmarks" / "studies" / "choose_settings.py")
choose_settings = importlib.util.module_from_spec(FILE)
sys.modules[FILE.name] = choose_settings
FILE.loader.exec_module(choose_settings)
GRIDS = sorted((ROOT / "benchmarks" / "studies" / "grids").glob("*.toml"))


def spec_of(**settings: object) -> ModelSpec:
    return ModelSpec(name="one", family="direct_endemic", title="One", method="None.", settings=settings)


def test_one_setting_is_moved_at_a_time_from_those_of_the_spec():
    axes = {"ridge": [16, 64], "terms.near": [0, 0.3]}
    tried = choose_settings.choices(spec_of(ridge=64), axes, every_combination=False)
    assert tried == [
        {"ridge": 64, "terms.near": 0.3},
        {"ridge": 16, "terms.near": 0.3},
        {"ridge": 64, "terms.near": 0},
    ]


def test_all_combinations_are_tried_once_each():
    tried = choose_settings.choices(spec_of(ridge=64), {"ridge": [16, 64], "harmonics": [0, 1]}, every_combination=True)
    assert tried[0] == {"ridge": 64, "harmonics": 1}
    assert len(tried) == 4


def test_a_setting_that_the_family_does_not_have_is_refused():
    with pytest.raises(InputError, match="ridge"):
        choose_settings.choices(spec_of(), {"rigde": [1]}, every_combination=False)
    with pytest.raises(InputError, match="ridge"):
        choose_settings.Grid(settings={"ridge": [1, 2]}).axes(["rigde"])


def test_settings_within_settings_are_replaced_and_checked():
    made = choose_settings.with_settings(spec_of(ridge=64), {"terms.near": 0, "harmonics": 2}, "one-1")
    family = made.build()
    assert (family.terms.near, family.harmonics, family.ridge, made.fit_on) == (0, 2, 64, None)
    with pytest.raises(InputError):
        choose_settings.with_settings(spec_of(), {"terms.near": 2}, "one-1")


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_every_grid_fits_its_model(path: Path):
    spec = open_workspace(ROOT).catalogue[path.stem]
    grid = parse(choose_settings.Grid, read_toml(path), where=path.name)
    for at, settings in enumerate(choose_settings.choices(spec, grid.axes(), every_combination=False)):
        assert choose_settings.with_settings(spec, settings, f"{spec.name}-{at}").name == f"{spec.name}-{at}"


def scores_of(better: float, weeks: int = 104) -> pd.DataFrame:
    """Return scores of three models: one, one better by a share, and one that is better and worse in turn."""
    rng = np.random.default_rng(1)
    base = rng.gamma(2.0, 1.0, weeks)
    origins = pd.date_range("2013-01-05", periods=weeks, freq="7D")
    models = {"a": base, "b": base * (1 - better), "c": base * np.tile([0.7, 1.3], weeks // 2)}
    parts = [pd.DataFrame({"model": m, "origin": origins, "score": "log", "value": v}) for m, v in models.items()]
    return pd.concat(parts)


def test_a_gain_has_an_interval():
    table = choose_settings.gains(scores_of(0.02), ["a", "b", "c"], "log")
    assert table.loc["a"].tolist() == [0.0, 0.0, 0.0]
    assert table.loc["b"].to_numpy() == pytest.approx(0.02)
    assert table.loc["c", "gain_low"] < 0 < table.loc["c", "gain_high"]


@pytest.mark.slow
def test_the_spec_stays_unless_another_choice_is_clearly_better():
    spec = open_workspace(ROOT).catalogue["direct-endemic"]
    targets = choose_settings.Targets(pd.Timestamp("2014-01-01"), pd.Timestamp("2014-12-31"), ("Mali",))
    tried = choose_settings.choices(spec, {"ridge": [16, 256], "horizons": [7]}, every_combination=False)
    table = choose_settings.compare(spec, tried, "log", targets, workers=1)
    assert len(table) == 3
    assert table["gain"].iloc[0] == 0
    best = table["gain"].idxmax()
    assert table.index[table["chosen"]].tolist() == [best if table.loc[best, "gain_low"] > 0 else table.index[0]]
