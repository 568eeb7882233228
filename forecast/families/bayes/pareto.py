"""Pareto-smoothed importance sampling: weights that one draw cannot rule, and whether they can be trusted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST_K = 0.7
"""Beyond it the weights' variance cannot be estimated from so many draws, and neither can anything else."""


def smoothed_weights(log_ratio: Floats) -> tuple[Floats, float]:
    r"""Return smoothed importance weights and the shape of their tail.

    The largest :math:`\min(S/5, 3\sqrt S)` ratios are replaced by the expected order statistics of a generalised
    Pareto distribution that is fitted to them.

    Parameters
    ----------
    log_ratio : ndarray, shape (draws,)
        Log of target over proposal, up to a constant.

    Returns
    -------
    weights : ndarray, shape (draws,)
        They sum to 1.
    k : float
        Below 0.7 the weights can be trusted; infinite where there are too few draws to tell.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), https://www.jmlr.org/papers/v25/19-556.html; the fit of the tail is
    that of Zhang & Stephens (2009), doi:10.1198/tech.2009.08017.

    Examples
    --------
    >>> weights, k = smoothed_weights(np.zeros(100))
    >>> float(weights[0]), k
    (0.01, 0.0)
    """
    log_weight = np.asarray(log_ratio - log_ratio.max(), dtype=np.float64)
    if np.ptp(log_weight) < 1e-9:
        return np.full(len(log_weight), 1 / len(log_weight)), 0.0
    count = len(log_weight)
    tail = math.ceil(min(0.2 * count, 3 * math.sqrt(count)))
    if tail <= 4:
        return np.exp(log_weight) / np.exp(log_weight).sum(), math.inf
    order = np.argsort(log_weight, kind="stable")
    cutoff = np.exp(log_weight[order[-tail - 1]])
    excess = np.exp(log_weight[order[-tail:]]) - cutoff
    k = 0.0
    if excess[-1] - excess[0] > 1e-12:
        k, scale = fit_pareto(excess)
        share = (np.arange(tail) + 0.5) / tail
        with np.errstate(over="ignore"):  # of a tail so heavy that the largest weight is all there is
            quantile = scale * (np.expm1(-k * np.log1p(-share)) / k if abs(k) > 1e-9 else -np.log1p(-share))
        log_weight[order[-tail:]] = np.minimum(np.log(quantile + cutoff), 0.0)
    weight = np.exp(log_weight)
    return weight / weight.sum(), float(k)


def fit_pareto(excess: Floats) -> tuple[float, float]:
    """Return shape and scale of the generalised Pareto distribution of some excesses, in ascending order.

    Parameters
    ----------
    excess : ndarray, shape (n,)
        >= 0, not all equal.
    """
    x = np.maximum(excess, 1e-300)
    n = len(x)
    grid = 30 + int(math.sqrt(n))
    at = np.arange(1, grid + 1)
    b = (1 - np.sqrt(grid / (at - 0.5))) / (3 * x[int(n / 4 + 0.5) - 1]) + 1 / x[-1]
    shape = np.log1p(-b[:, None] * x).mean(axis=1)
    profile = n * (np.log(-b / shape) - shape - 1)
    weight = np.exp(profile - profile.max())
    weight /= weight.sum()
    mean_b = float(b @ weight)
    k = float(np.log1p(-mean_b * x).mean())
    scale = -k / mean_b
    return (n * k + 5.0) / (n + 10), scale  # drawn to 0.5 as ten excesses would


def effective_draws(weights: Floats) -> float:
    """Return how many equally weighted draws are worth as much."""
    return float(1 / (weights**2).sum())
