"""The page of the track record: how the issued forecasts of a workspace have turned out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from forecast.evaluation.issued import IssuedRecord
from forecast.language import SOURCE, Language, say, speaking, spoken
from forecast.predictive.escalation import Escalation
from forecast.reporting.issued_part import FALSE_ALARMS, issued_part
from forecast.reporting.page import language_links, page_name, render_page
from forecast.reporting.words import day, number


@dataclass(frozen=True, eq=False)
class IssuedContent:
    """All that the page shows.

    Parameters
    ----------
    workspace : str
        Title of the workspace.
    record : IssuedRecord
    known_until : Timestamp
        Last day of the data.
    escalations : tuple of Escalation
    headline_escalation : str
    called : mapping of unit to str
        Titles of regions and places.
    simulated : bool
    link : str
        The last of the ledger.
    languages : tuple of Language
        Those of its pages.
    """

    workspace: str
    record: IssuedRecord
    known_until: pd.Timestamp
    escalations: tuple[Escalation, ...]
    headline_escalation: str
    called: Mapping[str, str]
    simulated: bool
    link: str
    languages: tuple[Language, ...] = (SOURCE,)


def render_issued(content: IssuedContent, assets: str | None = None, *, language: Language = SOURCE) -> str:
    """Return the page as one HTML document, or as that of a site, as `forecast.reporting.page.render_page`."""
    with speaking(language):
        return _render(content, assets)


def _render(content: IssuedContent, assets: str | None) -> str:
    record = content.record
    part = issued_part(record, content.escalations, content.headline_escalation, content.called)
    return render_page(
        "record.html.j2",
        part.figures if part else [],
        assets=assets,
        archived=assets is not None,
        languages=language_links(content.languages),
        page=next(page_name(each, content.languages) for each in content.languages if each == spoken()),
        content=content,
        part=part,
        false_alarms=FALSE_ALARMS,
        contents=[
            ("issued", say("Issued, and came")),
            *(part.contents if part else []),
            ("provenance", say("Provenance")),
        ],
        facts=[
            (say("Issued"), say("{issues} forecasts", issues=number(len(record.issues)))),
            (say("Statements decided"), number(len(record.statements))),
            (say("Not yet decided"), number(record.undecided)),
            (say("Data known until"), day(content.known_until, weekday=True)),
        ],
    )
