"""Whether a step earned its place: whether it made earlier forecasts better, by more than chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BLOCK_WEEKS = 13
"""Weeks that count as one piece of evidence, because conflict in neighbouring weeks is not independent."""
LEVEL = 0.95
"""How sure a gain must be."""


def earned(before: Floats, after: Floats, cases: Floats, week: NDArray[np.int64], *, least: int) -> Bools:
    r"""Tell for each group of cases whether a step made past forecasts better.

    With the sums of a score s over the cases of a group at origin o, before (B) and after (A) the step, the gain of a
    quarter q is

    .. math:: g_q = \sum_s \frac{\sum_{o \in q} (B_{so} - A_{so})}{\sum_o B_{so}} .

    The step earned its place if no score became worse in all, and the mean of the quarters' gains is above 0 with
    confidence `LEVEL` (one-sided, Student's t over the quarters), from at least `least` origins.

    Parameters
    ----------
    before, after : ndarray, shape (scores, origins, groups)
        Sums of scores, lower is better; 0 where an origin has no case of a group.
    cases : ndarray, shape (origins, groups)
        How many cases there are.
    week : ndarray of int, shape (origins,)
        Number of each origin's week; origins of several tracks may share one.
    least : int
        Origins with a case.

    Returns
    -------
    ndarray of bool, shape (groups,)

    Examples
    --------
    >>> before, week = np.ones((1, 60, 1)), np.arange(60)
    >>> earned(before, 0.9 * before, before[0], week, least=52).tolist()
    [True]
    >>> earned(before, 0.9 * before, before[0], week, least=61).tolist()
    [False]
    >>> earned(before, before, before[0], week, least=52).tolist()
    [False]
    """
    groups = cases.shape[1]
    total = before.sum(axis=1)
    won = total - after.sum(axis=1)
    enough = ((cases > 0).sum(axis=0) >= least) & (total > 0).all(axis=0) & (won >= 0).all(axis=0)
    if not enough.any():
        return np.zeros(groups, dtype=bool)
    share = ((before - after) / np.where(total > 0, total, 1.0)[:, None, :]).sum(axis=0)
    number = week // BLOCK_WEEKS
    quarters, at = np.unique(number, return_inverse=True)
    gain = np.stack([np.bincount(at, weights=share[:, g], minlength=len(quarters)) for g in range(groups)])
    there = np.stack([np.bincount(at, weights=cases[:, g], minlength=len(quarters)) > 0 for g in range(groups)])
    n = there.sum(axis=1)
    mean = gain.sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(there, gain - mean[:, None], 0.0) ** 2).sum(axis=1)
    error = np.sqrt(squares / np.maximum(n * (n - 1), 1))
    sure = mean - stdtrit(np.maximum(n - 1, 1), LEVEL) * error > 1e-12
    return np.asarray(enough & (n > 1) & sure)
