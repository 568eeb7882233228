"""Cells of the site's tables: texts, links and marks, and what several pages tell in the same words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from babel.dates import format_date

from forecast import language
from forecast.language import say
from forecast.reporting.site.content import ArchivedIssue
from forecast.reporting.words import UNKNOWN, day


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere.

    Parameters
    ----------
    text : str
    href : str
        Relative to the page.
    """

    text: str
    href: str


@dataclass(frozen=True)
class LinkedTable:
    """A table some of whose cells are links.

    Parameters
    ----------
    title : str
    columns : sequence of (str, bool)
        Headings, and whether numbers stand below them.
    rows : sequence of sequence of str or Link
        The first cell of each says what the row is about.
    """

    title: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[str | Link]]


def came(met: float, first: float) -> str:
    """Return whether an escalation came, and whether a correction of the data has changed that.

    Examples
    --------
    >>> came(1.0, 1.0), came(0.0, 1.0), came(float("nan"), float("nan"))
    ('yes', 'no (first known: yes)', 'not yet known')
    """
    if math.isnan(met):
        return say("not yet known")
    told = {0.0: say("no"), 1.0: say("yes")}
    return told[met] if met == first else say("{now} (first known: {then})", now=told[met], then=told[first])


def issue_title(issue: ArchivedIssue) -> str:
    """Return the origin of an issue, and which issue of it this is if it is not the first."""
    if issue.revision == 1:
        return day(issue.origin)
    return say("{origin}, issue {revision}", origin=day(issue.origin), revision=issue.revision)


def needed(level: float) -> str:
    """Return how many events it takes.

    Examples
    --------
    >>> needed(3.0), needed(float("nan"))
    ('3', '—')
    """
    return UNKNOWN if math.isnan(level) else f"{level:.0f}"


def short_day(week: pd.Timestamp) -> str:
    """Return a day as it heads a narrow column.

    Examples
    --------
    >>> short_day(pd.Timestamp("2026-08-01"))
    '1 Aug'
    """
    return format_date(week, "d MMM", locale=language.spoken())


def brier_told(told: str, mine: float, base: float) -> str:
    """Return a sentence followed by a Brier score, and that of the base rate."""
    scores = {"mine": decimal(mine, 3), "base": decimal(base, 3)}
    return say("{told} Brier score {mine}, that of the base rate {base}.", told=told, **scores)


def decimal(value: float, digits: int) -> str:
    """Return a number with so many decimals.

    Examples
    --------
    >>> decimal(0.12345, 3), decimal(float("nan"), 3)
    ('0.123', '—')
    """
    return UNKNOWN if pd.isna(value) else language.decimal(value, digits)
