"""A settlement: what became known at one time, as it is written to the ledger and read from there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select

from forecast.ledger import read, schema
from forecast.ledger.chain import text_bytes
from forecast.ledger.issue import table_bytes
from forecast.ledger.write import Recorded, append_entry, insert_rows, unit_ids
from forecast.provenance import hash_bytes

OUTCOME_COLUMNS = ("unit_kind", "unit", "week", "count")
ANSWER_COLUMNS = ("issue", "unit_kind", "unit", "escalation", "met")
SCORE_COLUMNS = ("issue", "model", "unit_kind", "unit", "horizon", *read.SCORES)
_KEYS = ("issue", "model", "unit_kind", "unit", "escalation", "horizon", "week")
"""Columns that say what a row is about; the others say what is so."""


@dataclass(frozen=True, eq=False)
class Settlement:
    """What became known at one time.

    Parameters
    ----------
    workspace : str
    known_until : date
        Last day of the data.
    vintage : str
        Hash of the data.
    outcomes : DataFrame
        `OUTCOME_COLUMNS`: counts that are new, or others than before.
    answers : DataFrame
        `ANSWER_COLUMNS`: escalations that are decided for the first time, or otherwise than before.
    scores : DataFrame
        `SCORE_COLUMNS`: of the weeks whose counts are in `outcomes`.
    """

    workspace: str
    known_until: dt.date
    vintage: str
    outcomes: pd.DataFrame
    answers: pd.DataFrame
    scores: pd.DataFrame

    def content_hash(self) -> str:
        """Return the hash of all that it says."""
        head = text_bytes([self.workspace, str(self.known_until), self.vintage])
        parts: list[bytes] = []
        for table in (self.outcomes, self.answers, self.scores):
            keys = [name for name in _KEYS if name in table]
            parts += table_bytes(table.assign(**{name: _words(table[name]) for name in keys}), keys)
        return hash_bytes(head, *parts)


def append_settlement(connection: Connection, found: Settlement, recorded_at: dt.datetime) -> Recorded:
    """Add a settlement to the ledger.

    Parameters
    ----------
    connection : Connection
        From `Ledger.append`.
    found : Settlement
    recorded_at : datetime
        Now, with a time zone.
    """
    entry = append_entry(connection, "settlement", found.content_hash(), recorded_at)
    head = {"workspace": found.workspace, "known_until": found.known_until, "vintage": found.vintage}
    connection.execute(insert(schema.Settlement), {"id": entry.number, **head})
    of_unit = unit_ids(connection, _units(found))
    of_model, of_rule = _names_in_issues(connection, sorted({*found.answers["issue"], *found.scores["issue"]}))

    def columns(table: pd.DataFrame) -> dict[str, Any]:
        units = zip(table["unit_kind"], table["unit"], strict=True)
        return {"settlement_id": entry.number, "unit_id": [of_unit[unit] for unit in units]}

    counts, answers, scores = found.outcomes, found.answers, found.scores
    weeks = [week.date() for week in counts["week"]]
    insert_rows(connection, schema.Outcome, {**columns(counts), "week": weeks, "count": counts["count"]})
    rules = [of_rule[key] for key in zip(answers["issue"], answers["escalation"], strict=True)]
    met = {"rule_id": rules, "issue_id": answers["issue"], "met": answers["met"].astype(bool)}
    insert_rows(connection, schema.Answer, {**columns(answers), **met})
    models = [of_model[key] for key in zip(scores["issue"], scores["model"], strict=True)]
    rest = {name: scores[name] for name in ("horizon", *read.SCORES)}
    insert_rows(connection, schema.Score, {**columns(scores), "model_id": models, "issue_id": scores["issue"], **rest})
    return entry


def load_settlement(connection: Connection, number: int) -> Settlement:
    """Return what a settlement has recorded."""
    table = schema.Settlement
    row = connection.execute(select(table.workspace, table.known_until, table.vintage).where(table.id == number)).one()
    return Settlement(
        row.workspace,
        row.known_until,
        row.vintage,
        read.outcomes(connection, settlement=number)[list(OUTCOME_COLUMNS)],
        read.answers(connection, settlement=number)[list(ANSWER_COLUMNS)],
        read.scores(connection, settlement=number, latest=False)[list(SCORE_COLUMNS)],
    )


def _units(found: Settlement) -> dict[str, list[str]]:
    """Return all units of a settlement by their kinds."""
    tables = [table[["unit_kind", "unit"]] for table in (found.outcomes, found.answers, found.scores)]
    every = pd.concat([table for table in tables if len(table)]).drop_duplicates()
    return {str(kind): part["unit"].tolist() for kind, part in every.groupby("unit_kind")}


def _names_in_issues(
    connection: Connection, numbers: list[int]
) -> tuple[dict[tuple[int, str], int], dict[tuple[int, str], int]]:
    """Return the numbers of models and rules by issue and name: in another issue a name can stand for another spec."""
    model = select(schema.Distribution.issue_id, schema.Model.name, schema.Model.id).join_from(
        schema.Distribution, schema.Model
    )
    rule = select(schema.Question.issue_id, schema.Rule.name, schema.Rule.id).join_from(schema.Question, schema.Rule)
    models = connection.execute(model.where(schema.Distribution.issue_id.in_(numbers)).distinct())
    rules = connection.execute(rule.where(schema.Question.issue_id.in_(numbers)).distinct())
    return {(issue, name): at for issue, name, at in models}, {(issue, name): at for issue, name, at in rules}


def _words(column: pd.Series[Any]) -> list[str]:
    """Return keys as text that sorts: whole numbers with zeros before them, days as in ISO 8601."""
    if column.dtype.kind == "M":
        return [f"{day:%Y-%m-%d}" for day in column]
    return [f"{value:09d}" if isinstance(value, int) else str(value) for value in column.tolist()]
