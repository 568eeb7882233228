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


@compiled
def tabulate(
    level: Floats, lift: Floats, added: Floats, size: float, zeta: float, mean: Floats, surplus: Floats, silence: Floats
) -> None:
    """Write mean, log(1 + mean / size) and the log probability of no event of a column, each (weeks, points)."""
    for t in range(len(level)):
        for k in range(len(lift)):
            mean[t, k] = level[t] * lift[k] + added[t]
            surplus[t, k] = np.log1p(mean[t, k] / size)
            silence[t, k] = -size * surplus[t, k]
            if zeta > 0.0:
                silence[t, k] = np.log(zeta + (1.0 - zeta) * np.exp(silence[t, k]))


@compiled
def score_blocks(
    counts: Integers,
    observed: Flags,
    constant: Floats,
    block_weeks: int,
    size: float,
    mean: Floats,
    surplus: Floats,
    silence: Floats,
    score: Floats,
) -> None:
    """Write the log probability of each block's counts at each point, (blocks, points), from the column's tables."""
    score[:] = 0.0
    for t in range(len(counts)):
        if not observed[t]:
            continue
        b, y = t // block_weeks, counts[t]
        if y == 0:
            for k in range(score.shape[1]):
                score[b, k] += silence[t, k]
        else:
            for k in range(score.shape[1]):
                score[b, k] += constant[t] + y * np.log(mean[t, k]) - (y + size) * surplus[t, k]


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
    counts: Integers,
    observed: Flags,
    block_weeks: int,
    smoothed: Floats,
    silence: Floats,
    zeta: float,
    weight: Floats,
    events: Floats,
) -> float:
    """Add the points' probabilities, and these times the count, to the column's; return the expected extra zeros."""
    surplus = 0.0
    for t in range(len(counts)):
        if not observed[t]:
            continue
        b, y = t // block_weeks, counts[t]
        for k in range(smoothed.shape[1]):
            share = smoothed[b, k]
            if y == 0 and zeta > 0.0:
                extra = zeta * np.exp(-silence[t, k])
                surplus += share * extra
                share *= 1.0 - extra
            weight[t, k] += share
            events[t, k] += y * share
    return surplus


@compiled
def differentiate(
    mean: Floats,
    surplus: Floats,
    weight: Floats,
    events: Floats,
    added: Floats,
    grid: Floats,
    size: float,
    by_level: Floats,
    by_added: Floats,
) -> tuple[float, float]:
    """Write the derivatives by each week's log level and excitation; return those by spread and size.

    The one by the size lacks the terms that depend on the counts alone.
    """
    by_spread, by_size = 0.0, 0.0
    for t in range(len(mean)):
        level, plain = 0.0, 0.0
        for k in range(len(grid)):
            total = events[t, k] + size * weight[t, k]
            slope = events[t, k] / mean[t, k] - total / (size + mean[t, k])
            moving = slope * (mean[t, k] - added[t])
            plain += slope
            level += moving
            by_spread += moving * grid[k]
            by_size += total * mean[t, k] / (size * (size + mean[t, k])) - weight[t, k] * surplus[t, k]
        by_level[t] = level
        by_added[t] = plain
    return by_spread, by_size


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
    mean, surplus, silence = np.empty((weeks, points)), np.empty((weeks, points)), np.empty((weeks, points))
    for c in range(len(level)):
        tabulate(level[c], lift, added[c], size, zeta, mean, surplus, silence)
        for u in range(len(counts)):
            if column[u] == c:
                score_blocks(counts[u], observed[u], constant[u], block_weeks, size, mean, surplus, silence, score)
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
    mean, surplus, silence = np.empty((weeks, points)), np.empty((weeks, points)), np.empty((weeks, points))
    weight, events = np.empty((weeks, points)), np.empty((weeks, points))
    for c in range(len(level)):
        tabulate(level[c], lift, added[c], size, zeta, mean, surplus, silence)
        weight[:] = 0.0
        events[:] = 0.0
        for u in range(len(counts)):
            if column[u] != c:
                continue
            score_blocks(counts[u], observed[u], constant[u], block_weeks, size, mean, surplus, silence, score)
            forward(score, transition, stationary, predicted, state, evidence)
            time += back(score, predicted, turned, turned_slope, state)
            extra += expect(counts[u], observed[u], block_weeks, state, silence, zeta, weight, events)
            if len(smoothed):
                smoothed[u] = state
        added_spread, added_scatter = differentiate(
            mean, surplus, weight, events, added[c], grid, size, by_level[c], by_added[c]
        )
        spread += added_spread
        scatter += added_scatter
    return evidence.sum(), spread, scatter, time, extra
