"""Pools: one distribution of counts from those of several models."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from forecast.compiled import compiled
from forecast.errors import InputError

Floats = NDArray[np.float64]


def linear_pool(pmf: ArrayLike, weight: ArrayLike | None = None) -> Floats:
    r"""Return the mixture of distributions, :math:`\sum_m w_m p_m`.

    Parameters
    ----------
    pmf : array_like, shape (members, ..., k)
        Probability of 0, 1, .. k - 1 events.
    weight : array_like, shape (members,) or (members, ...), optional
        Non-negative, summing to 1 over the members; equal if not given.

    Returns
    -------
    ndarray, shape (..., k)

    Raises
    ------
    InputError
        If the weights are no weights.

    References
    ----------
    Stone (1961), doi:10.1214/aoms/1177704873.

    Examples
    --------
    >>> linear_pool([[0.5, 0.5], [1.0, 0.0]]).tolist()
    [0.75, 0.25]
    """
    values, share = _checked(pmf, weight)
    return np.asarray((share[..., None] * values).sum(axis=0))


def beta_pool(pmf: ArrayLike, weight: ArrayLike | None = None, *, a: float = 1.0, b: float = 1.0) -> Floats:
    r"""Return the beta-transformed linear pool: its cdf is :math:`B_{a, b}(\sum_m w_m F_m)`.

    A linear pool of calibrated forecasts is too wide; a = b > 1 narrows it.

    Parameters
    ----------
    pmf, weight
        As for `linear_pool`.
    a, b : float
        Positive; both 1 is the linear pool.

    References
    ----------
    Gneiting & Ranjan (2013), doi:10.1214/13-EJS823.

    Examples
    --------
    >>> beta_pool([[0.2, 0.6, 0.2], [0.2, 0.6, 0.2]], a=2, b=2).round(3).tolist()
    [0.104, 0.792, 0.104]
    """
    if not (a > 0 and b > 0):
        raise InputError(f"a beta transform with {a:g} and {b:g}", expected="two positive numbers")
    cdf = np.minimum(np.cumsum(linear_pool(pmf, weight), axis=-1), 1.0)
    return np.diff(betainc(a, b, cdf), axis=-1, prepend=0.0)


def quantile_pool(pmf: ArrayLike, weight: ArrayLike | None = None, *, middle: bool = False) -> Floats:
    r"""Return the distribution whose quantiles are the weighted mean, or the median, of those of the members.

    The mean of whole numbers need not be whole: where it is :math:`n + f`, the count is n with probability
    :math:`1 - f` and n + 1 with f, which keeps the mean.

    Parameters
    ----------
    pmf, weight
        As for `linear_pool`. What is missing from 1 counts as lying at the last count.
    middle : bool
        The (lower) weighted median in place of the mean.

    References
    ----------
    Lichtendahl, Grushka-Cockayne & Winkler (2013), doi:10.1287/mnsc.1120.1667.

    Examples
    --------
    >>> quantile_pool([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).tolist()
    [0.0, 1.0, 0.0]
    """
    values, share = _checked(pmf, weight)
    cells = values.shape[1:-1]
    flat = np.ascontiguousarray(values.reshape(len(values), -1, values.shape[-1]))
    each = np.ascontiguousarray(np.broadcast_to(share, (len(values), *cells)).reshape(len(values), -1))
    return _quantile_pool(flat, each, middle).reshape(*cells, -1)


def _checked(pmf: ArrayLike, weight: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return the distributions, and weights that can be laid over their cells."""
    values = np.asarray(pmf, dtype=np.float64)
    if values.ndim < 2:
        raise InputError(f"distributions of shape {values.shape}", expected="(members, ..., counts)")
    cells = values.shape[1:-1]
    share = np.full(len(values), 1 / len(values)) if weight is None else np.asarray(weight, dtype=np.float64)
    if share.ndim == 1:
        share = share.reshape(-1, *(1,) * len(cells))
    if share.shape[0] != len(values) or (share.ndim > 1 and np.broadcast_shapes(share.shape[1:], cells) != cells):
        raise InputError(f"weights of shape {share.shape}", expected=f"one for each of {len(values)} members")
    if not (np.isfinite(share).all() and (share >= 0).all() and np.allclose(share.sum(axis=0), 1)):
        raise InputError("the weights of a pool", expected="numbers >= 0 that sum to 1 over its members")
    return values, share


@compiled
def _quantile_pool(pmf: Floats, share: Floats, middle: bool) -> Floats:
    """Walk through the levels at which any member's quantile changes; between them all are constant."""
    members, cells, k = pmf.shape
    out = np.zeros((cells, k))
    at, cdf = np.empty(members, np.int64), np.empty(members)
    for c in range(cells):
        for m in range(members):
            at[m], cdf[m] = 0, pmf[m, c, 0]
        level = 0.0
        while level < 1.0:
            for m in range(members):  # the quantile just above the level
                while at[m] < k - 1 and cdf[m] <= level + 1e-15:
                    at[m] += 1
                    cdf[m] += pmf[m, c, at[m]]
            up_to = 1.0
            for m in range(members):
                if at[m] < k - 1:
                    up_to = min(up_to, cdf[m])
            place = _median(at, share[:, c]) if middle else float((share[:, c] * at).sum())
            low = min(int(np.floor(place + 1e-9)), k - 1)
            part = max(place - low, 0.0)
            out[c, low] += (up_to - level) * (1.0 - part)
            out[c, min(low + 1, k - 1)] += (up_to - level) * part
            level = up_to
    return out


@compiled
def _median(values: NDArray[np.int64], share: Floats) -> float:
    """Return the lower weighted median."""
    order = np.argsort(values)
    total = 0.0
    for m in order:
        total += share[m]
        if total >= 0.5 - 1e-12:
            return float(values[m])
    return float(values[order[-1]])
