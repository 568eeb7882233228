"""``forecast ingest --api``, the whole way: command, faulty local server, store. Records and accounts are simulated."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import pandas as pd
import pytest

import forecast as package
from forecast.events import acled_api, ucdp_api
from forecast.events.record import Batch, event_frame
from forecast.events.store import EventStore


def server_module(name):
    path = Path(__file__).parents[1] / "events" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


acled_server, ucdp_server = server_module("acled_server"), server_module("ucdp_server")

ACLED = ("ingest", "acled", "--api", "--countries", "Mali", "--from", "2023-01-01", "--to", "2023-12-31", "--json")
RULES = ("--imprecise", "month=spread", "--imprecise", "region=flag", "--imprecise", "near=drop")
UCDP = ("ingest", "ucdp", "--api", "--version", "26.0.7", "--json")
TOKEN = ucdp_server.TOKEN
SECRETS = (*acled_server.SECRETS, TOKEN, "not the password")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def waits(monkeypatch):
    """The seconds that the commands would have waited."""
    seconds = []
    for fetch in (acled_api.fetch_acled, acled_api.fetch_acled_deletions, ucdp_api.fetch_ucdp):
        monkeypatch.setitem(fetch.__kwdefaults__, "sleep", seconds.append)
    return seconds


@pytest.fixture
def acled(folder, waits, monkeypatch):
    """A server with 45 events on 5 pages, and the environment of somebody who may read them."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ACLED_USERNAME", acled_server.USERNAME)
    monkeypatch.setenv("ACLED_PASSWORD", acled_server.PASSWORD)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with acled_server.AcledServer([acled_server.simulated_event(n) for n in range(45)], most=10) as server:
        monkeypatch.setenv("ESCALATION_FORECAST_ACLED_URL", server.url)
        yield server


@pytest.fixture
def ucdp(folder, waits, monkeypatch):
    """A server with 95 events on 10 pages, and the environment of somebody who may read them."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("UCDP_ACCESS_TOKEN", TOKEN)
    monkeypatch.setitem(sys.modules, "keyring", None)
    server = ucdp_server.Server()
    server.most = 10
    monkeypatch.setenv("ESCALATION_FORECAST_UCDP_URL", server.url)
    yield server
    server.close()


def content(outcome):
    """Return the object that a command wrote, after checking that its rows add up."""
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["kept"] + found["spread"] + found["flagged"] + found["dropped"] == found["rows"]
    assert sum(found["reasons"].values()) == found["dropped"]
    return found


def stored(folder, source):
    return EventStore(folder / "data" / "events").as_of(None, [source])


def pages_on_disk(folder):
    return list((folder / "out").rglob("page-*"))


def nothing_stored(folder):
    return not (folder / "data").exists()


def start(*arguments):
    root = str(Path(package.__file__).parents[1])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "forecast", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed_at(page, server, *arguments):
    """Start a command and kill it (-9) while it waits for a page."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(number):
        if number == page:
            reached.set()
            go_on.wait(60)

    server.before_page = hold
    process = start(*arguments)
    try:
        assert reached.wait(120), process.communicate()
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate()
        assert (process.returncode, out) == (-signal.SIGKILL, "")
    finally:
        go_on.set()
        server.before_page = lambda number: None


def finished(*arguments):
    process = start(*arguments)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


# ACLED


def test_all_rows_of_acled_are_accounted_for(forecast, acled, folder):
    done = content(forecast(*ACLED, *RULES, "--known-at", "2024-01-05"))
    assert done["rows"] == 45
    assert min(done["kept"], done["spread"], done["flagged"], done["dropped"]) > 0
    assert done["new"] == len(stored(folder, "acled")) == 45 - done["dropped"]
    assert (done["changed"], done["deleted"]) == (0, 0)
    assert done["vintage"].startswith("0001-acled-")
    assert not pages_on_disk(folder)
    assert not [path for path in (folder / "data").rglob(".*") if path.suffix == ".parquet"]


