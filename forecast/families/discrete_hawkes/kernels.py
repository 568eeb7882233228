r"""How the offspring of an event are shared out over the lags after it, and over the units around it.

All shares are a softmax, :math:`g_l = e^{\eta_l(\psi)} / \sum_k e^{\eta_k(\psi)}`, of log weights that the kernels
have with their slopes. So they sum to 1 whatever the parameters, and how many offspring there are is a parameter of its
own.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

Floats = NDArray[np.float64]

DelayKind = Literal["geometric", "negbin", "power", "free"]
SpreadKind = Literal["exponential", "power", "adjacent", "none"]

USUAL_DELAY = 3.0
"""Mean of the delay beyond the first step, before any data."""
KM = 100.0
"""Distances in km are taken in units of this."""


def delay_names(kind: DelayKind, lags: int) -> tuple[str, ...]:
    """Return the parameters of a delay kernel.

    Examples
    --------
    >>> delay_names("power", 52)
    ('log delay offset', 'log delay power')
    """
    if kind == "free":
        return tuple(f"log weight of lag {lag}" for lag in range(2, lags + 1))
    return {
        "geometric": ("log delay",),
        "negbin": ("log delay", "log delay size"),
        "power": ("log delay offset", "log delay power"),
    }[kind]


def usual_delay(kind: DelayKind, lags: int, mean: float = USUAL_DELAY) -> Floats:
    """Return parameters at which delays are about geometric with a mean beyond the first step, shape (parameters,)."""
    if kind == "free":
        return np.asarray(np.arange(1, lags) * np.log(mean / (1 + mean)))
    second = {"geometric": (), "negbin": (0.0,), "power": (np.log(1.5),)}[kind]
    return np.array([np.log(mean), *second])


def delay_shares(kind: DelayKind, lags: int, parameters: Floats) -> Floats:
    r"""Return the share of the offspring at each lag, with its slopes.

    Parameters
    ----------
    kind : {"geometric", "negbin", "power", "free"}
        With :math:`k = l - 1` steps beyond the first: geometric, :math:`\eta = k \log(m / (1 + m))`; negative binomial
        with mean m and size s; Omori's power law, :math:`\eta = -(1 + p) \log(k + c)`; one parameter a lag.
    lags : int
        The longest lag.
    parameters : ndarray, shape (parameters,)
        In the order of `delay_names`.

    Returns
    -------
    ndarray, shape (lags, 1 + parameters)

    Examples
    --------
    >>> delay_shares("geometric", 3, np.array([0.0]))[:, 0].round(3)
    array([0.571, 0.286, 0.143])
    """
    k = np.arange(lags, dtype=np.float64)
    if kind == "free":
        log, slope = np.r_[0.0, parameters], np.eye(lags)[:, 1:]
    elif kind == "geometric":
        mean = np.exp(parameters[0])
        log, slope = -k * np.log1p(1 / mean), (k / (1 + mean))[:, None]
    elif kind == "negbin":
        mean, size = np.exp(parameters)
        log = gammaln(k + size) - gammaln(k + 1) - k * np.log1p(size / mean)
        in_size = size * (digamma(k + size) - k / (mean + size))
        slope = np.column_stack([k * size / (mean + size), in_size])
    else:
        offset, power = np.exp(parameters)
        log = -(1 + power) * np.log(k + offset)
        slope = np.column_stack([-(1 + power) * offset / (k + offset), -power * np.log(k + offset)])
    return _softmax(log, slope, np.array([0, lags]))


def usual_spread(kind: SpreadKind, unit: float) -> Floats:
    """Return parameters of a distance kernel before any data; `unit` is what distances are measured in."""
    if kind == "exponential":
        return np.array([np.log(80.0 / KM if unit == KM else 1.0)])
    return np.array([np.log(2.0)]) if kind == "power" else np.empty(0)


def spread_shares(kind: SpreadKind, start: NDArray[np.int64], apart: Floats, parameters: Floats) -> Floats:
    r"""Return by which share the offspring of each unit in other units fall into each of them, with its slope.

    Parameters
    ----------
    kind : {"exponential", "power", "adjacent", "none"}
        :math:`\eta = -d / \ell`, :math:`\eta = -p \log(1 + d)`, or the same for all.
    start : ndarray of int, shape (units + 1,)
        The pairs of unit j stand at ``start[j]`` to ``start[j + 1]``.
    apart : ndarray, shape (pairs,)
        d.
    parameters : ndarray, shape (0 or 1,)
        :math:`\log \ell` or :math:`\log p`.

    Returns
    -------
    ndarray, shape (pairs, 1 + parameters)
        Those of each unit sum to 1.

    Examples
    --------
    >>> spread_shares("power", np.array([0, 2, 2]), np.array([0.0, 1.0]), np.array([0.0]))[:, 0].round(3)
    array([0.667, 0.333])
    """
    slope = np.empty((len(apart), 0))
    log = np.zeros(len(apart))
    if kind == "exponential":
        log = -apart / np.exp(parameters[0])
        slope = -log[:, None]
    elif kind == "power":
        log = -np.exp(parameters[0]) * np.log1p(apart)
        slope = log[:, None]
    return _softmax(log, slope, start)


def _softmax(log: Floats, slope: Floats, start: NDArray[np.int64]) -> Floats:
    """Return weights that sum to 1 between the starts, and their slopes."""
    some = start[:-1][np.diff(start) > 0]
    counts = np.diff(start)[np.diff(start) > 0]
    if not len(some):
        return np.empty((0, 1 + slope.shape[1]))
    weight = np.exp(log - np.repeat(np.maximum.reduceat(log, some), counts))
    weight /= np.repeat(np.add.reduceat(weight, some), counts)
    mean = np.repeat(np.add.reduceat(weight[:, None] * slope, some, axis=0), counts, axis=0)
    return np.column_stack([weight, weight[:, None] * (slope - mean)])
