"""The record of a backtest: what was forecast, how it scored."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

QUANTILE_LEVELS = (0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)
"""The 23 levels of the forecast hubs; the weighted interval score is over them."""

HEAD = 10
"""Columns p0 .. p9 of the pmf head that are kept."""

JOINT_COLUMNS = ("model", "origin", "unit_kind", "joint", "score", "dimensions", "value")


@dataclass(frozen=True)
class BacktestRecord:
    """Tables of one backtest, as they are written below ``out/backtests/<name>/``.

    Parameters
    ----------
    name : str
        The dataset or workspace that was back-tested.
    source : str
        What the counts are, for people to read.
    forecasts : DataFrame
        One row a model, origin, horizon and unit: model, origin, horizon, week, unit, unit_kind, observed
        (count, <NA> if missing), activity ("active": 10 or more events in the 52 weeks before the origin,
        "low": 1 to 9, "silent": 0), mean, q0.01 .. q0.99 (QUANTILE_LEVELS), p0 .. p9.
    scores : DataFrame
        One row a model, origin, horizon, unit and score: model, origin, horizon, unit, unit_kind, activity,
        score ("crps", "log", "dss", "wis"; and "pit_below", "pit_upto": the cdf at the observed count less one and
        at it), value. Only observed weeks.
    risk : DataFrame
        One row a model, origin, unit and escalation: model, origin, unit, unit_kind, activity, escalation,
        probability, outcome (0/1), brier, uncalibrated (the probability before recalibration; the same where there is
        none). Only where all target weeks are observed.
    leaderboard : DataFrame
        model, n, crps, log, dss, wis, brier_<escalation>, cov50, cov80, cov95, skill, skill_low, skill_high;
        best CRPS first; regions only.
    known_as : str
        What the forecasts could see of the weeks before: `forecast.evaluation.plan.BacktestPlan.known_as`.
    steps : DataFrame, optional
        Of a combined model, what each step brought or cost: `forecast.evaluation.step_table.step_table`.
    joint : DataFrame
        One row a model, origin, kind of unit, view and score of the joint paths: model, origin, unit_kind, joint
        ("units", "weeks": `forecast.evaluation.joint.VIEWS`), score ("energy", "variogram"), dimensions, value.
    """

    name: str
    source: str
    forecasts: pd.DataFrame
    scores: pd.DataFrame
    risk: pd.DataFrame
    leaderboard: pd.DataFrame
    known_as: str = ""
    steps: pd.DataFrame | None = None
    joint: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(JOINT_COLUMNS)))
