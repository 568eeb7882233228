"""What each command does when all is well."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import forecast as package
from forecast.cli import main
from forecast.cli.output import percent
from forecast.panel.checks.registry import PANEL_CHECKS
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

COMMANDS = (
    "run",
    "backtest",
    "compare",
    "score",
    "place",
    "export",
    "check",
    "models",
    "init",
    "simulate",
    "schedule",
    "ledger",
)


@pytest.fixture(scope="module")
def ran(small_workspace, tmp_path_factory):
    """A copy of the small workspace that has been run once, so that commands find finished parts."""
    folder = tmp_path_factory.mktemp("ran") / "workspace"
    shutil.copytree(small_workspace, folder)
    assert main(["run", "--workspace", str(folder), "--workers", "1", "--json"]) == 0
    return folder


def test_help_and_version_import_nothing_heavy():
    heavy = ("numpy", "pandas", "scipy", "plotly", "numba", "sklearn", "pyarrow", "rich", "jinja2")
    code = (
        "import sys; from forecast.cli import main\n"
        "code = main(sys.argv[1:])\n"
        f"print([name for name in {heavy!r} if name in sys.modules], code, file=sys.stderr)"
    )
    for arguments in (["--help"], ["--version"], ["run", "--help"], ["rnu"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        expected = 2 if arguments == ["rnu"] else 0
        assert done.stderr.splitlines()[-1] == f"[] {expected}"


def test_help_imports_no_command():
    code = (
        "import sys; from forecast.cli import main; main(['--help'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('forecast.cli.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == str([f"forecast.cli.{name}" for name in ("app", "main", "output")])
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_version(forecast):
    assert forecast("--version").out == f"forecast {package.__version__}\n"


def test_help_has_an_example_for_each_command(forecast):
    for command in COMMANDS:
        shown = forecast(command, "--help")
        assert shown.code == 0
        assert re.search(rf"Examples:\n +forecast {command}\b", shown.out), command


def test_run_ends_with_the_path_of_the_report(ran, forecast):
    done = forecast("run", "--workspace", ran, "--workers", 1)
    assert done.code == 0
    assert done.out == f"{ran}/out/runs/weekly/2000-10-07/index.html\n"
    assert "SIMULATED counts" in done.err
    assert "more events within the next 4 weeks than in 90" in done.err
    assert re.search(r"Simulated/R0\dC0\d +\d+ %", done.err)


def test_run_in_json_is_one_object(ran, forecast):
    done = forecast("run", "--workspace", ran, "--workers", 1, "--json")
    content = json.loads(done.out)
    assert content["index"].endswith("index.html")
    assert content["warnings"] == []
    chances = [row["probability"] for row in content["top"]]
    assert chances == sorted(chances, reverse=True)
    assert content["outcome"] == "unchanged"


def test_warnings_are_for_the_scheduler(ran, forecast):
    done = forecast("run", "--workspace", ran, "--workers", 1, "--as-of", "2000-04-01")
    assert done.code == 3
    assert "Warning: the track record on simulated-poisson has only 5 origins" in done.err
    assert done.out.splitlines()[-1].endswith("2000-04-01/index.html")


def test_backtest_shows_the_leaderboard(ran, forecast):
    done = forecast("backtest", "--workspace", ran, "--workers", 1)
    assert done.code == 0
    assert "simulated-poisson: 22 origins" in done.out
    assert "on final data" in done.out
    assert "options of your own" not in done.err
    for model in ("zero", "climatology-26", "discount-negbin"):
        assert model in done.out
    assert str(ran / "out" / "backtests" / "simulated-poisson") in done.err
    assert re.search(r"discount-negbin +\d+ +0\.\d{4} ", done.out), done.out  # four digits tell models apart


def test_what_is_not_known_of_the_skill_is_a_dash(workspace, forecast):
    done = forecast(
        *("backtest", "--workspace", workspace, "--workers", 1, "--models", "zero,climatology-26"),
        *("--start", "2000-08-01", "--end", "2000-08-31"),
    )
    assert re.search(r"zero .*-?\d+\.\d \(-\)", done.out), done.out
    assert "nan" not in done.out
    assert "the record of the reports, simulated-poisson, is as it was" in done.err


def test_backtest_takes_models_days_and_horizon(workspace, forecast):
    done = forecast(
        *("backtest", "--workspace", workspace, "--workers", 1, "--json", "--models", "zero,climatology-26"),
        *("--start", "2000-06-01", "--end", "2000-07-31", "--horizon", 5, "--refit-every", 4),
    )
    content = json.loads(done.out)
    assert (content["first"], content["last"], content["origins"]) == ("2000-06-03", "2000-07-29", 9)
    assert content["known_as"] == "on final data"
    assert {row["model"] for row in content["leaderboard"]} == {"zero", "climatology-26"}
    assert all(row["skill_low"] is None for row in content["leaderboard"])  # too few origins for an interval
    manifest = json.loads(
        (workspace / "out/backtests/simulated-poisson-custom/manifest.json").read_text(encoding="utf-8")
    )
    assert (manifest["horizon"], manifest["refit_every"]) == (5, 4)


def test_backtest_on_another_set(workspace, forecast):
    shutil.copytree(workspace / "data" / "simulated-poisson", workspace / "data" / "long")
    done = forecast("backtest", "--workspace", workspace, "--workers", 1, "--data", "long", "--name", "long")
    assert "long: 22 origins" in done.out
    assert (workspace / "out" / "backtests" / "long" / "leaderboard.csv").is_file()


def test_check_finds_nothing_wrong(workspace, forecast):
    done = forecast("check", "--workspace", workspace, "--json")
    content = json.loads(done.out)
    assert done.code == 0
    assert content["status"] == "ok"
    own = {"reports", "models", "results", "data", "regions", "places", "history", "age", "map", "fit"}
    assert own | set(PANEL_CHECKS) == {item["name"] for item in content["checks"]}


def test_check_warns_of_old_data(forecast):
    reference = reference_workspace()
    assert forecast("check", "--workspace", reference, "--as-of", "2026-08-03").code == 0
    old = forecast("check", "--workspace", reference, "--as-of", "2026-09-30", "--json")
    assert old.code == 3
    (age,) = [item for item in json.loads(old.out)["checks"] if item["status"] != "ok"]
    assert age["found"] == "known until 2026-07-31, 61 days before 2026-09-30"


def test_check_finds_what_is_wrong(workspace, edit, forecast):
    (workspace / "data" / "simulated-poisson" / "region_weeks.csv").write_text("week,region,events\n")
    (workspace / "reports" / "monthly.toml").write_text('name = "monthly"\n')
    done = forecast("check", "--workspace", workspace, "--json")
    assert done.code == 2
    errors = {item["name"]: item["found"] for item in json.loads(done.out)["checks"] if item["status"] == "error"}
    assert "the file was changed" in errors["data"]
    assert "key 'title' is missing" in errors["reports"]


def test_a_place_of_the_workspace_has_the_figures_of_the_report(ran, forecast):
    report = json.loads(forecast("run", "--workspace", ran, "--workers", 1, "--json").out)
    done = forecast("place", "Town 1", "--radius-km", 100, "--workspace", ran, "--json", "--no-history")
    content = json.loads(done.out)
    assert content["place"] == "Town 1 100 km"
    assert content["simulated"] is True
    risk = (ran / "out/runs/weekly" / report["origin"] / "risk.csv").read_text(encoding="utf-8")
    (row,) = [line for line in risk.splitlines() if re.search("^Town 1 100 km,.*any_event_4w.*,discount-negbin,", line)]
    said = {one["name"]: one["probability"] for one in content["models"]}
    assert f"{said['towns']:.6f}" == row.split(",")[-3]
    odds = np.exp(np.mean([np.log(chance / (1 - chance)) for chance in said.values()]))
    assert content["probability"] == content["probability_raw"] == pytest.approx(odds / (1 + odds))
    assert content["low"] <= content["mean"] <= content["high"]
    assert content["ratio_all"] == pytest.approx(content["probability"] / content["base_rate_all"])


def test_place_says_how_many_weeks_are_usual(ran, forecast):
    short = forecast("place", "Town 1", "--radius-km", 100, "--workspace", ran, "--no-history").out
    assert "usual, 40 weeks known   " in short
    assert short.count("usual") == 1


def test_place_with_a_long_past_says_what_was_usual_lately(tmp_path, forecast):
    assert forecast("simulate", "poisson", tmp_path / "long", "--weeks", 130, "--regions", 4).code == 0
    shown = forecast("place", "Town 1", "--radius-km", 100, "--workspace", tmp_path / "long", "--no-history").out
    assert "usual, two years" in shown
    assert "usual, 130 weeks known" in shown


def test_a_point_is_counted_from_single_events(ran, forecast):
    """A point at a town, with the radius of the workspace, has the counts of the town."""
    from forecast.panel.dataset import Dataset

    dataset = Dataset.open(ran / "data" / "simulated-poisson")
    town = dataset.places().iloc[0]
    point = f"{town['latitude']}, {town['longitude']}"
    shown = forecast("place", "--latlon", point, "--radius-km", 100, "--workspace", ran, "--json", "--no-history")
    there = json.loads(shown.out)
    assert there == json.loads(forecast("place", "--workspace", ran, "--json", "--no-history", "--", point).out)
    named = json.loads(
        forecast("place", town["place"], "--radius-km", 100, "--workspace", ran, "--json", "--no-history").out
    )
    assert there["place"].startswith(f"{town['latitude']},")
    for key in ("base_rate_all", "base_rate_two_years", "origin", "target_end"):
        assert there[key] == named[key]
    assert there["mean"] == pytest.approx(named["mean"], rel=0.5)
    other = json.loads(
        forecast("place", town["place"], "--radius-km", 33, "--workspace", ran, "--json", "--no-history").out
    )
    counts = dataset.place_panel([(town["place"], 100)]).counts.sum()
    assert other["mean"] < named["mean"]
    assert counts > 0


def test_place_goes_back_and_looks_further_ahead(ran, forecast):
    done = forecast(
        *("place", "Town 1", "--radius-km", 50, "--weeks", 12, "--as-of", "2000-08-01", "--workspace", ran, "--json"),
        "--no-history",
    )
    content = json.loads(done.out)
    assert (content["target_start"], content["target_end"]) == ("2000-07-29", "2000-10-20")


def test_models_lists_the_catalogue(workspace, forecast):
    content = json.loads(forecast("models", "--workspace", workspace, "--json").out)
    assert [row["name"] for row in content["models"]] == ["climatology-26", "discount-negbin", "zero", "combined"]
    assert [row["headline"] for row in content["models"]] == [False, False, False, True]
    assert all(row["in_use"] for row in content["models"])
    one = json.loads(forecast("models", "climatology-26", "--workspace", workspace, "--json").out)
    assert one["settings"] == {"weeks": 26, "pooled_share": 0.05, "pool": "all"}
    combined = json.loads(forecast("models", "combined", "--workspace", workspace, "--json").out)
    assert combined["settings"]["members"] == ["discount-negbin", "climatology-26"]


def test_init_makes_a_workspace_for_another_country(tmp_path, forecast):
    target = tmp_path / "nigeria"
    done = forecast("init", target, "--data", "west-africa-weekly", "--country", "Nigeria")
    assert (done.code, done.out) == (0, f"{target}\n")
    made = open_workspace(target)
    assert made.spec.title == "Nigeria"
    assert made.spec.regions.countries == ("Nigeria",)
    assert [place.unit for place in made.spec.places] == ["Lagos 100 km", "Kano 100 km", "Ibadan 100 km"]
    assert made.spec.data.calibrate_on == ()
    reference = open_workspace(reference_workspace()).spec
    assert (made.spec.models, made.spec.combination) == (reference.models, reference.combination)
    assert forecast("check", "--workspace", target, "--as-of", "2020-01-01").code == 0
    assert not list(target.rglob("*.py"))


def test_init_of_nothing_else_is_the_reference_workspace(tmp_path, forecast):
    assert forecast("init", tmp_path / "sahel", "--json").code == 0
    reference = reference_workspace()
    assert (tmp_path / "sahel" / "forecast.toml").read_text(encoding="utf-8") == (
        reference / "forecast.toml"
    ).read_text(encoding="utf-8"), "keep forecast/forecast.toml.j2 and forecast.toml in step"
    assert open_workspace(tmp_path / "sahel").catalogue == open_workspace(reference).catalogue


def test_init_for_one_country_of_a_short_set_calibrates_on_the_long_one(tmp_path, forecast):
    done = forecast("init", tmp_path / "mali", "--country", "Mali", "--title", 'Mali "north"', "--json")
    assert json.loads(done.out)["places"] == ["Bamako 100 km", "Sikasso 100 km", "Koutiala 100 km"]
    made = open_workspace(tmp_path / "mali")
    assert made.spec.title == 'Mali "north"'
    assert made.spec.data.calibrate_on == ("west-africa-weekly",)


def own_counts(folder, *, start="2024-06-03", weeks=80, country=None):
    """Write counts of 3 regions."""
    rng = np.random.default_rng(1)
    lines = ["week,region,events" + (",country" if country else "")]
    for week in pd.date_range(start, periods=weeks, freq="7D"):
        for region, mean in {"Bay": 3, "Banadir": 8, "Gedo": 0.5}.items():
            lines.append(f"{week:%Y-%m-%d},{region},{rng.poisson(mean)}" + (f",{country}" if country else ""))
    path = folder / "my counts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_init_with_a_table_makes_a_workspace_that_runs_at_once(tmp_path, forecast):
    target = tmp_path / "own"
    done = forecast("init", target, "--table", own_counts(tmp_path))
    assert (done.code, done.out) == (0, f"{target}\n")
    made = open_workspace(target)
    assert made.spec.title == "my counts"
    assert (made.spec.data.table, made.spec.data.week_start) == ("data/my counts.csv", "monday")
    assert (made.spec.data.complete, made.spec.data.calibrate_on, made.spec.places) == (False, (), ())
    assert made.spec.data.columns.country is None
    assert "0 of 240 of them had no row" in (target / "forecast.toml").read_text(encoding="utf-8")
    assert made.spec.backtest.first_after == 26  # of 80 weeks, a third is for learning
    assert all(model.fit_on is None for model in made.catalogue.values())
    assert made.spec.models.headline == "combined"
    assert made.spec.combination.members == ("discount-negbin", "excited-hurdle")  # the third needs a long history
    assert "direct-endemic" not in made.spec.models.use
    ran = forecast("run", "--workspace", target, "--workers", 1, "--json")
    assert ran.code in {0, 3}, ran.err
    assert {row["unit"] for row in json.loads(ran.out)["top"]} == {"Bay", "Banadir", "Gedo"}


def test_init_with_a_table_of_known_countries_borrows_parameters(tmp_path, forecast):
    table = own_counts(tmp_path, start="2024-06-01", weeks=30, country="Mali")
    assert forecast("init", tmp_path / "own", "--table", table, "--title", "Mali, own", "--json").code == 0
    made = open_workspace(tmp_path / "own")
    assert (made.spec.title, made.spec.data.columns.country) == ("Mali, own", "country")
    assert made.catalogue["discount-negbin"].fit_on == "west-africa-weekly"
    assert made.spec.combination == open_workspace(reference_workspace()).spec.combination
    assert made.spec.backtest.first_after == 10
    assert {rule.window for rule in made.spec.escalations if hasattr(rule, "window")} == {30}
    assert forecast("check", "--workspace", tmp_path / "own", "--as-of", "2024-12-28").code == 0


def test_init_with_other_weeks_than_the_long_set_does_not_borrow_from_it(tmp_path, forecast):
    assert forecast("init", tmp_path / "own", "--table", own_counts(tmp_path, country="Mali")).code == 0
    assert open_workspace(tmp_path / "own").catalogue["discount-negbin"].fit_on is None


@pytest.mark.parametrize("kind", ["poisson", "hawkes"])
def test_simulate_makes_a_workspace_that_says_so(tmp_path, forecast, kind):
    done = forecast("simulate", kind, tmp_path / "play", "--weeks", 30, "--regions", 4, "--seed", 5, "--json")
    assert json.loads(done.out)["title"] == f"SIMULATED {kind}"
    checked = json.loads(forecast("check", "--workspace", tmp_path / "play", "--json").out)
    assert checked["status"] == "ok"
    assert all(model.fit_on is None for model in open_workspace(tmp_path / "play").catalogue.values())


def test_an_empty_folder_gets_the_reference_workspace_and_its_own_results(tmp_path, monkeypatch, forecast):
    monkeypatch.chdir(tmp_path)
    done = forecast("models")
    assert done.code == 0
    assert "this is the reference workspace, Central Sahel" in done.err
    from forecast.cli.options import open_chosen

    assert open_chosen(None).out == tmp_path / "out"


def test_shares_are_never_rounded_to_certainty():
    assert [percent(value) for value in (0.0, 0.004, 0.996, 1.0, np.nan)] == ["0 %", "< 1 %", "> 99 %", "100 %", "-"]
