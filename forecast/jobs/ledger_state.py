"""What the ledger of a workspace holds, and how its forecasts have turned out so far, with a page of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from forecast.evaluation.issued import IssuedRecord
from forecast.evaluation.scores import brier
from forecast.jobs.inputs import Inputs, open_inputs
from forecast.jobs.issue import ledger_of
from forecast.jobs.issue_content import counts_hash, ledger_name
from forecast.jobs.run_log import Clock
from forecast.ledger import read
from forecast.ledger.ledger import Ledger, open_ledger
from forecast.ledger.outcomes import Settled, settle
from forecast.ledger.track import issued_record
from forecast.reporting.issued_page import IssuedContent, render_issued
from forecast.reporting.page import page_name
from forecast.reporting.words import titles
from forecast.storage import check_writable, folder_in_progress
from forecast.workspace import Workspace


@dataclass(frozen=True)
class Standing:
    """How issued forecasts have turned out, by the counts as they are known now.

    Parameters
    ----------
    weeks : DataFrame
        One row a model, best CRPS first: model, n, crps, log, dss, wis; regions only, first issues only.
    events : DataFrame
        One row a model and escalation: model, escalation, n, stated (mean probability), came (share that came), brier.
    """

    weeks: pd.DataFrame
    events: pd.DataFrame


def existing_ledger(workspace: Workspace) -> Ledger:
    """Open the ledger of a workspace.

    Raises
    ------
    InputError
        If there is none yet.
    """
    return open_ledger(ledger_of(workspace), create=False)


def score_issues(workspace: Workspace, ledger: Ledger, clock: Clock) -> tuple[Inputs, Settled | None]:
    """Record what is known now of the forecasts of the past; return the data, and what was new of it.

    Raises
    ------
    InputError
        For whatever is wrong in the data.
    """
    inputs, now = open_inputs(workspace), clock.now()
    name, vintage = ledger_name(workspace), counts_hash(inputs)
    return inputs, ledger.append(lambda connection: settle(connection, name, inputs.panels, vintage, now))


@dataclass(frozen=True, eq=False)
class PublishedRecord:
    """The track record of a report, and its page.

    Parameters
    ----------
    record : IssuedRecord
    index : Path
    """

    record: IssuedRecord
    index: Path


def publish_record(workspace: Workspace, inputs: Inputs, connection: Connection) -> PublishedRecord:
    """Write how the issues of the workspace's report have turned out to ``out/track-record/<report>/index.html``.

    In other languages of the report, too.
    """
    definition = workspace.report()
    record = issued_record(connection, ledger_name(workspace), definition.name)
    content = IssuedContent(
        workspace=workspace.spec.title,
        record=record,
        known_until=inputs.regions.known_until,
        escalations=workspace.spec.escalations,
        headline_escalation=definition.headline_escalation,
        called={name: title for panel in inputs.panels.values() for name, title in titles(panel.units).items()},
        simulated=inputs.simulated,
        link=read.last_link(connection),
        languages=definition.languages,
    )
    folder = workspace.out / "track-record" / definition.name
    check_writable(folder)
    with folder_in_progress(folder) as work:
        for language in definition.languages:
            page = render_issued(content, language=language)
            (work / page_name(language, definition.languages)).write_text(page, encoding="utf-8", newline="\n")
    return PublishedRecord(record, folder / "index.html")


def standing(connection: Connection, workspace: str) -> Standing:
    """Return how the first issues of a workspace have turned out."""
    numbers = [entry.number for entry in read.issues(connection, workspace) if entry.head.revision == 1]
    found = read.scores(connection, numbers)
    regions = found[found["unit_kind"] == "region"]
    weeks = regions.groupby("model")[["crps", "log", "dss", "wis"]].mean()
    weeks = weeks.assign(n=regions.groupby("model").size()).sort_values("crps").reset_index()
    key = ["issue", "unit_kind", "unit", "escalation"]
    came = read.answers(connection, numbers).drop_duplicates(key, keep="last")
    said = read.chances(connection, numbers).merge(came, on=key).dropna(subset=["probability"])
    said = said[said["unit_kind"] == "region"].assign(brier=lambda table: brier(table["probability"], table["met"]))
    groups = said.groupby(["escalation", "model"])
    events = groups[["probability", "met", "brier"]].mean().set_axis(["stated", "came", "brier"], axis=1)
    return Standing(weeks, events.assign(n=groups.size()).reset_index())
