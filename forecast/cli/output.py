"""Results to stdout, everything else to stderr; text from data does not act on the terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forecast.plain_text import escaped_json, visible
from forecast.redaction import without_secrets

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PLAIN_WIDTH = 120
"""Of tables that go to a file or a pipe, unless COLUMNS says otherwise."""


def say(text: str) -> None:
    """Write a line to stderr, without the secrets that an error of some library may tell."""
    sys.stderr.write(f"{without_secrets(visible(text))}\n")


def result(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{visible(text)}\n")


def result_json(content: Any) -> None:
    """Write the one JSON object of ``--json`` to stdout; what is not a number is null."""
    sys.stdout.write(escaped_json(json.dumps(_plain(content), ensure_ascii=False, indent=2)) + "\n")


def warn(warnings: Iterable[str]) -> None:
    """Write warnings to stderr."""
    for warning in warnings:
        say(f"Warning: {warning}")


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", left: int = 1, errors: bool = False
) -> None:
    """Write a table to stdout, or to stderr with `errors`; the first `left` columns are text, the others numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    if title:
        (say if errors else result)(title)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(visible(column), justify="left" if position < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(escape(visible(cell)) for cell in row))
    _print(table, errors=errors)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function of (what, done, total) that shows how far the work is: bars, or lines if there is no screen."""
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = _console(errors=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=console) as bars:
        tasks: dict[str, Any] = {}

        def update(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(escape(visible(what)), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield update


def percent(value: float) -> str:
    """Return a share in whole percents, ``-`` if unknown; never 0 or 100 for what is only nearly so.

    Examples
    --------
    >>> percent(0.5), percent(0.001), percent(float("nan"))
    ('50 %', '< 1 %', '-')
    """
    if math.isnan(value):
        return "-"
    if 0 < value < 0.01:
        return "< 1 %"
    if 0.99 < value < 1:
        return "> 99 %"
    return f"{100 * value:.0f} %"


def chance(value: float) -> str:
    """Return a probability as `percent`, but below 1 % and above 99 % with the digit that tells how rare.

    Examples
    --------
    >>> chance(0.345), chance(0.0034), chance(0.00004), chance(0.9966), chance(1.0), chance(float("nan"))
    ('34 %', '0.3 %', '< 0.01 %', '99.7 %', '> 99.99 %', '-')
    """
    if math.isnan(value) or 0.01 <= value <= 0.99:
        return percent(value)
    rest = 100 * min(value, 1 - value)
    if rest < 0.01:
        return "< 0.01 %" if value < 0.5 else "> 99.99 %"
    digits = 1 if rest >= 0.1 else 2
    return f"{rest if value < 0.5 else 100 - rest:.{digits}f} %"


def number(value: float, digits: int = 2) -> str:
    """Return a number, ``-`` if unknown."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def significant(value: float, digits: int = 4) -> str:
    """Return a number with so many significant digits, ``-`` if unknown.

    Examples
    --------
    >>> significant(0.118907), significant(1.40235), significant(4175.74), significant(0.0)
    ('0.1189', '1.402', '4176', '0.000')
    """
    if math.isnan(value):
        return "-"
    before = math.floor(math.log10(abs(value))) + 1 if value else 1
    return f"{value:.{max(0, digits - before)}f}"


def _lines() -> Callable[[str, int, int], None]:
    seen: set[tuple[str, bool]] = set()

    def update(what: str, done: int, total: int) -> None:
        state = (what, done == total)
        if state not in seen:
            seen.add(state)
            say(f"{what}: {'done' if done == total else f'{done} of {total}'}")

    return update


def _print(table: Table, *, errors: bool) -> None:
    _console(errors=errors).print(table)


def _console(*, errors: bool) -> Console:
    import os

    from rich.console import Console

    console = Console(stderr=errors, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        return Console(stderr=errors, highlight=False, width=PLAIN_WIDTH)
    return console


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a number of numpy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
