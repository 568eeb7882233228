"""The Atom feed of the archive: an entry for each issue (RFC 4287)."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from xml.etree import ElementTree as ET

from forecast.language import said, say
from forecast.reporting.rules import quoted
from forecast.reporting.site.cells import issue_title
from forecast.reporting.site.content import ArchivedIssue, SiteContent
from forecast.reporting.words import listing, percent

ATOM = "http://www.w3.org/2005/Atom"
_IDS = uuid.UUID("5c7b2a0e-6d0f-5b43-9a53-0f2b3ad7c9e1")
"""Name space of ids; it must never change."""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""
_TOP = 5


def atom_feed(content: SiteContent) -> bytes:
    """Return the feed, the latest issue first.

    Ids come from the links of the ledger, so that they stay the same wherever the site is and whenever it is built;
    times are those at which issues were recorded. Links are relative as long as it is not known where the site will be.
    """
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    oldest = min(content.issues, key=lambda issue: issue.number)
    _text(feed, "id", _id(f"feed {oldest.link}"))
    _text(feed, "title", say("{title}: forecasts", title=content.title))
    _text(feed, "updated", _moment(max(issue.issued_at for issue in content.issues)))
    _text(ET.SubElement(feed, f"{{{ATOM}}}author"), "name", content.title)
    _text(feed, "generator", "escalation-forecast")
    _link(feed, "alternate", f"{content.url}index.html")
    if content.url:
        _link(feed, "self", f"{content.url}feed.xml")
    for issue in content.issues:
        entry = ET.SubElement(feed, f"{{{ATOM}}}entry")
        _text(entry, "id", _id(issue.link))
        about = say("{title}: forecast from {origin}", title=content.title, origin=issue_title(issue))
        _text(entry, "title", about)
        for name in ("published", "updated"):
            _text(entry, name, _moment(issue.issued_at))
        _link(entry, "alternate", f"{content.url}{issue.path}/index.html")
        _text(entry, "summary", _summary(content, issue))
    ET.indent(feed)
    written: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _summary(content: SiteContent, issue: ArchivedIssue) -> str:
    rows = issue.said("region").head(_TOP).to_dict("records")
    told = listing([f"{said(content.called[row['unit']])} ({percent(row['probability'])})" for row in rows])
    rule = quoted(issue.front.title)
    highest: list[str] = [say("Highest probabilities of {rule}: {told}.", rule=rule, told=told)] if rows else []
    return " ".join([*highest, *(say("Warning: {warning}.", warning=warning) for warning in issue.warnings)])


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = _NO_XML.sub("", text)


def _link(parent: ET.Element, relation: str, href: str) -> None:
    kind = "application/atom+xml" if relation == "self" else "text/html"
    ET.SubElement(parent, f"{{{ATOM}}}link", {"rel": relation, "type": kind, "href": href})


def _id(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_IDS, name)}"


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
