"""ACLED's API at acleddata.com: events, and ids of deleted events.

Documentation: https://acleddata.com/api-documentation/getting-started
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
from urllib.parse import urlsplit

from forecast.errors import ForecastError, InputError
from forecast.events.acled_login import AcledLogin, Credentials, find_credentials, no_event_level_access
from forecast.events.acled_pages import Page, download, rows_of
from forecast.events.acled_record import FIELDS, batch_of_rows
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.page_spool import PageSpool
from forecast.events.polite_client import AskAgain, PoliteClient, RequestRefusedError
from forecast.events.record import Batch, event_frame

BASE_URL = "https://acleddata.com"
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
    base_url: str = BASE_URL,
    credentials: Credentials | None = None,
    sleep: Callable[[float], None] = time.sleep,
    rows_a_page: int = ROWS_A_PAGE,
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
    base_url : str
    credentials : Credentials, optional
        `forecast.events.acled_login.find_credentials` if not given.
    sleep : callable
    rows_a_page : int
        As many as ACLED gives at once.

    Yields
    ------
    Batch

    Raises
    ------
    InputError
        If there are no credentials, or ACLED does not accept them; for a last day before the first.
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
    endpoint = _Endpoint("/api/acled/read", query, FIELDS, rows_a_page)
    with _fetched(endpoint, spool, base_url, credentials, sleep) as pages:
        for rows in _joined(pages):
            yield batch_of_rows(dict(zip(FIELDS, zip(*rows, strict=True), strict=True)), policy)


def fetch_acled_deletions(
    since: int,
    *,
    spool: Path,
    base_url: str = BASE_URL,
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
    """What is asked for: path, query, the values that are kept of each row, rows a page."""

    path: str
    query: Mapping[str, str]
    fields: Sequence[str]
    rows_a_page: int

    def page_of(self, content: Any) -> Page:
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
        return Page([[_text(row.get(field)) for field in self.fields] for row in data], total)


@contextmanager
def _fetched(
    endpoint: _Endpoint,
    folder: Path,
    base_url: str,
    credentials: Credentials | None,
    sleep: Callable[[float], None],
) -> Iterator[Iterator[list[list[str]]]]:
    """Fetch all pages to the disk, then give their rows; remove them when the block ends well."""
    address = urlsplit(base_url)
    if address.scheme != "https" and address.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise InputError("the server's address is not https", expected="https, since the password is sent to it")
    query = {"server": address.netloc.rpartition("@")[2], "path": endpoint.path, "limit": endpoint.rows_a_page}
    spool = PageSpool(folder, {**query, **endpoint.query})
    with PoliteClient(base_url, sleep=sleep) as client:
        login = AcledLogin(client, find_credentials() if credentials is None else credentials)

        def ask(number: int, check: Callable[[Page], Page]) -> Page:
            params = {"_format": "json", **endpoint.query}
            params |= {"limit": str(endpoint.rows_a_page), "page": str(number)}
            for _ in range(_MOST_LOGINS):
                try:
                    return client.get(
                        endpoint.path,
                        params=params,
                        headers=login.headers(),
                        parse=lambda content: check(endpoint.page_of(content)),
                    )
                except RequestRefusedError as error:
                    status = error.status
                if status == 403:
                    raise no_event_level_access()
                if status != 401:
                    raise RequestRefusedError(f"ACLED refuses the query (status {status})", status)
                login.renew()  # the token is over: it lasts 24 hours
            raise ForecastError("ACLED does not accept the tokens that it gives (status 401)")

        pages = download(ask, spool)
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


def _count(value: object) -> int | None:
    """Return a number of rows, written as a number or as text; None if it is none."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _text(value: object) -> str:
    """Return a value of JSON as text that can be stored; empty for null, lists and objects."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
