"""Bad input: a message that says what, where and what was expected, exit code 2, and nothing is written."""

from __future__ import annotations

import json

import pytest

HERE = "--workspace"


def refused(outcome, *texts, code=2):
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    for text in texts:
        assert text in outcome.err


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (
            "horizon = 8 # weeks ahead that",
            "horizn = 8 #",
            ["unknown key 'backtest.horizn'", "did you mean 'horizon'?"],
        ),
        ("horizon = 8 # weeks ahead that", "horizon = 0 #", ["backtest.horizon = 0", "greater than or equal to 1"]),
        ("horizon = 8 # weeks ahead that", "horizon = 10000 #", ["backtest.horizon = 10000", "equal to 52"]),
        ("draws = 200", "draws = 0", ["draws = 0", "greater than or equal to 100"]),
        ('title = "', 'titel = "', ["unknown key 'titel'", "key 'title' is missing"]),
        ('rule = "any_event"', 'rule = "any_evnt"', ["unknown rule 'any_evnt'", "did you mean 'any_event'?"]),
        ('headline = "combined"', 'headline = "glm"', ["headline 'glm' is not among the models in `use`"]),
        ('use = ["zero"', 'use = ["zeroo"', ["unknown model 'zeroo'", "'zero'", "[models] use"]),
        ('name = "weekly"', 'name = "weekli"', ["unknown report 'weekli'", "'weekly'"]),
        (
            'set = "simulated-poisson"',
            'set = "simulated-poison"',
            ["unknown dataset 'simulated-poison'", "'simulated-po"],
        ),
        ("countries = []", 'countries = ["Simulatd"]', ["unknown country 'Simulatd'", "'Simulated'", "[regions]"]),
        ("countries = []", 'names = ["Simulated/R01C1"]', ["unknown region", "'Simulated/R01C01'", "[regions]"]),
        ('name = "Town 1"', 'name = "Twon 1"', ["unknown place 'Twon 1'", "'Town 1'"]),
        ("radius_km = 100", "radius_km = 5", ["radius_km = 5", "greater than or equal to 10"]),
        ("radius_km = 100", "radius_km = 70", ["no counts within 70 km of Town 1", "50, 100, 150 km"]),
        ("calibrate_on = []", 'calibrate_on = ["nothing"]', ["datapackage.json", "nothing"]),
        ("[models]", "[models", ["not valid TOML", "forecast.toml"]),
        ('title = "', 'title = 3 # "', ["title = 3", "valid string"]),
        ('set = "simulated-poisson"', 'table = "counts.csv"', ["place 'Town 1' cannot be counted from a table"]),
    ],
)
def test_a_slip_in_the_workspace_file(workspace, edit, forecast, outputs, old, new, texts):
    edit(old, new)
    refused(forecast("run", HERE, workspace), *texts)
    assert outputs() == {}


def test_a_workspace_file_that_is_not_utf8(workspace, forecast):
    (workspace / "forecast.toml").write_bytes('title = "Ségou"'.encode("latin-1"))
    refused(forecast("run", HERE, workspace), "not UTF-8", "byte 10")


def test_a_model_with_an_unknown_setting(workspace, forecast):
    with (workspace / "models" / "climatology-26.toml").open("a", encoding="utf-8") as stream:
        stream.write("week = 3\n")
    refused(forecast("run", HERE, workspace), "unknown key 'week'", "'weeks'", "climatology-26.toml")


def test_a_model_of_an_unknown_family(workspace, forecast):
    path = workspace / "models" / "climatology-26.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('family = "climatology"', 'family = "climatolgy"'))
    refused(forecast("run", HERE, workspace), "unknown family 'climatolgy'", "models/climatology-26.toml family")


