"""Code of the documents: Python runs, and commands are understood by the command line as it is now.

Pages that are followed from top to bottom have tests of their own: their commands are run, not only read.
"""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from forecast.cli.app import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RUN_ELSEWHERE = {
    "README.md": "test_python_pages",
    "docs/comparison.md": "test_comparison_page",
    "docs/exchange.md": "test_exchange_page",
    "docs/fitted-models.md": "test_python_pages",
    "docs/hawkes.md": "test_python_pages",
    "docs/space-time.md": "test_python_pages",
    "docs/tutorials/first-forecast.md": "test_tutorials",
}
"""Pages whose Python another test of this folder runs."""
BLOCK = re.compile(r"^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, *languages: str) -> list[str]:
    """Return the blocks of a document in some languages."""
    found = BLOCK.finditer(path.read_text(encoding="utf-8"))
    return [match["text"] for match in found if match["language"] in languages]


def commands() -> list[tuple[str, str]]:
    """Return every line of a console that calls `forecast`, with its document."""
    found = []
    for path in DOCUMENTS:
        for text in blocks(path, "console"):
            for line in text.splitlines():
                told = re.sub(r"\s#.*", "", line.removeprefix("$ "))
                parts = [part.strip() for part in re.split(r"&&|\|", told)]
                found += [(path.relative_to(ROOT).as_posix(), part) for part in parts if part.startswith("forecast ")]
    return found


@pytest.mark.parametrize(("document", "line"), commands())
def test_every_command_is_understood(document, line):
    arguments = shlex.split(line)[1:]
    command: click.Command = typer.main.get_command(app)
    context = click.Context(command, info_name="forecast")
    while hasattr(command, "commands"):
        assert arguments, line
        name = arguments.pop(0)
        assert name in command.commands, f"{document}: {line}"
        command = command.commands[name]
    command.make_context(command.name, arguments, parent=context)  # raises for what it does not know


def test_the_commands_are_found():
    assert len(commands()) > 60


def with_python() -> list[str]:
    """Return the documents with blocks of Python that no other test runs."""
    found = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS if blocks(path, "python")]
    return [name for name in found if name not in RUN_ELSEWHERE]


@pytest.mark.parametrize("document", with_python())
def test_python_runs(document, capsys):
    names: dict[str, object] = {}
    for text in blocks(ROOT / document, "python"):
        if text.startswith(">>>"):
            example = doctest.DocTestParser().get_doctest(text, names, document, document, 0)
            told: list[str] = []
            outcome = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=told.append)
            assert outcome.failed == 0, "".join(told)
        else:
            exec(compile(text, document, "exec"), names)
    capsys.readouterr()


def test_the_others_are_run_by_the_tests_that_are_named():
    for document, test in RUN_ELSEWHERE.items():
        assert blocks(ROOT / document, "python"), document
        assert (ROOT / "tests" / "docs" / f"{test}.py").is_file()
