"""Level shifts that look like a change of coding: at the turn of a year, in all regions of a country at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from forecast.events.checks.finding import Check, Finding, finding
from forecast.panel.checks.countries import country_totals
from forecast.panel.panel import Panel

LEVEL_SHIFT = Check(
    "level_shift",
    "Level shifts that look like a change of coding",
    "A change of level at the turn of a year, in the same direction in all active regions of a country.",
    "warning",
    "Read the source's notes on that year: new rules or new sources. If so, start the fit after it, or model the two "
    "spans apart.",
)

SPAN_WEEKS = 24
BLOCK_WEEKS = 4
"""Weeks that are added up before the two sides are compared, so that weeks that go together count as less."""
FEWEST_REGIONS = 3
FEWEST_EVENTS = 16
"""Events on both sides together from which a region shows a direction."""
SMALLEST_FACTOR = 1.5
LARGEST_DISTANCE = 2
"""Weeks by which the best place of the break may miss the turn of the year."""


def shift_probability(before: NDArray[np.integer], after: NDArray[np.integer]) -> float:
    """Return how probable so large a difference of two spans is, if they are of one level.

    Student's t test, two-sided, on the square roots of sums over `BLOCK_WEEKS` weeks (Anscombe 1948,
    doi:10.1093/biomet/35.3-4.246).

    Parameters
    ----------
    before, after : ndarray of int, shape (SPAN_WEEKS,)

    Returns
    -------
    float

    Examples
    --------
    >>> shift_probability(np.full(24, 5), np.full(24, 10)) < 1e-3
    True
    """
    first, second = (np.sqrt(side.reshape(-1, BLOCK_WEEKS).sum(axis=1) + 0.375) for side in (before, after))
    pooled = max(float((first.var(ddof=1) + second.var(ddof=1)) / 2), 0.25)  # not below that of Poisson counts
    score = (second.mean() - first.mean()) / np.sqrt(2 * pooled / len(first))
    return float(2 * stdtr(2 * len(first) - 2, -abs(score)))


def best_break(counts: NDArray[np.integer]) -> int:
    """Return where a series most likely changes its level: the first position of the second part.

    The maximum of the Poisson likelihood ratio of two levels against one, over all splits that leave `BLOCK_WEEKS` on
    each side.

    Examples
    --------
    >>> best_break(np.repeat([3, 9], [10, 14]))
    10
    """
    total, weeks = np.cumsum(counts), len(counts)
    at = np.arange(BLOCK_WEEKS, weeks - BLOCK_WEEKS + 1)
    left = total[at - 1].astype(np.float64)
    right = total[-1] - left
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(left > 0, left * np.log(left / at), 0) + np.where(
            right > 0, right * np.log(right / (weeks - at)), 0
        )
    return int(at[np.argmax(gain)])


def level_shifts(panel: Panel, level: float) -> list[Finding]:
    """Return what `LEVEL_SHIFT` finds.

    Four conditions, all of which must hold for a country and a turn of a year with `SPAN_WEEKS` observed on both
    sides: the level of the country's total changes (`shift_probability`), by `SMALLEST_FACTOR` at least; the most
    likely place of the change (`best_break`) is the turn; at least `FEWEST_REGIONS` regions are active, and all of
    them change in the same direction, by half of that factor (on the log scale) at least.

    Parameters
    ----------
    panel : Panel
    level : float
        The most that a panel of independent weeks of one level may have any finding; shared among countries and
        turns.
    """
    groups = np.asarray(panel.units.groups, dtype=object)
    turns = [
        week
        for week in range(SPAN_WEEKS, len(panel.weeks) - SPAN_WEEKS + 1)
        if panel.weeks[week].year != panel.weeks[week - 1].year
    ]
    totals = country_totals(panel)
    found = []
    for country, (counts, observed) in totals.items():
        regions = panel.counts[:, groups == country]
        for turn in turns:
            both = slice(turn - SPAN_WEEKS, turn + SPAN_WEEKS)
            if not observed[both].all():
                continue
            factor = _common_shift(counts[both], regions[both], level / (len(totals) * len(turns)))
            if factor:
                active = int((regions[both].sum(axis=0) >= FEWEST_EVENTS).sum())
                where = country or "the data"
                message = (
                    f"In {where} counts change by a factor of {factor:.1f} with the week of "
                    f"{panel.weeks[turn]:%Y-%m-%d}, in all {active} active regions at once."
                )
                found.append(finding(LEVEL_SHIFT, message, (), count=active, unit=country, latest=panel.weeks[turn]))
    return found


def _common_shift(total: NDArray[np.integer], regions: NDArray[np.integer], level: float) -> float | None:
    """Return the factor of a change that all active regions have in common, None if there is none."""
    half = len(total) // 2
    factor = (total[half:].sum() + 0.5) / (total[:half].sum() + 0.5)
    active = regions[:, regions.sum(axis=0) >= FEWEST_EVENTS]
    if active.shape[1] < FEWEST_REGIONS or max(factor, 1 / factor) < SMALLEST_FACTOR:
        return None
    each = np.log((active[half:].sum(axis=0) + 0.5) / (active[:half].sum(axis=0) + 0.5)) * np.sign(np.log(factor))
    together = bool((each >= np.log(SMALLEST_FACTOR) / 2).all())
    if not together or abs(best_break(total) - half) > LARGEST_DISTANCE:
        return None
    return float(factor) if shift_probability(total[:half], total[half:]) <= level else None
