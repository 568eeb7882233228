"""Likelihood of counts given their means, with score and information, as kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from forecast.compiled import compiled
from forecast.predictive.negbin import cell

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

POISSON = np.array([np.inf, 0.0])
"""Dispersion of counts that are Poisson: logarithm of the size at mean 1, power of the mean in the size."""


@compiled
def likelihood(
    counts: Floats, observed: Booleans, weight: Floats, mean: Floats, gradient: Floats, dispersion: Floats
) -> tuple[float, Floats, Floats, Floats]:
    r"""Return the weighted log likelihood of one series, with score and information in the parameters of the mean.

    The variance is :math:`\mu + \mu^2 / r` with :math:`r = \exp(d_0 + d_1 \log \mu)`.

    Parameters
    ----------
    counts, observed, weight, mean : ndarray, shape (weeks,)
    gradient : ndarray, shape (weeks, P)
        Of the mean.
    dispersion : ndarray, shape (2,)
        d; a first entry of ``inf`` is the Poisson.

    Returns
    -------
    value : float
        ``-inf`` if a mean is not positive.
    score : ndarray, shape (P,)
    information : ndarray, shape (P, P)
        Sum of ``w dmu dmu' / var``.
    meat : ndarray, shape (P, P)
        The same with squared weights: the variance of the score if the model is true.
    """
    weeks, columns = gradient.shape
    value = 0.0
    score, information, meat = np.zeros(columns), np.zeros((columns, columns)), np.zeros((columns, columns))
    for t in range(weeks):
        w = weight[t]
        if not observed[t] or w <= 0.0:
            continue
        m = mean[t]
        if not m > 0.0:
            return -math.inf, score, information, meat
        size = math.exp(dispersion[0] + dispersion[1] * math.log(m)) if math.isfinite(dispersion[0]) else math.inf
        one, in_mean, in_size = cell(counts[t], m, size)
        value += w * one
        slope = w * (in_mean + in_size * dispersion[1] / m)
        precision = w / (m * (1.0 + m / size))
        for i in range(columns):
            score[i] += slope * gradient[t, i]
            scaled = precision * gradient[t, i]
            for j in range(i + 1):
                information[i, j] += scaled * gradient[t, j]
                meat[i, j] += w * scaled * gradient[t, j]
    for i in range(columns):
        for j in range(i):
            information[j, i], meat[j, i] = information[i, j], meat[i, j]
    return value, score, information, meat


@compiled
def dispersion_likelihood(
    counts: Floats, observed: Booleans, weight: Floats, mean: Floats, dispersion: Floats
) -> tuple[float, Floats]:
    """Return the weighted log likelihood of all cells, and its gradient in the dispersion.

    Parameters
    ----------
    counts, observed, mean : ndarray, shape (weeks, units)
    weight : ndarray, shape (weeks,)
    dispersion : ndarray, shape (2,)
        As for `likelihood`, finite.
    """
    value, slope, bend = 0.0, 0.0, 0.0
    for t in range(counts.shape[0]):
        if weight[t] <= 0.0:
            continue
        for u in range(counts.shape[1]):
            if observed[t, u]:
                log_mean = math.log(mean[t, u])
                size = math.exp(dispersion[0] + dispersion[1] * log_mean)
                one, _, in_size = cell(counts[t, u], mean[t, u], size)
                value += weight[t] * one
                slope += weight[t] * in_size
                bend += weight[t] * in_size * log_mean
    return value, np.array([slope, bend])


def pearson_size(counts: Floats, mean: Floats, parameters: int) -> float:
    r"""Return the size at which the Pearson statistic equals its degrees of freedom, as in tscount.

    .. math:: \sum_t \frac{(y_t - \mu_t)^2}{\mu_t + \mu_t^2 / r} = n - m .

    Parameters
    ----------
    counts, mean : ndarray, shape (weeks,)
    parameters : int
        m, those of the mean.

    Returns
    -------
    float
        ``inf`` where the counts scatter no more than Poisson ones. Liboschik, Fokianos & Fried (2017),
        doi:10.18637/jss.v082.i05, equation 9.

    Examples
    --------
    >>> pearson_size(np.array([2.0, 2.0, 2.0, 2.0]), np.full(4, 2.0), 1)
    inf
    """

    def excess(log_size: float) -> float:
        variance = mean * (1 + mean * np.exp(-log_size))
        return float(((counts - mean) ** 2 / variance).sum() - (len(counts) - parameters))

    low, high = -30.0, 30.0
    if excess(high) <= 0 or excess(low) >= 0:
        return float("inf")
    return float(np.exp(brentq(excess, low, high, xtol=1e-12)))
