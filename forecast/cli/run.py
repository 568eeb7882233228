"""``forecast run``: the forecast of the coming weeks, issued once, with its risks, its track record and the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.cli.options import (
    AsOfOption,
    JsonOption,
    NowOption,
    SchedulerOption,
    WorkersOption,
    WorkspaceOption,
    day,
    open_chosen,
)
from forecast.cli.output import number, percent, progress_bar, result, result_json, say, show_table, warn

if TYPE_CHECKING:
    from forecast.jobs.issue import Choices, Issued
    from forecast.jobs.run_log import RunLog
    from forecast.workspace import Workspace


def run(
    as_of: AsOfOption = None,
    report: Annotated[
        str | None, typer.Option(metavar="NAME", help="A file of reports/.  [default: that of forecast.toml]")
    ] = None,
    workers: WorkersOption = 2,
    scheduler: SchedulerOption = None,
    reissue: Annotated[
        bool, typer.Option("--reissue", help="Issue again what was issued before. The ledger keeps both.")
    ] = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="Issue nothing: write what the report would be to out/drafts/.")
    ] = False,
    time_budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Such as 30m: when it is spent, models other than the headline are left out, with a warning each.",
        ),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Tell in the manifest and the report what each model cost in core-seconds.")
    ] = False,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON lines go here.  [default: out/log/run-<year>.jsonl]")
    ] = None,
    now: NowOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Forecast the coming weeks, check the past, and issue the report.

    The results are in out/runs/<report>/<origin>/: index.html (opens offline), forecast.parquet, risk.csv and
    manifest.json, all of them or none. The same data give the same bytes, but for --cost. The last line on stdout is
    the path of index.html.

    A forecast is issued once for each week from which it starts: it is recorded in the ledger, which nobody can edit,
    before it is published. A second run says so and changes nothing, unless --reissue. How to let a machine do this
    every week: forecast schedule. What the report has of [[delivery]] is then delivered, as by forecast deliver.

    \b
    Examples:
      forecast run
      forecast run --as-of 2026-07-25
      forecast run --draft
      forecast run --workspace nigeria --time-budget 30m --json
    """
    from forecast.errors import InputError
    from forecast.jobs.time_budget import duration
    from forecast.workers import woken

    if reissue and draft:
        raise InputError("--reissue and --draft exclude each other", where="forecast run", expected="one of them")
    known, budget = day(as_of, "--as-of"), None if time_budget is None else duration(time_budget)
    with woken(workers if scheduler is None else 1, "forecast.evaluation.blocks_ahead"):  # before imports of our own
        from forecast.evaluation.cluster import on_cluster
        from forecast.jobs.issue import Choices

        chosen = open_chosen(workspace)
        choices = Choices(known, report, workers, reissue, draft, budget, cost)
        with on_cluster(scheduler):
            done = _logged(chosen, choices, log, now)
    if json:
        result_json(_summary(done))
    else:
        if done.ready.inputs.simulated:
            say("SIMULATED counts: nothing of this describes a real place.")
        _show_top(done)
        say(_told(done))
    warn(done.warnings)
    if not json:
        result(str(done.folder / "index.html"))
    if done.warnings:
        raise typer.Exit(3)


def _logged(workspace: Workspace, choices: Choices, file: Path | None, now: str | None) -> Issued:
    """Issue the forecast, and leave in the log how it ended, however it ends."""
    from forecast.cli.clock import clock
    from forecast.errors import ForecastError
    from forecast.jobs.issue import issue_forecast
    from forecast.jobs.run_log import RunLog

    log: RunLog = RunLog(workspace.out / "log", clock(now), file)
    asked = {name: value for name, value in vars(choices).items() if value not in {None, False}}
    log.start(choices=asked)
    try:
        with progress_bar() as progress:
            done = issue_forecast(workspace, choices, log, progress)
        # Looking back at another day is not a reason to send anything to anybody.
        done = done if choices.draft or choices.as_of else _delivered(workspace, done, log)
    except BaseException as error:
        code = error.exit_code if isinstance(error, ForecastError) else 1
        log.end("failed", code, error=f"{type(error).__name__}: {error}")
        raise
    facts = {"origin": f"{done.ready.origin:%Y-%m-%d}", "entry": done.entry, "link": done.link}
    log.end(done.outcome, 3 if done.warnings else 0, **facts, warnings=list(done.warnings))
    return done


