"""The page on exchange: its commands run, its example works, its tables are those of the code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from forecast.combination.settings import Combination, ExternalMember
from forecast.exchange.hub_rows import CDF_COUNTS, COLUMNS, OUTPUT_TYPES, REST, TARGET
from forecast.panel.units import Units
from forecast.predictive.forecast_file import read_forecasts, write_forecasts

PAGE = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(workspace, monkeypatch):
    """The current folder: a workspace with the files that the page names."""
    for name, text in zip(("views.csv", "actuals.csv"), blocks("csv"), strict=True):
        (workspace / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(workspace)
    return workspace


def test_commands_and_example_run(here, forecast, capsys):
    commands = [line.removeprefix("$ forecast ") for block in blocks("console") for line in block.splitlines()]
    assert len(commands) == 6
    for command in commands:
        if "views" in command and "export" in command:
            in_mali(here)
        done = forecast(*command.split(), *(["--workers", "1"] if command == "run" else []))
        assert done.code == 0, (command, done.err)
    (code,) = blocks("python")
    exec(compile(code, "exchange.md", "exec"), {})
    assert capsys.readouterr().out == "escalation-combined (100, 8, 4) True\n"
    assert (here / "hub" / "export.json").is_file()


def in_mali(workspace: Path) -> None:
    """Let the regions of the run be in a country that ViEWS numbers, which the simulated one is not."""
    (path,) = (workspace / "out" / "runs" / "weekly").glob("*/paths.parquet")
    found = read_forecasts(path)
    changed = [
        replace(each, units=Units.of(each.units.names, kind=each.units.kind, groups=["Mali"] * len(each.units)))
        for each in found
    ]
    write_forecasts(path, changed)


def test_the_tables_are_those_of_the_code():
    assert all(f"`{name}`" in PAGE for name in (*COLUMNS, *OUTPUT_TYPES, REST, TARGET))
    assert f"25 to {CDF_COUNTS[-1]}" in PAGE


def test_the_section_of_an_external_member_is_read():
    (text,) = blocks("toml")
    found = tomllib.loads(text)
    combination, external = Combination(**found["combination"]), ExternalMember(**found["external"]["theirs"])
    assert (combination.members[-1], external.path) == ("theirs", "hub/model-output/team-model")
    ExternalMember(**tomllib.loads(text.replace("# target", "target"))["external"]["theirs"])
