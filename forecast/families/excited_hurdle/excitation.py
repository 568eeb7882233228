"""Shot noise: how past events raise the rate of the weeks after them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.ingarch.likelihood import cell

Floats = NDArray[np.float64]

LONGEST = 52
"""Weeks after which an event no longer excites; what lasts longer is the level's part."""


@compiled
def kernel(log_delay: float, log_size: float) -> Floats:
    r"""Return the share of an event's excitation that falls on each week after it, with derivatives.

    The delay beyond the first week is negative binomial with mean :math:`e^{a}` and size :math:`e^{s}`; a size of 1
    is the geometric distribution. Delays of more than `LONGEST` weeks are cut off.

    Parameters
    ----------
    log_delay, log_size : float
        a and s.

    Returns
    -------
    ndarray, shape (LONGEST, 3)
        Share, and its derivatives in a and in s.

    Examples
    --------
    >>> kernel(0.0, 0.0)[:3, 0]
    array([0.5  , 0.25 , 0.125])
    """
    out = np.empty((LONGEST, 3))
    mean, size = math.exp(log_delay), math.exp(log_size)
    for k in range(LONGEST):
        log_share, in_mean, in_size = cell(float(k), mean, size)
        out[k, 0] = math.exp(log_share)
        out[k, 1] = out[k, 0] * in_mean * mean
        out[k, 2] = out[k, 0] * in_size
    return out


@compiled
def excitation(marks: Floats, shares: Floats, first: int, last: int) -> Floats:
    """Return what the marks of the weeks before add up to in each week.

    Parameters
    ----------
    marks : ndarray, shape (weeks, units)
        Zero where nothing happened.
    shares : ndarray, shape (LONGEST, columns)
        From `kernel`.
    first, last : int
        The weeks wanted are `first` to ``last - 1``; they may lie after those of `marks`.

    Returns
    -------
    ndarray, shape (last - first, units, columns)
    """
    weeks, units = marks.shape
    columns = shares.shape[1]
    out = np.zeros((last - first, units, columns))
    for t in range(max(first - LONGEST, 0), min(weeks, last - 1)):
        for u in range(units):
            mark = marks[t, u]
            if mark == 0.0:
                continue
            for at in range(max(t + 1, first), min(t + 1 + LONGEST, last)):
                for c in range(columns):
                    out[at - first, u, c] += mark * shares[at - t - 1, c]
    return out
