"""The forecast for real: once for each origin, recorded in the ledger before it is published, and then left alone."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecast.errors import ForecastError
from forecast.evaluation.issued import IssuedRecord
from forecast.evaluation.stopwatch import Stopwatch
from forecast.events.store_lock import StoreBusyError, one_writer
from forecast.jobs.issue_content import counts_hash, issue_of, ledger_name
from forecast.jobs.issue_notes import again, behind, changed_since, drifted, stale
from forecast.jobs.preparation import Preparation, prepare
from forecast.jobs.run import Explain, carry_out
from forecast.jobs.run_log import RunLog
from forecast.jobs.time_budget import TimeBudget
from forecast.jobs.track_record import Progress
from forecast.jobs.what_changed import what_changed
from forecast.ledger import read
from forecast.ledger.address import Address, ledger_address
from forecast.ledger.issue import Issue
from forecast.ledger.last import last_issue
from forecast.ledger.ledger import Ledger, open_ledger
from forecast.ledger.outcomes import settle
from forecast.ledger.read import IssueEntry
from forecast.ledger.track import issued_record
from forecast.ledger.write import AlreadyIssuedError, Recorded, append_issue
from forecast.reporting.content import ReportContent
from forecast.storage import check_writable
from forecast.workspace import Workspace

Outcome = Literal["issued", "issued again", "unchanged", "kept", "published again", "draft", "not recorded"]
DRAFTS = "drafts"
DRAFT_NOTICE = "This is a draft: it was not issued and is not part of the track record."
LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Choices:
    """What the caller of a run chooses.

    Parameters
    ----------
    as_of : date, optional
    report : str, optional
    workers : int
        As in `forecast.jobs.run.run`.
    reissue : bool
        Issue again what was issued before; both are kept.
    draft : bool
        Leave the ledger and what was published alone.
    budget : float, optional
        Seconds after which only the headline model is worked on.
    cost : bool
        Write the core-seconds that the run took into its manifest and the footer of its report.
    """

    as_of: dt.date | None = None
    report: str | None = None
    workers: int = 2
    reissue: bool = False
    draft: bool = False
    budget: float | None = None
    cost: bool = False


@dataclass(frozen=True)
class Issued:
    """What a run has done.

    Parameters
    ----------
    outcome : Outcome
        "unchanged": issued before, from the same data; "kept": issued before, from other data or settings;
        "published again": issued before, but the page was missing.
    ready : Preparation
    folder : Path
        Where the report is.
    warnings : tuple of str
        What a scheduler should see.
    risk : DataFrame
        Of the headline model: unit, unit_kind, escalation, probability, base_rate, previous, level.
    entry : int or None
        Its place in the ledger.
    revision : int
    issued_at : datetime or None
    link : str
        The hash of the ledger's entry; empty if there is none.
    """

    outcome: Outcome
    ready: Preparation
    folder: Path
    warnings: tuple[str, ...]
    risk: pd.DataFrame
    entry: int | None = None
    revision: int = 1
    issued_at: dt.datetime | None = None
    link: str = ""


def ledger_of(workspace: Workspace) -> Address:
    """Return where the ledger of a workspace is."""
    return ledger_address(workspace.spec.ledger.url, os.environ, workspace.out.parent)


def issue_forecast(workspace: Workspace, choices: Choices, log: RunLog, progress: Progress | None = None) -> Issued:
    """Issue the forecast of an origin, unless that was done before.

    Parameters
    ----------
    workspace : Workspace
    choices : Choices
    log : RunLog
        Its clock gives the time of issue.
    progress : callable of (what, done, total), optional

    Raises
    ------
    InputError
        For whatever is wrong in the workspace or its data.
    ModelError
        If the headline model fails.
    ForecastError
        If another run is at work here, or the ledger cannot be reached: then nothing is published.
    """
    clock, budget = log.clock, None
    if choices.budget is not None:
        budget = TimeBudget(choices.budget, clock.seconds, clock.seconds())
    watched, watch = log.watched(progress), Stopwatch(clock.processor) if clock.processor is not None else None
    check_writable(workspace.out)
    with _one_run(workspace):
        ready = prepare(workspace, choices.as_of, choices.report)
        log.event("prepared", report=ready.definition.name, origin=f"{ready.origin:%Y-%m-%d}")
        told = stale(ready, choices.as_of or clock.now().date())
        done = _Run(ready, choices, log, watched, budget, told, watch).done()
        if watch is not None:
            log.event("cost", core_seconds=watch.rounded())
        return done


@dataclass(frozen=True)
class _Run:
    """One run, after its data were opened."""

    ready: Preparation
    choices: Choices
    log: RunLog
    progress: Progress
    budget: TimeBudget | None
    stale: tuple[str, ...]
    watch: Stopwatch | None

    def done(self) -> Issued:
        """Issue, or do what was asked for in its place."""
        out = self.ready.workspace.out
        if self.choices.draft:
            return self.without_ledger("draft", out / DRAFTS, (DRAFT_NOTICE,))
        if not self.ready.workspace.spec.ledger.enabled:
            return self.without_ledger("not recorded", out / "runs", ())
        with open_ledger(ledger_of(self.ready.workspace)) as ledger:
            return self.with_ledger(ledger)

    def without_ledger(self, outcome: Outcome, place: Path, notices: tuple[str, ...]) -> Issued:
        folder = place / self.ready.definition.name / f"{self.ready.origin:%Y-%m-%d}"
        done = carry_out(
            self.ready,
            workers=self.choices.workers,
            progress=self.progress,
            budget=self.budget,
            folder=folder,
            notices=notices,
            pressing=self.stale,
            watch=self.watch,
            cost=self.choices.cost,
        )
        return Issued(outcome, self.ready, folder, done.warnings, _headline_risk(done.content))

    def with_ledger(self, ledger: Ledger) -> Issued:
        record_outcomes(self.ready, ledger, self.log)
        there = self._issues(ledger)
        if there and not self.choices.reissue:
            return self._again(ledger, there[-1])
        return self._issue(ledger, revision=there[-1].head.revision + 1 if there else 1)

    def _issue(self, ledger: Ledger, revision: int) -> Issued:
        recorded: list[tuple[Recorded, dt.datetime]] = []

        def record(content: ReportContent, files: Mapping[str, str]) -> dict[str, Any]:
            issue, now = issue_of(self.ready, content, files, revision), self.log.clock.now()
            recorded.append((ledger.append(lambda connection: append_issue(connection, issue, now)), now))
            return _stamp(issue)

        issued = self._issued_so_far(ledger)
        try:
            done = carry_out(
                self.ready,
                workers=self.choices.workers,
                progress=self.progress,
                budget=self.budget,
                notices=again(revision),
                pressing=(*self.stale, *drifted(issued)),
                issued=issued,
                explain=self._explain(ledger, revision),
                record=record,
                watch=self.watch,
                cost=self.choices.cost,
            )
        except AlreadyIssuedError:
            return self._again(ledger, self._issues(ledger)[-1])
        entry, now = recorded[-1]
        self.log.event("issued", entry=entry.number, revision=revision, link=entry.link)
        # One that another machine was as fast to record, with the same content, counts as its own.
        mine = entry.new or entry.recorded_at == now.replace(microsecond=0)
        return Issued(
            "unchanged" if not mine else "issued" if revision == 1 else "issued again",
            self.ready,
            done.folder,
            (*done.warnings, *behind(entry)),
            _headline_risk(done.content),
            entry.number,
            revision,
            entry.recorded_at,
            entry.link,
        )

    def _again(self, ledger: Ledger, entry: IssueEntry) -> Issued:
        """Leave what was issued as it is; publish it again where it is missing."""
        ready, head = self.ready, entry.head
        with ledger.reading() as connection:
            issue = read.load_issue(connection, entry)
        risk = issue.chances[issue.chances["model"] == head.headline].merge(issue.questions)
        done = Issued(
            "unchanged",
            ready,
            ready.folder,
            tuple(json.loads(head.manifest)["warnings"]),
            risk,
            entry.number,
            head.revision,
            entry.recorded_at,
            entry.link,
        )
        changed = changed_since(ready, head.vintage, head.settings)
        if changed:
            told = (
                f"the forecast from {head.origin} was issued on {entry.recorded_at:%Y-%m-%d} and stays as it is, "
                f"though {changed} since: --reissue issues it again, --draft shows what it would be"
            )
            done = replace(done, outcome="kept", warnings=(*done.warnings, told))
        if _is_published(ready.folder, issue):
            return done
        if changed:
            missing = "its page is missing, and cannot be made again from other data or settings"
            return replace(done, warnings=(*done.warnings, missing))
        self._publish_again(ledger, issue, entry)
        return replace(done, outcome="published again")

    def _publish_again(self, ledger: Ledger, issue: Issue, entry: IssueEntry) -> None:
        """Make the page of an issue that was recorded and never, or no longer, published."""

        def record(content: ReportContent, files: Mapping[str, str]) -> dict[str, Any]:
            if issue_of(self.ready, content, files, entry.head.revision).forecast_hash() != entry.forecast:
                raise ForecastError(
                    f"the forecast from {entry.head.origin} was issued (entry {entry.number}), its page is missing, "
                    "and the same data and settings now give another forecast: the code has changed\n"
                    "  try: --reissue"
                )
            return _stamp(issue)

        revision, said = entry.head.revision, json.loads(entry.head.manifest)["warnings"]
        ready = replace(self.ready, models=_issued_models(self.ready, issue))
        issued = self._issued_so_far(ledger, before=entry.number)
        left_out = (text for text in said if text.startswith("left out"))
        carry_out(
            ready,
            workers=self.choices.workers,
            progress=self.progress,
            notices=again(revision),
            pressing=(*self.stale, *drifted(issued), *left_out),
            issued=issued,
            explain=self._explain(ledger, revision, before=entry.number),
            record=record,
        )

    def _explain(self, ledger: Ledger, revision: int, before: int | None = None) -> Explain | None:
        """Return what tells the changes since the last issue; None without one."""
        ready, name = self.ready, ledger_name(self.ready.workspace)
        with ledger.reading() as connection:
            last = last_issue(connection, name, ready.definition.name, ready.origin, revision, before=before)
        return None if last is None else partial(what_changed, ready, last)

    def _issued_so_far(self, ledger: Ledger, before: int | None = None) -> IssuedRecord:
        """Return how earlier issues have turned out; as the ledger knew it before an entry, if one is given."""
        ready, name = self.ready, ledger_name(self.ready.workspace)
        with ledger.reading() as connection:
            return issued_record(connection, name, ready.definition.name, until=ready.origin, before=before)

    def _issues(self, ledger: Ledger) -> list[IssueEntry]:
        ready = self.ready
        with ledger.reading() as connection:
            return read.issues(connection, ledger_name(ready.workspace), ready.definition.name, ready.origin.date())


def record_outcomes(ready: Preparation, ledger: Ledger, log: RunLog) -> None:
    """Record what the data of a run tell of the forecasts of the past."""
    inputs, now = ready.inputs, log.clock.now()
    name, vintage = ledger_name(ready.workspace), counts_hash(inputs)
    found = ledger.append(lambda connection: settle(connection, name, inputs.panels, vintage, now))
    if found is not None:
        log.event(
            "settled",
            entry=found.entry.number,
            counts=len(found.settlement.outcomes),
            corrected=found.corrected,
            scores=len(found.settlement.scores),
            link=found.entry.link,
        )


@contextmanager
def _one_run(workspace: Workspace) -> Iterator[None]:
    """Let one run at a time work in a workspace; the lock of one that was killed is gone with it."""
    try:
        with one_writer(workspace.out, LOCK_SECONDS):
            yield
    except StoreBusyError:
        raise ForecastError(
            f"another run is at work in this workspace\n  where: {workspace.out}\n"
            "  try: again when it is done; out/log/heartbeat.json tells how far it is"
        ) from None


def _stamp(issue: Issue) -> dict[str, Any]:
    """Return what the manifest says of the ledger."""
    return {"issue": {"revision": issue.head.revision, "forecast": issue.forecast_hash()}}


def _is_published(folder: Path, issue: Issue) -> bool:
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return False
    stamped = isinstance(manifest, dict) and manifest.get("issue") == _stamp(issue)["issue"]
    return stamped and (folder / "index.html").is_file()


def _issued_models(ready: Preparation, issue: Issue) -> tuple[Any, ...]:
    """Return the models that were issued: others were left out then, and have to be now."""
    issued = {model.name for model in issue.models}
    return tuple(model for model in ready.models if model.name in issued)


def _headline_risk(content: ReportContent) -> pd.DataFrame:
    return content.risk[content.risk["model"] == content.headline_model]
