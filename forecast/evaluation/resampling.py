"""Weeks drawn in blocks: how sure an average over weeks is, when neighbouring weeks depend on each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from forecast.errors import InputError

Floats = NDArray[np.float64]

BLOCK_WEEKS = 13
"""A quarter: weeks that are resampled together, because conflict in neighbouring weeks is not independent."""


def week_numbers(time: ArrayLike | pd.DatetimeIndex | pd.Series) -> NDArray[np.int64]:
    """Return consecutive numbers of weeks, the earliest 0, of dates or of numbers of weeks.

    Examples
    --------
    >>> week_numbers(pd.DatetimeIndex(["2026-01-10", "2026-01-03"])).tolist()
    [1, 0]
    >>> week_numbers([7, 9]).tolist()
    [0, 2]
    """
    values = np.asarray(time)
    if not len(values):
        return np.empty(0, np.int64)
    if np.issubdtype(values.dtype, np.integer):
        return np.asarray(values - values.min(), np.int64)
    days = pd.DatetimeIndex(values)
    return np.asarray((days - days.min()).days, np.int64) // 7


def block_bootstrap(length: int, replicates: int, rng: np.random.Generator, *, block: int = BLOCK_WEEKS) -> Floats:
    """Return how often each of `length` consecutive items is drawn in circular block bootstrap samples.

    Parameters
    ----------
    length : int
    replicates : int
    rng : Generator
    block : int, default 13
        Consecutive items that are drawn together; the last block of a sample is cut to the length.

    Returns
    -------
    ndarray, shape (replicates, length)
        Rows sum to `length`.

    References
    ----------
    Kuensch (1989), doi:10.1214/aos/1176347265; circular: Politis and Romano (1992), in LePage and Billard (eds),
    Exploring the Limits of Bootstrap, 263-270.

    Examples
    --------
    >>> block_bootstrap(4, 1, np.random.default_rng(1), block=2).sum()
    np.float64(4.0)
    """
    if length < 1 or block < 1:
        raise InputError(f"a bootstrap of {length} items in blocks of {block}", expected="at least 1 of each")
    starts = rng.integers(length, size=(replicates, -(-length // block)))
    drawn = ((starts[:, :, None] + np.arange(block)) % length).reshape(replicates, -1)[:, :length]
    flat = (drawn + np.arange(replicates)[:, None] * length).ravel()
    return np.bincount(flat, minlength=replicates * length).reshape(replicates, length).astype(np.float64)


def sums_by(label: NDArray[np.integer], values: Floats, count: int) -> Floats:
    """Return the sums of rows with the same label.

    Parameters
    ----------
    label : ndarray of int, shape (cells,)
        From 0 to `count` - 1.
    values : ndarray, shape (cells,) or (cells, k)
    count : int

    Returns
    -------
    ndarray, shape (count,) or (count, k)

    Examples
    --------
    >>> sums_by(np.array([0, 1, 0]), np.array([1.0, 2.0, 3.0]), 2).tolist()
    [4.0, 2.0]
    """
    columns = values.reshape(len(label), int(np.prod(values.shape[1:]))).T
    sums = [np.bincount(label, weights=column, minlength=count) for column in columns]
    return np.stack(sums, axis=-1).astype(np.float64).reshape(count, *values.shape[1:])


def bootstrap_interval(
    numerator: Floats,
    denominator: Floats,
    rng: np.random.Generator,
    *,
    level: float = 0.9,
    replicates: int = 2000,
    block: int = BLOCK_WEEKS,
) -> tuple[Floats, Floats]:
    """Return intervals of ratios of sums over weeks, by the circular block bootstrap.

    Percentiles, widened for the small number of blocks as in `widened_interval`.

    Parameters
    ----------
    numerator, denominator : ndarray, shape (weeks, k)
        Sums of each week, in order, weeks without any case included; the ratio is that of their sums.
    rng : Generator
    level : float, default 0.9
    replicates : int, default 2000
    block : int, default 13

    Returns
    -------
    low, high : ndarray, shape (k,)
        NaN with fewer than two blocks of weeks. Replicates without any case are left out.

    Examples
    --------
    >>> weeks = np.ones((52, 1))
    >>> [float(bound[0]) for bound in bootstrap_interval(weeks, weeks, np.random.default_rng(1))]
    [1.0, 1.0]
    """
    weeks, k = numerator.shape
    if weeks < 2 * block:
        return np.full(k, np.nan), np.full(k, np.nan)
    drawn = block_bootstrap(weeks, replicates, rng, block=block)
    # einsum, not a matrix product: the same bytes whatever the number of threads.
    over, under = (np.einsum("rw,wk->rk", drawn, part) for part in (numerator, denominator))
    ratio = np.divide(over, under, out=np.full_like(over, np.nan), where=under != 0)
    total = denominator.sum(axis=0)
    estimate = np.divide(numerator.sum(axis=0), total, out=np.full(k, np.nan), where=total != 0)
    return widened_interval(estimate, ratio, blocks=weeks / block, level=level)


def widened_interval(estimate: Floats, replicates: Floats, *, blocks: float, level: float) -> tuple[Floats, Floats]:
    """Return percentiles of replicates, drawn away from the estimate as few blocks demand.

    With b blocks percentiles are too narrow by about ``sqrt((b - 1) / b)`` and as the normal quantile is to that of
    Student's t with b - 1 degrees of freedom; both are made good.

    Parameters
    ----------
    estimate : ndarray, shape (k,)
    replicates : ndarray, shape (r, k)
        NaN where there is none.
    blocks : float
        At least 2.
    level : float

    Returns
    -------
    low, high : ndarray, shape (k,)

    Examples
    --------
    >>> low, high = widened_interval(np.zeros(1), np.linspace(-1, 1, 201)[:, None], blocks=12, level=0.9)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([-1.03], [1.03])
    """
    bounds = np.full((2, len(estimate)), np.nan)
    known = np.isfinite(estimate) & np.isfinite(replicates).any(axis=0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if known.any():
        factor = np.sqrt(blocks / (blocks - 1)) * stdtrit(blocks - 1, tails[1]) / ndtri(tails[1])
        percentiles = np.nanquantile(replicates[:, known], tails, axis=0)
        bounds[:, known] = estimate[known] + factor * (percentiles - estimate[known])
    return bounds[0], bounds[1]
