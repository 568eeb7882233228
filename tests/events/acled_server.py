"""A local server that speaks the documented protocol of ACLED's API, with faults; all its records are simulated.

Its cursors are places in the list of rows, so that rows move between pages when others come or go: the worst case.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USERNAME, PASSWORD = "simulated.analyst+1@example.org", "simulated pass+word%7f&3a="  # characters that forms encode
ACCESS, REFRESH = "simulated-access-token-91c2", "simulated-refresh-token-44de"
SECRETS = (USERNAME, PASSWORD, ACCESS, REFRESH)
TYPES = (
    ("Political violence", "Battles", "Armed clash"),
    ("Political violence", "Violence against civilians", "Attack"),
    ("Political violence; Demonstrations", "Riots", "Mob violence"),
    ("Demonstrations", "Protests", "Peaceful protest"),
    ("Strategic developments", "Strategic developments", "Agreement"),
)
FAULTS = ("429", "500", "503", "cut", "truncated", "no-json", "empty", "repeat", "expired", "failed", "circle")
COUNTED = ("total", "short")
"""Faults that only the totals show."""


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
        Whether answers carry total_count where it is asked for.
    cursors : bool
        Whether pages are found by cursor, or by number as before October 2026; then totals need not be asked for.
    most : int
        Rows a page, whatever is asked for.
    faults : mapping of int to list of str
        Each of `FAULTS`, `COUNTED`, "redirect-here", "redirect-away-always", "403", "400" or "401-always".
    """

    def __init__(self, events, *, totals=True, cursors=True, most=5000, faults=None):
        self.events, self.totals, self.cursors, self.most = list(events), totals, cursors, most
        self.deleted = []
        self.faults = defaultdict(list, {page: list(plan) for page, plan in (faults or {}).items()})
        self.most_recent = None  # day, for accounts whose tier has no later events
        self.forgotten = set()  # cursors that are no longer known
        self.asked = Counter()
        self.deletions_asked = 0
        self.queries = []
        self.logins = Counter()
        self.tokens = 0
        self.refresh_works = True
        self.refusal = 400
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
            "password": given
            == {"username": USERNAME, "password": PASSWORD, "scope": "authenticated", "client_id": "acled"}
            | {"grant_type": "password"},
            "refresh_token": given.get("refresh_token") == REFRESH and owner.refresh_works,
        }.get(kind, False)
        if urlsplit(self.path).path != "/oauth/token" or given.get("client_id") != "acled" or not good:
            return self.answer(owner.refusal, {"error": "invalid_grant", "given": given})
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
        limit = min(int(query.get("limit", 5000)), owner.most)
        start = int(query["cursor"]) if owner.cursors else (int(query.get("page", 1)) - 1) * limit
        page = start // limit + 1
        events = address.path.startswith("/api/acled")
        owner.asked[page] += 1
        owner.deletions_asked += not events
        owner.queries.append(query)
        owner.before_page(page)
        fault = owner.next_fault(page)
        if start in owner.forgotten:
            return self.answer(400, {"message": "bad cursor"})
        source = self.chosen(query) if events else self.gone(query)
        at = max(start - limit, 0) if fault == "repeat" else start
        rows = source[at : at + limit]
        if "fields" in query:
            wanted = query["fields"].split("|")
            rows = [{name: row[name] for name in wanted} for row in rows]
        body = {"status": 200, "success": True, "messages": [], "data": rows}
        if owner.most_recent:
            body["data_query_restrictions"] = {
                "date_recency": {"date": owner.most_recent, "quantity": 12, "unit": "Months"}
            }
        if owner.totals and (query.get("with_total") == "true" or not owner.cursors):
            body |= {"count": len(rows), "total_count": len(source) + (3 if fault == "total" else 0)}
        if owner.cursors:
            body["next_cursor"] = start + limit if start + limit < len(source) else None
            if fault == "circle":
                body["next_cursor"] = start
        return self.play(fault, body)

    def gone(self, query):
        """Rows of the endpoint of deletions, whose parameters have names of their own."""
        assert set(query) <= {"_format", "deleted_timestamp", "deleted_timestamp_where", "limit", "cursor", "page"}
        assert query["deleted_timestamp_where"] == ">="
        since = int(query["deleted_timestamp"])
        return [row for row in self.owner.deleted if int(row["deleted_timestamp"]) >= since]

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
            "400": (400, refusal),
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
