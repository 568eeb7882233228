"""``forecast deliver``: what was published, to the targets of its report."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.cli.options import JsonOption, NowOption, WorkspaceOption, day, names, open_chosen
from forecast.cli.output import result, result_json, say, warn

if TYPE_CHECKING:
    from forecast.delivery.targets import Target
    from forecast.delivery.wording import Message


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
        _show(messages(chosen, definition, asked), json=json)
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


def _show(found: list[tuple[Target, Message | None]], *, json: bool) -> None:
    if json:
        told = [
            {"target": target.name, "to": target.to, "message": None if message is None else asdict(message)}
            for target, message in found
        ]
        result_json({"messages": told})
        return
    for target, message in found:
        result(f"--- {target.name} ({target.to})")
        result("no message" if message is None else f"{message.title}\n\n{message.text}")
