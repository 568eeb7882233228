"""The recursion of the conditional mean with its gradient, as kernels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive.negbin import sample_one

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

HIGHEST_LOG_MEAN = 25.0
"""Log means are cut here, so that no step of an optimiser can overflow."""


@compiled
def _longest(past_obs: Integers, past_mean: Integers) -> int:
    longest = 0
    for lag in past_obs:
        longest = max(longest, lag)
    for lag in past_mean:
        longest = max(longest, lag)
    return longest


@compiled
def _from_past(at: int, theta: Floats, z: Floats, nu: Floats, past_obs: Integers, past_mean: Integers) -> float:
    """Return intercept and past of the linear predictor at a position."""
    p = len(past_obs)
    value: float = theta[0]
    for k in range(p):
        value += theta[1 + k] * z[at - past_obs[k]]
    for k in range(len(past_mean)):
        value += theta[1 + p + k] * nu[at - past_mean[k]]
    return value


@compiled
def _slope_from_past(
    at: int,
    theta: Floats,
    z: Floats,
    nu: Floats,
    dz: Floats,
    dnu: Floats,
    past_obs: Integers,
    past_mean: Integers,
) -> None:
    """Write the gradient of `_from_past` into its row of `dnu`."""
    p, columns = len(past_obs), len(theta)
    slope = dnu[at]
    slope[:] = 0.0
    slope[0] = 1.0
    for k in range(p):
        then = at - past_obs[k]
        slope[1 + k] += z[then]
        for j in range(columns):
            slope[j] += theta[1 + k] * dz[then, j]
    for k in range(len(past_mean)):
        then = at - past_mean[k]
        slope[1 + p + k] += nu[then]
        for j in range(columns):
            slope[j] += theta[1 + p + k] * dnu[then, j]


@compiled
def _effects(own: int, theta: Floats, covariates: Floats, external: Booleans) -> tuple[float, float]:
    """Return the effects of one week's covariates that feed back through past means, and of those that do not."""
    inside, outside = 0.0, 0.0
    for k in range(len(covariates)):
        if external[k]:
            outside += theta[own + k] * covariates[k]
        else:
            inside += theta[own + k] * covariates[k]
    return inside, outside


@compiled
def _mean(whole: float, log_scale: float, log_link: bool) -> tuple[float, float]:
    """Return the mean of a linear predictor, and its slope in it."""
    if log_link:
        mean = math.exp(min(whole + log_scale, HIGHEST_LOG_MEAN))
        return mean, mean
    scale = math.exp(log_scale)
    return scale * whole, scale


