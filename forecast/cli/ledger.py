"""``forecast ledger``: what was issued, whether it is as it was written, and how it turned out."""

from __future__ import annotations

import enum
import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, open_chosen
from forecast.cli.output import number, percent, progress_bar, result, result_json, say, show_table

if TYPE_CHECKING:
    from forecast.ledger.read import IssueEntry

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

AllOption = Annotated[bool, typer.Option("--all", help="Of all workspaces that share this ledger.")]


class Form(enum.StrEnum):
    """How tables are written."""

    PARQUET = "parquet"
    CSV = "csv"


@app.callback()
def ledger() -> None:
    """Look into the ledger: every forecast that was issued, which nobody can edit, and how it turned out.

    It is the file ledger.sqlite of a workspace, or a PostgreSQL database: [ledger] url in forecast.toml, or the
    environment variable FORECAST_LEDGER_URL. More in docs/ledger.md.

    \b
    Examples:
      forecast ledger list
      forecast ledger verify
      forecast ledger export exported --format csv
    """


@app.command(name="list", short_help="List the issued forecasts.")
def list_issues(workspace: WorkspaceOption = None, every: AllOption = False, json: JsonOption = False) -> None:
    """List the issued forecasts, in the order in which they were issued.

    \b
    Examples:
      forecast ledger list
      forecast ledger list --all --json
    """
    from forecast.jobs.issue_content import ledger_name
    from forecast.jobs.ledger_state import existing_ledger
    from forecast.ledger import read

    chosen = open_chosen(workspace)
    with existing_ledger(chosen) as opened, opened.reading() as connection:
        entries = read.issues(connection, None if every else ledger_name(chosen))
    rows = [_row(entry) for entry in entries]
    if json:
        result_json({"issues": rows})
        return
    columns = ("entry", "issued at (UTC)", "report", "from", "issue", "model", "warnings", "link")
    shown = [
        (
            str(row["entry"]),
            row["issued_at"].replace("T", " ")[:16],
            row["report"],
            row["origin"],
            str(row["revision"]),
            row["model"],
            str(len(row["warnings"])),
            row["link"][:12],
        )
        for row in rows
    ]
    show_table(columns, shown, left=len(columns))


@app.command(short_help="Show what one issue said.")
def show(
    entry: Annotated[int, typer.Argument(metavar="ENTRY", min=1, help="A number from forecast ledger list.")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show what one issue said: from which data and code, and the probabilities of the model that the report spoke for.

    \b
    Examples:
      forecast ledger show 1
      forecast ledger show 1 --json
    """
    from forecast.jobs.ledger_state import existing_ledger
    from forecast.ledger import read

    with existing_ledger(open_chosen(workspace)) as opened, opened.reading() as connection:
        found = read.issue_entry(connection, entry)
        issue = read.load_issue(connection, found)
        answers = read.answers(connection, [entry])
    key = ["unit_kind", "unit", "escalation"]
    answers = answers.drop_duplicates(key, keep="last")[[*key, "met"]]
    said = issue.chances[issue.chances["model"] == found.head.headline].merge(issue.questions, on=key)
    said = said.merge(answers, on=key, how="left").sort_values(
        ["escalation", "probability", "unit"], ascending=[True, False, True]
    )
    facts = {**_row(found), "known_until": str(found.head.known_until), "models": [each.name for each in issue.models]}
    facts |= {name: getattr(found.head, name) for name in ("vintage", "settings", "code", "version", "seed", "draws")}
    if json:
        columns = ["unit_kind", "unit", "escalation", "probability", "base_rate", "level", "met"]
        result_json({**facts, "probabilities": said[columns].to_dict("records")})
        return
    for name, value in facts.items():
        result(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    came = {0.0: "no", 1.0: "yes"}
    rows = [
        (
            str(row["escalation"]),
            str(row["unit"]),
            percent(float(row["probability"])),
            percent(float(row["base_rate"])),
            number(float(row["level"]), 0),
            came.get(float(row["met"]), "-"),
        )
        for row in said.to_dict("records")
    ]
    show_table(("escalation", "", "probability", "usual", "events needed", "it came"), rows, left=2)


@app.command(short_help="Check that nothing was changed.")
def verify(
    expect: Annotated[
        str | None,
        typer.Option(metavar="LINK", help="A link noted earlier that must be in the chain: finds a cut-off end."),
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Compute every hash of the chain again. Exit code 1 names the first entry that is not as it was written.

    \b
    Examples:
      forecast ledger verify
      forecast ledger verify --expect 9f86d081884c
    """
    from forecast.jobs.ledger_state import existing_ledger
    from forecast.ledger.verify import checked_link
    from forecast.ledger.verify import verify as verify_chain

    wanted = None if expect is None else checked_link(expect)
    chosen = open_chosen(workspace)
    with existing_ledger(chosen) as opened, opened.reading() as connection, progress_bar() as progress:
        verdict = verify_chain(
            connection, expect=wanted, progress=lambda done, total: progress("checking entries", done, total)
        )
    if json:
        result_json({"ledger": str(opened.address), "whole": not verdict.broken, **vars(verdict)})
    elif verdict.broken:
        result(f"Broken: {verdict.broken}")
    else:
        result(f"Whole: {verdict.entries} entries; the last link is {verdict.head}")
    if verdict.broken:
        raise typer.Exit(1)


@app.command(short_help="Write the ledger as tables.")
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tables go; it must not hold anything else.")],
    form: Annotated[Form, typer.Option("--format", help="How the tables are written.")] = Form.PARQUET,
    workspace: WorkspaceOption = None,
    every: AllOption = False,
    json: JsonOption = False,
) -> None:
    """Write issues, forecasts, probabilities, outcomes, answers and scores as tables, for other programs.

    \b
    Examples:
      forecast ledger export exported
      forecast ledger export exported --format csv --all
    """
    from forecast.jobs.issue_content import ledger_name
    from forecast.jobs.ledger_state import existing_ledger
    from forecast.ledger.export import TABLES
    from forecast.ledger.export import export as export_tables

    _refuse_strange(folder, {f"{name}.{each.value}" for name in TABLES for each in Form})
    chosen = open_chosen(workspace)
    with existing_ledger(chosen) as opened, opened.reading() as connection:
        rows = export_tables(connection, folder, form.value, None if every else ledger_name(chosen))
    if json:
        result_json({"folder": str(folder), "rows": rows})
        return
    show_table(("table", "rows"), [(f"{name}.{form.value}", str(count)) for name, count in rows.items()])
    say(f"Everything is in {folder}")


def _row(entry: IssueEntry) -> dict[str, Any]:
    head = entry.head
    return {
        "entry": entry.number,
        "issued_at": f"{entry.recorded_at:%Y-%m-%dT%H:%M:%SZ}",
        "workspace": head.workspace,
        "report": head.report,
        "origin": str(head.origin),
        "revision": head.revision,
        "model": head.headline,
        "warnings": json_text.loads(head.manifest).get("warnings", []),
        "link": entry.link,
    }


def _refuse_strange(folder: Path, known: set[str]) -> None:
    """Refuse a folder with files of others: exporting replaces it."""
    from forecast.errors import InputError

    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - known):
        raise InputError(
            "something else is there", where=str(folder), expected="a new folder, or one of an earlier export"
        )
