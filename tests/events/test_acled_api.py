"""ACLED's API against a faulty local server; every record, account and token is simulated."""

from __future__ import annotations

import datetime as dt
import gzip
import importlib.util
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from forecast.errors import ForecastError, InputError
from forecast.events.acled_api import fetch_acled, fetch_acled_deletions
from forecast.events.acled_login import Credentials, find_credentials
from forecast.events.acled_record import timestamp_rank
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.store import EventStore

_SPEC = importlib.util.spec_from_file_location("acled_server", Path(__file__).with_name("acled_server.py"))
acled_server = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(acled_server)
AcledServer, simulated_event = acled_server.AcledServer, acled_server.simulated_event

ACCOUNT = Credentials(acled_server.USERNAME, acled_server.PASSWORD)
EVERYTHING = ImprecisePolicy(region="keep", month="keep")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def events(count):
    return [simulated_event(number) for number in range(count)]


def fetch(server, spool, **changed):
    query = {
        "countries": ["Mali"],
        "first": dt.date(2023, 1, 1),
        "last": dt.date(2023, 12, 31),
        "policy": EVERYTHING,
        "spool": spool,
        "base_url": server.url,
        "credentials": ACCOUNT,
        "sleep": lambda seconds: None,
        "rows_a_page": 10,
    }
    return list(fetch_acled(**query | changed))


def ids_of(batches):
    return [name for batch in batches for name in batch.events["event_id"]]


def expected_ids(count):
    return sorted(f"SIM{number}" for number in range(count))


def test_all_events_come_once(tmp_path):
    with AcledServer(events(57)) as server:
        batches = fetch(server, tmp_path)
    assert sorted(ids_of(batches)) == expected_ids(57)
    assert sum(batch.rows for batch in batches) == 57
    assert list(tmp_path.iterdir()) == []  # the pages are gone once all has been taken


def test_the_query_is_the_documented_one(tmp_path):
    with AcledServer(events(5)) as server:
        fetch(server, tmp_path, countries=["Niger", "Mali"], since=1_690_000_002)
    query = server.queries[0]
    fields = query.pop("fields").split("|")
    assert "notes" not in fields
    assert not any("actor" in field for field in fields)
    assert query == {
        "_format": "json",
        "country": "Mali|Niger",
        "event_date": "2023-01-01|2023-12-31",
        "event_date_where": "BETWEEN",
        "timestamp": "1690000002",
        "timestamp_where": ">=",
        "limit": "10",
        "cursor": "0",
        "with_total": "true",
    }


def test_only_what_changed_since_comes_with_since(tmp_path):
    with AcledServer(events(30)) as server:
        batches = fetch(server, tmp_path, since=1_690_000_020)
    assert sorted(ids_of(batches)) == sorted(f"SIM{number}" for number in range(20, 30))


def test_pages_are_walked_by_cursor_and_counted_once(tmp_path):
    with AcledServer(events(25)) as server:
        fetch(server, tmp_path)
    assert [query["cursor"] for query in server.queries] == ["0", "10", "20"]
    assert ["with_total" in query for query in server.queries] == [True, False, False]
    assert not any("page" in query for query in server.queries)


@pytest.mark.parametrize("totals", [True, False])
def test_a_server_without_cursors_is_asked_by_number(tmp_path, totals):
    with AcledServer(events(25), cursors=False, totals=totals) as server:
        assert sorted(ids_of(fetch(server, tmp_path))) == expected_ids(25)
    assert [query.get("page") for query in server.queries][:4] == [None, "2", "3", "4"]


def test_a_server_may_give_less_than_asked_for(tmp_path):
    for cursors in (True, False):
        with AcledServer(events(25), most=7, cursors=cursors) as server:
            assert sorted(ids_of(fetch(server, tmp_path))) == expected_ids(25)


def test_no_events_are_no_batches(tmp_path):
    for totals in (True, False):
        with AcledServer([], totals=totals) as server:
            assert fetch(server, tmp_path) == []


