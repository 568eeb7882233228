"""Modules stay small enough to hold one concept, and their names say what is inside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import forecast

PACKAGE = Path(forecast.__file__).parent
MOST_LINES = 400
SAYS_NOTHING = frozenset({"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"})


def long_modules(package: Path, most: int = MOST_LINES) -> dict[str, int]:
    """Return the modules of more than `most` lines, and how long they are."""
    lengths = {
        path.relative_to(package).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in package.rglob("*.py")
    }
    return {name: length for name, length in lengths.items() if length > most}


def empty_names(package: Path) -> list[str]:
    """Return rooms and modules with a word in their name that says nothing of what is inside."""
    return sorted(
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if (path.is_dir() or path.suffix == ".py") and SAYS_NOTHING & set(re.split(r"[^a-z]+", path.stem.lower()))
    )


def test_no_module_is_too_long():
    assert long_modules(PACKAGE) == {}


def test_every_name_says_something():
    assert empty_names(PACKAGE) == []


def test_a_planted_long_module_is_found(tmp_path):
    (tmp_path / "short.py").write_text("x = 1\n" * MOST_LINES)
    (tmp_path / "long.py").write_text("x = 1\n" * (MOST_LINES + 1))
    assert long_modules(tmp_path) == {"long.py": MOST_LINES + 1}


@pytest.mark.parametrize("name", ["utils.py", "panel/week_helpers.py", "common/weeks.py", "run_manager.py"])
def test_a_planted_empty_name_is_found(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert len(empty_names(tmp_path)) == 1


def test_a_name_that_only_contains_such_a_word_is_allowed(tmp_path):
    (tmp_path / "commonness.py").touch()
    assert empty_names(tmp_path) == []


def csv_writers(package: Path) -> list[str]:
    """Return the modules besides `csv_text` that write CSV by themselves, of text that was not made safe."""
    written = re.compile(r"\.to_csv\(|csv\.(Dict)?[wW]riter\(|write_csv\(|CSVWriter\b")
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "csv_text.py"}
    return sorted(
        path.relative_to(package).as_posix()
        for path, text in texts.items()
        if written.search(text) and "safe_frame(" not in text
    )


def test_all_csv_is_written_in_one_place():
    assert csv_writers(PACKAGE) == []


def test_a_planted_writer_is_found(tmp_path):
    (tmp_path / "tables.py").write_text("frame.to_csv('t.csv')\n")
    assert csv_writers(tmp_path) == ["tables.py"]