def test_pages_that_come_are_told_to_people_only(forecast, acled, ucdp):
    done = forecast(*ACLED[:-1])
    assert (done.code, done.err.splitlines()[0]) == (0, "page 1: 10 rows of 45")
    assert "page" not in forecast(*ACLED).err
    done = forecast(*UCDP[:-1])
    assert done.err.splitlines()[:2] == ["page 1: 10 rows of 95", "page 10: 95 rows of 95"]
    assert "page" not in forecast(*UCDP).err


@pytest.mark.parametrize("fault", [*acled_server.FAULTS, *acled_server.COUNTED, "redirect-here"])
def test_faults_of_acled_lose_and_double_nothing(forecast, acled, folder, fault):
    acled.faults.update({1: [fault], 3: [fault, fault], 5: [fault]})
    done = content(forecast(*ACLED))
    assert (done["rows"], done["new"] + done["dropped"]) == (45, 45)
    assert stored(folder, "acled")["event_id"].is_unique


def test_the_server_is_given_the_time_that_it_asks_for(forecast, acled, waits):
    acled.faults.update({2: ["429", "500"], 3: ["429"]})
    content(forecast(*ACLED))
    assert waits == [7.0, 2.0, 7.0]


def test_the_token_may_end_between_two_pages(forecast, acled):
    acled.faults.update({2: ["expired"], 4: ["expired"]})
    assert content(forecast(*ACLED))["rows"] == 45
    assert acled.logins == {"password": 1, "refresh_token": 2}


def test_an_increment_begins_where_the_last_one_ended(forecast, acled, folder):
    first = content(forecast(*ACLED, "--known-at", "2024-01-05"))
    assert "timestamp" not in acled.queries[0]
    acled.queries.clear()
    again = content(forecast(*ACLED, "--since", "last", "--known-at", "2024-01-06"))
    assert {query.get("timestamp", query.get("deleted_timestamp")) for query in acled.queries} == {"1690000044"}
    assert acled.deletions_asked
    assert [again[key] for key in ("rows", "new", "changed", "deleted", "vintage")] == [1, 0, 0, 0, ""]

    acled.events[3] |= {"fatalities": 99, "timestamp": 1_700_000_000}
    acled.events.append(acled_server.simulated_event(100) | {"timestamp": 1_700_000_001})
    acled.deleted = [
        {"event_id_cnty": "SIM6", "deleted_timestamp": 1_700_000_002},
        {"event_id_cnty": "SIM9", "deleted_timestamp": 1_600_000_000},  # before what is asked for
        {"event_id_cnty": "SIM9999", "deleted_timestamp": 1_700_000_002},  # never held
    ]
    last = content(forecast(*ACLED, "--since", "last", "--known-at", "2024-01-12"))
    assert [last[key] for key in ("rows", "new", "changed", "deleted")] == [3, 1, 1, 1]
    held = stored(folder, "acled").set_index("event_id")
    assert len(held) == first["new"] + 1 - 1
    assert held.loc["SIM3", "fatalities"] == 99
    assert "SIM6" not in held.index
    known_before = EventStore(folder / "data" / "events").as_of(dt.date(2024, 1, 11)).set_index("event_id")
    assert "SIM6" in known_before.index
    assert known_before.loc["SIM3", "fatalities"] == 3


def test_deletions_come_in_pages_too(forecast, acled, folder):
    content(forecast(*ACLED))
    acled.deleted = [{"event_id_cnty": f"SIM{n}", "deleted_timestamp": 1_700_000_000 + n} for n in range(35)]
    acled.faults.update({2: ["truncated"], 3: ["expired", "empty"]})
    before = len(stored(folder, "acled"))
    done = content(forecast(*ACLED, "--since", "2023-07-22"))
    assert len(stored(folder, "acled")) == before - done["deleted"]
    assert not set(stored(folder, "acled")["event_id"]) & {f"SIM{n}" for n in range(35)}


