"""One node, a constant baseline and an exponential kernel: the case with a likelihood in a single fast pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.processes.history import History

Floats = NDArray[np.float64]

STRETCH = 8192
"""Events that go through a kernel at once."""


class Exponential(NamedTuple):
    r"""Parameters of the rate :math:`\lambda(t) = \mu + n \beta \sum_{t_i < t} e^{-\beta (t - t_i)}`.

    Parameters
    ----------
    baseline : float
        :math:`\mu`, events a unit of time that nothing triggered.
    branching : float
        :math:`n`, events that each event triggers directly, on average.
    decay : float
        :math:`\beta`, one over the mean delay.
    """

    baseline: float
    branching: float
    decay: float


def loglik(history: History, parameters: Exponential) -> float:
    r"""Return the log-likelihood of a history, in nats.

    .. math:: \ell = \sum_i \log \lambda(t_i) - \mu (T - t_0) - n \sum_i (1 - e^{-\beta (T - t_i)})

    in O(events) by the recursion of Ozaki (1979), https://doi.org/10.1007/BF02480272.

    Raises
    ------
    InputError
        If there is more than one node, or a parameter is not positive.

    Examples
    --------
    >>> history = History.of([1.0, 2.0, 2.5], end=4.0)
    >>> round(loglik(history, Exponential(baseline=0.5, branching=0.6, decay=1.0)), 6)
    -4.577896
    """
    return loglik_gradient(history, parameters)[0]


def loglik_gradient(history: History, parameters: Exponential) -> tuple[float, Floats]:
    """Return the log-likelihood and its gradient in (baseline, branching, decay), shape (3,).

    Examples
    --------
    >>> history = History.of([1.0, 2.0, 2.5], end=4.0)
    >>> value, gradient = loglik_gradient(history, Exponential(0.5, 0.6, 1.0))
    >>> gradient.round(4)
    array([ 0.3897, -1.2498, -0.3376])
    """
    check(history, parameters)
    mu, n, beta = parameters
    state = _pass(_first_order, 9, history.times, mu, n, beta)
    left, lag, _ = _at_end(state, beta, history.end)
    events = len(history.times)
    value = state[4] + np.log(state[5]) - mu * history.duration - n * (events - left)
    gradient = [state[6] - history.duration, beta * state[7] - (events - left), n * (state[8] - lag)]
    return float(value), np.array(gradient)


def intensity(history: History, parameters: Exponential, at: ArrayLike) -> Floats:
    """Return the rate just before each of the ascending times `at`, shape (times,), given the events before them.

    Examples
    --------
    >>> intensity(History.of([1.0], end=4.0), Exponential(0.5, 0.6, 1.0), [1.0, 2.0]).round(4)
    array([0.5   , 0.7207])
    """
    check(history, parameters)
    excited = _excited(history.times, _ascending(at), parameters.decay)[0]
    return parameters.baseline + parameters.branching * parameters.decay * excited


def compensator(history: History, parameters: Exponential, at: ArrayLike) -> Floats:
    """Return the expected number of events from the start to each of the ascending times `at`, shape (times,).

    That is the integral of `intensity` along the observed path.

    Examples
    --------
    >>> compensator(History.of([1.0], end=4.0), Exponential(0.5, 0.6, 1.0), [1.0, 2.0]).round(4)
    array([0.5   , 1.3793])
    """
    check(history, parameters)
    t = _ascending(at)
    excited, before = _excited(history.times, t, parameters.decay)
    return parameters.baseline * (t - history.start) + parameters.branching * (before - excited)


def second_order(history: History, at: Floats) -> tuple[float, Floats, Floats]:
    """Return log-likelihood, gradient and Hessian in the logarithms of the parameters `at`, shape (3,)."""
    mu, n, beta = parameters = np.exp(at)
    state = _pass(_both_orders, 17, history.times, mu, n, beta)
    left, lag, square = _at_end(state, beta, history.end)
    triggered = len(history.times) - left
    value = state[4] + np.log(state[5]) - mu * history.duration - n * triggered
    gradient = np.array([state[6] - history.duration, beta * state[7] - triggered, n * (state[8] - lag)])
    mm, mn, mb, nn, nb, bb, curve = state[10:]
    mixed = state[8] - lag - n * beta * nb
    hessian = np.array(
        [
            [-mm, -beta * mn, -n * mb],
            [-beta * mn, -beta * beta * nn, mixed],
            [-n * mb, mixed, n * (curve + square) - n * n * bb],
        ]
    )
    in_logs = hessian * np.outer(parameters, parameters) + np.diag(gradient * parameters)
    return float(value), gradient * parameters, in_logs


def _pass(kernel: Callable[..., None], size: int, times: Floats, mu: float, n: float, beta: float) -> Floats:
    """Run a kernel along all events, in stretches that stay in the processor's cache; its state at the end.

    What is kept of the excitation over each gap is computed by numpy, whose exponential is vectorised.
    """
    state = np.zeros(size)
    state[3], state[5] = times[0], 1.0
    buffer = np.empty(min(STRETCH, len(times)))
    for begin in range(0, len(times), STRETCH):
        stretch = times[begin : begin + STRETCH]
        kept = buffer[: len(stretch)]
        kept[0] = state[3] - stretch[0]
        np.subtract(stretch[:-1], stretch[1:], out=kept[1:])
        kept *= beta
        np.exp(kept, out=kept)
        kernel(stretch, kept, mu, n, beta, state)
    return state


def _at_end(state: Floats, beta: float, end: float) -> tuple[float, float, float]:
    """Return the sums of e^-bu, u e^-bu and u^2 e^-bu at the end; the last is 0 where it was not followed."""
    gap = end - state[3]
    e = np.exp(-beta * gap)
    sums, lagged = state[0] + state[2], state[1]
    squared = state[9] + gap * (2.0 * lagged + gap * sums) if len(state) > 9 else 0.0
    return float(e * sums), float(e * (lagged + gap * sums)), float(e * squared)


def _ascending(at: ArrayLike) -> Floats:
    t = np.atleast_1d(np.asarray(at, dtype=np.float64))
    if not np.isfinite(t).all() or (np.diff(t) < 0).any():
        raise InputError("times that are not finite and ascending", where="at")
    return t


def check(history: History, parameters: Exponential) -> None:
    """Raise an InputError if there are several nodes, or a parameter is not positive."""
    if len(history.names) != 1:
        raise InputError(f"{len(history.names)} nodes", where="history", expected="one", hint="forecast.processes.fit")
    for name, value in parameters._asdict().items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value}", where="parameters", expected="a positive number")


@compiled
def _first_order(times: Floats, kept: Floats, mu: float, n: float, beta: float, state: Floats) -> None:
    """Advance the state: sums of e^-bu and u e^-bu, events that wait, time; log rates; derivatives in mu, n and beta.

    The product of rates is taken to its logarithm only when it grows large or small. Events wait until time moves on
    before they excite, so that ties do not excite each other.
    """
    sums, lagged, waiting, last, logs, product, g_mu, g_n, g_beta = state
    for i in range(len(times)):
        gap = times[i] - last
        if gap > 0.0:
            sums += waiting
            lagged = kept[i] * (lagged + gap * sums)
            sums *= kept[i]
            waiting, last = 0.0, times[i]
        waiting += 1.0
        rate = mu + n * beta * sums
        product *= rate
        if product > 1e150 or product < 1e-150:
            logs += np.log(product)
            product = 1.0
        m = 1.0 / rate
        g_mu += m
        g_n += m * sums
        g_beta += m * (sums - beta * lagged)
    state[:] = np.array((sums, lagged, waiting, last, logs, product, g_mu, g_n, g_beta))


@compiled
def _both_orders(times: Floats, kept: Floats, mu: float, n: float, beta: float, state: Floats) -> None:
    """As `_first_order`, then the sum of u^2 e^-bu and sums that make the second derivatives."""
    sums, lagged, waiting, last, logs, product, g_mu, g_n, g_beta = state[:9]
    squared, mm, mn, mb, nn, nb, bb, curve = state[9:]
    for i in range(len(times)):
        gap = times[i] - last
        if gap > 0.0:
            sums += waiting
            squared = kept[i] * (squared + gap * (2.0 * lagged + gap * sums))
            lagged = kept[i] * (lagged + gap * sums)
            sums *= kept[i]
            waiting, last = 0.0, times[i]
        waiting += 1.0
        rate = mu + n * beta * sums
        product *= rate
        if product > 1e150 or product < 1e-150:
            logs += np.log(product)
            product = 1.0
        m = 1.0 / rate
        by_n, slope = m * sums, m * (sums - beta * lagged)
        g_mu += m
        g_n += by_n
        g_beta += slope
        mm += m * m
        mn += m * by_n
        mb += m * slope
        nn += by_n * by_n
        nb += by_n * slope
        bb += slope * slope
        curve += m * (beta * squared - 2.0 * lagged)
    state[:9] = np.array((sums, lagged, waiting, last, logs, product, g_mu, g_n, g_beta))
    state[9:] = np.array((squared, mm, mn, mb, nn, nb, bb, curve))


@compiled
def _excited(times: Floats, at: Floats, beta: float) -> tuple[Floats, Floats]:
    """Sum of e^-beta u over the events before each of `at`, and how many they are."""
    out, before = np.empty(len(at)), np.empty(len(at))
    sums, last, i = 0.0, 0.0, 0
    for k in range(len(at)):
        while i < len(times) and times[i] < at[k]:
            sums = 1.0 + sums * np.exp(-beta * (times[i] - last)) if i else 1.0
            last = times[i]
            i += 1
        out[k] = sums * np.exp(-beta * (at[k] - last)) if i else 0.0
        before[k] = i
    return out, before
