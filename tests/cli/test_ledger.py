"""The ledger and the scheduled run, as a user and a scheduler see them, whatever stops or doubles them."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import forecast as package
from forecast.jobs.ledger_state import existing_ledger
from forecast.ledger import read
from forecast.ledger.address import VARIABLE
from forecast.ledger.verify import verify
from forecast.workspace import open_workspace

NOW = "2000-10-09T06:00:00Z"
PATIENCE = 120.0


@pytest.fixture(scope="module")
def once(small_workspace, tmp_path_factory):
    """A workspace in which ``forecast run`` was called once; do not change it."""
    from forecast.cli import main

    folder = tmp_path_factory.mktemp("once") / "workspace"
    shutil.copytree(small_workspace, folder)
    assert main(["run", "--workspace", str(folder), "--workers", "1", "--as-of", "2000-09-09", "--now", NOW]) == 0
    return folder


@pytest.fixture
def ran(once, tmp_path):
    """A copy of it."""
    folder = tmp_path / "ran"
    shutil.copytree(once, folder)
    return folder


def call(forecast, folder, *arguments):
    return forecast(*arguments, "--workspace", folder)


def run(forecast, folder, *arguments):
    return call(forecast, folder, "run", "--workers", 1, "--as-of", "2000-09-09", *arguments)


def test_a_second_run_says_so(ran, forecast):
    again = run(forecast, ran, "--now", "2000-10-10T06:00:00Z")
    assert again.code == 0
    assert "Nothing changed: the forecast from 2000-09-09 was issued on 2000-10-09 06:00 UTC." in again.err
    assert again.out == f"{ran}/out/runs/weekly/2000-09-09/index.html\n"
    content = json.loads(run(forecast, ran, "--json").out)
    assert (content["outcome"], content["entry"], content["revision"]) == ("unchanged", 1, 1)
    assert content["top"]


def test_reissue_and_draft_are_told_apart(ran, forecast):
    again = run(forecast, ran, "--reissue", "--now", NOW)
    assert re.search(
        r"Issued again: the forecast from 2000-09-09 is entry 2, [0-9a-f]{12} \(issue 2 of these", again.err
    )
    draft = run(forecast, ran, "--draft")
    assert "A draft of the forecast from 2000-09-09: it is not in the ledger." in draft.err
    assert draft.out.endswith("/out/drafts/weekly/2000-09-09/index.html\n")
    assert run(forecast, ran, "--draft", "--reissue").code == 2
    listed = json.loads(call(forecast, ran, "ledger", "list", "--json").out)["issues"]
    assert [(row["entry"], row["revision"]) for row in listed] == [(1, 1), (2, 2)]


def test_the_log_goes_where_it_is_asked_to(ran, forecast, tmp_path):
    run(forecast, ran, "--log", tmp_path / "logs" / "forecast.jsonl", "--now", NOW)
    events = [json.loads(line) for line in (tmp_path / "logs" / "forecast.jsonl").read_text().splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["started", "ended"]
    assert events[-1]["outcome"] == "unchanged"


def test_a_run_that_fails_leaves_that_in_log_and_heartbeat(ran, forecast):
    failed = call(forecast, ran, "run", "--as-of", "2031-01-01", "--now", NOW)
    assert failed.code == 2
    heartbeat = json.loads((ran / "out" / "log" / "heartbeat.json").read_text(encoding="utf-8"))
    assert (heartbeat["state"], heartbeat["outcome"], heartbeat["code"]) == ("ended", "failed", 2)
    assert "no forecast can be made as of 2031-01-01" in heartbeat["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--now", "yesterday"], "no moment with a time zone"),
        (["--now", "2000-10-09T06:00:00"], "no moment with a time zone"),
        (["--time-budget", "soon"], "is no time"),
    ],
)
def test_bad_options_are_refused(ran, forecast, arguments, message):
    refused = run(forecast, ran, *arguments)
    assert refused.code == 2
    assert message in refused.err


def test_list_show_and_verify(ran, forecast):
    listed = call(forecast, ran, "ledger", "list")
    assert re.search(r"1 +2000-10-09 06:00 +weekly +2000-09-09 +1 +combined +0 +[0-9a-f]{12}", listed.out)
    shown = call(forecast, ran, "ledger", "show", 1)
    assert "known_until: 2000-09-08" in shown.out
    assert "any_event_4w" in shown.out
    content = json.loads(call(forecast, ran, "ledger", "show", 1, "--json").out)
    assert len(content["probabilities"]) == 5 * 7
    assert call(forecast, ran, "ledger", "show", 9).code == 2
    whole = call(forecast, ran, "ledger", "verify")
    assert (whole.code, whole.out[:16]) == (0, "Whole: 1 entries")
    link = whole.out.split()[-1]
    assert call(forecast, ran, "ledger", "verify", "--expect", link[:16]).code == 0
    cut = call(forecast, ran, "ledger", "verify", "--expect", "0" * 12)
    assert (cut.code, "entries were cut off" in cut.out) == (1, True)


def test_verify_names_the_first_broken_link(ran, forecast):
    with contextlib.closing(sqlite3.connect(ran / "ledger.sqlite")) as connection:
        connection.execute("DROP TRIGGER chance_keeps_update")
        connection.execute("UPDATE chance SET probability = 0.99 WHERE probability < 0.2")
        connection.commit()
    broken = call(forecast, ran, "ledger", "verify")
    assert broken.code == 1
    assert broken.out.startswith("Broken: entry 1 (issue, 2000-10-09 06:00:00 UTC; weekly from 2000-09-09) was changed")
    content = json.loads(call(forecast, ran, "ledger", "verify", "--json").out)
    assert content["whole"] is False


def test_score_and_export(ran, forecast, tmp_path):
    told = call(forecast, ran, "score", "--now", NOW)
    assert told.code == 0
    assert "New: 28 weekly counts, 0 of them corrections; 112 scores." in told.err
    assert re.search(r"discount-negbin +16 ", told.out)
    index = ran / "out" / "track-record" / "weekly" / "index.html"
    assert told.out.endswith(f"{index}\n")
    page = index.read_text(encoding="utf-8")
    assert "What was issued, and what came" in page
    assert "Simulated counts" in page
    again = json.loads(call(forecast, ran, "score", "--json").out)
    assert (again["counts"], again["entry"], again["alarms"], again["page"]) == (0, None, [], str(index))
    assert {row["model"] for row in again["weeks"]} == {"zero", "climatology-26", "discount-negbin", "combined"}
    done = call(forecast, ran, "ledger", "export", tmp_path / "exported", "--format", "csv")
    assert done.code == 0
    assert len(pd.read_csv(tmp_path / "exported" / "scores.csv")) == 112
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    refused = call(forecast, ran, "ledger", "export", tmp_path / "mine")
    assert (refused.code, (tmp_path / "mine" / "thesis.txt").exists()) == (2, True)


def test_looking_into_a_ledger_that_is_not_there_makes_none(workspace, forecast):
    for command in (["ledger", "list"], ["ledger", "verify"], ["ledger", "show", "1"], ["score"]):
        refused = call(forecast, workspace, *command)
        assert (refused.code, "there is no ledger yet" in refused.err) == (2, True)
    assert not (workspace / "ledger.sqlite").exists()


def test_a_password_in_the_workspace_file_is_refused_and_not_repeated(workspace, edit, forecast):
    edit("[models]", '[ledger]\nurl = "postgresql://ada:hunter2@db.example/risk"\n\n[models]')
    refused = run(forecast, workspace)
    assert refused.code == 2
    assert VARIABLE in refused.err
    assert "hunter2" not in refused.err + (workspace / "out" / "log" / "heartbeat.json").read_text(encoding="utf-8")


def test_schedules_are_printed_and_written(ran, forecast, tmp_path):
    for kind, words in (("systemd", "OnCalendar=Tue"), ("cron", "30 5 * * 2"), ("github", 'cron: "30 5 * * 2"')):
        shown = call(forecast, ran, "schedule", kind, "--at", "Tue 05:30", "--time-budget", "45m")
        assert (shown.code, words in shown.out, "45m" in shown.out) == (0, True, True)
    written = call(forecast, ran, "schedule", "systemd", "--write", tmp_path / "units")
    assert written.out == ""
    assert sorted(path.suffix for path in (tmp_path / "units").iterdir()) == [".service", ".timer"]
    assert call(forecast, ran, "schedule", "cron", "--at", "noon").code == 2


def start(folder, *arguments):
    """Start a run of the last origin as a process with a group of its own."""
    root = str(Path(package.__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "forecast", "run", "--workspace", str(folder), "--workers", "1", *arguments],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def chain_of(folder):
    """Return the issues of a ledger, after checking the chain."""
    with existing_ledger(open_workspace(folder)) as ledger, ledger.reading() as connection:
        assert verify(connection).broken == ""
        return [str(entry.head.origin) for entry in read.issues(connection)]


@pytest.mark.slow
def test_two_runs_of_one_workspace_at_once_issue_once(workspace):
    first, second = start(workspace), start(workspace)
    ends = [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in (first, second)]
    assert 0 in [code for _, code in ends], ends
    for told, code in ends:
        assert code == 0 or "another run is at work in this workspace" in told
    assert len(chain_of(workspace)) == 1


@pytest.mark.slow
def test_two_machines_with_one_ledger_issue_once(small_workspace, tmp_path, database_url, monkeypatch):
    monkeypatch.setenv(VARIABLE, database_url)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        shutil.copytree(small_workspace, folder)
    processes = [start(folder, "--json") for folder in folders]
    ends = [(*process.communicate(timeout=PATIENCE), process.returncode) for process in processes]
    assert [code for _, _, code in ends] == [0, 0], ends
    told = [json.loads(out) for out, _, _ in ends]
    assert {each["entry"] for each in told} == {1}
    assert len({each["link"] for each in told}) == 1
    pages = [(Path(each["index"])).read_bytes() for each in told]
    assert pages[0] == pages[1]
    assert len(chain_of(folders[0])) == 1


def kill_at_random_moments(workspace, kills, seed):
    """Issue one origin after the other, killing the run a few times on the way to each."""
    chance = random.Random(seed)
    began = time.monotonic()
    process = start(workspace, "--as-of", "2000-06-03")
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in {0, 3}, err
    took, stopped, origin = time.monotonic() - began, 0, pd.Timestamp("2000-06-10")
    origins = ["2000-06-03"]
    while stopped < kills:
        day = f"{origin:%Y-%m-%d}"
        for _ in range(chance.randint(1, 4)):
            process = start(workspace, "--as-of", day)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=chance.uniform(0.3, 1.0) * took)
            with contextlib.suppress(ProcessLookupError):  # it was done before
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
            stopped += process.returncode == -signal.SIGKILL
            issues = chain_of(workspace)
            assert issues in (origins, [*origins, day])
            for folder in (workspace / "out" / "runs" / "weekly").glob("2*"):
                manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
                assert {path.name for path in folder.iterdir()} == {*manifest["files"], "manifest.json"}
                assert folder.name in issues  # no page of what is not recorded
        process = start(workspace, "--as-of", day)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode in {0, 3}, err
        origins.append(day)
        assert chain_of(workspace) == origins
        assert (workspace / "out" / "runs" / "weekly" / day / "index.html").is_file()
        origin += pd.Timedelta(days=7)
        if origin > pd.Timestamp("2000-10-07"):  # no more data: from the start, with a new ledger
            shutil.rmtree(workspace / "out")
            (workspace / "ledger.sqlite").unlink()
            origin, origins = pd.Timestamp("2000-06-10"), []
    return stopped


@pytest.mark.slow
def test_a_run_that_is_killed_loses_and_doubles_nothing(workspace):
    assert kill_at_random_moments(workspace, 2, seed=1) >= 2


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_runs_that_are_killed_at_a_hundred_moments(workspace):
    assert kill_at_random_moments(workspace, 100, seed=2) >= 100
