"""Recalibration of the probabilities of an event, learned from past ones and whether the event came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit

from forecast.combination.level_map import LEAST, PRIOR, Identity, LevelMap, case_weights
from forecast.errors import InputError

Floats = NDArray[np.float64]

NEAREST = 1e-6
"""How near to 0 and to 1 a probability is taken to be at most, where its logarithm is needed."""


@dataclass(frozen=True, eq=False)
class IsotonicMap:
    """A non-decreasing curve through points; straight between them, and from them to (0, 0) and (1, 1).

    Parameters
    ----------
    probability, event : ndarray, shape (points,)
        What was stated, ascending without ties, and how often the event came.

    Examples
    --------
    >>> IsotonicMap(np.array([0.5]), np.array([0.7]))([0.25, 0.5, 0.75]).round(3).tolist()
    [0.35, 0.7, 0.85]
    """

    probability: Floats
    event: Floats

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the recalibrated probabilities."""
        stated, came = self.probability, self.event
        low, high = ([0.0] if stated[0] > 0 else []), ([1.0] if stated[-1] < 1 else [])
        curve = np.interp(
            np.asarray(level, dtype=np.float64),
            np.concatenate([low, stated, high]),
            np.concatenate([low, came, high]),
        )
        return np.asarray(curve)


@dataclass(frozen=True)
class LogMap:
    r"""Beta calibration, :math:`\operatorname{logit} G(p) = a \log p - b \log(1 - p) + c`.

    Parameters
    ----------
    a, b : float
        At least 0; 1 and 1 with c = 0 is the identity, and a = b calibration of the logit.
    c : float

    Examples
    --------
    >>> LogMap(1.0, 1.0, 0.0)([0.1, 0.9]).round(12).tolist()
    [0.1, 0.9]
    >>> LogMap(0.5, 0.5, 0.0)([0.1, 0.9]).round(2).tolist()
    [0.25, 0.75]
    """

    a: float
    b: float
    c: float

    def __call__(self, level: ArrayLike) -> Floats:
        """Return the recalibrated probabilities."""
        p = np.clip(np.asarray(level, dtype=np.float64), NEAREST, 1 - NEAREST)
        return np.asarray(expit(self.a * np.log(p) - self.b * np.log1p(-p) + self.c))


def fit_isotonic_map(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    prior: float = PRIOR,
    least: float = LEAST,
) -> LevelMap:
    r"""Return how often the event came by what was stated, made monotone.

    The prior is worth :math:`\kappa` further cases, spread over the past ones, whose outcomes are as stated. With the
    sum of weights W this is the same as to draw each outcome to its probability,

    .. math:: t_c = \frac{W y_c + \kappa p_c}{W + \kappa}, \qquad \min_{G \uparrow} \sum_c w_c (G(p_c) - t_c)^2 .

    No probability that was above 0 becomes 0.

    Parameters
    ----------
    probability : array_like, shape (cases,)
        In [0, 1]: only what was known at the origin. Cases with NaN in either are left out.
    outcome : array_like, shape (cases,)
        1 if the event came, 0 if not.
    weight : array_like, shape (cases,), optional
        What each case counts for, such as `recency`; less than 1 also where cases depend on each other.
    prior : float
        :math:`\kappa`.
    least : float
        With a smaller sum of weights the map is the identity.

    Returns
    -------
    IsotonicMap or Identity

    Raises
    ------
    InputError
        If shapes or values do not fit.

    References
    ----------
    Zadrozny & Elkan (2002), doi:10.1145/775047.775151.

    Examples
    --------
    >>> stated, came = [0.2] * 200 + [0.6] * 200, [0] * 200 + [1] * 100 + [0] * 100
    >>> fit_isotonic_map(stated, came, prior=0.0)([0.2, 0.6]).tolist()
    [0.0, 0.5]
    >>> fit_isotonic_map(stated, came, prior=400.0)([0.2, 0.6]).round(12).tolist()
    [0.1, 0.55]
    """
    p, target, each = _toward(probability, outcome, weight, prior)
    if each.sum() < least or not len(p):
        return Identity()
    distinct, case = np.unique(p, return_inverse=True)
    n = np.bincount(case, weights=each)
    counts = n > 0
    mean = np.bincount(case, weights=each * target)[counts] / n[counts]
    fitted = np.clip(isotonic_regression(mean, weights=n[counts]).x, 0.0, 1.0)
    return IsotonicMap(distinct[counts], np.asarray(fitted, dtype=np.float64))


