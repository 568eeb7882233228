"""Forecasts made elsewhere as members of the combination: pooled where they are there, and nowhere else."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from forecast.combination.pool import marginals
from forecast.errors import InputError
from forecast.exchange.hub_folder import write_rows
from forecast.exchange.hub_rows import model_output
from forecast.jobs.external_forecasts import external_forecasts
from forecast.jobs.inputs import open_inputs
from forecast.jobs.run import run
from forecast.predictive.forecast import Forecast, pmf_of_paths
from forecast.workspace import open_workspace

LAST = pd.Timestamp("2000-10-07")
FOLDER = "hub/model-output/their-model"


def theirs(workspace, origin, kind, seed=0):
    """Write what they forecast of the regions from an origin, as one file."""
    panel = open_inputs(open_workspace(workspace)).regions
    rng = np.random.default_rng(seed + origin.toordinal())
    paths = rng.poisson(3.0 * rng.random((300, 1, 1)) + 0.2, (300, 8, len(panel.units))).astype(np.int32)
    weeks = pd.date_range(origin, periods=8, freq="7D", unit="s")
    sent = Forecast(paths, pmf_of_paths(paths), weeks, panel.units, "theirs")
    path = workspace / FOLDER / f"{origin - pd.Timedelta(days=1):%Y-%m-%d}-their-model.csv"
    write_rows(path, model_output(sent, [kind], draws=300))
    return sent


@pytest.fixture
def pooled(workspace, edit):
    """The small workspace with a third member that is made elsewhere, of all its past origins but the last three."""
    edit('members = ["discount-negbin", "climatology-26"', 'members = ["discount-negbin", "climatology-26", "theirs"')
    edit("[backtest]", f'[external.theirs]\npath = "{FOLDER}"\n\n[backtest]')
    for back in range(3, 24):
        theirs(workspace, LAST - back * pd.Timedelta(days=7), "quantile")
    return workspace


@pytest.fixture(scope="module")
def without(small_workspace, tmp_path_factory):
    """The run of the workspace without them."""
    folder = shutil.copytree(small_workspace, tmp_path_factory.mktemp("without") / "workspace")
    return run(open_workspace(folder), workers=1)


def combined(result, kind="region"):
    return result.content.forecasts[kind]["combined"]


@pytest.mark.parametrize("kind", ["sample", "quantile"])
def test_it_takes_part_where_it_has_a_forecast(pooled, without, kind):
    sent = theirs(pooled, LAST, kind)
    done = run(open_workspace(pooled), workers=1)
    assert done.warnings == ()
    by_model = done.content.forecasts["region"]
    laws = [marginals(by_model[name]) for name in ("discount-negbin", "climatology-26")]
    (found,) = external_forecasts(open_workspace(pooled), done.content.panels["region"]).at(LAST).values()
    laws.append(marginals(found.forecast))
    assert found.joint == (kind == "sample")
    k = max(law.shape[2] for law in laws)
    mean = np.mean([np.pad(law, ((0, 0), (0, 0), (0, k - law.shape[2]))) for law in laws], axis=0)
    np.testing.assert_allclose(combined(done).pmf, mean / mean.sum(axis=2, keepdims=True), atol=1e-6)
    if kind == "sample":
        np.testing.assert_array_equal(found.forecast.paths, sent.paths)
    # Its paths are among those of the pool, with their dependence.
    assert combined(done).paths.mean(axis=0) == pytest.approx(mean @ np.arange(k), rel=0.15, abs=0.1)
    # Places are pools of the models alone.
    np.testing.assert_array_equal(combined(done, "place").pmf, combined(without, "place").pmf)
    assert any("'theirs' has forecasts from 20 of the 22 past origins" in note for note in done.content.warnings)


def test_where_it_is_absent_it_is_as_if_there_were_only_the_others(pooled, without):
    done = run(open_workspace(pooled), workers=1)
    (warning,) = done.warnings
    assert warning == (
        "external member 'theirs' has no forecast with reference date 2000-10-06: its weight goes to the other members "
        "in equal parts"
    )
    np.testing.assert_allclose(combined(done).pmf, combined(without).pmf, atol=1e-12)
    chance = [
        each.content.risk.query("model == 'combined'").set_index(["unit_kind", "unit", "escalation"])["probability"]
        for each in (done, without)
    ]
    pd.testing.assert_series_equal(*chance, atol=1e-12)
    note = next(note for note in done.content.warnings if note.startswith("The external member"))
    assert note == (
        "The external member 'theirs' has forecasts from 20 of the 22 past origins; the weights of the members are "
        "learned from these alone."
    )
    inputs = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert sum(path.startswith(FOLDER) for path in inputs) == 21


def test_check_tells_of_it(pooled, forecast):
    done = forecast("check", "--workspace", pooled, "--json")
    (found,) = [each for each in json.loads(done.out)["checks"] if each["name"] == "external"]
    assert (done.code, found["status"]) == (3, "warning")
    assert "has no forecast with reference date 2000-10-06" in found["found"]
    theirs(pooled, LAST, "quantile")
    done = forecast("check", "--workspace", pooled, "--json")
    (found,) = [each for each in json.loads(done.out)["checks"] if each["name"] == "external"]
    assert (done.code, found["found"]) == (0, "theirs: 22 forecasts")


def test_nothing_of_a_later_date_is_read(pooled):
    as_of = (LAST - pd.Timedelta(days=42)).date()
    before = run(open_workspace(pooled), as_of, workers=1)
    files = {path.name: path.read_bytes() for path in before.folder.iterdir()}
    for back in range(6):  # what they forecast later, also wrongly
        theirs(pooled, LAST - back * pd.Timedelta(days=7), "quantile", seed=9)
    (pooled / FOLDER / "2000-09-29-their-model.csv").write_text("nonsense")
    after = run(open_workspace(pooled), as_of, workers=1)
    assert {path.name: path.read_bytes() for path in after.folder.iterdir()} == files
    assert after.warnings == before.warnings


def test_a_faulty_file_is_as_if_it_were_not_there(pooled, without):
    theirs(pooled, LAST, "quantile")
    path = pooled / FOLDER / "2000-10-06-their-model.csv"
    table = pd.read_csv(path)
    table.loc[table["output_type_id"] == 0.5, "value"] = 99
    table.to_csv(path, index=False)
    done = run(open_workspace(pooled), workers=1)
    absent, fault = done.warnings
    assert "has no forecast with reference date 2000-10-06" in absent
    assert "2000-10-06-their-model.csv is not taken: quantiles cross" in fault
    np.testing.assert_allclose(combined(done).pmf, combined(without).pmf, atol=1e-12)


def test_some_regions_and_others(pooled):
    """Of a region that they leave out the others speak alone; regions that are none of ours are passed over."""
    theirs(pooled, LAST, "quantile")
    path = pooled / FOLDER / "2000-10-06-their-model.csv"
    table = pd.read_csv(path)
    names = list(table["location"].unique())
    table["location"] = table["location"].replace({names[0]: "Elsewhere/One"})
    table.to_csv(path, index=False)
    workspace = open_workspace(pooled)
    done = run(workspace, workers=1)
    assert done.warnings == ()
    found = external_forecasts(workspace, done.content.panels["region"]).at(LAST)["theirs"]
    assert found.forecast.units.names == tuple(names[1:])
    laws = [marginals(done.content.forecasts["region"][name])[:, 0] for name in ("discount-negbin", "climatology-26")]
    k = max(law.shape[1] for law in laws)
    mean = np.mean([np.pad(law, ((0, 0), (0, k - law.shape[1]))) for law in laws], axis=0)
    np.testing.assert_allclose(combined(done).pmf[:, 0, :k], mean, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (f'path = "{FOLDER}"', 'path = "../elsewhere"', "leads out of the workspace"),
        (f'path = "{FOLDER}"', 'path = "/etc"', "leads out of the workspace"),
        (f'path = "{FOLDER}"', 'path = "hub/none"', "no folder 'hub/none'"),
        (f'path = "{FOLDER}"', 'path = "models"', "no model output in 'models'"),
        ("[external.theirs]", "[external.zero]", "a model is called 'zero' already"),
        ("[external.theirs]", "[external.thiers]", "did you mean 'thiers'?"),
        (f'path = "{FOLDER}"', f'paht = "{FOLDER}"', "unknown key 'external.theirs.paht'"),
        ('["discount-negbin", "climatology-26", "theirs"', '["theirs", "others"', "none of the members is a model"),
    ],
)
def test_what_is_wrong_with_it(pooled, edit, old, new, message):
    edit(old, new)
    with pytest.raises(InputError) as error:
        run(open_workspace(pooled), workers=1)
    assert message in str(error.value)


def test_a_link_out_of_the_workspace_and_two_files_of_one_day(pooled, tmp_path):
    folder = pooled / FOLDER
    shutil.copy(folder / "2000-09-15-their-model.csv", folder / "2000-09-15-their-other.csv")
    panel = open_inputs(open_workspace(pooled)).regions
    with pytest.raises(InputError, match="have one date"):
        external_forecasts(open_workspace(pooled), panel)
    shutil.move(folder, tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    with pytest.raises(InputError, match="leads out of the workspace"):
        external_forecasts(open_workspace(pooled), panel)
