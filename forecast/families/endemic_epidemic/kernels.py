"""The loops over unit-weeks: what reaches each unit from its neighbours, and score and information of the likelihood.

A cell of which no event of the past weeks is near has an endemic mean alone; most are of this kind, and cost a
logarithm.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.endemic_epidemic.design import CELLS, SIZE

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

LEAST_MEAN = 1e-12
"""Stands for a mean of 0, which a model without an endemic component can have."""
SUMMED = 40.0
"""Up to this count differences of the log gamma function and its derivatives are summed term by term."""


@compiled
def spread(past: Floats, start: Indices, receiver: Indices, stack: Floats) -> Floats:
    """Return for each unit and week the sum of the others' counts times each column of weights.

    The cost is that of the events times the pairs of their units.

    Returns
    -------
    ndarray, shape (units, weeks, columns)
    """
    units, weeks = past.shape
    columns = stack.shape[1]
    out = np.zeros((units, weeks, columns))
    some = np.empty(weeks, dtype=np.int64)
    for unit in range(units):
        if start[unit + 1] == start[unit]:
            continue
        count = 0
        for week in range(weeks):
            if past[unit, week] != 0.0:
                some[count] = week
                count += 1
        for pair in range(start[unit], start[unit + 1]):
            to = receiver[pair]
            for at in range(count):
                week = some[at]
                for column in range(columns):
                    out[to, week, column] += stack[pair, column] * past[unit, week]
    return out


@compiled
def gamma_differences(count: float, size: float) -> tuple[float, float, float]:
    """Return log gamma, digamma and trigamma at ``size + count``, each less its value at `size`."""
    log, first, second = 0.0, 0.0, 0.0
    if count <= SUMMED:
        product = 1.0
        for k in range(int(count)):
            term = size + k
            product *= term
            if product > 1e200 or product < 1e-200:
                log += math.log(product)
                product = 1.0
            first += 1.0 / term
            second -= 1.0 / (term * term)
        return log + math.log(product), first, second
    for sign, start in ((1.0, size + count), (-1.0, size)):
        x = start
        log += sign * math.lgamma(x)
        while x < 10.0:
            first -= sign / x
            second += sign / (x * x)
            x += 1.0
        inverse = 1.0 / (x * x)
        first += sign * (math.log(x) - 0.5 / x - inverse * (1 / 12 - inverse * (1 / 120 - inverse / 252)))
        second += sign * (1.0 / x + 0.5 * inverse + inverse / x * (1 / 6 - inverse * (1 / 30 - inverse / 42)))
    return log, first, second


@compiled
def _of_mean(y: float, mean: float, size: float, expected: bool, out: Floats) -> float:
    """Return the log probability; write its derivatives in the mean and the log size.

    `out` gets the first and second derivative in the mean, the first and second in the log size, and the mixed one;
    with `expected` the second ones are expected: in the mean exactly, in the log size by minus the squared score.
    """
    if math.isinf(size):
        out[0] = y / mean - 1.0
        out[1] = -1.0 / mean if expected else -y / (mean * mean)
        out[2] = out[3] = out[4] = 0.0
        return (y * math.log(mean) - math.lgamma(y + 1.0) if y > 0.0 else 0.0) - mean
    both = size + mean
    log, first, second = 0.0, 0.0, 0.0
    out[0] = size * (y - mean) / (mean * both)
    out[1] = (y + size) / (both * both) - y / (mean * mean)
    out[4] = size * (y - mean) / (both * both)
    if expected:
        out[1] = -size / (mean * both)
        out[4] = 0.0
    zero = math.log1p(mean / size)
    value = -size * zero
    if y > 0.0:
        log, first, second = gamma_differences(y, size)
        value += log - math.lgamma(y + 1.0) + y * math.log(mean / both)
    gap = (mean - y) / both
    out[2] = size * (first - zero + gap)
    out[3] = out[2] + size * size * (second + mean / (size * both) - gap / both)
    if expected:
        out[3] = -out[2] * out[2]
    return value


@compiled
def _any(past: Floats, reached: Floats, unit: int, week: int, order: int) -> bool:
    """Tell whether there was anything in the last weeks, in the unit itself or around it."""
    for before in range(week - order, week):
        if past[unit, before] != 0.0 or (reached.shape[2] > 0 and reached[unit, before, 0] != 0.0):
            return True
    return False


@compiled
def _look_back(
    past: Floats,
    reached: Floats,
    unit: int,
    week: int,
    lag: Floats,
    weight_count: int,
    inner: Floats,
    inner_slope: Floats,
    inner_bend: Floats,
) -> bool:
    """Write what the last weeks hold, of the unit itself (row 0) and around it (row 1); tell whether there is anything.

    `inner` is the lagged sum, `inner_slope` its derivatives in the parameters of the weights and of the lags,
    `inner_bend` the second ones.
    """
    order, columns, decays = lag.shape[1], reached.shape[2], inner_slope.shape[1]
    lagged = decays > weight_count
    inner[:2] = 0.0
    if week < order or not _any(past, reached, unit, week, order):
        return False
    inner_slope[:] = 0.0
    inner_bend[:] = 0.0
    for d in range(order):
        before = past[unit, week - 1 - d]
        inner[0] += lag[0, d] * before
        if lagged:
            inner_slope[0, weight_count] += lag[1, d] * before
            inner_bend[0, weight_count, weight_count] += lag[2, d] * before
        if columns == 0:
            continue
        near = week - 1 - d
        inner[1] += lag[0, d] * reached[unit, near, 0]
        place = 1 + weight_count
        for j in range(weight_count):
            inner_slope[1, j] += lag[0, d] * reached[unit, near, 1 + j]
            for k in range(j, weight_count):
                inner_bend[1, k, j] += lag[0, d] * reached[unit, near, place]
                place += 1
            if lagged:
                inner_bend[1, weight_count, j] += lag[1, d] * reached[unit, near, 1 + j]
        if lagged:
            inner_slope[1, weight_count] += lag[1, d] * reached[unit, near, 0]
            inner_bend[1, weight_count, weight_count] += lag[2, d] * reached[unit, near, 0]
    return True


@compiled
def _slopes(
    fed: bool,
    factor: Floats,
    inner: Floats,
    component: Indices,
    z: Floats,
    part: Floats,
    slope: Floats,
    bend: Floats,
    move: Floats,
    active: Indices,
) -> tuple[float, int]:
    """Return the mean, and on how many bases it depends; they go into `active`, in order, its slopes into `move`.

    `part` gets the three components; `slope` and `bend` get their factors.
    """
    log_bases, decays = len(component), slope.shape[1]
    mean, count = 0.0, 0
    for c in range(3):
        part[c] = factor[c] * inner[c]
        mean += part[c]
    for a in range(log_bases):
        if a != SIZE and part[component[a]] > 0.0:
            move[a] = part[component[a]] * z[a]
            active[count] = a
            count += 1
    if not fed:
        return mean, count
    for j in range(decays):
        for c in range(2):
            slope[c, j] *= factor[c]
            for k in range(j + 1):
                bend[c, j, k] *= factor[c]
        move[log_bases + j] = slope[0, j] + slope[1, j]
        active[count] = log_bases + j
        count += 1
    return mean, count


@compiled
def _of_bases(
    active: Indices,
    count: int,
    weight: float,
    noise: Floats,
    expected: bool,
    component: Indices,
    z: Floats,
    move: Floats,
    slope: Floats,
    bend: Floats,
    score: Floats,
    information: Floats,
) -> None:
    """Write score and information of one cell in the bases on which its mean depends, and in the log size."""
    log_bases = len(component)
    for at in range(count):
        a = active[at]
        score[a] = noise[0] * move[a]
        for other in range(at + 1):
            b = active[other]
            curve = 0.0
            if a < log_bases:
                if component[a] == component[b]:
                    curve = move[a] * z[b]
            elif b >= log_bases:
                curve = bend[0, a - log_bases, b - log_bases] + bend[1, a - log_bases, b - log_bases]
            elif component[b] < 2:
                curve = slope[component[b], a - log_bases] * z[b]
            entry = noise[1] * move[a] * move[b]
            if not expected:
                entry += noise[0] * curve
            information[a, b] = information[b, a] = -weight * entry
        information[a, SIZE] = information[SIZE, a] = -weight * noise[4] * move[a]
    score[SIZE], information[SIZE, SIZE] = noise[2], -weight * noise[3]


@compiled
def _add_own(
    unit: int,
    week: int,
    active: Indices,
    count: int,
    weight: float,
    score: Floats,
    information: Floats,
    unit_base: Indices,
    regressors: Floats,
    member: Indices,
    member_start: Indices,
    own_score: Floats,
    blocks: Floats,
    border: Floats,
) -> None:
    """Add one week to score and information of a unit's own parameters."""
    for u in range(len(unit_base)):
        for at in range(count):
            if active[at] != unit_base[u]:
                continue
            a = active[at]
            own_score[unit, u] += weight * score[a]
            for other in range(count):
                b = active[other]
                entry = information[a, b]
                for v in range(len(unit_base)):
                    if unit_base[v] == b:
                        blocks[unit, u, v] += entry
                for place in range(member_start[b], member_start[b + 1]):
                    border[unit, u, member[place]] += entry * regressors[week, member[place]]


