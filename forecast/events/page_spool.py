"""Pages of a download on disk, each whole or not there, so that a download that was killed goes on."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forecast.storage import HIDDEN, write_file

Progress = Callable[[int, int, int | None], None]
"""Is told after each page how many pages and rows are there, and of how many rows, if that is known."""


def silent(_pages: int, _rows: int, _of: int | None) -> None:
    """Tell nobody."""


class PageSpool:
    """The pages that one query has brought so far.

    Each query has a folder of its own, named after what was asked, never after who asked: credentials do not belong
    into `query`, nor into pages.

    Parameters
    ----------
    folder : Path
        Of all spools; made when the first page is stored.
    query : mapping
        All that decides which rows the pages hold (server, countries, dates, rows a page), as JSON can say it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     spool = PageSpool(Path(folder), {"country": "Mali"})
    ...     spool.store(1, [{"id": 7}])
    ...     spool.page(1), spool.page(2), spool.stored()
    ([{'id': 7}], None, (1,))
    """

    def __init__(self, folder: Path, query: Mapping[str, Any]) -> None:
        self._query = json.dumps(query, sort_keys=True, ensure_ascii=False)
        self.folder = folder / hashlib.sha256(self._query.encode()).hexdigest()[:24]

    def stored(self) -> tuple[int, ...]:
        """Return the numbers of the pages on disk, in order."""
        names = (path.name.removesuffix(".json.gz") for path in self.folder.glob("page-*.json.gz"))
        return tuple(sorted(int(name[5:]) for name in names if name[5:].isascii() and name[5:].isdigit()))

    def page(self, number: int) -> Any:
        """Return a page as it was stored, None if it is not there or is damaged."""
        try:
            return json.loads(gzip.decompress(self._path(number).read_bytes()))
        except (FileNotFoundError, EOFError, zlib.error, gzip.BadGzipFile, ValueError):
            return None

    def store(self, number: int, content: Any) -> None:
        """Store a page.

        Raises
        ------
        InputError
            If the disk is full or not to be written to.
        """
        if not (self.folder / "query.json").exists():
            write_file(self.folder / "query.json", self._query.encode())
        written = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        write_file(self._path(number), gzip.compress(written, compresslevel=3, mtime=0))

    def clear(self) -> None:
        """Forget all pages; from the last to the first, so that what a kill leaves is still a beginning."""
        for number in reversed(self.stored()):
            self._path(number).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Remove pages that were half-written when an earlier download was killed."""
        for path in self.folder.glob(f"{HIDDEN}*"):
            path.unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"page-{number:06d}.json.gz"
