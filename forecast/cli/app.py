"""The command line: what commands there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import forecast

SUMMARIES = {
    "run": "Forecast the coming weeks and write the report.",
    "backtest": "Score forecasts of the past.",
    "compare": "Tell which model forecasts best.",
    "score": "Score what was issued, or forecasts of a file.",
    "place": "The risk near one place.",
    "export": "Write a run in a format of others.",
    "deliver": "Send a report to its readers.",
    "check": "Tell what is wrong with a workspace.",
    "models": "List the models of the catalogue.",
    "init": "Make a workspace of your own.",
    "simulate": "Make a workspace of simulated counts.",
    "schedule": "Let a machine run it every week.",
    "site": "All issues as a static site.",
    "ingest": "Bring events in: ACLED, UCDP, your own table.",
    "ledger": "What was issued, and how it turned out.",
}
"""Each command, a module of this package with a function of its name, or with an `app` of commands below it."""


class _Commands(Mapping[str, Any]):
    """The commands by name. A module is imported when its command is asked for, so that help appears at once."""

    def __getitem__(self, name: str) -> Any:
        if name not in SUMMARIES:
            raise KeyError(name)
        module = import_module(f"forecast.cli.{name}")
        below = getattr(module, "app", None)
        if below is None:
            below = typer.Typer(add_completion=False, rich_markup_mode=None)
            below.command(name)(getattr(module, name))
        command = typer.main.get_command(below)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)


class _Program(TyperGroup):
    """All commands; a list of them needs none."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = _Commands()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each name and summary."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


app = typer.Typer(
    cls=_Program,
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
