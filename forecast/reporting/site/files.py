"""All files of the archive, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from forecast.language import LANGUAGES, Language, say, speaking
from forecast.reporting.issued_page import IssuedContent, render_issued
from forecast.reporting.page import shared_files
from forecast.reporting.site.content import ArchivedIssue, SiteContent
from forecast.reporting.site.fared import fared
from forecast.reporting.site.feed import atom_feed
from forecast.reporting.site.for_programs import IssueData, SiteIndex, index_json, issue_json, schema
from forecast.reporting.site.index_page import render_index
from forecast.reporting.site.issue_page import render_archived
from forecast.reporting.site.published import on_site
from forecast.reporting.site.unit_page import render_unit, said_of_units

TOP_LEVEL = frozenset(
    {
        *("index.html", "index.json", "index.schema.json", "forecast.schema.json", "feed.xml"),
        *(f"index.{language}.html" for language in LANGUAGES),
        *("assets", "issues", "places", "regions", "track-record"),
    }
)
"""What stands in the folder of a site."""


def site_files(content: SiteContent, published: Callable[[ArchivedIssue], str]) -> Iterator[tuple[str, bytes]]:
    """Give path below the site and content of each file; no path comes twice.

    Parameters
    ----------
    content : SiteContent
    published : callable of ArchivedIssue
        Gives the report of an issue that has one, as it was published.
    """
    assets = dict(shared_files().contents)
    turned = fared(content)
    said = said_of_units(content)
    for issue in content.issues:
        yield f"{issue.path}/forecast.json", issue_json(issue, turned.get(issue.number))
        if issue.has_report:
            with speaking(content.languages[0]):
                note = say("The report stands as it was published; the page of the issue tells what came of it.")
                page = on_site(published(issue), "../../../assets", "../../../index.html", "index.html", note)
            assets |= page.scripts
            yield f"{issue.path}/report.html", page.page.encode()
    for language in content.languages:
        with speaking(language):
            file = content.page
            for issue in content.issues:
                yield f"{issue.path}/{file}", render_archived(content, issue).encode()
            for key, unit in content.units.items():
                yield f"{unit.path}/{file}", render_unit(content, unit, said[key]).encode()
            yield file, render_index(content).encode()
        yield f"track-record/{file}", _track_record(content, language).encode()
    yield "index.json", index_json(content)
    yield "index.schema.json", schema(SiteIndex)
    yield "forecast.schema.json", schema(IssueData)
    with speaking(content.languages[0]):
        yield "feed.xml", atom_feed(content)
    for name, asset in assets.items():
        yield f"assets/{name}", asset


def _track_record(content: SiteContent, language: Language) -> str:
    latest = content.latest
    known = content.known_until if content.known_until is not None else latest.known_until
    return render_issued(
        IssuedContent(
            workspace=content.title,
            record=content.record,
            known_until=pd.Timestamp(known),
            escalations=tuple(text.rule for text in latest.rules if text.rule is not None),
            headline_escalation=latest.front.name,
            called=content.called,
            simulated=content.simulated,
            link=content.link,
            languages=content.languages,
        ),
        assets="../assets",
        language=language,
    )
