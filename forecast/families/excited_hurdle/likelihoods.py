"""Likelihoods of the two parts, occurrence and number, unit by unit with score and information, as kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.excited_hurdle.positive import positive_cell

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

LARGEST_RATE, LEAST_RATE = 50.0, 1e-9
LEAST_LOG_EXCESS, LARGEST_LOG = -12.0, 25.0
"""Log baselines and log means are cut here, so that no step of an optimiser overflows."""


@compiled
def occurrence_likelihood(
    counts: Counts,
    weight: Floats,
    scale: Floats,
    level: Floats,
    own: Floats,
    near: Floats,
    shared: Floats,
    units: Floats,
) -> tuple[float, Floats, Floats, Floats]:
    r"""Return the log likelihood of which weeks have an event, with score and information of each unit.

    The chance of an event is :math:`1 - e^{-\lambda}` with

    .. math:: \lambda = S \, (e^{b + u + \rho \ell} + e^{a} E + e^{c} E_N) .

    Parameters
    ----------
    counts : ndarray of int, shape (weeks, units)
    weight : ndarray, shape (weeks, units)
        0 where not observed.
    scale, level : ndarray, shape (weeks, units)
        S and :math:`\ell`.
    own, near : ndarray, shape (weeks, units, 3)
        E and E_N with their derivatives in the two parameters of the kernel.
    shared : ndarray, shape (6,)
        b, rho, a, c, and the parameters of the kernel (which only count through `own` and `near`).
    units : ndarray, shape (units,)
        u.

    Returns
    -------
    value : float
    score : ndarray, shape (units, 7)
        The last column belongs to u.
    information, meat : ndarray, shape (units, 7, 7)
        Sums of ``w`` and ``w**2`` times the expected information of a cell; in `information` the observed one of a
        and c where that is larger.
    """
    weeks, n = counts.shape
    k = len(shared) + 1
    value = 0.0
    score, information, meat = np.zeros((n, k)), np.zeros((n, k, k)), np.zeros((n, k, k))
    by_own, by_near = math.exp(min(shared[2], LARGEST_LOG)), math.exp(min(shared[3], LARGEST_LOG))
    slope = np.empty(k)
    for t in range(weeks):
        for u in range(n):
            w = weight[t, u]
            if w <= 0.0:
                continue
            s = scale[t, u]
            base = s * math.exp(min(shared[0] + units[u] + shared[1] * level[t, u], LARGEST_LOG))
            slope[0] = slope[6] = base
            slope[1] = base * level[t, u]
            slope[2] = s * by_own * own[t, u, 0]
            slope[3] = s * by_near * near[t, u, 0]
            slope[4] = s * (by_own * own[t, u, 1] + by_near * near[t, u, 1])
            slope[5] = s * (by_own * own[t, u, 2] + by_near * near[t, u, 2])
            rate = min(max(base + slope[2] + slope[3], LEAST_RATE), LARGEST_RATE)
            odds = 1.0 / math.expm1(rate)  # information of the cell about its rate
            if counts[t, u] > 0:
                value += w * math.log(-math.expm1(-rate))
                in_rate = odds
            else:
                value -= w * rate
                in_rate = -1.0
            for i in range(k):
                score[u, i] += w * in_rate * slope[i]
                scaled = w * odds * slope[i]
                for j in range(i + 1):
                    information[u, i, j] += scaled * slope[j]
                    meat[u, i, j] += w * scaled * slope[j]
    # Excitation is linear in e^a and e^c, so that the observed information of a and c is the expected one less their
    # score. Where there is little excitation that is nearly all of it, and scoring without it would not end.
    for i in range(2, 4):
        information[:, i, i] += max(-score[:, i].sum(), 0.0) / n
    _mirror(information, meat)
    return value, score, information, meat


@compiled
def number_likelihood(
    counts: Counts, weight: Floats, features: Floats, shared: Floats, units: Floats, dispersion: Floats
) -> tuple[float, Floats, Floats, Floats, Floats]:
    r"""Return the log likelihood of the positive counts, with score and information of each unit.

    A positive count is zero-truncated negative binomial with mean M, :math:`\log (M - 1) = f' \gamma + v`, and,
    before truncation, size :math:`\log r = d_0 + d_1 \log M`.

    Parameters
    ----------
    counts : ndarray of int, shape (weeks, units)
    weight : ndarray, shape (weeks, units)
    features : ndarray, shape (weeks, units, k)
        f.
    shared : ndarray, shape (k,)
    units : ndarray, shape (units,)
        v.
    dispersion : ndarray, shape (2,)

    Returns
    -------
    value, score, information, meat
        As for `occurrence_likelihood`; the last column belongs to v. The information is that of the mean, without the
        little that the size adds.
    in_dispersion : ndarray, shape (2,)
    """
    weeks, n = counts.shape
    k = len(shared) + 1
    value, in_dispersion = 0.0, np.zeros(2)
    score, information, meat = np.zeros((n, k)), np.zeros((n, k, k)), np.zeros((n, k, k))
    slope = np.ones(k)
    for t in range(weeks):
        for u in range(n):
            w = weight[t, u]
            if w <= 0.0 or counts[t, u] == 0:
                continue
            log_excess = units[u]
            for i in range(k - 1):
                slope[i] = features[t, u, i]
                log_excess += shared[i] * slope[i]
            log_excess = min(max(log_excess, LEAST_LOG_EXCESS), LARGEST_LOG)
            excess = math.exp(log_excess)
            log_mean = math.log1p(excess)
            size = math.exp(dispersion[0] + dispersion[1] * log_mean)
            one, in_excess, in_size, precision = positive_cell(float(counts[t, u]), excess, size)
            value += w * one
            in_dispersion[0] += w * in_size
            in_dispersion[1] += w * in_size * log_mean
            in_excess += dispersion[1] * in_size * excess / (1.0 + excess)
            for i in range(k):
                score[u, i] += w * in_excess * slope[i]
                scaled = w * precision * slope[i]
                for j in range(i + 1):
                    information[u, i, j] += scaled * slope[j]
                    meat[u, i, j] += w * scaled * slope[j]
    _mirror(information, meat)
    return value, score, information, meat, in_dispersion


@compiled
def _mirror(information: Floats, meat: Floats) -> None:
    n, k, _ = information.shape
    for u in range(n):
        for i in range(k):
            for j in range(i):
                information[u, j, i], meat[u, j, i] = information[u, i, j], meat[u, i, j]
