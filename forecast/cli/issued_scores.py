"""``forecast score`` without a file: how the forecasts that were issued have turned out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast.cli.output import percent, result, result_json, say, show_table, significant

if TYPE_CHECKING:
    from forecast.jobs.ledger_state import Standing
    from forecast.workspace import Workspace


def score_issued(workspace: Workspace, now: str | None, json: bool) -> None:
    """Record what the data tell of the issued forecasts, and show how these have turned out."""
    from forecast.cli.clock import clock
    from forecast.jobs.issue_content import ledger_name
    from forecast.jobs.ledger_state import existing_ledger, publish_record, score_issues, standing
    from forecast.reporting.issued_part import alarm_sentences

    with existing_ledger(workspace) as opened:
        inputs, found = score_issues(workspace, opened, clock(now))
        with opened.reading() as connection:
            known = standing(connection, ledger_name(workspace))
            page = publish_record(workspace, inputs, connection)
    alarms = alarm_sentences(page.record)
    news: dict[str, Any] = {"counts": 0, "corrected": 0, "scores": 0, "entry": None}
    if found is not None:
        news = {
            "counts": len(found.settlement.outcomes),
            "corrected": found.corrected,
            "scores": len(found.settlement.scores),
            "entry": found.entry.number,
        }
    if json:
        tables = {name: table.to_dict("records") for name, table in vars(known).items()}
        result_json({**news, **tables, "alarms": alarms, "page": str(page.index)})
        return
    say(f"New: {news['counts']} weekly counts, {news['corrected']} of them corrections; {news['scores']} scores.")
    _show(known)
    for alarm in alarms:
        say(f"Alarm of drift. {alarm}")
    result(str(page.index))


def _show(known: Standing) -> None:
    weeks = [
        (str(row["model"]), str(row["n"]), *(significant(float(row[name])) for name in ("crps", "log", "wis")))
        for row in known.weeks.to_dict("records")
    ]
    show_table(("model", "weeks", "CRPS", "log", "WIS"), weeks, title="Weekly counts of regions")
    events = [
        (
            str(row["escalation"]),
            str(row["model"]),
            str(row["n"]),
            percent(float(row["stated"])),
            percent(float(row["came"])),
            significant(float(row["brier"])),
        )
        for row in known.events.to_dict("records")
    ]
    columns = ("escalation", "model", "statements", "stated", "came", "Brier")
    show_table(columns, events, title="Escalations in regions", left=2)
