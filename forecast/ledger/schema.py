"""The tables of the ledger. Rows are added and never changed; triggers of the database refuse anything else.

Probabilities, outcomes and scores are rows, for questions in SQL. Distributions of weekly counts are packed, one row a
model and kind of unit (`forecast.ledger.marginals`): nobody asks SQL for one of 300 probabilities of a count, and as
rows they would be fifty times as large.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, Date, Dialect, Double, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, TypeDecorator

HEAD = "0002"
"""The revision of `forecast.ledger.migrations` that these tables are."""

_COMPACT = {"sqlite_with_rowid": False}
"""SQLite keeps such a table in the order of its key, without a second index."""


class UtcTime(TypeDecorator[dt.datetime]):
    """A moment in UTC: with its time zone in PostgreSQL, without in SQLite, which knows none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return a moment as the database keeps it."""
        if value is None:
            return None
        return value.astimezone(dt.UTC) if dialect.name != "sqlite" else value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return a moment with its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """All tables of the ledger."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy wants it so
        float: Double,
        bytes: LargeBinary,
        dt.datetime: UtcTime,
        dt.date: Date,
    }


class Entry(Base):
    """A link of the chain: an issue or a settlement, in the order in which they came.

    ``link`` is the hash of the link before, of this row and of all rows that belong to it (`forecast.ledger.chain`).
    """

    __tablename__ = "entry"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20))
    recorded_at: Mapped[dt.datetime]
    content: Mapped[str] = mapped_column(String(64))
    previous: Mapped[str] = mapped_column(String(64), unique=True)
    link: Mapped[str] = mapped_column(String(64), unique=True)


class Issue(Base):
    """A forecast made for real at an origin; one that was issued again has a higher revision."""

    __tablename__ = "issue"
    __table_args__ = (UniqueConstraint("workspace", "report", "origin", "revision"),)
    id: Mapped[int] = mapped_column(ForeignKey("entry.id"), primary_key=True, autoincrement=False)
    workspace: Mapped[str] = mapped_column(Text)
    report: Mapped[str] = mapped_column(Text)
    origin: Mapped[dt.date]
    revision: Mapped[int]
    known_until: Mapped[dt.date]
    vintage: Mapped[str] = mapped_column(String(64))
    settings: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(Text)
    seed: Mapped[int] = mapped_column(BigInteger)
    horizon: Mapped[int]
    draws: Mapped[int]
    headline: Mapped[str] = mapped_column(Text)
    forecast: Mapped[str] = mapped_column(String(64))
    """Hash of all numbers, the same whenever the same forecast is made."""
    manifest: Mapped[str] = mapped_column(Text)


class Model(Base):
    """A model as it was specified; another spec under the same name is another row."""

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("name", "spec_hash"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    spec_hash: Mapped[str] = mapped_column(String(64))
    spec: Mapped[str] = mapped_column(Text)


class Unit(Base):
    """A region or a place."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("kind", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(Text)


class Rule(Base):
    """An escalation as it was defined; another definition under the same name is another row."""

    __tablename__ = "rule"
    __table_args__ = (UniqueConstraint("definition"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    weeks: Mapped[int]
    definition: Mapped[str] = mapped_column(Text)


class Distribution(Base):
    """What a model said of the weekly counts of all regions, or of all places."""

    __tablename__ = "distribution"
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    packed: Mapped[bytes]


class Question(Base):
    """What was asked of a unit: the sum that the weeks must reach, and how often they did before."""

    __tablename__ = "question"
    __table_args__ = _COMPACT
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"), primary_key=True)
    level: Mapped[float | None]
    base_rate: Mapped[float | None]
    base_origins: Mapped[int]
    previous: Mapped[float | None]
    """What the headline model said of the same question one week before."""


class Chance(Base):
    """The probability that a model gave to an escalation."""

    __tablename__ = "chance"
    __table_args__ = _COMPACT
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"), primary_key=True)
    probability: Mapped[float | None]


class Settlement(Base):
    """What became known at one time: new counts and corrected ones, and the scores that follow from them."""

    __tablename__ = "settlement"
    id: Mapped[int] = mapped_column(ForeignKey("entry.id"), primary_key=True, autoincrement=False)
    workspace: Mapped[str] = mapped_column(Text)
    known_until: Mapped[dt.date]
    vintage: Mapped[str] = mapped_column(String(64))


class Outcome(Base):
    """A weekly count as a settlement has it; the one of the latest settlement holds."""

    __tablename__ = "outcome"
    __table_args__ = _COMPACT
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    week: Mapped[dt.date] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class Answer(Base):
    """Whether an escalation came, once all its weeks are known; again when a correction changes it."""

    __tablename__ = "answer"
    __table_args__ = _COMPACT
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id"), primary_key=True)
    met: Mapped[bool]


class Score(Base):
    """The scores of one week of one unit, as in `forecast.evaluation.scores`; again when its count is corrected."""

    __tablename__ = "score"
    __table_args__ = _COMPACT
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlement.id"), primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    horizon: Mapped[int] = mapped_column(primary_key=True)
    crps: Mapped[float]
    log: Mapped[float]
    dss: Mapped[float]
    wis: Mapped[float]
    pit_below: Mapped[float]
    pit_upto: Mapped[float]
