"""UCDP's API against a faulty local server; every event and token is simulated."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, InputError
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.record import Batch, tally
from forecast.events.ucdp_api import BASE_URL, TOKEN_VARIABLE, access_token, fetch_ucdp

_SPEC = importlib.util.spec_from_file_location("ucdp_server", Path(__file__).with_name("ucdp_server.py"))
ucdp_server = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(ucdp_server)
TOKEN, Server, event = ucdp_server.TOKEN, ucdp_server.Server, ucdp_server.event
cut, empty, grown, hung_up, repeated, status, truncated = (
    getattr(ucdp_server, name) for name in ("cut", "empty", "grown", "hung_up", "repeated", "status", "truncated")
)
elsewhere, forgetful, in_a_circle = ucdp_server.elsewhere, ucdp_server.forgetful, ucdp_server.in_a_circle
TODAY = dt.date(2026, 8, 1)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.close()


def fetch(server: Server, spool: Path, **options: Any) -> list[Batch]:
    options = {"sleep": lambda _: None, "page_size": 10, "today": lambda: TODAY, **options}
    return list(fetch_ucdp("26.0.7", policy=ImprecisePolicy(), spool=spool, base_url=server.url, **options))


def ids(batches: list[Batch]) -> list[int]:
    return sorted(int(name) for batch in batches for name in batch.events["event_id"])


def test_all_pages_once(server: Server, tmp_path: Path) -> None:
    batches = fetch(server, tmp_path)
    assert ids(batches) == list(range(95))
    assert tally(batches) == (95, Counter(kept=95), Counter())
    assert len(server.asked) == 10
    first = batches[0].events.iloc[0]
    assert (first["release"], first["country"], first["fatalities"]) == ("26.0.7", "Mali", 2)
    assert str(first["reported"].date()) == "2026-07-03"
    assert [path.name for path in tmp_path.iterdir()] == ["requests.json"]  # the pages are gone


def test_filters_are_sent_with_every_page_even_if_the_link_forgets_them(server: Server, tmp_path: Path) -> None:
    server.faults[0] = [forgetful]
    days = {"first": dt.date(2026, 7, 1), "last": dt.date(2026, 7, 31)}
    assert len(ids(fetch(server, tmp_path, countries=[439, 432], **days))) == 95
    filters = {"Country": "432,439", "StartDate": "2026-07-01", "EndDate": "2026-07-31", "pagesize": "10"}
    assert all(filters.items() <= asked.items() for asked in server.asked)


@pytest.mark.parametrize("page", [0, 9])
@pytest.mark.parametrize(
    "fault",
    [status(500), status(502), status(503), status(504), status(429), cut, hung_up, truncated, empty, repeated, grown],
    ids=["500", "502", "503", "504", "429", "cut", "hung up", "truncated", "empty", "repeated", "grown"],
)
def test_passing_faults(server: Server, tmp_path: Path, fault: Any, page: int) -> None:
    server.faults[page] = [fault]
    expected = list(range(95)) + ([1000] if fault is grown else [])
    assert ids(fetch(server, tmp_path)) == expected


def test_countries_have_names(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, countries=["Burkina Faso", "mali", 436])
    assert {asked["Country"] for asked in server.asked} == {"432,436,439"}


def test_a_mirror_may_give_the_links_of_the_original(server: Server, tmp_path: Path) -> None:
    server.links = BASE_URL
    assert ids(fetch(server, tmp_path)) == list(range(95))


def test_a_page_refused_after_others_came_is_waited_for(server: Server, tmp_path: Path) -> None:
    """As the API does after many requests, without saying so."""
    waits: list[float] = []
    server.faults[4] = [status(400), status(400)]
    assert ids(fetch(server, tmp_path, sleep=waits.append)) == list(range(95))
    assert waits == [60.0, 120.0]
    server.faults[4] = [status(400)] * 9
    with pytest.raises(ForecastError, match="refuses further pages") as refused:
        fetch(server, tmp_path)
    assert not isinstance(refused.value, InputError)
    server.faults.clear()
    server.asked.clear()
    assert ids(fetch(server, tmp_path)) == list(range(95))
    assert len(server.asked) == 7  # what had come was kept


def test_every_fault_in_turn(server: Server, tmp_path: Path) -> None:
    faults = [status(500), status(429, Retry_After="3"), cut, hung_up, truncated, empty]
    server.faults = {page: [faults[page % 6], faults[(page + 1) % 6]] for page in range(10)}
    assert ids(fetch(server, tmp_path)) == list(range(95))


def test_retry_after_is_honoured_and_capped(server: Server, tmp_path: Path) -> None:
    waits: list[float] = []
    server.faults[3] = [status(429, Retry_After="17")]
    assert len(ids(fetch(server, tmp_path, sleep=waits.append))) == 95
    assert waits == [17.0]
    server.faults[3] = [status(429, Retry_After="86400")]
    with pytest.raises(ForecastError, match="1440 minutes"):
        fetch(server, tmp_path, sleep=waits.append)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(500), "status 500"),
        (truncated, "no JSON"),
        (cut, "cut"),
        (empty, "85 different events came of 95"),
        (repeated, "85 different events came of 95"),
        (in_a_circle, "circle"),
        (elsewhere, "another host"),
    ],
    ids=["500", "truncated", "cut", "empty", "repeated", "circle", "elsewhere"],
)
def test_lasting_faults_end_with_a_clear_error(server: Server, tmp_path: Path, fault: Any, said: str) -> None:
    server.faults[4] = [fault] * 100
    with pytest.raises(ForecastError, match=said):
        fetch(server, tmp_path)


def test_total_that_keeps_changing(server: Server, tmp_path: Path) -> None:
    server.faults[2] = [grown] * 100
    with pytest.raises(ForecastError, match="total changed from 97 to 98 events; begun 3 times"):
        fetch(server, tmp_path)


def test_killed_fetch_goes_on(server: Server, tmp_path: Path) -> None:
    server.faults[6] = [status(500)] * 3
    with pytest.raises(ForecastError):
        fetch(server, tmp_path, tries=3)
    server.asked.clear()
    assert ids(fetch(server, tmp_path)) == list(range(95))
    assert [int(asked["page"]) for asked in server.asked] == [0, 6, 7, 8, 9]


def test_killed_while_batches_are_taken(server: Server, tmp_path: Path) -> None:
    options = {"page_size": 10, "today": lambda: TODAY}
    batches = fetch_ucdp("26.0.7", policy=ImprecisePolicy(), spool=tmp_path, base_url=server.url, **options)
    next(batches)
    batches.close()
    server.asked.clear()
    assert ids(fetch(server, tmp_path)) == list(range(95))
    assert len(server.asked) == 1


def test_kept_pages_of_older_data_are_not_used(server: Server, tmp_path: Path) -> None:
    server.faults[6] = [status(500)]
    with pytest.raises(ForecastError):
        fetch(server, tmp_path, tries=1)
    server.events[3]["best"] = 3
    assert sum(batch.events["fatalities"].sum() for batch in fetch(server, tmp_path)) == 95 * 2 + 1


def test_damaged_page_on_the_disk_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.faults[6] = [status(500)]
    with pytest.raises(ForecastError):
        fetch(server, tmp_path, tries=1)
    (damaged,) = tmp_path.glob("*/page-000002*")
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert ids(fetch(server, tmp_path)) == list(range(95))


def test_requests_of_a_day_are_counted(server: Server, tmp_path: Path) -> None:
    server.faults[2] = [status(500)]
    with pytest.raises(ForecastError, match="today's 6 requests"):
        fetch(server, tmp_path, daily_requests=6)
    assert len(server.asked) == 6
    with pytest.raises(ForecastError, match="today's 6 requests"):
        fetch(server, tmp_path, daily_requests=6)
    tomorrow = TODAY + dt.timedelta(days=1)
    assert ids(fetch(server, tmp_path, daily_requests=6, today=lambda: tomorrow)) == list(range(95))


def test_no_events(server: Server, tmp_path: Path) -> None:
    server.events = []
    assert tally(fetch(server, tmp_path)) == (0, Counter(), Counter())


def test_refused_token_and_unknown_version(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"policy": ImprecisePolicy(), "spool": tmp_path, "base_url": server.url}
    with pytest.raises(InputError, match=r"26\.0\.8 \(status 404\)"):
        list(fetch_ucdp("26.0.8", **options))
    with pytest.raises(InputError, match="no UCDP version"):
        list(fetch_ucdp("newest", **options))
    with pytest.raises(InputError, match="unknown country 'Malli'"):
        list(fetch_ucdp("26.0.7", countries=["Malli"], **options))
    with pytest.raises(InputError, match="not https"):
        list(fetch_ucdp("26.0.7", **{**options, "base_url": "http://example.org"}))
    monkeypatch.setenv(TOKEN_VARIABLE, "wrong-token-42")
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError, match="refuses the access token") as refused:
        list(fetch_ucdp("26.0.7", **options))
    assert "wrong-token-42" not in caplog.text + str(refused.value) + repr(refused.value)
    error: BaseException | None = refused.value
    while error is not None:
        assert "wrong-token-42" not in repr(vars(error))
        error = error.__context__


def test_token_is_nowhere_on_the_disk_nor_in_the_log(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults[6] = [status(500)] * 2
    with caplog.at_level(logging.DEBUG), pytest.raises(ForecastError) as failed:
        fetch(server, tmp_path, tries=2)
    assert TOKEN not in caplog.text + str(failed.value)
    assert all(TOKEN.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert any(tmp_path.rglob("page-*"))


def test_token_from_environment_or_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, f" {TOKEN} ")
    assert access_token().get_secret_value() == TOKEN
    assert TOKEN not in repr(access_token()) + str(access_token())
    monkeypatch.setenv(TOKEN_VARIABLE, "bad\u00e9")
    with pytest.raises(InputError, match="characters that no token has"):
        access_token()
    monkeypatch.delenv(TOKEN_VARIABLE)
    locked = type("KeyringError", (Exception,), {})

    def fails(*_: str) -> str:
        raise locked

    errors = SimpleNamespace(KeyringError=locked)
    keyring = SimpleNamespace(get_password=lambda service, user: f"{service}/{user}", errors=errors)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert access_token().get_secret_value() == "escalation-forecast/ucdp"
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=fails, errors=errors))
    with pytest.raises(InputError, match=TOKEN_VARIABLE):
        access_token()
    monkeypatch.setitem(sys.modules, "keyring", None)  # not installed
    with pytest.raises(InputError, match="no access token"):
        access_token()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ROW = st.fixed_dictionaries(
    {"id": JSON}, optional={name: JSON | st.just(value) for name, value in event(1).items() if name != "id"}
)
ANSWER = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=200),
    st.fixed_dictionaries(
        {
            "TotalCount": st.integers(0, 3) | JSON,
            "NextPageUrl": st.sampled_from(["", None, "/api/gedevents/26.0.7?page=1", "http://[", "//example.org/"])
            | JSON,
            "Result": st.lists(ROW, max_size=3) | JSON,
        }
    ).map(lambda value: json.dumps(value).encode()),
)


def check_answer(server: Server, spool: Path, raw: bytes) -> None:
    server.raw = raw
    try:
        batches = fetch(server, spool, tries=2)
    except ForecastError:
        return
    rows, treatments, dropped = tally(batches)
    assert rows == treatments.total() + dropped.total()


SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=40, deadline=None, suppress_health_check=SHARED)
@given(raw=ANSWER)
def test_any_answer_is_an_error_or_clean(server: Server, tmp_path: Path, raw: bytes) -> None:
    check_answer(server, tmp_path, raw)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=SHARED)
@given(raw=ANSWER)
def test_any_answer_is_an_error_or_clean_for_long(server: Server, tmp_path: Path, raw: bytes) -> None:
    check_answer(server, tmp_path, raw)
