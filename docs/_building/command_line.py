"""The page of the command line, from the commands themselves: the same words as `--help`."""

from __future__ import annotations

import inspect
import re

import click
import typer

from forecast.cli.app import app


def command_line() -> str:
    """Return the page: every command with its arguments and options."""
    program = typer.main.get_command(app)
    top = click.Context(program, info_name="forecast")
    parts = [
        "# The command line\n",
        "Written from the commands themselves at each build; `forecast COMMAND --help` says the same.\n",
        _told(program.help or ""),
        _options(program, top),
    ]
    return "\n".join([*parts, *_commands(program, top)])


def _commands(group: click.Command, context: click.Context) -> list[str]:
    found = []
    for name, command in getattr(group, "commands", {}).items():
        inner = click.Context(command, info_name=name, parent=context)
        usage = " ".join([inner.command_path, *command.collect_usage_pieces(inner)])
        found.append(f"## {inner.command_path}\n\n```text\n{usage}\n```\n\n{_told(command.help or '')}")
        found.append(_options(command, inner))
        found += _commands(command, inner)
    return found


def _options(command: click.Command, context: click.Context) -> str:
    """Return the table of the arguments and options of a command."""
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            rows.append(f"| `{record[0]}` | {_text(record[1])} |")  # | within code does not end a cell here
    return "\n".join(["| option | what it does |", "| --- | --- |", *rows, ""]) if rows else ""


def _told(text: str) -> str:
    r"""Return the help of a command in Markdown; a paragraph after \b keeps its lines.

    Examples
    --------
    >>> print(_told("Forecast.\n\n\b\nExamples:\n  forecast run"))
    Forecast.
    <BLANKLINE>
    Examples:
    <BLANKLINE>
    ```console
    forecast run
    ```
    <BLANKLINE>
    """
    found = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if not paragraph.startswith("\b"):
            found.append(_text(paragraph) + "\n")
            continue
        block: list[str] = []
        for line in [*paragraph.splitlines()[1:], "end"]:
            if line.startswith("  "):
                block.append(line.removeprefix("  "))
                continue
            if block:
                found.append("\n".join(["```console", *block, "```", ""]))
                block = []
            if line != "end":
                found.append(_text(line) + "\n")
    return "\n".join(found)


def _text(text: str) -> str:
    """Return plain text so that Markdown leaves it as it is."""
    plain = re.sub(r"([\\`*_{}\[\]#|$])", r"\\\1", " ".join(text.split()))
    return plain.replace("<", "&lt;")
