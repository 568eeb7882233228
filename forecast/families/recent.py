"""What the recent weeks of a panel hold: sums over the last observed weeks, and the level that units share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.language import say_count
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

LEVEL_EVENTS = 0.5
"""Added to the events of all units together, so that a silent panel has a small rate and not 0."""
STEADY_WEEKS, STEADY_MEAN, STEADY_SHARE = 52, 20.0, 0.25
"""Last weeks and least weekly mean of what is taken for large counts; and the share of the least variance of a family's
rate beyond which theirs is not told of."""


def require_observed(panel: Panel) -> None:
    """Refuse a panel of which nothing is observed.

    Raises
    ------
    InputError
        If no week of any unit is observed.
    """
    if not panel.observed.any():
        raise InputError(
            "no week of any unit is observed",
            where=panel.source,
            expected="at least one observed week before the origin",
        )


def recent_sums(values: NDArray[np.integer] | Floats, observed: NDArray[np.bool_], weeks: int) -> Floats:
    """Return, after each week, the sum over each unit's last `weeks` observed weeks.

    Parameters
    ----------
    values : ndarray, shape (time, units)
    observed : ndarray of bool, shape (time, units)
        Missing weeks are stepped over: the window reaches further back instead.
    weeks : int
        Length of the window; fewer where no more is known.

    Returns
    -------
    ndarray, shape (time, units)
        Row t includes week t and nothing after it.

    Examples
    --------
    >>> recent_sums(np.array([[1], [9], [2], [4]]), np.array([[True], [False], [True], [True]]), 2).ravel()
    array([1., 1., 3., 6.])
    """
    known = np.cumsum(observed, axis=0)
    out = np.empty(values.shape)
    for unit in range(values.shape[1]):
        total = np.concatenate(([0.0], np.cumsum(values[observed[:, unit], unit])))
        out[:, unit] = total[known[:, unit]] - total[np.maximum(known[:, unit] - weeks, 0)]
    return out


def pooled_level(events: Floats, weeks: Floats, groups: NDArray[np.intp]) -> Floats:
    """Return the events a week of each unit's group, drawn to that of all units.

    Parameters
    ----------
    events, weeks : ndarray, shape (..., units)
        Events and observed weeks of each unit; at least one week is observed.
    groups : ndarray of int, shape (units,)
        Units of one group are pooled; the mean of all units enters each group as one more unit.

    Returns
    -------
    ndarray, shape (..., units)
        Positive.

    Examples
    --------
    >>> pooled_level(np.array([3.5, 0.0]), np.array([2.0, 2.0]), np.array([0, 0]))
    array([0.91666667, 0.91666667])
    """
    member = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)
    overall = (events.sum(-1, keepdims=True) + LEVEL_EVENTS) / np.maximum(weeks.sum(-1, keepdims=True), 1.0)
    one_unit = np.maximum(weeks.mean(-1, keepdims=True), 1.0 / events.shape[-1])
    levels = (events @ member + one_unit * overall) / (weeks @ member + one_unit)
    return np.asarray(levels[..., groups])


def panel_level(panel: Panel) -> Floats:
    """Return the pooled events a week of each unit over all weeks of a panel, in proportion to its exposure.

    Returns
    -------
    ndarray, shape (units,)
        Positive.
    """
    exposure = panel.exposure / panel.exposure.mean()
    known = panel.observed.sum(axis=0, dtype=np.float64)
    events = panel.counts.sum(axis=0, where=panel.observed, dtype=np.float64)
    return np.asarray(pooled_level(events, known * exposure, panel.units.group_codes()) * exposure)


def steadier_remark(panel: Panel, least: float) -> tuple[str, ...]:
    """Return a remark if large counts vary much less than a family can tell; empty if not.

    Parameters
    ----------
    panel : Panel
    least : float
        Smallest squared coefficient of variation of a rate that the family's settings allow.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2025-01-04", periods=60, freq="7D")
    >>> counts = np.random.default_rng(1).normal(10_000, 300, (60, 1)).round().astype(int)
    >>> steadier_remark(Panel.of(counts, weeks, Units.of(["Gao"])), 0.05)
    ('1 of 1 units has large counts that vary less than this model can tell: its ranges are too wide',)
    """
    counts = np.where(panel.observed, panel.counts, np.nan)[-STEADY_WEEKS:]
    enough = np.isfinite(counts).sum(axis=0) >= STEADY_WEEKS // 2
    mean, variance = np.nanmean(counts[:, enough], axis=0), np.nanvar(counts[:, enough], axis=0)
    steady = int(((mean >= STEADY_MEAN) & (variance - mean < STEADY_SHARE * least * mean**2)).sum())
    if not steady:
        return ()
    return (
        say_count(
            "{steady} of {units} units has large counts that vary less than this model can tell: its ranges are too "
            "wide",
            "{steady} of {units} units have large counts that vary less than this model can tell: their ranges are too "
            "wide",
            steady,
            steady=steady,
            units=len(panel.units),
        ),
    )
