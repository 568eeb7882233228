"""Maximum likelihood for one node, a constant baseline and an exponential kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.processes.exponential import Exponential, check, second_order
from forecast.processes.history import History

Floats = NDArray[np.float64]

MOST_STEPS = 60
FIRST_STRETCH = 20_000
"""Events of the stretch on which the fit of a long history starts: enough to be within one Newton step or two."""
NEGLIGIBLE = 1e-6
"""Branching below this is none: the search in its logarithm ends nowhere."""
CONVERGED = 1e-9
"""Nats that another Newton step would gain."""
ROUGH = 0.1
"""The same where decays are only compared with each other: their maxima differ by more, or either will do."""


class ExponentialFit(NamedTuple):
    """The maximum of the likelihood.

    Parameters
    ----------
    parameters : Exponential
    loglik : float
    covariance : array, shape (3, 3)
        Of the logarithms of the parameters: the inverse of the observed information; NaN for what lies on a bound.
    steps : int
        Newton steps on the whole history.
    remarks : tuple of str
    """

    parameters: Exponential
    loglik: float
    covariance: Floats
    steps: int
    remarks: tuple[str, ...]

    def interval(self, z: float = 1.959963984540054) -> Floats:
        """Return the intervals of the parameters, shape (3, 2), normal in their logarithms; `z` of 1.96 is 95 %."""
        spread = z * np.sqrt(np.diag(self.covariance))
        return np.array(self.parameters)[:, None] * np.exp(np.column_stack([-spread, spread]))


def fit_exponential(history: History, start: Exponential | None = None) -> ExponentialFit:
    """Return the maximum of the likelihood in all three parameters, by Newton's method in their logarithms.

    The first derivatives and the second come out of one pass. A long history is fitted on a stretch of it first. Where
    the likelihood is not concave the step follows the gradient, scaled by the size of the curvature; every step gains.

    Parameters
    ----------
    history : History
        Of one node, with at least 10 events.
    start : Exponential, optional
        Where to start. By default several decays, from a hundredth of the mean rate to a hundred times it.

    Raises
    ------
    InputError
        If the history has more than one node, or fewer than 10 events.

    Examples
    --------
    >>> from forecast.processes.simulate import simulate_clusters
    >>> from forecast.processes.hawkes import Hawkes
    >>> model = Hawkes.exponential(baseline=0.5, branching=0.6, decay=1.0)
    >>> found = fit_exponential(simulate_clusters(model, 20_000.0, np.random.default_rng(1)))
    >>> np.round(found.parameters, 1)
    array([0.5, 0.6, 1. ])
    """
    check(history, start or Exponential(1.0, 1.0, 1.0))
    if len(history.times) < 10:
        raise InputError(
            f"{len(history.times)} events", where="history", expected="at least 10 events for three parameters"
        )
    limits = _limits(history)
    if start is not None:
        ends = [_climb(history, np.log(start), limits)]
    elif len(history.times) > 2 * FIRST_STRETCH:
        times, end = history.times[:FIRST_STRETCH], float(history.times[FIRST_STRETCH])
        stretch = History(times, history.nodes[:FIRST_STRETCH], times, history.start, end, history.names)
        first = fit_exponential(stretch).parameters
        ends = [_climb(history, np.log(first._replace(branching=max(first.branching, 0.05))), limits)]
    else:
        ends = [_climb(history, np.log(best), limits) for best in _starts(history, limits)]
    at, value, hessian, free, steps = max(ends, key=lambda end: end[1])
    found = Exponential(*(float(x) for x in np.exp(at)))
    if found.branching < NEGLIGIBLE:
        free = np.array([True, False, False])
    covariance = np.full((3, 3), np.nan)
    covariance[np.ix_(free, free)] = _inverse(hessian[np.ix_(free, free)])
    remarks = list(history.remarks)
    if steps >= MOST_STEPS:
        remarks.append(f"no maximum within {MOST_STEPS} steps")
    if found.branching >= 1:
        remarks.append(f"explosive: each event triggers {found.branching:.3g} others, forecasts grow without bound")
    if found.branching < NEGLIGIBLE:
        remarks.append("no event seems to trigger others: the decay is not identified")
    elif not free[2]:
        remarks.append(f"the decay lies on its bound, {found.decay:.3g}: the delays are not identified")
    elif np.isnan(covariance).any():
        remarks.append("the likelihood is flat or not concave at its maximum: no standard errors")
    return ExponentialFit(found, value, covariance, steps, tuple(remarks))


def _climb(
    history: History, at: Floats, limits: Floats, least_gain: float = CONVERGED
) -> tuple[Floats, float, Floats, NDArray[np.bool_], int]:
    """Newton's method in the logarithms, within limits, with halving of steps.

    Where it ends: parameters, value, Hessian, which parameters lie on no limit, and the number of steps.
    """
    at = np.clip(at, *limits.T)
    value, gradient, hessian = second_order(history, at)
    free = np.ones(3, dtype=np.bool_)
    for step_number in range(MOST_STEPS):
        free = ~((at <= limits[:, 0]) & (gradient <= 0) | (at >= limits[:, 1]) & (gradient >= 0))
        eigenvalues, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
        step = np.zeros(3)
        step[free] = vectors @ ((vectors.T @ gradient[free]) / np.maximum(np.abs(eigenvalues), 1e-8))
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if float(gradient @ step) < 2 * least_gain:
            return at, value, hessian, free, step_number
        for _ in range(40):
            to = np.clip(at + step, *limits.T)
            new, gain = second_order(history, to), float(gradient @ (to - at))
            if new[0] >= value + 1e-4 * gain or (gain < 1e-6 and new[0] >= value - 1e-9 * abs(value)):
                break
            step = 0.5 * step
        else:
            return at, value, hessian, free, step_number
        at = to
        value, gradient, hessian = new
    return at, value, hessian, free, MOST_STEPS


def _limits(history: History) -> Floats:
    """Range of the logarithms: mean delays from a millionth of the mean gap to the whole window, shape (3, 2)."""
    gap = history.duration / len(history.times)
    return np.log([[1e-12 / gap, 1e3 / gap], [1e-9, 1e3], [1.0 / history.duration, 1e6 / gap]])


def _starts(history: History, limits: Floats) -> list[Exponential]:
    """Return the maxima given each of some decays that are better than those of the decays beside them."""
    rate, tops = len(history.times) / history.duration, []
    for factor in (0.01, 0.1, 1.0, 10.0, 100.0):
        given = limits.copy()
        given[2] = np.clip(np.log(factor * rate), *limits[2])
        at, value, *_ = _climb(history, np.array([np.log(0.8 * rate), np.log(0.2), given[2, 0]]), given, ROUGH)
        tops.append((value, Exponential(*(float(x) for x in np.exp(at)))))
    values = np.array([-np.inf, *(value for value, _ in tops), -np.inf])
    better = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:]))
    chosen = [tops[i][1] for i in better]
    return [at._replace(branching=max(at.branching, 1e-3)) for at in chosen]


def _inverse(hessian: Floats) -> Floats:
    """Return the inverse of the observed information, NaN where it is not positive definite."""
    try:
        np.linalg.cholesky(-hessian)
    except np.linalg.LinAlgError:
        return np.full(hessian.shape, np.nan)
    return np.asarray(np.linalg.inv(-hessian))