def fit_beta_calibration(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    prior: float = PRIOR,
    least: float = LEAST,
) -> LevelMap:
    r"""Return the beta calibration with the best log score of past probabilities.

    With the targets t of `fit_isotonic_map`, which hold the prior,

    .. math:: \max_{a, b \ge 0,\, c} \sum_c w_c \big(t_c \log G(p_c) + (1 - t_c) \log(1 - G(p_c))\big), \qquad
              \operatorname{logit} G(p) = a \log p - b \log(1 - p) + c .

    Parameters
    ----------
    probability, outcome, weight, prior, least
        As for `fit_isotonic_map`.

    Returns
    -------
    LogMap or Identity

    References
    ----------
    Kull, Silva Filho & Flach (2017), doi:10.1214/17-EJS1338SI.

    Examples
    --------
    >>> stated, came = [0.2] * 200 + [0.6] * 200, [1] * 40 + [0] * 160 + [1] * 120 + [0] * 80
    >>> fit_beta_calibration(stated, came)([0.1, 0.2, 0.6]).round(3).tolist()
    [0.1, 0.2, 0.6]
    """
    return _fit_log_map(probability, outcome, weight, prior, least, same_slope=False)


def fit_logit_map(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    prior: float = PRIOR,
    least: float = LEAST,
) -> LevelMap:
    r"""Return the calibration of the logit, :math:`\operatorname{logit} G(p) = a \operatorname{logit} p + c`, a >= 0.

    Parameters
    ----------
    probability, outcome, weight, prior, least
        As for `fit_isotonic_map`.

    Returns
    -------
    LogMap or Identity
        With a = b.

    References
    ----------
    Cox (1958), doi:10.1093/biomet/45.3-4.562.

    Examples
    --------
    >>> fit_logit_map([0.5] * 400, [1] * 300 + [0] * 100, prior=0.0)(0.5).round(3)
    np.float64(0.75)
    """
    return _fit_log_map(probability, outcome, weight, prior, least, same_slope=True)


def _fit_log_map(
    probability: ArrayLike,
    outcome: ArrayLike,
    weight: ArrayLike | None,
    prior: float,
    least: float,
    *,
    same_slope: bool,
) -> LevelMap:
    p, target, each = _toward(probability, outcome, weight, prior)
    if each.sum() < least or not len(p):
        return Identity()
    p = np.clip(p, NEAREST, 1 - NEAREST)
    columns = [np.log(p), -np.log1p(-p)]
    x = np.column_stack([columns[0] + columns[1], np.ones(len(p))] if same_slope else [*columns, np.ones(len(p))])
    slopes = x.shape[1] - 1

    def loss(theta: Floats) -> tuple[float, Floats]:
        eta = x @ theta
        value = each @ (np.logaddexp(0.0, eta) - target * eta) / each.sum()
        return float(value), np.asarray(x.T @ (each * (expit(eta) - target)) / each.sum())

    found = minimize(
        loss,
        np.array([1.0] * slopes + [0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * slopes + [(None, None)],
        options={"ftol": 1e-13, "gtol": 1e-9},
    )
    first, *_, last = (float(value) for value in found.x)
    return LogMap(first, float(found.x[slopes - 1]), last)


def _toward(
    probability: ArrayLike, outcome: ArrayLike, weight: ArrayLike | None, prior: float
) -> tuple[Floats, Floats, Floats]:
    """Return the known cases: probability, outcome drawn to it by the prior, weight."""
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape:
        raise InputError(f"probabilities of shape {p.shape}, outcomes of {y.shape}", expected="(cases,) both")
    each = case_weights(len(p), weight)
    known = np.isfinite(p) & np.isfinite(y)
    p, y, each = p[known], y[known], each[known]
    if not (((p >= 0) & (p <= 1)).all() and np.isin(y, (0, 1)).all()):
        raise InputError("probabilities outside [0, 1] or outcomes other than 0 and 1")
    total = each.sum()
    return p, (total * y + prior * p) / (total + prior) if total + prior > 0 else y, each