def test_an_increment_needs_something_to_begin_with(forecast, acled, folder):
    done = forecast(*ACLED, "--since", "last")
    assert done.code == 2
    assert "'acled'" in done.err
    assert nothing_stored(folder)


def test_data_that_keep_changing_are_not_stored(forecast, acled, folder):
    acled.before_page = lambda page: acled.events.pop() if page > 1 else None
    done = forecast(*ACLED)
    assert (done.code, done.out) == (1, "")
    assert "rows may be missing" in done.err
    assert nothing_stored(folder)


def test_a_server_that_stays_down_is_said_and_the_next_run_goes_on(forecast, acled, folder):
    acled.faults[4] = ["500"] * 8
    done = forecast(*ACLED)
    assert (done.code, done.out) == (1, "")
    assert "status 500, in 8 tries" in done.err
    assert nothing_stored(folder)
    assert len(pages_on_disk(folder)) == 3
    asked = acled.asked.copy()
    assert content(forecast(*ACLED))["rows"] == 45
    assert acled.asked - asked == {3: 1, 4: 1, 5: 1}
    assert not pages_on_disk(folder)


def test_an_account_without_event_level_data_is_told_so(forecast, acled, folder):
    acled.faults[1] = ["403"]
    done = forecast(*ACLED)
    assert done.code == 1
    assert "access tier" in done.err
    assert nothing_stored(folder)


def test_days_beyond_the_tier_are_refused(forecast, acled, folder):
    acled.most_recent = "2023-06-30"
    done = forecast(*ACLED, "--complete")
    assert done.code == 2
    assert "a last day of 2023-06-30 or before" in done.err
    assert nothing_stored(folder)


@pytest.mark.parametrize("missing", ["ACLED_USERNAME", "ACLED_PASSWORD"])
def test_missing_credentials_are_named(forecast, acled, folder, monkeypatch, missing):
    monkeypatch.delenv(missing)
    done = forecast(*ACLED)
    assert done.code == 2
    assert f"environment variable {missing}" in done.err
    assert "ACLED_USERNAME and ACLED_PASSWORD" in done.err
    assert nothing_stored(folder)
    assert not acled.queries


def test_an_import_of_acled_that_is_killed_goes_on(acled, folder):
    killed_at(4, acled, *ACLED)
    assert nothing_stored(folder)
    before = acled.asked.copy()
    done = finished(*ACLED)
    assert (done["rows"], done["new"] + done["dropped"]) == (45, 45)
    assert acled.asked[1] == before[1] == 1
    assert acled.asked[2] == before[2] == 1
    assert not pages_on_disk(folder)


def test_a_download_does_not_hold_the_store(forecast, acled, folder):
    """Another import may come while pages do."""
    added = []

    def meanwhile(page):
        if page == 2:
            store = EventStore(folder / "data" / "events", timeout=0.0)
            batch = Batch(event_frame({"event_id": ["1"], "source": ["own"]}), 1)
            added.append(store.add([batch], source="own", known_at=dt.date(2024, 1, 1), input_hash="0" * 64).new)

    acled.before_page = meanwhile
    assert content(forecast(*ACLED))["rows"] == 45
    assert added == [1]


# UCDP


def test_all_rows_of_ucdp_are_accounted_for(forecast, ucdp, folder):
    ucdp.events[0] |= {"date_prec": 5}
    ucdp.events[1] |= {"date_prec": 4}
    ucdp.events[2] |= {"where_prec": 5}
    first = content(forecast(*UCDP, "--countries", "Mali,burkina faso,436", "--known-at", "2026-08-20"))
    assert [first[key] for key in ("rows", "kept", "spread", "flagged", "dropped", "new")] == [95, 92, 1, 1, 1, 94]
    assert {asked["Country"] for asked in ucdp.asked} == {"432,436,439"}
    assert len(stored(folder, "ucdp")) == 94
    assert not pages_on_disk(folder)
    again = content(forecast(*UCDP, "--countries", "432,436,439", "--known-at", "2026-08-21"))
    assert [again[key] for key in ("rows", "new", "changed", "deleted", "vintage")] == [95, 0, 0, 0, ""]


