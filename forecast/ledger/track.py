"""The track record of issued forecasts, as the ledger has it: what each report said, and what came."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from forecast.evaluation.control_chart import ControlChart
from forecast.evaluation.drift import Drift, drift_charts
from forecast.evaluation.issued import IssuedRecord
from forecast.ledger import read
from forecast.ledger.statements import headline_marginals, statements
from forecast.panel.weeks import WEEK

_CASE = ["issue", "unit_kind", "unit", "escalation"]
_CELL = ["issue", "unit_kind", "unit", "horizon"]


def issued_record(
    connection: Connection,
    workspace: str,
    report: str,
    *,
    until: pd.Timestamp | None = None,
    before: int | None = None,
) -> IssuedRecord:
    """Return how the issues of a report have turned out.

    Parameters
    ----------
    connection : Connection
    workspace, report : str
    until : Timestamp, optional
        Only what could be known on this day: issues of origins, and weeks, before it.
    before : int, optional
        Only entries before this one, so that the record of then can be made again.

    Returns
    -------
    IssuedRecord
    """
    entries = [
        entry
        for entry in read.issues(connection, workspace, report)
        if entry.head.revision == 1
        and (until is None or pd.Timestamp(entry.head.origin) < until)
        and (before is None or entry.number < before)
    ]
    numbers = [entry.number for entry in entries]
    issues = pd.DataFrame(
        {
            "issue": np.array(numbers, np.int64),
            "origin": pd.DatetimeIndex([entry.head.origin for entry in entries]).as_unit("s"),
            "issued_at": [entry.recorded_at for entry in entries],
            "model": np.array([entry.head.headline for entry in entries], dtype=object),
        }
    )
    statements, undecided = _statements(connection, issues, until, before)
    counts = _counts(connection, workspace, issues, until, before)
    weeks, charts = _charts(connection, counts)
    return IssuedRecord(issues, statements, counts, weeks, charts, undecided)


def _statements(
    connection: Connection, issues: pd.DataFrame, until: pd.Timestamp | None, before: int | None
) -> tuple[pd.DataFrame, int]:
    """Return the decided statements of the headline models, and how many are not decided."""
    said = statements(connection, issues["issue"].tolist(), before=before).merge(issues, on="issue")
    decided = said.dropna(subset=["met"]).astype({"met": "int64", "met_first": "int64"})
    if until is not None:
        decided = decided[decided["origin"] + decided["weeks"] * WEEK <= until]
    columns = ["origin", "unit_kind", "unit", "escalation", "weeks", "probability", "base_rate", "level"]
    decided = decided[["issue", *columns, "met", "met_first"]]
    return decided.sort_values(["origin", *_CASE[1:]], ignore_index=True), len(said) - len(decided)


def _counts(
    connection: Connection, workspace: str, issues: pd.DataFrame, until: pd.Timestamp | None, before: int | None
) -> pd.DataFrame:
    """Return the known weeks of the headline models' forecasts, with scores by the first and the latest counts."""
    scores = read.scores(connection, issues["issue"].tolist(), latest=False)
    scores = scores.drop(columns="origin").merge(issues, on=["issue", "model"])
    scores = scores.assign(week=scores["origin"] + (scores["horizon"] - 1) * WEEK)
    outcomes = read.outcomes(connection, workspace)
    if before is not None:
        scores, outcomes = scores[scores["settlement"] < before], outcomes[outcomes["settlement"] < before]
    if until is not None:
        scores = scores[scores["week"] < until]
    key = ["unit_kind", "unit", "week"]
    latest, first = (outcomes.drop_duplicates(key, keep=keep)[[*key, "count"]] for keep in ("last", "first"))
    found = scores.drop_duplicates(_CELL, keep="last")
    found = found.merge(scores.drop_duplicates(_CELL)[[*_CELL, "crps"]], on=_CELL, suffixes=("", "_first"))
    found = found.merge(latest, on=key).merge(first, on=key, suffixes=("", "_first"))
    columns = ["issue", "origin", "week", "horizon", "unit_kind", "unit", "count", "crps", "pit_below", "pit_upto"]
    found = found[[*columns, "count_first", "crps_first"]]
    return found.sort_values(["origin", "horizon", "unit_kind", "unit"], ignore_index=True)


def _charts(connection: Connection, counts: pd.DataFrame) -> tuple[pd.DatetimeIndex, dict[Drift, ControlChart]]:
    """Return the charts of the forecasts of regions one week ahead, and their weeks."""
    first = counts[(counts["unit_kind"] == "region") & (counts["horizon"] == 1)]
    if first.empty:
        return pd.DatetimeIndex([]), {}
    first = first.sort_values("issue", kind="stable")
    pmfs = []
    for number, _, said in headline_marginals(connection, sorted(set(first["issue"])), "region"):
        at = {unit: place for place, unit in enumerate(said.units)}
        pmfs.append(said.pmf[0, [at[unit] for unit in first.loc[first["issue"] == number, "unit"]]])
    k = max(pmf.shape[1] for pmf in pmfs)
    pmf = np.concatenate([np.pad(pmf, ((0, 0), (0, k - pmf.shape[1]))) for pmf in pmfs])
    week = pd.DatetimeIndex(first["week"])
    charts = drift_charts(pmf, first["count"].to_numpy(np.int64), week)
    return pd.date_range(week.min(), week.max(), freq=WEEK, unit="s"), charts
