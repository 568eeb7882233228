"""Sums of a kernel over the events before each of many times, in one pass along both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.processes.kernels import Kernel, MixtureKernel
from forecast.processes.step_kernel import StepKernel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Sums(NamedTuple):
    """What events of several channels add at some times, and the derivatives in the kernel's shape.

    Parameters
    ----------
    value : array, shape (times, channels)
    gradient : array, shape (Q, times, channels)
    """

    value: Floats
    gradient: Floats


def rate_sums(
    kernel: MixtureKernel,
    events: Floats,
    weights: Floats,
    at: Floats,
    channel: Integers | None = None,
    channels: int = 1,
    *,
    into: Floats | None = None,
    place: Integers | None = None,
) -> Sums:
    """Return ``sum_l w_l phi(t - t_l)`` over the events strictly before each time, in O(events + times).

    Parameters
    ----------
    kernel : MixtureKernel
    events, weights : array, shape (events,)
        Ascending times, and how much each counts.
    at : array, shape (times,)
        Ascending.
    channel : array of int, shape (events,), optional
        Events are summed within channels: the nodes of a process that share a kernel share its exponentials.
    channels : int, default 1
    into : array, shape (1 + Q, times, channels), optional
        Memory for value and gradient, which a search uses again and again.
    place : array of int, shape (times,), optional
        Where each time stands in the results; in its own order by default.

    Examples
    --------
    >>> from forecast.processes.kernels import ExponentialKernel
    >>> rate_sums(ExponentialKernel(1.0), np.array([0.0]), np.ones(1), np.array([0.0, 1.0])).value.round(4)
    array([[0.    ],
           [0.3679]])
    """
    terms = kernel.mixture()
    height = terms.weights * terms.decays
    on_sum = np.vstack([height, terms.d_weights * terms.decays + height * terms.d_log_decays])
    on_lagged = np.vstack([np.zeros_like(height), -height * terms.decays * terms.d_log_decays])
    out = np.empty((len(on_sum), len(at), channels)) if into is None else into
    where = np.arange(len(at)) if place is None else place
    before = np.empty((0, channels))
    _sums(events, weights, _channels(channel, events), at, where, terms.decays, on_sum, on_lagged, out, before)
    return Sums(out[0], out[1:])


def expected_sums(
    kernel: MixtureKernel,
    events: Floats,
    weights: Floats,
    at: Floats,
    channel: Integers | None = None,
    channels: int = 1,
) -> Sums:
    """Return ``sum_l w_l Phi(t - t_l)``: the direct offspring expected by each of the times; see `rate_sums`.

    Examples
    --------
    >>> from forecast.processes.kernels import ExponentialKernel
    >>> expected_sums(ExponentialKernel(1.0), np.array([0.0]), np.ones(1), np.array([0.0, 1.0])).value.round(4)
    array([[0.    ],
           [0.6321]])
    """
    terms = kernel.mixture()
    height = terms.weights * terms.decays
    on_sum = -np.vstack([terms.weights, terms.d_weights])
    on_lagged = np.vstack([np.zeros_like(height), height * terms.d_log_decays])
    out, before = np.empty((len(on_sum), len(at), channels)), np.empty((len(at), channels))
    where = np.arange(len(at))
    _sums(events, weights, _channels(channel, events), at, where, terms.decays, on_sum, on_lagged, out, before)
    out -= on_sum.sum(axis=1)[:, None, None] * before
    return Sums(out[0], out[1:])


def rates_of(kernel: Kernel, events: Floats, weights: Floats, at: Floats) -> Floats:
    """Return the sums of `rate_sums` alone, shape (times,), for any kernel."""
    match kernel:
        case MixtureKernel():
            return np.asarray(rate_sums(kernel, events, weights, at).value[:, 0])
        case StepKernel():
            return np.asarray(step_counts(np.array(kernel.edges), events, weights, at) @ np.array(kernel.heights))
    raise TypeError(type(kernel))


def offspring_of(kernel: Kernel, events: Floats, weights: Floats, at: Floats) -> Floats:
    """Return the sums of `expected_sums` alone, shape (times,), for any kernel."""
    match kernel:
        case MixtureKernel():
            return np.asarray(expected_sums(kernel, events, weights, at).value[:, 0])
        case StepKernel():
            return np.asarray(step_exposure(np.array(kernel.edges), events, weights, at) @ np.array(kernel.heights))
    raise TypeError(type(kernel))


def step_counts(edges: Floats, events: Floats, weights: Floats, at: Floats) -> Floats:
    """Return the weight of the events within each range of lags ``(edge, next edge]``, shape (times, ranges).

    Examples
    --------
    >>> step_counts(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.5]), np.ones(2), np.array([2.0]))
    array([[1., 1.]])
    """
    upto = np.concatenate([[0.0], np.cumsum(weights)])
    before = upto[np.searchsorted(events, np.subtract.outer(at, edges), side="left")]
    return np.asarray(before[:, :-1] - before[:, 1:])


def step_exposure(edges: Floats, events: Floats, weights: Floats, at: Floats) -> Floats:
    """Return the time that events have spent within each range of lags, weighted, shape (times, ranges).

    Examples
    --------
    >>> step_exposure(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.5]), np.ones(2), np.array([2.0]))
    array([[1.5, 1. ]])
    """
    upto = np.concatenate([[0.0], np.cumsum(weights)])
    moment = np.concatenate([[0.0], np.cumsum(weights * events)])
    when = np.subtract.outer(at, edges)
    count = np.searchsorted(events, when, side="left")
    elapsed = when * upto[count] - moment[count]  # sum of w max(t - edge - t_l, 0)
    return np.asarray(elapsed[:, :-1] - elapsed[:, 1:])


def expected_by(
    kernel: MixtureKernel,
    events: Floats,
    weights: Floats,
    end: float,
    channel: Integers | None = None,
    channels: int = 1,
) -> Sums:
    """Return `expected_sums` at one time after all events, times being 1: vectorised instead of a recursion.

    Examples
    --------
    >>> from forecast.processes.kernels import ExponentialKernel
    >>> expected_by(ExponentialKernel(1.0), np.array([0.0]), np.ones(1), 1.0).value.round(4)
    array([[0.6321]])
    """
    terms, of, lag = kernel.mixture(), _channels(channel, events), end - events
    total = np.bincount(of, weights, channels)
    value, gradient = np.zeros((1, channels)), np.zeros((len(terms.d_weights), 1, channels))
    for m, decay in enumerate(terms.decays):
        kept = weights * np.exp(-decay * lag)
        gone = total - np.bincount(of, kept, channels)
        value[0] += terms.weights[m] * gone
        lagged = terms.weights[m] * decay * np.bincount(of, kept * lag, channels)
        gradient[:, 0] += np.outer(terms.d_weights[:, m], gone) + np.outer(terms.d_log_decays[:, m], lagged)
    return Sums(value, gradient)


def _channels(channel: Integers | None, events: Floats) -> Integers:
    return np.zeros(len(events), dtype=np.int64) if channel is None else channel


@compiled
def _sums(
    events: Floats,
    weights: Floats,
    channel: Integers,
    at: Floats,
    place: Integers,
    decays: Floats,
    on_sum: Floats,
    on_lagged: Floats,
    out: Floats,
    before: Floats,
) -> None:
    """Write linear functions of ``sum w e^-bu`` and ``sum w u e^-bu``, (functions, times, channels); weights before."""
    channels = out.shape[2]
    sums, lagged = np.zeros((len(decays), channels)), np.zeros((len(decays), channels))
    total, i, last = np.zeros(channels), 0, 0.0
    for k in range(len(at)):
        while i < len(events) and events[i] < at[k]:
            _advance(sums, lagged, decays, events[i] - last)
            last = events[i]
            while i < len(events) and events[i] == last:
                for m in range(len(decays)):
                    sums[m, channel[i]] += weights[i]
                total[channel[i]] += weights[i]
                i += 1
        if i:
            _advance(sums, lagged, decays, at[k] - last)
            last = at[k]
        if len(before):
            before[k] = total
        for q in range(len(on_sum)):
            _combine(on_sum[q], sums, on_lagged[q], lagged, out[q, place[k]])


@compiled
def _combine(on_sum: Floats, sums: Floats, on_lagged: Floats, lagged: Floats, out: Floats) -> None:
    """Write the linear function of both sums for each channel."""
    for c in range(len(out)):
        out[c] = on_sum[0] * sums[0, c] + on_lagged[0] * lagged[0, c]
    for m in range(1, len(on_sum)):
        for c in range(len(out)):
            out[c] += on_sum[m] * sums[m, c] + on_lagged[m] * lagged[m, c]


@compiled
def _advance(sums: Floats, lagged: Floats, decays: Floats, gap: float) -> None:
    """Let time pass."""
    if gap > 0.0:
        for m in range(len(decays)):
            kept = np.exp(-decays[m] * gap)
            for c in range(sums.shape[1]):
                lagged[m, c] = kept * (lagged[m, c] + gap * sums[m, c])
                sums[m, c] *= kept
