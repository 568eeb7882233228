"""How strong the background is over time: steps whose logarithms are a random walk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from forecast.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAYS_A_YEAR = 365.25
LEAST_SD, MOST_SD = 0.02, 5.0
"""Bounds of the standard deviation of the walk over a year."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Stretches of time within which the level is constant.

    Parameters
    ----------
    edges : array, shape (steps + 1,)
        Ascending, days.
    """

    edges: Floats

    @classmethod
    def back_from(cls, end: float, start: float, days: float) -> Self:
        """Return steps of equal length, counted back from the end: the last one, which forecasts take, is whole.

        The first takes what is left over, if that is at least half a step, and else is longer.

        Examples
        --------
        >>> Steps.back_from(100.0, 0.0, 30.0).edges
        array([  0.,  40.,  70., 100.])
        """
        if not (np.isfinite(days) or days == np.inf) or not days > 0:
            raise InputError(f"steps of {days:g} days", where="level_days", expected="above 0")
        count = max(int(np.floor((end - start) / days + 0.5)), 1) if np.isfinite(days) else 1
        return cls(np.concatenate([[start], end - days * np.arange(count - 1, 0, -1), [end]]))

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def lengths(self) -> Floats:
        """Days of each step."""
        return np.diff(self.edges)

    def of(self, times: Floats) -> Integers:
        """Return the step of each time; before the first and after the last, that one."""
        return np.clip(np.searchsorted(self.edges, times, side="right") - 1, 0, len(self) - 1)

    @property
    def years_between(self) -> Floats:
        """Time from the middle of each step to that of the next, in years, shape (steps - 1,)."""
        return np.diff((self.edges[:-1] + self.edges[1:]) / 2) / DAYS_A_YEAR

    def precision(self, sd: float) -> Floats:
        """Return the precision matrix of a random walk along the steps, of a standard deviation over a year."""
        weight = 1.0 / (sd**2 * self.years_between)
        matrix = np.zeros((len(self), len(self)))
        at = np.arange(len(weight))
        matrix[at, at] += weight
        matrix[at + 1, at + 1] += weight
        matrix[at, at + 1] -= weight
        matrix[at + 1, at] -= weight
        return matrix


def best_levels(
    steps: Steps, step: Integers, density: Floats, excited: Floats, start: Floats, sd: float
) -> tuple[Floats, Floats]:
    r"""Return the log-levels of the highest penalised likelihood of one kind, and the curvature there.

    Maximises :math:`\sum_i \log(e^{a_{s_i}} u_i + T_i) - \sum_s e^{a_s} L_s - a'Qa / 2` by Newton's method.

    Parameters
    ----------
    steps : Steps
    step : array of int, shape (events,)
    density, excited : array, shape (events,)
        Background density `u` and triggered rate `T` at each event.
    start : array, shape (steps,)
    sd : float
        Of the random walk over a year.

    Returns
    -------
    levels : array, shape (steps,)
    curvature : array, shape (steps, steps)
        The negative Hessian.
    """
    precision, lengths, count = steps.precision(sd), steps.lengths, len(steps)

    def value(a: Floats) -> float:
        rates = np.exp(a[step]) * density + excited
        return float(np.log(rates).sum() - np.exp(a) @ lengths - a @ precision @ a / 2)

    a, now = start.copy(), value(start)
    for _ in range(100):
        base = np.exp(a[step]) * density
        p = base / (base + excited)
        expected = np.exp(a) * lengths
        gradient = np.bincount(step, p, count) - expected - precision @ a
        # The likelihood is not concave where much is triggered: steps are taken as if it were.
        firm = np.maximum(expected - np.bincount(step, p * (1 - p), count), 0.05 * expected + 1e-9)
        move = linalg.solve(precision + np.diag(firm), gradient, assume_a="pos")
        move *= min(1.0, 3.0 / max(float(np.abs(move).max()), 1e-300))
        gain = float(gradient @ move)
        size, then = 1.0, value(a + move)
        while then < now + 1e-4 * size * gain and size > 1e-8:
            size /= 2
            then = value(a + size * move)
        if then >= now:
            a, now = a + size * move, then
        if gain < 1e-10 or size <= 1e-8:
            break
    base = np.exp(a[step]) * density
    p = base / (base + excited)
    return a, precision + np.diag(np.exp(a) * lengths - np.bincount(step, p * (1 - p), count))


def walk_sd(steps: Steps, levels: Floats, curvature: Floats) -> float:
    """Return the standard deviation of the walk over a year that its expected steps have: one step of EM.

    Parameters
    ----------
    steps : Steps
    levels : array, shape (kinds, steps)
    curvature : array, shape (kinds, steps, steps)
    """
    if len(steps) < 2:
        return LEAST_SD
    found = []
    for a, matrix in zip(levels, curvature, strict=True):
        covariance = np.linalg.pinv(matrix, hermitian=True)
        v = np.diag(covariance)
        spread = v[1:] + v[:-1] - 2 * np.diag(covariance, 1)
        found.append((np.diff(a) ** 2 + np.maximum(spread, 0.0)) / steps.years_between)
    return float(np.clip(np.sqrt(np.mean(found)), LEAST_SD, MOST_SD))
