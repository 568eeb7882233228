"""The archive of a workspace as a static site: checked against the ledger, and written whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from forecast.errors import ForecastError, InputError
from forecast.jobs.ledger_state import existing_ledger
from forecast.jobs.published import PublishedReports
from forecast.jobs.site_content import site_content
from forecast.ledger import read
from forecast.ledger.verify import verify
from forecast.reporting.site.files import TOP_LEVEL, site_files
from forecast.reporting.site.for_programs import FORMAT
from forecast.storage import check_writable, folder_in_progress
from forecast.workspace import Workspace

Progress = Callable[[str, int, int], None]
FOLDER = "site"


@dataclass(frozen=True)
class BuiltSite:
    """A site that was built.

    Parameters
    ----------
    folder : Path
    issues, reports : int
        How many issues it has, and how many of them with the report as it was published.
    units : int
        Regions and places.
    files : int
    size : int
        Bytes.
    link : str
        The last of the ledger.
    warnings : tuple of str
    """

    folder: Path
    issues: int
    reports: int
    units: int
    files: int
    size: int
    link: str
    warnings: tuple[str, ...]


def build_site(
    workspace: Workspace,
    output: Path | None = None,
    *,
    url: str | None = None,
    report: str | None = None,
    progress: Progress | None = None,
) -> BuiltSite:
    """Build the archive of all issues of a workspace.

    Parameters
    ----------
    workspace : Workspace
    output : Path, optional
        ``out/site`` if not given. An older site that is there is replaced.
    url : str, optional
        Where the site will be; without it, links of the feed are relative.
    report : str, optional
        As in `forecast.jobs.site_content.site_content`.
    progress : callable of (what, done, total), optional

    Returns
    -------
    BuiltSite
        The same ledger, settings and published reports give the same bytes.

    Raises
    ------
    InputError
        If there is no ledger or nothing was issued, if something else is in the folder, or the address is none.
    ForecastError
        If the ledger is not as it was written: what was changed is not published.
    """
    told = progress or (lambda what, done, total: None)
    folder = (output or workspace.out / FOLDER).resolve()
    address = checked_url(url)
    refuse_strange(folder)
    check_writable(folder)
    reports = PublishedReports(workspace.out / "runs")
    with existing_ledger(workspace) as ledger, ledger.reading() as connection:
        verdict = verify(connection, progress=lambda done, total: told("checking the ledger", done, total))
        if verdict.broken:
            raise ForecastError(
                f"the ledger is not as it was written, and nothing was published: {verdict.broken}\n"
                f"  where: {ledger.address}\n  try: `forecast ledger verify`, and a copy of the ledger from before"
            )
        content = site_content(connection, workspace, reports, report=report, url=address, entries=verdict.entries)
        entries = {entry.number: entry for entry in read.issues(connection)}
    total, files, size = len(content.issues) + len(content.units), 0, 0
    with folder_in_progress(folder) as work:
        for path, page in site_files(content, lambda issue: reports.text(entries[issue.number])):
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(page)
            files, size = files + 1, size + len(page)
            told("writing pages", min(files, total), total)
    return BuiltSite(
        folder,
        len(content.issues),
        sum(issue.has_report for issue in content.issues),
        len(content.units),
        files,
        size,
        content.link,
        tuple(reports.strange),
    )


def checked_url(url: str | None) -> str:
    """Return an address of a site with a slash at its end; empty without one.

    Raises
    ------
    InputError
        If it is not one of http or https, or holds more than host and path.

    Examples
    --------
    >>> checked_url("https://example.org/forecasts")
    'https://example.org/forecasts/'
    """
    if url is None:
        return ""
    try:
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or parts.username or parts.password) and parts.port != 0
    except ValueError:
        plain = False
    if not plain or parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\s<>\"\x00-\x1f]", url):
        raise InputError(f"{url!r} is no address of a site", where="--url", expected="https://HOST/PATH")
    return url.rstrip("/") + "/"


def refuse_strange(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier site: building replaces it.

    Raises
    ------
    InputError
    """
    if not folder.exists():
        return
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else {str(folder)}
    if there and (not there <= TOP_LEVEL or not _is_site(folder)):
        others = sorted(there - TOP_LEVEL)
        raise InputError(
            f"something else is there{f': {others[0]}' if others else ''}",
            where=str(folder),
            expected="a new folder, or one of an earlier site",
        )


def _is_site(folder: Path) -> bool:
    try:
        index = json.loads((folder / "index.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(index, dict) and index.get("format") == FORMAT
