"""Counts that hold nothing to learn from: no event at all, all of them in one week, or the same count every week."""

from __future__ import annotations

import numpy as np

from forecast.events.checks.finding import Check, Finding, counted, finding
from forecast.panel.panel import Panel

NOTHING_TO_LEARN = Check(
    "nothing_to_learn",
    "Counts without anything to learn from",
    "No event in any region, events in one week alone, or the same count in every week.",
    "warning",
    "Look whether the right column, measure and regions are counted; without more, forecasts are the models' priors.",
)


def nothing_to_learn(panel: Panel, level: float) -> list[Finding]:
    """Return what `NOTHING_TO_LEARN` finds: at most one thing, about all units together."""
    del level
    seen = np.flatnonzero(panel.observed.any(axis=1))
    counts = panel.counts[panel.observed]
    if not len(seen):
        return []
    span, units = counted(len(seen), "week"), counted(len(panel.units), panel.units.kind)
    weeks = np.flatnonzero((panel.counts * panel.observed).any(axis=1))
    if not len(weeks):
        message = f"There is no event in {span} of {units}: forecasts are the models' priors, lowered by the silence."
    elif len(weeks) == 1 and len(seen) > 1:
        alone = f"{panel.weeks[weeks[0]]:%Y-%m-%d}"
        message = f"All events of {span} are in the one of {alone}: nothing tells how often they come."
    elif len(seen) > 1 and counts.min() == counts.max():
        message = f"The count is {counts[0]} in every one of {span} of {units}: nothing tells how counts vary."
    else:
        return []
    return [finding(NOTHING_TO_LEARN, message, (), count=len(seen), latest=panel.weeks[seen[-1]])]
