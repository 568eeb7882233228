"""Triggers that refuse to change or remove rows, in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op

MESSAGE = "the ledger is append-only"


def protect(tables: Iterable[str]) -> None:
    """Let the database refuse every UPDATE, DELETE and TRUNCATE of some tables.

    Parameters
    ----------
    tables : iterable of str
        Names from a revision, never from a user.
    """
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute(
            "CREATE OR REPLACE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$"
        )
    for table in tables:
        if postgres:
            for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
                op.execute(
                    f"CREATE TRIGGER {table}_keeps_{each.lower()} BEFORE {event} ON {table} "
                    f"FOR EACH {each} EXECUTE FUNCTION ledger_refuses()"
                )
        else:
            for event in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_keeps_{event.lower()} BEFORE {event} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
                )