def test_a_report_with_an_unknown_escalation(workspace, forecast, outputs):
    path = workspace / "reports" / "weekly.toml"
    path.write_text(path.read_text().replace('"above_recent_4w"', '"above_recnt"'))
    refused(forecast("run", HERE, workspace), "'above_recnt' is no escalation of the workspace")
    assert outputs() == {}


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["run", "--as-of", "2000-10-14"], ["no forecast can be made as of 2000-10-14", "known until 2000-10-06"]),
        (["run", "--as-of", "2000-01-10"], ["too few weeks are known as of 2000-01-10", "2000-03-04"]),
        (["run", "--as-of", "2000-13-01"], ["'2000-13-01' is not a day", "YYYY-MM-DD"]),
        (["run", "--as-of", "01/02/2000"], ["'01/02/2000' is not a day"]),
        (["run", "--as-of", "20000901"], ["'20000901' is not a day"]),
        (["run", "--report", "mothly"], ["unknown report 'mothly'"]),
        (["run", "--report", "../weekly"], ["unknown report '../weekly'"]),
        (["run", "--workers", "0"], ["--workers"]),
        (["backtest", "--horizon", "0"], ["--horizon", "greater than or equal to 1"]),
        (["backtest", "--horizon", "10000"], ["--horizon", "less than or equal to 52"]),
        (["backtest", "--horizon", "2"], ["looks 4 weeks ahead, beyond a horizon of 2", "at least 4"]),
        (["backtest", "--horizon", "two"], ["--horizon"]),
        (["backtest", "--refit-every", "0"], ["--refit-every"]),
        (["backtest", "--models", "zero,zeroo"], ["unknown model 'zeroo'", "'zero'"]),
        (["backtest", "--start", "yesterday"], ["'yesterday' is not a day", "--start"]),
        (["backtest", "--start", "2000-08-01", "--end", "2000-07-01"], ["no origin lies between", "start before end"]),
        (["backtest", "--start", "2031-01-01"], ["no origin lies between 2031-01-01", "2000-09-30"]),
        (["backtest", "--data", "simulated-hawks"], ["unknown dataset 'simulated-hawks'"]),
        (["place", "Twon 1", "--radius-km", "100"], ["unknown place 'Twon 1'", "'Town 1'"]),
        (["place", "Town 1", "--radius-km", "9"], ["a radius of 9 km", "10 to 500 km"]),
        (["place", "Town 1", "--radius-km", "501"], ["a radius of 501 km"]),
        (["backtest", "--name", "../up"], ["name '../up'", "small letters"]),
        (["place", "95,3", "--radius-km", "50"], ["95,3 is off the globe"]),
        (["place", "--latlon", "-95,3"], ["-95,3 is off the globe"]),
        (["place", "--latlon", "Town 1"], ["'Town 1' is no point", "LAT,LON"]),
        (["place", "--radius-km", "50"], ["no place", "NAME or --latlon"]),
        (["place", "Town 1", "--latlon", "1,1"], ["two places", "NAME or --latlon"]),
        (["place", "--latlon", "48.86,2.35"], ["the data tell nothing of 48.86,2.35 100 km", "exchanged"]),
        (["place", "Town 1", "--radius-km", "50", "--weeks", "0"], ["--weeks"]),
        (["models", "zeroo"], ["unknown model 'zeroo'", "'zero'"]),
        (["check", "--as-of", "today"], ["'today' is not a day"]),
        (["rnu"], ["No such command 'rnu'", "run"]),
        (["run", "--asof", "2000-10-07"], ["No such option", "--as-of"]),
    ],
)
def test_a_slip_on_the_command_line(workspace, monkeypatch, forecast, outputs, arguments, texts):
    monkeypatch.chdir(workspace)
    refused(forecast(*arguments), *texts)
    assert outputs() == {}


def test_no_workspace(tmp_path, workspace, monkeypatch, forecast):
    refused(forecast("run", HERE, tmp_path / "nowhere"), "no file forecast.toml", "forecast init")
    (workspace / "forecast.toml").unlink()
    monkeypatch.chdir(workspace)  # it has models and data: not an empty folder
    refused(forecast("run"), "no file forecast.toml")


def test_a_point_where_only_counts_around_towns_are_known(forecast):
    from forecast.reference import reference_workspace

    outcome = forecast("place", "12.6,-8.0", "--radius-km", 50, HERE, reference_workspace())
    refused(outcome, "no single events", "the nearest are Bamako (3 km)")


def test_a_place_where_the_data_is_a_table(workspace, edit, forecast):
    edit('set = "simulated-poisson"', 'table = "counts.csv"')
    refused(forecast("place", "Town 1", "--radius-km", 50, HERE, workspace), "a table of region counts does not tell")


def test_a_data_file_that_was_changed(workspace, forecast, outputs):
    path = workspace / "data" / "simulated-poisson" / "region_weeks.csv"
    path.write_bytes(path.read_bytes().replace(b",1\n", b",2\n", 1))
    refused(forecast("run", HERE, workspace), "the file was changed", "simulated-poisson/region_weeks.csv", "sha256:")
    assert outputs() == {}


def test_a_data_file_that_is_gone(workspace, forecast, outputs):
    (workspace / "data" / "simulated-poisson" / "regions.csv").unlink()
    refused(forecast("run", HERE, workspace), "cannot read", "simulated-poisson/regions.csv")
    assert outputs() == {}


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        (b"week,region,events\n2026-01-03,Gao,-3\n", ["'-3' is negative", "counts.csv row 2"]),
        (b"week,region,events\n2026-01-03,Gao,1.5\n", ["'1.5' is not whole", "row 2"]),
        (b"week,region,events\n2026-01-03,Gao,many\n", ["'many' is not a number", "row 2"]),
        (b"week,region,events\n2026-01-04,Gao,1\n", ["all weeks start on a Sunday", "Saturday"]),
        (b"week,region,events\n2026-01-03,Gao,1\n2026-01-03,Gao,2\n", ["more than one row", "'Gao'"]),
        (b"week,region\n2026-01-03,Gao\n", ["events"]),
        (b"week,region,events\n2026-01-03,Gao,\n", ["the value is missing", "leave the row out"]),
        (
            b"week,region,events\n2026-01-03,Bay,1\n2026-01-03,bay,1\n",
            ["'Bay' (row 2) and 'bay' (row 3) differ only by space, case or accents"],
        ),
        (b"week,region,events\n", ["header only"]),
        ("week,region,events\n2026-01-03,Ségou,1\n".encode("latin-1"), ["not UTF-8", "row 2"]),
        (b"week;region;events\n2026-01-03;Gao;1\n", ["semicolons"]),
        (b"week,region,events\n2026-01-03,Gao,1\n2026-01-10,Gao,2\n", ["too few weeks are known", "2026-01-16"]),
        (None, ["no file counts.csv"]),
    ],
)
def test_a_table_with_faults(workspace, edit, forecast, outputs, rows, texts):
    text = (workspace / "forecast.toml").read_text(encoding="utf-8")
    edit(text[text.index("[[places]]") : text.index("# Escalations")], "")
    edit('set = "simulated-poisson"', 'table = "counts.csv"')
    if rows is not None:
        (workspace / "counts.csv").write_bytes(rows)
    refused(forecast("run", HERE, workspace), *texts)
    assert outputs() == {}


