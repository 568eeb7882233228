"""The likelihood of a panel with the latent levels summed out, and its gradient: one pass forward, one back.

The level of a unit stays for a block of weeks and then moves by the chain. Units of the same expected count at each
point of the grid share one *column* of the tables, so that silent regions of one country cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from forecast.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST = 1e-200
"""Probabilities of points are kept above, so that no count is impossible."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Counts of consecutive weeks in blocks.

    Parameters
    ----------
    counts : ndarray of int64, shape (weeks, units)
    observed : ndarray of bool, shape (weeks, units)
    column : ndarray of int64, shape (units,)
        Column of the tables that each unit reads.
    block_weeks : int
        The first week starts a block.
    """

    counts: Integers
    observed: NDArray[np.bool_]
    column: Integers
    block_weeks: int

    @cached_property
    def distinct(self) -> tuple[Floats, Integers]:
        """The counts that occur, and which of them each count is, shape (weeks, units)."""
        values, code = np.unique(self.counts, return_inverse=True)
        return values.astype(np.float64), code.reshape(self.counts.shape).astype(np.int64)

    @property
    def blocks(self) -> int:
        """Number of blocks; the last may not be full."""
        return -(-len(self.counts) // self.block_weeks)


@dataclass(frozen=True, eq=False)
class Rates:
    r"""What the counts of some weeks depend on, given a unit's point :math:`u` on the grid.

    .. math:: m = e^{\ell + \tau u} + x, \quad y \sim \begin{cases} 0 & \text{with probability } \zeta \\
              NB(m, r) & \text{else.} \end{cases}

    Parameters
    ----------
    log_level : ndarray, shape (weeks, columns)
        :math:`\ell`.
    spread : float
        :math:`\tau`.
    excitation : ndarray, shape (weeks, columns)
        :math:`x \ge 0`.
    size : float
        :math:`r`.
    extra_zeros : float
        :math:`\zeta`; 0 for the plain negative binomial.
    block_time : float
        How far the chain moves from one block to the next.
    """

    log_level: Floats
    spread: float
    excitation: Floats
    size: float
    extra_zeros: float
    block_time: float


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the log likelihood by each part of `Rates`; `size` by its log, `extra_zeros` by its logit."""

    log_level: Floats
    spread: float
    excitation: Floats
    log_size: float
    logit_zeros: float
    block_time: float


@dataclass(frozen=True, eq=False)
class Tables:
    """What a count depends on at each point, shape (weeks, columns, points).

    Parameters
    ----------
    mean : ndarray
    surplus : ndarray
        ``log(1 + mean / size)``.
    silence : ndarray
        Log probability of no event.
    """

    mean: Floats
    surplus: Floats
    silence: Floats

    @classmethod
    def of(cls, rates: Rates, grid: Floats) -> Tables:
        """Compute the tables of some weeks."""
        mean = np.exp(rates.log_level)[:, :, None] * np.exp(rates.spread * grid) + rates.excitation[:, :, None]
        surplus = np.log1p(mean / rates.size)
        silence = -rates.size * surplus
        if rates.extra_zeros > 0:
            silence = np.log(rates.extra_zeros + (1 - rates.extra_zeros) * np.exp(silence))
        return cls(mean, surplus, silence)


def block_scores(seen: Observations, rates: Rates, grid: Floats) -> tuple[Floats, Tables]:
    """Return the log probability of each block's counts, (blocks, units, points), and the tables behind it."""
    table = Tables.of(rates, grid)
    r, (y, code) = rates.size, seen.distinct
    constant = gammaln(y + r) - gammaln(r) - gammaln(y + 1) + np.log1p(-rates.extra_zeros) - y * np.log(r)
    score = np.zeros((seen.blocks, seen.counts.shape[1], len(grid)))
    _add_scores(
        seen.counts, code, seen.observed, seen.column, seen.block_weeks, table.mean, table.surplus, table.silence, r,
        constant, score,
    )  # fmt: skip
    return score, table


def filtered(score: Floats, transition: Floats, before: Floats) -> tuple[Floats, Floats, Floats]:
    """Move the probabilities of the points on, block by block.

    Parameters
    ----------
    score : ndarray, shape (blocks, units, points)
        Log probability of each block's counts.
    transition : ndarray, shape (points, points)
    before : ndarray, shape (units, points)
        Probabilities in the first block before its counts are seen.

    Returns
    -------
    predicted, state : ndarray, shape (blocks, units, points)
        Before and after the counts of each block.
    evidence : ndarray, shape (blocks,)
        Log probability of the counts of all units in a block, given those of the blocks before.
    """
    predicted, state, evidence = np.empty_like(score), np.empty_like(score), np.zeros(len(score))
    _filter(score, transition, before, predicted, state, evidence)
    return predicted, state, evidence


