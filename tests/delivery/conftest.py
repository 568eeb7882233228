"""A published report of four regions and a place, and servers of mail and webhooks on this machine."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from forecast.jobs.publish import publish
from forecast.reporting.summarise import summary_of
from forecast.reporting.summary import Summary
from forecast.workspace import Workspace, open_workspace

ACCOUNT = ("risk@example.org", "correct horse")


@pytest.fixture(scope="session")
def content() -> Any:
    path = Path(__file__).parents[1] / "reporting" / "small_content.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dataclasses.replace(module.small_content(), name="weekly", pictures=False)


@pytest.fixture(scope="session")
def summary(content: Any) -> Summary:
    return summary_of(content)


@pytest.fixture(scope="session")
def published(small_workspace: Path, content: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one published run; do not change it."""
    root = tmp_path_factory.mktemp("published") / "workspace"
    shutil.copytree(small_workspace, root, ignore=shutil.ignore_patterns("out", "ledger.sqlite*"))
    publish(content, root / "out" / "runs" / "weekly" / "2026-08-01", lambda *_: {"issue": {"revision": 1}})
    return root


@pytest.fixture
def with_delivery(published: Path, tmp_path: Path) -> Callable[[str], Workspace]:
    """Make a workspace of one's own whose report has these targets."""

    def make(targets: str) -> Workspace:
        root = tmp_path / "workspace"
        if not root.exists():
            shutil.copytree(published, root)
        report = root / "reports" / "weekly.toml"
        plain = (published / "reports" / "weekly.toml").read_text(encoding="utf-8")
        report.write_text(f"{plain}\n{targets}", encoding="utf-8")
        return open_workspace(root)

    return make


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """The only authority that this machine trusts."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("NO_PROXY", "*")
    return authority


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@dataclass
class MailServer:
    """A mail server: its address, and what it has got as (sender, recipients, content)."""

    port: int
    scheme: str
    got: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = "250 taken"

    @property
    def address(self) -> str:
        return f"{self.scheme}://risk%40example.org:correct%20horse@localhost:{self.port}"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 no such reader"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server, session, envelope):
        if self.answer == "cut":
            server.transport.abort()
            return "250 nobody hears this"
        if self.answer.startswith("250"):
            self.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mail_server(authority: trustme.CA) -> Iterator[Callable[..., MailServer]]:
    """Start a mail server: by its scheme, the name in its certificate, and whether it offers TLS at all."""
    started: list[Controller] = []

    def start(scheme: str = "smtps", name: str = "localhost", tls: bool = True, ca: Any = None) -> MailServer:
        mail = MailServer(_free_port(), scheme)
        context = server_context(ca or authority, name)
        settings: dict[str, Any] = {
            "authenticator": lambda *call: AuthResult(
                success=(call[4].login.decode(), call[4].password.decode()) == ACCOUNT, handled=False
            ),
            "auth_required": True,
        }
        if scheme == "smtps":
            settings |= {"ssl_context": context, "auth_require_tls": False}
        elif tls:
            settings |= {"tls_context": context, "require_starttls": True}
        else:
            settings |= {"auth_require_tls": False}
        controller = _Ready(mail, hostname="127.0.0.1", port=mail.port, **settings)
        controller.start()
        started.append(controller)
        return mail

    yield start
    for controller in started:
        controller.stop()


class _Ready(Controller):
    def _trigger_server(self) -> None:
        """Wait for the greeting; the controller's own way fails with TLS from the start."""
        with socket.create_connection((self.hostname, self.port), timeout=5) as probe:
            if self.ssl_context is None:
                probe.recv(64)
                return
            unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
            with unchecked.wrap_socket(probe) as encrypted:
                encrypted.recv(64)


class _Hook(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        hook: WebhookServer = self.server.hook
        status, headers = hook.answers.pop(0) if hook.answers else (200, {})
        hook.asked.append((self.path, json.loads(content)))
        if status == 0:
            self.connection.close()
            return
        self.send_response(status)
        for name, value in {"Content-Length": "2", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok")


@dataclass
class WebhookServer:
    """A server of webhooks: its address, what it was asked, and what it is to answer."""

    address: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def webhook_server(authority: trustme.CA) -> Iterator[Callable[..., WebhookServer]]:
    """Start a server of webhooks: with or without TLS, and the name in its certificate."""
    started: list[tuple[HTTPServer, threading.Thread]] = []

    def start(scheme: str = "http", name: str = "localhost") -> WebhookServer:
        http = HTTPServer(("127.0.0.1", 0), _Hook)
        hook = WebhookServer(f"{scheme}://localhost:{http.server_address[1]}/services/T0/B0/s3cr3t-path")
        http.hook = hook
        if scheme == "https":
            http.socket = server_context(authority, name).wrap_socket(http.socket, server_side=True)
        http.handle_error = lambda *_: None
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        started.append((http, thread))
        return hook

    yield start
    for http, thread in started:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def clock() -> SimpleNamespace:
    """A clock that stands still on a Monday at noon, and the waits that were asked for."""
    import datetime as dt

    waits: list[float] = []
    return SimpleNamespace(now=lambda: dt.datetime(2026, 8, 3, 12, tzinfo=dt.UTC), sleep=waits.append, waits=waits)
