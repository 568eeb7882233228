"""Imports run in one direction, and never in a circle (docs/adr/0004)."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import forecast

PACKAGE = Path(forecast.__file__).parent

ORDER: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "errors",
            "memory",
            "plain_text",
            "redaction",
            "confined",
            "config",
            "provenance",
            "storage",
            "cells",
            "csv_text",
            "tag_row",
            "tabular",
            "compiled",
            "workers",
            "language",
            "display",
        }
    ),
    frozenset({"plots"}),
    frozenset({"events"}),
    frozenset({"panel"}),
    frozenset({"simulation"}),
    frozenset({"predictive"}),
    frozenset({"processes"}),
    frozenset({"families"}),
    frozenset({"combination"}),
    frozenset({"evaluation"}),
    frozenset({"exchange"}),
    frozenset({"reporting"}),
    frozenset({"ledger"}),
    frozenset({"delivery"}),
    frozenset({"data_section", "workspace", "reference"}),
    frozenset({"jobs"}),
    frozenset({"api", "testing"}),
    frozenset({"cli", "__main__"}),
)
"""Rooms and root modules from the bottom up; what stands in one set may import from it and from those before."""


class Import(NamedTuple):
    """One import of a module of the package by another, wherever in the file it stands."""

    importer: str
    imported: str
    line: int


def modules_of(package: Path) -> dict[str, Path]:
    """Return dotted name and file of every module of a package."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(package: Path) -> list[Import]:
    """Return the imports within a package: at the top of a file, in a function, for types only, by `import_module`."""
    modules = modules_of(package)
    return [
        Import(name, target, line)
        for name, path in modules.items()
        for target, line in _targets(name, path, modules)
        if target.partition(".")[0] == package.name
    ]


def _targets(name: str, path: Path, modules: dict[str, Path]) -> Iterator[tuple[str, int]]:
    inside = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                yield from ((alias.name, node.lineno) for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                above = inside[: len(inside) - level + 1] if level else []
                base = ".".join([*above, module] if module else above)
                for alias in aliases:
                    whole = f"{base}.{alias.name}"
                    yield whole if whole in modules else base, node.lineno
            case ast.Call(func=function, args=[ast.Constant(value=str(target)), *_]):
                if ast.unparse(function) in {"import_module", "importlib.import_module", "__import__"}:
                    yield target, node.lineno


def level_of(module: str) -> int | None:
    """Return where a module stands in the order: -1 for the package itself, None if nowhere."""
    room = [*module.split("."), ""][1]
    if not room:
        return -1
    return next((level for level, rooms in enumerate(ORDER) if room in rooms), None)


def faults_of_order(package: Path) -> list[str]:
    """Return what stands nowhere in the order, and every import that points upwards."""
    faults = [f"{name} stands nowhere in ORDER" for name in modules_of(package) if level_of(name) is None]
    for importer, imported, line in imports_of(package):
        above, below = level_of(importer), level_of(imported)
        if above is not None and below is not None and below > above:
            faults.append(f"{importer} line {line} imports {imported}, which stands above it")
    return faults


def circle_of(package: Path) -> list[str]:
    """Return modules that import each other in a circle, the first one again at the end; empty if there are none."""
    graph: dict[str, set[str]] = {}
    for importer, imported, _ in imports_of(package):
        if importer != imported:
            graph.setdefault(importer, set()).add(imported)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_imports_follow_the_order():
    assert faults_of_order(PACKAGE) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circle_of(PACKAGE) == []


def test_the_reader_sees_the_imports_there_are():
    assert {"forecast.errors", "forecast.panel.units"} <= {
        found.imported for found in imports_of(PACKAGE) if found.importer == "forecast.predictive.forecast"
    }


def plant(folder: Path, **modules: str) -> Path:
    """Write a package `forecast` of the given modules, a double underscore for each dot."""
    package = folder / "forecast"
    for name, source in {"__init__": "", **modules}.items():
        path = package / f"{name}.py" if name == "__init__" else package.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return package


@pytest.mark.parametrize(
    "source",
    [
        "import forecast.reporting.map",
        "import forecast.reporting.map as drawing",
        "from forecast.reporting import map",
        "from forecast.reporting.map import draw",
        "from ..reporting import map",
        "from ..reporting.map import draw",
        "def fit():\n    from forecast.reporting import map",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from forecast.reporting.map import draw",
        "from importlib import import_module\nimport_module('forecast.reporting.map')",
    ],
)
def test_a_planted_import_upwards_is_found_however_it_is_written(tmp_path, source):
    package = plant(tmp_path, families__glm=source, reporting__map="")
    (fault,) = faults_of_order(package)
    assert fault.startswith("forecast.families.glm line ")
    assert "imports forecast.reporting.map, which stands above it" in fault


def test_imports_downwards_and_within_a_room_are_allowed(tmp_path):
    package = plant(
        tmp_path,
        errors="",
        panel__weeks="from forecast import errors",
        panel__panel="from .weeks import WEEK\nimport numpy",
        cli__run="from forecast.panel import panel, weeks",
    )
    assert faults_of_order(package) == []
    assert circle_of(package) == []


def test_a_room_that_nobody_placed_is_found(tmp_path):
    assert faults_of_order(plant(tmp_path, weather__rain="")) == ["forecast.weather.rain stands nowhere in ORDER"]


def test_the_package_itself_imports_nothing_of_its_own(tmp_path):
    package = plant(tmp_path, __init__="from forecast.errors import InputError", errors="")
    assert len(faults_of_order(package)) == 1


def test_a_planted_circle_is_found(tmp_path):
    package = plant(
        tmp_path,
        panel__weeks="from forecast.panel import units",
        panel__units="def index():\n    import forecast.panel.panel",
        panel__panel="from forecast.panel.weeks import WEEK",
    )
    assert set(circle_of(package)) == {"forecast.panel.weeks", "forecast.panel.units", "forecast.panel.panel"}
