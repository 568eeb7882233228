"""``forecast site``: the archive of all issues as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, open_chosen
from forecast.cli.output import progress_bar, result, result_json, warn


def site(
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where it goes; it must not hold anything else.  [default: out/site of the workspace]",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where it will be, such as https://example.org/forecasts: for the feed."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The report whose track record is shown.  [default: that of the workspace]",
            show_default=False,
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Build a static site of all issues: what each said and what came, a page for each region and place, a feed.

    It is made from the ledger, whose every link is checked first: if one is broken, nothing is written and the exit
    code is 1. Reports that are still in out/runs as they were published are part of it. It needs no server and no
    network; any web server can carry it. A site that is there is replaced at once. More in docs/site.md.

    \b
    Examples:
      forecast site
      forecast site --output /srv/www/forecasts --url https://example.org/forecasts
    """
    from forecast.jobs.site import build_site

    with progress_bar() as progress:
        built = build_site(open_chosen(workspace), output, url=url, report=report, progress=progress)
    warn(built.warnings)
    if json:
        result_json(vars(built))
    else:
        result(
            f"{built.issues} issues, {built.reports} with their report; {built.units} regions and places; "
            f"{built.files} files, {built.size / 1e6:.1f} MB"
        )
        result(f"{built.folder / 'index.html'}")
    if built.warnings:
        raise typer.Exit(3)
