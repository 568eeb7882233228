"""The page on scaling: its example and its commands work, its tables are those of the measurements."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from benchmarks.scaling_tables import tables
from forecast.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results"


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first line begins so."""
    table = re.search(rf"^{re.escape(heading)}.*\n\|[ :|-]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)[1]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()]


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_the_example_in_python_gives_what_it_shows():
    (block,) = re.findall(r"^```pycon\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    example = doctest.DocTestParser().get_doctest(block, {}, "scaling.md", "scaling.md", 0)
    told: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=told.append)
    assert outcome.attempted > 10
    assert outcome.failed == 0, "".join(told)


def test_the_commands_exist_with_their_options():
    found = re.findall(r"forecast (backtest|run)\b([^\n`]*)", PAGE)
    commands = get_command(app).commands
    assert {name for name, _ in found} == {"backtest", "run"}
    for name, words in found:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", words)) <= known


def test_the_tables_are_those_of_the_measurements():
    assert tables(PAGE, RESULTS) == PAGE
    shown = rows("| cells | core-seconds |")
    assert [number(row[0]) for row in shown] == [1250, 2500, 5000, 10000]
    assert max(number(row[2]) for row in shown) <= 8


def test_the_plans_follow_from_the_costs_of_a_cell():
    *models, (_, fit, origin) = rows("| model | fit | origin |")
    for at, mean in ((1, number(fit)), (2, number(origin))):
        assert np.mean([number(row[at]) for row in models]) == pytest.approx(mean, abs=0.11)

    def hours(cells: str, models: float, origins: float) -> float:
        return number(cells) * models * (origins / 26 * number(fit) + origins * number(origin)) / 3.6e6

    for cells, models_, origins, core_hours, _ in rows("| cells | models | origins |"):
        assert number(core_hours) == pytest.approx(hours(cells, number(models_), number(origins)), rel=0.1)
    for _, cells, core_hours, shared, kept in rows("| | cells | core-hours |"):
        assert number(core_hours) == pytest.approx(hours(cells, 20, 520), rel=0.1)
        assert number(shared) == pytest.approx(number(core_hours) / 32, rel=0.06)
        assert number(kept) == pytest.approx(number(cells) * 20 * 520 * 1.2e-6, rel=0.06)
