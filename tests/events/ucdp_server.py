"""UCDP's API, played by a server on this machine that speaks the documented protocol and misbehaves; all simulated."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "sesame-0123456789"
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
        self.most = 1000  # events a page, whatever is asked for
        self.links: str | None = None  # what the links to other pages begin with, if not the own address
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
        size, number = min(int(query["pagesize"]), self.most), int(query["page"])
        following = ""
        if (number + 1) * size < len(self.events):
            following = f"{self.links or self.url}/api/gedevents/26.0.7?{urlencode({**query, 'page': number + 1})}"
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
