"""Bringing events in: from files and APIs into the event store of a workspace, ``data/events/`` below its folder."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.events.acled import read_acled, read_acled_deletions
from forecast.events.acled_api import fetch_acled, fetch_acled_deletions
from forecast.events.acled_record import timestamp_rank
from forecast.events.acled_types import only_types, type_names
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.incoming import Incoming
from forecast.events.packed_file import existing_file
from forecast.events.page_spool import Progress, silent
from forecast.events.record import Account, Batch, Scope
from forecast.events.store import EventStore
from forecast.events.table_mapping import read_mapped, read_mapping
from forecast.events.ucdp import read_ucdp, release_in, release_of, ucdp_scope
from forecast.events.ucdp_api import fetch_ucdp
from forecast.events.ucdp_countries import country_numbers
from forecast.events.ucdp_release import FIRST_DAY
from forecast.jobs.import_contents import ImportContents, known_countries
from forecast.jobs.readable_rows import readable
from forecast.provenance import hash_file, hash_json

_Item = TypeVar("_Item")
_KIND_RANK = {"monthly": 0, "cumulative": 1, "yearly": 2}


def event_store(folder: Path) -> EventStore:
    """Return the event store of the workspace in a folder."""
    return EventStore(folder / "data" / "events")


@dataclass(frozen=True, eq=False)
class Imported:
    """What an import did, and what it holds.

    Parameters
    ----------
    account : Account
        The sum of all vintages; `vintage` has their names, separated by spaces.
    contents : ImportContents
    """

    account: Account
    contents: ImportContents


def ingest(folder: Path, incoming: Iterable[Incoming], known_at: dt.date) -> Imported:
    """Import into the store of a workspace, one vintage after the other; none if one of them is refused.

    Parameters
    ----------
    folder : Path
        Of the workspace.
    incoming : iterable of Incoming
    known_at : date
        The day on which all this became known.

    Returns
    -------
    Imported

    Raises
    ------
    InputError
        For whatever is wrong in an input. Then nothing is stored.
    """
    store = event_store(folder)
    first, *others = incoming
    items, contents = [], []
    for item in (replace(first, batches=begun(first.batches)), *others):
        held = ImportContents(item.source)
        batches = held.watched(item.batches)
        if item.scope is not None:
            batches = known_countries(batches, item.scope, held, store)
        items.append(replace(item, batches=batches))
        contents.append(held)
    accounts = store.add_all(items, known_at)
    for account, held in zip(accounts, contents, strict=True):
        held.absent = max(held.deletions - account.deleted, 0)
    return Imported(total(accounts), reduce(ImportContents.joined, contents))


def begun(batches: Iterable[_Item]) -> Iterator[_Item]:
    """Return the same batches with the first of them at hand.

    What takes long or fails early, such as a download, is then over before the store is locked or made.

    Examples
    --------
    >>> "".join(begun("abc"))
    'abc'
    """
    rest = iter(batches)
    return chain(list(islice(rest, 1)), rest)


def total(accounts: Sequence[Account]) -> Account:
    """Return the sum of some accounts.

    Examples
    --------
    >>> total([Account(2, 1, 0, 0, 1, 1, 0, 0, Counter({"no date": 1}), "a"), total([])]).reasons
    Counter({'no date': 1})
    """
    counts = {field.name: sum(getattr(account, field.name) for account in accounts) for field in fields(Account)[:8]}
    return Account(
        **counts,
        reasons=sum((account.reasons for account in accounts), Counter[str]()),
        vintage=" ".join(filter(None, (account.vintage for account in accounts))),
        flags=sum((account.flags for account in accounts), Counter[str]()),
        examples={name: example for account in reversed(accounts) for name, example in account.examples.items()},
    )


def ucdp_files(
    paths: Sequence[Path],
    policy: ImprecisePolicy,
    *,
    version: str | None = None,
    complete: bool = False,
    countries: Sequence[str] = (),
) -> list[Incoming]:
    """Return UCDP's files as imports, the release of the lowest precedence first.

    Parameters
    ----------
    paths : sequence of Path
    policy : ImprecisePolicy
    version : str, optional
        The release of the one file whose name does not tell it.
    complete : bool
        Whether the files are whole releases, or all of them for `countries`: what a file lacks is then deleted.
    countries : sequence of str
        As UCDP writes them.
    """
    if version and len(paths) > 1:
        raise InputError(f"--version {version} for {len(paths)} files", expected="one file, or names that tell it")
    releases = [(release_of(version) if version else release_in(path), path) for path in paths]
    releases.sort(key=lambda item: -1 if item[0] is None else _release_rank(item[0].version))
    return [
        Incoming(
            "ucdp",
            readable(path, read_ucdp(path, policy, release=release)),
            hash_file(existing_file(path)),
            ucdp_scope(path, release, complete=complete, countries=countries),
            ucdp_rank,
            None if release is None else (release.first, release.last),
        )
        for release, path in releases
    ]


def ucdp_query(
    version: str,
    policy: ImprecisePolicy,
    spool: Path,
    *,
    countries: Sequence[str | int] = (),
    first: dt.date | None = None,
    last: dt.date | None = None,
    complete: bool = False,
    progress: Progress = silent,
) -> list[Incoming]:
    """Return what UCDP's API has of a release as an import; `complete` only without restrictions.

    Countries are names or Gleditsch and Ward's numbers. `progress` is told how much has come.
    """
    if complete and (countries or first or last):
        raise InputError(
            "a part of a release is not complete",
            where="--complete",
            expected="no --countries, --from and --to with it",
        )
    numbers = country_numbers(countries, where="--countries")
    batches = fetch_ucdp(
        version, countries=numbers, first=first, last=last, policy=policy, spool=spool, progress=progress
    )
    query = hash_json(["ucdp", version, numbers, first, last])
    release = release_of(version)
    scope = ucdp_scope(Path(f"UCDP API {version}"), release, complete=complete)
    from_day = max(release.first, pd.Timestamp(first)) if first else release.first
    to_day = min(release.last, pd.Timestamp(last)) if last else release.last
    return [Incoming("ucdp", batches, query, scope, ucdp_rank, (from_day, to_day))]


def acled_files(
    paths: Sequence[Path],
    deletions: Sequence[Path],
    policy: ImprecisePolicy,
    scope: Scope | None = None,
    types: Sequence[str] = (),
) -> list[Incoming]:
    """Return ACLED's event files as imports, only `types` if any are named, and after them its deleted events."""
    chosen = type_names(types)

    def deleted(path: Path) -> Iterator[Batch]:
        yield read_acled_deletions(path)

    found = [
        Incoming(
            "acled",
            readable(path, only_types(read_acled(path, policy), chosen)),
            hash_file(existing_file(path)),
            scope,
            timestamp_rank,
        )
        for path in paths
    ]
    return found + [
        Incoming("acled", deleted(path), hash_file(existing_file(path)), None, timestamp_rank) for path in deletions
    ]


