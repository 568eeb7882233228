"""Two years of weekly runs, disturbed at a hundred random moments, end as if nothing had happened."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import forecast as package
from forecast.errors import InputError
from forecast.jobs.issue import Choices, issue_forecast
from forecast.jobs.ledger_state import existing_ledger
from forecast.jobs.new_workspace import simulate_workspace
from forecast.jobs.run_log import Clock, RunLog
from forecast.ledger import read
from forecast.ledger.address import VARIABLE
from forecast.ledger.verify import verify
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

WEEKS, DISTURBED = 104, 100
FIRST = dt.date(2000, 4, 1)
PATIENCE = 120.0


@pytest.fixture
def two_years(small_workspace, tmp_path):
    """A workspace whose data last two years longer than the first origin."""
    folder = tmp_path / "calm"
    simulate_workspace(folder, open_workspace(reference_workspace()), "poisson", weeks=14 + WEEKS, regions=3, seed=3)
    shutil.rmtree(folder / "models")
    shutil.copytree(small_workspace / "models", folder / "models")
    config = (small_workspace / "forecast.toml").read_text(encoding="utf-8").replace("origins = 22", "origins = 2")
    (folder / "forecast.toml").write_text(config, encoding="utf-8")
    return folder


def origin_of(week):
    return FIRST + dt.timedelta(days=7 * week)


def moments(chance):
    """Return what happens to the run of each week, and the time that its clock shows."""
    kinds = ["kill -9", "full disk", "two at once", "clock set back", "lost connection"]
    weeks = set(chance.sample(range(WEEKS), DISTURBED))
    out = []
    for week in range(WEEKS):
        kind = chance.choice(kinds) if week in weeks else ""
        moment = dt.datetime.combine(origin_of(week), dt.time(6), dt.UTC) + dt.timedelta(days=2)
        out.append((kind, moment - dt.timedelta(days=30) if kind == "clock set back" else moment))
    return out


def start(workspace, week, moment, **more):
    """Start the run of a week as a process with a group of its own."""
    root = str(Path(package.__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    options = ["--as-of", f"{origin_of(week)}", "--now", moment.isoformat(), "--workers", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "forecast", "run", "--workspace", str(workspace), *options],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **more,
    )


def end_of(process):
    _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err


def published(workspace):
    """Return the hashes of the files of each run, after checking that each of its folders is whole."""
    found = {}
    for folder in sorted(workspace.glob("out/runs/*/[!.]*")):
        listed = json.loads((folder / "manifest.json").read_bytes())["files"]
        assert {path.name for path in folder.iterdir()} == {*listed, "manifest.json"}, folder
        for name, digest in listed.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, folder / name
        found[folder.name] = listed
    return found


def issued(workspace):
    """Return origins and links of the ledger, after checking the chain; none if there is no ledger yet."""
    try:
        with existing_ledger(open_workspace(workspace)) as ledger, ledger.reading() as connection:
            verdict = verify(connection)
            entries = read.issues(connection)
    except InputError as error:
        if "there is no ledger yet" not in str(error):
            raise
        return [], []
    assert verdict.broken == ""
    return [f"{entry.head.origin:%Y-%m-%d}" for entry in entries], [entry.link for entry in entries]


class Reader(threading.Thread):
    """Somebody who looks at the newest pages all the time, and notes those that are not whole."""

    def __init__(self, workspace):
        super().__init__(daemon=True)
        self.pages, self.ends, self.partial, self.seen = workspace / "out" / "runs" / "weekly", False, [], 0

    def run(self):
        while not self.ends:
            for page in sorted(self.pages.glob("[!.]*/index.html"))[-2:]:
                with contextlib.suppress(FileNotFoundError):
                    self.seen += 1
                    if not page.read_bytes().rstrip().endswith(b"</html>"):
                        self.partial.append(page)
            time.sleep(0.05)


def disturb(kind, workspace, week, moment, chance, took, server):
    """Let the run of a week meet with something; return whether it was stopped by that."""
    if kind == "kill -9":
        process = start(workspace, week, moment)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0.1, 1.05) * took)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return end_of(process)[0] == -signal.SIGKILL
    if kind == "full disk":
        most = round(10 ** chance.uniform(2.0, 6.5))  # bytes of one file

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        code, err = end_of(start(workspace, week, moment, preexec_fn=small_files))
        assert "Traceback" not in err, err
        return code not in {0, 3}
    if kind == "two at once":
        ended = [end_of(process) for process in [start(workspace, week, moment) for _ in range(2)]]
        assert any(code in {0, 3} for code, _ in ended), ended
        assert not any("Traceback" in err for _, err in ended), ended
        return False
    if kind == "lost connection" and server is not None:
        process = start(workspace, week, moment)
        time.sleep(chance.uniform(0.3, 1.0) * took)
        server.stop(signal.SIGQUIT)
        time.sleep(chance.uniform(0.0, 0.5))
        server.start()
        code, err = end_of(process)
        assert "Traceback" not in err, err
        return code not in {0, 3}
    return False


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("place", ["file", "server"])
def test_disturbed_at_a_hundred_random_moments(two_years, tmp_path, request, monkeypatch, place):
    chance = random.Random(20260801)
    weeks = moments(chance)

    calm = open_workspace(two_years)
    for week, (_, moment) in enumerate(weeks):
        log = RunLog(calm.out / "log", Clock(lambda moment=moment: moment, time.monotonic))
        issue_forecast(calm, Choices(as_of=origin_of(week), workers=1), log)
    origins, links = issued(two_years)
    assert origins == [f"{origin_of(week)}" for week in range(WEEKS)]

    disturbed = tmp_path / "disturbed"
    shutil.copytree(two_years, disturbed, ignore=shutil.ignore_patterns("out", "ledger.sqlite*"))
    server = None
    if place == "server":
        server = request.getfixturevalue("running_server")
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("new_database")())
    reader = Reader(disturbed)
    reader.start()
    took, happened = 5.0, Counter()
    for week, (kind, moment) in enumerate(weeks):
        happened[kind, disturb(kind, disturbed, week, moment, chance, took, server)] += 1
        before = [*published(disturbed)]
        known, _ = issued(disturbed)
        assert known in (origins[:week], origins[: week + 1])
        assert set(before) <= set(known)  # nothing is shown that is not recorded
        began = time.monotonic()
        code, err = end_of(start(disturbed, week, moment))
        took = 0.8 * took + 0.2 * (time.monotonic() - began)
        assert code in {0, 3}, err
        assert issued(disturbed) == (origins[: week + 1], links[: week + 1])
        assert [*published(disturbed)] == origins[: week + 1]
    reader.ends = True
    reader.join()
    assert published(disturbed) == published(two_years)
    assert not reader.partial
    assert reader.seen > WEEKS
    assert not list(disturbed.glob("out/**/.part-*"))
    print(happened)
    assert sum(count for (kind, _), count in happened.items() if kind) == DISTURBED
    assert happened["kill -9", True] > 10
    assert happened["full disk", True] > 5
