"""Sample paths with given marginal distributions and the dependence of other paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.predictive.forecast import Paths

Floats = NDArray[np.float64]


def pooled_paths(paths: list[Paths], weight: ArrayLike, rng: np.random.Generator) -> Paths:
    """Return whole paths of several models, of each a share that is its weight.

    The dependence over weeks and units within a path is kept, which a pool of quantiles would lose.

    Parameters
    ----------
    paths : list of ndarray, each of shape (draws, horizon, units)
    weight : array_like, shape (members,)
    rng : Generator
        Which paths are taken, and their order.

    Returns
    -------
    ndarray of int32, shape (draws, horizon, units)
        As many as the first model has.
    """
    draws = len(paths[0])
    levels = np.cumsum(np.asarray(weight, dtype=np.float64))
    position = (np.arange(draws) + rng.random()) / draws * levels[-1]
    member = rng.permutation(np.minimum(np.searchsorted(levels, position), len(paths) - 1))
    taken = [rng.permutation(len(mine)) for mine in paths]
    return np.stack([paths[m][taken[m][at % len(taken[m])]] for at, m in enumerate(member)])


def with_marginals(paths: Paths, pmf: Floats, rng: np.random.Generator) -> Paths:
    """Return paths whose counts have the marginals of `pmf`, in the order that `paths` have in each week and unit.

    Ensemble copula coupling: in each cell the draws are evenly spaced quantiles of the marginal, and the draw with the
    n-th smallest count gets the n-th of them. Equal counts, of which there are many, are put in an order that is drawn
    once for each path, so that no dependence is made up or lost between cells beyond that of the counts themselves.

    Parameters
    ----------
    paths : ndarray of int, shape (draws, horizon, units)
    pmf : ndarray, shape (horizon, units, k)
        What is missing from 1 counts as lying at the last count.
    rng : Generator

    Returns
    -------
    ndarray of int32, shape (draws, horizon, units)

    Raises
    ------
    InputError
        If the shapes do not fit.

    References
    ----------
    Schefzik, Thorarinsdottir & Gneiting (2013), doi:10.1214/13-STS443.

    Examples
    --------
    >>> paths = np.array([[[0], [0]], [[4], [3]]], dtype=np.int32)
    >>> with_marginals(paths, np.array([[[0.5, 0.0, 0.5]], [[0.5, 0.5, 0.0]]]), np.random.default_rng(1))[:, :, 0]
    array([[0, 0],
           [2, 1]], dtype=int32)
    """
    if pmf.ndim != 3 or pmf.shape[:2] != paths.shape[1:]:
        raise InputError(f"marginals of shape {pmf.shape}", expected=f"{paths.shape[1:]} and counts")
    draws = len(paths)
    level = (np.arange(draws) + 0.5) / draws
    order = rng.permutation(draws)  # ties stay in this order in every cell
    out = np.empty(paths.shape, dtype=np.int32)
    _reorder(np.ascontiguousarray(paths[order]), np.ascontiguousarray(pmf), level, order, out)
    return out


@compiled
def _reorder(paths: Paths, pmf: Floats, level: Floats, order: NDArray[np.int64], out: Paths) -> None:
    draws, horizon, units = paths.shape
    k = pmf.shape[2]
    for h in range(horizon):
        for u in range(units):
            rank = np.argsort(paths[:, h, u], kind="mergesort")
            count, cdf = 0, pmf[h, u, 0]
            for n in range(draws):
                while cdf < level[n] - 1e-12 and count < k - 1:
                    count += 1
                    cdf += pmf[h, u, count]
                out[order[rank[n]], h, u] = count
