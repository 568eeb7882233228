"""What a data service, or somebody between it and us, answers: held to a size, to one host, and to its certificate."""

from __future__ import annotations

import gzip
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from forecast.errors import ForecastError
from forecast.events import polite_client
from forecast.events.polite_client import PoliteClient


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        content, headers = self.server.answer
        self.send_response(200)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.server.asked.append(self.headers.get("Authorization"))
        self.wfile.write(content)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    http = HTTPServer(("127.0.0.1", 0), _Handler)
    http.answer, http.asked = (b'{"fine": true}', {}), []
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield http
    http.shutdown()
    thread.join()
    http.server_close()


def ask(address):
    with PoliteClient(address, sleep=lambda _: None, tries=2, timeout=5) as client:
        return client.get("/page", headers={"Authorization": "Bearer simulated"}, parse=lambda content: content)


def test_an_answer_is_read_up_to_a_size(server, monkeypatch):
    monkeypatch.setattr(polite_client, "LARGEST_ANSWER", 2**20)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    server.answer = (b"[" + b"0," * 2**19 + b"0]", {})
    with pytest.raises(ForecastError, match="answers with more than 1 MiB"):
        ask(address)
    packed = gzip.compress(b" " * (8 * 2**20))
    assert len(packed) < 10_000
    server.answer = (packed, {"Content-Encoding": "gzip"})
    with pytest.raises(ForecastError, match="answers with more than 1 MiB"):
        ask(address)
    server.answer = (gzip.compress(b"[1, 2]"), {"Content-Encoding": "gzip"})
    assert ask(address) == [1, 2]


def test_an_answer_that_is_packed_twice_is_not_read(server):
    twice = gzip.compress(gzip.compress(b"[1]"))
    server.answer = (twice, {"Content-Encoding": "gzip, gzip"})
    with pytest.raises(ForecastError, match="answers in a form that is not read"):
        ask(f"http://127.0.0.1:{server.server_address[1]}")


def test_json_nested_without_end_is_no_answer(server):
    server.answer = (b"[" * 100_000, {})
    with pytest.raises(ForecastError, match="the answer is no JSON"):
        ask(f"http://127.0.0.1:{server.server_address[1]}")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_without_a_valid_certificate_gets_no_token(server, monkeypatch, tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = f"https://localhost:{server.server_address[1]}"
    with pytest.raises(ForecastError, match="no connection"):
        ask(address)
    assert server.asked == []
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert ask(address) == {"fine": True}
    with pytest.raises(ForecastError, match="no connection"):  # a certificate of another name
        ask(address.replace("localhost", "127.0.0.1"))
    assert server.asked == ["Bearer simulated"]
