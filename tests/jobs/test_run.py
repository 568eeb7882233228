"""The main job: what it publishes, from what, and what it refuses."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError, ModelError
from forecast.families.climatology import Climatology
from forecast.families.discount_negbin import DiscountNegbin
from forecast.jobs.inputs import open_inputs, origin_of, related_panels
from forecast.jobs.run import run
from forecast.panel.dataset import Dataset
from forecast.predictive.forecast_file import read_forecasts
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

RISK = ["unit", "unit_kind", "origin", "target_start", "target_end", "escalation", "probability", "model"]
RISK += ["uncalibrated"]  # with a combined model


@pytest.fixture(scope="module")
def published(small_workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "workspace"
    shutil.copytree(small_workspace, folder)
    return run(open_workspace(folder), workers=1)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_results_are_there_and_the_manifest_has_their_hashes(published):
    files = files_of(published.folder)
    assert set(files) == {
        "index.html",
        "forecast.parquet",
        "paths.parquet",
        "risk.csv",
        "summary.json",
        "manifest.json",
    }
    hashes = json.loads(files["manifest.json"])["files"]
    assert hashes == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    assert published.folder.parts[-3:] == ("runs", "weekly", "2000-10-07")
    assert published.warnings == ()


def test_the_risk_table_has_the_agreed_columns_and_six_decimals(published):
    text = (published.folder / "risk.csv").read_text(encoding="utf-8")
    table = pd.read_csv(published.folder / "risk.csv", dtype=str)
    assert list(table.columns) == RISK
    assert text.splitlines()[0] == ",".join(RISK)
    known = table["probability"].dropna()
    assert known.str.fullmatch(r"[01]\.\d{6}").all()
    assert known.astype(float).between(0, 1).all()
    spec = open_workspace(published.folder.parents[3]).spec
    models = {*spec.models.use, spec.models.headline}
    assert set(table["model"]) == models
    assert len(table) == len(models) * len(spec.escalations) * (4 + 3)
    assert not table.duplicated(["unit", "escalation", "model"]).any()
    assert set(table["origin"]) == set(table["target_start"]) == {"2000-10-07"}
    assert set(table["target_end"]) == {"2000-11-03"}  # four weeks, both days included


def test_the_forecast_table_has_every_model_unit_and_week(published):
    table = pd.read_parquet(published.folder / "forecast.parquet")
    assert len(table) == 4 * (4 + 3) * 8
    assert (table["q0.1"] <= table["q0.5"]).all()
    assert (table["q0.5"] <= table["q0.9"]).all()
    heads = table[[f"p{count}" for count in range(10)]].sum(axis=1)
    assert heads.between(0, 1 + 1e-9).all()
    zero = table[table["model"] == "zero"]
    assert (zero["p0"] == 1).all()
    assert (zero["mean"] == 0).all()


def test_the_paths_of_the_headline_model_are_there(published):
    content = published.content
    found = {each.units.kind: each for each in read_forecasts(published.folder / "paths.parquet")}
    assert set(found) == {"region", "place"}
    for kind, each in found.items():
        said = content.forecasts[kind][content.headline_model]
        np.testing.assert_array_equal(each.paths, said.paths)
        np.testing.assert_array_equal(each.pmf, said.pmf)
        assert each.origin == content.origin


def test_the_risks_are_those_of_the_paths(published):
    content = published.content
    paths = content.forecasts["region"]["discount-negbin"].paths
    rows = content.risk[
        (content.risk["model"] == "discount-negbin")
        & (content.risk["escalation"] == "any_event_4w")
        & (content.risk["unit_kind"] == "region")
    ]
    expected = (paths[:, :4].sum(axis=1) > 0).mean(axis=0)
    # The marginals steady what some paths say by chance.
    np.testing.assert_allclose(rows["probability"].to_numpy(), expected, atol=0.02)
    of_headline = content.risk["model"] == content.headline_model
    assert content.risk.loc[of_headline, "previous"].notna().all()
    assert content.risk.loc[~of_headline, "previous"].isna().all()


def test_the_manifest_tells_where_the_forecast_comes_from(published):
    manifest = json.loads((published.folder / "manifest.json").read_text(encoding="utf-8"))
    root = published.folder.parents[3]
    for path, digest in manifest["inputs"].items():
        assert hashlib.sha256((root / path).read_bytes()).hexdigest() == digest
    assert {"forecast.toml", "reports/weekly.toml", "models/zero.toml"} <= set(manifest["inputs"])
    assert manifest["data"]["simulated"] is True
    assert manifest["origin"] == "2000-10-07"
    assert manifest["known_until"] == "2000-10-06"
    assert manifest["seed"] == 20250601
    assert manifest["backtests"]["simulated-poisson"]["origins"] == 22
    assert set(manifest["models"]) == {"zero", "climatology-26", "discount-negbin"}


def test_neither_the_machine_nor_the_clock_is_in_any_result(published):
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}".encode()
    for name, content in files_of(published.folder).items():
        assert str(published.folder.parents[4]).encode() not in content, name
        assert today not in content, name


def test_simulated_data_are_named_so(published):
    assert "Simulated counts: nothing on this page describes a real place" in (
        published.folder / "index.html"
    ).read_text(encoding="utf-8")


def test_the_same_inputs_give_the_same_bytes_wherever_and_however_they_are_run(published, workspace):
    again = run(open_workspace(workspace), workers=2)
    assert files_of(again.folder) == files_of(published.folder)
    before = files_of(again.folder)
    assert files_of(run(open_workspace(workspace), workers=1).folder) == before  # from kept parts of the backtest


def test_nothing_after_the_origin_enters(workspace):
    """A forecast as of an earlier day is the one made when the data ended there."""
    whole = run(open_workspace(workspace), dt.date(2000, 9, 20), workers=1)
    assert whole.folder.name == "2000-09-16"
    known = whole.content.panels["region"]
    assert known.known_until == pd.Timestamp("2000-09-15")
    for record in whole.content.backtests:
        assert record.forecasts["week"][record.forecasts["observed"].notna()].max() <= known.weeks[-1]
        assert record.forecasts["origin"].max() < known.origin

    change_late_weeks(workspace, first="2000-09-16")
    changed = run(open_workspace(workspace), dt.date(2000, 9, 20), workers=1)
    pd.testing.assert_frame_equal(whole.content.risk, changed.content.risk, check_exact=True)
    for name in ("risk.csv", "forecast.parquet"):
        assert (changed.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_a_forecast_as_of_an_earlier_day_leaves_the_record_as_it_is(workspace, outputs):
    run(open_workspace(workspace), workers=1)
    backtests = workspace / "out" / "backtests"
    blocks = {path.name: path.read_bytes() for path in (backtests / ".blocks-simulated-poisson").iterdir()}
    before = outputs()
    earlier = run(open_workspace(workspace), dt.date(2000, 9, 20), workers=1)
    after = outputs()
    assert {path: after[path] for path in before} == before
    own = backtests / "simulated-poisson-2000-09-16"
    assert {path.split("/")[1] for path in set(after) - set(before) if path.startswith("backtests")} == {own.name}
    assert [record.name for record in earlier.content.backtests] == ["simulated-poisson"]
    # Finished parts are shared, and none of the whole record's were removed.
    kept = {path.name: path.read_bytes() for path in (backtests / ".blocks-simulated-poisson").iterdir()}
    assert {name: kept[name] for name in blocks} == blocks
    assert not (backtests / f".blocks-{own.name}").exists()
    run(open_workspace(workspace), workers=1)  # the owner clears up
    assert {path.name for path in (backtests / ".blocks-simulated-poisson").iterdir()} == set(blocks)


def change_late_weeks(workspace, first):
    """Multiply all counts from a week on by 50, with the right hashes."""
    folder = workspace / "data" / "simulated-poisson"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for path in ("region_weeks.csv", "place_weeks.csv.gz"):
        table = pd.read_csv(folder / path)
        assert (table["week"] >= first).any()
        table["events"] = table["events"].where(table["week"] < first, table["events"] * 50)
        table.to_csv(folder / path, index=False)
        digest = f"sha256:{hashlib.sha256((folder / path).read_bytes()).hexdigest()}"
        next(item for item in package["resources"] if item["path"] == path)["hash"] = digest
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")


@pytest.mark.parametrize(
    ("as_of", "origin"),
    [
        (dt.date(2000, 10, 13), "2000-10-07"),  # the last day for which the data are new enough
        (dt.date(2000, 10, 6), "2000-09-30"),  # a Friday: its week is not over
        (dt.date(2000, 10, 7), "2000-10-07"),
    ],
)
def test_the_origin_is_the_first_day_of_the_week_of_the_day(workspace, as_of, origin):
    panel = open_inputs(open_workspace(workspace)).regions
    assert f"{origin_of(panel, as_of, first_after=8):%Y-%m-%d}" == origin


def test_a_day_beyond_the_data_is_refused(workspace, outputs):
    with pytest.raises(InputError, match="known until 2000-10-06"):
        run(open_workspace(workspace), dt.date(2000, 10, 14))
    assert outputs() == {}


def test_a_day_that_is_too_early_is_refused(workspace, outputs):
    with pytest.raises(InputError, match="too few weeks are known as of 2000-02-20"):
        run(open_workspace(workspace), dt.date(2000, 2, 20))
    assert outputs() == {}


def test_a_short_record_is_a_warning(workspace):
    done = run(open_workspace(workspace), dt.date(2000, 4, 1), workers=1)
    assert done.warnings == (
        "the track record on simulated-poisson has only 5 origins: it says little about how good the forecasts are",
    )
    assert done.warnings[0] in done.content.warnings
    assert json.loads((done.folder / "manifest.json").read_text())["warnings"] == list(done.warnings)


def test_a_model_that_cannot_forecast_is_left_out_visibly(workspace, monkeypatch):
    def fail(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(Climatology, "fit", fail)
    done = run(open_workspace(workspace), workers=1)
    (warning,) = done.warnings
    assert warning.startswith("left out: model 'climatology-26' failed: RuntimeError: no such luck")
    assert "climatology-26" not in set(done.content.risk["model"])
    assert [model.name for model in done.content.models] == ["zero", "discount-negbin", "combined"]
    assert "no such luck" in (done.folder / "index.html").read_text(encoding="utf-8")


def test_a_model_that_fails_in_the_past_is_left_out_of_the_forecast_too(workspace, monkeypatch):
    fit = Climatology.fit

    def fail(self, panel, rng):
        if len(panel.weeks) < 30:
            raise RuntimeError("too short a history")
        return fit(self, panel, rng)

    monkeypatch.setattr(Climatology, "fit", fail)
    done = run(open_workspace(workspace), workers=1)
    assert "model 'climatology-26' failed on the region panel at origin" in done.warnings[0]
    assert set(done.content.risk["model"]) == {"zero", "discount-negbin", "combined"}
    assert set(done.content.backtests[0].leaderboard["model"]) == {"zero", "discount-negbin", "combined"}


def test_a_headline_model_that_fails_is_an_error(workspace, edit, monkeypatch, outputs):
    edit('headline = "combined"', 'headline = "discount-negbin"')

    def fail(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(DiscountNegbin, "fit", fail)
    with pytest.raises(ModelError, match="model 'discount-negbin' failed: RuntimeError: no such luck"):
        run(open_workspace(workspace), workers=1)
    assert outputs() == {}


def to_table(workspace, edit, *, drop=None):
    """Let the workspace read its counts from a plain table of the regions instead."""
    panel = Dataset.open(workspace / "data" / "simulated-poisson").region_panel()
    frame = panel.to_frame().reset_index().melt("week", var_name="region", value_name="events").sort_values("week")
    frame["week"] = frame["week"].dt.strftime("%Y-%m-%d")
    if drop is not None:
        frame = frame.drop(index=frame.index[drop])
    frame.to_csv(workspace / "counts.csv", index=False)
    edit('set = "simulated-poisson"', 'table = "counts.csv"')


def without_places(workspace, edit):
    text = (workspace / "forecast.toml").read_text(encoding="utf-8")
    edit(text[text.index("[[places]]") : text.index("# Escalations")], "")


def test_a_table_of_counts_is_enough(workspace, edit):
    to_table(workspace, edit)
    without_places(workspace, edit)
    done = run(open_workspace(workspace), workers=1)
    assert set(done.content.panels) == {"region"}
    assert done.warnings == ()
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert "counts.csv" in manifest["inputs"]


def test_places_need_more_than_a_table_of_regions(workspace, edit, outputs):
    to_table(workspace, edit)
    with pytest.raises(InputError, match="place 'Town 1' cannot be counted from a table of region counts"):
        run(open_workspace(workspace))
    assert outputs() == {}


def test_missing_weeks_at_the_end_are_a_warning(workspace, edit):
    to_table(workspace, edit, drop=[-2, -7])
    without_places(workspace, edit)
    done = run(open_workspace(workspace), workers=1)
    assert len(done.warnings) == 1
    assert done.warnings[0].startswith("missing_weeks: 2 region-weeks of 2 regions are missing, 2 of them in ")


def test_a_longer_set_is_back_tested_too(workspace, edit):
    """The live data are the last 30 weeks; the same models are judged on all 40 as well."""
    shutil.copytree(workspace / "data" / "simulated-poisson", workspace / "data" / "long")
    edit("calibrate_on = []", 'calibrate_on = ["long"]')
    done = run(open_workspace(workspace), dt.date(2000, 9, 20), workers=1)
    assert [record.name for record in done.content.backtests] == ["simulated-poisson", "long"]
    assert (workspace / "out" / "backtests" / "long-2000-09-16" / "leaderboard.csv").is_file()
    # Also of the other set nothing is used that came after the origin.
    late = [record.forecasts["origin"].max() for record in done.content.backtests]
    assert late[0] == late[1] == pd.Timestamp("2000-09-09")


def test_a_model_is_fitted_on_the_set_that_it_names(workspace, edit):
    shutil.copytree(workspace / "data" / "simulated-poisson", workspace / "data" / "long")
    path = workspace / "models" / "discount-negbin.toml"
    path.write_text('fit_on = "long"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    done = run(open_workspace(workspace), workers=1)
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert "data/long/region_weeks.csv" in manifest["inputs"]
    assert done.warnings == ()


def test_a_set_without_the_countries_is_not_fitted_on_and_the_report_says_so(workspace):
    shutil.copytree(reference_workspace() / "data" / "sahel-2026-weekly", workspace / "data" / "sahel-2026-weekly")
    path = workspace / "models" / "discount-negbin.toml"
    path.write_text('fit_on = "sahel-2026-weekly"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    done = run(open_workspace(workspace), workers=1)
    assert done.warnings == ()
    (note, _) = done.content.warnings
    assert note == (
        "model 'discount-negbin' is fitted on the region counts themselves: "
        "sahel-2026-weekly has nothing of these countries"
    )


def test_a_set_without_the_countries_cannot_calibrate(workspace, edit, outputs):
    shutil.copytree(reference_workspace() / "data" / "sahel-2026-weekly", workspace / "data" / "sahel-2026-weekly")
    edit("calibrate_on = []", 'calibrate_on = ["sahel-2026-weekly"]')
    with pytest.raises(InputError, match="has none of the countries of the workspace"):
        run(open_workspace(workspace), workers=1)
    assert outputs() == {}


def test_the_name_of_a_failed_model_survives_the_way_from_a_worker():
    error = pickle.loads(pickle.dumps(ModelError("model 'last' failed", "last")))
    assert (str(error), error.model) == ("model 'last' failed", "last")


def test_named_regions_are_those_of_the_other_sets_too(workspace, edit):
    shutil.copytree(workspace / "data" / "simulated-poisson", workspace / "data" / "long")
    edit("countries = []", 'names = ["Simulated/R02C01", "Simulated/R01C02"]')
    opened = open_workspace(workspace)
    inputs = open_inputs(opened)
    assert inputs.regions.units.names == ("Simulated/R01C02", "Simulated/R02C01")  # in the order of the set
    others = related_panels(opened, "long", inputs.panels)
    assert others["region"].units.names == inputs.regions.units.names
    assert others["place"].units.names == inputs.panels["place"].units.names
