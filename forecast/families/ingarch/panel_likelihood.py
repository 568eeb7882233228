"""Likelihood of a panel given the coefficients of its units, and the dispersion of its counts around the means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from forecast.compiled import compiled
from forecast.families.ingarch.likelihood import dispersion_likelihood, likelihood
from forecast.families.ingarch.recursion import recursion

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

DISPERSION_PRIOR = np.array([[-0.5, 0.4], [2.0, 0.4]])
"""Mean and standard deviation of the normal priors of log size at mean 1, and of the power."""
DISPERSION_BOUNDS = [(-5.0, 8.0), (0.0, 1.5)]


@dataclass(frozen=True, eq=False)
class PanelData:
    """What the likelihood is made of; units first, so that a unit's weeks lie side by side.

    Parameters
    ----------
    counts, observed, log_scale : ndarray, shape (units, weeks)
    weight : ndarray, shape (weeks,)
    loads : ndarray, shape (units, weeks, C)
        Multiply the mean by ``exp(loads @ gamma)``.
    covariates : ndarray, shape (units, weeks, R)
        Added to the linear predictor.
    """

    counts: Floats
    observed: Booleans
    log_scale: Floats
    weight: Floats
    loads: Floats
    covariates: Floats


@compiled
def panel_score(
    counts: Floats,
    observed: Booleans,
    log_scale: Floats,
    weight: Floats,
    loads: Floats,
    covariates: Floats,
    theta: Floats,
    start: Floats,
    start_gradient: Floats,
    past_obs: Integers,
    past_mean: Integers,
    log_link: bool,
    dispersion: Floats,
) -> tuple[float, Floats, Floats, Floats, Floats]:
    """Return log likelihood, then for each unit score, information and meat as in `likelihood`, and all means."""
    units, weeks = counts.shape
    columns = theta.shape[1]
    total = 0.0
    score, mean = np.empty((units, columns)), np.empty((weeks, units))
    information, meat = np.empty((units, columns, columns)), np.empty((units, columns, columns))
    internal = np.zeros(covariates.shape[2], np.bool_)
    for u in range(units):
        found, gradient, _, _ = recursion(
            counts[u],
            observed[u],
            log_scale[u],
            loads[u],
            covariates[u],
            internal,
            theta[u],
            past_obs,
            past_mean,
            log_link,
            start[u],
            start_gradient[u],
        )
        value, score[u], information[u], meat[u] = likelihood(
            counts[u], observed[u], weight, found, gradient, dispersion
        )
        total += value
        mean[:, u] = found
    return total, score, information, meat, mean


def best_dispersion(
    data: PanelData, mean: Floats, start: Floats, *, power: bool, errors: bool = False
) -> tuple[Floats, Floats]:
    """Return the dispersion of largest posterior given the means, and its standard errors (NaN if not asked for).

    Parameters
    ----------
    data : PanelData
    mean : ndarray, shape (weeks, units)
    start : ndarray, shape (2,)
    power : bool
        Whether the size may follow the mean; its power stays 0 if not.
    errors : bool
        Whether to compute the standard errors, from the curvature.
    """
    counts, observed = np.ascontiguousarray(data.counts.T), np.ascontiguousarray(data.observed.T)
    centre, spread = DISPERSION_PRIOR

    def objective(free: Floats) -> tuple[float, Floats]:
        x = free if power else np.r_[free, 0.0]
        value, slope = dispersion_likelihood(counts, observed, data.weight, mean, x)
        off = (x - centre) / spread
        slope = -slope + off / spread
        return 0.5 * float((off**2).sum()) - value, slope if power else slope[:1]

    bounds = DISPERSION_BOUNDS if power else DISPERSION_BOUNDS[:1]
    begin = np.clip(start if power else start[:1], *np.array(bounds).T)
    result = minimize(
        objective, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-10, "gtol": 1e-4}
    )
    x = np.asarray(result.x)
    if not errors:
        return x if power else np.r_[x, 0.0], np.full(2, np.nan)
    step = 1e-4
    bend = np.array([(objective(x + step * e)[1] - objective(x - step * e)[1]) / (2 * step) for e in np.eye(len(x))])
    error = np.sqrt(np.maximum(np.diag(np.linalg.pinv((bend + bend.T) / 2, hermitian=True)), 0.0))
    return (x, error) if power else (np.r_[x, 0.0], np.r_[error, np.nan])
