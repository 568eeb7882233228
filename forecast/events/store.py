"""The bitemporal event store: what was known of each event on each day, append-only.

Every import is a vintage: a parquet file with the events that are new or changed, whole, and a tombstone for each that
is gone; the index names the vintages. What was known on a day is the fold of the vintages known by then. Nothing is
ever rewritten, so that a forecast of last year can be made again from what was known last year.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.events.difference import difference
from forecast.events.fold import Positions, Records, last_of_each, superseded
from forecast.events.incoming import Days, Incoming, Rank
from forecast.events.record import COLUMNS, Account, Batch, Scope
from forecast.events.store_index import ScopeEntry, Vintage, index_frame, read_index, write_index
from forecast.events.store_lock import one_writer
from forecast.events.vintage_file import Spool, read_records, read_rows, to_events, write_delta
from forecast.provenance import hash_file
from forecast.storage import HIDDEN

LOCK_SECONDS = 60.0
_SOURCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.ASCII)
_VINTAGE_FILE = re.compile(r"\d{4,}-.*\.parquet", re.ASCII)


class EventStore:
    """The event store in a folder; there need not be one yet.

    Parameters
    ----------
    folder : Path
        Holds ``index.json`` and one parquet file a vintage.
    timeout : float
        Seconds that an import waits for another one.

    Examples
    --------
    ::

        store = EventStore(Path("data/events"))
        store.add(batches, source="ucdp", known_at=dt.date(2023, 11, 20), input_hash=hash_file(path))
        events = store.as_of(dt.date(2023, 11, 30), ["ucdp"])
    """

    def __init__(self, folder: Path, *, timeout: float = LOCK_SECONDS) -> None:
        self.folder = folder
        self.timeout = timeout
        self._intact: set[str] = set()  # vintages whose file had the right hash when this store first read it

    def add(
        self,
        batches: Iterable[Batch],
        *,
        source: str,
        known_at: dt.date,
        input_hash: str,
        scope: Scope | None = None,
        rank: Rank | None = None,
        days: Days | None = None,
    ) -> Account:
        """Import events as one vintage: `add_all` for one `forecast.events.incoming.Incoming`."""
        return self.add_all([Incoming(source, batches, input_hash, scope, rank, days)], known_at)[0]

    def add_all(self, incoming: Sequence[Incoming], known_at: dt.date) -> list[Account]:
        """Import inputs in order, each as one vintage, or as none if it says nothing new.

        All are read, under the lock of the store, before the first is stored: if one is refused, none is.

        If an event comes more than once in an input, the row of the highest rank counts, the later one among
        equals; an event that the input both has and deletes is deleted. Deleting an event that the store does not
        hold does nothing.

        Parameters
        ----------
        incoming : sequence of Incoming
            Their batches are read one by one, and written to disk as they come.
        known_at : date
            The day on which this became known; not before that of the last vintage of the same source.

        Returns
        -------
        list of Account
            Rows by what became of them; events new, changed and deleted against what the store held.

        Raises
        ------
        InputError
            If `known_at` goes back, a row has no id or another source, or the store was tampered with.
        StoreBusyError
            If another import does not end in time.
        """
        for item in incoming:
            if not _SOURCE.fullmatch(item.source):
                raise InputError(f"source {item.source!r}", expected="small letters, digits, ., - and _, at most 60")
        with one_writer(self.folder, self.timeout):
            vintages = read_index(self.folder)
            self._remove_orphans(vintages)
            self._check_order(vintages, {item.source for item in incoming}, known_at)
            try:
                spools = [self._spooled(item, number) for number, item in enumerate(incoming)]
                return [self._commit(item, spool, known_at) for item, spool in zip(incoming, spools, strict=True)]
            finally:
                for path in self.folder.glob(f"{HIDDEN}*"):
                    path.unlink(missing_ok=True)

    def as_of(
        self, day: dt.date | None = None, sources: Sequence[str] = (), columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events as they were known on a day.

        Parameters
        ----------
        day : date, optional
            Imports known at this day or before count. All that is known if not given.
        sources : sequence of str
            All if empty.
        columns : sequence of str, optional
            Some of the canonical ones, for speed and memory; all if not given.

        Returns
        -------
        DataFrame
            Canonical types; by source in the order in which each was first imported, then by vintage, then as the
            import had them.

        Raises
        ------
        InputError
            For a source that the store never had, and for a file that is not what was imported.
        """
        vintages = read_index(self.folder)
        _check_sources(vintages, sources, self.folder)
        names = list(COLUMNS) if columns is None else list(columns)
        tables: list[pa.Table] = []
        for source in dict.fromkeys(vintage.source for vintage in vintages):
            if not sources or source in sources:
                known = [v for v in vintages if v.source == source and (day is None or v.known_at <= day)]
                records, valid = self._fold(known)
                tables += list(self._tables(known, valid[~records.deleted], names))
        return to_events(tables, names)

    def history(
        self, source: str, day: dt.date | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Give all that was ever said of the events of a source, in parts: each version of each event is a row.

        Parameters
        ----------
        source : str
        day : date, optional
            Only what was known on this day; all if not given.
        columns : sequence of str, optional
            Some of the canonical ones; all if not given.

        Yields
        ------
        DataFrame
            The columns, then `start` and `stop`: the version held from vintage `start` on, and no longer from
            vintage `stop` on. Both are positions in `known`; a version that still holds has their number as `stop`.

        Raises
        ------
        InputError
            As `as_of`.
        """
        vintages = self.known(source, day)
        names = list(COLUMNS) if columns is None else list(columns)
        records = self._read(vintages)
        start = np.repeat(np.arange(len(vintages)), [vintage.rows for vintage in vintages])
        stop = superseded(records.low, records.high, start, len(vintages))
        rows = np.flatnonzero(~records.deleted)
        del records
        done = 0
        for table in self._tables(vintages, rows, names):
            part = rows[done : done + table.num_rows]
            done += table.num_rows
            yield to_events([table], names).assign(start=start[part], stop=stop[part])

    def vintages(self) -> pd.DataFrame:
        """Return one row a vintage, in order.

        Returns
        -------
        DataFrame
            name, source, known_at, input_hash, covers_from, covers_until, new, changed, deleted, rows, file_hash.
        """
        return index_frame(read_index(self.folder))

    def known(self, source: str, day: dt.date | None = None) -> list[Vintage]:
        """Return the vintages of a source that were known on a day.

        Raises
        ------
        InputError
            For a source that the store never had.
        """
        vintages = read_index(self.folder)
        _check_sources(vintages, [source], self.folder)
        return [v for v in vintages if v.source == source and (day is None or v.known_at <= day)]

    def verify(self) -> None:
        """Check the chain of the index, and every file against its hash.

        Raises
        ------
        InputError
            For the first thing that is not what an import wrote.
        """
        self._intact.clear()
        for vintage in read_index(self.folder):
            self._check_file(vintage)

    def _check_order(self, vintages: Sequence[Vintage], sources: Collection[str], known_at: dt.date) -> None:
        """Refuse what became known before the last import of its source."""
        for last in reversed([vintage for vintage in vintages if vintage.source in sources]):
            if known_at < last.known_at:
                raise InputError(
                    f"known at {known_at}, but the last import of {last.source!r} was known at {last.known_at}",
                    where=str(self.folder),
                    expected=f"{last.known_at} or later: what was known on a day is never changed afterwards",
                    hint="import old releases in the order in which they came out, into a new store",
                )

    def _spooled(self, item: Incoming, number: int) -> Spool:
        """Read an input to the disk."""
        with Spool(self.folder / f"{HIDDEN}spool-{number}.parquet", item.source, item.rank) as spool:
            for batch in item.batches:
                spool.write(batch)
        return spool

    def _commit(self, item: Incoming, spool: Spool, known_at: dt.date) -> Account:
        """Compare what came with what is held; write the difference, and at last the index."""
        vintages, scope, days = read_index(self.folder), item.scope, item.days
        mine = [vintage for vintage in vintages if vintage.source == item.source]
        held, valid = self._fold(mine)
        came = spool.records()
        rows = last_of_each(came.low, came.high, came.rank if spool.ranked else None)
        within = None if scope is None else self._within(scope, mine, valid)
        found = difference(came.take(rows), held, deleted=spool.deleted(), scope=within, ranked=spool.ranked)
        del came

        if days is None:
            days = spool.days if scope is None else (scope.first, scope.last)
        covers_from, covers_until = (None, None) if days is None else (min(day.date(), known_at) for day in days)
        first = min((v.covers_from for v in mine if v.covers_from), default=dt.date.max)
        last = max((v.covers_until for v in mine if v.covers_until), default=dt.date.min)
        wider = (covers_from or dt.date.max) < first or (covers_until or dt.date.min) > last
        if not found.wanted.any() and len(found.gone) == 0 and not wider:
            return spool.account(0, 0, 0, "")

        gone = held.take(found.gone)
        ids = self._rows(mine, valid[found.gone], ["event_id"])["event_id"]
        graves = replace(gone, content=np.zeros_like(gone.content), rank=found.gone_rank, deleted=~gone.deleted)
        delta = self.folder / f"{HIDDEN}delta.parquet"
        write_delta(spool.path, rows[found.wanted], (ids, graves), delta)
        vintage = Vintage(
            name=f"{len(vintages) + 1:04d}-{item.source}-{item.input_hash[:8]}",
            source=item.source,
            known_at=known_at,
            input_hash=item.input_hash,
            scope=None if scope is None else ScopeEntry.of(scope),
            covers_from=covers_from,
            covers_until=covers_until,
            new=found.new,
            changed=found.changed,
            deleted=len(found.gone),
            rows=int(found.wanted.sum()) + len(found.gone),
            file_hash=hash_file(delta),
            dropped=spool.dropped.total(),
            countries=spool.countries,
            previous=vintages[-1].hash if vintages else "",
        ).sealed()
        delta.replace(self.folder / vintage.file)
        write_index(self.folder, [*vintages, vintage])
        return spool.account(vintage.new, vintage.changed, vintage.deleted, vintage.name)

    def _fold(self, vintages: Sequence[Vintage]) -> tuple[Records, Positions]:
        """Return the valid record of each event, tombstones among them, and its row number over all the vintages."""
        records = self._read(vintages)
        if len(vintages) < 2:
            return records, np.arange(len(records))
        valid = last_of_each(records.low, records.high)
        return records.take(valid), valid

    def _read(self, vintages: Sequence[Vintage]) -> Records:
        """Return the records of some vintages, after a look whether their files are what was written."""
        parts = []
        for vintage in vintages:
            if vintage.name not in self._intact:
                self._check_file(vintage)
            parts.append(read_records(self.folder / vintage.file))
        return Records.joined(parts)

    def _tables(self, vintages: Sequence[Vintage], rows: Positions, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Give rows by their number over all the vintages, ascending, as small tables."""
        start = 0
        for vintage in vintages:
            first, last = np.searchsorted(rows, [start, start + vintage.rows])
            if first < last:
                yield from read_rows(self.folder / vintage.file, rows[first:last] - start, columns)
            start += vintage.rows

    def _rows(self, vintages: Sequence[Vintage], rows: Positions, columns: Sequence[str]) -> pd.DataFrame:
        return to_events(list(self._tables(vintages, rows, columns)), columns)

    def _within(self, scope: Scope, vintages: Sequence[Vintage], rows: Positions) -> NDArray[np.bool_]:
        """Return which events lie within a scope, shape (rows,); tombstones lie in none."""
        found = [np.empty(0, dtype=bool)]
        for table in self._tables(vintages, rows, ["country", "date_start"]):
            events = to_events([table], ["country", "date_start"])
            inside = events["date_start"].between(scope.first, scope.last)
            if scope.countries:
                inside &= events["country"].isin(scope.countries)
            found.append(inside.to_numpy(dtype=bool))
        return np.concatenate(found)

    def _check_file(self, vintage: Vintage) -> None:
        path = self.folder / vintage.file
        what = ""
        if not path.is_file():
            what = f"the file of vintage {vintage.name!r} is missing"
        elif hash_file(path) != vintage.file_hash:
            what = f"the file of vintage {vintage.name!r} was changed after it was written"
        if what:
            raise InputError(
                what, where=str(path), expected="what the import wrote", hint="bring it back from a backup"
            )
        self._intact.add(vintage.name)

    def _remove_orphans(self, vintages: Sequence[Vintage]) -> None:
        """Remove what writers that were killed left behind; only the holder of the lock may."""
        named = {vintage.file for vintage in vintages}
        for path in self.folder.iterdir():
            if path.name.startswith(HIDDEN) or (_VINTAGE_FILE.fullmatch(path.name) and path.name not in named):
                path.unlink()


def _check_sources(vintages: Sequence[Vintage], sources: Sequence[str], folder: Path) -> None:
    had = {vintage.source for vintage in vintages}
    for source in sources:
        if source not in had:
            if not had:
                raise InputError(f"no events of {source!r}", where=str(folder), hint="`forecast ingest`")
            raise unknown_name("source", source, sorted(had), where=str(folder))
