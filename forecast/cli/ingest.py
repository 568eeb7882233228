"""``forecast ingest``: events into the store of a workspace."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from forecast.cli.ingest_options import (
    HERE,
    ApiOption,
    CompleteOption,
    CountriesOption,
    DeletionsOption,
    FileOption,
    FilesArgument,
    FolderOption,
    FromOption,
    ImpreciseOption,
    KnownAtOption,
    MappingOption,
    SinceOption,
    ToOption,
    TypesOption,
    VersionOption,
    chosen_day,
    chosen_files,
    chosen_policy,
    chosen_scope,
    refuse,
)
from forecast.cli.options import JsonOption, day, names
from forecast.cli.output import result, result_json, say
from forecast.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecast.events.incoming import Incoming

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def ingest() -> None:
    """Bring events into the event store of a workspace, data/events/.

    Each file or query becomes a vintage: what is new, changed or deleted, and the day on which that was known. The
    same import twice changes nothing. All files are read before the first is stored: if one is refused, none is.

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
    version: VersionOption = None,
    countries: CountriesOption = None,
    first: FromOption = None,
    last: ToOption = None,
    complete: CompleteOption = False,
    imprecise: ImpreciseOption = None,
    known_at: KnownAtOption = None,
    folder: FolderOption = HERE,
    json: JsonOption = False,
) -> None:
    """Import releases of UCDP's event datasets, from files as UCDP gives them or from the API.

    A yearly release goes before a cumulative one, and that before a monthly one, in whatever order they come. The API
    takes countries by name or by Gleditsch and Ward's number, and the token in UCDP_ACCESS_TOKEN.

    \b
    Examples:
      forecast ingest ucdp GEDEvent_v23_0_10.csv --complete
      forecast ingest ucdp --api --version 26.0.7 --countries Mali,Niger
    """
    from forecast.events.page_spool import silent
    from forecast.jobs.ingest import ucdp_files, ucdp_query

    paths, policy = chosen_files(files, file, api=api), chosen_policy(imprecise)
    if api:
        if version is None:
            raise InputError("which release?", where="--api", expected="--version, such as 25.1 or 26.0.7")
        incoming = ucdp_query(
            version,
            policy,
            folder / "out" / "fetch" / "ucdp",
            countries=names(countries),
            first=day(first, "--from"),
            last=day(last, "--to"),
            complete=complete,
            progress=silent if json else _tell,
        )
    else:
        refuse({"--from": first, "--to": last}, "the release says which days it covers")
        if countries and not complete:
            refuse({"--countries": countries}, "it is for --api, and for files that are --complete for them")
        incoming = ucdp_files(paths, policy, version=version, complete=complete, countries=names(countries))
    _import(incoming, known_at, folder, json=json)


@app.command(short_help="ACLED events.")
def acled(
    files: FilesArgument = None,
    file: FileOption = None,
    deletions: DeletionsOption = None,
    api: ApiOption = False,
    countries: CountriesOption = None,
    first: FromOption = None,
    last: ToOption = None,
    since: SinceOption = None,
    complete: CompleteOption = False,
    types: TypesOption = None,
    imprecise: ImpreciseOption = None,
    known_at: KnownAtOption = None,
    folder: FolderOption = HERE,
    json: JsonOption = False,
) -> None:
    """Import ACLED's events, from files that you exported or with your account from the API.

    ACLED's events are not all violent: --types leaves out protests and strategic developments. User name and password
    come from ACLED_USERNAME and ACLED_PASSWORD or the keyring of the system.

    \b
    Examples:
      forecast ingest acled export.csv --deletions deleted.csv
      forecast ingest acled --api --countries Mali --from 2020-01-01 --to 2026-07-31 --since last
    """
    from forecast.events.page_spool import silent
    from forecast.jobs.ingest import acled_files, acled_query, last_change

    paths, policy = chosen_files(files, file, deletions, api=api), chosen_policy(imprecise)
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
            since=last_change(folder) if since == "last" else day(since, "--since"),
            complete=complete,
            types=names(types),
            progress=silent if json else _tell,
        )
    else:
        refuse({"--since": since}, "it is for --api")
        scope = chosen_scope(first, last, countries, complete=complete)
        incoming = acled_files(paths, deletions or [], policy, scope, names(types))
    _import(incoming, known_at, folder, json=json)


@app.command(short_help="A table of your own.")
def table(
    files: FilesArgument = None,
    file: FileOption = None,
    mapping: MappingOption = None,
    countries: CountriesOption = None,
    first: FromOption = None,
    last: ToOption = None,
    complete: CompleteOption = False,
    imprecise: ImpreciseOption = None,
    known_at: KnownAtOption = None,
    folder: FolderOption = HERE,
    json: JsonOption = False,
) -> None:
    """Import events from a CSV, Excel or parquet file of any layout, also gzipped or in a zip file.

    The mapping says which column is what; docs/table-mapping.md has all of its keys and an example.

    \b
    Examples:
      forecast ingest table incidents.csv --mapping incidents.toml
      forecast ingest table incidents.csv --complete --from 2020-01-01 --to 2026-07-31
    """
    from forecast.jobs.ingest import table_files

    paths, policy = chosen_files(files, file), chosen_policy(imprecise)
    scope = chosen_scope(first, last, countries, complete=complete)
    _import(table_files(paths, mapping, policy, scope), known_at, folder, json=json)


def _import(incoming: Sequence[Incoming], known_at: str | None, folder: Path, *, json: bool) -> None:
    """Import, and tell what became of the rows."""
    from forecast.jobs.ingest import ingest as run_import

    if not folder.is_dir():
        raise InputError(f"no folder {folder}", where="--workspace", hint="`forecast init DIR`")
    imported = run_import(folder, incoming, chosen_day(known_at, dt.datetime.now(dt.UTC)))
    account, contents = imported.account, imported.contents
    if json:
        examples = {reason: vars(example) for reason, example in account.examples.items()}
        counts = {"reasons": dict(account.reasons.most_common()), "flags": dict(account.flags.most_common())}
        covers = {
            "countries": sorted(contents.countries),
            "first": contents.first and str(contents.first.date()),
            "last": contents.last and str(contents.last.date()),
            "releases": sorted(contents.releases),
        }
        result_json({**vars(account), **counts, "examples": examples, "covers": covers, "notes": contents.notes()})
        return
    result(
        f"{account.rows} rows: {account.kept} kept, {account.spread} spread, {account.flagged} flagged, "
        f"{account.dropped} dropped"
    )
    for what, rows in (("dropped", account.reasons), ("flagged", account.flags)):
        for reason, count in rows.most_common():
            example = account.examples.get(reason)
            shown = f" ({example})" if example and str(example) else ""
            result(f"  {what} {count}: {reason}{shown}")
            if example and example.hint:
                result(f"    try: {example.hint}")
    result(f"{account.new} events new, {account.changed} changed, {account.deleted} deleted")
    if contents.sentence():
        result(contents.sentence())
    for note in contents.notes():
        say(f"note: {note}")
    if not account.vintage:
        say("nothing changed, so that there is no new vintage")
    else:
        changed = account.new or account.changed or account.deleted
        say(f"vintage {account.vintage}" + ("" if changed else ": it covers more days, or confirms what was there"))


def _tell(pages: int, rows: int, of: int | None) -> None:
    """Tell how far a download is, at its first page and at every tenth."""
    if pages == 1 or pages % 10 == 0:
        say(f"page {pages}: {rows} rows" + (f" of {of}" if of is not None else ""))
