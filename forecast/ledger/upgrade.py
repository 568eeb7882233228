"""Bringing the tables of a ledger to what this version expects."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from forecast.errors import InputError
from forecast.ledger.schema import HEAD

_STATE = "alembic_version"


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, None of a database without any."""
    if not inspect(connection).has_table(_STATE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_STATE}")).scalar()  # noqa: S608
    return found


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Apply the revisions that the tables lack, within the transaction of the connection.

    Parameters
    ----------
    connection : Connection
        In a transaction that nobody else can be in.
    to : str
        The last of them; the newest if not given.

    Raises
    ------
    InputError
        If the tables are of a revision that this version does not know.
    """
    from alembic.operations import Operations  # noqa: PLC0415 - rarely needed, and slow
    from alembic.runtime.migration import MigrationContext, RevisionStep  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    script = ScriptDirectory(str(files("forecast.ledger.migrations")))
    present = revision_of(connection)
    if present is not None and present not in {each.revision for each in script.walk_revisions()}:
        raise InputError(
            f"the ledger has tables of revision {present!r}",
            expected=f"one up to {HEAD!r}",
            hint="it was written by a newer version of escalation-forecast: install that",
        )

    # As alembic.command.upgrade does, without an env.py whose import would already need a database.
    def steps(revision: object, _: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs(to, revision)  # type: ignore[arg-type]

    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()
