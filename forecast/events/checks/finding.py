"""A check of data, and what it found: shared by the checks of events and those of counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Severity = Literal["note", "warning", "error"]
"""Note: to know when reading results. Warning: likely a fault of the data. Error: cannot be right."""
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")

MOST_EXAMPLES = 20


@dataclass(frozen=True)
class Check:
    """Something that can be wrong with data.

    Parameters
    ----------
    name : str
        Unique among all checks; its section of ``docs/checks.md`` is called so.
    title : str
        For people to read.
    looks_for : str
        One sentence.
    severity : {"note", "warning", "error"}
        The usual one of its findings.
    hint : str
        What to do about a finding.
    """

    name: str
    title: str
    looks_for: str
    severity: Severity
    hint: str


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Parameters
    ----------
    check : Check
    severity : {"note", "warning", "error"}
    message : str
        One sentence in plain words, with its numbers.
    count : int
        How many events, names or unit-weeks are concerned, >= 1.
    examples : tuple of str
        At most `MOST_EXAMPLES` of them: event ids with what is wrong, names, weeks.
    unit : str
        The one country, region or place that it is about; empty if there are several, or it is about the whole.
    latest : Timestamp, optional
        Last week that it is about; None if it is not about certain weeks.
    share : float
        Of the events that were looked at, or those of the country, how many it concerns; 1 if it is not about single
        events.
    """

    check: Check
    severity: Severity
    message: str
    count: int
    examples: tuple[str, ...] = ()
    unit: str = ""
    latest: pd.Timestamp | None = None
    share: float = 1.0

    def text(self, examples: int = MOST_EXAMPLES) -> str:
        """Return the message, and up to so many of the examples.

        Examples
        --------
        >>> check = Check("few", "Few", "Looks for few.", "note", "Wait.")
        >>> Finding(check, "note", "Three rows are short.", 3, ("row 2", "row 5")).text()
        'Three rows are short. They are row 2; row 5; and 1 more.'
        """
        shown = self.examples[:examples]
        if not shown:
            return self.message
        left = self.count - len(shown)
        parts = [*shown, f"and {left} more"] if left > 0 else list(shown)
        return f"{self.message} {'They are' if self.count > 1 else 'It is'} {'; '.join(parts)}."


def finding(
    check: Check,
    message: str,
    examples: Iterable[str],
    *,
    count: int,
    severity: Severity | None = None,
    unit: str = "",
    latest: pd.Timestamp | None = None,
    share: float = 1.0,
) -> Finding:
    """Return a finding of the check's usual severity, its examples cut to the most that are kept."""
    kept = tuple(text for _, text in zip(range(MOST_EXAMPLES), examples, strict=False))
    return Finding(check, severity or check.severity, message, count, kept, unit, latest, share)


def named(rows: pd.DataFrame) -> list[str]:
    """Return how messages call the events of these rows, as many as are shown: ``ucdp 633589``."""
    shown = rows.head(MOST_EXAMPLES)
    return [
        " ".join(str(part) for part in (source, event) if not pd.isna(part))
        for source, event in zip(shown["source"], shown["event_id"], strict=True)
    ]


def counted(count: int, thing: str, things: str = "") -> str:
    """Return a count and its noun, in the number that fits.

    Examples
    --------
    >>> counted(1, "event"), counted(2300, "event"), counted(2, "country", "countries")
    ('1 event', '2,300 events', '2 countries')
    """
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
