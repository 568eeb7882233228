"""A local server that speaks the documented protocol of ACLED's API, with faults; all its records are simulated."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USERNAME, PASSWORD = "simulated.analyst@example.org", "simulated-password-7f3a"
ACCESS, REFRESH = "simulated-access-token-91c2", "simulated-refresh-token-44de"
SECRETS = (USERNAME, PASSWORD, ACCESS, REFRESH)
TYPES = (
    ("Political violence", "Battles", "Armed clash"),
    ("Political violence", "Violence against civilians", "Attack"),
    ("Political violence; Demonstrations", "Riots", "Mob violence"),
    ("Demonstrations", "Protests", "Peaceful protest"),
    ("Strategic developments", "Strategic developments", "Agreement"),
)
FAULTS = ("429", "500", "503", "cut", "truncated", "no-json", "empty", "repeat", "total", "expired", "failed", "short")


def simulated_event(number: int) -> dict[str, object]:
    """One record in the form of ACLED's, wholly made up."""
    disorder, event, sub_event = TYPES[number % len(TYPES)]
    return {
        "event_id_cnty": f"SIM{number}",
        "event_date": f"2023-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "year": 2023,
        "time_precision": 1 + (number % 10 == 7) + (number % 20 == 7),
        "disorder_type": disorder,
        "event_type": event,
        "sub_event_type": sub_event,
        "actor1": "Simulated actor A",
        "assoc_actor_1": "",
        "inter1": "Simulated",
        "actor2": "Simulated actor B",
        "assoc_actor_2": "",
        "inter2": "",
        "interaction": "Simulated-Simulated",
        "civilian_targeting": "",
        "iso": 0,
        "region": "Simulated Africa",
        "country": "Mali",
        "admin1": f"Région {number % 9}",
        "admin2": f"Cercle {number % 40}",
        "admin3": "",
        "location": f"Village {number % 500}",
        "latitude": f"{11 + number % 900 / 100:.4f}",
        "longitude": f"{-8 + number % 700 / 100:.4f}",
        "geo_precision": 1 + number % 3,
        "source": "Simulated source",
        "source_scale": "Simulated",
        "notes": "Simulated note, of nothing that happened.",
        "fatalities": number % 4,
        "tags": "",
        "timestamp": 1_690_000_000 + number,
    }


class AcledServer:
    """Serves `events` in pages; `faults[page]` are played before that page is given as it is.

    Parameters
    ----------
    events : list of dict
    totals : bool
        Whether answers carry total_count.
    faults : mapping of int to list of str
        Each of `FAULTS`, "redirect-here", "redirect-away", "403" or "401-always".
    """

    def __init__(self, events, *, totals=True, faults=None):
        self.events, self.totals = list(events), totals
        self.deleted = []
        self.faults = defaultdict(list, {page: list(plan) for page, plan in (faults or {}).items()})
        self.asked = Counter()
        self.queries = []
        self.logins = Counter()
        self.tokens = 0
        self.refresh_works = True
        self.before_page = lambda page: None
        self._lock = threading.Lock()
        server = self

        class Handler(_Handler):
            owner = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def token(self):
        return f"{ACCESS}-{self.tokens}"

    def next_fault(self, page):
        with self._lock:
            plan = self.faults[page]
            if plan and plan[0].endswith("always"):
                return plan[0]
            return plan.pop(0) if plan else None


class _Handler(BaseHTTPRequestHandler):
    owner: AcledServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement
    wbufsize = -1

    def log_message(self, *_):
        pass

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        given = {name: values[0] for name, values in form.items()}
        owner = self.owner
        kind = given.get("grant_type")
        good = {
            "password": given.get("username") == USERNAME and given.get("password") == PASSWORD,
            "refresh_token": given.get("refresh_token") == REFRESH and owner.refresh_works,
        }.get(kind, False)
        if urlsplit(self.path).path != "/oauth/token" or given.get("client_id") != "acled" or not good:
            return self.answer(400, {"error": "invalid_grant", "given": given})
        owner.logins[kind] += 1
        owner.tokens += 1
        tokens = {"access_token": owner.token, "refresh_token": REFRESH, "expires_in": 86400, "token_type": "Bearer"}
        return self.answer(200, tokens)

    def do_GET(self):
        owner, address = self.owner, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers.get("Authorization") != f"Bearer {owner.token}":
            return self.answer(401, {"message": "unauthorized"})
        if address.path not in {"/api/acled/read", "/api/deleted/read"}:
            return self.answer(404, {"message": "not found"})
        page, limit = int(query.get("page", 1)), int(query.get("limit", 5000))
        owner.asked[page] += 1
        owner.queries.append(query)
        owner.before_page(page)
        fault = owner.next_fault(page)
        source = self.chosen(query) if address.path.startswith("/api/acled") else owner.deleted
        at = max(page - 2, 0) if fault == "repeat" else page - 1
        rows = source[at * limit : (at + 1) * limit]
        if "fields" in query:
            wanted = query["fields"].split("|")
            rows = [{name: row[name] for name in wanted} for row in rows]
        body = {"status": 200, "success": True, "count": len(rows), "messages": [], "data": rows}
        if owner.totals:
            body["total_count"] = len(source) + (3 if fault == "total" else 0)
        return self.play(fault, body)

    def chosen(self, query):
        assert query["_format"] == "json"
        rows = self.owner.events
        if "country" in query:
            rows = [row for row in rows if row["country"] in query["country"].split("|")]
        if query.get("event_date_where") == "BETWEEN":
            first, last = query["event_date"].split("|")
            rows = [row for row in rows if first <= str(row["event_date"]) <= last]
        if query.get("timestamp_where") == ">=":
            rows = [row for row in rows if int(row["timestamp"]) >= int(query["timestamp"])]
        return rows

    def play(self, fault, body):
        """Answer with the fault, or as it should be."""
        content = json.dumps(body).encode()
        refusal = {"message": "refused", "token": self.owner.token}
        if fault == "expired":
            self.owner.tokens += 1
        answers = {
            "429": (429, {}, {"Retry-After": "7"}),
            "500": (500, {"message": "internal"}),
            "503": (503, b""),
            "403": (403, refusal),
            "expired": (401, refusal),
            "401-always": (401, refusal),
            "cut": (200, content[: len(content) // 2], {"Content-Length": str(len(content))}),
            "truncated": (200, content[: len(content) * 2 // 3]),
            "no-json": (200, b"<html>maintenance</html>"),
            "empty": (200, body | {"count": 0, "data": []}),
            "short": (200, body | {"data": body["data"][:-1]}),
            "failed": (200, {"status": 500, "success": False, "data": None}),
            "redirect-here": (302, {}, {"Location": self.path}),
            "redirect-away-always": (302, {}, {"Location": f"http://example.invalid{self.path}"}),
        }
        self.close_connection = fault == "cut"
        self.answer(*answers.get(fault, (200, content)))

    def answer(self, status, body, headers=()):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
