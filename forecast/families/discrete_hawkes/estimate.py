"""Estimates: largest penalised likelihood, searched from several starts as it is not concave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from forecast.families.discrete_hawkes.coordinates import Layout
from forecast.families.discrete_hawkes.likelihood import Likelihood, Slope

Floats = NDArray[np.float64]

TOLERANCE = 1e-3
"""The score at the end, whose standard deviation would be 1 in units of the parameters' errors."""
FARTHEST = 12.0
"""Parameters stay so near to 0, so that no step overflows; e to this power is 160,000."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Parameters with their errors.

    Parameters
    ----------
    layout : Layout
    parameters : ndarray, shape (parameters,)
    covariance : ndarray, shape (parameters, parameters)
        ``H^-1 J H^-1`` of the weighted, penalised score.
    log_likelihood : float
        Weighted, without the prior.
    endogenous : float
        Share of the expected events of the past, weighed as in the likelihood, that earlier events excited.
    endogenous_error : float
    converged : bool
    """

    layout: Layout
    parameters: Floats
    covariance: Floats
    log_likelihood: float
    endogenous: float
    endogenous_error: float
    converged: bool


def estimate(likelihood: Likelihood, smoothness: float, warm: Floats | None = None) -> Estimates:
    """Return the best of several local maxima.

    Parameters
    ----------
    likelihood : Likelihood
    smoothness : float
        Of a free delay kernel.
    warm : ndarray, shape (parameters,), optional
        Earlier estimates, in place of the starts other than the usual one.
    """
    layout = likelihood.layout
    centre, precision = layout.prior(smoothness)
    starts = layout.starts() if warm is None else [warm, centre]
    ends = [_climb(likelihood, centre, precision, start) for start in starts]
    done = [end for end in ends if end[2]]
    parameters, _, converged = min(done or ends, key=lambda end: end[1])
    slope = likelihood.at(parameters)
    bread = np.linalg.inv(slope.information + precision)
    covariance = bread @ (slope.meat + precision) @ bread
    share = slope.triggered / slope.expected if slope.expected > 0 else 0.0
    error = float(np.sqrt(slope.in_share @ covariance @ slope.in_share))
    return Estimates(layout, parameters, covariance, slope.value, share, error, converged)


def _climb(likelihood: Likelihood, centre: Floats, precision: Floats, start: Floats) -> tuple[Floats, float, bool]:
    """Return the end of a search by Fisher scoring in a trust region, its loss, and whether it is a maximum."""
    kept: dict[bytes, Slope] = {}

    def at(parameters: Floats) -> Slope:
        key = parameters.tobytes()
        if key not in kept:
            kept.clear()
            kept[key] = likelihood.at(np.clip(parameters, -FARTHEST, FARTHEST))
        return kept[key]

    def loss(parameters: Floats) -> float:
        away = parameters - centre
        return 0.5 * float(away @ precision @ away) - at(parameters).value

    def gradient(parameters: Floats) -> Floats:
        return np.asarray(precision @ (parameters - centre) - at(parameters).score)

    def bend(parameters: Floats) -> Floats:
        return np.asarray(precision + at(parameters).information)

    found = minimize(
        loss,
        start,
        jac=gradient,
        hess=bend,
        method="trust-exact",
        options={"gtol": TOLERANCE, "maxiter": 100, "initial_trust_radius": 1.0},
    )
    end = np.asarray(found.x, dtype=np.float64)
    step = np.linalg.solve(bend(end), gradient(end))
    # Newton's decrement: how much the loss could still fall, whatever the scale of the parameters.
    converged = bool(np.isfinite(found.fun) and gradient(end) @ step < TOLERANCE)
    return end, float(found.fun), converged
