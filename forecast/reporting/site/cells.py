"""Cells of the site's tables: texts, links and marks, and what several pages tell in the same words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from forecast.reporting.words import UNKNOWN


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
        return "not yet known"
    told = {0.0: "no", 1.0: "yes"}
    return told[met] if met == first else f"{told[met]} (first known: {told[first]})"


def needed(level: float) -> str:
    """Return how many events it takes.

    Examples
    --------
    >>> needed(3.0), needed(float("nan"))
    ('3', '—')
    """
    return UNKNOWN if math.isnan(level) else f"{level:.0f}"


def decimal(value: float, digits: int) -> str:
    """Return a number with so many decimals.

    Examples
    --------
    >>> decimal(0.12345, 3), decimal(float("nan"), 3)
    ('0.123', '—')
    """
    return UNKNOWN if pd.isna(value) else f"{value:.{digits}f}"
