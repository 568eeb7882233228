"""The page on scaling: its example and its commands work, its tables are those of the measurements."""

from __future__ import annotations

import doctest
import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

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


def test_the_table_of_cells_is_that_of_the_measurements():
    measured = json.loads((RESULTS / "scale_up.json").read_text())
    shown = rows("| cells | core-seconds |")
    assert [number(row[0]) for row in shown] == [run["cells"] for run in measured["runs"]] == [1250, 2500, 5000, 10000]
    for row, run in zip(shown, measured["runs"], strict=True):
        assert number(row[1]) == pytest.approx(run["core_seconds"], abs=0.5)
        assert number(row[2]) == pytest.approx(run["peak_gib"], abs=0.051)
    assert measured["exponent"] <= 1.1
    assert max(run["peak_gib"] for run in measured["runs"]) <= 8
    assert f"to the power of {measured['exponent']:.2f}" in PAGE


def test_the_plans_follow_from_the_measured_costs():
    measured = json.loads((RESULTS / "sizing.json").read_text())
    for name, fit, origin in rows("| model | fit | origin |"):
        cost = measured["mean"] if name == "mean" else measured["models"][name]
        assert number(fit) == pytest.approx(cost["fit_ms_a_cell"], abs=0.051)
        assert number(origin) == pytest.approx(cost["origin_ms_a_cell"], abs=0.051)

    def hours(cells: float, models: float, origins: float) -> float:
        mean = measured["mean"]
        one = origins / 26 * mean["fit_ms_a_cell"] + origins * mean["origin_ms_a_cell"]
        return cells * models * one / 3.6e6

    for cells, models, origins, core_hours, kept in rows("| cells | models | origins |"):
        asked = number(cells), number(models), number(origins)
        assert number(core_hours) == pytest.approx(hours(*asked), rel=0.06)
        assert number(kept) == pytest.approx(asked[0] * asked[1] * asked[2] * 1.2e-6, rel=0.06)
    for _, cells, core_hours, shared, _ in rows("| | cells | core-hours |"):
        assert number(core_hours) == pytest.approx(hours(number(cells), 20, 520), rel=0.06)
        assert number(shared) == pytest.approx(number(core_hours) / 32, rel=0.06)
