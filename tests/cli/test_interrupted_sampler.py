"""A run that is stopped while it samples a posterior leaves the results of before, and the next one ends as ever."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import forecast as package

RUN = """
import signal, sys, time
from pathlib import Path
from forecast.cli import main
from forecast.families.bayes.density import Density

marker, function, wanted = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
evaluate, calls = getattr(Density, function), 0

def counted(self, z):
    global calls
    calls += 1
    if calls >= wanted:
        marker.touch()
        time.sleep(0.5)
    return evaluate(self, z)

setattr(Density, function, counted)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts its background jobs without it
sys.exit(main(sys.argv[4:]))
"""
"""The command line, which goes slow in the middle of a fit: at the evaluation of the posterior of that number."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]


def start(*arguments: object) -> subprocess.Popen[str]:
    root = str(Path(package.__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def whole_run(workspace: Path) -> None:
    process = start("-m", "forecast", "run", "--workspace", workspace, "--workers", 1)
    _, err = process.communicate(timeout=300)
    assert process.returncode in (0, 3), err


def stopped_run(workspace: Path, marker: Path, function: str, number: int, blow: signal.Signals) -> str:
    """Stop a run in the middle of a fit; return what it said."""
    process = start("-c", RUN, marker, function, number, "run", "--workspace", workspace, "--workers", 1)
    limit = time.monotonic() + 120
    while not marker.exists():
        assert time.monotonic() < limit
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(blow)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-blow if blow == signal.SIGKILL else 1)
    marker.unlink()
    return err


def add_model(workspace: Path, settings: str) -> None:
    config = workspace / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    # With a ledger a second run would find the forecast issued, and fit nothing.
    text = text.replace("use = [", 'use = ["bayes", ', 1) + "\n[ledger]\nenabled = false\n"
    config.write_text(text, encoding="utf-8")
    spec = 'name = "bayes"\nfamily = "bayes_negbin"\ntitle = "Bayes"\nmethod = "Levels that walk."\n'
    (workspace / "models" / "bayes.toml").write_text(f"{spec}[settings]\n{settings}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "function", "number"),
    [
        pytest.param("draws = 50\nproposals = 150", "log_density", 100, id="laplace"),
        pytest.param('method = "nuts"\nsamples = 100\nchains = 2', "log_posterior", 400, id="nuts"),
    ],
)
def test_a_run_stopped_while_it_samples(workspace, outputs, tmp_path, settings, function, number):
    if "nuts" in settings:
        pytest.importorskip("nutpie")
    add_model(workspace, settings)
    marker = tmp_path / "sampling"
    stopped_run(workspace, marker, function, number, signal.SIGKILL)
    assert outputs() == {}
    whole_run(workspace)
    before = outputs()
    (risk,) = (content for path, content in before.items() if path.endswith("risk.csv"))
    assert b",bayes" in risk
    (manifest,) = (content for path, content in before.items() if path.startswith("runs") and "manifest" in path)
    method = "nuts" if "nuts" in settings else "laplace"
    assert f"({method})" in json.loads(manifest)["fitted_by"]["bayes"]["region"]
    for blow in (signal.SIGKILL, signal.SIGINT):
        err = stopped_run(workspace, marker, function, number, blow)
        assert outputs() == before
        assert blow == signal.SIGKILL or "stopped by SIGINT" in err
    shutil.rmtree(workspace / "out")
    whole_run(workspace)
    assert outputs() == before  # the same seed in another process: the same bytes
