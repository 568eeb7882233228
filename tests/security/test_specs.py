"""A workspace that somebody sent: its specs run no code, read nothing outside of it, and deceive nobody."""

from __future__ import annotations

import pytest

from forecast.errors import InputError
from forecast.workspace import open_workspace

OUT = ["../outside", "../../etc", "/etc", "..\\outside", "C:\\outside", "a/../../outside"]
FORMULAS = [
    "count ~ __import__('os').system('touch planted')",
    "count ~ C(__import__('os'))",
    "count ~ {open('planted', 'w')}",
    "count ~ log1p(own_1.__class__)",
    "count ~ np.load(own_1)",
    "count ~ `planted`",
    "count ~ poly(own_1)",
]


@pytest.fixture
def refused(workspace, forecast, edit):
    """A function that changes forecast.toml and returns what the commands say of it: the same refusal."""

    def said(old: str, new: str) -> str:
        edit(old, new)
        told = []
        for command in ("check", "run", "backtest"):
            done = forecast(command, "--workspace", workspace)
            assert done.code == 2, (command, done.out, done.err)
            told.append(done.err)
        assert not (workspace / "out" / "runs").exists()
        assert {path.name for path in workspace.parent.iterdir()} <= {"workspace", "outside", "outside.csv"}
        return told[-1]

    return said


@pytest.mark.parametrize("path", OUT)
def test_a_dataset_lies_in_the_workspace(refused, path):
    assert "is not the name of a folder" in refused('set = "simulated-poisson"', f"set = '{path}'")


@pytest.mark.parametrize("path", OUT)
def test_a_table_lies_in_the_workspace(refused, path):
    told = refused('set = "simulated-poisson"', f"table = '{path}.csv'")
    assert "leads out of the workspace" in told


@pytest.mark.parametrize("path", [*OUT, "data/..."])
def test_polygons_lie_in_the_workspace(refused, path):
    told = refused('set = "simulated-poisson"', f"store = 'own'\nregions = '{path}.geojson'")
    assert "leads out of the workspace" in told or "hidden file" in told


def test_the_name_of_a_table_does_not_choose_another_folder_for_results(workspace, refused):
    """The stem of ``...csv`` is ``..``: the results of its backtest would take the place of the whole of out/."""
    (workspace / "data" / "...csv").write_text("week,region,events\n2026-01-03,Gao,1\n", encoding="utf-8")
    assert "hidden file" in refused('set = "simulated-poisson"', 'table = "data/...csv"')


@pytest.mark.parametrize("key", ["calibrate_on = ['../outside']", "calibrate_on = ['..']"])
def test_other_datasets_lie_in_the_workspace(refused, key):
    assert "is not the name of a folder" in refused("calibrate_on = []", key)


def test_a_model_is_fitted_on_a_dataset_of_the_workspace(workspace, forecast):
    path = workspace / "models" / "zero.toml"
    path.write_text("fit_on = '../..'\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    done = forecast("run", "--workspace", workspace)
    assert done.code == 2
    assert "is not the name of a folder" in done.err


def test_a_report_is_a_file_of_reports(workspace, refused):
    text = (workspace / "reports" / "weekly.toml").read_text(encoding="utf-8")
    (workspace / "reports" / "...toml").write_text(text.replace('"weekly"', '".."'), encoding="utf-8")
    assert "is not the name of a folder" in refused('name = "weekly"', 'name = ".."')


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_links_out_of_the_workspace_are_followed_only_if_the_user_says_so(
    tmp_path, workspace, edit, forecast, monkeypatch, kind
):
    folder, outside = workspace / "data" / "simulated-poisson", tmp_path / "outside"
    if kind == "folder":
        folder.rename(outside)
        folder.symlink_to(outside)
    else:
        outside = tmp_path / "outside.csv"
        outside.write_text("week,region,events\n2026-01-03,Gao,1\n", encoding="utf-8")
        (workspace / "data" / "link.csv").symlink_to(outside)
        edit('set = "simulated-poisson"', 'table = "data/link.csv"')
        text = (workspace / "forecast.toml").read_text(encoding="utf-8")
        begin, end = text.index("[[places]]"), text.index("[[escalations]]")
        (workspace / "forecast.toml").write_text(text[:begin] + text[end:], encoding="utf-8")
    done = forecast("run", "--workspace", workspace)
    assert done.code == 2
    assert "leads out of the workspace" in done.err
    assert "FORECAST_FOLLOW_LINKS=1" in done.err
    monkeypatch.setenv("FORECAST_FOLLOW_LINKS", "1")
    assert "leads out" not in forecast("check", "--workspace", workspace).out


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_runs_no_code(workspace, forecast, monkeypatch, formula):
    monkeypatch.chdir(workspace)
    (workspace / "models" / "planted.toml").write_text(
        f'name = "planted"\nfamily = "glm"\ntitle = "x"\nmethod = "x"\n[settings]\nformula = """{formula}"""\n',
        encoding="utf-8",
    )
    done = forecast("run", "--workspace", workspace)
    assert done.code == 2
    assert "formula" in done.err
    assert not (workspace / "planted").exists()


@pytest.mark.parametrize("family", ["os:system", "subprocess", "forecast.families.zero:Zero", "../zero"])
def test_a_family_is_one_that_is_registered(workspace, forecast, family):
    (workspace / "models" / "planted.toml").write_text(
        f'name = "planted"\nfamily = "{family}"\ntitle = "x"\nmethod = "x"\n', encoding="utf-8"
    )
    done = forecast("run", "--workspace", workspace)
    assert done.code == 2
    assert "family" in done.err


@pytest.mark.parametrize("escape", ["\\u001b[2J", "\\u202e", "\\u0085", "\\u2066", "\\u007f", "\\u000d"])
def test_a_spec_has_no_text_that_acts(workspace, refused, escape):
    text = (workspace / "forecast.toml").read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("title = "))
    told = refused(title, f'title = "Gao {escape}"')
    assert "has a control character" in told
    assert "\x1b" not in told


def test_a_title_is_no_template(workspace, edit, forecast):
    text = (workspace / "forecast.toml").read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("title = "))
    edit(title, "title = '{{ 7 * 7 }}{{ cycler.__init__.__globals__ }}'")
    done = forecast("run", "--workspace", workspace, "--workers", 1)
    assert done.code in {0, 3}, done.err
    (page,) = (workspace / "out" / "runs").rglob("index.html")
    assert "{{ 7 * 7 }}{{ cycler.__init__.__globals__ }}" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheduler", ["systemd", "cron", "github"])
def test_a_title_is_one_line_of_a_schedule(workspace, edit, forecast, scheduler):
    text = (workspace / "forecast.toml").read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("title = "))
    edit(title, 'title = """x\nExecStart=/bin/planted"""')
    done = forecast("schedule", scheduler, "--workspace", workspace)
    assert done.code == 2
    assert "ExecStart=/bin/planted" not in done.out


@pytest.mark.parametrize("crs", ["+proj=longlat +nadgrids=/etc/passwd", "+init=/etc/passwd:1", "/etc/passwd"])
def test_a_reference_system_names_no_file(workspace, refused, crs):
    told = refused('set = "simulated-poisson"', f"store = 'own'\nregions = {{ file = 'r.shp', crs = '{crs}' }}")
    assert "an authority and a code, such as EPSG:32630" in told


def test_external_forecasts_and_the_ledger_lie_in_the_workspace(workspace, edit):
    edit("[models]", "[external.theirs]\npath = '../hub'\n\n[models]")
    with pytest.raises(InputError, match="leads out of the workspace"):
        open_workspace(workspace)
