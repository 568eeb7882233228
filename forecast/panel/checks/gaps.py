"""Sudden gaps: runs of weeks without an event amid weeks that had some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.events.checks.finding import Check, Finding, counted, finding
from forecast.events.checks.silence import LONGEST_INTERRUPTION, silence_probability
from forecast.panel.checks.countries import country_totals
from forecast.panel.panel import Panel

SUDDEN_GAP = Check(
    "sudden_gap",
    "Sudden gaps",
    "Weeks without any event in a region, place or country where the weeks before and after make that improbable.",
    "warning",
    "Ask whether the source was interrupted there; if so, mark the weeks as missing instead of zero.",
)

WEEKS_EACH_SIDE = 26
FEWEST_AROUND = 12
"""Weeks around a run that must be known, so that there is something to compare with."""


def find_gaps(active: NDArray[np.bool_], level: float) -> list[tuple[int, int, float]]:
    """Return the improbable runs of silent weeks within a series.

    A run is compared with up to `WEEKS_EACH_SIDE` weeks before and after it (`silence_probability`). Runs at the ends
    are no gaps, nor are runs longer than `LONGEST_INTERRUPTION`. The level is shared among the weeks at which a run
    could start.

    Parameters
    ----------
    active : ndarray of bool, shape (weeks,)
        Whether there was any event; weeks that are not observed left out.
    level : float
        The most that a series of independent weeks of one level may have any such run.

    Returns
    -------
    list of (start, length, probability)
        Positions and lengths in weeks.

    Examples
    --------
    >>> active = np.ones(60, bool)
    >>> active[30:35] = False
    >>> [(start, length) for start, length, _ in find_gaps(active, 0.01)]
    [(30, 5)]
    """
    at = np.flatnonzero(active)
    lengths = np.diff(at) - 1
    starts = at[:-1][lengths > 0] + 1
    found = []
    for start, length in zip(starts.tolist(), lengths[lengths > 0].tolist(), strict=True):
        stop = start + length
        around = np.r_[active[max(0, start - WEEKS_EACH_SIDE) : start], active[stop : stop + WEEKS_EACH_SIDE]]
        if len(around) < FEWEST_AROUND or length > LONGEST_INTERRUPTION:
            continue
        probability = float(silence_probability(int((~around).sum()), len(around), length))
        if probability * len(active) <= level:
            found.append((start, length, probability))
    return found


def sudden_gaps(panel: Panel, level: float) -> list[Finding]:
    """Return what `SUDDEN_GAP` finds: one finding for countries, one for units.

    Parameters
    ----------
    panel : Panel
    level : float
        The most that a panel of independent weeks of one level may have any finding; shared among the series.
    """
    units = [(name, panel.counts[:, i], panel.observed[:, i]) for i, name in enumerate(panel.units.names)]
    countries = [(name, *series) for name, series in country_totals(panel).items()]
    areas = countries if panel.units.kind == "region" and "" not in panel.units.groups else []
    share = level / (len(units) + len(areas))
    found = []
    for kind, series in (("country", areas), (panel.units.kind, units)):
        gaps = [
            (panel.weeks[observed][start : start + length], name)
            for name, counts, observed in series
            for start, length, _ in find_gaps((counts > 0)[observed], share)
        ]
        if gaps:
            gaps.sort(key=lambda gap: (-gap[0][-1].value, gap[1]))
            examples = [f"{name}, {counted(len(weeks), 'week')} from {weeks[0]:%Y-%m-%d}" for weeks, name in gaps]
            things = "countries" if kind == "country" else f"{kind}s"
            message = f"{counted(len(gaps), 'run')} of weeks without any event in {things} where events were usual."
            names = {name for _, name in gaps}
            unit = names.pop() if len(names) == 1 else ""
            found.append(finding(SUDDEN_GAP, message, examples, count=len(gaps), unit=unit, latest=gaps[0][0][-1]))
    return found
