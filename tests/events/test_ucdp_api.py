"""UCDP's API, played by a server on this machine that speaks the documented protocol and misbehaves; all simulated."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, InputError
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.record import Batch, tally
from forecast.events.ucdp_api import TOKEN_VARIABLE, access_token, fetch_ucdp

TOKEN = "sesame-0123456789"
TODAY = dt.date(2026, 8, 1)
Fault = Callable[["Server", BaseHTTPRequestHandler, dict[str, Any]], bool]


def event(number: int) -> dict[str, Any]:
    """A simulated event as the API gives it."""
    return {
        "id": number,
        "relid": f"SIM-{number}",
        "type_of_violence": 1 + number % 3,
        "side_a": "Side A",
        "side_b": "Side B",
        "source_date": "2026-07-04;2026-07-03",
        "where_prec": 1,
        "where_coordinates": "Simulated town",
        "adm_1": "Simulated region",
        "adm_2": None,
        "latitude": 12.5 + number / 1e4,
        "longitude": -8.0,
        "country": "Mali",
        "country_id": 432,
        "date_prec": 1,
        "date_start": "2026-07-03T00:00:00",
        "date_end": "2026-07-03T00:00:00",
        "best": 2,
        "high": 3,
        "low": 1,
        "gwnob": None,
    }


class Server:
    """Pages of simulated events; `faults[page]` are functions that each spoil one answer to a request for it."""

    def __init__(self) -> None:
        self.events = [event(number) for number in range(95)]
        self.faults: dict[int, list[Fault]] = {}
        self.asked: list[dict[str, str]] = []
        self.raw: bytes | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet, or the client waits for the second one

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                server.answer(self)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        link = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(link.query).items()}
        self.asked.append({**query, "path": link.path})
        if request.headers["x-ucdp-access-token"] != TOKEN:
            return send(request, 401, b"who is there?")
        if link.path != "/api/gedevents/26.0.7":
            return send(request, 404, b"")
        if self.raw is not None:
            return send(request, 200, self.raw)
        page = self.page(query)
        faults = self.faults.get(int(query["page"]), [])
        if faults and faults.pop(0)(self, request, page):
            return None
        return send(request, 200, json.dumps(page).encode())

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        size, number = int(query["pagesize"]), int(query["page"])
        following = ""
        if (number + 1) * size < len(self.events):
            following = f"{self.url}/api/gedevents/26.0.7?{urlencode({**query, 'page': number + 1})}"
        return {
            "TotalCount": len(self.events),
            "TotalPages": -(-len(self.events) // size),
            "PreviousPageUrl": "",
            "NextPageUrl": following,
            "Result": self.events[number * size : (number + 1) * size],
        }


def send(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def status(code: int, **headers: str) -> Fault:
    def fault(_: Server, request: BaseHTTPRequestHandler, __: dict[str, Any]) -> bool:
        send(request, code, b"busy", {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return fault


def cut(_: Server, request: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    """Promise more than is sent, and hang up."""
    body = json.dumps(page).encode()
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body[: len(body) // 2])
    request.close_connection = True
    return True


def hung_up(_: Server, request: BaseHTTPRequestHandler, __: dict[str, Any]) -> bool:
    request.close_connection = True
    request.connection.close()
    return True


def truncated(_: Server, request: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    body = json.dumps(page).encode()
    send(request, 200, body[: len(body) // 2])
    return True


def empty(_: Server, __: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    page["Result"] = []
    return False


def repeated(server: Server, _: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    page["Result"] = server.events[:10]
    return False


def grown(server: Server, _: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    """From here on the dataset has another event."""
    server.events = [event(1000), *server.events]
    page["TotalCount"] += 1
    return False


def elsewhere(_: Server, __: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    page["NextPageUrl"] = page["NextPageUrl"].replace("127.0.0.1", "example.org")
    return False


def in_a_circle(server: Server, _: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    page["NextPageUrl"] = f"{server.url}/api/gedevents/26.0.7?pagesize=10&page=1"
    return False


def forgetful(server: Server, _: BaseHTTPRequestHandler, page: dict[str, Any]) -> bool:
    page["NextPageUrl"] = f"{server.url}/api/gedevents/26.0.7?page=1"
    return False


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
def test_passing_faults(server: Server, tmp_path: Path, fault: Fault, page: int) -> None:
    server.faults[page] = [fault]
    expected = list(range(95)) + ([1000] if fault is grown else [])
    if fault is repeated and page == 0:
        pytest.skip("the first page repeats no other")
    assert ids(fetch(server, tmp_path)) == expected


def test_every_fault_in_turn(server: Server, tmp_path: Path) -> None:
    faults: list[Fault] = [status(500), status(429, Retry_After="3"), cut, hung_up, truncated, empty]
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
def test_lasting_faults_end_with_a_clear_error(server: Server, tmp_path: Path, fault: Fault, said: str) -> None:
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
    with pytest.raises(InputError, match="as in UCDP's column country_id"):
        list(fetch_ucdp("26.0.7", countries=["Mali"], **options))  # type: ignore[list-item]
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