def _delivered(workspace: Workspace, done: Issued, log: RunLog) -> Issued:
    """Deliver what was published; what goes wrong there is a warning, as the issue stands."""
    from dataclasses import replace

    definition = done.ready.definition
    if not definition.delivery:
        return done
    from forecast.errors import ForecastError
    from forecast.jobs.deliver import Asked, deliver

    try:
        found = deliver(workspace, definition, Asked(done.ready.origin.date()), os.environ, log.clock.now)
    except ForecastError as error:
        return replace(done, warnings=(*done.warnings, f"not delivered: {error}"))
    for each in found:
        log.event("delivery", target=each.target, to=each.to, outcome=each.outcome)
        if not each.warning:
            say(each.told)
    return replace(done, warnings=(*done.warnings, *(each.warning for each in found if each.warning)))


def _told(done: Issued) -> str:
    """Return in one sentence what was done."""
    origin = f"{done.ready.origin:%Y-%m-%d}"
    when = f"{done.issued_at:%Y-%m-%d %H:%M} UTC" if done.issued_at else ""
    again = f" (issue {done.revision} of these weeks)" if done.revision > 1 else ""
    return {
        "issued": f"Issued: the forecast from {origin} is entry {done.entry} of the ledger, {done.link[:12]}.",
        "issued again": f"Issued again: the forecast from {origin} is entry {done.entry}, {done.link[:12]}{again}.",
        "unchanged": f"Nothing changed: the forecast from {origin} was issued on {when}{again}.",
        "kept": f"Nothing changed: the forecast from {origin} was issued on {when}{again}.",
        "published again": f"The forecast from {origin} was issued on {when}{again}; its page was made again.",
        "draft": f"A draft of the forecast from {origin}: it is not in the ledger.",
        "not recorded": f"The forecast from {origin} is not recorded: [ledger] is switched off in forecast.toml.",
    }[done.outcome]


def _top(done: Issued) -> list[dict[str, Any]]:
    """Return the highest risks of the headline."""
    from forecast.predictive.risk import ranked

    definition = done.ready.definition
    rows = done.risk[done.risk["escalation"] == definition.headline_escalation]
    rows = ranked(rows.dropna(subset=["probability"]))
    return [
        {name: row[name] for name in ("unit", "unit_kind", "probability", "base_rate", "previous", "level")}
        for row in rows.head(2 * definition.top).to_dict("records")
    ]


def _summary(done: Issued) -> dict[str, Any]:
    definition = done.ready.definition
    return {
        "report": definition.name,
        "origin": f"{done.ready.origin:%Y-%m-%d}",
        "outcome": done.outcome,
        "folder": str(done.folder),
        "index": str(done.folder / "index.html"),
        "entry": done.entry,
        "revision": done.revision,
        "issued_at": done.issued_at.isoformat() if done.issued_at else None,
        "link": done.link or None,
        "model": done.ready.workspace.spec.models.headline,
        "escalation": definition.headline_escalation,
        "top": _top(done),
        "warnings": list(done.warnings),
    }


def _show_top(done: Issued) -> None:
    spec, definition = done.ready.workspace.spec, done.ready.definition
    rule = next(rule for rule in spec.escalations if rule.name == definition.headline_escalation)
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
        title=f"From {done.ready.origin:%Y-%m-%d}, according to {spec.models.headline}: {rule.sentence()}",
        errors=True,
    )
