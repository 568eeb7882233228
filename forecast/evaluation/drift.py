"""Whether forecasts have drifted away from what comes: weekly sums of PIT and score, of mean zero if they are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.evaluation.control_chart import ControlChart, control_chart

Floats = NDArray[np.float64]
Drift = Literal["pit", "score"]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Where what came stands among all that could have come, cell by cell.

    Parameters
    ----------
    middle : ndarray, shape (cells,)
        ``P(X < x) + P(X = x) / 2``, less one half, twice: from -1 to 1, of mean zero if the forecast is right.
    variance : ndarray, shape (cells,)
        Of that, if the forecast is right: ``(1 - sum of p^3) / 3``.
    """

    middle: Floats
    variance: Floats


def count_ranks(pmf: Floats, observed: NDArray[np.integer]) -> Ranks:
    """Return where counts stand in their forecasts: the PIT of counts, its middle. High where more came than forecast.

    Parameters
    ----------
    pmf : ndarray, shape (cells, k)
        Probabilities of 0 .. k - 1; what is missing to 1 lies at k.
    observed : ndarray of int, shape (cells,)

    Raises
    ------
    InputError
        If the shapes do not fit.

    Examples
    --------
    >>> count_ranks(np.array([[0.5, 0.3, 0.2]]), np.array([1])).middle.round(3).tolist()
    [0.3]
    """
    whole, y = _whole(pmf, observed)
    return _ranks(whole, np.broadcast_to(np.arange(whole.shape[1], dtype=np.float64), whole.shape), y)


def score_ranks(pmf: Floats, observed: NDArray[np.integer]) -> Ranks:
    """Return where the CRPS of what came stands among those of all counts. High where it is worse than forecast.

    Unlike the score itself it is bounded, so that one large week does not speak for years. Takes the same arguments as
    `count_ranks`.

    Examples
    --------
    >>> score_ranks(np.array([[0.5, 0.3, 0.2]]), np.array([2])).middle.round(3).tolist()
    [0.8]
    """
    whole, y = _whole(pmf, observed)
    cdf = np.cumsum(whole, axis=1)[:, :-1]
    none = np.zeros((len(cdf), 1))
    below, above = np.cumsum(cdf**2, axis=1), np.cumsum((1 - cdf[:, ::-1]) ** 2, axis=1)[:, ::-1]
    score = np.column_stack([none, below]) + np.column_stack([above, none])
    # Scores that differ by rounding alone are the same: the mass of both counts lies at them.
    return _ranks(whole, np.round(score, 9), y)


def weekly(ranks: Ranks, week: NDArray[np.integer], weeks: int) -> Floats:
    """Return the sum over the cells of each week in its standard deviations if they were independent, shape (weeks,).

    NaN in weeks without a cell that could turn out in more than one way. That cells of the same week depend on each
    other makes it larger or smaller by a factor, which the chart learns.

    Examples
    --------
    >>> weekly(Ranks(np.array([0.5, 0.5]), np.array([0.25, 0.0])), np.array([0, 1]), 2).tolist()
    [1.0, nan]
    """
    known = ranks.variance > 1e-9
    total = np.bincount(week[known], weights=ranks.middle[known], minlength=weeks)
    variance = np.bincount(week[known], weights=ranks.variance[known], minlength=weeks)
    return np.asarray(np.divide(total, np.sqrt(variance), out=np.full(weeks, np.nan), where=variance > 0))


def drift_charts(pmf: Floats, observed: NDArray[np.integer], week: pd.DatetimeIndex) -> dict[Drift, ControlChart]:
    """Return the charts of forecasts one week ahead.

    If the forecasts are right, what comes in a week tells nothing of the next, and each chart raises a false alarm once
    in `forecast.evaluation.control_chart.WEEKS_BETWEEN_FALSE_ALARMS` on average.

    Parameters
    ----------
    pmf : ndarray, shape (cells, k)
    observed : ndarray of int, shape (cells,)
    week : DatetimeIndex, shape (cells,)
        The charts have one point for each week from the first to the last.

    Returns
    -------
    dict of {"pit", "score"} to ControlChart
        "above" is an alarm that more came than forecast, or that forecasts are worse than they claim to be.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pmf = np.tile(0.5 ** np.arange(1, 15), (40 * 20, 1))
    >>> week = pd.date_range("2026-01-03", periods=40, freq="7D").repeat(20)
    >>> drift_charts(pmf, rng.geometric(np.repeat([0.5, 0.25], 400)) - 1, week)["pit"].alarms
    ((23, 'above'), (30, 'above'), (36, 'above'))
    """
    if not len(week):
        return {}
    at = np.asarray((week - week.min()).days) // 7
    ranks: dict[Drift, Ranks] = {"pit": count_ranks(pmf, observed), "score": score_ranks(pmf, observed)}
    return {name: control_chart(weekly(found, at, int(at.max()) + 1)) for name, found in ranks.items()}


def _whole(pmf: Floats, observed: NDArray[np.integer]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the pmf with the rest of its mass at k, and counts beyond that taken as k."""
    y = np.asarray(observed, np.int64)
    if pmf.ndim != 2 or y.shape != pmf.shape[:1] or (y < 0).any():
        raise InputError(
            f"pmf of shape {pmf.shape}, observations of shape {y.shape}", expected="(cells, k); (cells,), 0 or more"
        )
    whole = np.column_stack([pmf, np.clip(1 - pmf.sum(axis=1), 0, None)])
    return whole / whole.sum(axis=1, keepdims=True), np.minimum(y, pmf.shape[1])


def _ranks(mass: Floats, value: Floats, at: NDArray[np.int64]) -> Ranks:
    """Return the rank of the value of one outcome of each cell among those of all, ties in the middle."""
    cells = np.arange(len(mass))
    order = np.argsort(value, axis=1, kind="stable")
    p, v = np.take_along_axis(mass, order, axis=1), np.take_along_axis(value, order, axis=1)
    mine = value[cells, at][:, None]
    middle = (p * (v < mine)).sum(axis=1) + (p * (v == mine)).sum(axis=1) / 2
    # Outcomes of equal value are one atom.
    first = np.column_stack([np.ones(len(v), bool), np.diff(v, axis=1) > 0])
    atom = np.cumsum(first, axis=1) - 1 + cells[:, None] * v.shape[1]
    atoms = np.bincount(atom.ravel(), weights=p.ravel(), minlength=v.size).reshape(v.shape)
    return Ranks(2 * middle - 1, (1 - (atoms**3).sum(axis=1)) / 3)
