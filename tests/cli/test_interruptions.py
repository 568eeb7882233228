"""Whatever stops the work, nothing partial is ever seen, and the next run ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import forecast as package
from forecast.cli import main as call_main
from forecast.cli import run as run_command
from forecast.families.climatology import Climatology
from forecast.families.discount_negbin import DiscountNegbin
from forecast.families.zero import Zero

PATIENCE = 60.0


def start(*arguments):
    """Start the command line as a process with a group of its own."""
    root = str(Path(package.__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "forecast", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition):
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


def is_gone(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def visible_results(workspace):
    """Return path and bytes of all results, after checking that each folder of them is whole."""
    found = {}
    folders = [*workspace.glob("out/runs/*/*"), *workspace.glob("out/backtests/*")]
    for folder in folders:
        if folder.name.startswith("."):
            continue
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        listed = json.loads(files["manifest.json"])["files"]
        assert set(files) == {*listed, "manifest.json"}, folder
        for name, digest in listed.items():
            assert hashlib.sha256(files[name]).hexdigest() == digest, folder / name
        found |= {(folder / name).relative_to(workspace).as_posix(): content for name, content in files.items()}
    return found


@pytest.fixture
def long_workspace(workspace, edit):
    """A workspace whose backtest takes long enough to be stopped."""
    edit("draws = 200", "draws = 5000")
    edit("refit_every = 8", "refit_every = 1")
    return workspace


@pytest.mark.parametrize(
    ("command", "number", "send"),
    [
        pytest.param("run", signal.SIGTERM, os.kill, id="SIGTERM of run"),
        pytest.param("backtest", signal.SIGINT, os.killpg, id="Ctrl-C of backtest"),
        pytest.param("run", signal.SIGINT, os.killpg, id="Ctrl-C of run", marks=pytest.mark.slow),
        pytest.param("backtest", signal.SIGTERM, os.kill, id="SIGTERM of backtest", marks=pytest.mark.slow),
        pytest.param("run", signal.SIGTERM, os.killpg, id="SIGTERM of all", marks=pytest.mark.slow),
        pytest.param("run", signal.SIGINT, os.kill, id="SIGINT of one", marks=pytest.mark.slow),
    ],
)
def test_a_signal_stops_all_processes_and_leaves_nothing_partial(long_workspace, command, number, send):
    process = start(command, "--workspace", long_workspace)
    wait_for(lambda: list(long_workspace.glob("out/backtests/.blocks-*/*.block")) or process.poll() is not None)
    send(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert out == ""
    # joblib's own tracker of files may add that some are gone already, when all processes are stopped at once.
    said = [line for line in err.splitlines() if "resource_tracker" not in line]
    assert said[-1].startswith(f"Error: stopped by {number.name}")
    assert "Traceback" not in err
    assert visible_results(long_workspace) == {}
    wait_for(lambda: is_gone(process.pid))
    assert not list(long_workspace.glob("out/**/.part-*"))


def test_a_stopped_backtest_goes_on_where_it_was(workspace, monkeypatch, forecast):
    kept = workspace / "out" / "backtests" / ".blocks-simulated-poisson"
    with monkeypatch.context() as patch:

        def fail(*_):
            raise RuntimeError("stopped here")

        patch.setattr(DiscountNegbin, "fit", fail)
        assert forecast("backtest", "--workspace", workspace, "--workers", 1).code == 1
    assert list(kept.iterdir())

    def again(*_):
        raise AssertionError("this was done before")

    for family in (Zero, Climatology):
        monkeypatch.setattr(family, "fit", again)
    assert forecast("backtest", "--workspace", workspace, "--workers", 1).code == 0


def written(workspace):
    """Return the files that are in the results just now, hidden ones too, each with the time of its last change."""
    found = set()
    for folder, _, names in os.walk(workspace / "out"):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                found.add((path, path.stat().st_mtime_ns))
    return found


def killed(process, workspace, changes, delay):
    """Kill a process and its workers some seconds after so many files were written; tell whether it still ran."""
    before = written(workspace)
    wait_for(lambda: process.poll() is not None or len(written(workspace) - before) >= changes)
    time.sleep(delay)
    with contextlib.suppress(ProcessLookupError):  # it was done before
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


@pytest.fixture
def kill_at_random_moments(workspace, forecast):
    """A function that kills runs and backtests, all their processes at once, and looks at what is there each time.

    A moment is so many files after the start, and a little later. What is not killed is done in this process.
    """

    def undisturbed_run():
        outcome = forecast("run", "--workspace", workspace, "--workers", 1)
        assert outcome.code == 0, outcome.err
        return visible_results(workspace)

    def kill(kills):
        undisturbed = undisturbed_run()
        assert len(undisturbed) == 6 + 7  # of the run, of the backtest
        most = len(written(workspace))
        chance = random.Random(20260801)
        stopped = 0
        for _ in range(kills):
            command = chance.choice(["run", "backtest"])
            again = chance.random() < 0.3  # it finds the results and the kept parts of one before
            if not again:
                shutil.rmtree(workspace / "out")
            process = start(command, "--workspace", workspace)
            stopped += killed(process, workspace, chance.randrange(6 if again else most), chance.uniform(0, 0.5))
            assert visible_results(workspace).items() <= undisturbed.items()
            assert undisturbed_run() == undisturbed
            assert not list(workspace.glob("out/**/.part-*"))
        return stopped

    return kill


def test_killed_at_any_moment(kill_at_random_moments):
    assert kill_at_random_moments(1) > 0


@pytest.mark.slow
def test_killed_at_twenty_moments(kill_at_random_moments):
    assert kill_at_random_moments(20) > 10


@pytest.fixture
def small_disk(workspace):
    """A disk of 1 MB for the results; needs the right to mount one."""
    folder = workspace / "out"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(workspace, small_disk, forecast):
    (small_disk / "ballast").write_bytes(b"\0" * 500_000)
    outcome = forecast("run", "--workspace", workspace, "--workers", 1)
    assert outcome.code == 2
    assert "no space left" in outcome.err
    assert not list(small_disk.glob("runs/*/2*"))
    assert not list(small_disk.glob("**/.part-*"))


@pytest.mark.parametrize("command", ["run", "backtest"])
def test_a_disk_that_is_full_when_the_results_are_flushed(workspace, monkeypatch, forecast, outputs, command):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    outcome = forecast(command, "--workspace", workspace, "--workers", 1)
    assert outcome.code == 2
    assert "no space left" in outcome.err
    assert outputs() == {}
    assert not list(workspace.glob("out/**/.part-*"))


@pytest.fixture
def read_only(workspace):
    """A folder for the results that is read-only, also for root; needs the right to mount."""
    folder = workspace / "out"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no right to mount a read-only disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.usefixtures("read_only")
def test_a_read_only_disk(workspace, forecast):
    outcome = forecast("run", "--workspace", workspace, "--workers", 1)
    assert outcome.code == 2
    assert "the disk is read-only" in outcome.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(workspace, forecast):
    (workspace / "out").mkdir(mode=0o500)
    outcome = forecast("run", "--workspace", workspace, "--workers", 1)
    assert outcome.code == 2
    assert "not allowed to write" in outcome.err


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on the disk"),
        (OSError(errno.EIO, "Input/output error", "data.csv"), "Input/output error\n  where: data.csv"),
        (ZeroDivisionError("division by zero"), "unexpected ZeroDivisionError: division by zero"),
    ],
)
def test_what_nobody_foresaw_is_a_message_and_not_a_traceback(monkeypatch, capsys, error, text):
    def fail(_):
        raise error

    monkeypatch.setattr(run_command, "open_chosen", fail)
    assert call_main(["run"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"Error: {text}")
    assert "Traceback" not in err
    monkeypatch.setenv("FORECAST_DEBUG", "1")
    with pytest.raises(type(error)):
        call_main(["run"])
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
