"""The zero-truncated negative binomial: how many events there are in a week that has any."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive.negbin import (
    HEAD_LIMIT,
    HEAD_TOLERANCE,
    LEAST_LOGPMF,
    cell,
    first_count,
    logpmf_one,
    sample_one,
)

Floats = NDArray[np.float64]

RARELY = 0.3
"""With a smaller chance of a positive count, sampling goes up from 1 in place of drawing until one is positive."""
NEWTON_STEPS = 20
KNOTS = 64
"""Of a table, for each unit of the log excess: what lies between them is off by some 1e-8 of it at most."""


@compiled
def untruncated_mean(excess: float, size: float) -> float:
    r"""Return the mean before truncation at which the mean of the positive counts is ``1 + excess``.

    The root :math:`\mu` of :math:`\mu / (1 - (1 + \mu / r)^{-r}) = 1 + e` by Newton's method in the logarithms, which
    are all but proportional.

    Examples
    --------
    >>> mean = untruncated_mean(1.5, 2.0)
    >>> round(mean / (1 - (1 + mean / 2.0) ** -2.0), 6)
    2.5
    """
    log_mean = math.log(2 * excess / (1 + 1 / size)) if excess < 1 else math.log(excess)
    for _ in range(NEWTON_STEPS):
        mean = math.exp(log_mean)
        positive = -math.expm1(-size * math.log1p(mean / size))
        found = max((mean - positive) / positive, 1e-300)
        variance = (1 + found) * (mean + mean / size - found)
        step = math.log(found / excess) * found / max(variance / (1 + mean / size), 1e-300)
        log_mean -= min(max(step, -2.0), 2.0)
        if abs(step) < 1e-12:
            break
    return math.exp(log_mean)


@compiled
def untruncated_table(dispersion: Floats, lowest: float, highest: float) -> Floats:
    """Return means before truncation, and sizes, at log excesses `1 / KNOTS` apart: a forecast needs many of them.

    Parameters
    ----------
    dispersion : ndarray, shape (2,)
        The log size where one event is expected, and the power of the mean in it.
    lowest, highest : float
        Between which log excesses lie.

    Returns
    -------
    ndarray, shape (knots, 2)
        For `between`; the first row belongs to `lowest` less one step.

    Examples
    --------
    >>> dispersion = np.array([0.5, 0.3])
    >>> mean, size = between(untruncated_table(dispersion, -12.0, 3.0), np.log(2.5) + 12.0)
    >>> round(float(size / (np.exp(0.5) * 3.5**0.3)), 7), round(float(mean / untruncated_mean(2.5, size)), 7)
    (1.0, 1.0)
    """
    count = math.ceil((highest - lowest) * KNOTS) + 4
    table = np.empty((count, 2))
    for at in range(count):
        excess = math.exp(lowest + (at - 1) / KNOTS)
        size = math.exp(dispersion[0] + dispersion[1] * math.log1p(excess))
        table[at] = untruncated_mean(excess, size), size
    return table


@compiled
def between(table: Floats, above: float) -> tuple[float, float]:
    """Return mean and size so much above the lowest log excess of a table, by the cubic through four knots."""
    place = above * KNOTS
    at = min(int(place), len(table) - 4)
    x = place - at
    first, second = -x * (x - 1.0) * (x - 2.0) / 6.0, (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0
    third, fourth = -x * (x + 1.0) * (x - 2.0) / 2.0, x * (x + 1.0) * (x - 1.0) / 6.0
    mean = first * table[at, 0] + second * table[at + 1, 0] + third * table[at + 2, 0] + fourth * table[at + 3, 0]
    size = first * table[at, 1] + second * table[at + 1, 1] + third * table[at + 2, 1] + fourth * table[at + 3, 1]
    return mean, size


@compiled
def positive_cell(count: float, excess: float, size: float) -> tuple[float, float, float, float]:
    r"""Return log probability and slopes of a count >= 1.

    With the negative binomial before truncation (mean :math:`\mu`, size r), :math:`P(y) = NB(y; \mu, r) / (1 - q)` and
    :math:`q = (1 + \mu / r)^{-r}`. The distribution is given by its own mean :math:`M = 1 + e` instead of
    :math:`\mu`: for a fixed size it is an exponential family, so that M and r are orthogonal parameters, while
    :math:`\mu` and r are hardly to be told apart where most counts are 1.

    Parameters
    ----------
    count : float
    excess : float
        e, > 0.
    size : float

    Returns
    -------
    value : float
    in_log_excess, in_log_size : float
        Slopes, each at a fixed value of the other parameter.
    information : float
        Variance of the slope in :math:`\log e`.

    References
    ----------
    Orthogonality of the mean: Cox & Reid (1987), doi:10.1111/j.2517-6161.1987.tb01422.x.
    """
    mean, whole = untruncated_mean(excess, size), 1.0 + excess
    value, _, in_size = cell(count, mean, size)
    log_zero = -size * math.log1p(mean / size)
    positive, zero = -math.expm1(log_zero), math.exp(log_zero)
    variance = whole * (mean + mean / size - excess)
    slope_zero = zero * (log_zero + mean / (1.0 + mean / size)) / positive
    return (
        value - math.log(positive),
        excess * (count - whole) / variance,
        in_size + slope_zero - (count - whole) * whole * slope_zero / variance,
        excess * excess / variance,
    )


@compiled
def sample_positive(mean: float, size: float, rng: np.random.Generator) -> int:
    """Draw one count >= 1."""
    log_zero = -size * math.log1p(mean / size)
    positive = -math.expm1(log_zero)
    if positive > RARELY:
        while True:
            count = sample_one(mean, size, rng)
            if count > 0:
                return count
    count, share = 1, mean / (mean + size)
    p = math.exp(log_zero) * size * share / positive
    left = rng.random() - p
    while left > 0.0 and p > 1e-18:
        count += 1
        p *= (count - 1.0 + size) / count * share
        left -= p
    return count


@compiled
def hurdle_head(rate: Floats, mean: Floats, size: Floats) -> Floats:
    """Return the pmf of a mixture of hurdle distributions, up to where nearly all mass lies.

    Parameters
    ----------
    rate, mean, size : ndarray, shape (components, horizon, units)
        The chance of a count of 0 is ``exp(-rate)``; mean and size are those of a positive count before truncation.

    Returns
    -------
    ndarray, shape (horizon, units, k)
        ``p(0), p(1), ..``; the mass beyond is at most 1e-9, unless 4,096 counts did not suffice.
    """
    components, horizon, units = rate.shape
    out = np.zeros((horizon, units, HEAD_LIMIT))
    longest = 2
    p, share, odds, sizes = np.empty(components), np.empty(components), np.empty(components), np.empty(components)
    first = np.empty(components, dtype=np.int64)
    for h in range(horizon):
        for u in range(units):
            expected, total, plain = 0.0, 0.0, True
            for c in range(components):
                m, r = mean[c, h, u], size[c, h, u]
                log_zero = -r * math.log1p(m / r)
                happens = -math.expm1(-rate[c, h, u])
                share[c] = happens / -math.expm1(log_zero) / components
                first[c] = 0 if log_zero > LEAST_LOGPMF else first_count(m, r)
                p[c] = share[c] * math.exp(log_zero) if first[c] == 0 else 0.0
                plain &= first[c] == 0
                odds[c], sizes[c] = m / (m + r), r
                expected += share[c] * m
                total += math.exp(-rate[c, h, u]) / components
            out[h, u, 0] = total
            k = 0
            while (
                k + 1 < HEAD_LIMIT and 1.0 - total > HEAD_TOLERANCE and (k < expected or k < 2 or out[h, u, k] > 1e-18)
            ):
                k += 1
                if plain:  # the same figures without a branch: several at a time
                    for c in range(components):
                        p[c] *= (k - 1.0 + sizes[c]) / k * odds[c]
                else:
                    for c in range(components):
                        if k == first[c]:
                            p[c] = share[c] * math.exp(logpmf_one(k, mean[c, h, u], sizes[c]))
                        else:
                            p[c] *= (k - 1.0 + sizes[c]) / k * odds[c]
                mass = 0.0
                for c in range(components):
                    mass += p[c]
                out[h, u, k] = mass
                total += mass
            longest = max(longest, k + 1)
    return out[:, :, :longest].copy()
