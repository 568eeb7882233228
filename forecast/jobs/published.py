"""Reports that were published: where they are, and whether they are those that the ledger tells of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forecast.errors import ForecastError
from forecast.ledger.read import IssueEntry
from forecast.provenance import hash_file


@dataclass
class PublishedReports:
    """The reports of a workspace.

    Parameters
    ----------
    runs : Path
        ``out/runs``.
    strange : list of str
        Pages that are not those that were recorded, in words; filled by `find`.
    """

    runs: Path
    strange: list[str] = field(default_factory=list)

    def find(self, entry: IssueEntry) -> bool:
        """Tell whether the page of an issue is there as it was recorded, byte for byte."""
        page = self._page(entry)
        if page is None or not page.is_file():
            return False
        if hash_file(page) == _recorded(entry):
            return True
        if _stamp(page) in (None, (entry.head.revision, entry.forecast)):
            self.strange.append(
                f"{page} is not the page that was recorded (entry {entry.number}): "
                "the archive shows what the ledger has"
            )
        return False

    def text(self, entry: IssueEntry) -> str:
        """Return the page of an issue that `find` has found.

        Raises
        ------
        ForecastError
            If it was changed or removed since.
        """
        page = self._page(entry)
        if page is None or not page.is_file() or hash_file(page) != _recorded(entry):
            raise ForecastError(f"a report was changed in the meantime\n  where: {page}\n  try: again")
        return page.read_text(encoding="utf-8")

    def _page(self, entry: IssueEntry) -> Path | None:
        """Return where it would be; None where the name of its report leads elsewhere."""
        folder = self.runs / entry.head.report / f"{entry.head.origin}"
        inside = folder.resolve().is_relative_to(self.runs.resolve()) and entry.head.report not in {"", ".", ".."}
        return folder / "index.html" if inside else None


def _recorded(entry: IssueEntry) -> str:
    files = json.loads(entry.head.manifest).get("files", {})
    return str(files.get("index.html", "")) if isinstance(files, dict) else ""


def _stamp(page: Path) -> tuple[Any, Any] | None:
    """Return revision and hash of the forecast of which the page says that it is; None if it does not say."""
    try:
        issue = json.loads(page.with_name("manifest.json").read_bytes())["issue"]
        return issue["revision"], issue["forecast"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
