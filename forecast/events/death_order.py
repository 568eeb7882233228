"""Estimates of deaths that contradict each other: where low <= best <= high fails."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Estimate = NDArray[np.floating[Any]]

OUT_OF_ORDER: tuple[tuple[str, str, str], ...] = (
    ("low_above_best", "low", "best"),
    ("best_above_high", "best", "high"),
    ("low_above_high", "low", "high"),
)
"""Flags of rows, and the two estimates of which the first is above the second. A row can have two of them."""


def out_of_order(low: Estimate, best: Estimate, high: Estimate) -> dict[str, NDArray[np.bool_]]:
    """Return for each flag of `OUT_OF_ORDER` the rows that it marks.

    Parameters
    ----------
    low, best, high : ndarray of float, shape (rows,)
        Estimates of deaths, NaN where unknown; what is unknown contradicts nothing.

    Returns
    -------
    dict of str to ndarray of bool, shape (rows,)

    Examples
    --------
    >>> low, best, high = np.array([[13.0, 14, 13], [5, 3, 9], [4, np.nan, 3]]).T
    >>> {flag: np.flatnonzero(rows).tolist() for flag, rows in out_of_order(low, best, high).items()}
    {'low_above_best': [1], 'best_above_high': [0], 'low_above_high': [2]}
    """
    given: dict[str, Any] = {"low": low, "best": best, "high": high}
    return {flag: given[smaller] > given[larger] for flag, smaller, larger in OUT_OF_ORDER}
