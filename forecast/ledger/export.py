"""The ledger as plain tables, for other programs: CSV or parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from forecast.csv_text import safe_frame
from forecast.ledger import read
from forecast.ledger.read import IssueEntry
from forecast.storage import folder_in_progress

Format = Literal["parquet", "csv"]
TABLES = ("issues", "forecasts", "probabilities", "outcomes", "answers", "scores")


def export(connection: Connection, target: Path, form: Format, workspace: str | None = None) -> dict[str, int]:
    """Write all tables of the ledger into a folder, whole or not at all.

    Parameters
    ----------
    connection : Connection
        From `Ledger.reading`.
    target : Path
        A folder; one that is there is replaced.
    form : {"parquet", "csv"}
    workspace : str, optional
        Only its issues; all if not given.

    Returns
    -------
    dict of table to number of rows
        ``issues``: one row an issue. ``forecasts``: a model, unit and week, with mean, quantiles and p0 .. p9.
        ``probabilities``: a model, unit and escalation, with level and base rate. ``outcomes``, ``answers`` and
        ``scores``: what came; a row that a correction has replaced stands there as well, with a lower settlement.
    """
    entries = read.issues(connection, workspace)
    numbers = [entry.number for entry in entries]
    whole = {
        "issues": issue_frame(entries),
        "outcomes": read.outcomes(connection, workspace),
        "answers": read.answers(connection, numbers),
        "scores": read.scores(connection, numbers, latest=False),
    }
    with folder_in_progress(target) as work:
        rows = {name: _write(iter([table]), work / f"{name}.{form}", form) for name, table in whole.items()}
        for name, parts in (("forecasts", _forecasts), ("probabilities", _probabilities)):
            rows[name] = _write(parts(connection, entries), work / f"{name}.{form}", form)
    return {name: rows[name] for name in TABLES}


def issue_frame(entries: list[IssueEntry]) -> pd.DataFrame:
    """Return one row an issue: its place in the chain, when it was issued, its head without the manifest, warnings."""
    rows = []
    for entry in entries:
        head = {name: value for name, value in vars(entry.head).items() if name != "manifest"}
        warnings = json.loads(entry.head.manifest).get("warnings", [])
        place = {"issue": entry.number, "recorded_at": f"{entry.recorded_at:%Y-%m-%dT%H:%M:%SZ}", "link": entry.link}
        rows.append({**place, **head, "forecast": entry.forecast, "warnings": "; ".join(warnings)})
    return pd.DataFrame(rows)


def _forecasts(connection: Connection, entries: list[IssueEntry]) -> Iterator[pd.DataFrame]:
    """Give what each issue said of single weeks."""
    for entry in entries:
        origin = pd.Timestamp(entry.head.origin)
        issue = read.load_issue(connection, entry)
        parts = [
            marginals.frame(origin, kind).assign(model=model) for (model, kind), marginals in issue.marginals.items()
        ]
        yield _of(entry, pd.concat(parts, ignore_index=True), ["model"])


def _probabilities(connection: Connection, entries: list[IssueEntry]) -> Iterator[pd.DataFrame]:
    """Give what each issue said of escalations."""
    for entry in entries:
        said, asked = read.chances(connection, [entry.number]), read.questions(connection, [entry.number])
        table = said.merge(asked, on=["issue", "unit_kind", "unit", "escalation"])
        yield _of(entry, table.drop(columns="issue"), ["model"])


def _of(entry: IssueEntry, table: pd.DataFrame, first: list[str]) -> pd.DataFrame:
    """Return a table with the issue that it is of in front."""
    place: dict[str, Any] = {
        "issue": entry.number,
        "origin": pd.Timestamp(entry.head.origin),
        "revision": entry.head.revision,
    }
    rest = [name for name in table.columns if name not in first]
    return table.assign(**place)[[*place, *first, *rest]]


def _write(parts: Iterator[pd.DataFrame], path: Path, form: Format) -> int:
    """Write tables of the same columns one after the other; return how many rows they have."""
    writer: pq.ParquetWriter | pc.CSVWriter | None = None
    rows = 0
    try:
        for part in parts:
            days = {str(name): part[name].dt.date for name in part if part[name].dtype.kind == "M"}
            frame = part.assign(**days) if form == "parquet" else safe_frame(part.assign(**days))
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            if writer is None:
                kind = pq.ParquetWriter if form == "parquet" else pc.CSVWriter
                writer = kind(path, table.schema)
            writer.write_table(table.cast(writer.schema if form == "parquet" else table.schema))
            rows += len(part)
    finally:
        if writer is not None:
            writer.close()
    return rows