@pytest.mark.parametrize(("totals", "cursors"), [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize("fault", acled_server.FAULTS)
def test_every_fault_is_survived(tmp_path, fault, totals, cursors):
    plan = {1: [fault], 3: [fault, fault], 5: [fault]}
    with AcledServer(events(45), totals=totals, cursors=cursors, faults=plan) as server:
        batches = fetch(server, tmp_path)
    assert sorted(ids_of(batches)) == expected_ids(45)


@pytest.mark.parametrize("cursors", [True, False])
@pytest.mark.parametrize("fault", acled_server.COUNTED)
def test_missing_rows_are_noticed_by_their_number(tmp_path, fault, cursors):
    with AcledServer(events(45), cursors=cursors, faults={1: [fault], 3: [fault], 5: [fault]}) as server:
        batches = fetch(server, tmp_path)
    assert sorted(ids_of(batches)) == expected_ids(45)


def test_cursors_that_are_forgotten_make_it_begin_anew(tmp_path):
    with AcledServer(events(45), faults={4: ["500"] * 8}) as server:
        with pytest.raises(ForecastError, match="status 500"):
            fetch(server, tmp_path)
        server.forgotten = {20}
        server.before_page = lambda page: server.forgotten.clear() if page == 1 else None
        assert sorted(ids_of(fetch(server, tmp_path))) == expected_ids(45)
        assert server.asked[1] == 2


def test_a_query_that_is_refused_is_an_error(tmp_path):
    with (
        AcledServer(events(5), faults={1: ["400"]}) as server,
        pytest.raises(ForecastError, match="refuses the query"),
    ):
        fetch(server, tmp_path)


def test_days_that_the_tier_does_not_include_are_refused(tmp_path):
    """They would look as if nothing had happened on them."""
    with AcledServer(events(25)) as server:
        server.most_recent = "2023-06-30"
        with pytest.raises(InputError, match="up to 2023-06-30 only, not up to 2023-12-31"):
            fetch(server, tmp_path)
        assert ids_of(fetch(server, tmp_path, last=dt.date(2023, 6, 30)))
        server.most_recent = "unlimited"
        assert sorted(ids_of(fetch(server, tmp_path))) == expected_ids(25)


def test_the_time_that_the_server_asks_for_is_waited(tmp_path):
    waits = []
    with AcledServer(events(15), faults={2: ["429", "500", "500"]}) as server:
        fetch(server, tmp_path, sleep=waits.append)
    assert waits == [7.0, 2.0, 4.0]


def test_a_token_that_expires_between_pages_is_refreshed(tmp_path):
    with AcledServer(events(45), faults={2: ["expired"], 4: ["expired"]}) as server:
        batches = fetch(server, tmp_path)
    assert sorted(ids_of(batches)) == expected_ids(45)
    assert server.logins == {"password": 1, "refresh_token": 2}


def test_the_password_is_used_when_the_refresh_token_is_over(tmp_path):
    with AcledServer(events(45), faults={2: ["expired"]}) as server:
        server.refresh_works = False
        fetch(server, tmp_path)
    assert server.logins == {"password": 2}


def test_rows_that_move_between_pages_are_not_lost(tmp_path):
    """Before page 3 an event of page 1 is deleted: all later ones move up, and one would be missed."""
    with AcledServer(events(45)) as server:
        server.before_page = lambda page: server.events.pop(0) if page == 3 and len(server.events) == 45 else None
        batches = fetch(server, tmp_path)
    assert sorted(ids_of(batches)) == sorted(f"SIM{number}" for number in range(1, 45))


def test_data_that_never_stop_changing_are_an_error(tmp_path):
    with AcledServer(events(200)) as server:
        server.before_page = lambda page: server.events.pop() if page > 1 else None
        with pytest.raises(ForecastError, match="changed"):
            fetch(server, tmp_path)


@pytest.mark.parametrize("page", [1, 3])
def test_pages_that_stay_empty_are_an_error_if_more_was_announced(tmp_path, page):
    with (
        AcledServer(events(45), faults={page: ["empty"] * 50}) as server,
        pytest.raises(ForecastError, match="rows may be missing"),
    ):
        fetch(server, tmp_path)


def test_a_server_that_keeps_failing_is_an_error_and_what_came_is_kept(tmp_path):
    with AcledServer(events(45), faults={4: ["500"] * 8}) as server:
        with pytest.raises(ForecastError, match="status 500, in 8 tries"):
            fetch(server, tmp_path)
        asked = server.asked.copy()
        batches = fetch(server, tmp_path)
        assert server.asked - asked == {3: 1, 4: 1, 5: 1}  # the last stored page is compared, then it goes on
    assert sorted(ids_of(batches)) == expected_ids(45)


def test_stored_pages_of_older_data_are_not_mixed_with_new_ones(tmp_path):
    with AcledServer(events(45), totals=False, faults={4: ["500"] * 8}) as server:
        with pytest.raises(ForecastError):
            fetch(server, tmp_path)
        server.events.insert(0, simulated_event(99))
        batches = fetch(server, tmp_path)
    assert sorted(ids_of(batches)) == sorted([*expected_ids(45), "SIM99"])


def test_a_damaged_page_is_fetched_again(tmp_path):
    with AcledServer(events(45), faults={4: ["500"] * 8}) as server:
        with pytest.raises(ForecastError):
            fetch(server, tmp_path)
        (page,) = tmp_path.glob("*/page-000002.json.gz")
        page.write_bytes(page.read_bytes()[:-9])
        assert sorted(ids_of(fetch(server, tmp_path))) == expected_ids(45)


def test_other_queries_have_other_pages(tmp_path):
    with AcledServer(events(45), faults={4: ["500"] * 16}) as server:
        for last in (dt.date(2023, 12, 31), dt.date(2023, 12, 30)):
            with pytest.raises(ForecastError):
                fetch(server, tmp_path, last=last)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_account_without_event_level_data_is_told_so(tmp_path):
    with AcledServer(events(5), faults={1: ["403"]}) as server, pytest.raises(ForecastError, match="tier") as caught:
        fetch(server, tmp_path)
    assert not isinstance(caught.value, InputError)


def test_a_wrong_password_is_told_so(tmp_path):
    with AcledServer(events(5)) as server, pytest.raises(InputError, match="does not accept the username"):
        fetch(server, tmp_path, credentials=Credentials(acled_server.USERNAME, "wrong"))


def test_a_token_that_is_never_accepted_is_an_error(tmp_path):
    with AcledServer(events(5), faults={1: ["401-always"]}) as server, pytest.raises(ForecastError, match="401"):
        fetch(server, tmp_path)


def test_redirects_are_followed_on_the_same_host_only(tmp_path):
    with AcledServer(events(15), faults={2: ["redirect-here"]}) as server:
        assert len(ids_of(fetch(server, tmp_path))) == 15
    with (
        AcledServer(events(15), faults={2: ["redirect-away-always"]}) as server,
        pytest.raises(ForecastError, match="another host"),
    ):
        fetch(server, tmp_path)


def test_the_password_is_never_sent_in_the_clear(tmp_path):
    with AcledServer([]) as server, pytest.raises(InputError, match="https"):
        fetch(server, tmp_path, base_url="http://acled.example.org")


def test_a_server_that_is_not_there_is_an_error(tmp_path):
    with AcledServer([]) as server:
        pass
    with pytest.raises(ForecastError, match="no connection, in 8 tries"):
        fetch(server, tmp_path)


def test_a_bad_query_is_refused(tmp_path):
    with AcledServer([]) as server:
        with pytest.raises(InputError, match="before"):
            fetch(server, tmp_path, last=dt.date(2022, 1, 1))
        with pytest.raises(InputError, match="country"):
            fetch(server, tmp_path, countries=["Mali|Niger"])


def test_deletions(tmp_path):
    with AcledServer([], faults={2: ["expired", "truncated"]}) as server:
        server.deleted = [{"event_id_cnty": f"SIM{i}", "deleted_timestamp": 1_690_000_000 + i} for i in range(25)]
        server.deleted.append({"event_id_cnty": "", "deleted_timestamp": 1_690_000_900})
        batch = fetch_acled_deletions(
            1_690_000_000,
            spool=tmp_path,
            base_url=server.url,
            credentials=ACCOUNT,
            sleep=lambda seconds: None,
            rows_a_page=10,
        )
    assert sorted(batch.deleted) == expected_ids(25)
    assert len(batch.events) == 0
    assert (batch.rows, batch.dropped) == (1, {"no event id": 1})


def test_the_store_takes_events_changes_and_deletions(tmp_path):
    def add(batches):
        account = store.add(
            batches, source="acled", known_at=dt.date(2024, 1, 1), input_hash="0" * 64, rank=timestamp_rank
        )
        return account.new, account.changed, account.deleted

    store = EventStore(tmp_path / "events")
    with AcledServer(events(30)) as server:
        assert add(fetch(server, tmp_path)) == (30, 0, 0)
        assert add(fetch(server, tmp_path)) == (0, 0, 0)
        server.events[3] |= {"fatalities": 9, "timestamp": 1_700_000_000}
        server.deleted = [{"event_id_cnty": "SIM5", "deleted_timestamp": 1_700_000_001}]
        changes = fetch(server, tmp_path, since=1_699_999_999)
        options = {"base_url": server.url, "credentials": ACCOUNT}
        changes.append(fetch_acled_deletions(1_699_999_999, spool=tmp_path, **options))
    assert add(changes) == (0, 1, 1)
    held = store.as_of(dt.date(2024, 1, 2), ["acled"]).set_index("event_id")
    assert len(held) == 29
    assert held.loc["SIM3", "fatalities"] == 9


def test_credentials_come_from_the_environment_or_the_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(InputError, match="ACLED_PASSWORD"):
        find_credentials({"ACLED_USERNAME": "somebody"})

    class Keyring:
        @staticmethod
        def get_credential(service, username):
            assert service == "acleddata.com"
            return ACCOUNT

    monkeypatch.setitem(sys.modules, "keyring", Keyring)
    assert find_credentials({}) == ACCOUNT
    own = {"ACLED_USERNAME": "somebody", "ACLED_PASSWORD": "simulated"}
    assert find_credentials(own) == Credentials("somebody", "simulated")


@pytest.mark.parametrize("plan", [["403"], ["401-always"], ["500"] * 8, ["cut"] * 8, ["redirect-away-always"], []])
def test_secrets_are_nowhere(tmp_path, caplog, capfd, plan):
    """Not in logs, not in messages and what leads to them, not in the pages on disk."""
    caplog.set_level(logging.DEBUG)
    said = [repr(ACCOUNT)]
    with AcledServer(events(45), faults={3: ["expired", *plan]}) as server:
        for account in (ACCOUNT, Credentials(acled_server.USERNAME, acled_server.PASSWORD[:-1])):
            try:
                iterator = fetch_acled(
                    countries=["Mali"],
                    first=dt.date(2023, 1, 1),
                    last=dt.date(2023, 12, 31),
                    policy=EVERYTHING,
                    spool=tmp_path,
                    base_url=server.url,
                    credentials=account,
                    sleep=lambda seconds: None,
                    rows_a_page=10,
                )
                next(iterator)
            except ForecastError as error:
                said += [str(error), repr(error), *traceback.format_exception(error)]
                while error is not None:
                    said += [str(error), repr(vars(error))]
                    error = error.__context__
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        content = path.read_bytes()
        said.append(path.name + (gzip.decompress(content) if path.suffix == ".gz" else content).decode())
    said += [record.getMessage() + repr(record.args) for record in caplog.records]
    said += list(capfd.readouterr())
    assert len(said) > 10
    for secret in (*acled_server.SECRETS, acled_server.PASSWORD[:-1]):
        assert not any(secret in text for text in said)
    assert not any("Simulated actor" in text or "Simulated note" in text for text in said)


CLIENT = """
import datetime as dt, sys
from pathlib import Path
from forecast.events.acled_api import fetch_acled
from forecast.events.imprecise import ImprecisePolicy
policy = ImprecisePolicy(region="keep", month="keep")
query = dict(countries=["Mali"], first=dt.date(2023, 1, 1), last=dt.date(2023, 12, 31), policy=policy)
for batch in fetch_acled(**query, spool=Path(sys.argv[1]), base_url=sys.argv[2], sleep=lambda s: None, rows_a_page=10):
    print(*batch.events["event_id"], sep="\\n")
"""


def killed_and_resumed(folder, pages, seed):
    """Fetch through a faulty server, with kill -9 of the client at two thirds; return ids and pages asked for."""
    choose = random.Random(seed)
    plan = {page: choose.choices(acled_server.FAULTS, k=choose.choice((0, 0, 1, 2))) for page in range(1, pages + 1)}
    environment = os.environ | {"ACLED_USERNAME": acled_server.USERNAME, "ACLED_PASSWORD": acled_server.PASSWORD}
    command = [sys.executable, "-W", "error", "-c", CLIENT, str(folder)]
    with AcledServer(events(pages * 10 - 3), faults=plan) as server:
        reached, go_on = threading.Event(), threading.Event()

        def hold(page):
            if page == pages * 2 // 3 and not go_on.is_set():
                reached.set()
                go_on.wait(60)

        server.before_page = hold
        client = subprocess.Popen([*command, server.url], env=environment, stdout=subprocess.PIPE)
        assert reached.wait(120)
        client.send_signal(signal.SIGKILL)
        out, _ = client.communicate()
        go_on.set()
        assert (client.returncode, out) == (-signal.SIGKILL, b"")
        before = server.asked.copy()
        done = subprocess.run([*command, server.url], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split(), before, server.asked


def test_a_fetch_that_is_killed_goes_on(tmp_path):
    ids, before, after = killed_and_resumed(tmp_path, 60, seed=1)
    assert sorted(ids) == expected_ids(597)
    assert all(after[page] == before[page] for page in range(1, 39))  # nothing that was there came again


@pytest.mark.slow
def test_a_thousand_pages_with_every_fault_and_a_kill(tmp_path):
    ids, before, after = killed_and_resumed(tmp_path, 1000, seed=2)
    assert len(ids) == 9997
    assert sorted(ids) == expected_ids(9997)
    assert all(after[page] == before[page] for page in range(1, 665))