UCDP_FAULTS = {
    "429": ucdp_server.status(429, Retry_After="17"),
    "500": ucdp_server.status(500),
    "400": ucdp_server.status(400),
    "cut": ucdp_server.cut,
    "hung up": ucdp_server.hung_up,
    "truncated": ucdp_server.truncated,
    "empty": ucdp_server.empty,
    "repeated": ucdp_server.repeated,
    "grown": ucdp_server.grown,
}


@pytest.mark.parametrize("fault", UCDP_FAULTS)
def test_faults_of_ucdp_lose_and_double_nothing(forecast, ucdp, folder, waits, fault):
    ucdp.faults = {2: [UCDP_FAULTS[fault]], 9: [UCDP_FAULTS[fault]] * (fault != "grown")}
    done = content(forecast(*UCDP))
    assert done["rows"] == done["new"] == len(ucdp.events)
    assert stored(folder, "ucdp")["event_id"].is_unique
    assert {"429": [17.0, 17.0], "400": [60.0, 60.0]}.get(fault, waits) == waits


def test_ucdp_that_keeps_failing_is_said_and_the_next_run_goes_on(forecast, ucdp, folder):
    ucdp.faults[6] = [ucdp_server.status(500)] * 8
    done = forecast(*UCDP)
    assert (done.code, done.out) == (1, "")
    assert "status 500, in 8 tries" in done.err
    assert nothing_stored(folder)
    ucdp.asked.clear()
    assert content(forecast(*UCDP))["new"] == 95
    assert [int(asked["page"]) for asked in ucdp.asked] == [0, 6, 7, 8, 9]


def test_an_import_of_ucdp_that_is_killed_goes_on(ucdp, folder):
    ucdp.faults[6] = [lambda server, request, page: server.before_page(6)]
    killed_at(6, ucdp, *UCDP)
    assert nothing_stored(folder)
    ucdp.asked.clear()
    assert finished(*UCDP)["new"] == 95
    assert [int(asked["page"]) for asked in ucdp.asked] == [0, 6, 7, 8, 9]
    assert not pages_on_disk(folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--countries", "Malli"), "'Mali'"),
        (("--countries", "Mali,999"), "no country has the number 999"),
        (("--version", "26.0.8"), "has nothing at /api/gedevents/26.0.8"),
        (("--complete", "--countries", "Mali"), "a part of a release is not complete"),
    ],
)
def test_what_ucdp_does_not_have_is_said(forecast, ucdp, folder, arguments, said):
    done = forecast(*UCDP, *arguments)
    assert done.code == 2
    assert said in done.err
    assert nothing_stored(folder)


def test_a_missing_token_is_named(forecast, ucdp, folder, monkeypatch):
    monkeypatch.delenv("UCDP_ACCESS_TOKEN")
    done = forecast(*UCDP)
    assert done.code == 2
    assert "UCDP_ACCESS_TOKEN" in done.err
    assert nothing_stored(folder)


# Addresses and secrets


@pytest.mark.parametrize("command", [ACLED, UCDP], ids=["acled", "ucdp"])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://mirror.example.org", "not https"),
        ("https://me:not the password@mirror.example.org", "more than a host and a port"),
        ("https://mirror.example.org/acled", "more than a host and a port"),
        ("mirror.example.org", "is not one"),
        ("https://[", "is not one"),
    ],
)
def test_passwords_go_to_no_unsafe_address(forecast, acled, ucdp, folder, monkeypatch, command, address, said):
    variable = f"ESCALATION_FORECAST_{command[1].upper()}_URL"
    monkeypatch.setenv(variable, address)
    done = forecast(*command)
    assert done.code == 2
    assert said in done.err
    assert variable in done.err
    assert "not the password" not in done.err
    assert nothing_stored(folder)