@compiled
def accumulate(
    counts: Floats,
    past: Floats,
    reached: Floats,
    observed: NDArray[np.bool_],
    week_weight: Floats,
    first: int,
    week_factor: Floats,
    unit_factor: Floats,
    size: Floats,
    lag: Floats,
    cells: Floats,
    cell_component: Indices,
    cell_slope: Floats,
    weight_count: int,
    decays: int,
    regressors: Floats,
    member: Indices,
    member_start: Indices,
    unit_base: Indices,
    expected: bool,
) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
    """Return the log-likelihood, and score and information in the bases by week and by unit.

    `decays` is how many parameters weights and lags have together; ``member[member_start[a]:member_start[a + 1]]``
    are the shared parameters that act on base a.

    Returns
    -------
    value : float
    weekly_score : ndarray, shape (weeks, bases)
    weekly : ndarray, shape (weeks, bases, bases)
    own_score : ndarray, shape (units, block)
    blocks : ndarray, shape (units, block, block)
    border : ndarray, shape (units, block, shared)
    """
    units, weeks = counts.shape
    block = len(unit_base)
    log_bases = CELLS + len(cell_component)
    bases = log_bases + decays
    weekly_score, weekly = np.zeros((weeks, bases)), np.zeros((weeks, bases, bases))
    own_score, blocks = np.zeros((units, block)), np.zeros((units, block, block))
    border = np.zeros((units, block, regressors.shape[1]))
    component, z = np.zeros(log_bases, dtype=np.int64), np.ones(log_bases)
    component[:SIZE], component[CELLS:] = np.arange(SIZE), cell_component
    inner, slope, bend = np.ones(3), np.zeros((2, decays)), np.zeros((2, decays, decays))
    part, factor, noise = np.zeros(3), np.ones(3), np.zeros(5)
    move, score, information = np.zeros(bases), np.zeros(bases), np.zeros((bases, bases))
    active = np.empty(bases + 1, dtype=np.int64)
    value = 0.0
    for unit in range(units):
        for week in range(first, weeks):
            weight = week_weight[week]
            if not observed[unit, week] or weight == 0.0:
                continue
            fed = _look_back(past, reached, unit, week, lag, weight_count, inner, slope, bend)
            for c in range(3):
                factor[c] = week_factor[c, week] * unit_factor[c, unit]
            for k in range(len(cell_component)):
                z[CELLS + k] = cells[unit, week, k]
                factor[cell_component[k]] *= math.exp(cell_slope[k] * cells[unit, week, k])
            mean, count = _slopes(fed, factor, inner, component, z, part, slope, bend, move, active)
            value += weight * _of_mean(counts[unit, week], max(mean, LEAST_MEAN), size[unit], expected, noise)
            _of_bases(active, count, weight, noise, expected, component, z, move, slope, bend, score, information)
            if not math.isinf(size[unit]):
                active[count] = SIZE
                count += 1
            for at in range(count):
                a = active[at]
                weekly_score[week, a] += weight * score[a]
                for other in range(count):
                    weekly[week, a, active[other]] += information[a, active[other]]
            if block > 0:
                _add_own(
                    unit, week, active, count, weight, score, information, unit_base, regressors, member,
                    member_start, own_score, blocks, border,
                )  # fmt: skip
    return value, weekly_score, weekly, own_score, blocks, border


@compiled
def contract(weekly_score: Floats, weekly: Floats, regressors: Floats, base: Indices) -> tuple[Floats, Floats]:
    """Return score and information in the shared parameters, shape (shared,) and (shared, shared)."""
    weeks, shared = regressors.shape
    score, information = np.zeros(shared), np.zeros((shared, shared))
    for week in range(weeks):
        for p in range(shared):
            a, x = base[p], regressors[week, p]
            score[p] += x * weekly_score[week, a]
            for q in range(p + 1):
                information[p, q] += x * regressors[week, q] * weekly[week, a, base[q]]
    for p in range(shared):
        for q in range(p):
            information[q, p] = information[p, q]
    return score, information
