"""What the package imports is what it declares: nothing is there only because something else brings it along."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def imported_packages(folder: Path) -> set[str]:
    """Return the top-level names that the modules of a folder import, wherever in the file."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=aliases):
                    found |= {alias.name.partition(".")[0] for alias in aliases}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.partition(".")[0])
    return found


def undeclared(folder: Path, declared: list[str]) -> set[str]:
    """Return the packages that a folder imports and nobody declares."""
    names = {canonicalize_name(Requirement(item).name) for item in declared}
    distributions = packages_distributions()
    outside = imported_packages(folder) - set(sys.stdlib_module_names) - {"forecast"}
    return {name for name in outside if not names & {canonicalize_name(found) for found in distributions.get(name, ())}}


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [item for extra in project["optional-dependencies"].values() for item in extra]
    assert undeclared(ROOT / "forecast", project["dependencies"] + extras) == set()


def test_a_planted_undeclared_import_is_found(tmp_path):
    (tmp_path / "planted.py").write_text("import json\nimport numpy.linalg\ndef f():\n    from packaging import tags\n")
    assert undeclared(tmp_path, ["NumPy>=2"]) == {"packaging"}