def forms_of(secret):
    """The ways in which a secret may be written."""
    yield from {secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]}
    yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]


def everything_in(folder):
    """Give name and content of every file, unpacked."""
    for path in folder.rglob("*"):
        yield str(path)
        if path.is_file():
            raw = path.read_bytes()
            yield raw.decode("utf-8", "replace")
            if path.suffix == ".gz":
                yield gzip.decompress(raw).decode()
            if path.suffix == ".parquet":
                yield pd.read_parquet(path).to_csv()


def assert_no_secret(said):
    said = list(said)
    found = {form for secret in SECRETS for form in forms_of(secret) if any(form in text for text in said)}
    assert not found
    assert not any("Simulated actor" in text or "Simulated note" in text for text in said)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(None, 0), ("500", 1), ("cut", 1), ("403", 1), ("400", 1), ("401-always", 1), ("redirect-away-always", 1)],
)
def test_no_secret_of_acled_is_ever_written(forecast, acled, folder, caplog, fault, code):
    caplog.set_level(logging.DEBUG)
    acled.faults[3] = ["expired", *[fault] * 40] if fault else ["expired"]
    done = [forecast(*ACLED), forecast(*ACLED, "--since", "2023-07-22")]
    assert done[0].code == code
    assert caplog.records
    logged = [record.getMessage() + repr(record.args) for record in caplog.records]
    assert_no_secret([*everything_in(folder), *logged, *(text for one in done for text in (one.out, one.err))])


@pytest.mark.parametrize(
    ("fault", "code"), [(None, 0), (ucdp_server.status(500), 1), (ucdp_server.elsewhere, 1), (ucdp_server.cut, 1)]
)
def test_no_secret_of_ucdp_is_ever_written(forecast, ucdp, folder, caplog, fault, code):
    caplog.set_level(logging.DEBUG)
    ucdp.faults[3] = [fault] * 40 if fault else []
    done = forecast(*UCDP)
    assert done.code == code
    assert caplog.records
    logged = [record.getMessage() + repr(record.args) for record in caplog.records]
    assert_no_secret([*everything_in(folder), *logged, done.out, done.err])


def test_no_wrong_secret_is_ever_written(forecast, acled, ucdp, folder, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ACLED_PASSWORD", "not the password")
    monkeypatch.setenv("UCDP_ACCESS_TOKEN", "not the password")
    done = [forecast(*ACLED), forecast(*UCDP)]
    assert [one.code for one in done] == [2, 2]
    assert "ACLED does not accept the username and password" in done[0].err
    assert "UCDP's API refuses the access token" in done[1].err
    acled.refusal = 404  # its body repeats the form
    done.append(forecast(*ACLED))
    assert "status 404" in done[2].err
    assert nothing_stored(folder)
    logged = [record.getMessage() + repr(record.args) for record in caplog.records]
    assert_no_secret([*everything_in(folder), *logged, *(text for one in done for text in (one.out, one.err))])


def test_not_even_a_traceback_shows_a_secret(acled, ucdp, folder, monkeypatch):
    monkeypatch.setenv("FORECAST_DEBUG", "1")
    acled.faults[3] = ["403"]
    ucdp.faults[0] = [ucdp_server.status(403)]
    said = []
    for command in (ACLED, UCDP):
        process = start(*command)
        said += process.communicate()
        assert process.returncode == 1
    monkeypatch.setenv("ACLED_PASSWORD", "not the password")
    process = start(*ACLED)
    said += process.communicate()
    assert sum("Traceback" in text for text in said) == 3
    assert_no_secret([*said, *everything_in(folder)])
