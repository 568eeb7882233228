"""What the escalation probabilities of a record would have been worth to somebody who acts on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.evaluation.decision import RATIOS, THRESHOLDS, alarms, value_curve
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.risk_grid import RiskGrid
from forecast.panel.units import UnitKind
from forecast.predictive.escalation import Escalation
from forecast.provenance import generator


@dataclass(frozen=True)
class Decisions:
    """Alarms and value of one or more models for each escalation, on the cases that all of them have.

    Parameters
    ----------
    alarms : DataFrame
        model, escalation, and the columns of `forecast.evaluation.decision.alarms`.
    values : DataFrame
        model, escalation, and the columns of `forecast.evaluation.decision.value_curve`.
    """

    alarms: pd.DataFrame
    values: pd.DataFrame


def record_decisions(
    record: BacktestRecord,
    models: Sequence[str],
    escalations: Sequence[Escalation],
    *,
    unit_kind: UnitKind = "region",
    thresholds: Sequence[float] = THRESHOLDS,
    ratios: Sequence[float] = RATIOS,
    seed: int = 0,
) -> Decisions:
    """Return hits, false alarms, lead time and the value of acting, each with its interval.

    Parameters
    ----------
    record : BacktestRecord
    models : sequence of str
    escalations : sequence of Escalation
        Those of which the record has no case are left out.
    unit_kind : {"region", "place"}
    thresholds : sequence of float
        Probabilities from which an alarm is raised.
    ratios : sequence of float
        Cost of acting over loss if caught unprepared.
    seed : int
        Of the bootstrap.
    """
    raised, worth = [], []
    for rule in escalations:
        grid = RiskGrid.of(record.risk, rule.name, models, unit_kind)
        if grid is None or not np.isfinite((grid := grid.common()).outcome).any():
            continue
        for at, model in enumerate(grid.models):
            said, names = grid.probability[at], {"model": model, "escalation": rule.name}
            rng = generator(seed, "decisions", record.name, model, rule.name)
            found = alarms(said, grid.outcome, rng, weeks_ahead=rule.weeks, thresholds=thresholds)
            raised.append(found.assign(**names))
            worth.append(value_curve(said, grid.outcome, rng, ratios=ratios).assign(**names))
    return Decisions(_stacked(raised), _stacked(worth))


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables one below the other, model and escalation first."""
    if not tables:
        return pd.DataFrame(columns=["model", "escalation"])
    whole = pd.concat(tables, ignore_index=True)
    names = ["model", "escalation"]
    return whole[[*names, *(column for column in whole.columns if column not in names)]]
