"""Events that may be one event recorded twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from forecast.events.checks.context import CheckContext
from forecast.events.checks.finding import MOST_EXAMPLES, Check, Finding, counted, finding
from forecast.events.checks.sphere import chord, unit_vectors

DUPLICATE = Check(
    "duplicate",
    "The same event twice",
    "Events of one source with the same day, point, type and deaths under different ids.",
    "warning",
    "Compare the two records in the source; small events in one town on one day can be real.",
)
NEAR_DUPLICATE = Check(
    "near_duplicate",
    "Nearly the same event twice",
    "Events of the same day, type and deaths at different points at most 1 km apart.",
    "note",
    "Compare the two records in the source; nothing is left out for it.",
)

NEAR_KM = 1.0
_VAGUE = ("region", "area", "country", "district")
"""Precisions at which events share the point of an area, so that the point says nothing."""


def duplicates(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `DUPLICATE` finds."""
    rows = _comparable(events)
    keys = ["source", "day", "latitude", "longitude", "event_type", "fatalities"]
    same = rows.duplicated(keys, keep=False)
    if not same.any():
        return []
    groups = rows[same].groupby(keys, sort=False, dropna=False)["event_id"].agg(list)
    extra = int(same.sum()) - len(groups)
    examples = [" = ".join(map(str, ids[:4])) + (" ..." if len(ids) > 4 else "") for ids in groups[:MOST_EXAMPLES]]
    message = (
        f"{counted(int(same.sum()), 'event')} in {counted(len(groups), 'group')} with the same day, point, type and "
        f"deaths: up to {extra:,} may be repeats."
    )
    return [finding(DUPLICATE, message, examples, count=len(groups), share=extra / len(events))]


def near_duplicates(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `NEAR_DUPLICATE` finds."""
    rows = _comparable(events)
    rows = rows.drop_duplicates(["day", "latitude", "longitude", "event_type", "fatalities"])
    keys = ["day", "event_type", "fatalities"]
    rows = rows[rows.duplicated(keys, keep=False)]
    if rows.empty:
        return []
    group = rows.groupby(keys, sort=False, dropna=False).ngroup().to_numpy(dtype=np.float64)
    # Groups stand apart in a fourth dimension, so that one tree serves them all.
    tree = cKDTree(np.column_stack([unit_vectors(rows["latitude"], rows["longitude"]), group]))
    pairs = tree.query_pairs(chord(NEAR_KM), output_type="ndarray")
    if not len(pairs):
        return []
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    ids = rows["event_id"].to_numpy(dtype=object)
    examples = [f"{ids[a]} and {ids[b]}" for a, b in pairs[:MOST_EXAMPLES]]
    message = (
        f"{counted(len(pairs), 'pair')} of events with the same day, type and deaths at most {NEAR_KM:g} km apart."
    )
    return [finding(NEAR_DUPLICATE, message, examples, count=len(pairs))]


def _comparable(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events whose day and point are known well enough for both to mean something when they agree."""
    well = (
        events["latitude"].notna()
        & events["longitude"].notna()
        & ~events["place_precision"].isin(_VAGUE)
        & events["date_precision"].fillna("day").eq("day")
    )
    start = events["date_start"].fillna(events["date"])
    columns = ["event_id", "source", "latitude", "longitude", "event_type", "fatalities"]
    chosen = well & start.notna()
    return events.loc[chosen, columns].assign(day=start[chosen])
