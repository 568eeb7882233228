"""Options that commands share, and what they mean."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.cli.output import say
from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.workspace import Workspace

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Folder with a forecast.toml.  [default: the current folder; where that has no forecast.toml, the "
        "reference workspace that comes with the package]",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout, and nothing else there.")]
WorkersOption = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, max=256, help="Processes. The result does not depend on it.")
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Of a Dask scheduler, or ray://HOST:PORT, that you trust: its workers do the backtest.  "
        "[default: --workers on this machine]",
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="DATE",
        help="Forecast as on this day (YYYY-MM-DD): only weeks that were over by then are known.  "
        "[default: the day after the data end]",
    ),
]
NowOption = Annotated[
    str | None,
    typer.Option(
        "--now",
        metavar="TIME",
        help="What the clock is to show, such as 2026-08-03T06:00:00Z: to repeat the past.  [default: the time]",
    ),
]


def open_chosen(folder: Path | None) -> Workspace:
    """Open the workspace in a folder; without one, that in the current folder or the reference workspace.

    Raises
    ------
    InputError
        If there is none. A folder that looks like a workspace without its ``forecast.toml`` is not taken for empty.
    """
    from forecast.reference import reference_workspace
    from forecast.workspace import CONFIG_NAME, open_workspace

    here = folder or Path.cwd()
    if folder is not None or (here / CONFIG_NAME).exists():
        return open_workspace(here)
    if any((here / part).is_dir() for part in ("data", "models", "reports")):
        raise InputError(f"no file {CONFIG_NAME}", where=str(here), hint="`forecast init DIR`, or --workspace DIR")
    workspace = open_workspace(reference_workspace(), results=here / "out")
    say(f"No {CONFIG_NAME} here: this is the reference workspace, {workspace.spec.title}. Results go to out/.")
    return workspace


def day(text: str | None, option: str) -> dt.date | None:
    """Return the day that an option names.

    Raises
    ------
    InputError
        If it is no ISO 8601 day.
    """
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise InputError(f"{text!r} is not a day", where=option, expected="YYYY-MM-DD, such as 2026-07-31")


def names(text: str | None) -> list[str]:
    """Return the parts of a list separated by commas."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]
