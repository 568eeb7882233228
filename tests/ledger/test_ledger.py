"""The ledger in SQLite and PostgreSQL: what is put in comes out, nothing can be changed, and what was is found."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import shutil
import threading
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from forecast.errors import InputError
from forecast.ledger import read
from forecast.ledger.address import VARIABLE, ledger_address
from forecast.ledger.chain import GENESIS
from forecast.ledger.ledger import open_ledger
from forecast.ledger.outcomes import settle
from forecast.ledger.schema import Base
from forecast.ledger.verify import checked_link, verify
from forecast.ledger.write import AlreadyIssuedError, append_issue

TABLES = sorted(Base.metadata.tables)


def issue(ledger, made, moment):
    return ledger.append(lambda connection: append_issue(connection, made, moment))


def known_in(ledger, panels, moment):
    return ledger.append(lambda connection: settle(connection, "Mali", panels, "aa" * 32, moment))


def head_of(ledger):
    with ledger.reading() as connection:
        verdict = verify(connection)
    assert verdict.broken == ""
    return verdict


def test_what_is_issued_is_read_as_it_was(ledger, make_issue, moment):
    made = make_issue()
    entry = issue(ledger, made, moment(0))
    assert (entry.number, entry.new, entry.recorded_at) == (1, True, moment(0))
    with ledger.reading() as connection:
        (found,) = read.issues(connection, "Mali", "weekly", made.head.origin)
        again = read.load_issue(connection, found)
    assert found.head == made.head
    assert again.forecast_hash() == made.forecast_hash() == found.forecast
    assert again.content_hash() == made.content_hash()
    for key, marginals in made.marginals.items():
        for name in ("pmf", "mean", "quantiles", "far", "sample"):
            np.testing.assert_array_equal(getattr(again.marginals[key], name), getattr(marginals, name))
    order = ["unit_kind", "unit", "escalation"]
    pd.testing.assert_frame_equal(
        again.questions.sort_values(order, ignore_index=True),
        made.questions.sort_values(order, ignore_index=True),
        check_dtype=False,
    )


def test_both_databases_hold_the_same_chain(tmp_path, database_url, make_issue, make_panels, moment):
    def chain_in(environment):
        opened = open_ledger(ledger_address(None, environment, tmp_path))
        for week in range(3):
            issue(opened, make_issue(week), moment(week))
            for changes in ((), [(0, "Mali/Gao", 90 + week)]):
                known_in(opened, make_panels(week + 1, changes), moment(week, 1))
        with opened.reading() as connection:
            scores = read.scores(connection).sort_values(["issue", "model", "unit", "horizon"]).to_csv(index=False)
        head = head_of(opened)
        opened.close()
        return head, scores

    heads = [chain_in({}), chain_in({VARIABLE: database_url})]
    assert heads[0] == heads[1]
    assert heads[0][0].entries == 9


def test_the_same_issue_twice_is_one(ledger, make_issue, moment):
    first = issue(ledger, make_issue(), moment(0))
    again = issue(ledger, make_issue(), moment(5))
    assert (again.number, again.link, again.recorded_at) == (first.number, first.link, first.recorded_at)
    assert not again.new
    assert head_of(ledger).entries == 1


def test_another_forecast_cannot_take_its_place(ledger, make_issue, moment):
    issue(ledger, make_issue(), moment(0))
    with pytest.raises(AlreadyIssuedError, match=r"2026-01-03 was issued by another run in the meantime \(entry 1\)"):
        issue(ledger, make_issue(seed=1), moment(0))
    assert issue(ledger, make_issue(seed=1, revision=2), moment(0)).number == 2


def test_a_clock_that_was_set_back_is_recorded_as_it_stands(ledger, make_issue, moment):
    issue(ledger, make_issue(0), moment(9))
    entry = issue(ledger, make_issue(1), moment(1))
    assert entry.behind == dt.timedelta(days=56)
    assert entry.recorded_at == moment(1)
    assert head_of(ledger).entries == 2


def test_a_moment_without_a_time_zone_is_refused(ledger, make_issue):
    with pytest.raises(ValueError, match="time zone"):
        issue(ledger, make_issue(), dt.datetime(2026, 1, 5))  # noqa: DTZ001
    assert head_of(ledger).entries == 0


def test_the_database_refuses_to_change_or_remove_rows(filled):
    for table in TABLES:
        column = next(iter(Base.metadata.tables[table].columns)).name
        statements = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
        if filled.engine.dialect.name == "postgresql":
            statements.append(f"TRUNCATE {table} CASCADE")
        for statement in statements:
            with pytest.raises(DBAPIError, match="append-only"), filled.engine.begin() as connection:
                connection.execute(text(statement))
    head_of(filled)


CHANGES = {
    "entry": ("UPDATE entry SET recorded_at = '2027-01-01 00:00:00+00' WHERE id = 3", r"entry 3 \(issue.*was changed"),
    "issue": ("UPDATE issue SET draws = draws + 1 WHERE id = 3", r"entry 3 .*2026-01-10\) was changed: .*its row"),
    "model": ("UPDATE model SET spec = 'x' WHERE name = 'beta'", r"entry 1 .*its numbers are not"),
    "unit": ("UPDATE unit SET name = 'Mali/Kidal' WHERE name = 'Mali/Gao'", r"entry 1 .*numbers"),
    "rule": ("UPDATE rule SET weeks = 3 WHERE weeks = 4", r"entry 1 .*numbers"),
    "distribution": ("DELETE FROM distribution WHERE issue_id = 5 AND kind = 'place'", r"entry 5 .*numbers"),
    "question": ("UPDATE question SET level = 2 WHERE issue_id = 3 AND level = 1", r"entry 3 .*numbers"),
    "chance": ("UPDATE chance SET probability = probability / 2 WHERE issue_id = 7", r"entry 7 .*numbers"),
    "settlement": ("UPDATE settlement SET vintage = 'x' WHERE id = 4", r"entry 4 \(settlement.*was changed"),
    "outcome": ("UPDATE outcome SET count = count + 1 WHERE settlement_id = 2", r"entry 2 .*counts, answers or scores"),
    "answer": ("DELETE FROM answer WHERE settlement_id = 6", r"entry 6 .*counts, answers or scores"),
    "score": (
        "UPDATE score SET crps = 0 WHERE settlement_id = 8 AND horizon = 1",
        r"entry 8 .*counts, answers or scores",
    ),
}


def test_there_is_a_change_for_each_table():
    assert sorted(CHANGES) == TABLES


@contextmanager
def tampered(ledger, *statements):
    """Give a connection that sees what somebody with all rights has done; it is undone afterwards."""
    postgres = ledger.engine.dialect.name == "postgresql"
    with ledger.engine.connect() as connection, connection.begin() as transaction:
        if postgres:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers, no foreign keys
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            for table, event in itertools.product(TABLES, ("update", "delete")):
                connection.execute(text(f"DROP TRIGGER {table}_keeps_{event}"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount != 0, statement
        yield connection
        transaction.rollback()


def test_whatever_is_changed_past_the_triggers_is_found(filled):
    for statement, found in CHANGES.values():
        with tampered(filled, statement) as connection:
            broken = verify(connection).broken
        assert re.search(found, broken), (statement, broken)


def test_an_entry_that_is_taken_out_is_missed(filled):
    with tampered(filled, "DELETE FROM entry WHERE id = 4") as connection:
        assert "entry 4 is missing" in verify(connection).broken


def test_an_end_that_is_cut_off_is_found_by_a_link_that_was_noted(filled):
    noted = head_of(filled).head
    with filled.reading() as connection:
        assert verify(connection, expect=noted[:12]).broken == ""
    rows = [f"DELETE FROM {table} WHERE settlement_id = 8" for table in ("score", "answer", "outcome")]
    cut = (*rows, "DELETE FROM settlement WHERE id = 8", "DELETE FROM entry WHERE id = 8")
    with tampered(filled, *cut) as connection:
        assert verify(connection).broken == ""  # the chain by itself cannot know
        assert f"no entry has the link {noted[:12]}" in verify(connection, expect=noted[:12]).broken


def test_rows_put_in_past_the_chain_are_found(filled):
    with tampered(filled, "INSERT INTO settlement VALUES (7, 'Mali', '2026-01-01', 'x')") as connection:
        assert verify(connection).broken == "settlement 7 hangs on no entry of the chain"


def test_verify_tells_how_far_it_is(filled):
    seen = []
    with filled.reading() as connection:
        verdict = verify(connection, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 8)
    assert seen[-1] == (8, 8)
    assert verdict.entries == 8


def test_an_empty_ledger_is_whole(ledger):
    verdict = head_of(ledger)
    assert (verdict.entries, verdict.head) == (0, GENESIS)


def test_what_is_no_link_is_refused():
    with pytest.raises(InputError, match="12 to 64 digits"):
        checked_link("abc")


def test_writers_at_the_same_time_make_one_chain(ledger, make_issue, moment):
    """Eight threads, each with connections of its own, issue the same four origins."""
    made = [make_issue(week) for week in range(4)]
    won, wrong = [], []

    def work():
        own = open_ledger(ledger.address, patience=60)
        try:
            won.extend(entry.number for week in range(4) if (entry := issue(own, made[week], moment(week))).new)
        except BaseException as error:  # told below
            wrong.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(won) == [1, 2, 3, 4]
    assert head_of(ledger).entries == 4


def test_a_failure_in_the_middle_leaves_nothing(ledger, make_issue, moment):
    def half(connection):
        append_issue(connection, make_issue(), moment(0))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.append(half)
    assert head_of(ledger).entries == 0
    assert issue(ledger, make_issue(), moment(0)).number == 1


def test_a_full_disk_leaves_nothing_and_says_so(empty_file, tmp_path, make_issue, moment):
    shutil.copy(empty_file, tmp_path / "ledger.sqlite")
    with open_ledger(ledger_address(None, {}, tmp_path)) as ledger:
        limit = {"pages": 70}
        event.listen(ledger.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {limit['pages']}"))
        with pytest.raises(InputError, match="no space left for the ledger"):
            all(issue(ledger, make_issue(week), moment(week)).new for week in range(100))
        whole = head_of(ledger).entries
        limit["pages"] = 1000
        assert issue(ledger, make_issue(whole), moment(whole)).number == whole + 1
        assert head_of(ledger).entries == whole + 1