def test_init_refuses_a_folder_with_something_in_it(workspace, forecast):
    before = sorted(workspace.rglob("*"))
    refused(forecast("init", workspace), "exists and is not empty", "a new folder")
    refused(forecast("simulate", "poisson", workspace), "exists and is not empty")
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["init", "new", "--data", "west-afrika-weekly"], ["unknown dataset", "'west-africa-weekly'"]),
        (["init", "new", "--table", "nowhere.csv"], ["no file nowhere.csv"]),
        (["init", "new", "--table", "counts.csv", "--data", "west-africa-weekly"], ["both a table and a dataset"]),
        (["init", "new", "--country", "Maly"], ["unknown country 'Maly'", "'Mali'"]),
        (["simulate", "posson", "new"], ["unknown kind of simulation 'posson'", "'poisson'"]),
        (["simulate", "poisson", "new", "--weeks", "0"], ["--weeks"]),
        (["simulate", "poisson", "new", "--regions", "-1"], ["--regions"]),
    ],
)
def test_nothing_is_left_of_a_workspace_that_could_not_be_made(tmp_path, monkeypatch, forecast, arguments, texts):
    monkeypatch.chdir(tmp_path)
    refused(forecast(*arguments), *texts)
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch, forecast):
    monkeypatch.chdir(tmp_path)
    refused(forecast("init", "."), "the current folder cannot be replaced")


def test_results_cannot_go_into_a_file(workspace, forecast):
    (workspace / "out").write_text("in the way")
    refused(forecast("run", HERE, workspace, "--workers", 1), "a part of the path is a file", "out")
    refused(forecast("backtest", HERE, workspace, "--workers", 1), "a part of the path is a file")
    assert (workspace / "out").read_text() == "in the way"


@pytest.mark.parametrize("command", ["run", "backtest"])
def test_results_that_cannot_be_written_are_noticed_before_the_work(workspace, forecast, monkeypatch, command):
    def never(*_, **__):
        raise AssertionError("the data were opened")

    (workspace / "out").write_text("in the way")
    monkeypatch.setattr("forecast.jobs.preparation.open_inputs", never)
    monkeypatch.setattr("forecast.jobs.track_record.open_inputs", never)
    refused(
        forecast(command, HERE, workspace),
        "a part of the path is a file",
        f"where: {workspace}/out\n",
        "expected: a folder that can be written to",
        "try: move or rename the file",
    )


def test_check_tells_that_results_cannot_be_written(workspace, forecast):
    (workspace / "out").write_text("in the way")
    done = forecast("check", HERE, workspace, "--json")
    assert done.code == 2
    errors = {item["name"]: item["found"] for item in json.loads(done.out)["checks"] if item["status"] == "error"}
    assert list(errors) == ["results"]
    assert "a part of the path is a file" in errors["results"]


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        ("date,region,events\n2026-01-03,Gao,1\n", ["no column 'week'", "found 'date', 'region', 'events'"]),
        ("week,region,events\n2026-01-06,Gao,1\n", ["all weeks start on a Tuesday"]),
        ("week,region,events\n2026-01-03,Gao,-1\n", ["'-1' is negative", "counts.csv row 2"]),
    ],
)
def test_init_refuses_a_table_with_faults(tmp_path, monkeypatch, forecast, rows, texts):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "counts.csv").write_text(rows)
    refused(forecast("init", "new", "--table", "counts.csv"), *texts)
    assert [path.name for path in tmp_path.iterdir()] == ["counts.csv"]


def test_results_cannot_go_where_a_file_has_the_name_of_a_folder(workspace, forecast):
    (workspace / "out").mkdir()
    (workspace / "out" / "runs").write_text("in the way")
    refused(forecast("run", HERE, workspace, "--workers", 1), "a part of the path is a file", "out/runs")
    assert (workspace / "out" / "runs").read_text() == "in the way"
    assert [path.name for path in (workspace / "out").iterdir() if path.name not in {".lock", "log"}] == ["runs"]
