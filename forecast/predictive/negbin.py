"""The negative binomial as (mean, size): the one place that owns it.

``var = mean + mean**2 / size``. Size infinite is the Poisson. A mean of 0 is a point mass at 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from forecast.compiled import compiled

Floats = NDArray[np.float64]

HEAD_LIMIT = 4096
"""The longest head of a pmf that is kept; counts beyond it are scored from the sample paths."""
HEAD_TOLERANCE = 1e-9
"""Mass that may lie beyond the head."""
_CELLS = 4096
"""Cells of a mixture whose heads are worked out at a time."""
_RATES = 2**17
"""Rates of which counts are drawn at a time: what a processor's cache holds."""
LEAST_LOGPMF = -700.0
"""Logarithm of what a float still holds, about 1e-304."""


def logpmf(count: NDArray[np.integer] | Floats, mean: Floats | float, size: Floats | float) -> Floats:
    """Return the log probability of `count`; shapes broadcast.

    Parameters
    ----------
    count : array of int
        Events, >= 0.
    mean : array of float
        >= 0.
    size : array of float
        > 0; ``inf`` gives the Poisson.

    Returns
    -------
    ndarray of float64
        ``log Gamma(y + r) - log Gamma(r) - log y! + r log(r / (r + m)) + y log(m / (r + m))``.

    Examples
    --------
    >>> float(np.exp(logpmf(np.array([0]), 1.0, 1.0))[0])
    0.5
    """
    y, m, r = np.broadcast_arrays(
        np.asarray(count, np.float64), np.asarray(mean, np.float64), np.asarray(size, np.float64)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        poisson = np.where(y == 0, 0.0, y * np.log(m)) - m - gammaln(y + 1)
        negbin = (
            gammaln(y + r)
            - gammaln(r)
            - gammaln(y + 1)
            - r * np.log1p(m / r)
            + np.where(y == 0, 0.0, y * (np.log(m) - np.log(r + m)))
        )
    # Beyond this size the two agree to float precision and the gamma functions cancel badly.
    value = np.where(r > 1e10, poisson, negbin)
    return np.where(m > 0, value, np.where(y == 0, 0.0, -np.inf))


def sample(mean: Floats, size: Floats | float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw one count for each mean: a Poisson whose rate is gamma with this mean and shape `size`.

    Shapes broadcast; the result has the shape of `mean`.
    """
    m, r = np.broadcast_arrays(np.asarray(mean, np.float64), np.asarray(size, np.float64))
    if np.isfinite(size).all():
        rate = rng.gamma(r)
        rate *= m  # in place: of many units these are large
        rate /= r
        return rng.poisson(rate)
    finite = np.isfinite(r)
    rate = np.where(finite, rng.gamma(np.where(finite, r, 1.0)) * m / np.where(finite, r, 1.0), m)
    return rng.poisson(rate)


def poisson_paths(rate: Floats, rng: np.random.Generator) -> NDArray[np.int32]:
    """Draw paths of counts of the largest 32-bit integer at most: what one call would draw, some paths at a time.

    Parameters
    ----------
    rate : ndarray, shape (draws, horizon, units)
    rng : Generator

    Returns
    -------
    ndarray of int32, of the same shape

    Examples
    --------
    >>> poisson_paths(np.zeros((2, 1, 3)), np.random.default_rng(1)).tolist()
    [[[0, 0, 0]], [[0, 0, 0]]]
    """
    counts = np.empty(rate.shape, dtype=np.int32)
    step = max(_RATES // max(rate[:1].size, 1), 1)
    for start in range(0, len(rate), step):
        some = slice(start, start + step)
        np.minimum(rng.poisson(rate[some]), np.iinfo(np.int32).max, out=counts[some], casting="unsafe")
    return counts


def size_from_moments(mean: float, variance: float, largest: float = np.inf) -> float:
    """Return the size of the negative binomial with these moments; `largest` where there is no overdispersion."""
    excess = variance - mean
    return min(mean * mean / excess, largest) if excess > 0 and mean > 0 else largest


@compiled
def logpmf_one(count: int, mean: float, size: float) -> float:
    """Return what `logpmf` returns for one count; for kernels."""
    if mean <= 0.0:
        return 0.0 if count == 0 else -math.inf
    if size > 1e10:
        return count * math.log(mean) - mean - math.lgamma(count + 1.0)
    zero = -size * math.log1p(mean / size)
    if count == 0:
        return zero
    gammas = math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1.0)
    return gammas + zero + count * math.log(mean / (mean + size))


@compiled
def digamma_one(x: float) -> float:
    """Return the digamma function at x > 0, to about 1e-12 (recurrence, then the asymptotic series)."""
    shift = 0.0
    while x < 8.0:
        shift -= 1.0 / x
        x += 1.0
    inverse = 1.0 / (x * x)
    tail = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))))
    return shift + math.log(x) - 0.5 / x - tail


@compiled
def cell(count: float, mean: float, size: float) -> tuple[float, float, float]:
    """Return the log probability of a count, its slope in the mean, and its slope in the logarithm of the size."""
    value = logpmf_one(int(count), mean, size)
    if size > 1e10:
        return value, count / mean - 1.0, 0.0
    in_mean = (count - mean) / (mean * (1.0 + mean / size))
    in_size = (mean - count) / (size + mean) - math.log1p(mean / size)
    if count > 0:
        in_size += digamma_one(count + size) - digamma_one(size)
    return value, in_mean, size * in_size


@compiled
def sample_one(mean: float, size: float, rng: np.random.Generator) -> int:
    """Draw one count; for kernels."""
    if mean <= 0.0:
        return 0
    rate = mean if size > 1e10 else rng.gamma(size, mean / size)
    return rng.poisson(rate)


@compiled
def first_count(mean: float, size: float) -> int:
    """Return the least count whose probability is not lost to underflow: 0 but for means of some hundreds and more."""
    if mean <= 0.0 or logpmf_one(0, mean, size) > LEAST_LOGPMF:
        return 0
    low, high = 0, int(mean)  # the probability rises up to the mode, which is near the mean or below it
    while high - low > 1:
        middle = (low + high) // 2
        if logpmf_one(middle, mean, size) > LEAST_LOGPMF:
            high = middle
        else:
            low = middle
    return high


@compiled
def _ratio(k: int, mean: float, size: float) -> float:
    """p(k) / p(k - 1)."""
    if size > 1e10:
        return mean / k
    return (k - 1.0 + size) / k * (mean / (mean + size))


@compiled
def _mixture_head(mean: Floats, size: Floats, weight: Floats, limit: int, tolerance: float) -> Floats:
    """Pmf head of a mixture for each cell; mean, size and weight are [cell, component]."""
    cells, components = mean.shape
    out = np.zeros((cells, limit))
    longest = 1
    p, share = np.empty(components), np.empty(components)
    first = np.empty(components, dtype=np.int64)
    for cell in range(cells):
        total, expected, plain = 0.0, 0.0, True
        for c in range(components):
            m, r = mean[cell, c], size[cell, c]
            log_zero = logpmf_one(0, m, r)
            from_zero = log_zero > LEAST_LOGPMF
            plain &= from_zero and r <= 1e10
            first[c] = 0 if from_zero else first_count(m, r)
            p[c] = weight[cell, c] * math.exp(log_zero) if from_zero else 0.0
            share[c] = m / (m + r)
            total += p[c]
            expected += weight[cell, c] * m
        out[cell, 0] = total
        k = 0
        # Far left of the mode the head may hold almost nothing yet, so go on until the mass is there.
        while k + 1 < limit and (1.0 - total > tolerance) and (k < expected or out[cell, k] > 1e-18):
            k += 1
            mass = 0.0
            if plain:  # the same figures without a branch: several at a time
                for c in range(components):
                    p[c] *= (k - 1.0 + size[cell, c]) / k * share[c]
            else:
                for c in range(components):
                    if k == first[c]:
                        p[c] = weight[cell, c] * math.exp(logpmf_one(k, mean[cell, c], size[cell, c]))
                    else:
                        p[c] *= _ratio(k, mean[cell, c], size[cell, c])
            for c in range(components):
                mass += p[c]
            out[cell, k] = mass
            total += mass
        longest = max(longest, k + 1)
    return out[:, :longest].copy()


def mixture_pmf(mean: Floats, size: Floats | float, weight: Floats | None = None, *, limit: int = HEAD_LIMIT) -> Floats:
    """Return the pmf of a mixture of negative binomials, up to where nearly all mass lies.

    The mixture over sample paths of the conditional distributions is the exact predictive marginal given
    the paths (Rao-Blackwell), and far smoother than the counts of the paths.

    Parameters
    ----------
    mean : ndarray, shape (component, ...)
    size : float or ndarray that broadcasts with `mean`
    weight : ndarray, shape (component,) or that of `mean`, optional
        Sums to 1 over the components; equal if not given.
    limit : int
        The longest head.

    Returns
    -------
    ndarray, shape (..., k)
        ``p(0), p(1), ..``; the mass beyond, at most 1e-9 unless `limit` was met, is ``1 - sum``.

    Examples
    --------
    >>> mixture_pmf(np.array([[1.0], [1.0]]), 1.0)[0, :3].round(3)
    array([0.5  , 0.25 , 0.125])
    """
    m = np.asarray(mean, np.float64)
    r = np.broadcast_to(np.asarray(size, np.float64), m.shape)
    components = m.shape[0]
    w = np.full(components, 1.0 / components) if weight is None else np.asarray(weight, np.float64)
    flat_mean, flat_size = m.reshape(components, -1), r.reshape(components, -1)
    flat_weight = np.broadcast_to(w.reshape(components, -1), flat_mean.shape)
    cells = flat_mean.shape[1]

    def rows(values: Floats, at: int) -> Floats:
        return np.ascontiguousarray(values[:, at : at + _CELLS].T)

    # The head of a cell does not depend on those of others: some at a time need little memory beside the arguments.
    heads = [
        _mixture_head(rows(flat_mean, at), rows(flat_size, at), rows(flat_weight, at), limit, HEAD_TOLERANCE)
        for at in range(0, cells, _CELLS)
    ]
    head = np.zeros((cells, max((each.shape[1] for each in heads), default=1)))
    for at, each in enumerate(heads):
        head[at * _CELLS : (at + 1) * _CELLS, : each.shape[1]] = each
    return head.reshape(*m.shape[1:], head.shape[-1])
