"""The example of a family in a package of its own: built, installed, held to the contract, back-tested, reported."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "docs" / "example-plugin"


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """A function that runs a module of Python with the plug-in installed, and returns what it printed."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--no-index"]
    target = folder / "installed"
    subprocess.run(
        [*pip, "--no-build-isolation", "--no-compile", "--target", str(target), str(source)], cwd=folder, check=True
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), str(ROOT)]), "OMP_NUM_THREADS": "1"}

    def run(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    run.folder = folder
    return run


def test_it_keeps_the_contract(command):
    assert " passed" in command("pytest", "-q", "-p", "no:cacheprovider", "source/tests")


def test_it_is_listed_back_tested_and_reported(command):
    command("forecast", "init", "mali", "--data", "west-africa-weekly", "--country", "Mali")
    workspace = command.folder / "mali"
    shutil.copy(PLUGIN / "models" / "ewma.toml", workspace / "models")
    spec = (workspace / "forecast.toml").read_text(encoding="utf-8")
    spec = re.sub(r"^use = \[[^\]]*\]", 'use = ["ewma", "climatology-52"]', spec, count=1, flags=re.MULTILINE)
    spec = re.sub(r"^origins = \d+", "origins = 13", spec, count=1, flags=re.MULTILINE)
    spec = re.sub(r"^headline = .*$", 'headline = "ewma"', spec, count=1, flags=re.MULTILINE)
    spec = re.sub(r"^\[combination\].*?(?=^\[)", "", spec, count=1, flags=re.MULTILINE | re.DOTALL)
    (workspace / "forecast.toml").write_text(spec, encoding="utf-8")

    report = workspace / "reports" / "weekly.toml"
    plain = re.sub(r"^(brief|pictures) = true$", r"\1 = false", report.read_text(encoding="utf-8"), flags=re.MULTILINE)
    report.write_text(plain, encoding="utf-8")

    told = json.loads(command("forecast", "models", "ewma", "--workspace", "mali", "--json"))
    assert told["family"] == "ewma"
    command("forecast", "run", "--workspace", "mali", "--draft", "--as-of", "2019-12-28", "--json", codes=(0, 3))
    (board,) = (workspace / "out" / "backtests").glob("*/leaderboard.csv")
    assert "\newma," in board.read_text(encoding="utf-8")
    (page,) = (workspace / "out").rglob("index.html")
    assert "Exponentially weighted mean" in page.read_text(encoding="utf-8")
