"""Asking a server politely: tries, waits, hosts. The server is a local one, its answers are made up."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from forecast.errors import ForecastError
from forecast.events.page_spool import PageSpool
from forecast.events.polite_client import AskAgain, PoliteClient, RequestRefusedError

GOOD = (200, {"fine": True}, {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return "Sat, 03 Jan 2026 12:00:00 GMT"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, self.headers.get("X-Token")))
        status, body, headers = self.server.answers.pop(0) if self.server.answers else GOOD
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the name is http.server's


@pytest.fixture
def server(monkeypatch):
    """A server that gives `answers` (status, body, headers), then good ones, and notes what it was `asked`."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    http = HTTPServer(("127.0.0.1", 0), _Handler)
    http.answers, http.asked = [], []
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield http
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(server, waits):
    with PoliteClient(f"http://127.0.0.1:{server.server_address[1]}", sleep=waits.append) as opened:
        yield opened


def get(client, url="/page", **options):
    return client.get(url, parse=lambda content: content, **options)


def test_a_good_answer_comes_at_once(client, server, waits):
    assert get(client, params={"page": "1|2"}, headers={"X-Token": "simulated"}) == {"fine": True}
    assert server.asked == [("GET", "/page?page=1%7C2", "simulated")]
    assert waits == []


def test_a_link_of_the_server_keeps_its_query(client, server):
    get(client, "/api?page=3&size=5")
    assert server.asked[0][1] == "/api?page=3&size=5"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sat, 03 Jan 2026 12:01:30 GMT", 90.0),  # by the server's own clock
        ("Sat, 03 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", 1.0),
        ("-3", 1.0),
    ],
)
def test_the_server_says_how_long_to_wait(client, server, waits, header, seconds):
    server.answers = [(429, {}, {"Retry-After": header})]
    get(client)
    assert waits == [seconds]


def test_waits_grow_up_to_a_limit(server, waits):
    server.answers = [(503, {}, {})] * 9
    with PoliteClient(f"http://127.0.0.1:{server.server_address[1]}", sleep=waits.append, tries=10) as client:
        get(client)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 120, 120]


def test_a_server_that_wants_hours_is_left_alone(client, server, waits):
    server.answers = [(429, {}, {"Retry-After": "7200"})]
    with pytest.raises(ForecastError, match="come back in 120 minutes"):
        get(client)
    assert waits == []


def test_a_refusal_is_not_repeated(client, server):
    server.answers = [(404, {}, {})]
    with pytest.raises(RequestRefusedError, match="status 404") as caught:
        get(client)
    assert caught.value.status == 404
    assert len(server.asked) == 1


def test_an_answer_that_cannot_be_used_is_asked_for_again(client, server, waits):
    answers = iter([AskAgain("half of it", wait=3.0), AskAgain("half of it")])

    def parse(content):
        for error in answers:
            raise error
        return content

    assert client.get("/page", parse=parse) == {"fine": True}
    assert waits == [3.0, 2.0]


def test_the_last_reason_is_told(client, server):
    server.answers = [(200, b'{"data": [', {})] * 8
    with pytest.raises(ForecastError, match="no JSON, or ends early, in 8 tries"):
        get(client)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/page",
        "//elsewhere.example/page",
        "http://127.0.0.1:1/page",
        "ftp://127.0.0.1/page",
        "http://127.0.0.1.elsewhere.example/page",
        "http://[",
    ],
)
def test_no_other_host_is_asked(client, server, link):
    with pytest.raises(ForecastError):
        get(client, link, headers={"X-Token": "simulated"})
    server.answers = [(302, {}, {"Location": link})]
    with pytest.raises(ForecastError):
        get(client, headers={"X-Token": "simulated"})
    assert len(server.asked) == 1


def test_redirects_on_the_host_are_followed_but_not_for_ever(client, server):
    server.answers = [(301, {}, {"Location": "/other"})]
    assert get(client) == {"fine": True}
    assert server.asked[1][1] == "/other"
    server.answers = [(301, {}, {"Location": "/other"})] * 50
    with pytest.raises(ForecastError, match="circle"):
        get(client)


def test_a_form_is_not_sent_to_another_address(client, server):
    server.answers = [(302, {}, {"Location": "/other"})]
    with pytest.raises(ForecastError, match="form"):
        client.post_form("/login", {"password": "simulated"}, parse=lambda content: content)
    assert len(server.asked) == 1


def test_links_of_a_server_behind_a_proxy_keep_to_https():
    with PoliteClient("https://api.example.org") as client:
        assert client.address("http://api.example.org/api?page=2") == "https://api.example.org/api?page=2"
        assert client.address("http://api.example.org:80/api") == "https://api.example.org/api"
        with pytest.raises(ForecastError):
            client.address("https://api.example.org:8443/api")


@pytest.mark.parametrize("url", ["acled", "ftp://example.org", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ForecastError):
        PoliteClient(url)


def test_pages_are_stored_by_query(tmp_path):
    mali, niger = PageSpool(tmp_path, {"country": "Mali", "page": 1}), PageSpool(tmp_path, {"country": "Niger"})
    mali.store(2, [{"admin1": "Ségou"}])
    mali.store(10, [])
    assert PageSpool(tmp_path, {"page": 1, "country": "Mali"}).page(2) == [{"admin1": "Ségou"}]
    assert (mali.stored(), niger.stored(), niger.page(2)) == ((2, 10), (), None)
    mali.clear()
    assert (mali.stored(), list(tmp_path.iterdir())) == ((), [])


def test_a_page_that_was_not_finished_is_no_page(tmp_path):
    spool = PageSpool(tmp_path, {})
    spool.store(1, "whole")
    (path,) = spool.folder.glob("page-*")
    path.with_name(".part-abc").write_bytes(b"half")
    for damaged in (path.read_bytes()[:-3], b"", b"\x1f\x8b", b"no gzip"):
        path.write_bytes(damaged)
        assert spool.page(1) is None
    spool.remove_leftovers()
    assert sorted(found.name for found in spool.folder.iterdir()) == [path.name, "query.json"]
