"""An open ledger: reading it, and adding to it, one writer at a time, also while a server goes away and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

from forecast.errors import ForecastError, InputError
from forecast.ledger.address import VARIABLE, Address
from forecast.ledger.schema import HEAD
from forecast.ledger.upgrade import revision_of, upgrade

Result = TypeVar("Result")

PATIENCE = 60.0
"""Seconds to wait for a database that is busy or does not answer."""
_WRITES = "ledger_writes"
_ADVISORY = 7_305_514_098
"""Key of the lock that writers of one PostgreSQL database share."""
_REFUSALS = ("password authentication failed", "does not exist", "no pg_hba.conf entry", "permission denied")
"""What a server says that will say the same a minute later."""


@dataclass(frozen=True)
class Ledger:
    """A ledger whose tables are up to date.

    Parameters
    ----------
    address : Address
    engine : Engine
    patience : float
        Seconds to wait for a database that is busy or does not answer.
    """

    address: Address
    engine: Engine
    patience: float = PATIENCE

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the ledger.

        Raises
        ------
        ForecastError
            If the database does not answer.
        """
        one_state = {"isolation_level": "REPEATABLE READ"} if self.engine.dialect.name == "postgresql" else {}
        with _explained(self.address), self.engine.connect().execution_options(**one_state) as connection:
            yield connection

    def append(self, work: Callable[[Connection], Result]) -> Result:
        """Do some work in one transaction that no other writer can be in, all of it or nothing.

        A server that goes away is waited for, and the work is done again from the start. It must therefore find out
        whether it was done before: a connection can be lost after the server has committed.

        Parameters
        ----------
        work : callable of Connection

        Raises
        ------
        ForecastError
            If the database does not answer for longer than `patience`, or is busy for as long.
        InputError
            If it cannot be written to.
        """
        deadline, pause = time.monotonic() + self.patience, 0.1
        while True:
            try:
                return self._once(work)
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() + pause > deadline or not self._may_come_back(error):
                    raise _explanation(error, self.address) from None
            time.sleep(pause)
            pause = min(2 * pause, 2.0)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, work: Callable[[Connection], Result]) -> Result:
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            if self.engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY})"))
            return work(connection)

    def _may_come_back(self, error: DBAPIError) -> bool:
        return self.engine.dialect.name == "postgresql" and not any(each in str(error.orig) for each in _REFUSALS)


def open_ledger(address: Address, *, create: bool = True, patience: float = PATIENCE) -> Ledger:
    """Open a ledger and bring its tables up to date.

    Parameters
    ----------
    address : Address
    create : bool
        Make a file that is not there.
    patience : float
        As in `Ledger`.

    Raises
    ------
    InputError
        If there is none and none is to be made, if it is no ledger, or if a newer version has written it.
    ForecastError
        If the database does not answer.
    """
    if address.file is not None and not create and not address.file.is_file():
        raise InputError("there is no ledger yet", where=str(address), hint="`forecast run`")
    if address.file is not None and not address.file.parent.is_dir():
        raise InputError("no such folder", where=str(address.file.parent), expected="a folder for the ledger")
    ledger = Ledger(address, _engine(address), patience)
    with _closed_on_error(ledger):
        found = ledger.append(lambda connection: _brought_up(connection, empty_is_error=not create))
    if found is None:
        ledger.close()
        raise InputError("there is no ledger yet", where=str(address), hint="`forecast run`")
    return ledger


def _brought_up(connection: Connection, *, empty_is_error: bool) -> str | None:
    present = revision_of(connection)
    if present is None and empty_is_error:
        return None
    if present != HEAD:
        upgrade(connection)
    return HEAD


def _engine(address: Address) -> Engine:
    if address.file is not None:
        engine = create_engine(address.url, poolclass=NullPool, connect_args={"timeout": 30})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(address.url, pool_pre_ping=True, pool_size=1, connect_args={"connect_timeout": 10})
    except ModuleNotFoundError:
        raise InputError(
            "a ledger in PostgreSQL needs the package psycopg",
            where=str(address),
            hint='pip install "escalation-forecast[postgresql]"',
        ) from None


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Leave the beginning of transactions to `_begin_sqlite`: the driver begins them too late for our locks."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _closed_on_error(ledger: Ledger) -> Iterator[None]:
    try:
        with _explained(ledger.address):
            yield
    except BaseException:
        ledger.close()
        raise


@contextmanager
def _explained(address: Address) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _explanation(error, address) from None


def _explanation(error: DBAPIError, address: Address) -> ForecastError:
    """Turn what a driver says into a message; of a refused row, only what the database says, never its values."""
    said = str(error.orig).strip().partition("\n")[0]
    for part, what, hint in (
        ("disk is full", "no space left for the ledger", "free some space and run again"),
        ("readonly database", "not allowed to write to the ledger", "its permissions"),
        ("unable to open", "the ledger cannot be opened", "the permissions of the file and its folder"),
        ("not a database", "this file is no ledger", "another [ledger] url in forecast.toml"),
        ("password authentication failed", "the database refuses the password", f"the URL in {VARIABLE}"),
        ("permission denied", f"the database refuses: {said}", "rights to create and fill tables"),
    ):
        if part in said:
            return InputError(what, where=str(address), hint=hint)
    if isinstance(error, (OperationalError, InterfaceError)):
        return ForecastError(
            f"the ledger cannot be reached: {said}\n  where: {address}\n  try: again later; nothing was written"
        )
    return ForecastError(f"the ledger refuses: {said}\n  where: {address}")
