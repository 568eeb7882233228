"""What comes next: sample paths of counts, given the events so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.processes.fit import FittedHawkes
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.simulate import MOST_EVENTS, Points, descendants, immigrants, too_many

Floats = NDArray[np.float64]


def count_paths(
    model: Hawkes | FittedHawkes,
    history: History,
    edges: ArrayLike,
    paths: int,
    rng: np.random.Generator,
    *,
    parameter_draws: int = 0,
) -> NDArray[np.int64]:
    """Simulate the events after a history, exactly, and count them between some times.

    The future is that of three sorts of founders and their descendants: new immigrants, and the offspring that events
    of the history have not had yet. Marks of future events are drawn from those of the history.

    Parameters
    ----------
    model : Hawkes or FittedHawkes
    history : History
        All that is known; its end is the origin.
    edges : array, shape (periods + 1,)
        Ascending, from the end of the history or later: such as the starts of weeks and the end of the last.
    paths : int
    rng : Generator
    parameter_draws : int, default 0
        Of a fit: into how many groups of paths parameters are drawn anew; 0 takes the estimate as known.

    Returns
    -------
    array, shape (paths, periods, nodes)

    Raises
    ------
    InputError
        If the edges are not after the history, parameters are to be drawn of a model that was not fitted, or the
        process explodes (20 million events).

    Examples
    --------
    >>> model = Hawkes.exponential(0.5, 0.6, 1.0)
    >>> history = History.of([1.0, 9.0, 9.5], end=10.0)
    >>> counts = count_paths(model, history, [10.0, 11.0, 12.0], 20_000, np.random.default_rng(1))
    >>> counts.mean(axis=0).round(1).ravel()
    array([1.1, 1.1])
    """
    edge = np.asarray(edges, dtype=np.float64)
    if len(edge) < 2 or not np.isfinite(edge).all() or (np.diff(edge) <= 0).any() or edge[0] < history.end:
        raise InputError("edges that do not ascend from the origin", where="edges", expected=f"from {history.end:g} on")
    if paths < 1:
        raise InputError(f"{paths} paths", where="paths", expected="at least 1")
    if not parameter_draws:
        fixed = model.model if isinstance(model, FittedHawkes) else model
        return _counts(fixed, history, edge, paths, rng)
    if not isinstance(model, FittedHawkes):
        raise InputError("parameters of a model that was not fitted cannot be drawn", where="parameter_draws")
    groups = np.array_split(np.arange(paths), min(parameter_draws, paths))
    return np.concatenate([_counts(model.draw(rng), history, edge, len(group), rng) for group in groups])


def _counts(model: Hawkes, history: History, edges: Floats, paths: int, rng: np.random.Generator) -> NDArray[np.int64]:
    end = float(edges[-1])
    founders = [
        immigrants(model, history.end, end, paths, history.marks, rng),
        *_pending(model, history, end, paths, rng),
    ]
    joined = Points(*(np.concatenate(parts) for parts in zip(*founders, strict=True)))
    points = descendants(model, joined, end, history.marks, rng)
    period = np.searchsorted(edges, points.time, side="right") - 1
    inside = (period >= 0) & (period < len(edges) - 1)
    shape = (paths, len(edges) - 1, model.nodes)
    flat = np.ravel_multi_index((points.path[inside], period[inside], points.node[inside]), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)


def _pending(model: Hawkes, history: History, end: float, paths: int, rng: np.random.Generator) -> list[Points]:
    """Draw the direct offspring that events of the history have after it, for each pair of nodes."""
    found, effect = [], model.effect(history.marks)
    for k, j in np.argwhere(model.branching > 0):
        kernel, mine = model.kernels[k][j], history.nodes == j
        age = history.end - history.times[mine]
        upto_end = kernel.cumulative(end - history.times[mine])
        mean = model.branching[k, j] * effect[mine] * np.maximum(upto_end - kernel.cumulative(age), 0.0)
        if mean.sum() * paths > MOST_EVENTS:
            raise too_many(float(mean.sum() * paths))
        if mean.sum() == 0:
            continue
        path = np.repeat(np.arange(paths), rng.poisson(mean.sum(), paths))
        parent = rng.choice(len(mean), len(path), p=mean / mean.sum())
        lag = kernel.draw_after(age[parent], rng, within=end - history.end)
        time = history.end + lag - age[parent]
        found.append(Points(path, np.full(len(path), k), time, rng.choice(history.marks, len(path))))
    return found
