"""Weighted negative binomial likelihood of means that are linear in what was known some weeks before."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive.negbin import digamma_one

Floats = NDArray[np.float64]

LEAST_MEAN = 1e-9
LOG_SIZE_LIMIT = 20.0
PLAIN = 1e-2
"""Above it ``log(1 + x)`` has all the digits that matter here."""
SUMMED = 30
"""Up to this count sums take the place of gamma functions."""


def moments(mean: Floats, size_parameters: Floats) -> tuple[Floats, Floats]:
    """Return the mean, kept above 0, and the size ``exp(s0 + s1 log mean)``, shapes as that of `mean`.

    Parameters
    ----------
    mean : ndarray
    size_parameters : ndarray, shape (..., 2)
        One pair, or one for each row of `mean`.

    Examples
    --------
    >>> moments(np.array([2.0]), np.array([0.0, 1.0]))[1].round(6)
    array([2.])
    """
    m = np.maximum(mean, LEAST_MEAN)
    log_size = size_parameters[..., :1] + size_parameters[..., 1:] * np.log(m)
    return m, np.exp(np.clip(log_size, -LOG_SIZE_LIMIT, LOG_SIZE_LIMIT))


@dataclass(frozen=True, eq=False)
class LinearCases:
    r"""Counts and what their means are made of.

    The mean of unit u in week t is ``scale[t, u] * terms[t - ahead, u] @ b``, its size ``exp(s0 + s1 log mean)``.

    Parameters
    ----------
    terms : ndarray, shape (weeks, units, k)
        Known at the end of each week.
    scale : ndarray, shape (weeks, units)
    counts, observed : ndarray, shape (weeks, units)
    weight : ndarray, shape (weeks,)
        Of the weeks in the likelihood; 0 leaves one out.
    ahead : int
        At least 1.
    """

    terms: Floats
    scale: Floats
    counts: NDArray[np.int64]
    observed: NDArray[np.bool_]
    weight: Floats
    ahead: int

    def loss(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the negative log-likelihood of (b, s0, s1), without the terms of the counts alone, and its gradient.

        Examples
        --------
        >>> cases = LinearCases(
        ...     np.ones((2, 1, 1)), np.ones((2, 1)), np.array([[0], [0]]), np.ones((2, 1), bool), np.ones(2), 1
        ... )
        >>> round(cases.loss(np.array([1.0, 0.0, 0.0]))[0], 3)  # mean 1 and size 1: no event has probability 1/2
        0.693
        """
        gradient = np.zeros_like(parameters)
        value = _loss(self.terms, self.scale, self.counts, self.observed, self.weight, self.ahead, parameters, gradient)
        return value, gradient

    def information(self, parameters: Floats) -> Floats:
        """Return the diagonal of the Fisher information of b, size held fixed, shape (k,)."""
        mean, size = self.moments(parameters)
        known = self.weight[self.ahead :, None] * self.observed[self.ahead :]
        each = known * self.scale[self.ahead :] ** 2 / (mean + mean * mean / size)
        return np.asarray(np.einsum("tu,tuk->k", each, self.terms[: -self.ahead] ** 2))

    def moments(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Return mean and size of each count, shape (weeks - ahead, units)."""
        return moments(self.scale[self.ahead :] * (self.terms[: -self.ahead] @ parameters[:-2]), parameters[-2:])


@compiled
def _loss(
    terms: Floats,
    scale: Floats,
    counts: NDArray[np.int64],
    observed: NDArray[np.bool_],
    weight: Floats,
    ahead: int,
    parameters: Floats,
    gradient: Floats,
) -> float:
    weeks, units, k = terms.shape
    s0, s1 = parameters[k], parameters[k + 1]
    total = 0.0
    for t in range(ahead, weeks):
        w = weight[t]
        if w <= 0.0:
            continue
        for u in range(units):
            if not observed[t, u]:
                continue
            x = terms[t - ahead, u]
            level = 0.0
            for j in range(k):
                level += x[j] * parameters[j]
            m = max(scale[t, u] * level, LEAST_MEAN)
            log_m = math.log(m)
            r = math.exp(min(max(s0 + s1 * log_m, -LOG_SIZE_LIMIT), LOG_SIZE_LIMIT))
            y = counts[t, u]
            share = m / r
            # Of one unit of size; the plain logarithm takes half the time where it is as good.
            log_zero = -math.log(1.0 + share) if share > PLAIN else -math.log1p(share)
            rising, rising_slope, further = 0.0, 0.0, 0.0
            if y > 0:
                rising, rising_slope = _log_rising(r, y)
                further = y * (log_m - math.log(m + r))
            total -= w * (rising + r * log_zero + further)
            by_mean = y / m - (y + r) / (m + r)
            by_size = rising_slope + log_zero + (m - y) / (m + r)
            by_mean += by_size * s1 * r / m
            for j in range(k):
                gradient[j] -= w * by_mean * scale[t, u] * x[j]
            gradient[k] -= w * by_size * r
            gradient[k + 1] -= w * by_size * r * log_m
    return total


@compiled
def _log_rising(r: float, y: int) -> tuple[float, float]:
    """Return ``log Gamma(r + y) - log Gamma(r)`` and its slope in r."""
    if y <= SUMMED:
        product, slope = 1.0, 0.0  # at most exp(20 * 30), which a float holds
        for j in range(y):
            product *= r + j
            slope += 1.0 / (r + j)
        return math.log(product), slope
    return math.lgamma(r + y) - math.lgamma(r), digamma_one(r + y) - digamma_one(r)
