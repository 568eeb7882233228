"""Tables of older versions are brought up to date when a ledger is opened; what is in them stays as it is."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from forecast.errors import InputError
from forecast.ledger import read
from forecast.ledger.address import VARIABLE, ledger_address
from forecast.ledger.ledger import Ledger, _engine, open_ledger
from forecast.ledger.outcomes import settle
from forecast.ledger.schema import HEAD, Base
from forecast.ledger.upgrade import revision_of, upgrade
from forecast.ledger.verify import verify
from forecast.ledger.write import append_issue


@pytest.fixture(params=["sqlite", "postgresql"])
def nowhere(request, tmp_path):
    """The address of a database without any table."""
    url = {} if request.param == "sqlite" else {VARIABLE: request.getfixturevalue("database_url")}
    return ledger_address(None, url, tmp_path)


def test_an_older_ledger_keeps_what_is_in_it(nowhere, make_issue, make_panels, moment):
    old = Ledger(nowhere, _engine(nowhere))
    old.append(lambda connection: upgrade(connection, "0001"))
    with old.reading() as connection:
        assert not inspect(connection).has_table("settlement")
    old.append(lambda connection: append_issue(connection, make_issue(), moment(0)))
    old.close()
    now = open_ledger(nowhere)
    found = now.append(lambda connection: settle(connection, "Mali", make_panels(2), "aa" * 32, moment(2)))
    assert found.entry.number == 2
    with now.reading() as connection:
        assert revision_of(connection) == HEAD
        assert read.issue_entry(connection, 1).forecast == make_issue().forecast_hash()
        assert verify(connection).broken == ""
    now.close()


def test_the_tables_are_those_of_the_schema(nowhere):
    opened = open_ledger(nowhere)
    with opened.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    opened.close()


def test_a_ledger_of_a_newer_version_is_left_alone(nowhere):
    opened = open_ledger(nowhere)
    opened.append(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0999'")))
    opened.close()
    with pytest.raises(InputError, match=r"tables of revision '0999'[\s\S]*newer version"):
        open_ledger(nowhere)


def test_many_may_open_a_new_ledger_at_once(nowhere):
    wrong = []

    def work():
        try:
            open_ledger(nowhere).close()
        except BaseException as error:  # told below
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    opened = open_ledger(nowhere, create=False)
    with opened.reading() as connection:
        assert revision_of(connection) == HEAD
    opened.close()
