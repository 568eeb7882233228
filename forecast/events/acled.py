"""Files that ACLED exports: events, in new and old formats, and lists of deleted events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from forecast.errors import InputError
from forecast.events.acled_record import FIELDS, REQUIRED, batch_of_rows
from forecast.events.csv_records import delimiter_of
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.missing_columns import offers, other_source
from forecast.events.record import Batch, event_frame
from forecast.events.row_faults import RAGGED, RowFaults
from forecast.events.table_rows import Block, RowStream, open_rows


def read_acled(path: Path, policy: ImprecisePolicy) -> Iterator[Batch]:
    """Read an export of ACLED events, a batch at a time, so that its size does not matter.

    Columns are found whatever their case, spaces and underscores; in a CSV file (UTF-8) commas or semicolons separate
    them, and with semicolons the decimal sign may be a comma. Exports from before 2023, with ``data_id``,
    ``event_id_no_cnty`` and ``iso3``, are read alike. A row of HXL tags is no row; one that has more or fewer values
    than the header is left out.

    Parameters
    ----------
    path : Path
        CSV, Excel or parquet; gzipped, or alone in a zip file, as well.
    policy : ImprecisePolicy
        For events whose date or place is known roughly.

    Yields
    ------
    Batch
        Of up to 50,000 rows; `forecast.events.acled_record.batch_of_rows` says what becomes of each.

    Raises
    ------
    InputError
        If the file is not there, cannot be read, or lacks a column.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> simulated = '''EVENT_ID_CNTY;EVENT_DATE;EVENT_TYPE;COUNTRY;LATITUDE;LONGITUDE;FATALITIES
    ... XXX1;04 March 2023;Battles;Mali;14,5;-4,2;2
    ... XXX2;;Battles;Mali;14,5;-4,2;0'''
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "simulated.csv")
    ...     _ = path.write_text(simulated, encoding="utf-8")
    ...     (batch,) = read_acled(path, ImprecisePolicy())
    >>> batch.events["event_id"].tolist(), batch.rows, batch.dropped
    (['XXX1'], 2, Counter({'no date': 1}))
    """
    semicolons = delimiter_of(path) == ";"
    for block in _blocks(open_rows(path), FIELDS, REQUIRED):
        columns: dict[str, Sequence[str]] = {name: texts.tolist() for name, texts in block.texts.items()}
        if semicolons:
            for name in ("latitude", "longitude"):
                columns[name] = [value.replace(",", ".") for value in columns[name]]
        yield batch_of_rows(columns, policy, RowFaults(block.rows, path.name, block.numbers, block.ragged))


def read_acled_deletions(path: Path) -> Batch:
    r"""Read a list of deleted events: columns event_id_cnty and deleted_timestamp.

    Returns
    -------
    Batch
        Without events; `rows` and `dropped` count the rows that name no event.

    Raises
    ------
    InputError
        As for `read_acled`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "simulated.csv")
    ...     _ = path.write_text("event_id_cnty,deleted_timestamp\nXXX1,1700000000", encoding="utf-8")
    ...     read_acled_deletions(path).deleted
    ('XXX1',)
    """
    ids: dict[str, None] = {}
    dropped: Counter[str] = Counter()
    fields = ("event_id_cnty",)
    for block in _blocks(open_rows(path), fields, fields):
        (named,) = block.texts.values()
        ids.update(dict.fromkeys(name for name in named if name))
        dropped.update({"no event id": int((named == "").sum()), RAGGED: len(block.ragged)})
    return Batch(event_frame({}), dropped.total(), +dropped, tuple(ids))


def column_positions(rows: RowStream, fields: Sequence[str], required: Sequence[str]) -> list[int]:
    """Return where each field stands in a row; one past the end for those that the file lacks.

    Raises
    ------
    InputError
        For required columns that are missing, with the nearest names, and for a column that is there twice.
    """
    keys = [column_key(column) for column in rows.columns]
    absent = [field for field in required if column_key(field) not in keys]
    where = f"{rows.name} row 1"
    if absent:
        free = [name for name in rows.columns if column_key(name) not in map(column_key, fields)]
        near = offers({field: [field] for field in absent}, free)
        raise InputError(
            f"no column {', '.join(map(repr, absent))}",
            where=where,
            expected=f"ACLED's columns, among them {', '.join(map(repr, required))}",
            hint=other_source(rows.columns, "acled")
            or " ".join(f"did you mean {found!r} for {field!r}?" for field, (found,) in near.items()),
        )
    twice = [field for field in fields if keys.count(column_key(field)) > 1]
    if twice:
        raise InputError(f"two columns are called {twice[0]!r}", where=where, expected="different names")
    return [keys.index(column_key(field)) if column_key(field) in keys else len(keys) for field in fields]


def column_key(name: str) -> str:
    """Return a column's name for comparison: without case, spaces, hyphens and underscores.

    Examples
    --------
    >>> column_key("Event ID_CNTY")
    'eventidcnty'
    """
    return "".join(name.casefold().split()).replace("_", "").replace("-", "")


def _blocks(rows: RowStream, fields: Sequence[str], required: Sequence[str]) -> Iterator[Block]:
    """Yield the fields that the file has."""
    at = zip(fields, column_positions(rows, fields, required), strict=True)
    return rows.blocks({field: rows.columns[position] for field, position in at if position < len(rows.columns)})