@compiled
def recursion(
    counts: Floats,
    observed: Booleans,
    log_scale: Floats,
    loads: Floats,
    covariates: Floats,
    external: Booleans,
    theta: Floats,
    past_obs: Integers,
    past_mean: Integers,
    log_link: bool,
    start: Floats,
    start_gradient: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    r"""Return the mean of every week of one series, its gradient, and the state that the weeks leave.

    Parameters
    ----------
    counts, observed, log_scale : ndarray, shape (weeks,)
        A week that is not observed enters the past with its conditional mean.
    loads : ndarray, shape (weeks, C)
        Covariates that multiply the mean: the log scale is ``log_scale + loads @ gamma``.
    covariates : ndarray, shape (weeks, R)
        Added to the linear predictor.
    external : ndarray of bool, shape (R,)
        Covariates whose effect does not feed back through past means.
    theta : ndarray, shape (P,)
        Intercept, coefficients of past counts, of past means, of covariates, of loads.
    past_obs, past_mean : ndarray of int
        Lags.
    log_link : bool
    start : ndarray, shape (2,)
        Linear predictor and transformed count of the weeks before the first.
    start_gradient : ndarray, shape (2, P)

    Returns
    -------
    mean : ndarray, shape (weeks,)
    gradient : ndarray, shape (weeks, P)
        Of the mean in theta.
    nu, z : ndarray, shape (longest + weeks,)
        Linear predictor without external effects, and transformed count.
    """
    weeks, columns = len(counts), len(theta)
    own, r, c = 1 + len(past_obs) + len(past_mean), covariates.shape[1], loads.shape[1]
    before = _longest(past_obs, past_mean)
    nu, z = np.empty(before + weeks), np.empty(before + weeks)
    dnu, dz = np.empty((before + weeks, columns)), np.zeros((before + weeks, columns))
    mean, dmean = np.empty(weeks), np.empty((weeks, columns))
    nu[:before], z[:before] = start[0], start[1]
    dnu[:before], dz[:before] = start_gradient[0], start_gradient[1]
    for t in range(weeks):
        at = before + t
        nu[at] = _from_past(at, theta, z, nu, past_obs, past_mean)
        _slope_from_past(at, theta, z, nu, dz, dnu, past_obs, past_mean)
        inside, outside = _effects(own, theta, covariates[t], external)
        nu[at] += inside
        for k in range(r):
            dnu[at, own + k] += covariates[t, k] * (not external[k])
        log_s = log_scale[t]
        for k in range(c):
            log_s += theta[own + r + k] * loads[t, k]
        mean[t], factor = _mean(nu[at] + outside, log_s, log_link)
        for j in range(columns):
            dmean[t, j] = factor * dnu[at, j]
        for k in range(r):
            dmean[t, own + k] += factor * covariates[t, k] * external[k]
        for k in range(c):
            dmean[t, own + r + k] += mean[t] * loads[t, k]
        # What the weeks after see of this one: its count free of scale, or what was expected of it.
        scale = math.exp(log_s)
        plain = (counts[t] if observed[t] else mean[t]) / scale
        z[at] = math.log1p(plain) if log_link else plain
        inner = 1.0 / (1.0 + plain) if log_link else 1.0
        if not observed[t]:
            for j in range(columns):
                dz[at, j] = inner * dmean[t, j] / scale
        for k in range(c):
            dz[at, own + r + k] -= inner * plain * loads[t, k]
    return mean, dmean, nu, z


@compiled
def simulate_paths(
    nu0: Floats,
    z0: Floats,
    theta: Floats,
    log_scale: Floats,
    covariates: Floats,
    external: Booleans,
    past_obs: Integers,
    past_mean: Integers,
    log_link: bool,
    dispersion: Floats,
    highest: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Simulate forward, each path taking up its own counts.

    Parameters
    ----------
    nu0, z0 : ndarray, shape (longest, units)
        State of the last weeks, newest last.
    theta : ndarray, shape (units, 1 + p + q + R)
    log_scale : ndarray, shape (horizon, units)
    covariates : ndarray, shape (horizon, units, R)
    external : ndarray of bool, shape (R,)
    past_obs, past_mean, log_link
        As for `recursion`.
    dispersion : ndarray, shape (2,)
        Logarithm of the size at mean 1, and the power of the mean; a first entry of ``inf`` is the Poisson.
    highest : float
        No mean exceeds it.
    draws : int
    rng : Generator

    Returns
    -------
    paths : ndarray of int32, shape (draws, horizon, units)
    mean, size : ndarray, shape (draws, horizon, units)
        Of the distribution that each count was drawn from.
    """
    horizon, units = log_scale.shape
    before = len(nu0)
    own = 1 + len(past_obs) + len(past_mean)
    paths = np.empty((draws, horizon, units), dtype=np.int32)
    means, sizes = np.empty((draws, horizon, units)), np.empty((draws, horizon, units))
    nu, z = np.empty(before + horizon), np.empty(before + horizon)
    for d in range(draws):
        for u in range(units):
            nu[:before] = nu0[:, u]
            z[:before] = z0[:, u]
            for h in range(horizon):
                at = before + h
                value = _from_past(at, theta[u], z, nu, past_obs, past_mean)
                inside, outside = _effects(own, theta[u], covariates[h, u], external)
                value += inside
                mean = min(max(_mean(value + outside, log_scale[h, u], log_link)[0], 0.0), highest)
                size = math.inf
                if math.isfinite(dispersion[0]) and mean > 0.0:
                    size = math.exp(dispersion[0] + dispersion[1] * math.log(mean))
                count = min(sample_one(mean, size, rng), np.iinfo(np.int32).max)
                paths[d, h, u], means[d, h, u], sizes[d, h, u] = count, mean, size
                plain = count / math.exp(log_scale[h, u])
                nu[at], z[at] = value, math.log1p(plain) if log_link else plain
    return paths, means, sizes
