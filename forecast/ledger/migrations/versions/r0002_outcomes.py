"""What came, and how the forecasts scored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecast.ledger.migrations.append_only import protect

revision = "0002"
down_revision = "0001"
SCORES = ("crps", "log", "dss", "wis", "pit_below", "pit_upto")


def upgrade() -> None:
    """Make the tables of outcomes."""
    op.create_table(
        "settlement",
        sa.Column("id", sa.Integer, sa.ForeignKey("entry.id"), primary_key=True, autoincrement=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("known_until", sa.Date, nullable=False),
        sa.Column("vintage", sa.String(64), nullable=False),
    )
    op.create_table(
        "outcome",
        *map(_key, ("settlement", "unit")),
        sa.Column("week", sa.Date, primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answer",
        *map(_key, ("settlement", "issue", "unit", "rule")),
        sa.Column("met", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "score",
        *map(_key, ("settlement", "issue", "model", "unit")),
        sa.Column("horizon", sa.Integer, primary_key=True),
        *(
            sa.Column(name, sa.Double, nullable=False)
            for name in ("crps", "log", "dss", "wis", "pit_below", "pit_upto")
        ),
        sqlite_with_rowid=False,
    )
    protect(("settlement", "outcome", "answer", "score"))


def _key(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer, sa.ForeignKey(f"{table}.id"), primary_key=True)
