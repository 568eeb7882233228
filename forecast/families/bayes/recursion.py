"""The recursions of the filter for one unit, forward and back, on small arrays that stay in the processor's cache."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

LEAST = 1e-200
"""Probabilities of points are kept above, so that no count is impossible."""
FACTORS = 4
"""Of a product whose logarithm is taken: few enough for it to stay finite."""


@compiled
def log_silence(mean: float, size: float, zeta: float) -> float:
    """Return the log probability of a week without events."""
    plain = -size * np.log1p(mean / size)
    return float(plain if zeta == 0.0 else np.log(zeta + (1.0 - zeta) * np.exp(plain)))


@compiled
def tabulate(
    level: Floats, lift: Floats, added: Floats, block_weeks: int, size: float, zeta: float, mean: Floats, quiet: Floats
) -> None:
    """Write a column's mean, (weeks, points), and the log probability that a block has no event, (blocks, points).

    Logarithms are taken of products of few weeks: one for a block instead of one for a week.
    """
    weeks, points = mean.shape
    product, share = np.ones(points), 1.0 / size
    quiet[:] = 0.0
    for t in range(weeks):
        for k in range(points):
            mean[t, k] = level[t] * lift[k] + added[t]
        if zeta == 0.0:
            for k in range(points):
                product[k] *= 1.0 + share * mean[t, k]
        else:
            for k in range(points):
                product[k] *= np.exp(log_silence(mean[t, k], size, zeta))
        within = t % block_weeks + 1
        if within % FACTORS == 0 or within == block_weeks or t == weeks - 1:
            for k in range(points):
                quiet[t // block_weeks, k] += (-size if zeta == 0.0 else 1.0) * np.log(product[k])
                product[k] = 1.0


@compiled
def score_blocks(
    counts: Integers,
    observed: Flags,
    constant: Floats,
    block_weeks: int,
    size: float,
    zeta: float,
    mean: Floats,
    quiet: Floats,
    score: Floats,
) -> None:
    """Write the log probability of each block's counts at each point, (blocks, points), from the column's tables.

    That of no event, put right in the weeks that have events or are missing.
    """
    score[:] = quiet
    for t in range(len(counts)):
        b, y = t // block_weeks, counts[t]
        if not observed[t]:
            for k in range(score.shape[1]):
                score[b, k] -= log_silence(mean[t, k], size, zeta)
        elif y > 0:
            for k in range(score.shape[1]):
                score[b, k] += constant[t] + y * np.log(mean[t, k] / (1.0 + mean[t, k] / size))
            if zeta > 0.0:
                for k in range(score.shape[1]):
                    score[b, k] += log_silence(mean[t, k], size, 0.0) - log_silence(mean[t, k], size, zeta)


@compiled
def forward(
    score: Floats, transition: Floats, before: Floats, predicted: Floats, state: Floats, evidence: Floats
) -> None:
    """Write the probabilities of the points before and after each block's counts, and add to its log evidence.

    `score` becomes the probability itself, over its largest value.
    """
    blocks, points = score.shape
    predicted[:] = 0.0
    predicted[0] = before
    for b in range(blocks):
        if b > 0:
            for j in range(points):
                share = state[b - 1, j]
                for k in range(points):
                    predicted[b, k] += share * transition[j, k]
        top = score[b].max()
        total = 0.0
        for k in range(points):
            score[b, k] = np.exp(score[b, k] - top)
            state[b, k] = max(predicted[b, k], LEAST) * score[b, k]
            total += state[b, k]
        total = max(total, LEAST)
        for k in range(points):
            state[b, k] /= total
        evidence[b] += np.log(total) + top


@compiled
def back(likely: Floats, predicted: Floats, turned: Floats, turned_slope: Floats, state: Floats) -> float:
    """Turn filtered probabilities into smoothed ones, in place; return the derivative of the evidence by the time.

    `likely` is what `forward` leaves of the score; `turned` and `turned_slope` are the transposed transition and its
    derivative by the time.
    """
    blocks, points = likely.shape
    backward, carried, pulled = np.ones(points), np.empty(points), np.empty(points)
    by_time = 0.0
    for b in range(blocks - 1, -1, -1):
        total, mass = 0.0, 0.0
        for k in range(points):
            carried[k] = likely[b, k] * backward[k]
            total += predicted[b, k] * carried[k]
            state[b, k] *= backward[k]
            mass += state[b, k]
        for k in range(points):
            carried[k] /= max(total, LEAST)
            state[b, k] /= max(mass, LEAST)
        if b == 0:
            break
        backward[:] = 0.0
        pulled[:] = 0.0
        for k in range(points):
            share = carried[k]
            for j in range(points):
                backward[j] += share * turned[k, j]
                pulled[j] += share * turned_slope[k, j]
        for j in range(points):
            by_time += state[b - 1, j] * pulled[j]
    return by_time


@compiled
def expect(
    counts: Integers, observed: Flags, block_weeks: int, smoothed: Floats, whole: Floats, apart: Floats, busy: Floats,
    events: Floats,
) -> None:  # fmt: skip
    """Add the points' probabilities to the column's, and what of them lies in weeks that have events or are missing.

    `whole` is by block, `apart` of all such weeks, `busy` of those with events, `events` times their number.
    """
    whole += smoothed
    for t in range(len(counts)):
        b, y = t // block_weeks, counts[t]
        if not observed[t]:
            apart[t] += smoothed[b]
        elif y > 0:
            apart[t] += smoothed[b]
            busy[t] += smoothed[b]
            events[t] += y * smoothed[b]


@compiled
def differentiate(
    mean: Floats,
    quiet: Floats,
    whole: Floats,
    apart: Floats,
    busy: Floats,
    events: Floats,
    added: Floats,
    grid: Floats,
    block_weeks: int,
    size: float,
    zeta: float,
    by_level: Floats,
    by_added: Floats,
) -> tuple[float, float, float]:
    """Write the derivatives by each week's log level and excitation; return those by spread and size, and extra zeros.

    The one by the size lacks the terms that depend on the counts alone.
    """
    by_spread, extra_zeros = 0.0, 0.0
    by_size = (whole * quiet).sum() / size if zeta == 0.0 else 0.0  # as though no week were missing
    for t in range(len(mean)):
        level, plain, b = 0.0, 0.0, t // block_weeks
        for k in range(len(grid)):
            idle, missing = whole[b, k] - apart[t, k], apart[t, k] - busy[t, k]
            if zeta > 0.0:
                surplus = np.log1p(mean[t, k] / size)
                extra = idle * zeta / (zeta + (1.0 - zeta) * np.exp(-size * surplus))
                extra_zeros += extra
                idle -= extra
                by_size -= (idle + busy[t, k]) * surplus
            elif missing > 0.0:
                by_size += missing * np.log1p(mean[t, k] / size)
            total = (events[t, k] + size * (idle + busy[t, k])) / (size + mean[t, k])
            slope = -total
            if events[t, k] > 0.0:
                slope += events[t, k] / mean[t, k]
            moving = slope * (mean[t, k] - added[t])
            plain += slope
            level += moving
            by_spread += moving * grid[k]
            by_size += total * mean[t, k] / size
        by_level[t] = level
        by_added[t] = plain
    return by_spread, by_size, extra_zeros


@compiled
def filter_units(
    counts: Integers,
    observed: Flags,
    constant: Floats,
    column: Integers,
    block_weeks: int,
    level: Floats,
    lift: Floats,
    added: Floats,
    size: float,
    zeta: float,
    transition: Floats,
    before: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Go forward; return predicted and filtered probabilities of the last block, (units, points), and the evidence."""
    weeks, points = len(counts[0]), len(lift)
    blocks = -(-weeks // block_weeks)
    last_predicted, last_state, evidence = np.empty_like(before), np.empty_like(before), np.zeros(blocks)
    score, predicted, state = np.empty((blocks, points)), np.empty((blocks, points)), np.empty((blocks, points))
    mean, quiet = np.empty((weeks, points)), np.empty((blocks, points))
    for c in range(len(level)):
        tabulate(level[c], lift, added[c], block_weeks, size, zeta, mean, quiet)
        for u in range(len(counts)):
            if column[u] == c:
                score_blocks(counts[u], observed[u], constant[u], block_weeks, size, zeta, mean, quiet, score)
                forward(score, transition, before[u], predicted, state, evidence)
                last_predicted[u], last_state[u] = predicted[-1], state[-1]
    return last_predicted, last_state, evidence


@compiled
def smooth_units(
    counts: Integers,
    observed: Flags,
    constant: Floats,
    column: Integers,
    block_weeks: int,
    level: Floats,
    lift: Floats,
    added: Floats,
    size: float,
    zeta: float,
    transition: Floats,
    slope: Floats,
    grid: Floats,
    stationary: Floats,
    by_level: Floats,
    by_added: Floats,
    smoothed: Floats,
) -> tuple[float, float, float, float, float]:
    """Go forward and back, and write the derivatives by level and excitation, each (columns, weeks).

    The smoothed probabilities are written too where there is room for them: shape (units or 0, blocks, points). What is
    returned are the log evidence, its derivatives by spread, size and time, and the expected number of extra zeros.
    """
    weeks, points = len(counts[0]), len(lift)
    blocks = -(-weeks // block_weeks)
    evidence, spread, scatter, time, extra = np.zeros(blocks), 0.0, 0.0, 0.0, 0.0
    turned, turned_slope = np.ascontiguousarray(transition.T), np.ascontiguousarray(slope.T)
    score, predicted, state = np.empty((blocks, points)), np.empty((blocks, points)), np.empty((blocks, points))
    mean, quiet, whole = np.empty((weeks, points)), np.empty((blocks, points)), np.empty((blocks, points))
    apart, busy, events = np.empty((weeks, points)), np.empty((weeks, points)), np.empty((weeks, points))
    for c in range(len(level)):
        tabulate(level[c], lift, added[c], block_weeks, size, zeta, mean, quiet)
        whole[:], apart[:], busy[:], events[:] = 0.0, 0.0, 0.0, 0.0
        for u in range(len(counts)):
            if column[u] != c:
                continue
            score_blocks(counts[u], observed[u], constant[u], block_weeks, size, zeta, mean, quiet, score)
            forward(score, transition, stationary, predicted, state, evidence)
            time += back(score, predicted, turned, turned_slope, state)
            expect(counts[u], observed[u], block_weeks, state, whole, apart, busy, events)
            if len(smoothed):
                smoothed[u] = state
        by_spread, by_size, extra_zeros = differentiate(
            mean, quiet, whole, apart, busy, events, added[c], grid, block_weeks, size, zeta, by_level[c], by_added[c]
        )
        spread += by_spread
        scatter += by_size
        extra += extra_zeros
    return evidence.sum(), spread, scatter, time, extra
