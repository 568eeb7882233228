"""One node's parameters given the kernels: a likelihood that is linear in what excites, maximised by Newton."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_STEPS = 100
LAST_STEP = 1e-5
"""Nats: when a Newton step gains less, it is the last; the next would gain about the square of that."""


@dataclass(frozen=True, eq=False)
class Row:
    r"""The data of one node.

    .. math:: \lambda_i = e^{x_i b} + F_i \theta, \qquad \Lambda = \sum_s l_s e^{x_s b} + C \theta

    Parameters
    ----------
    design : array, shape (steps, features)
        Of the baseline, in each step.
    lengths : array, shape (steps,)
    step : array of int, shape (events,)
        In which step each event lies.
    sums : array, shape (events, sources)
        What each source adds to the rate, a unit of branching.
    expected : array, shape (sources,)
        What each source adds to the compensator, a unit of branching.
    scratch : array, shape (events, sources), optional
        Memory that is written over, so that a search need not ask for it again and again.
    """

    design: Floats
    lengths: Floats
    step: NDArray[np.int64]
    sums: Floats
    expected: Floats
    scratch: Floats | None = None

    def rates(self, b: Floats, theta: Floats) -> tuple[Floats, Floats]:
        """Return baseline of each step, and rate at each event."""
        level = np.exp(self.design @ b)
        return level, level[self.step] + self.sums @ theta

    def by_step(self, values: Floats) -> Floats:
        """Return the sums over the events of each step."""
        if len(self.lengths) == 1:
            return np.array([values.sum()])
        return np.asarray(np.bincount(self.step, values, len(self.lengths)), dtype=np.float64)

    def loglik(self, b: Floats, theta: Floats) -> float:
        """Return the node's part of the log-likelihood."""
        level, rate = self.rates(b, theta)
        if not (rate > 0).all():
            return -np.inf
        return float(np.log(rate).sum() - self.lengths @ level - self.expected @ theta)


class RowMaximum(NamedTuple):
    """Where the likelihood of a row is highest.

    Parameters
    ----------
    b : array, shape (features,)
    theta : array, shape (sources,)
        0 or more.
    loglik : float
    free : array of bool, shape (features + sources,)
        False where theta is held at 0.
    """

    b: Floats
    theta: Floats
    loglik: float
    free: NDArray[np.bool_]


def derivatives(row: Row, b: Floats, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Return gradient and Hessian in (b, theta), and a Hessian that is negative definite where that is not.

    The latter leaves out the one convex term, the curvature of e^xb in the rate.
    """
    level, rate = row.rates(b, theta)
    inverse = 1.0 / rate
    steps, features = len(level), len(b)
    by_step = row.by_step(inverse)
    square_by_step = row.by_step(inverse * inverse) * level**2
    in_sums = np.multiply(row.sums, inverse[:, None], out=row.scratch)
    gradient = np.concatenate([row.design.T @ (level * (by_step - row.lengths)), inverse @ row.sums - row.expected])
    hessian = np.zeros((features + len(theta),) * 2)
    if steps == 1:
        cross = np.outer(row.design[0], (level[0] * inverse) @ in_sums)
    else:
        crossed = np.array([row.by_step(inverse * column) for column in in_sums.T]).reshape(len(theta), steps)
        cross = row.design.T @ (level * crossed).T
    hessian[:features, features:], hessian[features:, :features] = -cross, -cross.T
    hessian[features:, features:] = -(in_sums.T @ in_sums)
    safe = hessian.copy()
    safe[:features, :features] = -(row.design.T * (square_by_step + level * row.lengths)) @ row.design
    hessian[:features, :features] = (row.design.T * (level * (by_step - row.lengths) - square_by_step)) @ row.design
    return gradient, hessian, safe


def maximise(row: Row, b: Floats, theta: Floats) -> RowMaximum:
    """Return the maximum over b and theta >= 0 by projected Newton steps with backtracking.

    Bertsekas (1982), https://doi.org/10.1137/0320018. For a constant baseline the likelihood has one maximum.
    """
    features = len(b)
    at = np.concatenate([b, np.maximum(theta, 0.0)])
    bounded = np.arange(len(at)) >= features
    floor = np.where(bounded, 0.0, -np.inf)
    value = row.loglik(at[:features], at[features:])
    for _ in range(MOST_STEPS):
        gradient, hessian, safe = derivatives(row, at[:features], at[features:])
        free = ~(bounded & (at <= 0.0) & (gradient <= 0.0))
        step = np.zeros(len(at))
        step[free] = _newton(hessian[np.ix_(free, free)], safe[np.ix_(free, free)], gradient[free])
        step[:features] *= min(1.0, 3.0 / max(float(np.abs(step[:features]).max(initial=0.0)), 1e-300))
        last = bool(gradient @ step < LAST_STEP)
        lost = 1e-12 * abs(value) if last else 0.0  # in rounding; a search for less would find nothing
        size = 1.0
        while size > 1e-12:
            new = np.maximum(at + size * step, floor)
            new_value = row.loglik(new[:features], new[features:])
            if new_value - value >= 1e-4 * float(gradient @ (new - at)) - lost:
                at, value = new, new_value
                break
            size *= 0.5
        else:
            last = True
        if last:
            break
    return RowMaximum(at[:features], at[features:], value, free)


def expectation_maximisation(row: Row, b: Floats, theta: Floats, steps: int) -> tuple[Floats, Floats]:
    r"""Return the parameters after steps of EM for a baseline of levels: who triggered whom is what is missing.

    :math:`\theta_f \leftarrow \theta_f \sum_i (F_{if} / \lambda_i) / C_f`, and the level of each step in the same way.
    Every step gains, and stays positive. Veen & Schoenberg (2008), https://doi.org/10.1198/016214508000000148.
    """
    share = row.design.T @ row.lengths
    for _ in range(steps):
        level, rate = row.rates(b, theta)
        inverse = 1.0 / rate
        own = level * row.by_step(inverse)
        theta = theta * np.divide(inverse @ row.sums, row.expected, out=np.zeros(len(theta)), where=row.expected > 0)
        b = np.log(np.maximum(row.design.T @ own, 1e-12) / np.maximum(share, 1e-300))
    return b, theta


def start_of(row: Row, b: Floats) -> tuple[Floats, Floats]:
    """Return a start with half of the events triggered, by all sources alike."""
    reach = float(row.expected.sum())
    theta = np.full(len(row.expected), 0.5 * len(row.step) / reach if reach > 0 else 0.0)
    return b + np.log(0.5) * _levels(row), theta


def _levels(row: Row) -> Floats:
    """Coefficients that add 1 to the log rate of every step: of the level, or of all levels."""
    found, *_ = np.linalg.lstsq(row.design, np.ones(len(row.design)), rcond=None)
    return np.asarray(found)


def without_excitation(row: Row) -> Row:
    """Return the row of a Poisson process with the same baseline."""
    return replace(row, sums=row.sums[:, :0], expected=row.expected[:0], scratch=None)


def _newton(hessian: Floats, safe: Floats, gradient: Floats) -> Floats:
    """Newton's step, with the safe Hessian where the exact one is not negative definite; flat directions stay put."""
    for matrix in (hessian, safe):
        scale = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-12))
        scaled = -matrix / np.outer(scale, scale) + 1e-12 * np.eye(len(scale))
        try:
            lower = np.linalg.cholesky(scaled)
        except np.linalg.LinAlgError:
            continue
        return np.asarray(np.linalg.solve(lower.T, np.linalg.solve(lower, gradient / scale)) / scale)
    return gradient / np.maximum(np.abs(np.diag(safe)), 1e-12)
