"""From the ledger of a workspace to what its archive shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from forecast.errors import InputError, unknown_name
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.jobs.issue_content import ledger_name
from forecast.jobs.published import PublishedReports
from forecast.language import SOURCE, Language
from forecast.ledger import read, schema
from forecast.ledger.read import IssueEntry
from forecast.ledger.statements import headline_marginals, statements
from forecast.ledger.track import issued_record
from forecast.panel.units import UnitKind
from forecast.reporting.site.content import ArchivedIssue, RuleText, SiteContent, SiteUnit, UnitKey
from forecast.reporting.site.names import slugs, unit_title
from forecast.reporting.site.rules import rule_texts
from forecast.workspace import Workspace

_FOLDERS: dict[UnitKind, str] = {"region": "regions", "place": "places"}
_WEEKS = ("unit_kind", "unit", "week", "horizon", "mean", *(f"q{level:g}" for level in QUANTILE_LEVELS))


def site_content(
    connection: Connection,
    workspace: Workspace,
    reports: PublishedReports,
    *,
    report: str | None = None,
    url: str = "",
    entries: int,
) -> SiteContent:
    """Return all that the archive of a workspace shows.

    Parameters
    ----------
    connection : Connection
        From `Ledger.reading`.
    workspace : Workspace
    reports : PublishedReports
        Those that are still there.
    report : str, optional
        The one whose track record is shown; if not given that of the workspace, or the one issued last.
    url : str
        Where the site will be.
    entries : int
        Of the ledger.

    Raises
    ------
    InputError
        If nothing was issued, or nothing of this report; if no escalation of its latest issue is known here.
    """
    name = ledger_name(workspace)
    issued = sorted(read.issues(connection, name), key=lambda entry: (entry.head.origin, entry.number), reverse=True)
    if not issued:
        raise InputError(f"nothing was issued yet for {name!r}", hint="`forecast run`")
    main = _main_report(workspace, issued, report)
    numbers = [entry.number for entry in issued]
    said = dict(iter(statements(connection, numbers).groupby("issue")))
    weeks: dict[int, list[pd.DataFrame]] = {}
    heads = {entry.number: entry.head for entry in issued}
    for number, kind, marginals in headline_marginals(connection, numbers):
        frame = marginals.frame(pd.Timestamp(heads[number].origin), kind)
        weeks.setdefault(number, []).append(frame[list(_WEEKS)])
    titles = _model_titles(connection, numbers)
    paths = _paths(issued)
    none = statements(connection, [])
    issues = [
        _issue(
            entry,
            said.get(entry.number, none),
            pd.concat(weeks[entry.number], ignore_index=True),
            _rules(workspace, entry.head.report, said.get(entry.number, none)),
            main=main,
            title=titles[entry.number],
            paths=paths,
            has_report=reports.find(entry),
        )
        for entry in issued
    ]
    known = read.last_known(connection, name)
    content = SiteContent(
        title=workspace.spec.title,
        report=main,
        url=url,
        issues=tuple(issues),
        record=issued_record(connection, name, main),
        outcomes=_outcomes(connection, name),
        units=_units(issues),
        entries=entries,
        link=read.last_link(connection),
        known_until=None if known is None else pd.Timestamp(known),
        languages=_languages(workspace, main),
    )
    if not content.latest.rules or content.latest.front.rule is None:
        raise InputError(
            "no escalation of the latest issue is known to this version",
            hint="the version of escalation-forecast that issued it",
        )
    return content


def _languages(workspace: Workspace, report: str) -> tuple[Language, ...]:
    """Return the languages of a report; that of the code where there is no such report any more."""
    defined = (workspace.root / "reports" / f"{report}.toml").is_file()
    return workspace.report(report).languages if defined else (SOURCE,)


def _main_report(workspace: Workspace, issued: Sequence[IssueEntry], report: str | None) -> str:
    known = {entry.head.report for entry in issued}
    if report is None:
        own = workspace.spec.report.name
        return own if own in known else issued[0].head.report
    if report not in known:
        raise unknown_name("report", report, sorted(known), where="--report")
    return report


def _issue(
    entry: IssueEntry,
    said: pd.DataFrame,
    weeks: pd.DataFrame,
    rules: tuple[RuleText, ...],
    *,
    main: str,
    title: str,
    paths: Mapping[int, tuple[str, str]],
    has_report: bool,
) -> ArchivedIssue:
    head, manifest = entry.head, json.loads(entry.head.manifest)
    path, later = paths[entry.number]
    return ArchivedIssue(
        number=entry.number,
        link=entry.link,
        report=head.report,
        origin=pd.Timestamp(head.origin),
        revision=head.revision,
        issued_at=entry.recorded_at,
        known_until=pd.Timestamp(head.known_until),
        horizon=head.horizon,
        draws=head.draws,
        seed=head.seed,
        model=head.headline,
        model_title=title,
        version=head.version,
        vintage=head.vintage,
        settings=head.settings,
        code=head.code,
        warnings=tuple(map(str, manifest.get("warnings", []))),
        simulated=bool(manifest.get("data", {}).get("simulated", False)),
        rules=rules,
        statements=said.drop(columns="issue").sort_values(["unit_kind", "unit", "escalation"], ignore_index=True),
        weeks=weeks,
        counts=head.report == main and head.revision == 1,
        path=path,
        later=later,
        has_report=has_report,
    )


def _rules(workspace: Workspace, report: str, said: pd.DataFrame) -> tuple[RuleText, ...]:
    """Return the escalations of an issue in the order of the workspace, the one that its report puts in front first."""
    order = [rule.name for rule in workspace.spec.escalations]
    try:
        front = workspace.report(report).headline_escalation
    except InputError:  # there is no such report any more
        front = order[0]
    asked = said.drop_duplicates("escalation")[["escalation", "weeks", "definition"]].itertuples(index=False, name=None)
    known = sorted(asked, key=lambda rule: (order.index(rule[0]) if rule[0] in order else len(order), rule[0]))
    return rule_texts(known, front)


def _paths(issued: Sequence[IssueEntry]) -> dict[int, tuple[str, str]]:
    """Return the folder of each issue by its number, and that of the next issue of the same weeks."""
    folders = slugs(entry.head.report for entry in sorted(issued, key=lambda entry: entry.number))
    own = {
        entry.number: f"issues/{folders[entry.head.report]}/{entry.head.origin}"
        + (f"-{entry.head.revision}" if entry.head.revision > 1 else "")
        for entry in issued
    }
    revisions = {(entry.head.report, entry.head.origin, entry.head.revision): entry.number for entry in issued}
    later = {
        entry.number: own[revisions[key]]
        for entry in issued
        if (key := (entry.head.report, entry.head.origin, entry.head.revision + 1)) in revisions
    }
    return {number: (path, later.get(number, "")) for number, path in own.items()}


def _units(issues: Sequence[ArchivedIssue]) -> dict[UnitKey, SiteUnit]:
    """Return all regions and places, regions first, by their titles."""
    seen: dict[UnitKey, None] = {}
    for issue in sorted(issues, key=lambda issue: issue.number):
        there = pd.concat([issue.weeks[["unit_kind", "unit"]], issue.statements[["unit_kind", "unit"]]])
        seen |= dict.fromkeys(sorted(there.drop_duplicates().itertuples(index=False, name=None)))
    found = []
    for kind, folder in _FOLDERS.items():
        named = slugs(name for of, name in seen if of == kind)
        units = [SiteUnit(kind, name, unit_title(kind, name), f"{folder}/{slug}") for name, slug in named.items()]
        found += sorted(units, key=lambda unit: (unit.title, unit.name))
    return {(unit.kind, unit.name): unit for unit in found}


def _outcomes(connection: Connection, name: str) -> pd.DataFrame:
    key = ["unit_kind", "unit", "week"]
    counts = read.outcomes(connection, name).drop(columns="settlement")
    first = counts.drop_duplicates(key)
    return counts.drop_duplicates(key, keep="last").merge(first, on=key, suffixes=("", "_first"))


def _model_titles(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Return the title of the headline model of each issue."""
    table, model, issue = schema.Distribution, schema.Model, schema.Issue
    chosen = (
        select(issue.id, model.name, model.spec)
        .join_from(table, issue, issue.id == table.issue_id)
        .join(model, model.id == table.model_id)
        .where(issue.id.in_(numbers), model.name == issue.headline)
        .distinct()
    )
    return {number: _title(json.loads(spec), name) for number, name, spec in connection.execute(chosen)}


def _title(spec: Any, name: str) -> str:
    title = spec.get("title") if isinstance(spec, dict) else None
    return title if isinstance(title, str) and title else name
