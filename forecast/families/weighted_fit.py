"""Weighted maximum likelihood of Poisson and negative binomial regressions with a log link."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from forecast.errors import ForecastError
from forecast.predictive import negbin

Floats = NDArray[np.float64]
Distribution = Literal["negbin", "poisson"]

LOG_SIZE_BOUNDS = (-5.0, 8.0)
RETRIES = 3
"""Fits with four times the pseudo-weeks of the one before, if that has not converged."""


@dataclass(frozen=True)
class Rows:
    """What the likelihood is made of: design of shape (rows, columns), the others of shape (rows,)."""

    design: Floats
    count: Floats
    weight: Floats
    offset: Floats


@dataclass(frozen=True)
class Estimates:
    """Result of one fit.

    Parameters
    ----------
    coefficients : ndarray, shape (columns,)
    covariance : ndarray, shape (columns, columns)
        Of the coefficients.
    size : float
        ``inf`` for the Poisson.
    size_error : float
        Standard error of the size; NaN for the Poisson.
    """

    coefficients: Floats
    covariance: Floats
    size: float
    size_error: float


def weighted_fit(
    rows: Rows, observed: int, distribution: Distribution, pseudo_weeks: float, *, what: str = "the model"
) -> Estimates:
    """Return the estimates of largest weighted likelihood.

    Where they do not converge the fit is repeated with four times the pseudo-weeks, up to `RETRIES` times.

    Parameters
    ----------
    rows : Rows
        The observed rows first.
    observed : int
        How many rows are observations; the others are pseudo-observations.
    distribution : {"negbin", "poisson"}
    pseudo_weeks : float
        Factor on the weights of the pseudo-observations.
    what : str
        What is fitted, for the message of an error.

    Raises
    ------
    ForecastError
        If the estimates do not converge.
    """
    pseudo = pseudo_weeks
    for _ in range(1 + RETRIES):
        weight = rows.weight.copy()
        weight[observed:] *= pseudo
        found = _fit(replace(rows, weight=weight), observed, distribution)
        if found is not None:
            return found
        pseudo = max(1.0, 4 * pseudo)
    raise ForecastError(
        f"the fit of {what} does not converge, even with {pseudo / 4:g} pseudo-weeks a unit\n"
        "  try: fewer terms, or a longer half-life"
    )


def _fit(rows: Rows, observed: int, distribution: Distribution) -> Estimates | None:
    """Return the weighted maximum likelihood, or None if it does not converge."""
    import statsmodels.api as sm  # noqa: PLC0415 - half a second that no other family needs

    kept = rows.weight > 0
    design, count, weight, offset = rows.design[kept], rows.count[kept], rows.weight[kept], rows.offset[kept]
    size, start = (np.inf, None) if distribution == "poisson" else (1.0, None)
    for _ in range(25):
        noise = sm.families.Poisson() if np.isinf(size) else sm.families.NegativeBinomial(alpha=1 / size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they would say is checked below
            try:
                model = sm.GLM(count, design, family=noise, offset=offset, freq_weights=weight)
                result = model.fit(start_params=start, maxiter=100, scale=1.0)
                converged = result.converged
                if not converged:  # reweighting can go to and fro between two points; Newton's steps do not
                    result = model.fit(start_params=result.params, method="newton", maxiter=100, scale=1.0, disp=0)
                    converged = result.mle_retvals["converged"]
            except (ValueError, np.linalg.LinAlgError):
                return None
        mean = np.asarray(result.fittedvalues)
        start = np.asarray(result.params)
        if not (converged and np.isfinite(mean).all() and np.isfinite(start).all()):
            return None
        if np.isinf(size):
            return Estimates(start, _covariance(design, mean, weight, size, observed), size, np.nan)
        before, size = size, _size(count, mean, weight)
        if abs(np.log(size / before)) < 1e-4:
            error = _size_error(count, mean, weight, size)
            return Estimates(start, _covariance(design, mean, weight, size, observed), size, error)
    return None


def _negative_log_likelihood(log_size: float, count: Floats, mean: Floats, weight: Floats) -> float:
    size = float(np.exp(log_size))
    some = count > 0
    zero = weight[~some] @ (size * np.log1p(mean[~some] / size))
    return float(zero - weight[some] @ negbin.logpmf(count[some], mean[some], size))


def _size(count: Floats, mean: Floats, weight: Floats) -> float:
    """Return the size of largest weighted likelihood given the means, within `LOG_SIZE_BOUNDS`."""
    found = minimize_scalar(
        _negative_log_likelihood, bounds=LOG_SIZE_BOUNDS, args=(count, mean, weight), method="bounded"
    )
    return float(np.exp(found.x))


def _size_error(count: Floats, mean: Floats, weight: Floats, size: float) -> float:
    """Return the standard error of the size from the curvature in its log (mean and size are orthogonal)."""
    at, step = np.log(size), 0.05
    down, here, up = (_negative_log_likelihood(at + move, count, mean, weight) for move in (-step, 0.0, step))
    curvature = (down - 2 * here + up) / step**2
    return float(size / np.sqrt(curvature)) if curvature > 0 else np.nan


def _covariance(design: Floats, mean: Floats, weight: Floats, size: float, observed: int) -> Floats:
    """Return ``H^-1 J H^-1`` of the weighted score; pseudo-observations are constants and add nothing to J."""
    information = mean / (1 + mean / size)
    hessian = (design.T * (weight * information)) @ design
    scores = (design[:observed].T * (weight[:observed] ** 2 * information[:observed])) @ design[:observed]
    bread = np.linalg.pinv(hessian, hermitian=True)
    return np.asarray(bread @ scores @ bread)
