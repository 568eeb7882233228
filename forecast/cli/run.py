"""``forecast run``: the forecast of the coming weeks, its risks, its track record and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.cli.options import AsOfOption, JsonOption, WorkersOption, WorkspaceOption, day, open_chosen
from forecast.cli.output import number, percent, progress_bar, result, result_json, say, show_table, warn

if TYPE_CHECKING:
    from forecast.jobs.run import RunResult


def run(
    as_of: AsOfOption = None,
    report: Annotated[
        str | None, typer.Option(metavar="NAME", help="A file of reports/.  [default: that of forecast.toml]")
    ] = None,
    workers: WorkersOption = 2,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Forecast the coming weeks, check the past, and write the report.

    The results are in out/runs/<report>/<origin>/: index.html (opens offline), forecast.parquet, risk.csv and
    manifest.json, all of them or none. The same data give the same bytes. The last line on stdout is the path of
    index.html.

    \b
    Examples:
      forecast run
      forecast run --as-of 2026-07-25
      forecast run --workspace nigeria --report weekly --json
    """
    from forecast.jobs.run import run as run_workspace

    chosen = open_chosen(workspace)
    with progress_bar() as progress:
        done = run_workspace(chosen, day(as_of, "--as-of"), report, workers, progress)
    if json:
        result_json(_summary(done))
    else:
        if any(panel.simulated for panel in done.content.panels.values()):
            say("SIMULATED counts: nothing of this describes a real place.")
        _show_top(done)
    warn(done.warnings)
    if not json:
        result(str(done.folder / "index.html"))
    if done.warnings:
        raise typer.Exit(3)


def _top(done: RunResult) -> list[dict[str, Any]]:
    """Return the highest risks of the headline."""
    from forecast.predictive.risk import ranked

    content = done.content
    risk = content.risk
    rows = risk[(risk["model"] == content.headline_model) & (risk["escalation"] == content.headline_escalation)]
    rows = ranked(rows.dropna(subset=["probability"]))
    return [
        {name: row[name] for name in ("unit", "unit_kind", "probability", "base_rate", "previous", "level")}
        for row in rows.head(2 * content.top).to_dict("records")
    ]


def _summary(done: RunResult) -> dict[str, Any]:
    content = done.content
    return {
        "report": content.name,
        "origin": f"{content.origin:%Y-%m-%d}",
        "folder": str(done.folder),
        "index": str(done.folder / "index.html"),
        "model": content.headline_model,
        "escalation": content.headline_escalation,
        "top": _top(done),
        "warnings": list(done.warnings),
    }


def _show_top(done: RunResult) -> None:
    content = done.content
    rule = next(rule for rule in content.escalations if rule.name == content.headline_escalation)
    rows = [
        (
            row["unit"],
            percent(row["probability"]),
            percent(row["base_rate"]),
            percent(row["previous"]),
            number(row["level"], 0),
        )
        for row in _top(done)
    ]
    if not rows:
        say(f"For no region or place is enough known to say how probable this is: {rule.sentence()}.")
        return
    show_table(
        ("", "probability", "usual", "a week before", "events needed"),
        rows,
        title=f"From {content.origin:%Y-%m-%d}, according to {content.headline_model}: {rule.sentence()}",
        errors=True,
    )
