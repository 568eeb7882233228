"""``forecast deliver``: what was published, to the targets of its report."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from forecast.cli.options import JsonOption, NowOption, WorkspaceOption, day, names, open_chosen
from forecast.cli.output import result, result_json, say, warn


def deliver(
    report: Annotated[
        str | None, typer.Option(metavar="NAME", help="A file of reports/.  [default: that of forecast.toml]")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The issue that starts on this day.  [default: the last one published]"),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="A,B", help="Names of deliveries.  [default: all of the report]")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Whatever was delivered before, thresholds and quiet hours.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show the messages, send nothing.")] = False,
    now: NowOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Deliver a published report: into folders, by mail, to Slack and Teams.

    The targets are the [[delivery]] tables of the report, reports/<name>.toml; secrets come from the variables of the
    environment that they name. Each gets an issue once: a second call sends what has failed or waited for the end of
    quiet hours, and nothing else. forecast run does the same when it has published.

    \b
    Examples:
      forecast deliver --preview
      forecast deliver
      forecast deliver --to analysts --again
    """
    from forecast.cli.clock import clock
    from forecast.jobs.deliver import Asked, messages
    from forecast.jobs.deliver import deliver as deliver_report

    chosen = open_chosen(workspace)
    definition = chosen.report(report)
    asked = Asked(day(origin, "--origin"), tuple(names(to)), again)
    if preview:
        found = [
            {
                "target": target.name,
                "to": target.to,
                "title": message.title if message else None,
                "text": message.text if message else None,
            }
            for target, message in messages(chosen, definition, asked)
        ]
        if json:
            result_json({"messages": found})
            return
        for each in found:
            result(f"--- {each['target']} ({each['to']})")
            result("no message" if each["title"] is None else f"{each['title']}\n\n{each['text']}")
        return
    delivered = deliver_report(chosen, definition, asked, os.environ, clock(now).now)
    if json:
        result_json({"report": definition.name, "delivered": [asdict(each) for each in delivered]})
    for each in delivered:
        if not each.warning:
            say(each.told)
    warnings = [each.warning for each in delivered if each.warning]
    warn(warnings)
    if warnings:
        raise typer.Exit(3)