def acled_query(
    policy: ImprecisePolicy,
    spool: Path,
    *,
    countries: Sequence[str],
    first: dt.date,
    last: dt.date,
    since: dt.date | int | None = None,
    complete: bool = False,
    types: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Incoming]:
    """Return what ACLED's API answers as an import; with `since` only what changed, and with it the deletions.

    Only events of `types` are taken if any are named. `since` is a day (UTC) or a Unix second, such as `last_change`.
    `progress` is told how much has come.
    """
    seconds = int(pd.Timestamp(since, tz="UTC").timestamp()) if isinstance(since, dt.date) else since
    if complete and seconds is not None:
        raise InputError(
            "what changed since a day is not all events", where="--complete", expected="no --since with it"
        )

    chosen = type_names(types)

    def batches() -> Iterator[Batch]:
        changed = begun(
            fetch_acled(
                countries=countries,
                first=first,
                last=last,
                since=seconds,
                policy=policy,
                spool=spool / "events",
                progress=progress,
            )
        )
        if seconds is not None:
            yield fetch_acled_deletions(seconds, spool=spool / "deletions")
        yield from only_types(changed, chosen)

    query = hash_json(["acled", sorted(countries), first, last, seconds, *chosen])
    scope = Scope(tuple(countries), pd.Timestamp(first), pd.Timestamp(last)) if complete else None
    # What changed since a moment holds all that happened since then.
    told_from = pd.Timestamp(first) if seconds is None else max(pd.Timestamp(first), pd.Timestamp(seconds, unit="s"))
    return [Incoming("acled", batches(), query, scope, timestamp_rank, (told_from, pd.Timestamp(last)))]


def last_change(folder: Path) -> int:
    """Return when the newest of ACLED's records in the store of a workspace was written, as a Unix second.

    Raises
    ------
    InputError
        If there are none.
    """
    ranks = timestamp_rank(event_store(folder).as_of(None, ["acled"], ["release"])["release"])
    if not (ranks > 0).any():
        raise InputError("the store has no record of ACLED's that says when it was written", where="--since last")
    return int(ranks.max())


def table_files(
    paths: Sequence[Path], mapping: Path | None, policy: ImprecisePolicy, scope: Scope | None = None
) -> list[Incoming]:
    """Return people's own tables as imports; the mapping names the source, ``table`` without one."""
    chosen = None if mapping is None else read_mapping(mapping)
    name = "table" if chosen is None else chosen.source
    return [
        Incoming(name, readable(path, read_mapped(path, chosen, policy)), hash_file(existing_file(path)), scope)
        for path in paths
    ]


def ucdp_rank(releases: pd.Series) -> NDArray[np.int64]:
    """Return the precedence of UCDP's releases: yearly above cumulative above monthly, then the later one.

    Examples
    --------
    >>> monthly, cumulative, yearly, unknown = ucdp_rank(pd.Series(["26.0.7", "26.01.26.06", "25.1", None]))
    >>> bool(yearly > cumulative > monthly > unknown)
    True
    """
    codes, versions = pd.factorize(releases, use_na_sentinel=False)
    ranks = np.array([_release_rank(version) for version in versions], dtype=np.int64)
    return ranks[codes] if len(ranks) else np.empty(0, dtype=np.int64)


def _release_rank(version: object) -> int:
    if not isinstance(version, str) or not version:
        return -1
    release = release_of(version)
    return (_KIND_RANK[release.kind] * 1_000_000 + (release.last - FIRST_DAY).days) * 10 + release.number
