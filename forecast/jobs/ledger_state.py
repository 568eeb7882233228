"""What the ledger of a workspace holds, and how its forecasts have turned out so far."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection

from forecast.evaluation.scores import brier
from forecast.jobs.inputs import Inputs, open_inputs
from forecast.jobs.issue import ledger_of
from forecast.jobs.issue_content import counts_hash, ledger_name
from forecast.jobs.run_log import Clock
from forecast.ledger import read
from forecast.ledger.ledger import Ledger, open_ledger
from forecast.ledger.outcomes import Settled, settle
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
