"""The chain, the issues, and what they say."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecast.ledger.migrations.append_only import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of issues."""
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False, unique=True),
        sa.Column("link", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "issue",
        sa.Column("id", sa.Integer, sa.ForeignKey("entry.id"), primary_key=True, autoincrement=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("origin", sa.Date, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("known_until", sa.Date, nullable=False),
        sa.Column("vintage", sa.String(64), nullable=False),
        sa.Column("settings", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("horizon", sa.Integer, nullable=False),
        sa.Column("draws", sa.Integer, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("forecast", sa.String(64), nullable=False),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.UniqueConstraint("workspace", "report", "origin", "revision"),
    )
    op.create_table(
        "model",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("spec_hash", sa.String(64), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.UniqueConstraint("name", "spec_hash"),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "name"),
    )
    op.create_table(
        "rule",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("weeks", sa.Integer, nullable=False),
        sa.Column("definition", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "distribution",
        _key("issue"),
        _key("model"),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "question",
        *map(_key, ("issue", "unit", "rule")),
        sa.Column("level", sa.Double),
        sa.Column("base_rate", sa.Double),
        sa.Column("base_origins", sa.Integer, nullable=False),
        sa.Column("previous", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chance",
        *map(_key, ("issue", "model", "unit", "rule")),
        sa.Column("probability", sa.Double),
        sqlite_with_rowid=False,
    )
    protect(("entry", "issue", "model", "unit", "rule", "distribution", "question", "chance"))


def _key(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer, sa.ForeignKey(f"{table}.id"), primary_key=True)
