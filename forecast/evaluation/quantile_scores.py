"""Forecasts of counts that are known by some quantiles only: their distribution between them, and the PIT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]


def cdf_at(quantiles: ArrayLike, levels: Sequence[float], counts: ArrayLike) -> Floats:
    """Return the cdf at whole numbers of forecasts of counts that are known by quantiles, as near as these tell.

    Of whole-numbered quantiles ``x_s <= k < x_t`` at neighbouring levels it is known that ``s <= F(k) < t``. Over the
    counts of such a range F is taken to rise evenly: ``s + (t - s) (k - x_s + 1/2) / (x_t - x_s)``. Below the lowest
    quantile it rises from 0 at -1; above the highest it is half-way between that level and 1.

    Parameters
    ----------
    quantiles : array, shape (levels, cases)
        Never falling with the level; those that are not whole are rounded up, as a quantile of counts is.
    levels : sequence of float
        Ascending, between 0 and 1.
    counts : array of int, shape (cases,)
        Below 0 the cdf is 0.

    Returns
    -------
    ndarray, shape (cases,)

    Raises
    ------
    InputError
        If shapes do not fit, levels do not ascend between 0 and 1, or quantiles cross.

    Examples
    --------
    >>> cdf_at([[1], [3]], [0.25, 0.75], [1]).tolist()
    [0.375]
    """
    x, at, k = np.ceil(np.asarray(quantiles, np.float64)), np.asarray(levels, np.float64), np.asarray(counts, np.int64)
    if x.ndim != 2 or x.shape != (len(at), *k.shape) or not len(at):
        raise InputError(f"quantiles of shape {x.shape} at {len(at)} levels for counts of shape {k.shape}")
    if not ((at > 0) & (at < 1)).all() or (np.diff(at) <= 0).any():
        raise InputError("levels of quantiles that do not ascend between 0 and 1")
    if (np.diff(x, axis=0) < 0).any():
        raise InputError("quantiles that cross: one of a higher level is lower")
    cases = np.arange(x.shape[1])
    edges = np.vstack([np.zeros(x.shape[1]), x, np.full(x.shape[1], np.inf)])
    level = np.concatenate([[0.0], at, [1.0]])
    below = (x <= k).sum(axis=0)  # the last level whose quantile the count reaches
    s, t = level[below], level[below + 1]
    low, high = edges[below, cases], edges[below + 1, cases]
    bounded = np.isfinite(high)
    width = np.where(bounded, np.maximum(high - low, 1.0), 1.0)
    share = np.where(bounded, (k - low + 0.5) / width, 0.5)
    return np.where(k < 0, 0.0, s + (t - s) * share)


def pit_of_quantiles(quantiles: ArrayLike, levels: Sequence[float], observed: ArrayLike) -> Floats:
    """Return the cdf at the observed count less one, and at it, as near as the quantiles tell.

    Parameters
    ----------
    quantiles : array, shape (levels, cases)
    levels : sequence of float
    observed : array of int, shape (cases,)

    Returns
    -------
    ndarray, shape (cases, 2)
        As the functions of `forecast.evaluation.calibration` and `forecast.evaluation.diagnosis` take it.

    Examples
    --------
    >>> pit_of_quantiles([[0], [2]], [0.5, 0.9], [1]).round(2).tolist()
    [[0.6, 0.8]]
    """
    y = np.asarray(observed, np.int64)
    return np.column_stack([cdf_at(quantiles, levels, y - 1), cdf_at(quantiles, levels, y)])
