"""``forecast check``: whether a workspace is fit to be run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, day, open_chosen
from forecast.cli.output import result_json, show_table
from forecast.errors import InputError


def check(
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Tell whether the data are stale on this day.  [default: today]")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what is wrong with a workspace before it is run.

    Checks forecast.toml, models, reports, the hashes of all files, the panels, the counts (docs/checks.md), how old
    the data are, and the map. Exit codes: 0 all is well, 2 errors, 3 warnings.

    \b
    Examples:
      forecast check
      forecast check --as-of 2026-08-03 --json
    """
    from forecast.jobs.check import Check, check_workspace

    today = day(as_of, "--as-of") or dt.datetime.now(dt.UTC).date()
    try:
        checks = check_workspace(open_chosen(workspace), today)
    except InputError as error:
        checks = [Check("workspace", "error", str(error))]
    worst = _worst(item.status for item in checks)
    if json:
        result_json({"status": worst, "checks": [vars(item) for item in checks]})
    else:
        rows = [(item.name, item.status, " ".join(filter(None, [item.found, item.hint]))) for item in checks]
        show_table(("check", "", "what was found"), rows, left=3)
    raise typer.Exit({"ok": 0, "error": 2, "warning": 3}[worst])


def _worst(statuses: Iterable[str]) -> str:
    return max(statuses, key=("ok", "warning", "error").index)
