"""The archive for programs: ``index.json``, and ``forecast.json`` of each issue, with their schemas."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.reporting.site.content import ArchivedIssue, SiteContent
from forecast.reporting.site.fared import Fared, fared

FORMAT: Literal["escalation-forecast-site-1"] = "escalation-forecast-site-1"
"""Of both files; fields may be added to it, others make another one."""

Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unit(_Part):
    """A region or place; `page` is below the site, as all paths are."""

    kind: Literal["region", "place"]
    name: str
    title: str
    page: str


class Rule(_Part):
    """An escalation: its short title, the whole sentence, the weeks that it looks ahead."""

    name: str
    title: str
    sentence: str
    weeks: int


class Outcome(_Part):
    """What came of the statements about regions on the escalation in front; null as long as none is decided."""

    decided: int
    stated: float | None
    came: float | None
    brier: float | None
    brier_base: float | None
    corrected: int


class Highest(_Part):
    """A region with one of the highest probabilities of the escalation in front."""

    unit: str
    probability: Probability
    base_rate: Probability | None


class IssueEntry(_Part):
    """An issue: `entry` and `link` are those of the ledger; `later` is the page of a later issue of the same weeks."""

    entry: int
    link: str
    report: str
    origin: dt.date
    revision: int
    issued_at: str
    known_until: dt.date
    model: str
    horizon: int
    escalation: str
    in_track_record: bool
    later: str | None
    page: str
    data: str
    published_report: str | None
    warnings: tuple[str, ...]
    highest: tuple[Highest, ...]
    outcome: Outcome | None


class SiteIndex(_Part):
    """The file ``index.json``: issues of the latest origin first."""

    format: Literal["escalation-forecast-site-1"]
    title: str
    report: str
    url: str | None
    entries: int
    link: str
    known_until: dt.date | None
    units: tuple[Unit, ...]
    issues: tuple[IssueEntry, ...]


class Statement(_Part):
    """The probability of an escalation; `met` is null until it is decided, `met_first` is before corrections."""

    unit_kind: Literal["region", "place"]
    unit: str
    escalation: str
    probability: Probability
    base_rate: Probability | None
    level: float | None
    met: bool | None
    met_first: bool | None


class Week(_Part):
    """The forecast of a weekly count: its mean, and quantiles in the order of `quantile_levels`."""

    unit_kind: Literal["region", "place"]
    unit: str
    week: dt.date
    mean: float
    quantiles: tuple[int, ...]


class IssueData(_Part):
    """The file ``forecast.json``: all that an issue said by the model that its report speaks for."""

    format: Literal["escalation-forecast-site-1"]
    issue: IssueEntry
    escalations: tuple[Rule, ...]
    statements: tuple[Statement, ...]
    quantile_levels: tuple[float, ...]
    weeks: tuple[Week, ...]


_HIGHEST = 5


def index_json(content: SiteContent) -> bytes:
    """Return ``index.json``."""
    turned = fared(content)
    units = tuple(
        Unit.model_construct(kind=unit.kind, name=unit.name, title=unit.title, page=f"{unit.path}/index.html")
        for unit in content.units.values()
    )
    return _bytes(
        SiteIndex.model_construct(
            format=FORMAT,
            title=content.title,
            report=content.report,
            url=content.url or None,
            entries=content.entries,
            link=content.link,
            known_until=None if content.known_until is None else content.known_until.date(),
            units=units,
            issues=tuple(_entry(issue, turned.get(issue.number)) for issue in content.issues),
        )
    )


def issue_json(issue: ArchivedIssue, turned: Fared | None) -> bytes:
    """Return ``forecast.json`` of an issue."""
    levels = [f"q{level:g}" for level in QUANTILE_LEVELS]
    quantiles = issue.weeks[levels].astype("int64").to_numpy().tolist()
    weeks = issue.weeks[["unit_kind", "unit", "week", "mean"]].to_dict("records")
    return _bytes(
        IssueData.model_construct(
            format=FORMAT,
            issue=_entry(issue, turned),
            escalations=tuple(
                Rule(name=rule.name, title=rule.title, sentence=rule.sentence, weeks=rule.weeks) for rule in issue.rules
            ),
            statements=tuple(_statement(row) for row in issue.statements.to_dict("records")),
            quantile_levels=tuple(float(level) for level in QUANTILE_LEVELS),
            weeks=tuple(
                Week.model_construct(
                    unit_kind=row["unit_kind"],
                    unit=row["unit"],
                    week=row["week"].date(),
                    mean=round(row["mean"], 6),
                    quantiles=tuple(told),
                )
                for row, told in zip(weeks, quantiles, strict=True)
            ),
        )
    )


def schema(of: type[BaseModel]) -> bytes:
    """Return the JSON schema of a file."""
    return _text(of.model_json_schema())


def _entry(issue: ArchivedIssue, turned: Fared | None) -> IssueEntry:
    top = issue.said("region").head(_HIGHEST).to_dict("records")
    return IssueEntry.model_construct(
        entry=issue.number,
        link=issue.link,
        report=issue.report,
        origin=issue.origin.date(),
        revision=issue.revision,
        issued_at=f"{issue.issued_at:%Y-%m-%dT%H:%M:%SZ}",
        known_until=issue.known_until.date(),
        model=issue.model,
        horizon=issue.horizon,
        escalation=issue.front.name,
        in_track_record=issue.counts,
        later=f"{issue.later}/index.html" if issue.later else None,
        page=f"{issue.path}/index.html",
        data=f"{issue.path}/forecast.json",
        published_report=f"{issue.path}/report.html" if issue.has_report else None,
        warnings=issue.warnings,
        highest=tuple(
            Highest(unit=row["unit"], probability=_plain(row["probability"]), base_rate=_plain(row["base_rate"]))
            for row in top
        ),
        outcome=None
        if turned is None
        else Outcome(
            decided=turned.decided,
            corrected=turned.corrected,
            **{name: _plain(getattr(turned, name)) for name in ("stated", "came", "brier", "brier_base")},
        ),
    )


def _statement(row: Mapping[Any, Any]) -> Statement:
    numbers: dict[str, Any] = {name: _plain(row[name]) for name in ("probability", "base_rate", "level")}
    met: dict[str, Any] = {name: None if np.isnan(row[name]) else bool(row[name]) for name in ("met", "met_first")}
    return Statement.model_construct(
        unit_kind=row["unit_kind"], unit=row["unit"], escalation=row["escalation"], **numbers, **met
    )


def _plain(value: float) -> Any:
    return None if pd.isna(value) else round(float(value), 6)


def _bytes(content: BaseModel) -> bytes:
    return _text(content.model_dump(mode="json"))


def _text(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()
