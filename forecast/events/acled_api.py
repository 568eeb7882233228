"""ACLED's API at acleddata.com: events, and ids of deleted events.

Documentation: https://acleddata.com/api-documentation/getting-started, and beside it acled-endpoint, deleted-endpoint
and elements-acleds-api. What is relied on, after these and the clients that were in use in autumn 2026:

- ``_format=json``; values that may be one or the other are separated by ``|``; ``NAME_where`` changes how NAME is
  compared (``=``, ``>=``, ``BETWEEN``); ``fields`` picks columns; ``limit`` is 5,000 rows if not given.
- A walk over the pages starts at ``cursor=0`` and goes on at the answer's ``next_cursor`` until that is null. This
  replaced ``page=1, 2, ...``, which ACLED declared deprecated for 27 October 2026: where an answer has no
  ``next_cursor``, as from an older mirror, pages are asked for by number until one is empty.
- ``with_total=true`` makes the endpoint of events say ``count`` and ``total_count``; without it, it does not. It is
  asked for once, since counting costs ACLED time.
- ``data_query_restrictions`` says how recent the events are that the account's access tier includes.
- Of deleted events the endpoint gives ``event_id_cnty`` and ``deleted_timestamp``, and filters by either.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import ForecastError, InputError
from forecast.events.acled_login import AcledLogin, Credentials, find_credentials, no_event_level_access
from forecast.events.acled_pages import FIRST, Page, Position, download, rows_of
from forecast.events.acled_record import FIELDS, batch_of_rows
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.page_spool import PageSpool, Progress, silent
from forecast.events.polite_client import AskAgain, PoliteClient, RequestRefusedError
from forecast.events.record import Batch, event_frame
from forecast.events.server_address import server_address

BASE_URL = "https://acleddata.com"
URL_VARIABLE = "ESCALATION_FORECAST_ACLED_URL"
ROWS_A_PAGE = 5_000
ROWS_A_BATCH = 50_000
_MOST_LOGINS = 3


def fetch_acled(
    *,
    countries: Sequence[str],
    first: dt.date,
    last: dt.date,
    since: int | None = None,
    policy: ImprecisePolicy,
    spool: Path,
    base_url: str | None = None,
    credentials: Credentials | None = None,
    sleep: Callable[[float], None] = time.sleep,
    rows_a_page: int = ROWS_A_PAGE,
    progress: Progress = silent,
) -> Iterator[Batch]:
    """Fetch events from ACLED.

    All pages come to the disk first, so that a fetch that is killed goes on where it was when it is called again
    with the same query, and so that no batch is given out before it is known that the pages belong together. They
    hold the columns that are used, no actors, notes or sources, and nothing of the account. They are removed when the
    last batch has been taken.

    Parameters
    ----------
    countries : sequence of str
        ACLED's names; all countries if empty.
    first, last : date
        Days of the events, both included.
    since : int, optional
        Unix seconds: only records that are new or changed from then on.
    policy : ImprecisePolicy
    spool : Path
        Folder for the pages of unfinished fetches.
    base_url : str, optional
        Of a mirror or proxy; what ESCALATION_FORECAST_ACLED_URL says, or ACLED's own, if not given.
    credentials : Credentials, optional
        `forecast.events.acled_login.find_credentials` if not given.
    sleep : callable
    rows_a_page : int
        As many as ACLED gives at once.
    progress : callable
        Is told after each page how many pages and rows have come.

    Yields
    ------
    Batch

    Raises
    ------
    InputError
        If there are no credentials, or ACLED does not accept them; for a last day before the first, or after the
        most recent events that the account's tier includes: those of later days would be taken not to have happened.
    ForecastError
        If the account's tier does not give event-level data, or the server does not answer usably.

    Examples
    --------
    With ACLED_USERNAME and ACLED_PASSWORD in the environment::

        batches = fetch_acled(
            countries=["Mali", "Niger"],
            first=dt.date(2023, 1, 1),
            last=dt.date(2023, 12, 31),
            policy=ImprecisePolicy(),
            spool=Path("out/fetches"),
        )
    """
    if last < first:
        raise InputError(f"last day {last} lies before first day {first}")
    for country in countries:
        if not country.strip() or set(country) & set("|:&="):
            raise InputError(f"{country!r} is not the name of a country", expected="a name as ACLED writes it: 'Mali'")
    query = {
        "event_date": f"{first:%Y-%m-%d}|{last:%Y-%m-%d}",
        "event_date_where": "BETWEEN",
        "fields": "|".join(FIELDS),
    }
    if countries:
        query["country"] = "|".join(sorted(set(countries)))
    if since is not None:
        query |= {"timestamp": str(int(since)), "timestamp_where": ">="}
    endpoint = _Endpoint("/api/acled/read", query, FIELDS, rows_a_page, last)
    with _fetched(endpoint, spool, base_url, credentials, sleep, progress) as pages:
        for rows in _joined(pages):
            yield batch_of_rows(dict(zip(FIELDS, zip(*rows, strict=True), strict=True)), policy)


def fetch_acled_deletions(
    since: int,
    *,
    spool: Path,
    base_url: str | None = None,
    credentials: Credentials | None = None,
    sleep: Callable[[float], None] = time.sleep,
    rows_a_page: int = ROWS_A_PAGE,
) -> Batch:
    """Fetch the ids of the events that ACLED has deleted.

    Parameters
    ----------
    since : int
        Unix seconds: deletions from then on.
    spool, base_url, credentials, sleep, rows_a_page
        As in `fetch_acled`.

    Returns
    -------
    Batch
        Without events; `rows` and `dropped` count the rows that name no event.

    Raises
    ------
    InputError, ForecastError
        As in `fetch_acled`.
    """
    query = {"deleted_timestamp": str(int(since)), "deleted_timestamp_where": ">="}
    endpoint = _Endpoint("/api/deleted/read", query, ("event_id_cnty", "deleted_timestamp"), rows_a_page)
    ids: dict[str, None] = {}
    nameless = 0
    with _fetched(endpoint, spool, base_url, credentials, sleep) as pages:
        for rows in pages:
            named = [row[0].strip() for row in rows]
            ids.update(dict.fromkeys(name for name in named if name))
            nameless += named.count("")
    return Batch(event_frame({}), nameless, +Counter({"no event id": nameless}), tuple(ids))


@dataclass(frozen=True)
class _Endpoint:
    """What is asked for: path, query, the values that are kept of each row, rows a page.

    `last_day` is that of the events; the endpoint of deletions has no events, and neither totals nor restrictions.
    """

    path: str
    query: Mapping[str, str]
    fields: Sequence[str]
    rows_a_page: int
    last_day: dt.date | None = None

    def params(self, position: Position) -> dict[str, str]:
        """Return the query of the page at a position."""
        params = {"_format": "json", **self.query, "limit": str(self.rows_a_page), position[0]: position[1]}
        if position == FIRST and self.last_day is not None:
            params["with_total"] = "true"
        return params

    def page_of(self, content: Any, position: Position) -> Page:
        """Return the page in an answer, or have it asked for again if it is none."""
        answer = content if isinstance(content, dict) else {}
        status, data = _count(answer.get("status")), answer.get("data")
        if status in {401, 403}:
            raise RequestRefusedError(f"the answer has status {status}", status)
        if status not in {None, 200} or answer.get("success") is False:
            raise AskAgain("the answer says that it failed")
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise AskAgain("the answer has no list of rows")
        count, total = _count(answer.get("count")), _count(answer.get("total_count"))
        if total is None and count is not None and count > self.rows_a_page:
            total = count  # then it cannot be that of the page
        elif count is not None and len(data) < count <= self.rows_a_page:
            raise AskAgain(f"the answer has {len(data)} rows and says {count}")
        if self.last_day is not None:
            _refuse_embargo(answer, self.last_day)
        rows = [[_text(row.get(field)) for field in self.fields] for row in data]
        return Page(rows, total, _following(answer, position))


@contextmanager
def _fetched(
    endpoint: _Endpoint,
    folder: Path,
    base_url: str | None,
    credentials: Credentials | None,
    sleep: Callable[[float], None],
    progress: Progress = silent,
) -> Iterator[Iterator[list[list[str]]]]:
    """Fetch all pages to the disk, then give their rows; remove them when the block ends well."""
    server = server_address(base_url, URL_VARIABLE, BASE_URL)
    query = {"server": server, "path": endpoint.path, "limit": endpoint.rows_a_page}
    spool = PageSpool(folder, {**query, **endpoint.query})
    with PoliteClient(server, sleep=sleep) as client:
        login = AcledLogin(client, find_credentials() if credentials is None else credentials)

        def ask(position: Position, check: Callable[[Page], Page]) -> Page:
            for _ in range(_MOST_LOGINS):
                try:
                    return client.get(
                        endpoint.path,
                        params=endpoint.params(position),
                        headers=login.headers(),
                        parse=lambda content: check(endpoint.page_of(content, position)),
                    )
                except RequestRefusedError as error:
                    status = error.status
                if status == 403:
                    raise no_event_level_access()
                if status != 401:
                    raise RequestRefusedError(f"ACLED refuses the query (status {status})", status)
                login.renew()  # the token is over: it lasts 24 hours
            raise ForecastError("ACLED does not accept the tokens that it gives (status 401)")

        pages = download(ask, spool, progress)
    yield rows_of(spool, pages)
    spool.clear()


def _joined(pages: Iterable[list[list[str]]]) -> Iterator[list[list[str]]]:
    """Yield the rows of several pages at once, as small batches cost more."""
    rows: list[list[str]] = []
    for page in pages:
        rows += page
        if len(rows) >= ROWS_A_BATCH:
            yield rows
            rows = []
    if rows:
        yield rows


def _following(answer: Mapping[str, Any], position: Position) -> Position | None:
    """Return where the page after an answer is."""
    if "next_cursor" in answer:
        cursor = _text(answer["next_cursor"])
        return ("cursor", cursor) if cursor else None
    if not answer["data"]:
        return None
    name, value = position
    return ("page", str(int(value) + 1) if name == "page" else "2")


def _refuse_embargo(answer: Mapping[str, Any], last_day: dt.date) -> None:
    """Refuse days that the account's tier does not include, which look as if nothing had happened on them."""
    found: Any = answer
    for key in ("data_query_restrictions", "date_recency", "date"):
        found = found.get(key) if isinstance(found, dict) else None
    try:
        most_recent = dt.date.fromisoformat(str(found)[:10])
    except ValueError:
        return
    if most_recent < last_day:
        raise InputError(
            f"ACLED gives this account events up to {most_recent} only, not up to {last_day}: it is what its access "
            "tier includes",
            expected=f"a last day of {most_recent} or before",
        )


def _count(value: object) -> int | None:
    """Return a number of rows, written as a number or as text; None if it is none."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _text(value: object) -> str:
    """Return a value of JSON as text that can be stored; empty for null, lists and objects."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