def log_likelihood(
    seen: Observations, rates: Rates, grid: Floats, stationary: Floats, transition: Floats, slope: Floats
) -> tuple[float, Slopes, Floats]:
    """Return the log likelihood with its derivatives, and the smoothed probabilities of the points.

    By Fisher's identity the derivatives are expectations, under the smoothed levels, of those given the levels.

    Parameters
    ----------
    seen : Observations
    rates : Rates
    grid, stationary : ndarray, shape (points,)
    transition, slope : ndarray, shape (points, points)
        Of the chain over one block, and its derivative by the time.

    Returns
    -------
    value : float
    slopes : Slopes
    smoothed : ndarray, shape (blocks, units, points)
        Probabilities given all counts.
    """
    score, table = block_scores(seen, rates, grid)
    mean = table.mean
    start = np.tile(stationary, (seen.counts.shape[1], 1))
    predicted, state, evidence = filtered(score, transition, start)
    flow = np.zeros_like(transition)
    smoothed = state
    _smooth(score, predicted, transition, smoothed, flow)
    weight, events = np.zeros_like(mean), np.zeros_like(mean)
    r, zeta = rates.size, rates.extra_zeros
    surplus = _expected(
        seen.counts, seen.observed, seen.column, seen.block_weeks, smoothed, table.silence, zeta, weight, events
    )
    by_mean = events / mean - (events + r * weight) / (r + mean)
    moving = by_mean * (mean - rates.excitation[:, :, None])
    known = seen.counts[seen.observed]
    some = known[known > 0].astype(np.float64)
    by_size = (digamma(some + r) - digamma(r) - some / r).sum() + (
        (events + r * weight) * mean / (r * (r + mean)) - weight * table.surplus
    ).sum()
    return (
        float(evidence.sum()),
        Slopes(
            moving.sum(axis=2),
            float((moving @ grid).sum()),
            by_mean.sum(axis=2),
            float(r * by_size),
            float(surplus - zeta * len(known)),
            float((flow * slope).sum()),
        ),
        smoothed,
    )


@compiled
def _add_scores(
    counts: Integers,
    code: Integers,
    observed: NDArray[np.bool_],
    column: Integers,
    block_weeks: int,
    mean: Floats,
    surplus: Floats,
    silence: Floats,
    size: float,
    constant: Floats,
    score: Floats,
) -> None:
    """Add the log probability of each count to that of its block."""
    weeks, units = counts.shape
    points = score.shape[2]
    for t in range(weeks):
        b = t // block_weeks
        for u in range(units):
            if not observed[t, u]:
                continue
            y, c = counts[t, u], column[u]
            if y == 0:
                for k in range(points):
                    score[b, u, k] += silence[t, c, k]
            else:
                for k in range(points):
                    score[b, u, k] += constant[code[t, u]] + y * np.log(mean[t, c, k]) - (y + size) * surplus[t, c, k]


@compiled
def _filter(
    score: Floats, transition: Floats, before: Floats, predicted: Floats, state: Floats, evidence: Floats
) -> None:
    """Write `predicted`, `state` and `evidence`."""
    blocks, units, points = score.shape
    predicted[0] = before
    for b in range(blocks):
        if b > 0:
            predicted[b] = np.dot(state[b - 1], transition)
        for u in range(units):
            top = score[b, u].max()
            total = 0.0
            for k in range(points):
                value = max(predicted[b, u, k], LEAST) * np.exp(score[b, u, k] - top)
                state[b, u, k] = value
                total += value
            total = max(total, LEAST)
            for k in range(points):
                state[b, u, k] /= total
            evidence[b] += np.log(total) + top


@compiled
def _smooth(score: Floats, predicted: Floats, transition: Floats, state: Floats, flow: Floats) -> None:
    """Turn filtered probabilities into smoothed ones, in place; add the derivative by `transition` to `flow`."""
    blocks, units, points = score.shape
    backward = np.ones((units, points))
    back = np.ascontiguousarray(transition.T)
    carried = np.empty((units, points))
    for b in range(blocks - 1, -1, -1):
        for u in range(units):
            total, top = 0.0, score[b, u].max()
            for k in range(points):
                carried[u, k] = np.exp(score[b, u, k] - top) * backward[u, k]
                total += predicted[b, u, k] * carried[u, k]
            for k in range(points):
                carried[u, k] /= max(total, LEAST)
        if b > 0:
            flow += np.dot(np.ascontiguousarray(state[b - 1].T), carried)
        for u in range(units):
            total = 0.0
            for k in range(points):
                state[b, u, k] *= backward[u, k]
                total += state[b, u, k]
            for k in range(points):
                state[b, u, k] /= max(total, LEAST)
        backward = np.dot(carried, back)


@compiled
def _expected(
    counts: Integers,
    observed: NDArray[np.bool_],
    column: Integers,
    block_weeks: int,
    smoothed: Floats,
    silence: Floats,
    zeta: float,
    weight: Floats,
    events: Floats,
) -> float:
    """Add the points' probabilities, and these times the count, to the columns; return the expected extra zeros."""
    weeks, units = counts.shape
    points = smoothed.shape[2]
    surplus = 0.0
    for t in range(weeks):
        b = t // block_weeks
        for u in range(units):
            if not observed[t, u]:
                continue
            y, c = counts[t, u], column[u]
            for k in range(points):
                share = smoothed[b, u, k]
                if y == 0 and zeta > 0.0:
                    extra = zeta * np.exp(-silence[t, c, k])
                    surplus += share * extra
                    share *= 1.0 - extra
                weight[t, c, k] += share
                events[t, c, k] += y * share
    return surplus
