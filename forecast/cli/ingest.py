"""``forecast ingest``: events into the store of a workspace."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, day, names
from forecast.cli.output import result, result_json, say
from forecast.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.events.imprecise import ImprecisePolicy
    from forecast.events.record import Scope
    from forecast.jobs.ingest import Incoming

FilesArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files to import.", show_default=False)
]
FileOption = Annotated[list[Path] | None, typer.Option("--file", metavar="F", help="The same, as an option.")]
ApiOption = Annotated[bool, typer.Option("--api", help="Ask the source's API instead of reading files.")]
CountriesOption = Annotated[
    str | None, typer.Option("--countries", metavar="A,B", help="Only these countries, as the source writes them.")
]
FromOption = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day of the events.")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day of the events.")]
KnownAtOption = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="The day on which this became known (YYYY-MM-DD).  [default: today]"),
]
ImpreciseOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PRECISION=RULE",
        help="What to do with rows whose day or place is known only roughly: keep, spread, flag or drop, such as "
        "month=flag or country=flag.  [default: month=spread year=drop area=flag country=drop]",
    ),
]
CompleteOption = Annotated[
    bool,
    typer.Option(
        "--complete",
        help="This is all that the source has of these days and countries: events that it lacks are deleted.",
    ),
]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def ingest() -> None:
    """Bring events into the event store of a workspace, data/events/.

    Each file or query becomes a vintage: what is new, changed or deleted, and the day on which that was known. The
    same import twice changes nothing. An import that is stopped leaves the store as it was.

    \b
    Examples:
      forecast ingest ucdp --file GEDEvent_v23_0_10.csv
      forecast ingest acled --api --countries Mali,Niger --from 2020-01-01 --to 2026-07-31
      forecast ingest table incidents.csv --mapping incidents.toml --json
    """


@app.command(short_help="UCDP GED and Candidate events.")
def ucdp(
    files: FilesArgument = None,
    file: FileOption = None,
    api: ApiOption = False,
    version: Annotated[
        str | None,
        typer.Option(
            metavar="V", help="The release, such as 25.1 or 26.0.7: for --api, or where a file name lacks it."
        ),
    ] = None,
    countries: CountriesOption = None,
    first: FromOption = None,
    last: ToOption = None,
    complete: CompleteOption = False,
    imprecise: ImpreciseOption = None,
    known_at: KnownAtOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Import releases of UCDP's event datasets, from CSV or zip files or from the API.

    A yearly release goes before a cumulative one, and that before a monthly one, in whatever order they come. The API
    takes Gleditsch and Ward's numbers of countries, and the token in UCDP_ACCESS_TOKEN.

    \b
    Examples:
      forecast ingest ucdp GEDEvent_v23_0_10.csv --complete
      forecast ingest ucdp --api --version 26.0.7 --countries 432,436
    """
    from forecast.jobs.ingest import ucdp_files, ucdp_query

    paths, policy, folder = _chosen(files, file, api=api), _policy(imprecise), workspace or Path.cwd()
    if api:
        if version is None:
            raise InputError("which release?", where="--api", expected="--version, such as 25.1 or 26.0.7")
        incoming = ucdp_query(
            version,
            policy,
            folder / "out" / "fetch" / "ucdp",
            countries=_numbers(names(countries)),
            first=day(first, "--from"),
            last=day(last, "--to"),
            complete=complete,
        )
    else:
        _refuse({"--from": first, "--to": last}, "the release says which days it covers")
        if countries and not complete:
            _refuse({"--countries": countries}, "it is for --api, and for files that are --complete for them")
        incoming = ucdp_files(paths, policy, version=version, complete=complete, countries=names(countries))
    _import(incoming, known_at, folder, json=json)


