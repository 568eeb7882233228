"""What reports said: the probabilities and distributions of the model that each spoke for, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import pandas as pd
from sqlalchemy import Connection, select

from forecast.ledger import read, schema
from forecast.ledger.marginals import Marginals

_CASE = ["issue", "unit_kind", "unit", "escalation"]


def statements(connection: Connection, numbers: Sequence[int], *, before: int | None = None) -> pd.DataFrame:
    """Return what some issues stated of escalations, and how it turned out.

    Parameters
    ----------
    connection : Connection
    numbers : sequence of int
        Of issues.
    before : int, optional
        Only answers of entries before this one.

    Returns
    -------
    DataFrame
        One row an issue, unit and escalation whose probability is known: issue, unit_kind, unit, escalation, weeks,
        definition (of the escalation, JSON), probability, base_rate, base_origins, level, met (0/1 by the latest data,
        NaN if not decided), met_first (by the data that decided it first).
    """
    said = _headline_chances(connection, numbers).dropna(subset=["probability"])
    asked = read.questions(connection, numbers)[[*_CASE, "level", "base_rate", "base_origins"]]
    said = said.merge(asked, on=_CASE).merge(_definitions(connection, numbers), on=["issue", "escalation"])
    answers = read.answers(connection, numbers)
    if before is not None:
        answers = answers[answers["settlement"] < before]
    kept: tuple[tuple[str, Literal["first", "last"]], ...] = (("met", "last"), ("met_first", "first"))
    for column, keep in kept:
        told = answers.drop_duplicates(_CASE, keep=keep)[[*_CASE, "met"]].rename(columns={"met": column})
        said = said.merge(told.astype({column: "float64"}), on=_CASE, how="left")
    columns = ["weeks", "definition", "probability", "base_rate", "base_origins", "level", "met", "met_first"]
    return said[[*_CASE, *columns]]


def headline_marginals(
    connection: Connection, numbers: Sequence[int], kind: str | None = None
) -> Iterator[tuple[int, str, Marginals]]:
    """Give issue, unit kind and what the headline model of some issues said of single weeks, of one kind or of all."""
    table, model = schema.Distribution, schema.Model
    chosen = (
        select(table.issue_id, table.kind, table.packed)
        .join_from(table, schema.Issue, schema.Issue.id == table.issue_id)
        .join(model, model.id == table.model_id)
        .where(table.issue_id.in_(numbers), model.name == schema.Issue.headline)
        .order_by(table.issue_id, table.kind.desc())
    )
    for number, found, packed in connection.execute(chosen if kind is None else chosen.where(table.kind == kind)):
        yield number, found, Marginals.unpack(packed)


def _definitions(connection: Connection, numbers: Sequence[int]) -> pd.DataFrame:
    table, rule = schema.Question, schema.Rule
    chosen = (
        select(table.issue_id.label("issue"), rule.name.label("escalation"), rule.weeks, rule.definition)
        .join_from(table, rule)
        .where(table.issue_id.in_(numbers))
        .distinct()
    )
    return read.frame(connection, chosen)


def _headline_chances(connection: Connection, numbers: Sequence[int]) -> pd.DataFrame:
    """Return the probabilities of the model that each report spoke for: issue, unit_kind, unit, escalation."""
    table, model, unit, rule = schema.Chance, schema.Model, schema.Unit, schema.Rule
    chosen = (
        select(
            table.issue_id.label("issue"),
            unit.kind.label("unit_kind"),
            unit.name.label("unit"),
            rule.name.label("escalation"),
            table.probability,
        )
        .join_from(table, schema.Issue, schema.Issue.id == table.issue_id)
        .join(model, model.id == table.model_id)
        .join(unit, unit.id == table.unit_id)
        .join(rule, rule.id == table.rule_id)
        .where(table.issue_id.in_(numbers), model.name == schema.Issue.headline)
    )
    return read.frame(connection, chosen, floats=("probability",))
