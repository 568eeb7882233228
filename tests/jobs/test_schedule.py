"""What is printed for schedulers is what their parsers understand."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from forecast.errors import InputError
from forecast.jobs.schedule import Moment, Plan, schedule
from forecast.jobs.time_budget import duration

PLAIN = ("Central Sahel", "/srv/sahel")
STRANGE = ('50 % of "Ségou" \\ $HOME ${{ secrets.X }}: #1', "/srv/a b/100 % $HOME 'x' \"y\"")


def plan_of(title, folder, at="Mon 06:00"):
    return Plan(title, Path(folder), ["/opt/py/bin/python", "-P", "-m", "forecast", "run"], Moment.of(at), "1.2.3")


@pytest.mark.parametrize(("title", "folder"), [PLAIN, STRANGE])
def test_systemd_units_have_the_sections_and_keys_of_systemd(title, folder):
    files = schedule(plan_of(title, folder), "systemd")
    service, timer = (configparser.RawConfigParser(strict=True) for _ in range(2))
    for unit in (service, timer):
        unit.optionxform = str
    (service_name, service_text), (timer_name, timer_text) = files.items()
    service.read_string(service_text)
    timer.read_string(timer_text)
    assert service_name.removesuffix(".service") == timer_name.removesuffix(".timer")
    assert service.sections() == ["Unit", "Service"]
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["SuccessExitStatus"] == "3"
    assert service["Service"]["WorkingDirectory"].replace("%%", "%") == folder
    assert timer["Timer"]["OnCalendar"] == "Mon *-*-* 06:00:00 UTC"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
@pytest.mark.parametrize(("title", "folder"), [PLAIN, STRANGE])
def test_systemd_accepts_its_units(tmp_path, title, folder):
    made = Plan(title, Path(folder), ["/bin/sh", "-c", "echo $HOME 100 %"], Moment.of("Sun 23:59"), "1")
    paths = []
    for name, content in schedule(made, "systemd").items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        paths.append(str(tmp_path / name))
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    when = subprocess.run(
        ["systemd-analyze", "calendar", "Sun *-*-* 23:59:00 UTC"], capture_output=True, text=True, check=False
    )
    assert when.returncode == 0


@pytest.mark.parametrize(("title", "folder"), [PLAIN, STRANGE])
def test_the_cron_line_is_five_times_and_a_command_of_the_shell(title, folder):
    ((_, text),) = schedule(plan_of(title, folder, "Sun 5:07"), "cron").items()
    comment, zone, line = text.splitlines()
    assert comment.startswith("# ")
    assert zone == "CRON_TZ=UTC"
    *times, command = line.split(maxsplit=5)
    assert times == ["7", "5", "*", "*", "0"]
    assert "%" not in command.replace("\\%", "")  # to cron it would be the end of the line
    words = shlex.split(command.replace("\\%", "%"))
    assert words[:3] == ["cd", folder, "&&"]
    assert words[words.index("/opt/py/bin/python") :][:5] == ["/opt/py/bin/python", "-P", "-m", "forecast", "run"]


@pytest.mark.parametrize(("title", "folder"), [PLAIN, STRANGE])
def test_the_workflow_is_one_of_github(title, folder):
    ((name, text),) = schedule(plan_of(title, folder), "github").items()
    assert name.startswith(".github/workflows/forecast-")
    content = yaml.safe_load(text)
    assert content["name"].replace("$ {{", "${{") == f"Forecast: {title}"
    assert "${{" not in content["name"]
    assert content[True]["schedule"] == [{"cron": "0 6 * * 1"}]  # to YAML 1.1 `on` is true
    assert content["permissions"] == {"contents": "write"}
    steps = content["jobs"]["forecast"]["steps"]
    assert all(set(step) & {"uses", "run"} for step in steps)
    scripts = [step["run"] for step in steps if "run" in step]
    assert any("forecast run" in script for script in scripts)
    for script in scripts:
        checked = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
        assert folder not in script


@pytest.mark.parametrize("text", ["6:00", "Mon", "Mon 24:00", "Mon 6:60", "Someday 6:00", "Mon 06:00 CET", "Mo 6:00"])
def test_what_is_no_time_of_the_week_is_refused(text):
    with pytest.raises(InputError, match="no time of the week"):
        Moment.of(text)


@pytest.mark.parametrize(("title", "folder"), [("a\nExecStart=/bin/evil", "/srv"), ("a", "/srv/x\n* * * * * evil")])
def test_a_line_cannot_be_smuggled_in(title, folder):
    with pytest.raises(InputError, match="control character"):
        plan_of(title, folder)


@pytest.mark.parametrize("text", ["", "0", "-5m", "5 days", "1e9", "nan", "\u0661m"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InputError, match="is no time"):
        duration(text)
