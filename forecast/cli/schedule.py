"""``forecast schedule``: what lets a machine run a workspace every week."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

import forecast
from forecast.cli.options import JsonOption, WorkspaceOption, open_chosen
from forecast.cli.output import result, result_json, say


class Kind(enum.StrEnum):
    """What runs it."""

    SYSTEMD = "systemd"
    CRON = "cron"
    GITHUB = "github"


def schedule(
    kind: Annotated[Kind, typer.Argument(help="What runs it.")],
    at: Annotated[str, typer.Option(metavar="TIME", help="Day and time, in UTC.")] = "Mon 06:00",
    time_budget: Annotated[
        str, typer.Option(metavar="TIME", help="For each run, as in forecast run --time-budget.")
    ] = "2h",
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Write the files there instead of showing them.")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Print a systemd timer and service, a cron line, or a GitHub Actions workflow that runs a workspace every week.

    Nothing is installed; docs/scheduling.md says where the files go.

    \b
    Examples:
      forecast schedule systemd --workspace nigeria --write /etc/systemd/system
      forecast schedule cron --at "Tue 05:30"
      forecast schedule github --write .
    """
    from forecast.jobs.schedule import Moment, Plan
    from forecast.jobs.schedule import schedule as files_of
    from forecast.jobs.time_budget import duration
    from forecast.storage import write_file

    duration(time_budget)
    chosen = open_chosen(workspace)
    # Without -P a folder of the workspace could take the place of a library.
    command = [sys.executable, "-P", "-m", "forecast", "run", "--time-budget", time_budget]
    plan = Plan(chosen.spec.title, chosen.out.parent.resolve(), command, Moment.of(at), forecast.__version__)
    files = files_of(plan, kind.value)
    if write is not None:
        for name, content in files.items():
            write_file(write / name, content.encode())
            say(f"Written: {write / name}")
    if json:
        result_json({"files": files})
    elif write is None:
        for name, content in files.items():
            result(f"# {name}\n{content}")
