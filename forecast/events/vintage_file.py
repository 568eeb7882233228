"""The parquet file of a vintage: written as the batches come, read row by row as the fold asks for them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.errors import InputError
from forecast.events.fold import Hashes, Positions, Records, content_hashes, identity_hashes
from forecast.events.incoming import Rank
from forecast.events.record import COLUMNS, Account, Batch, Example, event_frame, tally
from forecast.plain_text import one_line

ROW_GROUP = 131_072
_ARROW = {"string": pa.large_string(), "datetime64[s]": pa.timestamp("s"), "float64": pa.float64(), "Int32": pa.int32()}
_RECORD = {"low": pa.uint64(), "high": pa.uint64(), "content": pa.uint64(), "rank": pa.int64(), "deleted": pa.bool_()}
_CANONICAL = pa.schema([(name, _ARROW[kind]) for name, kind in COLUMNS.items()])
SCHEMA = pa.schema([*_CANONICAL, *(pa.field(f"_{name}", kind) for name, kind in _RECORD.items())])
_REPEATING = [name for name, kind in COLUMNS.items() if name not in {"event_id", "latitude", "longitude"}]
_PANDAS = {pa.large_string(): pd.StringDtype("pyarrow"), pa.int32(): pd.Int32Dtype()}


class Spool:
    """Batches on their way into the store: rows go to a hidden file, their hashes stay in memory.

    Parameters
    ----------
    path : Path
    source : str
        That all rows must have.
    rank : callable, optional
        As in `forecast.events.incoming.Incoming`.
    """

    def __init__(self, path: Path, source: str, rank: Rank | None) -> None:
        self.path, self.source, self.ranked = path, source, rank is not None
        self.days: tuple[pd.Timestamp, pd.Timestamp] | None = None  # of the first and the last event
        self._rank = rank
        self._parts: list[Records] = []
        self._deleted: dict[str, None] = {}
        self._rows, self._treatments, self.dropped = 0, Counter[str](), Counter[str]()
        self._flags, self._examples = Counter[str](), dict[str, Example]()
        self._countries: set[str] = set()  # "" for an event without one

    def __enter__(self) -> Self:
        self._writer = _writer(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, batch: Batch) -> None:
        """Take a batch.

        Raises
        ------
        InputError
            If a row has no id or another source.
        ValueError
            If the batch does not account for all its rows.
        """
        events = batch.events
        rows, treatments, dropped = tally([batch])
        if len(events) + dropped.total() != rows:
            raise ValueError(f"{len(events)} events and {dropped.total()} dropped rows of {rows}")
        self._rows += rows
        self._treatments.update(treatments)
        self.dropped.update(dropped)
        for marks, count in events.loc[events["flags"] != "", "flags"].value_counts().items():
            self._flags.update(dict.fromkeys(str(marks).split(), int(count)))
        self._examples = batch.examples | self._examples
        self._deleted.update(dict.fromkeys(map(one_line, batch.deleted)))
        if events.empty:
            return
        if events["event_id"].isna().any():
            raise InputError("an event has no id", where=self.source, expected="an id in each row")
        from forecast.events.schema import check_events  # noqa: PLC0415 - slow to import, and who reads needs it not

        check_events(events, where=self.source)
        if not (events["source"] == self.source).all():
            raise InputError(f"events of source {events['source'].iloc[0]!r}", expected=repr(self.source))
        self._countries.update(events["country"].fillna("").astype(str).unique())
        for start in range(0, len(events), ROW_GROUP):
            self._write_rows(events.iloc[start : start + ROW_GROUP])

    def _write_rows(self, events: pd.DataFrame) -> None:
        low, high = identity_hashes(events["event_id"])
        none = np.zeros(len(events), dtype=np.int64)
        rank = none if self._rank is None else np.asarray(self._rank(events["release"]), dtype=np.int64)
        records = Records(low, high, content_hashes(events), rank, none.astype(bool))
        self._writer.write_table(_table(events, records), row_group_size=ROW_GROUP)
        self._parts.append(records)
        first, last = events["date_start"].min(), events["date_start"].max()
        if not pd.isna(last):
            self.days = (first, last) if self.days is None else (min(first, self.days[0]), max(last, self.days[1]))

    def records(self) -> Records:
        """Return the records of all rows, in order; they are handed over, not kept."""
        parts, self._parts = self._parts, []
        return Records.joined(parts)

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries of the events; none if that of any is not known."""
        return () if "" in self._countries else tuple(sorted(self._countries))

    def deleted(self) -> tuple[Hashes, Hashes]:
        """Return the identities that the batches say are deleted."""
        return identity_hashes(pd.Series(list(self._deleted), dtype="object"))

    def account(self, new: int, changed: int, deleted: int, vintage: str) -> Account:
        """Return the account of the import."""
        treated = self._treatments
        return Account(
            rows=self._rows,
            kept=treated["kept"],
            spread=treated["spread"],
            flagged=treated["flagged"],
            dropped=self.dropped.total(),
            new=new,
            changed=changed,
            deleted=deleted,
            reasons=Counter(self.dropped),
            vintage=vintage,
            flags=Counter(self._flags),
            examples=dict(self._examples),
        )


