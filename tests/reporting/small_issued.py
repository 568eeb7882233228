"""A small track record of issued forecasts: 30 weeks, three regions and a place, a correction, a drift."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from forecast.evaluation.drift import drift_charts
from forecast.evaluation.issued import IssuedRecord
from forecast.panel.weeks import WEEK

FIRST = pd.Timestamp("2026-01-03")
REGIONS = ("Mali/Gao", "Mali/<b>Mopti</b>", "Niger/Agadez")
UNITS = [*(("region", name) for name in REGIONS), ("place", "Bamako 100 km")]
ISSUES = 30
DRIFT = 15
"""From this week on there are about four times as many events as forecast."""


def issued_record(issues: int = ISSUES) -> IssuedRecord:
    rng = np.random.default_rng(1)
    pmf = 0.5 ** np.arange(1, 25)
    said, counts = [], []
    for issue in range(issues):
        origin = FIRST + issue * WEEK
        for at, (kind, unit) in enumerate(UNITS):
            key = {"issue": issue + 1, "origin": origin, "unit_kind": kind, "unit": unit}
            for name, chance in {"above_recent": 0.1 + 0.2 * at, "any_event": 0.95 - 0.2 * at}.items():
                met = int(rng.random() < chance)
                probability = round(float(np.clip(chance + rng.normal(0, 0.1), 0.01, 0.99)), 3)
                said.append(
                    {**key, "escalation": name, "weeks": 4, "probability": probability, "base_rate": 0.3, "level": 2.0}
                    | {"met": met, "met_first": 1 - met if (issue, at) == (6, 1) else met}
                )
            for horizon in (1, 2):
                count = int(rng.geometric(0.2 if issue + horizon > DRIFT else 0.5) - 1)
                below = float(pmf[:count].sum())
                before = count + 2 if (issue + horizon, at) == (8, 0) else count
                counts.append(
                    {**key, "week": origin + (horizon - 1) * WEEK, "horizon": horizon, "count": count}
                    | {"crps": 0.4 + 0.1 * count, "pit_below": below, "pit_upto": float(pmf[: count + 1].sum())}
                    | {"count_first": before, "crps_first": 0.4 + 0.1 * before}
                )
    weeks = pd.DataFrame(counts)
    first = weeks[(weeks["horizon"] == 1) & (weeks["unit_kind"] == "region")]
    return IssuedRecord(
        issues=pd.DataFrame(
            {
                "issue": range(1, issues + 1),
                "origin": pd.date_range(FIRST, periods=issues, freq=WEEK, unit="s"),
                "issued_at": [dt.datetime(2026, 1, 5, tzinfo=dt.UTC) + issue * WEEK for issue in range(issues)],
                "model": "discount",
            }
        ),
        statements=pd.DataFrame(said),
        counts=weeks,
        weeks=pd.date_range(FIRST, periods=issues, freq=WEEK, unit="s"),
        charts=drift_charts(np.tile(pmf, (len(first), 1)), first["count"].to_numpy(), pd.DatetimeIndex(first["week"])),
        undecided=16,
    )
