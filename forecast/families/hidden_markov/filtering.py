"""Forward and backward through the hidden chain of every unit, and the most probable path; scaled, as kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive.negbin import cell

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Observed = NDArray[np.bool_]

LEAST = 1e-300
"""Stands for a probability that has underflowed."""


@compiled
def size_of(mean: float, size: float, excess: float) -> float:
    """Return the size of a count in a regime, ``1 / (1 / size + excess / mean)``."""
    return 1.0 / (1.0 / size + excess / mean) if excess > 0.0 else size


@compiled
def emission(count: int, mean: float, size: float) -> tuple[float, float, float]:
    """Return the log probability of a count, and its slopes in the mean and in the log size."""
    if count > 0 or size > 1e10:
        return cell(float(count), mean, size)
    zero = math.log1p(mean / size)
    return -size * zero, -size / (size + mean), size * (mean / (size + mean) - zero)


@compiled
def forward(
    counts: Counts,
    observed: Observed,
    base: Floats,
    ratio: Floats,
    size: Floats,
    excess: float,
    transition: Floats,
    start: Floats,
) -> tuple[Floats, Floats]:
    r"""Filter the regimes of every unit.

    .. math:: \phi_t \propto (\phi_{t-1} \Gamma_t) \circ f(y_t), \quad c_t = \sum_s (\phi_{t-1} \Gamma_t)_s f_s(y_t)

    Parameters
    ----------
    counts, observed : ndarray, shape (weeks, units)
    base : ndarray, shape (weeks, units)
        Expected count at ratio 1.
    ratio, size : ndarray, shape (regimes,)
    excess : float
    transition : ndarray, shape (weeks, regimes, regimes)
        Into each week; that of the first is not used.
    start : ndarray, shape (regimes,)
        In the first week.

    Returns
    -------
    filtered : ndarray, shape (weeks, units, regimes)
        Probability of each regime given the counts up to and with the week.
    score : ndarray, shape (weeks, units)
        :math:`\log c_t`; 0 where not observed.
    """
    weeks, units = counts.shape
    regimes = len(ratio)
    filtered, score = np.empty((weeks, units, regimes)), np.zeros((weeks, units))
    log_f = np.empty(regimes)
    for t in range(weeks):
        for u in range(units):
            out = filtered[t, u]
            _predict(t, u, filtered, transition, start, out)
            if not observed[t, u]:
                continue
            highest = -math.inf
            for s in range(regimes):
                mean = base[t, u] * ratio[s]
                log_f[s], _, _ = emission(counts[t, u], mean, size_of(mean, size[s], excess))
                highest = max(highest, log_f[s])
            total = 0.0
            for s in range(regimes):
                out[s] *= math.exp(log_f[s] - highest)
                total += out[s]
            total = max(total, LEAST)
            for s in range(regimes):
                out[s] = max(out[s] / total, LEAST)
            score[t, u] = highest + math.log(total)
    return filtered, score


@compiled
def _predict(t: int, u: int, filtered: Floats, transition: Floats, start: Floats, out: Floats) -> None:
    """Write the probability of each regime before the count of week t is seen."""
    for s in range(len(start)):
        if t == 0:
            out[s] = start[s]
        else:
            total = 0.0
            for r in range(len(start)):
                total += filtered[t - 1, u, r] * transition[t, r, s]
            out[s] = total


@compiled
def gradient(
    arguments: tuple[Counts, Observed, Floats, Floats, Floats, float, Floats, Floats], weight: Floats, filtered: Floats
) -> tuple[Floats, Floats, float, Floats, Floats]:
    r"""Differentiate :math:`\sum_{t,u} w_t \log c_{tu}` exactly, backwards through the filter.

    With :math:`a_t` the derivative of what comes after week t in the filtered :math:`\phi_t`,

    .. math:: \partial \log f_s = (w_t + a_s - a \cdot \phi)\, \phi_s, \quad
              \partial \mathrm{pred}_s = \partial \log f_s / \mathrm{pred}_s, \quad
              a_{t-1} = \Gamma_t\, \partial \mathrm{pred} .

    With all weights 1 the first of these is the smoothed probability of the regime (Fisher's identity); decaying
    weights have no such form, and EM does not climb their likelihood.

    Parameters
    ----------
    arguments : tuple
        Those of `forward`.
    weight : ndarray, shape (weeks,)
    filtered : ndarray, shape (weeks, units, regimes)

    Returns
    -------
    ratio, size : ndarray, shape (regimes,)
        In the logarithms.
    excess : float
        In the logarithm.
    transition : ndarray, shape (weeks, regimes, regimes)
    start : ndarray, shape (regimes,)
    """
    counts, observed, base, ratio, size, excess, transition, start = arguments
    weeks, units, regimes = filtered.shape
    by_ratio, by_size, by_excess = np.zeros(regimes), np.zeros(regimes), 0.0
    by_transition, by_start = np.zeros(transition.shape), np.zeros(regimes)
    after = np.zeros((units, regimes))
    before, by_before = np.empty(regimes), np.empty(regimes)
    for t in range(weeks - 1, -1, -1):
        for u in range(units):
            known = observed[t, u]
            _predict(t, u, filtered, transition, start, before)
            now, a = filtered[t, u], after[u]
            if known:
                level = weight[t]
                for s in range(regimes):
                    level -= a[s] * now[s]
                for s in range(regimes):
                    by_log_f = (level + a[s]) * now[s]
                    by_before[s] = by_log_f / before[s]
                    mean = base[t, u] * ratio[s]
                    k = size_of(mean, size[s], excess)
                    _, in_mean, in_log_size = emission(counts[t, u], mean, k)
                    by_ratio[s] += by_log_f * in_mean * mean
                    if math.isfinite(k):
                        share = k * excess / mean
                        by_ratio[s] += by_log_f * in_log_size * share
                        by_size[s] += by_log_f * in_log_size * k / size[s]
                        by_excess -= by_log_f * in_log_size * share
            else:
                by_before[:] = a
            if t == 0:
                by_start += by_before
                continue
            for r in range(regimes):
                total = 0.0
                for s in range(regimes):
                    by_transition[t, r, s] += filtered[t - 1, u, r] * by_before[s]
                    total += transition[t, r, s] * by_before[s]
                a[r] = total
    return by_ratio, by_size, by_excess, by_transition, by_start


@compiled
def smooth(filtered: Floats, transition: Floats, start: Floats) -> Floats:
    """Return the probability of each regime given all counts, shape (weeks, units, regimes)."""
    weeks, units, regimes = filtered.shape
    out = filtered.copy()
    before = np.empty(regimes)
    for t in range(weeks - 2, -1, -1):
        for u in range(units):
            _predict(t + 1, u, filtered, transition, start, before)
            for r in range(regimes):
                share = 0.0
                for s in range(regimes):
                    share += transition[t + 1, r, s] * out[t + 1, u, s] / before[s]
                out[t, u, r] = filtered[t, u, r] * share
    return out


@compiled
def most_probable_path(
    counts: Counts,
    observed: Observed,
    base: Floats,
    ratio: Floats,
    size: Floats,
    excess: float,
    transition: Floats,
    start: Floats,
) -> Counts:
    """Return the most probable sequence of regimes of every unit (Viterbi), shape (weeks, units).

    Arguments as for `forward`. Viterbi (1967), doi:10.1109/TIT.1967.1054010.
    """
    weeks, units = counts.shape
    regimes = len(ratio)
    path, came = np.zeros((weeks, units), np.int64), np.zeros((weeks, regimes), np.int64)
    best, new = np.empty(regimes), np.empty(regimes)
    for u in range(units):
        for t in range(weeks):
            for s in range(regimes):
                if t == 0:
                    new[s] = math.log(max(start[s], LEAST))
                else:
                    new[s] = -math.inf
                    for r in range(regimes):
                        value = best[r] + math.log(max(transition[t, r, s], LEAST))
                        if value > new[s]:
                            new[s], came[t, s] = value, r
                if observed[t, u]:
                    mean = base[t, u] * ratio[s]
                    new[s] += emission(counts[t, u], mean, size_of(mean, size[s], excess))[0]
            best[:] = new
        path[weeks - 1, u] = np.argmax(best)
        for t in range(weeks - 1, 0, -1):
            path[t - 1, u] = came[t, path[t, u]]
    return path
