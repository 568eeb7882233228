"""Adding an issue to the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select

from forecast.errors import ForecastError
from forecast.ledger import schema
from forecast.ledger.chain import GENESIS, link_of
from forecast.ledger.issue import Issue


class AlreadyIssuedError(ForecastError):
    """There is another issue of the same origin and revision: somebody was faster (exit code 1)."""


@dataclass(frozen=True)
class Recorded:
    """An entry of the ledger.

    Parameters
    ----------
    number : int
        Its place in the chain, from 1.
    recorded_at : datetime
    link : str
    new : bool
        False if it had been recorded before.
    behind : timedelta
        By how much the clock stood behind that of the entry before; zero if it did not.
    """

    number: int
    recorded_at: dt.datetime
    link: str
    new: bool = True
    behind: dt.timedelta = dt.timedelta(0)


def append_issue(connection: Connection, issue: Issue, recorded_at: dt.datetime) -> Recorded:
    """Add an issue, or find that it is there.

    Parameters
    ----------
    connection : Connection
        From `Ledger.append`.
    issue : Issue
    recorded_at : datetime
        Now, with a time zone.

    Raises
    ------
    AlreadyIssuedError
        If another one has its place.
    """
    head = issue.head
    key = schema.Issue
    same = [key.workspace == head.workspace, key.report == head.report]
    same += [key.origin == head.origin, key.revision == head.revision]
    content = issue.content_hash()
    there = connection.execute(select(schema.Entry.__table__).join(key).where(*same)).one_or_none()
    if there is not None:
        if there.content == content:
            return Recorded(there.id, there.recorded_at, there.link, new=False)
        raise AlreadyIssuedError(
            f"the forecast from {head.origin} was issued by another run in the meantime (entry {there.id})"
        )
    entry = append_entry(connection, "issue", content, recorded_at)
    connection.execute(insert(schema.Issue), {"id": entry.number, **vars(head), "forecast": issue.forecast_hash()})
    models = [{"name": each.name, "spec_hash": each.spec_hash, "spec": each.spec} for each in issue.models]
    model_ids = _ids(connection, schema.Model, models, ("name", "spec_hash"))
    of_model = {each.name: model_ids[each.name, each.spec_hash] for each in issue.models}
    rules = [{"name": each.name, "weeks": each.weeks, "definition": each.definition} for each in issue.rules]
    rule_ids = _ids(connection, schema.Rule, rules, ("definition",))
    of_rule = {each.name: rule_ids[each.definition,] for each in issue.rules}
    of_unit = unit_ids(connection, {kind: marginals.units for (_, kind), marginals in issue.marginals.items()})
    packed = [
        {"issue_id": entry.number, "model_id": of_model[model], "kind": kind, "packed": marginals.pack()}
        for (model, kind), marginals in issue.marginals.items()
    ]
    connection.execute(insert(schema.Distribution), packed)
    for table, frame in ((schema.Question, issue.questions), (schema.Chance, issue.chances)):
        columns: dict[str, Any] = {"issue_id": entry.number}
        columns["unit_id"] = [of_unit[key] for key in zip(frame["unit_kind"], frame["unit"], strict=True)]
        columns["rule_id"] = [of_rule[name] for name in frame["escalation"]]
        if "model" in frame:
            columns["model_id"] = [of_model[name] for name in frame["model"]]
        rest = [str(name) for name in frame if name not in {"unit_kind", "unit", "escalation", "model"}]
        insert_rows(connection, table, {**columns, **{name: frame[name] for name in rest}})
    return entry


def append_entry(connection: Connection, kind: str, content: str, recorded_at: dt.datetime) -> Recorded:
    """Add the next link of the chain.

    Raises
    ------
    ValueError
        If the moment has no time zone.
    """
    if recorded_at.tzinfo is None:
        raise ValueError("a moment without a time zone")
    moment = recorded_at.astimezone(dt.UTC).replace(microsecond=0)
    table = schema.Entry
    last = connection.execute(
        select(table.id, table.link, table.recorded_at).order_by(table.id.desc()).limit(1)
    ).one_or_none()
    number, previous = (last.id + 1, last.link) if last else (1, GENESIS)
    link = link_of(previous, number, kind, moment, content)
    connection.execute(
        insert(table),
        {"id": number, "kind": kind, "recorded_at": moment, "content": content, "previous": previous, "link": link},
    )
    behind = max(last.recorded_at - moment, dt.timedelta(0)) if last else dt.timedelta(0)
    return Recorded(number, moment, link, behind=behind)


def unit_ids(connection: Connection, units: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], int]:
    """Return the numbers of units by kind and name, adding those that are not there yet."""
    rows = [{"kind": kind, "name": name} for kind, names in units.items() for name in names]
    found = _ids(connection, schema.Unit, rows, ("kind", "name"))
    return {(kind, name): number for (kind, name), number in found.items()}


def insert_rows(connection: Connection, table: type[schema.Base], columns: Mapping[str, Any]) -> None:
    """Add rows given by columns; a single value goes into all of them, NaN becomes NULL."""
    length = max(len(values) for values in columns.values() if not np.isscalar(values))
    if not length:
        return
    plain = {name: [values] * length if np.isscalar(values) else _plain(values) for name, values in columns.items()}
    names = list(plain)
    connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in zip(*plain.values(), strict=True)])


def _plain(values: Any) -> list[Any]:
    """Return values as a driver takes them."""
    array = pd.Series(values)
    if array.dtype.kind != "f":
        return list(array.tolist())
    return [None if value != value else value for value in array.tolist()]  # noqa: PLR0124 - NaN


def _ids(
    connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]
) -> dict[tuple[Any, ...], int]:
    """Return the number of each row by its key, adding rows that are not there yet in the order given."""
    columns = [getattr(table, name) for name in key]

    def known() -> dict[tuple[Any, ...], int]:
        return {tuple(found[1:]): found[0] for found in connection.execute(select(table.id, *columns))}

    there = known()
    lacking = {tuple(row[name] for name in key): row for row in rows}
    new = [row for position, row in lacking.items() if position not in there]
    if new:
        connection.execute(insert(table), new)
        there = known()
    return {position: there[position] for position in lacking}
