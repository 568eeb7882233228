"""All pages of a query, each once, although the server cuts, repeats, empties or changes them on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from forecast.errors import ForecastError
from forecast.events.page_spool import PageSpool, Progress, silent
from forecast.events.polite_client import AskAgain, RequestRefusedError

Position = tuple[str, str]
"""Where a page is: the parameter that asks for it, and its value."""

FIRST: Position = ("cursor", "0")
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
    following : (str, str) or None
        Where the next page is; None after the last.
    """

    rows: list[list[str]]
    total: int | None
    following: Position | None


Ask = Callable[[Position, Callable[[Page], Page]], Page]
"""Gets the page at a position. The page is handed to a check, whose `AskAgain` has it asked for again."""


class _DataChangedError(Exception):
    """The pages no longer belong together."""


def download(ask: Ask, spool: PageSpool, progress: Progress = silent) -> int:
    """Fetch all pages into the spool, and return how many there are.

    Pages that are in the spool already are not fetched again, except the last of them: if the server now gives it
    differently, the data have changed since, rows may have moved to other pages, and all is fetched anew. The same
    holds if the server's total changes on the way, if the pages end before as many rows have come as it said, or if
    it no longer knows a position.

    Parameters
    ----------
    ask : callable
    spool : PageSpool
    progress : callable

    Raises
    ------
    ForecastError
        If the data keep changing, or a page cannot be had. What has come stays in the spool.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> simulated = {
    ...     FIRST: Page([["XXX1"], ["XXX2"]], 3, ("cursor", "2")),
    ...     ("cursor", "2"): Page([["XXX3"]], None, None),
    ... }
    >>> with TemporaryDirectory() as folder:
    ...     spool = PageSpool(Path(folder), {"country": "Mali"})
    ...     pages = download(lambda position, check: check(simulated[position]), spool)
    ...     list(rows_of(spool, pages))
    [[['XXX1'], ['XXX2']], [['XXX3']]]
    """
    spool.remove_leftovers()
    reason = ""
    for _ in range(MOST_STARTS):
        try:
            return _Download(ask, spool, progress).run()
        except _DataChangedError as changed:
            reason = str(changed)
            spool.clear()
    raise ForecastError(
        f"the server's data changed in each of {MOST_STARTS} downloads ({reason}), so that rows may be missing\n"
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
    progress: Progress
    total: int | None = None
    ids: set[int] = field(default_factory=set)
    nameless: int = 0
    pages: dict[bytes, int] = field(default_factory=dict)
    visited: set[Position] = field(default_factory=set)

    @property
    def count(self) -> int:
        """Different rows that have come."""
        return len(self.ids) + self.nameless

    def run(self) -> int:
        held = self._held()
        position: Position | None = FIRST
        number = 0
        while position is not None:
            number += 1
            page = _stored(self.spool, number) if number <= held else self._fetched(number, position)
            if page is None:
                raise _DataChangedError("another download has cleared what was there")
            self._take(number, position, page)
            self.progress(number, self.count, self.total)
            position = page.following
        if self.total is not None and self.count < self.total:
            raise _DataChangedError(f"{self.count} rows came of {self.total}")
        return number

    def _held(self) -> int:
        """Return up to which page the spool is good."""
        held, last, here, following = 0, None, FIRST, FIRST
        while last is None or last.following is not None:
            page = _stored(self.spool, held + 1)
            if page is None:
                break
            held, last, here = held + 1, page, following
            following = page.following or here
        if held:
            seen = 0

            def same(page: Page) -> Page:
                nonlocal seen
                seen += 1
                if page != last and seen <= _LOOK_TWICE:
                    raise AskAgain("the page differs from what it was", wait=1.0)
                return page

            if self._asked(here, same) != last:
                raise _DataChangedError("a page differs from what it was")
        return held

    def _fetched(self, number: int, position: Position) -> Page:
        page = self._asked(position, self._check_of(number, position))
        self.spool.store(number, {"rows": page.rows, "total": page.total, "following": page.following})
        return page

    def _asked(self, position: Position, check: Callable[[Page], Page]) -> Page:
        try:
            return self.ask(position, check)
        except RequestRefusedError:
            if position == FIRST:
                raise  # it is the query that is refused
        raise _DataChangedError("the server no longer knows where it was")

    def _take(self, number: int, position: Position, page: Page) -> None:
        self.visited.add(position)
        self.pages[_fingerprint(page)] = number
        self.total = page.total if self.total is None else self.total
        named = [row[0] for row in page.rows if row[0]]
        self.nameless += len(page.rows) - len(named)
        self.ids.update(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") for name in named)

    def _check_of(self, number: int, position: Position) -> Callable[[Page], Page]:
        """Return the check of one page, which remembers how often it has been asked for."""
        doubts = 0

        def check(page: Page) -> Page:
            nonlocal doubts
            total = page.total if self.total is None else self.total
            changed = page.total not in {None, total}
            missing = total is None or self.count < total
            if changed or (missing and not page.rows):
                doubts += 1
                if doubts <= _LOOK_TWICE:
                    raise AskAgain("the total changed" if changed else f"page {number} is empty", wait=1.0)
                if changed:
                    raise _DataChangedError(f"the total changed from {total} to {page.total} rows")
            if page.rows and _fingerprint(page) in self.pages:
                raise AskAgain(f"page {number} repeats page {self.pages[_fingerprint(page)]}")
            if page.following in {*self.visited, position}:
                raise AskAgain(f"page {number} leads back to a page before it")
            return page

        return check


def _stored(spool: PageSpool, number: int) -> Page | None:
    content = spool.page(number)
    if content is None:
        return None
    following = content["following"]
    return Page(content["rows"], content["total"], None if following is None else (following[0], following[1]))


def _fingerprint(page: Page) -> bytes:
    return hashlib.blake2b(json.dumps(page.rows).encode(), digest_size=16).digest()
