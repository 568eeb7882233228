"""The page on comparison: every command runs as it says, its files are read, its example works, its lists are whole."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from forecast.evaluation import forecast_table
from forecast.evaluation.record_diagnosis import TESTS

PAGE = (Path(__file__).parents[2] / "docs" / "comparison.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(workspace, monkeypatch):
    """The current folder: a workspace with the datasets and files that the page names."""
    shutil.copytree(workspace / "data" / "simulated-poisson", workspace / "data" / "west-africa-weekly")
    for name, text in zip(("hub.csv", "counts.csv"), blocks("csv"), strict=True):
        (workspace / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(workspace)
    return workspace


def test_every_command_runs(here, forecast):
    commands = [line.removeprefix("$ forecast ") for block in blocks("console") for line in block.splitlines()]
    assert len(commands) == 8
    for command in commands:
        extra = ["--workers", "1"] if command.startswith("backtest") else []
        done = forecast(*command.split(), *extra)
        assert done.code == 0, (command, done.err)
        if "--json" in command:
            for table in re.findall(r"`(\w+)`", PAGE.split("`--json` writes")[1].split("\n\n")[0]):
                assert json.loads(done.out)[table], table
    assert (here / "out" / "comparisons" / "west-africa-weekly" / "index.html").is_file()


def test_the_example_in_python_runs(capsys):
    (code,) = blocks("python")
    exec(compile(code, "comparison.md", "exec"), {})
    assert "good" in capsys.readouterr().out


def test_all_names_of_columns_are_told():
    for names in (forecast_table.MODEL, forecast_table.UNIT, forecast_table.END, forecast_table.OBSERVED):
        assert all(f"`{name}`" in PAGE for name in names)
    assert len(TESTS) == 7
    assert "seven tests" in PAGE
