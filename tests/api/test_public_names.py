"""``import forecast as fc``: what it offers, that it costs nothing, and that each name explains itself."""

from __future__ import annotations

import ast
import inspect
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

import forecast as fc

STUB = Path(fc.__file__).with_suffix(".pyi")
FUNCTIONS = [name for name in fc.__all__ if inspect.isfunction(getattr(fc, name, None))]
CLASSES = [name for name in fc.__all__ if inspect.isclass(getattr(fc, name, None))]


def test_type_checkers_see_the_same_names():
    told = set()
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            (alias,) = node.names
            where = fc._PUBLIC.get(alias.name, "forecast")
            assert node.module == where, alias.name
            told.add(alias.name)
    assert told | {"__version__"} == set(fc.__all__)


def test_every_name_is_there_and_listed():
    assert set(dir(fc)) == set(fc.__all__)
    for name in fc.__all__:
        assert getattr(fc, name) is not None


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'forcast'"):
        fc.forcast  # noqa: B018


def test_importing_it_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import forecast; print(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10


def sections(of: object) -> set[str]:
    """Return the headings of a docstring."""
    lines = inspect.getdoc(of).splitlines()
    return {above for above, below in itertools.pairwise(lines) if below and set(below) == {"-"}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_of_a_function_answers(name):
    function = getattr(fc, name)
    found = sections(function)
    assert "Examples" in found
    if inspect.signature(function).parameters:
        assert {"Parameters", "Raises"} <= found or name == "models"
    assert "Returns" in found or inspect.getdoc(function).startswith("Return ")


@pytest.mark.parametrize("name", CLASSES)
def test_help_of_a_class_answers(name):
    kind = getattr(fc, name)
    assert inspect.getdoc(kind)
    if issubclass(kind, Exception):
        return
    assert "Parameters" in sections(kind)
    for label, method in inspect.getmembers(kind, inspect.isfunction):
        if label.startswith("_") or not method.__module__.startswith("forecast."):
            continue
        assert inspect.getdoc(method), f"{name}.{label}"
        told = sections(method)
        if len(inspect.signature(method).parameters) > 1 and label not in {"of", "take_units", "named"}:
            assert told & {"Parameters", "Raises", "Returns"} or inspect.getdoc(method).startswith("Return "), label


SCRIPT = """
import pandas as pd

import forecast as fc

panel = fc.load("west-africa-weekly", countries=["Mali"])
ahead = fc.model("discount-negbin").fit(panel).predict(8)
found: pd.Series = ahead.probability(fc.at_least(5, weeks=4))
table: pd.DataFrame = ahead.total(weeks=4, units="sum").to_frame()
record = fc.backtest(["climatology-52", fc.Model("window_negbin", weeks=26)], panel, origins=4)
board: pd.DataFrame = record.leaderboard
best: str = record.models[0]
pooled = fc.combine([ahead, ahead], weights=[0.5, 0.5])
mended = fc.calibrate(record, best)(pooled)
try:
    fc.read_counts("counts.csv")
except fc.InputError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("script", "right"), [(SCRIPT, True), (SCRIPT.replace("origins=4", 'origins="4"'), False)])
def test_a_script_of_a_user_passes_a_strict_type_checker(tmp_path, script, right):
    path = tmp_path / "script.py"
    path.write_text(script, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(path)]
    done = subprocess.run(command, cwd=Path(fc.__file__).parents[1], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == right, done.stdout
