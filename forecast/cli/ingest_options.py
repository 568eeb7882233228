"""The options of ``forecast ingest``, each declared once, and what they mean together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.cli.options import day, names
from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.events.imprecise import ImprecisePolicy
    from forecast.events.record import Scope

FilesArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files to import.", show_default=False)
]
FileOption = Annotated[
    list[Path] | None, typer.Option("--file", metavar="FILE", help="A file to import, as an option.")
]
DeletionsOption = Annotated[
    list[Path] | None, typer.Option("--deletions", metavar="FILE", help="A list of deleted events, as ACLED gives it.")
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="M.toml",
        help="Which column is what.  [default: HXL tags, or columns with the canonical names]",
    ),
]
ApiOption = Annotated[bool, typer.Option("--api", help="Ask the source's API instead of reading files.")]
VersionOption = Annotated[
    str | None,
    typer.Option(
        "--version", metavar="V", help="The release, such as 25.1 or 26.0.7: for --api, or where a file name lacks it."
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="DATE|last",
        help="With --api: only what ACLED changed or deleted since this day, or since the newest record that is here: "
        "last.",
    ),
]
TypesOption = Annotated[
    str | None,
    typer.Option(
        "--types",
        metavar="A,B",
        help="Only events of these types, such as 'Battles,Explosions/Remote violence,Violence against civilians'; "
        "the others are dropped.  [default: all]",
    ),
]
CountriesOption = Annotated[
    str | None,
    typer.Option(
        "--countries",
        metavar="A,B",
        help="Only these countries, as the source writes them: those to ask the API for, or those that --complete "
        "files are about.",
    ),
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First day of the events, for the same.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day of the events, likewise.")]
CompleteOption = Annotated[
    bool,
    typer.Option(
        "--complete",
        help="This is all that the source has of these days and countries: events that it lacks are deleted.",
    ),
]
ImpreciseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--imprecise",
        metavar="PRECISION=RULE",
        help="What to do with rows whose day or place is known only roughly: keep, spread, flag or drop, such as "
        "month=flag or country=flag. Events that are stored already stay.  "
        "[default: month=spread year=drop area=flag country=drop]",
    ),
]
KnownAtOption = Annotated[
    str | None,
    typer.Option(
        "--known-at", metavar="DATE", help="The day on which this became known (YYYY-MM-DD).  [default: today]"
    ),
]
HERE = Path()
FolderOption = Annotated[
    Path,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Folder whose data/events/ takes the events.  [default: the current folder]",
        show_default=False,
    ),
]


def chosen_files(
    files: list[Path] | None, file: list[Path] | None, deletions: list[Path] | None = None, *, api: bool = False
) -> list[Path]:
    """Return the files of events to import, those of --file after the others; none with --api.

    Raises
    ------
    InputError
        For files and --api, and for neither.
    """
    events = [*(files or []), *(file or [])]
    given = [*events, *(deletions or [])]
    if api and given:
        raise InputError(f"both a file ({given[0].name}) and --api", expected="one of the two")
    if not api and not given:
        raise InputError("nothing to import", expected="a file, or --api where the source has one")
    return events


def chosen_day(known_at: str | None, now: dt.datetime) -> dt.date:
    """Return the day that --known-at names, that of `now` if none.

    Raises
    ------
    InputError
        For a day that has not begun anywhere on earth: what is known then cannot be known.
    """
    chosen = day(known_at, "--known-at") or now.date()
    if chosen > (now + dt.timedelta(hours=14)).date():  # the time zone that is furthest ahead of UTC
        raise InputError(
            f"{chosen} is still to come", where="--known-at", expected=f"{now.date()} or before: the day it was known"
        )
    return chosen


def chosen_policy(imprecise: list[str] | None) -> ImprecisePolicy:
    """Return the rules for imprecise rows that --imprecise names.

    Raises
    ------
    InputError
        For what is no rule.
    """
    from forecast.config import parse
    from forecast.events.imprecise import ImprecisePolicy

    rules: dict[str, str] = {}
    for text in imprecise or []:
        precision, sign, rule = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is not a rule", where="--imprecise", expected="PRECISION=RULE, as month=flag")
        rules[precision.strip()] = rule.strip()
    return parse(ImprecisePolicy, rules, where="--imprecise")


def chosen_scope(first: str | None, last: str | None, countries: str | None, *, complete: bool) -> Scope | None:
    """Return what files speak for: these days and countries if they are complete.

    Raises
    ------
    InputError
        For complete files without days, and for days or countries of files that are not complete.
    """
    if not complete:
        refuse({"--from": first, "--to": last, "--countries": countries}, "for files it goes with --complete")
        return None
    import pandas as pd

    from forecast.events.record import Scope

    begin, end = day(first, "--from"), day(last, "--to")
    if begin is None or end is None:
        raise InputError("complete for which days?", where="--complete", expected="--from and --to")
    if end < begin:
        raise InputError(f"last day {end} lies before first day {begin}", where="--to")
    return Scope(tuple(names(countries)), pd.Timestamp(begin), pd.Timestamp(end))


def refuse(options: dict[str, str | None], why: str) -> None:
    """Refuse options that are given where they have no use.

    Raises
    ------
    InputError
        For the first one that is given.
    """
    for option, value in options.items():
        if value is not None:
            raise InputError(f"{option} {value} has no use here", where=option, expected=why)