@app.command(short_help="ACLED events.")
def acled(
    files: FilesArgument = None,
    file: FileOption = None,
    deletions: Annotated[
        list[Path] | None, typer.Option(metavar="F", help="A list of deleted events, as ACLED gives it.")
    ] = None,
    api: ApiOption = False,
    countries: CountriesOption = None,
    first: FromOption = None,
    last: ToOption = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="With --api: only what ACLED changed or deleted since this day.")
    ] = None,
    complete: CompleteOption = False,
    imprecise: ImpreciseOption = None,
    known_at: KnownAtOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Import ACLED's events, from files that you exported or with your account from the API.

    User name and password come from ACLED_USERNAME and ACLED_PASSWORD or the keyring of the system.

    \b
    Examples:
      forecast ingest acled export.csv --deletions deleted.csv
      forecast ingest acled --api --countries Mali --from 2020-01-01 --to 2026-07-31 --since 2026-07-01
    """
    from forecast.jobs.ingest import acled_files, acled_query

    paths, policy, folder = _chosen(files, file, deletions, api=api), _policy(imprecise), workspace or Path.cwd()
    if api:
        begin, end = day(first, "--from"), day(last, "--to")
        if begin is None or end is None:
            raise InputError("which days?", where="--api", expected="--from and --to")
        incoming = acled_query(
            policy,
            folder / "out" / "fetch" / "acled",
            countries=names(countries),
            first=begin,
            last=end,
            since=day(since, "--since"),
            complete=complete,
        )
    else:
        _refuse({"--since": since}, "it is for --api")
        scope = _scope(first, last, countries, complete=complete)
        incoming = acled_files(paths, deletions or [], policy, scope)
    _import(incoming, known_at, folder, json=json)


@app.command(short_help="A table of your own.")
def table(
    files: FilesArgument = None,
    file: FileOption = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="M.toml", help="Which column is what.  [default: HXL tags, or columns with the canonical names]"
        ),
    ] = None,
    countries: CountriesOption = None,
    first: FromOption = None,
    last: ToOption = None,
    complete: CompleteOption = False,
    imprecise: ImpreciseOption = None,
    known_at: KnownAtOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Import events from a CSV, Excel or parquet file of any layout.

    \b
    Examples:
      forecast ingest table incidents.csv --mapping incidents.toml
      forecast ingest table incidents.csv --complete --from 2020-01-01 --to 2026-07-31
    """
    from forecast.jobs.ingest import table_files

    paths, policy, folder = _chosen(files, file), _policy(imprecise), workspace or Path.cwd()
    scope = _scope(first, last, countries, complete=complete)
    _import(table_files(paths, mapping, policy, scope), known_at, folder, json=json)


def _chosen(*lists: list[Path] | None, api: bool = False) -> list[Path]:
    """Return the files to import, those of --file after the others; some, or none with --api."""
    given = [path for paths in lists for path in paths or []]
    if api and given:
        raise InputError(f"both a file ({given[0].name}) and --api", expected="one of the two")
    if not api and not given:
        raise InputError("nothing to import", expected="a file, or --api where the source has one")
    return [path for paths in lists[:2] for path in paths or []]


def _policy(imprecise: list[str] | None) -> ImprecisePolicy:
    from forecast.config import parse
    from forecast.events.imprecise import ImprecisePolicy

    rules: dict[str, str] = {}
    for text in imprecise or []:
        precision, sign, rule = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is not a rule", where="--imprecise", expected="PRECISION=RULE, as month=flag")
        rules[precision.strip()] = rule.strip()
    return parse(ImprecisePolicy, rules, where="--imprecise")


def _scope(first: str | None, last: str | None, countries: str | None, *, complete: bool) -> Scope | None:
    """Return what files speak for; days and countries say that only for complete ones."""
    if not complete:
        _refuse({"--from": first, "--to": last, "--countries": countries}, "for files it goes with --complete")
        return None
    import pandas as pd

    from forecast.events.record import Scope

    begin, end = day(first, "--from"), day(last, "--to")
    if begin is None or end is None:
        raise InputError("complete for which days?", where="--complete", expected="--from and --to")
    if end < begin:
        raise InputError(f"last day {end} lies before first day {begin}", where="--to")
    return Scope(tuple(names(countries)), pd.Timestamp(begin), pd.Timestamp(end))


def _refuse(options: dict[str, str | None], why: str) -> None:
    for option, value in options.items():
        if value is not None:
            raise InputError(f"{option} {value} has no use here", where=option, expected=why)


def _numbers(countries: list[str]) -> list[int]:
    for text in countries:
        if not text.isdecimal():
            raise InputError(
                f"{text!r} is not a number of a country",
                where="--countries",
                expected="Gleditsch and Ward's numbers, such as 432 for Mali",
            )
    return [int(text) for text in countries]


def _import(incoming: Sequence[Incoming], known_at: str | None, folder: Path, *, json: bool) -> None:
    """Import, and tell what became of the rows."""
    from forecast.jobs.ingest import ingest as run_import

    if not folder.is_dir():
        raise InputError(f"no folder {folder}", where="--workspace", hint="`forecast init DIR`")
    today = dt.datetime.now(dt.UTC).date()
    account = run_import(folder, incoming, day(known_at, "--known-at") or today)
    if json:
        result_json({**vars(account), "reasons": dict(account.reasons.most_common())})
        return
    result(
        f"{account.rows} rows: {account.kept} kept, {account.spread} spread, {account.flagged} flagged, "
        f"{account.dropped} dropped"
    )
    for reason, count in account.reasons.most_common():
        result(f"  dropped {count}: {reason}")
    result(f"{account.new} events new, {account.changed} changed, {account.deleted} deleted")
    say(f"vintage {account.vintage}" if account.vintage else "nothing changed, so that there is no new vintage")
