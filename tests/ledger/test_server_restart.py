"""A PostgreSQL server that is killed and comes back while the ledger is written."""

from __future__ import annotations

import signal
import threading
import time

import pytest
from sqlalchemy import text

from forecast.errors import ForecastError, InputError
from forecast.ledger import read
from forecast.ledger.address import VARIABLE, ledger_address
from forecast.ledger.ledger import open_ledger
from forecast.ledger.verify import verify
from forecast.ledger.write import append_issue


@pytest.fixture
def address(new_database, empty_database, tmp_path):
    return ledger_address(None, {VARIABLE: new_database(empty_database)}, tmp_path)


def numbers(ledger):
    with ledger.reading() as connection:
        assert verify(connection).broken == ""
        return [entry.number for entry in read.issues(connection)]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
def test_a_server_that_is_killed_in_the_middle_is_waited_for(running_server, address, make_issue, moment, number):
    with open_ledger(address, patience=60) as ledger:
        ledger.append(lambda connection: append_issue(connection, make_issue(0), moment(0)))
        attempts = []

        def work(connection):
            entry = append_issue(connection, make_issue(1), moment(1))
            attempts.append(entry.number)
            if len(attempts) == 1:
                running_server.stop(number)
                threading.Timer(0.5, running_server.start).start()
            return entry

        entry = ledger.append(work)
        assert attempts == [2, 2]
        assert entry.new
        assert numbers(ledger) == [1, 2]


def test_a_connection_that_is_lost_after_the_commit_doubles_nothing(address, make_issue, moment, monkeypatch):
    with open_ledger(address, patience=60) as ledger:
        found, once = [], ledger._once

        def loses(work):
            result = once(work)
            if not found:
                found.append(result)
                with ledger.engine.connect() as connection:  # as the driver says it when the server goes away
                    connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            return result

        monkeypatch.setattr(type(ledger), "_once", lambda _, work: loses(work))
        entry = ledger.append(lambda connection: append_issue(connection, make_issue(0), moment(0)))
        assert not entry.new
        assert entry.link == found[0].link
        assert numbers(ledger) == [1]


@pytest.mark.slow
def test_a_server_that_stays_away_is_not_waited_for_for_ever(running_server, address, make_issue, moment):
    with open_ledger(address, patience=1.0) as ledger:
        running_server.stop()
        began = time.monotonic()
        with pytest.raises(ForecastError, match=r"the ledger cannot be reached[\s\S]*nothing was written") as raised:
            ledger.append(lambda connection: append_issue(connection, make_issue(0), moment(0)))
        assert time.monotonic() - began < 20
        assert not isinstance(raised.value, InputError)
        assert raised.value.exit_code == 1
        running_server.start()
        assert numbers(ledger) == []


def test_a_database_that_is_not_there_is_not_waited_for(running_server, tmp_path):
    url = f"postgresql://forecast:hunter2@127.0.0.1:{running_server.port}/nowhere"
    began = time.monotonic()
    with pytest.raises(ForecastError, match=r'database "nowhere" does not exist') as raised:
        open_ledger(ledger_address(None, {VARIABLE: url}, tmp_path))
    assert time.monotonic() - began < 20
    assert "hunter2" not in str(raised.value)
