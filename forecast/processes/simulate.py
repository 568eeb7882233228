"""Exact simulation of Hawkes processes, by thinning and by clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import Kernel, Mixture, MixtureKernel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_EVENTS = 20_000_000


class Points(NamedTuple):
    """Events of many paths.

    Parameters
    ----------
    path, node : array of int, shape (events,)
    time, mark : array, shape (events,)
    """

    path: Integers
    node: Integers
    time: Floats
    mark: Floats


def simulate_clusters(
    model: Hawkes,
    end: float,
    rng: np.random.Generator,
    *,
    start: float = 0.0,
    marks: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> History:
    """Simulate a process from an empty start: immigrants, their offspring, and so on.

    Hawkes & Oakes (1974), https://doi.org/10.2307/3212693. Exact for any kernel, and fast.

    Parameters
    ----------
    model : Hawkes
    end : float
    rng : Generator
    start : float, default 0
    marks : array, optional
        From which the marks of events are drawn; 0 without.
    names : sequence of str, optional
        Of the nodes.

    Raises
    ------
    InputError
        If no event happened, or more than 20 million would.

    Examples
    --------
    >>> model = Hawkes.exponential(0.5, 0.6, 1.0)
    >>> history = simulate_clusters(model, 10_000.0, np.random.default_rng(1))
    >>> round(len(history.times) / 10_000, 1)  # 0.5 / (1 - 0.6) = 1.25
    1.3
    """
    pool = np.zeros(1) if marks is None else np.asarray(marks, dtype=np.float64)
    points = descendants(model, immigrants(model, start, end, 1, pool, rng), end, pool, rng)
    return _history(points.time, points.node, points.mark, start, end, names or _numbers(model))


def immigrants(model: Hawkes, start: float, end: float, paths: int, marks: Floats, rng: np.random.Generator) -> Points:
    """Draw the events of the baseline over a window, for several paths."""
    steps = model.baseline.over(start, end)
    mean = steps.rates(model.coefficients) * steps.lengths
    if mean.sum() * paths > MOST_EVENTS:
        raise too_many(mean.sum() * paths)
    counts = rng.poisson(np.broadcast_to(mean, (paths, *mean.shape)))
    path, node, step = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    time = steps.edges[step] + rng.random(len(step)) * steps.lengths[step]
    return Points(path, node, time, rng.choice(marks, len(time)))


def descendants(model: Hawkes, founders: Points, end: float, marks: Floats, rng: np.random.Generator) -> Points:
    """Return the founders and all that follow from them before the end."""
    generations, total = [founders], len(founders.time)
    while len(generations[-1].time):
        generations.append(_offspring(model, generations[-1], end, marks, rng))
        total += len(generations[-1].time)
        if total > MOST_EVENTS:
            raise too_many(total)
    return Points(*(np.concatenate(parts) for parts in zip(*generations, strict=True)))


def _offspring(model: Hawkes, parents: Points, end: float, marks: Floats, rng: np.random.Generator) -> Points:
    """Draw the direct offspring of a generation that is born before the end."""
    effect, born = model.effect(parents.mark), []
    for k, j in np.argwhere(model.branching > 0):
        mine = np.flatnonzero(parents.node == j)
        parent = np.repeat(mine, rng.poisson(model.branching[k, j] * effect[mine]))
        time = parents.time[parent] + model.kernels[k][j].draw_after(np.zeros(len(parent)), rng)
        early = time < end
        parent, time = parent[early], time[early]
        born.append(Points(parents.path[parent], np.full(len(parent), k), time, rng.choice(marks, len(parent))))
    if not born:
        return Points(parents.path[:0], parents.node[:0], parents.time[:0], parents.mark[:0])
    return Points(*(np.concatenate(parts) for parts in zip(*born, strict=True)))


def simulate_thinning(
    model: Hawkes,
    end: float,
    rng: np.random.Generator,
    *,
    start: float = 0.0,
    marks: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> History:
    """Simulate a process from an empty start: points of a rate that is never too low, thinned to the true one.

    Between events and steps of the baseline the rate of a mixture of exponentials only falls, so that its value after
    the last of them bounds it. Ogata (1981), https://doi.org/10.1109/TIT.1981.1056305. Parameters, errors and result
    are those of `simulate_clusters`; it exists to check that one, and where a path must be made in order of time.

    Examples
    --------
    >>> model = Hawkes.exponential(0.5, 0.6, 1.0)
    >>> history = simulate_thinning(model, 10_000.0, np.random.default_rng(1))
    >>> round(len(history.times) / 10_000, 1)  # 0.5 / (1 - 0.6) = 1.25
    1.3
    """
    pool = np.zeros(1) if marks is None else np.asarray(marks, dtype=np.float64)
    steps = model.baseline.over(start, end)
    rates = steps.rates(model.coefficients)
    mixtures = [[_mixture(kernel) for kernel in row] for row in model.kernels]
    terms = max(len(mixture.decays) for row in mixtures for mixture in row)
    decays, jumps = np.ones((model.nodes, model.nodes, terms)), np.zeros((model.nodes, model.nodes, terms))
    for k, row in enumerate(mixtures):
        for j, mixture in enumerate(row):
            decays[k, j, : len(mixture.decays)] = mixture.decays
            jumps[k, j, : len(mixture.decays)] = model.branching[k, j] * mixture.weights * mixture.decays
    times, nodes, chosen = _thin(rates, steps.edges, decays, jumps, model.effect(pool), MOST_EVENTS, rng)
    if len(times) == MOST_EVENTS:
        raise too_many(MOST_EVENTS)
    return _history(times, nodes, pool[chosen], start, end, names or _numbers(model))


def too_many(events: float) -> InputError:
    """Return the error for a simulation that does not end."""
    return InputError(
        f"{events:.2g} events and more",
        where="simulation",
        expected=f"at most {MOST_EVENTS:.0e}",
        hint="a shorter window, fewer paths, a lower baseline, or a spectral radius below 1",
    )


def _history(times: Floats, nodes: Integers, marks: Floats, start: float, end: float, names: Sequence[str]) -> History:
    if not len(times):
        raise InputError("no event happened", where="simulation", hint="a longer window or a higher baseline")
    order = np.argsort(times, kind="stable")
    return History.of(times[order], start=start, end=end, nodes=nodes[order], marks=marks[order], names=names)


def _mixture(kernel: Kernel) -> Mixture:
    if not isinstance(kernel, MixtureKernel):
        raise InputError(
            f"{type(kernel).__name__} cannot be thinned: its rate may rise between events",
            where="kernels",
            expected="a mixture of exponentials",
            hint="simulate_clusters",
        )
    return kernel.mixture()


def _numbers(model: Hawkes) -> list[str]:
    return [str(k) for k in range(model.nodes)]


@compiled
def _thin(
    rates: Floats, edges: Floats, decays: Floats, jumps: Floats, effects: Floats, most: int, rng: np.random.Generator
) -> tuple[Floats, Integers, Integers]:
    """Return times, nodes and which mark, in order of time."""
    nodes = len(rates)
    excited = np.zeros(decays.shape)
    size, found = 1024, 0
    times, who, which = np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64)
    now, step = edges[0], 0
    rate = np.empty(nodes)
    while found < most:
        bound = rates[:, step].sum() + excited.sum()
        ahead = now + rng.exponential(1.0) / bound if bound > 0.0 else np.inf
        passed = ahead >= edges[step + 1]
        if passed:
            ahead = edges[step + 1]
        excited *= np.exp(-decays * (ahead - now))
        now = ahead
        if passed:
            step += 1
            if step == rates.shape[1]:
                break
            continue
        total = 0.0
        for k in range(nodes):
            rate[k] = rates[k, step] + excited[k].sum()
            total += rate[k]
        u = rng.random() * bound
        if u >= total:
            continue
        node = 0
        while node < nodes - 1 and u >= rate[node]:
            u -= rate[node]
            node += 1
        if found == size:
            size *= 2
            times = np.concatenate((times, np.empty(size - found)))
            who = np.concatenate((who, np.empty(size - found, np.int64)))
            which = np.concatenate((which, np.empty(size - found, np.int64)))
        mark = rng.integers(0, len(effects))
        times[found], who[found], which[found] = now, node, mark
        found += 1
        excited[:, node, :] += effects[mark] * jumps[:, node, :]
    return times[:found], who[:found], which[:found]
