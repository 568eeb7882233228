"""UCDP's event datasets from its API at ucdpapi.pcr.uu.se.

Protocol (https://ucdp.uu.se/apidocs/): ``GET /api/gedevents/{version}?pagesize=1000&page=0`` with the header
x-ucdp-access-token answers with TotalCount, TotalPages, NextPageUrl and Result. Pages count from 0: who begins at 1
misses a thousand events. At most 5,000 requests a day, failed ones among them. StartDate and EndDate compare with an
event's last day; filters that UCDP does not know are ignored, and for a country that it does not know nothing comes.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
from pydantic import SecretStr

from forecast.errors import ForecastError, InputError
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.page_spool import PageSpool, Progress, silent
from forecast.events.polite_client import TRIES, AskAgain, PoliteClient, RequestRefusedError
from forecast.events.record import Batch
from forecast.events.server_address import server_address
from forecast.events.ucdp_countries import country_numbers
from forecast.events.ucdp_release import release_of
from forecast.events.ucdp_rows import EITHER, OPTIONAL, OTHER_NAMES, REQUIRED, Translator
from forecast.storage import write_file

BASE_URL = "https://ucdpapi.pcr.uu.se"
URL_VARIABLE = "ESCALATION_FORECAST_UCDP_URL"
TOKEN_VARIABLE = "UCDP_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
KEYRING_SERVICE, KEYRING_USER = "escalation-forecast", "ucdp"
PAGE_SIZE = 1000
DAILY_REQUESTS = 5_000
STARTS = 3
"""How often a download begins anew because the data changed meanwhile, before it is given up."""
ASKED_FOR_NEW = 3
"""How often a page is asked for that is empty or repeats another one."""
TOO_MANY_PAUSES = (60.0, 120.0, 240.0)
"""Seconds to wait if a page is refused with status 400 although those before it came: undocumented, but it is how the
API answers somewhere after 40 to 300 requests in short succession."""


def access_token() -> SecretStr:
    """Return the access token from the environment (UCDP_ACCESS_TOKEN) or the system keyring.

    Raises
    ------
    InputError
        If there is none, or it has characters that no token has; the token is never shown.
    """
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or _token_of_keyring()
    if not token:
        raise InputError(
            "no access token for UCDP's API",
            expected=f"the environment variable {TOKEN_VARIABLE}, or an entry in the system keyring "
            f"(service {KEYRING_SERVICE}, user {KEYRING_USER})",
            hint="UCDP gives tokens to registered users: https://ucdp.uu.se/apidocs/; or import a downloaded file",
        )
    if not (token.isascii() and token.isprintable()):
        raise InputError("the access token for UCDP's API has characters that no token has", where=TOKEN_VARIABLE)
    return SecretStr(token)


def fetch_ucdp(
    version: str,
    *,
    countries: Sequence[str | int] = (),
    first: dt.date | None = None,
    last: dt.date | None = None,
    policy: ImprecisePolicy,
    spool: Path,
    base_url: str | None = None,
    page_size: int = PAGE_SIZE,
    daily_requests: int = DAILY_REQUESTS,
    tries: int = TRIES,
    timeout: float = 60.0,
    sleep: Callable[[float], None] = time.sleep,
    today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date(),
    progress: Progress = silent,
) -> Iterator[Batch]:
    """Yield the events of a release, one page a batch, in canonical form.

    All pages are on the disk and complete before the first batch comes: as many different ids as the server's total.
    A fetch that was stopped goes on after the last page it had, if the server's first page is still the same. The
    pages are removed after the last batch.

    Parameters
    ----------
    version : str
        ``26.1``, ``26.0.7``, ``26.01.26.06``.
    countries : sequence of str or int
        Names, or Gleditsch and Ward's numbers, as in `forecast.events.ucdp_countries`; empty for the world.
    first, last : date, optional
        The API's StartDate and EndDate: of the last days of events.
    policy : ImprecisePolicy
    spool : Path
        Folder for pages and the count of today's requests.
    base_url : str, optional
        Of a mirror or proxy; what ESCALATION_FORECAST_UCDP_URL says, or UCDP's own, if not given.
    page_size : int
        Events a page, at most 1,000.
    daily_requests : int
        Requests that may be made a day (UTC); those made with the same `spool` are counted.
    tries, timeout, sleep
        As in `forecast.events.polite_client.PoliteClient`.
    today : callable
        Returns the day for which requests are counted.
    progress : callable
        Is told after each page how many pages and rows have come.

    Raises
    ------
    InputError
        For what is no version, country or address, no token, or one that the server refuses.
    ForecastError
        If the server does not answer as documented in spite of all tries, or the day's requests are used up; what
        came so far is kept.
    """
    release = release_of(version)
    query = _query(countries, first, last, page_size)
    server = server_address(base_url, URL_VARIABLE, BASE_URL)
    token = access_token()
    kept = PageSpool(spool, {"server": server, "version": release.version, **query})
    kept.remove_leftovers()
    budget = _Budget(spool / "requests.json", daily_requests, today)

    def wait(seconds: float) -> None:
        sleep(seconds)
        budget.take()  # a try follows each wait

    with PoliteClient(server, sleep=wait, timeout=timeout, tries=tries) as client:
        pages = _Download(client, f"/api/gedevents/{release.version}", query, token, kept, budget, wait, progress).run()
    translator = Translator(policy)
    for number in range(pages):
        page = _Page.stored(kept, number)
        if page is None:
            raise ForecastError(f"page {number} of the download was removed meanwhile; run again to go on")
        yield translator.batch(_table(page.rows), release.version)
    kept.clear()


class _ChangedError(Exception):
    """The data on the server is no longer what the first page said."""


@dataclass(frozen=True)
class _Page:
    total: int
    following: str
    rows: list[dict[str, Any]]

    @classmethod
    def of(cls, answer: Any) -> _Page:
        """Check an answer; raise `AskAgain` if it is not as documented."""
        if isinstance(answer, dict):
            total, rows, following = answer.get("TotalCount"), answer.get("Result"), answer.get("NextPageUrl") or ""
            if (
                isinstance(total, int)
                and total >= 0
                and isinstance(following, str)
                and isinstance(rows, list)
                and all(isinstance(row, dict) and row.get("id") not in (None, "") for row in rows)
            ):
                return cls(total, following, rows)
        raise AskAgain("the answer is not as UCDP documents it (TotalCount, NextPageUrl, Result)")

    @classmethod
    def stored(cls, spool: PageSpool, number: int) -> _Page | None:
        """Return a page from the disk, None if it is not there or is damaged."""
        try:
            return cls.of(spool.page(number))
        except AskAgain:
            return None

    @property
    def ids(self) -> set[str]:
        return {str(row["id"]) for row in self.rows}

    def as_json(self) -> dict[str, Any]:
        """Return what is kept on the disk: of the rows, only what is read."""
        columns = {*REQUIRED, *EITHER, *OPTIONAL, *(other for names in OTHER_NAMES.values() for other in names)}
        rows = [{name: value for name, value in row.items() if name in columns} for row in self.rows]
        return {"TotalCount": self.total, "NextPageUrl": self.following, "Result": rows}


@dataclass(frozen=True, eq=False)
class _Download:
    """Brings all pages of a query into the spool."""

    client: PoliteClient
    path: str
    query: Mapping[str, str]
    token: SecretStr
    spool: PageSpool
    budget: _Budget
    wait: Callable[[float], None]
    progress: Progress

    def run(self) -> int:
        """Return the number of pages."""
        for _ in range(STARTS):
            try:
                return self._pages()
            except _ChangedError as changed:
                reason = str(changed)
                self.spool.clear()
        raise ForecastError(f"{self.path}: {reason}; begun {STARTS} times, given up")

    def _pages(self) -> int:
        """Walk from page to page; take those from the spool that are there.

        The first page is always asked for, which shows whether those in the spool still hold.
        """
        page = self._ask({**self.query, "page": "0"}, set())
        if self.spool.stored() and self.spool.page(0) != page.as_json():
            self.spool.clear()
        self.spool.store(0, page.as_json())
        total, seen, visited, number = page.total, page.ids, {"0"}, 0
        self.progress(1, len(seen), total)
        while page.following and len(seen) < total:
            params = self._next(page.following)
            if params["page"] in visited:
                raise _ChangedError("the pages go in a circle")
            visited.add(params["page"])
            number += 1
            stored = _Page.stored(self.spool, number)
            page = stored or self._ask(params, seen)
            if page.total != total:
                raise _ChangedError(f"the total changed from {total} to {page.total} events")
            if stored is None:
                self.spool.store(number, page.as_json())
            seen |= page.ids
            self.progress(number + 1, len(seen), total)
        if len(seen) != total:
            raise _ChangedError(f"{len(seen)} different events came of {total}")
        return number + 1

    def _next(self, following: str) -> dict[str, str]:
        """Return the query of the next page: the link's, with what was asked for at first held fast."""
        own = following.startswith(BASE_URL + "/")  # as a mirror gives it; it is the mirror that is asked
        link = urlsplit(following if own else self.client.address(following))  # which refuses other hosts
        if link.path.rstrip("/") != self.path:
            raise ForecastError(f"{self.path}: the next page is said to be at {link.path}, which is another dataset")
        params = {name: values[-1] for name, values in parse_qs(link.query).items() if name.casefold() != "pagesize"}
        if "page" not in params:
            raise ForecastError(f"{self.path}: the link to the next page has no page number")
        return {**params, **self.query}

    def _ask(self, params: Mapping[str, str], seen: set[str]) -> _Page:
        """Ask for a page; a few times, if it holds nothing new although events are missing."""
        path, answers = self.path, 0

        def parse(answer: Any) -> _Page:
            nonlocal answers
            answers += 1
            page = _Page.of(answer)
            if page.ids <= seen and len(seen) < page.total and answers < ASKED_FOR_NEW:
                raise AskAgain("a page has no event that had not come before")
            return page

        self.budget.take()
        headers = {"x-ucdp-access-token": self.token.get_secret_value()}
        for pause in (*TOO_MANY_PAUSES, 0.0):
            try:
                return self.client.get(path, params=params, headers=headers, parse=parse)
            except RequestRefusedError as error:
                status = error.status
            if status != 400 or params["page"] == "0" or not pause:
                break
            self.wait(pause)
        if status in {401, 403}:
            raise InputError(
                f"UCDP's API refuses the access token (status {status})",
                where=TOKEN_VARIABLE,
                hint="is it the right one, and still valid?",
            )
        if status in {400, 404} and params["page"] == "0":
            raise InputError(
                f"UCDP's API has nothing at {path} (status {status})",
                expected="a published release",
                hint="https://ucdp.uu.se/apidocs/ lists the versions; after many requests, wait for some minutes",
            )
        if status == 400:
            raise ForecastError(
                f"{path}: UCDP's API refuses further pages (status 400), as it does after many requests\n"
                "  try: again in an hour; what has come is kept"
            )
        raise ForecastError(f"{path}: UCDP's API answers with status {status}")


