"""The command line: what commands there are."""

from __future__ import annotations

from typing import Annotated

import typer

import forecast
from forecast.cli.backtest import backtest
from forecast.cli.check import check
from forecast.cli.compare import compare
from forecast.cli.deliver import deliver
from forecast.cli.export import export
from forecast.cli.ingest import app as ingest
from forecast.cli.init import init
from forecast.cli.ledger import app as ledger
from forecast.cli.models import models
from forecast.cli.place import place
from forecast.cli.run import run
from forecast.cli.schedule import schedule
from forecast.cli.score import score
from forecast.cli.simulate import simulate
from forecast.cli.site import site

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"forecast {forecast.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Calibrated weekly forecasts of political violence per region and town, with their own track record.

    \b
    A first forecast, of the reference workspace (Mali, Burkina Faso, Niger):
      forecast run
    One for another country:
      forecast init nigeria --data west-africa-weekly --country Nigeria
      forecast run --workspace nigeria
    One for counts of your own:
      forecast init somalia --table counts.csv

    Results go to stdout, progress to stderr. Exit codes: 0 done, 1 failed, 2 bad usage or bad input, 3 done with
    warnings that a scheduler should see.
    """


for command, summary in (
    (run, "Forecast the coming weeks and write the report."),
    (backtest, "Score forecasts of the past."),
    (compare, "Tell which model forecasts best."),
    (score, "Score what was issued, or forecasts of a file."),
    (place, "The risk near one place."),
    (export, "Write a run in a format of others."),
    (deliver, "Send a report to its readers."),
    (check, "Tell what is wrong with a workspace."),
    (models, "List the models of the catalogue."),
    (init, "Make a workspace of your own."),
    (simulate, "Make a workspace of simulated counts."),
    (schedule, "Let a machine run it every week."),
    (site, "All issues as a static site."),
):
    app.command(short_help=summary)(command)
app.add_typer(ingest, name="ingest", short_help="Bring events in: ACLED, UCDP, your own table.")
app.add_typer(ledger, name="ledger", short_help="What was issued, and how it turned out.")