def write_delta(spool: Path, rows: Positions, graves: tuple[pd.Series, Records], path: Path) -> None:
    """Write the file of a vintage: some rows of a spool, in order, and tombstones.

    Parameters
    ----------
    spool : Path
    rows : ndarray of int
        Row numbers in the spool, ascending.
    graves : (Series, Records)
        Ids and records of the deleted events.
    path : Path
    """
    ids, records = graves
    with pq.ParquetFile(spool) as file:
        everything = len(rows) == file.metadata.num_rows and len(ids) == 0
        if not everything:
            with _writer(path) as writer:
                for table in _chosen(file, rows, SCHEMA.names):
                    writer.write_table(table, row_group_size=ROW_GROUP)
                if len(ids):
                    writer.write_table(_table(event_frame({"event_id": ids}), records), row_group_size=ROW_GROUP)
    if everything:
        spool.replace(path)  # no need to write it again
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def read_records(path: Path) -> Records:
    """Return the records of all rows of a file, in order."""
    table = pq.read_table(path, columns=[f"_{name}" for name in _RECORD])
    return Records(*(table.column(f"_{name}").to_numpy() for name in _RECORD))


def read_rows(path: Path, rows: Positions, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Give some rows of a file, ascending, as small tables in order."""
    with pq.ParquetFile(path) as file:
        yield from _chosen(file, rows, columns)


def to_events(tables: Sequence[pa.Table], columns: Sequence[str]) -> pd.DataFrame:
    """Return tables one after the other with the types of the canonical event table."""
    schema = pa.schema([_CANONICAL.field(name) for name in columns])
    whole = pa.concat_tables(tables) if tables else schema.empty_table()
    frame: pd.DataFrame = whole.to_pandas(types_mapper=_PANDAS.get, split_blocks=True, ignore_metadata=True)
    return frame


def _chosen(file: pq.ParquetFile, rows: Positions, columns: Sequence[str]) -> Iterator[pa.Table]:
    schema = pa.schema([SCHEMA.field(name) for name in columns])  # parquet has no unit of seconds
    start = 0
    for group in range(file.num_row_groups):
        stop = start + file.metadata.row_group(group).num_rows
        first, last = np.searchsorted(rows, [start, stop])
        if first < last:
            table = file.read_row_group(group, columns=list(columns)).select(list(columns)).cast(schema)
            whole = last - first == stop - start
            yield table if whole else table.take(pa.array(rows[first:last] - start))
        start = stop


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=_REPEATING, write_statistics=False)


def _table(events: pd.DataFrame, records: Records) -> pa.Table:
    columns = [pa.array(events[field.name], type=field.type, from_pandas=True) for field in _CANONICAL]
    columns += [pa.array(getattr(records, name), type=kind) for name, kind in _RECORD.items()]
    flat = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns]
    return pa.Table.from_arrays(flat, schema=SCHEMA)
