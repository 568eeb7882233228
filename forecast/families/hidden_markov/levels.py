"""The level of each unit before each week: discounted means of its own past, drawn to its country's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.families.recent import panel_level, pooled_level
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

START_WEEKS = 4.0
"""Weeks at the pooled level of the whole panel with which each unit starts; they are forgotten as others are."""


def unit_levels(panel: Panel, factors: Floats, half_lives: tuple[float, ...], pooling: float) -> Floats:
    r"""Return the level of each unit before each week, and after the last one.

    With discounted sums of counts and of what the season and the exposure let expect,
    :math:`a \leftarrow d a + y`, :math:`b \leftarrow d b + s`, and the pooled level g of the unit's country, the level
    is the mean of a gamma posterior, :math:`(a + \alpha) / (b + \alpha / g)`; with several discounts d it is the mean
    of their levels. Only weeks before a week enter its level, but for the start.

    Parameters
    ----------
    panel : Panel
    factors : ndarray, shape (weeks, units)
        Expected count of a unit at level 1: season times exposure.
    half_lives : tuple of float
        Weeks after which a count weighs half, for each discount. Empty: one level for all weeks, from all of them.
    pooling : float
        :math:`\alpha`, events at the pooled level that are added to each unit.

    Returns
    -------
    ndarray, shape (weeks + 1, units)
        Positive.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2020-01-04", periods=200, freq="7D", unit="s")
    >>> panel = Panel.of(np.full((200, 1), 3), weeks, Units.of(["A"]))
    >>> unit_levels(panel, np.ones((200, 1)), (26,), 0.5)[[0, -1], 0].round(1)
    array([3., 3.])
    """
    counts = np.where(panel.observed, panel.counts, 0).astype(np.float64)
    expected = np.where(panel.observed, factors, 0.0)
    groups = panel.units.group_codes()
    if not half_lives:
        events, weeks = counts.sum(axis=0), expected.sum(axis=0)
        level = _drawn(events, weeks, pooled_level(events, weeks, groups), pooling)
        return np.tile(level, (len(counts) + 1, 1))
    start = panel_level(panel) / panel.exposure * panel.exposure.mean()
    total = np.zeros((len(counts) + 1, len(start)))
    for half_life in half_lives:
        kept = 0.5 ** (1 / half_life)
        events, weeks = np.empty((2, *total.shape))
        events[0], weeks[0] = START_WEEKS * start, START_WEEKS
        for week, (count, share) in enumerate(zip(counts, expected, strict=True)):
            events[week + 1] = kept * events[week] + count
            weeks[week + 1] = kept * weeks[week] + share
        total += _drawn(events, weeks, pooled_level(events, weeks, groups), pooling)
    return total / len(half_lives)


def _drawn(events: Floats, weeks: Floats, pooled: Floats, shape: float) -> Floats:
    return np.asarray((events + shape) / (weeks + shape / pooled))
