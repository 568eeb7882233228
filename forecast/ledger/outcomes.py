"""What came of the forecasts: which counts are new or corrected, and the answers and scores that follow from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from forecast.evaluation.scores import score_forecast
from forecast.ledger import read, schema
from forecast.ledger.issue import Issue
from forecast.ledger.settlement import ANSWER_COLUMNS, OUTCOME_COLUMNS, SCORE_COLUMNS, Settlement, append_settlement
from forecast.ledger.write import Recorded
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK

Bools = NDArray[np.bool_]
_CELL = ["unit_kind", "unit", "week"]
_ANSWER = ["issue", "unit_kind", "unit", "escalation"]


class _Known(NamedTuple):
    """Of the target weeks of an issue, for one kind of unit; arrays of shape (horizon, units)."""

    counts: NDArray[np.int64]
    seen: Bools
    fresh: Bools  # new, or corrected


class Settled(NamedTuple):
    """A settlement that was recorded, and how many of its counts had another value before."""

    settlement: Settlement
    entry: Recorded
    corrected: int


def settle(
    connection: Connection, workspace: str, panels: Mapping[UnitKind, Panel], vintage: str, recorded_at: dt.datetime
) -> Settled | None:
    """Compare what is known with what is recorded, and record what is new: counts, answers, scores.

    A week that is no longer known keeps what was recorded of it. Data that end before those of an earlier settlement
    cannot correct it, and are passed over.

    Parameters
    ----------
    connection : Connection
        From `Ledger.append`.
    workspace : str
    panels : mapping of unit kind to Panel
        All that is known.
    vintage : str
        Their hash.
    recorded_at : datetime
        Now, with a time zone.

    Returns
    -------
    Settled or None
        None if nothing is new.
    """
    entries = read.issues(connection, workspace)
    until = min(panel.known_until for panel in panels.values()).date()
    before = read.last_known(connection, workspace)
    if not entries or (before is not None and until < before):
        return None
    fresh = _fresh_counts(connection, workspace, panels, min(entry.head.origin for entry in entries))
    settled = read.last_settlement(connection, workspace)
    weeks, answers, scores = set(fresh["week"]), [], []
    for entry in entries:
        # One that was issued since, for weeks of which much is recorded already, has not been scored by that.
        new = entry.number > settled
        origin = pd.Timestamp(entry.head.origin)
        if new or not weeks.isdisjoint(origin + step * WEEK for step in range(entry.head.horizon)):
            issue = read.load_issue(connection, entry, with_chances=False)
            known = {kind: _known_of(issue, kind, panel, None if new else fresh) for kind, panel in panels.items()}
            answers.append(_answers(issue, known).assign(issue=entry.number))
            scores.append(_scores(issue, known).assign(issue=entry.number))
    if fresh.empty and not any(map(len, scores)):
        return None
    settlement = Settlement(
        workspace,
        until,
        vintage,
        fresh[list(OUTCOME_COLUMNS)],
        _changed(connection, _together(answers, ANSWER_COLUMNS)),
        _together(scores, SCORE_COLUMNS),
    )
    return Settled(settlement, append_settlement(connection, settlement, recorded_at), int(fresh["corrected"].sum()))


def _fresh_counts(
    connection: Connection, workspace: str, panels: Mapping[UnitKind, Panel], first: dt.date
) -> pd.DataFrame:
    """Return `OUTCOME_COLUMNS` of the counts that are new or corrected, and which of them are ``corrected``."""
    issue, question, unit = schema.Issue, schema.Question, schema.Unit
    asked = select(question.unit_id).join_from(question, issue).where(issue.workspace == workspace).distinct()
    units = read.frame(
        connection, select(unit.kind.label("unit_kind"), unit.name.label("unit")).where(unit.id.in_(asked))
    )
    now = pd.concat([_counts(kind, panel, pd.Timestamp(first)) for kind, panel in panels.items()])
    recorded = read.outcomes(connection, workspace).drop_duplicates(_CELL, keep="last")
    both = now.merge(units, on=_CELL[:2]).merge(recorded, on=_CELL, how="left", suffixes=("", "_before"))
    fresh = both[both["count_before"].isna() | (both["count_before"] != both["count"])]
    return fresh.assign(corrected=fresh["count_before"].notna()).reset_index(drop=True)


def _counts(kind: UnitKind, panel: Panel, first: pd.Timestamp) -> pd.DataFrame:
    """Return the known counts of a panel from a week on, with the columns `OUTCOME_COLUMNS`."""
    week, unit = np.nonzero(panel.observed & (panel.weeks >= first)[:, None])
    return pd.DataFrame(
        {
            "unit_kind": kind,
            "unit": np.asarray(panel.units.names, dtype=object)[unit],
            "week": panel.weeks[week].astype("datetime64[s]"),
            "count": panel.counts[week, unit],
        }
    )


def _known_of(issue: Issue, kind: UnitKind, panel: Panel, fresh: pd.DataFrame | None) -> _Known:
    """Return what is known of the target weeks of an issue, in the order of its units; all is fresh if not given."""
    units = next((marginals.units for (_, of), marginals in issue.marginals.items() if of == kind), ())
    weeks = pd.DatetimeIndex([pd.Timestamp(issue.head.origin) + step * WEEK for step in range(issue.head.horizon)])
    row, column = panel.weeks.get_indexer(weeks), pd.Index(panel.units.names).get_indexer(pd.Index(units))
    there = (row >= 0)[:, None] & (column >= 0)[None, :]
    cells = np.ix_(row, column)
    seen = there & panel.observed[cells]
    counts = np.where(seen, panel.counts[cells], 0)
    if fresh is None:
        return _Known(counts, seen, seen)
    new = np.zeros(seen.shape, dtype=np.bool_)
    mine = fresh[(fresh["unit_kind"] == kind) & fresh["week"].isin(weeks) & fresh["unit"].isin(units)]
    new[weeks.get_indexer(pd.DatetimeIndex(mine["week"])), pd.Index(units).get_indexer(pd.Index(mine["unit"]))] = True
    return _Known(counts, seen, new)


def _scores(issue: Issue, known: Mapping[UnitKind, _Known]) -> pd.DataFrame:
    """Return `SCORE_COLUMNS`, without the issue, of the weeks whose counts are fresh."""
    origin, parts = pd.Timestamp(issue.head.origin), []
    for (model, kind), marginals in issue.marginals.items():
        what = known.get(cast("UnitKind", kind))
        if what is None or not what.fresh.any():
            continue
        found = score_forecast(marginals.forecast(origin, kind), what.counts, marginals.quantiles)
        step, unit = np.nonzero(what.fresh)
        columns = {"model": model, "unit_kind": kind, "unit": np.asarray(marginals.units, dtype=object)[unit]}
        values = {name: found[name][what.fresh] for name in read.SCORES}
        parts.append(pd.DataFrame({**columns, "horizon": step + 1, **values}))
    return _together(parts, SCORE_COLUMNS[1:])


def _answers(issue: Issue, known: Mapping[UnitKind, _Known]) -> pd.DataFrame:
    """Return `ANSWER_COLUMNS`, without the issue, of the escalations that fresh counts decide."""
    ahead = {rule.name: rule.weeks for rule in issue.rules}
    units = {kind: marginals.units for (_, kind), marginals in issue.marginals.items()}
    parts = []
    for (kind, name), asked in issue.questions.groupby(["unit_kind", "escalation"]):
        what, weeks = known.get(cast("UnitKind", kind)), ahead[str(name)]
        if what is None or not what.fresh[:weeks].any():
            continue
        at = pd.Index(units[str(kind)]).get_indexer(pd.Index(asked["unit"]))
        level = asked["level"].to_numpy()
        decided = np.isfinite(level) & what.seen[:weeks, at].all(axis=0) & what.fresh[:weeks, at].any(axis=0)
        met = what.counts[:weeks, at].sum(axis=0) >= level
        keys = {"unit_kind": kind, "unit": asked["unit"][decided], "escalation": name}
        parts.append(pd.DataFrame({**keys, "met": met[decided].astype(np.int64)}))
    return _together(parts, ANSWER_COLUMNS[1:])


def _changed(connection: Connection, answers: pd.DataFrame) -> pd.DataFrame:
    """Return those answers that are not recorded as they are."""
    recorded = read.answers(connection, sorted(set(answers["issue"]))).drop_duplicates(_ANSWER, keep="last")
    both = answers.merge(recorded, on=_ANSWER, how="left", suffixes=("", "_before"))
    return answers[(both["met_before"].isna() | (both["met_before"] != both["met"])).to_numpy()]


def _together(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Return tables as one, with these columns also if there is none."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[list(columns)] if filled else pd.DataFrame(columns=list(columns))
