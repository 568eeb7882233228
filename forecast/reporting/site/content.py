"""What the archive shows: issues, what each said, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from forecast.evaluation.issued import IssuedRecord
from forecast.language import SOURCE, Language, spoken
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import Escalation
from forecast.reporting.page import page_name
from forecast.reporting.rules import rule_titles

UnitKey = tuple[str, str]
"""Kind and name of a region or place."""


@dataclass(frozen=True)
class SiteUnit:
    """A region or place.

    Parameters
    ----------
    kind : {"region", "place"}
    name, title : str
        In the ledger, and in words.
    path : str
        Folder of its page, below the site.
    """

    kind: UnitKind
    name: str
    title: str
    path: str


@dataclass(frozen=True)
class RuleText:
    """An escalation as an issue asked it.

    Parameters
    ----------
    name : str
    weeks : int
    definition : str
        JSON.
    rule : Escalation or None
        None where the definition is of another version of the package.
    among : tuple of Escalation
        All that the issue asked: titles tell them apart.
    """

    name: str
    weeks: int
    definition: str
    rule: Escalation | None
    among: tuple[Escalation, ...] = ()

    @property
    def title(self) -> str:
        """Short, in the language spoken; the name where the rule is not known."""
        return self._name if self.rule is None else rule_titles(self.among)[self.name]

    @property
    def sentence(self) -> str:
        """Whole, in the language spoken; the name where the rule is not known."""
        return self._name if self.rule is None else self.rule.sentence()

    @property
    def _name(self) -> str:
        return self.name.replace("_", " ")


@dataclass(frozen=True, eq=False)
class ArchivedIssue:
    """An issue of the ledger.

    Parameters
    ----------
    number : int
        Its place in the chain.
    link : str
    report : str
    origin : Timestamp
    revision : int
    issued_at : datetime
        In UTC.
    known_until : Timestamp
    horizon, draws, seed : int
    model, model_title : str
        Of the headline.
    version, vintage, settings, code : str
        Of the package, and hashes.
    warnings : tuple of str
    simulated : bool
    rules : tuple of RuleText
        The one that stands in front first.
    statements : DataFrame
        unit_kind, unit, escalation, weeks, definition, probability, base_rate, base_origins, level, met (NaN if not
        decided), met_first; of the headline model.
    weeks : DataFrame
        Of the headline model: unit_kind, unit, week, horizon, mean, quantiles q0.01 .. q0.99.
    counts : bool
        Whether it is in the track record: the first issue of an origin, of the report that the site is about.
    path : str
        Folder of its page, below the site.
    later : str
        That of the issue which said the same weeks again; empty if there is none.
    has_report : bool
        Whether the report as it was published stands beside its page, as ``report.html``.
    """

    number: int
    link: str
    report: str
    origin: pd.Timestamp
    revision: int
    issued_at: dt.datetime
    known_until: pd.Timestamp
    horizon: int
    draws: int
    seed: int
    model: str
    model_title: str
    version: str
    vintage: str
    settings: str
    code: str
    warnings: tuple[str, ...]
    simulated: bool
    rules: tuple[RuleText, ...]
    statements: pd.DataFrame
    weeks: pd.DataFrame
    counts: bool
    path: str
    later: str
    has_report: bool

    @property
    def front(self) -> RuleText:
        """The escalation that stands in front."""
        return self.rules[0]

    def said(self, unit_kind: str) -> pd.DataFrame:
        """Return what it said of the escalation in front, the highest probability first."""
        table = self.statements
        chosen = table[(table["unit_kind"] == unit_kind) & (table["escalation"] == self.front.name)]
        return chosen.sort_values(["probability", "unit"], ascending=[False, True], kind="stable")


@dataclass(frozen=True, eq=False)
class SiteContent:
    """All that the site shows.

    Parameters
    ----------
    title, report : str
        Of the workspace, and the report whose track record is shown.
    url : str
        Where the site will be, with a slash at its end; empty if that is not known.
    issues : tuple of ArchivedIssue
        The latest origin first, and of one origin the latest issue.
    record : IssuedRecord
        Of the report.
    outcomes : DataFrame
        unit_kind, unit, week, count, count_first: what is known, now and first.
    units : mapping of UnitKey to SiteUnit
        Regions before places, by their titles.
    entries : int
    link : str
        The last of the ledger.
    known_until : Timestamp or None
        Last day of the data by which outcomes are known.
    languages : tuple of Language
        Those of its pages.
    """

    title: str
    report: str
    url: str
    issues: tuple[ArchivedIssue, ...]
    record: IssuedRecord
    outcomes: pd.DataFrame
    units: Mapping[UnitKey, SiteUnit]
    entries: int
    link: str
    known_until: pd.Timestamp | None
    languages: tuple[Language, ...] = (SOURCE,)

    @property
    def page(self) -> str:
        """Name of each page in the language spoken."""
        return next(page_name(each, self.languages) for each in self.languages if each == spoken())

    @property
    def latest(self) -> ArchivedIssue:
        """The last word of the report."""
        return next(issue for issue in self.issues if issue.report == self.report)

    @property
    def simulated(self) -> bool:
        """Whether counts of any issue were simulated."""
        return any(issue.simulated for issue in self.issues)

    @property
    def called(self) -> dict[str, str]:
        """Titles by the names of regions and places."""
        return {unit.name: unit.title for unit in self.units.values()}
