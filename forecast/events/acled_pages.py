"""All pages of a query, each once, although the server cuts, repeats, empties or changes them on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from forecast.errors import ForecastError
from forecast.events.page_spool import PageSpool
from forecast.events.polite_client import AskAgain

MOST_STARTS = 4
"""How often a download begins from its first page, because the data changed under it."""
_LOOK_TWICE = 2
"""How often an answer that may be a glitch is asked for again before it is believed."""


@dataclass(frozen=True)
class Page:
    """A page as it is kept.

    Parameters
    ----------
    rows : list of list of str
        The first value of each is the event's id, empty if it has none.
    total : int or None
        Rows in all pages, if the server says.
    """

    rows: list[list[str]]
    total: int | None


Ask = Callable[[int, Callable[[Page], Page]], Page]
"""Gets a page by its number, from 1. The page is handed to a check, whose `AskAgain` has it asked for again."""


class _DataChangedError(Exception):
    """The pages no longer belong together."""


def download(ask: Ask, spool: PageSpool) -> int:
    """Fetch all pages into the spool, and return how many there are.

    Pages that are in the spool already are not fetched again, except the last of them: if the server now gives it
    differently, the data have changed since, rows may have moved to other pages, and all is fetched anew. The same
    holds if the server's total changes on the way, or if the pages end before as many rows have come as it said.

    Parameters
    ----------
    ask : callable
    spool : PageSpool

    Raises
    ------
    ForecastError
        If the data keep changing, or a page cannot be had. What has come stays in the spool.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> simulated = {1: [["XXX1"], ["XXX2"]], 2: [["XXX3"]]}
    >>> with TemporaryDirectory() as folder:
    ...     spool = PageSpool(Path(folder), {"country": "Mali"})
    ...     pages = download(lambda number, check: check(Page(simulated[number], 3)), spool)
    ...     list(rows_of(spool, pages))
    [[['XXX1'], ['XXX2']], [['XXX3']]]
    """
    spool.remove_leftovers()
    for _ in range(MOST_STARTS):
        try:
            return _Download(ask, spool).run()
        except _DataChangedError:
            spool.clear()
    raise ForecastError(
        f"the server's data changed in each of {MOST_STARTS} downloads, so that rows may be missing\n"
        "  try: again later, or fewer countries or days at a time"
    )


def rows_of(spool: PageSpool, pages: int) -> Iterator[list[list[str]]]:
    """Yield the rows of each page of a spool."""
    for number in range(1, pages + 1):
        page = _stored(spool, number)
        if page is None:
            raise ForecastError(f"page {number} of the download is gone from {spool.folder.name}\n  try: fetch again")
        yield page.rows


@dataclass
class _Download:
    """One pass over the pages."""

    ask: Ask
    spool: PageSpool
    total: int | None = None
    ids: set[int] = field(default_factory=set)
    nameless: int = 0
    pages: dict[bytes, int] = field(default_factory=dict)

    def run(self) -> int:
        held = self._held()
        number = 1
        while self.total is None or len(self.ids) + self.nameless < self.total:
            page = _stored(self.spool, number) if number <= held else self._fetched(number)
            if page is None:
                raise _DataChangedError  # a page that was there is gone: another download has cleared the spool
            if not page.rows:
                break
            self._take(number, page)
            number += 1
        return number - 1

    def _held(self) -> int:
        """Return up to which page the spool is good."""
        held = 0
        while _stored(self.spool, held + 1) is not None:
            held += 1
        if held:
            before = _stored(self.spool, held)
            seen = 0

            def same(page: Page) -> Page:
                nonlocal seen
                seen += 1
                if page != before and seen <= _LOOK_TWICE:
                    raise AskAgain("the page differs from what it was", wait=1.0)
                return page

            if self.ask(held, same) != before:
                raise _DataChangedError
        return held

    def _fetched(self, number: int) -> Page:
        page = self.ask(number, self._check_of(number))
        if page.rows:
            self.spool.store(number, {"rows": page.rows, "total": page.total})
        return page

    def _take(self, number: int, page: Page) -> None:
        self.pages[_fingerprint(page)] = number
        self.total = page.total if self.total is None else self.total
        named = [row[0] for row in page.rows if row[0]]
        self.nameless += len(page.rows) - len(named)
        self.ids.update(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") for name in named)

    def _check_of(self, number: int) -> Callable[[Page], Page]:
        """Return the check of one page, which remembers how often it has been asked for."""
        doubts = 0

        def check(page: Page) -> Page:
            nonlocal doubts
            changed = self.total is not None and page.total is not None and page.total != self.total
            if changed or not page.rows:
                doubts += 1
                if doubts <= _LOOK_TWICE and (changed or page.total != 0):
                    reason = "the total changed" if changed else f"page {number} is empty"
                    raise AskAgain(reason, wait=1.0)
                if changed or page.total or self.total:  # fewer rows have come than were announced
                    raise _DataChangedError
            elif _fingerprint(page) in self.pages:
                raise AskAgain(f"page {number} repeats page {self.pages[_fingerprint(page)]}")
            return page

        return check


def _stored(spool: PageSpool, number: int) -> Page | None:
    content = spool.page(number)
    return None if content is None else Page(content["rows"], content["total"])


def _fingerprint(page: Page) -> bytes:
    return hashlib.blake2b(json.dumps(page.rows).encode(), digest_size=16).digest()
