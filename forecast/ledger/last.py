"""The issue before a forecast: what it said, and what was known then, to tell what has changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from forecast.ledger import read
from forecast.ledger.read import IssueEntry
from forecast.panel.weeks import WEEK

_CELL = ["unit_kind", "unit", "week"]


@dataclass(frozen=True, eq=False)
class LastIssue:
    """An issue as far as what comes after it is held against it.

    Parameters
    ----------
    entry : IssueEntry
    said : DataFrame
        Of the model that it spoke for: unit_kind, unit, escalation, probability.
    rules : mapping of escalation to its definition
    expected : DataFrame
        Mean counts of the same model: unit_kind, unit, week, mean.
    counts : DataFrame
        Counts of weeks before its origin as they were recorded by then: unit_kind, unit, week, count. Of weeks before
        the first issue of the ledger nothing is recorded.
    """

    entry: IssueEntry
    said: pd.DataFrame
    rules: Mapping[str, Mapping[str, Any]]
    expected: pd.DataFrame
    counts: pd.DataFrame

    @property
    def origin(self) -> pd.Timestamp:
        """First day of the first week that it forecast."""
        return pd.Timestamp(self.entry.head.origin)


def last_issue(
    connection: Connection,
    workspace: str,
    report: str,
    origin: pd.Timestamp,
    revision: int,
    *,
    before: int | None = None,
) -> LastIssue | None:
    """Return the issue that another one follows: of the latest origin up to its own, the last one made.

    Parameters
    ----------
    connection : Connection
    workspace, report : str
    origin : Timestamp
    revision : int
        Of the issue that follows: earlier ones of the same origin come before it.
    before : int, optional
        Only entries before this one.
    """
    here = (origin.date(), revision)
    there = [
        entry
        for entry in read.issues(connection, workspace, report)
        if (entry.head.origin, entry.head.revision) < here and (before is None or entry.number < before)
    ]
    if not there:
        return None
    entry = max(there, key=lambda entry: (entry.head.origin, entry.head.revision))
    issue = read.load_issue(connection, entry)
    chances = issue.chances[issue.chances["model"] == entry.head.headline].drop(columns="model")
    start = pd.Timestamp(entry.head.origin)
    outcomes = read.outcomes(connection, workspace)
    known = outcomes[(outcomes["settlement"] < entry.number) & (outcomes["week"] < start)]
    means = [
        found.frame(start, kind)[["unit_kind", "unit", "week", "mean"]]
        for (model, kind), found in issue.marginals.items()
        if model == entry.head.headline
    ]
    return LastIssue(
        entry,
        chances.reset_index(drop=True),
        {rule.name: json.loads(rule.definition) for rule in issue.rules},
        pd.concat(means, ignore_index=True),
        known.drop_duplicates(_CELL, keep="last")[[*_CELL, "count"]].reset_index(drop=True),
    )


def weeks_between(first: pd.Timestamp, second: pd.Timestamp) -> int:
    """Return how many weeks lie between two origins.

    Examples
    --------
    >>> weeks_between(pd.Timestamp("2026-01-03"), pd.Timestamp("2026-01-17"))
    2
    """
    return int((second - first) // WEEK)
