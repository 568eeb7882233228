"""Events from anybody's table, by a mapping in TOML that says which column is what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.config import parse
from forecast.errors import InputError
from forecast.events.hxl import columns_from_tags
from forecast.events.imprecise import ImprecisePolicy, apply_policy
from forecast.events.mapping_spec import ColumnsSection, TableMapping, read_mapping
from forecast.events.missing_columns import offers, other_source
from forecast.events.record import Batch
from forecast.events.row_faults import RowFaults
from forecast.events.row_translation import translate
from forecast.events.table_rows import RowStream, open_rows

__all__ = ["TableMapping", "read_mapped", "read_mapping"]

UNNAMED = "table"
"""Name of the source where there is no mapping that names it."""
_WITHOUT_MAPPING = "columns event_id and date, HXL tags, or a mapping (--mapping, docs/table-mapping.md)"
_MOST_SHOWN = 25
"""Columns of the file that a message shows."""


def read_mapped(path: Path, mapping: TableMapping | None, policy: ImprecisePolicy) -> Iterator[Batch]:
    """Read events from a CSV, Excel or parquet file, packed or not, batch by batch.

    Where the mapping has no column for a precision, it follows from the row: that of the date from the length of
    its span, that of the place from the finest of coordinates, admin2, admin1 and country that is there.

    Parameters
    ----------
    path : Path
    mapping : TableMapping, optional
        Without one the row of HXL tags says which column is what, or headers that are the names of the roles.
    policy : ImprecisePolicy
        What to do with rows whose day or place is known only roughly.

    Yields
    ------
    Batch
        Of at most 50,000 rows. Blank rows and the row of HXL tags are not counted.

    Raises
    ------
    InputError
        If the file cannot be read, at once or further down; if it lacks a column of the mapping, with all that are
        missing and the nearest names.
    """
    given = mapping.model_dump(include={"delimiter", "encoding", "sheet"}) if mapping else {}
    rows = open_rows(path, **given)
    mapping = mapping or _mapping_of(rows)
    _require(rows, mapping)
    headers = mapping.columns.headers()
    seen = np.empty(0, dtype=np.uint64)
    for block in rows.blocks({name: name for names in headers.values() for name in names}):
        texts = {role: _joined([block.texts[name] for name in names]) for role, names in headers.items()}
        faults = RowFaults(block.rows, rows.name, block.numbers, block.ragged)
        events = translate(texts, mapping, faults)
        seen = _drop_repeats(texts["event_id"], seen, faults)
        events, dropped = apply_policy(events, policy, faults)
        yield Batch(events, block.rows + len(block.ragged), dropped, examples=faults.examples())


def _joined(parts: list[NDArray[np.object_]]) -> NDArray[np.object_]:
    """Return the text of each row in some columns, shape (rows,); empty if it is in one of several."""
    if len(parts) == 1:
        return parts[0]
    joined = np.empty(len(parts[0]), dtype=object)
    joined[:] = ["/".join(row) if all(row) else "" for row in zip(*parts, strict=True)]
    return joined


def _mapping_of(rows: RowStream) -> TableMapping:
    """Return the mapping that the file itself says, by its HXL tags or by headers that are names of roles."""
    if rows.tags:
        columns = columns_from_tags(rows.columns, rows.tags)
        missing = [role for role in ("event_id", "date") if role not in columns]
        if missing:
            raise InputError(
                f"no HXL tag says which column is {' or '.join(map(repr, missing))}",
                where=f"{rows.name} row of tags",
                expected="#event+id and #date+start; found " + ", ".join(tag for tag in rows.tags if tag),
                hint="name the columns in a mapping file",
            )
    else:
        columns = {role: role for role in ColumnsSection.model_fields if role in rows.columns}
    fixed = {"event_id": "event_id", "date": "date"}
    return parse(TableMapping, {"source": UNNAMED, "columns": {**fixed, **columns}}, where=f"{rows.name} row 1")


def _require(rows: RowStream, mapping: TableMapping) -> None:
    """Refuse a table that lacks columns of the mapping, naming all of them and what they could be."""
    absent = {
        name: role for role, names in mapping.columns.headers().items() for name in names if name not in rows.columns
    }
    if not absent:
        return
    known = [name for name in rows.columns if name]
    used = {name for names in mapping.columns.headers().values() for name in names}
    free = [name for name in known if name not in used]
    near = offers({role: [name, role] for name, role in absent.items()}, free, count=3)
    hints = [f"{role} = {' or '.join(map(repr, names))}?" for role, names in near.items()]
    listed = ", ".join(f"{name!r} ({role})" for name, role in absent.items())
    found = ", ".join(map(repr, known[:_MOST_SHOWN]))
    more = f" ... ({len(known)} in all)" if len(known) > _MOST_SHOWN else ""
    unnamed = mapping.source == UNNAMED
    raise InputError(
        f"no column {listed}",
        where=f"{rows.name} row 1",
        expected=f"{_WITHOUT_MAPPING if unnamed else 'the columns of the mapping'}; found {found}{more}",
        hint=(other_source(known, UNNAMED) if unnamed else "")
        or " ".join(["in the mapping, [columns]:", *hints] if hints else []),
    )


def _drop_repeats(ids: NDArray[np.object_], seen: NDArray[np.uint64], faults: RowFaults) -> NDArray[np.uint64]:
    """Drop the good rows whose event id occurs before; return the 64-bit hashes of all ids so far, sorted."""
    good = np.flatnonzero(~faults.out)
    keys = pd.util.hash_array(ids[good], categorize=False)
    at = np.searchsorted(seen, keys)
    known = np.zeros(len(keys), dtype=bool)
    known[at < len(seen)] = seen[at[at < len(seen)]] == keys[at < len(seen)]
    old = known | pd.Series(keys).duplicated().to_numpy()
    repeated = np.zeros(faults.rows, dtype=bool)
    repeated[good[old]] = True
    faults.drop("event id occurs before", repeated, ids)
    return np.sort(np.concatenate([seen, np.sort(keys[~old])]), kind="stable")  # sorts two runs in linear time
