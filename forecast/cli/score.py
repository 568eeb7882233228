"""``forecast score``: how good forecasts were: those that were issued, or those that somebody else made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from forecast.cli.options import JsonOption, NowOption, WorkspaceOption, open_chosen
from forecast.cli.output import percent, result_json, say, show_table, significant

if TYPE_CHECKING:
    import pandas as pd

    from forecast.jobs.score import FileScores

SCORES = {"crps": "CRPS", "log": "log", "dss": "DSS", "wis": "WIS"}


def score(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Forecasts, CSV or parquet.  [default: those in the ledger]", show_default=False
        ),
    ] = None,
    outcomes: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="What came: unit, week, events.  [default: the counts of the workspace]"),
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Score each model on all that it has, not on what all models have.")
    ] = False,
    now: NowOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Score forecasts: those that were issued, or those of a FILE, which may be made elsewhere.

    Without FILE: record in the ledger what the data tell of the issued forecasts, show how these have turned out and
    whether they drift, and write the page out/track-record/<report>/index.html. Weeks whose counts were corrected are
    scored once more; both are kept. Each forecast run records the same.

    With FILE: a table in; scores, coverage and a verdict out. The table is as forecast hubs exchange it: location (or
    unit), target_end_date (or week; or reference_date and horizon), output_type (quantile, sample or pmf),
    output_type_id, value, and model_id if there are several models. Or it is wide, with columns such as q0.025, as the
    forecast.parquet of a run. Or it has samples of months as ViEWS has them: month_id, country_id or priogrid_gid,
    draw, outcome; then --outcomes is a table with month_id, the same id and outcome. Only forecasts that all models
    have are scored, unless you say --each.

    \b
    Examples:
      forecast score
      forecast score hub.csv --outcomes counts.csv
      forecast score out/runs/weekly/2026-08-01/forecast.parquet --workspace newer --json
    """
    if file is None:
        _refuse(outcomes is not None and "--outcomes", each and "--each")
        from forecast.cli.issued_scores import score_issued

        score_issued(open_chosen(workspace), now, json)
        return
    _refuse(now is not None and "--now", without=False)
    from forecast.jobs.score import score_file

    found = score_file(file, outcomes=outcomes, workspace=None if outcomes else open_chosen(workspace), each=each)
    if json:
        result_json(
            {
                "first": f"{found.first:%Y-%m-%d}",
                "last": f"{found.last:%Y-%m-%d}",
                "unknown": found.unknown,
                "unknown_units": found.unknown_units,
                "skipped": found.skipped,
                "missing": found.missing,
                "models": found.models.to_dict("records"),
                "horizons": found.horizons.to_dict("records"),
            }
        )
        return
    _show(found)


def _refuse(*options: str | Literal[False], without: bool = True) -> None:
    """Refuse options that belong to the other way to call the command."""
    from forecast.errors import InputError

    for option in filter(None, options):
        raise InputError(
            f"{option} is for forecasts {'of a FILE' if without else 'in the ledger'}", where="forecast score"
        )


def _show(found: FileScores) -> None:
    notes = []
    if found.unknown:
        units = f", as nothing is known of {', '.join(found.unknown_units[:3])}" if found.unknown_units else ""
        more = f" and {len(found.unknown_units) - 3} other units" if len(found.unknown_units) > 3 else ""
        notes.append(f"Left out: {found.unknown} forecasts of which it is not known what came{units}{more}.")
    if any(found.missing.values()):
        lacking = ", ".join(f"{model} lacks {count}" for model, count in found.missing.items() if count)
        notes.append(f"Left out: forecasts that not all models have ({lacking}).")
    if found.skipped:
        notes.append(f"Left out: {found.skipped} rows of other output types.")
    for note in notes:
        say(note)
    known = [name for name in SCORES if found.models[name].notna().any()]
    columns = ("n", *(SCORES[name] for name in known), "in 50 %", "in 80 %", "in 95 %")
    rows = [(str(row["model"]), *_cells(row, known), str(row["verdict"])) for row in _rows(found.models)]
    title = f"Weeks that end from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}"
    show_table(("model", *columns, "verdict"), rows, title=title)
    if len(found.horizons):
        ahead = [(str(row["model"]), str(row["horizon"]), *_cells(row, known)) for row in _rows(found.horizons)]
        show_table(("model", "weeks ahead", *columns), ahead)


def _cells(row: dict[Any, Any], known: list[str]) -> list[str]:
    return [
        str(row["n"]),
        *(significant(row[name]) for name in known),
        *(percent(row[name]) for name in ("cov50", "cov80", "cov95")),
    ]


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")
