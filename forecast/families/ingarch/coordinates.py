"""Coordinates in which every point is a stationary INGARCH model, and the way back to its coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.families.ingarch.order import Order

Floats = NDArray[np.float64]

USUAL_PAST = (0.15, 0.75)
"""What past counts and past means make of the mean where nothing is known; the rest is the level."""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Coefficients of many units with their derivatives.

    Parameters
    ----------
    theta : ndarray, shape (units, P)
        Intercept, past counts, past means, additive covariates, loads.
    by_unit : ndarray, shape (units, P, 1 + lags)
        Derivatives in the coordinates of the unit.
    by_shared : ndarray, shape (units, P, shared)
        Derivatives in the coordinates that all units share.
    start : ndarray, shape (units, 2)
        Linear predictor and transformed count before the first week: at the level.
    start_gradient : ndarray, shape (units, 2, P)
    """

    theta: Floats
    by_unit: Floats
    by_shared: Floats
    start: Floats
    start_gradient: Floats


@dataclass(frozen=True)
class Coordinates:
    r"""Map from free coordinates to coefficients.

    A unit has its level and the log ratios :math:`\omega_k` of each coefficient of the past to what they leave,
    :math:`w_k = e^{\omega_k} / (1 + \sum_j e^{\omega_j})`: they are positive with a sum below 1. The level
    :math:`\ell` is where the model rests if every count is as expected, so that the intercept is
    :math:`\beta_0 = (1 - \sum \alpha) \ell - \sum \beta \, g(\ell)`; its coordinate is :math:`\log \ell` with the
    identity link, :math:`\ell` itself with the log link. An additive covariate has with the identity link the effect
    :math:`\ell e^\zeta`, in proportion to the level and positive; with the log link :math:`\zeta`.

    Parameters
    ----------
    order : Order
    covariates, loads : int
        How many additive and multiplicative covariates there are.

    Examples
    --------
    >>> free = Coordinates(Order())
    >>> free.coefficients(free.usual(np.log(2.0))[None], np.zeros(0)).theta.round(3)
    array([[0.2 , 0.15, 0.75]])
    """

    order: Order
    covariates: int = 0
    loads: int = 0

    def usual(self, log_level: float) -> Floats:
        """Return the coordinates of a unit with the usual past, shape (1 + lags,)."""
        p, q = len(self.order.past_obs), len(self.order.past_mean)
        counts, means = USUAL_PAST if p and q else (sum(USUAL_PAST),) * 2
        left = 1 - sum(USUAL_PAST)
        per_count, per_mean = counts / max(p, 1) / left, means / max(q, 1) / left
        return np.asarray(np.r_[log_level, np.full(p, np.log(per_count)), np.full(q, np.log(per_mean))])

    def past(self, omega: Floats) -> Floats:
        """Return coefficients of the past from log ratios, shapes (..., lags)."""
        highest = np.maximum(omega.max(axis=-1, keepdims=True, initial=0.0), 0.0)
        raised = np.exp(omega - highest)
        return np.asarray(raised / (np.exp(-highest) + raised.sum(axis=-1, keepdims=True)))

    def coefficients(self, units: Floats, shared: Floats) -> Coefficients:
        """Return coefficients and derivatives.

        Parameters
        ----------
        units : ndarray, shape (units, 1 + lags)
        shared : ndarray, shape (covariates + loads,)
        """
        n, lags, p = len(units), self.order.lags, len(self.order.past_obs)
        r, c = self.covariates, self.loads
        log = self.order.link == "log"
        past = self.past(units[:, 1:])
        level = units[:, 0] if log else np.exp(units[:, 0])
        slope_level = np.ones(n) if log else level
        plain = np.exp(level) if log else level
        seen = np.log1p(plain) if log else level
        slope_seen = plain / (1 + plain) if log else np.ones(n)
        rest = np.where(np.arange(lags) < p, seen[:, None], level[:, None])
        lasting = (1 - past[:, p:].sum(axis=1)) - past[:, :p].sum(axis=1) * slope_seen

        theta = np.empty((n, 1 + lags + r + c))
        theta[:, 0] = level - (past * rest).sum(axis=1)
        theta[:, 1 : 1 + lags] = past
        effects, loads = shared[:r], shared[r:]
        theta[:, 1 + lags : 1 + lags + r] = effects if log else level[:, None] * np.exp(effects)
        theta[:, 1 + lags + r :] = loads

        by_unit = np.zeros((n, theta.shape[1], 1 + lags))
        in_omega = past[:, :, None] * (np.eye(lags) - past[:, None, :])
        by_unit[:, 1 : 1 + lags, 1:] = in_omega
        by_unit[:, 0, 1:] = -(rest[:, :, None] * in_omega).sum(axis=1)
        by_unit[:, 0, 0] = lasting * slope_level
        by_shared = np.zeros((n, theta.shape[1], r + c))
        for at in range(r):
            by_shared[:, 1 + lags + at, at] = 1.0 if log else theta[:, 1 + lags + at]
            by_unit[:, 1 + lags + at, 0] = 0.0 if log else theta[:, 1 + lags + at]
        for at in range(c):
            by_shared[:, 1 + lags + r + at, r + at] = 1.0

        start_gradient = np.zeros((n, 2, theta.shape[1]))
        start_gradient[:, 0, 0] = 1 / lasting
        start_gradient[:, 0, 1 : 1 + lags] = rest / lasting[:, None]
        start_gradient[:, 1] = slope_seen[:, None] * start_gradient[:, 0]
        return Coefficients(theta, by_unit, by_shared, np.column_stack([level, seen]), start_gradient)
