"""Reading the ledger: which issues there are, what each said, and what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, func, select

from forecast.errors import InputError
from forecast.ledger import schema
from forecast.ledger.issue import CHANCE_COLUMNS, QUESTION_COLUMNS, Issue, IssueHead, ModelVersion, RuleVersion
from forecast.ledger.marginals import Marginals

_HEAD = tuple(field.name for field in fields(IssueHead))
_WHOLE = {"settlement", "issue", "revision", "horizon", "weeks", "count", "base_origins", "met"}
SCORES = ("crps", "log", "dss", "wis", "pit_below", "pit_upto")


@dataclass(frozen=True)
class IssueEntry:
    """An issue in the chain.

    Parameters
    ----------
    number : int
        Its place in the chain.
    recorded_at : datetime
        When it was issued, in UTC.
    link : str
    forecast : str
        Hash of its numbers, as they were when it was issued.
    head : IssueHead
    """

    number: int
    recorded_at: dt.datetime
    link: str
    forecast: str
    head: IssueHead


def issues(
    connection: Connection,
    workspace: str | None = None,
    report: str | None = None,
    origin: dt.date | None = None,
) -> list[IssueEntry]:
    """Return the issues of a workspace, report and origin, or all of them, in the order in which they were made."""
    table = schema.Issue
    wanted = {table.workspace: workspace, table.report: report, table.origin: origin}
    chosen = [column == value for column, value in wanted.items() if value is not None]
    rows = connection.execute(_issue_rows().where(*chosen).order_by(table.id))
    return [_entry_of(row) for row in rows]


def issue_entry(connection: Connection, number: int) -> IssueEntry:
    """Return one issue by its place in the chain.

    Raises
    ------
    InputError
        If there is none.
    """
    row = connection.execute(_issue_rows().where(schema.Issue.id == number)).one_or_none()
    if row is None:
        raise InputError(f"entry {number} is no issue", expected="one of `forecast ledger list`")
    return _entry_of(row)


def load_issue(connection: Connection, entry: IssueEntry, *, with_chances: bool = True) -> Issue:
    """Return all that an issue said.

    Parameters
    ----------
    connection : Connection
    entry : IssueEntry
    with_chances : bool
        Without the probabilities of escalations, which are most of the rows, it is twice as fast.

    Raises
    ------
    ForecastError
        If a packed forecast is damaged.
    """
    model, rule = schema.Model, schema.Rule
    number = entry.number
    packed = connection.execute(
        select(model.name, schema.Distribution.kind, schema.Distribution.packed)
        .join_from(schema.Distribution, model)
        .where(schema.Distribution.issue_id == number)
        .order_by(schema.Distribution.model_id, schema.Distribution.kind.desc())
    )
    marginals = {(name, kind): Marginals.unpack(content) for name, kind, content in packed}
    used = select(schema.Distribution.model_id).where(schema.Distribution.issue_id == number)
    models = connection.execute(select(model.name, model.spec_hash, model.spec).where(model.id.in_(used)))
    asked = select(schema.Question.rule_id).where(schema.Question.issue_id == number)
    rules = connection.execute(select(rule.name, rule.weeks, rule.definition).where(rule.id.in_(asked)))
    return Issue(
        entry.head,
        tuple(ModelVersion(*row) for row in models),
        tuple(RuleVersion(*row) for row in rules),
        marginals,
        questions(connection, [number])[list(QUESTION_COLUMNS)],
        chances(connection, [number] if with_chances else [])[list(CHANCE_COLUMNS)],
    )


def questions(connection: Connection, numbers: Sequence[int]) -> pd.DataFrame:
    """Return what was asked in some issues: issue, then `QUESTION_COLUMNS`."""
    table = schema.Question
    chosen = select(
        table.issue_id.label("issue"),
        schema.Unit.kind.label("unit_kind"),
        schema.Unit.name.label("unit"),
        schema.Rule.name.label("escalation"),
        table.level,
        table.base_rate,
        table.base_origins,
        table.previous,
    ).join_from(table, schema.Unit)
    chosen = chosen.join(schema.Rule, schema.Rule.id == table.rule_id).where(table.issue_id.in_(numbers))
    return frame(connection, chosen, floats=("level", "base_rate", "previous"))


def chances(connection: Connection, numbers: Sequence[int]) -> pd.DataFrame:
    """Return the probabilities of some issues: issue, then `CHANCE_COLUMNS`."""
    table = schema.Chance
    chosen = select(
        table.issue_id.label("issue"),
        schema.Model.name.label("model"),
        schema.Unit.kind.label("unit_kind"),
        schema.Unit.name.label("unit"),
        schema.Rule.name.label("escalation"),
        table.probability,
    ).join_from(table, schema.Model)
    chosen = chosen.join(schema.Unit, schema.Unit.id == table.unit_id).join(
        schema.Rule, schema.Rule.id == table.rule_id
    )
    return frame(connection, chosen.where(table.issue_id.in_(numbers)), floats=("probability",))


def outcomes(connection: Connection, workspace: str | None = None, *, settlement: int | None = None) -> pd.DataFrame:
    """Return every count that was recorded: settlement, unit_kind, unit, week, count; the latest of a week holds."""
    table = schema.Outcome
    chosen = select(
        table.settlement_id.label("settlement"),
        schema.Unit.kind.label("unit_kind"),
        schema.Unit.name.label("unit"),
        table.week,
        table.count,
    ).join_from(table, schema.Unit)
    if workspace is not None:
        chosen = chosen.join(schema.Settlement).where(schema.Settlement.workspace == workspace)
    if settlement is not None:
        chosen = chosen.where(table.settlement_id == settlement)
    return frame(connection, chosen.order_by(table.settlement_id, table.unit_id, table.week), days=("week",))


def answers(
    connection: Connection, numbers: Sequence[int] | None = None, *, settlement: int | None = None
) -> pd.DataFrame:
    """Return whether escalations came: settlement, issue, unit_kind, unit, escalation, met (0/1); the latest holds."""
    table = schema.Answer
    chosen = (
        select(
            table.settlement_id.label("settlement"),
            table.issue_id.label("issue"),
            schema.Unit.kind.label("unit_kind"),
            schema.Unit.name.label("unit"),
            schema.Rule.name.label("escalation"),
            table.met,
        )
        .join_from(table, schema.Unit)
        .join(schema.Rule, schema.Rule.id == table.rule_id)
    )
    if numbers is not None:
        chosen = chosen.where(table.issue_id.in_(numbers))
    if settlement is not None:
        chosen = chosen.where(table.settlement_id == settlement)
    return frame(connection, chosen.order_by(table.settlement_id, table.issue_id, table.unit_id, table.rule_id))


def scores(
    connection: Connection,
    numbers: Sequence[int] | None = None,
    *,
    settlement: int | None = None,
    latest: bool = True,
) -> pd.DataFrame:
    """Return the scores of weeks that are known.

    Parameters
    ----------
    connection : Connection
    numbers : sequence of int, optional
        Of issues; all if not given.
    settlement : int, optional
        Only what it has recorded.
    latest : bool
        Only those by the counts as they are known now; otherwise also those that a correction has replaced.

    Returns
    -------
    DataFrame
        One row a settlement, issue, model, unit and horizon: settlement, issue, origin, revision, model, unit_kind,
        unit, horizon, crps, log, dss, wis, pit_below, pit_upto.
    """
    table = schema.Score
    chosen = (
        select(
            table.settlement_id.label("settlement"),
            table.issue_id.label("issue"),
            schema.Issue.origin,
            schema.Issue.revision,
            schema.Model.name.label("model"),
            schema.Unit.kind.label("unit_kind"),
            schema.Unit.name.label("unit"),
            table.horizon,
            *(getattr(table, name) for name in SCORES),
        )
        .join_from(table, schema.Issue)
        .join(schema.Model, schema.Model.id == table.model_id)
        .join(schema.Unit, schema.Unit.id == table.unit_id)
    )
    if numbers is not None:
        chosen = chosen.where(table.issue_id.in_(numbers))
    if settlement is not None:
        chosen = chosen.where(table.settlement_id == settlement)
    found = frame(connection, chosen.order_by(table.settlement_id), days=("origin",))
    keys = ["issue", "model", "unit_kind", "unit", "horizon"]
    return found.drop_duplicates(keys, keep="last", ignore_index=True) if latest else found


def last_link(connection: Connection) -> str:
    """Return the last link of the chain; empty if there is none."""
    entry = schema.Entry
    return connection.execute(select(entry.link).order_by(entry.id.desc()).limit(1)).scalar() or ""


def last_known(connection: Connection, workspace: str) -> dt.date | None:
    """Return until when outcomes of a workspace are recorded."""
    table = schema.Settlement
    found: dt.date | None = connection.execute(
        select(func.max(table.known_until)).where(table.workspace == workspace)
    ).scalar()
    return found


def last_settlement(connection: Connection, workspace: str) -> int:
    """Return the number of the last settlement of a workspace, 0 if there is none."""
    table = schema.Settlement
    return connection.execute(select(func.max(table.id)).where(table.workspace == workspace)).scalar() or 0


def frame(
    connection: Connection, chosen: Select[*tuple[Any, ...]], *, floats: Sequence[str] = (), days: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the rows of a query, of the same types also if there is none; NULL is NaN in the columns of `floats`."""
    found = connection.execute(chosen)
    table = pd.DataFrame.from_records(found.fetchall(), columns=list(found.keys()))
    kinds: dict[str, Any] = dict.fromkeys(floats, "float64") | dict.fromkeys(days, "datetime64[s]")
    return table.astype(kinds | dict.fromkeys(_WHOLE.intersection(table), "int64"))


def _issue_rows() -> Select[*tuple[Any, ...]]:
    entry, issue = schema.Entry, schema.Issue
    columns = [getattr(issue, name) for name in _HEAD]
    return select(entry.id, entry.recorded_at, entry.link, issue.forecast, *columns).join_from(entry, issue)


def _entry_of(row: Any) -> IssueEntry:
    return IssueEntry(
        row.id, row.recorded_at, row.link, row.forecast, IssueHead(**{name: getattr(row, name) for name in _HEAD})
    )
