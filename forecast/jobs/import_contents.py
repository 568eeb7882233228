"""What an import holds: countries, days, releases and types of its events, and what to say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd

from forecast.errors import InputError, unknown_name
from forecast.events.acled_types import WITHOUT_VIOLENCE
from forecast.events.record import Batch, Scope
from forecast.events.store import EventStore
from forecast.jobs.readable_rows import unreadable

_MOST_COUNTRIES = 6  # that the sentence names


@dataclass(eq=False)
class ImportContents:
    """What the batches of one import held, gathered while they passed.

    Parameters
    ----------
    source : str
    rows, events : int
        Rows read, and events of them that are stored.
    countries, types : Counter of str
        Events by country and by type, as the source writes them.
    releases : set of str
        Those of UCDP's that the file names.
    first, last : Timestamp or None
        Days of the first and the last event; None without events.
    unreadable : int
        Rows whose place or day is written but cannot be read.
    deletions : int
        Event ids that the source says are deleted.
    absent : int
        Those of them that were not in the store; known after the import.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> day = pd.Timestamp("2026-01-03")
    >>> batch = Batch(event_frame({"event_id": ["1"], "date": [day], "country": ["Mali"]}), 1)
    >>> contents = ImportContents("own")
    >>> _ = list(contents.watched([batch]))
    >>> contents.sentence()
    'events in Mali, 2026-01-03 to 2026-01-03'
    """

    source: str
    rows: int = 0
    events: int = 0
    countries: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    releases: set[str] = field(default_factory=set)
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    unreadable: int = 0
    deletions: int = 0
    absent: int = 0

    def watched(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Give the batches again, and gather what they hold."""
        for batch in batches:
            self._add(batch)
            yield batch

    def _add(self, batch: Batch) -> None:
        events = batch.events
        self.rows, self.events = self.rows + batch.rows, self.events + len(events)
        self.unreadable += unreadable(batch).total()
        self.deletions += len(batch.deleted)
        self.countries.update(_counts(events["country"]))
        self.types.update(_counts(events["event_type"]))
        if self.source == "ucdp":
            self.releases.update(filter(None, events["release"].dropna().unique().tolist()))
        if len(events):
            self._widen(events["date"].min(), events["date"].max())

    def _widen(self, first: pd.Timestamp, last: pd.Timestamp) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def joined(self, other: ImportContents) -> ImportContents:
        """Return what both hold."""
        both = ImportContents(
            self.source,
            self.rows + other.rows,
            self.events + other.events,
            self.countries + other.countries,
            self.types + other.types,
            self.releases | other.releases,
            self.first,
            self.last,
            self.unreadable + other.unreadable,
            self.deletions + other.deletions,
            self.absent + other.absent,
        )
        if other.first is not None and other.last is not None:
            both._widen(other.first, other.last)
        return both

    def sentence(self) -> str:
        """Return in one line what it covers; empty without events."""
        if self.first is None or self.last is None:
            return ""
        most = [country for country, _ in self.countries.most_common(_MOST_COUNTRIES)]
        more = f" and {len(self.countries) - len(most)} more" if len(self.countries) > len(most) else ""
        where = f"in {', '.join(most)}{more}" if most else "of no named country"
        release = ""
        if self.source == "ucdp":
            release = (
                ", release " + ", ".join(sorted(self.releases))
                if self.releases
                else ", no release recognised (--version names it)"
            )
        return f"events {where}, {self.first.date()} to {self.last.date()}{release}"

    def notes(self) -> list[str]:
        """Return what a reader should know besides the account of this import."""
        said = []
        if self.unreadable:
            said.append(
                f"{self.unreadable} of {self.rows} rows with a place or day that cannot be read: stored without it, "
                "or left out"
            )
        calm = {name: count for name, count in self.types.items() if name.casefold() in WITHOUT_VIOLENCE}
        if self.source == "acled" and calm:
            said.append(
                f"{sum(calm.values())} of {self.events} events are of types without violence ({', '.join(calm)}); "
                "they count as events: --types chooses"
            )
        if self.absent:
            verb = "was" if self.absent == 1 else "were"
            said.append(f"{self.absent} of {self.deletions} deleted events {verb} not in the store")
        return said


def known_countries(
    batches: Iterable[Batch], scope: Scope, contents: ImportContents, store: EventStore
) -> Iterator[Batch]:
    """Give the batches again.

    Parameters
    ----------
    batches : iterable of Batch
        That `contents` watches.
    scope : Scope
    contents : ImportContents
    store : EventStore

    Raises
    ------
    InputError
        At their end, if neither they nor the store have an event of a country of the scope: it is misspelt, or there
        is nothing that could be deleted.
    """
    yield from batches
    absent = [country for country in scope.countries if country not in contents.countries]
    if not absent:
        return
    known = set(contents.countries)
    if contents.source in set(store.vintages()["source"]):
        known |= set(store.as_of(None, [contents.source], ["country"])["country"].dropna().unique())
    for country in absent:
        if not known:
            raise InputError(
                f"no event of {country!r}: no row names a country", where="--countries", expected="no --countries"
            )
        if country not in known:
            raise unknown_name("country", country, sorted(known), where="--countries")


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in column.dropna().value_counts().items()}
