"""Whether the ledger is as it was written: every link of the chain, and all that hangs on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from forecast.errors import ForecastError, InputError
from forecast.ledger import read, schema
from forecast.ledger.chain import GENESIS, link_of
from forecast.ledger.issue import head_hash
from forecast.ledger.settlement import load_settlement


@dataclass(frozen=True)
class Verdict:
    """What a look at the chain has shown.

    Parameters
    ----------
    entries : int
        How many were looked at, the broken one included.
    head : str
        The link of the last one that is whole.
    broken : str
        What is wrong with the first that is not; empty if all are whole.
    """

    entries: int
    head: str
    broken: str = ""


def verify(
    connection: Connection, *, expect: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Verdict:
    """Compute every hash again, up to the first that is not as it was recorded.

    A chain proves that nothing before its last link was changed or taken out. It cannot prove that nothing was cut
    off at its end: for that, compare with a link that was noted elsewhere (a log, a mail, a commit).

    Parameters
    ----------
    connection : Connection
        From `Ledger.reading`.
    expect : str, optional
        A link, or its first twelve or more digits, that must be in the chain.
    progress : callable of (done, total), optional

    Returns
    -------
    Verdict
    """
    table = schema.Entry
    total = int(connection.execute(select(func.count()).select_from(table)).scalar_one())
    rows = connection.execute(select(table.__table__).order_by(table.id)).all()
    previous, met = GENESIS, expect is None
    for at, row in enumerate(rows, start=1):
        if progress is not None:
            progress(at - 1, total)
        wrong = next(_faults(connection, row, at, previous), "")
        if wrong:
            return Verdict(at, previous, wrong)
        previous = row.link
        met = met or row.link.startswith(str(expect))
    if progress is not None:
        progress(total, total)
    loose = next(_loose(connection), "") or ("" if met else f"no entry has the link {expect}: entries were cut off")
    return Verdict(total, previous, loose)


def checked_link(text: str) -> str:
    """Return a link, or the first digits of one, as it was noted.

    Raises
    ------
    InputError
        If it is too short to tell links apart, or no link at all.

    Examples
    --------
    >>> checked_link(" 9F86D081884C ")
    '9f86d081884c'
    """
    found = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{12,64}", found, re.ASCII):
        raise InputError(f"{text!r} is no link", where="--expect", expected="12 to 64 digits of 0-9 and a-f")
    return found


def _faults(connection: Connection, row: Any, number: int, previous: str) -> Iterator[str]:
    """Give what is wrong with an entry, the cheapest things to find first."""
    name = f"entry {row.id} ({row.kind}, {row.recorded_at:%Y-%m-%d %H:%M:%S} UTC)"
    if row.id != number:
        yield f"entry {number} is missing: {name} comes after entry {number - 1}"
    if row.previous != previous:
        yield f"{name} does not follow the entry before it"
    if row.link != link_of(previous, row.id, row.kind, row.recorded_at, row.content):
        yield f"{name} was changed: its link is not that of what stands in it"
    try:
        if row.kind == "issue":
            yield from _issue_faults(connection, row, name)
        elif row.kind == "settlement":
            if load_settlement(connection, row.id).content_hash() != row.content:
                yield f"{name} was changed: its counts, answers or scores are not those that were recorded"
        else:
            yield f"{name} is of an unknown kind"
    except (ForecastError, LookupError, ValueError) as error:
        yield f"{name} was changed: {str(error).partition(chr(10))[0]}"


def _issue_faults(connection: Connection, row: Any, name: str) -> Iterator[str]:
    entry = read.issue_entry(connection, row.id)
    name = f"{name[:-1]}; {entry.head.report} from {entry.head.origin})"
    if head_hash(entry.head, entry.forecast) != row.content:
        yield f"{name} was changed: what stands in its row is not what was issued"
    if read.load_issue(connection, entry).forecast_hash() != entry.forecast:
        yield f"{name} was changed: its numbers are not those that were issued"


def _loose(connection: Connection) -> Iterator[str]:
    """Give rows that hang on no entry: they were put in past the chain."""
    for table, kind in ((schema.Issue, "issue"), (schema.Settlement, "settlement")):
        mine = select(schema.Entry.id).where(schema.Entry.kind == kind)
        for number in connection.execute(select(table.id).where(table.id.not_in(mine)).limit(1)).scalars():
            yield f"{kind} {number} hangs on no entry of the chain"
