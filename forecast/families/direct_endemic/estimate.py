"""Estimates of one horizon: largest penalised likelihood, with coefficients that are not negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from forecast.families.direct_endemic.likelihood import LinearCases

Floats = NDArray[np.float64]

LOWEST_SIZE, HIGHEST_SIZE = (-5.0, 0.0), (8.0, 2.0)
"""Bounds of the intercept and the slope of the log size."""
LARGEST_COEFFICIENT = 2.0
CLOSE = 0.02
"""A gradient so small, in standard deviations of the parameters, is that of the largest likelihood."""


@dataclass(frozen=True, eq=False)
class Prior:
    """What the parameters are drawn to.

    Parameters
    ----------
    centre : ndarray, shape (terms + 2,)
        Constant, other coefficients, intercept and slope of the log size.
    precision : ndarray, shape (terms + 2,)
        Of a normal prior around it; that of the constant is not used.
    events : float
        The constant has the prior density ``constant ** events``: as if so many events more had been seen, so that a
        silent panel keeps a rate.
    level : float
        Pooled events a week, from which the scale of the constant is taken.
    """

    centre: Floats
    precision: Floats
    events: float
    level: float

    def loss(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the negative log density and its gradient."""
        away = parameters - self.centre
        pull = self.precision * away
        pull[0] = away[0] = 0.0
        value = 0.5 * float(pull @ away) - self.events * np.log(parameters[0] / self.level)
        pull[0] = -self.events / parameters[0]
        return value, pull

    def moved(self, centre: Floats) -> Prior:
        """Return the same prior around another centre."""
        return Prior(centre, self.precision, self.events, self.level)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Parameters, and whether the optimiser came to an end."""

    parameters: Floats
    converged: bool


def penalised_maximum(cases: LinearCases, prior: Prior, start: Floats | None = None) -> Estimate:
    """Return the parameters of largest likelihood times prior.

    Parameters
    ----------
    cases : LinearCases
    prior : Prior
    start : ndarray, shape (terms + 2,), optional
        Where the search begins; the centre of the prior if not given. If it does not end from there, it begins again
        from that centre and from twice as much of everything; the best end is returned.
    """
    terms = cases.terms.shape[2]
    low = np.r_[1e-6 * prior.level, np.zeros(terms - 1), LOWEST_SIZE]
    high = np.r_[np.inf, np.full(terms - 1, LARGEST_COEFFICIENT), HIGHEST_SIZE]
    centre = np.clip(prior.centre, low, high)
    # Coefficients in units of their standard deviation, so that the surface is about as steep in all directions.
    steep = np.r_[cases.information(np.maximum(centre, 0.1 * np.r_[prior.level, np.ones(terms + 1)])), 10.0, 10.0]
    step = 1 / np.sqrt(steep + np.r_[prior.events / prior.level**2, prior.precision[1:]])
    # A term that is 0 throughout (no neighbours) stays at its centre.
    unknown = np.flatnonzero(~cases.terms.any(axis=(0, 1)))
    low[unknown] = high[unknown] = centre[unknown]

    def loss(scaled: Floats) -> tuple[float, Floats]:
        parameters = scaled * step
        likelihood, by_likelihood = cases.loss(parameters)
        penalty, by_penalty = prior.loss(parameters)
        return likelihood + penalty, (by_likelihood + by_penalty) * step

    best, value = Estimate(centre, converged=False), np.inf
    begins = [centre if start is None else start, centre, np.r_[2 * centre[:terms], centre[terms:]]]
    for begin in begins:
        found = minimize(
            loss,
            np.clip(begin, low, high) / step,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(low / step, high / step),
            options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-3},
        )
        slope = np.clip(found.x - found.jac, low / step, high / step) - found.x
        converged = bool(np.isfinite(found.fun) and np.abs(slope).max() < CLOSE)
        if found.fun < value or (converged and not best.converged):
            best, value = Estimate(np.clip(found.x * step, low, high), converged), found.fun
        if converged:
            break
    return best