@dataclass(frozen=True, eq=False)
class _Budget:
    """Counts the requests of a day on the disk, so that several runs share it."""

    path: Path
    most: int
    today: Callable[[], dt.date]

    def take(self) -> None:
        """Count one request.

        Raises
        ------
        ForecastError
            If the day's requests are used up.
        """
        day, used = self.today().isoformat(), 0
        try:
            written = json.loads(self.path.read_bytes())
            used = int(written["requests"]) if written["day"] == day else 0
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass
        if used >= self.most:
            raise ForecastError(f"today's {self.most} requests to UCDP's API are used up; run again tomorrow to go on")
        write_file(self.path, json.dumps({"day": day, "requests": used + 1}).encode())


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of JSON as the text that a file would have."""

    def written(row: Mapping[str, Any], column: str) -> str:
        values = (row.get(name) for name in (column, *OTHER_NAMES.get(column, ())))
        value = next((value for value in values if value is not None), "")
        return str(value).strip()

    columns = (*REQUIRED, *EITHER, *OPTIONAL)
    return pd.DataFrame({column: pd.Series([written(row, column) for row in rows], dtype=object) for column in columns})


def _query(
    countries: Sequence[str | int], first: dt.date | None, last: dt.date | None, page_size: int
) -> dict[str, str]:
    if not 1 <= page_size <= PAGE_SIZE:
        raise InputError(f"{page_size} events a page", expected=f"1 to {PAGE_SIZE}")
    if first is not None and last is not None and last < first:
        raise InputError(f"the last day, {last}, is before the first, {first}")
    query = {"pagesize": str(page_size)}
    if countries:
        query["Country"] = ",".join(str(number) for number in country_numbers(countries))
    if first is not None:
        query["StartDate"] = first.isoformat()
    if last is not None:
        query["EndDate"] = last.isoformat()
    return query


def _token_of_keyring() -> str:
    """Return the token in the system keyring, empty if there is no entry or no keyring."""
    try:
        keyring = import_module("keyring")  # optional, and slow to import
    except ImportError:
        return ""
    try:
        return str(keyring.get_password(KEYRING_SERVICE, KEYRING_USER) or "").strip()
    except keyring.errors.KeyringError:
        return ""
