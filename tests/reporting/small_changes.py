"""What has changed since an issue, small: three regions and a place, corrected counts, learned shares."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from forecast.reporting.changes import PARTS, Changes

UNITS = [
    ("region", "Mali/Gao"),
    ("region", "Niger/<i>Tillabéri</i>"),
    ("region", "Niger/Agadez"),
    ("place", "Bamako 100 km"),
]
LAST = pd.Timestamp("2026-07-25")


def small_changes() -> Changes:
    parts = pd.DataFrame(
        [
            (0.0, 0.05, -0.01, 0.20, -0.02),
            (0.0, 0.0, 0.01, -0.12, 0.01),
            (0.0, 0.0, 0.0, 0.001, 0.0),
            (0.0, 0.0, 0.02, 0.03, 0.0),
        ],
        columns=list(PARTS),
    )
    tables = [
        pd.DataFrame(UNITS, columns=["unit_kind", "unit"])
        .assign(escalation=rule, then=[0.2, 0.4, 0.05, 0.3])
        .join(parts * scale)
        for rule, scale in {"above_recent": 1.0, "any_event": 0.5}.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    table["now"] = table["then"] + table[list(PARTS)].sum(axis=1)
    return Changes(
        origin=LAST,
        issued_at=dt.datetime(2026, 7, 27, 6, tzinfo=dt.UTC),
        table=table,
        weeks=pd.DataFrame(UNITS, columns=["unit_kind", "unit"]).assign(
            week=LAST, count=[7, 0, 1, 3], expected=[3.2, 1.5, 0.02, np.nan]
        ),
        corrected=pd.DataFrame(
            {
                "unit_kind": "region",
                "unit": "Mali/Gao",
                "week": [LAST - pd.Timedelta(weeks=2), LAST - pd.Timedelta(weeks=1)],
                "then": [1, -1],
                "now": [3, 2],
            }
        ),
        shares=pd.DataFrame({"model": ["discount", "climatology"], "then": [0.5, 0.5], "now": [0.62, 0.38]}),
    )
