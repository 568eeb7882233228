"""Shot noise: how past events raise the rate of the weeks after them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def excitation(marks: Floats, shares: Floats, first: int, last: int) -> Floats:
    """Return what the marks of the weeks before add up to in each week.

    Parameters
    ----------
    marks : ndarray, shape (weeks, units)
        Zero where nothing happened.
    shares : ndarray, shape (longest, columns)
        Of each lag, the first one a week after.
    first, last : int
        The weeks wanted are `first` to ``last - 1``; they may lie after those of `marks`.

    Returns
    -------
    ndarray, shape (last - first, units, columns)
    """
    weeks, units = marks.shape
    columns = shares.shape[1]
    out = np.zeros((last - first, units, columns))
    for t in range(max(first - len(shares), 0), min(weeks, last - 1)):
        for u in range(units):
            mark = marks[t, u]
            if mark == 0.0:
                continue
            for at in range(max(t + 1, first), min(t + 1 + len(shares), last)):
                for c in range(columns):
                    out[at - first, u, c] += mark * shares[at - t - 1, c]
    return out
