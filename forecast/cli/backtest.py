"""``forecast backtest``: how good forecasts would have been."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.cli.options import (
    AsOfOption,
    JsonOption,
    SchedulerOption,
    WorkersOption,
    WorkspaceOption,
    day,
    names,
    open_chosen,
)
from forecast.cli.output import number, percent, progress_bar, result_json, say, show_table, significant

if TYPE_CHECKING:
    import pandas as pd


def backtest(
    models: Annotated[
        str | None, typer.Option(metavar="A,B", help="Models of the catalogue.  [default: those of forecast.toml]")
    ] = None,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First day of an origin (YYYY-MM-DD).")] = None,
    end: Annotated[str | None, typer.Option(metavar="DATE", help="Last day of an origin (YYYY-MM-DD).")] = None,
    horizon: Annotated[int | None, typer.Option(metavar="N", min=1, max=52, help="Weeks ahead.")] = None,
    refit_every: Annotated[int | None, typer.Option(metavar="N", min=1, max=520, help="Weeks between fits.")] = None,
    data: Annotated[str | None, typer.Option(metavar="SET", help="Another dataset, same countries and places.")] = None,
    as_issued: Annotated[
        bool,
        typer.Option("--as-issued", help="Forecast each week as forecast run does: fitted anew, draws of the report."),
    ] = False,
    as_of: AsOfOption = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of the record.  [default: the dataset, -custom with options of your own]"),
    ] = None,
    workers: WorkersOption = 2,
    scheduler: SchedulerOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Forecast the past as it was known then, and score the forecasts by what came.

    What is not given is as in forecast.toml. Stop it when you like: it goes on where it was. The results are in
    out/backtests/<name>/: forecasts.parquet, scores.parquet, risk.parquet, leaderboard.csv and manifest.json. <name> is
    the dataset; with options of your own <dataset>-custom, so that the record which reports use stays as it is.

    \b
    Examples:
      forecast backtest
      forecast backtest --data west-africa-weekly --start 2010-01-01 --end 2014-12-31
      forecast backtest --models climatology-52,discount-negbin --horizon 12
      forecast backtest --scheduler tls://10.0.0.7:8786
    """
    from forecast.workers import woken

    first, last, known = day(start, "--start"), day(end, "--end"), day(as_of, "--as-of")
    with woken(workers if scheduler is None else 1, "forecast.evaluation.blocks_ahead"):  # before imports of our own
        from forecast.evaluation.cluster import on_cluster
        from forecast.evaluation.comparison import log_note
        from forecast.jobs.track_record import CUSTOM, backtest_workspace

        chosen = open_chosen(workspace)
        with on_cluster(scheduler), progress_bar() as progress:
            record, folder = backtest_workspace(
                chosen,
                models=names(models),
                start=first,
                end=last,
                horizon=horizon,
                refit_every=refit_every,
                data=data,
                as_of=known,
                name=name,
                as_issued=as_issued,
                workers=workers,
                progress=progress,
            )
    origins = record.forecasts["origin"]
    summary = {
        "name": record.name,
        "folder": str(folder),
        "origins": int(origins.nunique()),
        "first": f"{origins.min():%Y-%m-%d}",
        "last": f"{origins.max():%Y-%m-%d}",
        "known_as": record.known_as,
    }
    if json:
        result_json({**summary, "leaderboard": record.leaderboard.to_dict("records")})
        return
    span = f"{summary['origins']} origins, {summary['first']} to {summary['last']}"
    _show(record.leaderboard, f"{record.name}: {span}, {record.known_as}")
    if note := log_note(record.leaderboard):
        say(f"Note: {note}.")
    say(f"Everything is in {folder}")
    if name is None and record.name.endswith(CUSTOM):
        say(f"It has options of your own: the record of the reports, {record.name.removesuffix(CUSTOM)}, is as it was.")


def _show(board: pd.DataFrame, title: str) -> None:
    rows = [
        (
            str(row["model"]),
            str(row["n"]),
            *(significant(float(row[score])) for score in ("crps", "log", "wis")),
            *(percent(float(row[coverage])) for coverage in ("cov50", "cov80", "cov95")),
            _skill(float(row["skill"]), float(row["skill_low"]), float(row["skill_high"])),
        )
        for row in board.to_dict("records")
    ]
    columns = ("model", "cells", "CRPS", "log", "WIS", "in 50 %", "in 80 %", "in 95 %", "skill (90 % interval)")
    show_table(columns, rows, title=title)


def _skill(skill: float, low: float, high: float) -> str:
    """Return the skill in percent with its interval, each ``-`` if unknown.

    Examples
    --------
    >>> _skill(0.0412, 0.01, 0.07), _skill(0.0412, float("nan"), float("nan"))
    ('4.1 (1.0 to 7.0)', '4.1 (-)')
    """
    if math.isnan(skill):
        return "-"
    interval = "-" if math.isnan(low) or math.isnan(high) else f"{number(100 * low, 1)} to {number(100 * high, 1)}"
    return f"{number(100 * skill, 1)} ({interval})"
