"""Variances of random intercepts by marginal likelihood, in turn with the penalised estimates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from forecast.families.endemic_epidemic.arrow import Arrow
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.optimise import Optimum, maximise
from forecast.families.endemic_epidemic.prior import Point, Prior

Floats = NDArray[np.float64]

ROUNDS = 60
TOLERANCE = 1e-4
"""Change of a standard deviation at which the rounds end."""
LONGEST = 5.0
"""Moves of the variances are lengthened or shortened by at most this factor."""
LOG_SD_BOUNDS = (-5.0, 2.0)
START_SD = 0.6


@dataclass(frozen=True, eq=False)
class Mixed:
    """Estimates of a model with random intercepts.

    Parameters
    ----------
    optimum : Optimum
        Of the penalised likelihood at the variances.
    prior : Prior
        With the variances in it.
    sd : ndarray, shape (block,)
        Standard deviations; NaN for parameters of units that are not random.
    marginal : float
        Laplace approximation of the log-likelihood without the random effects, up to a constant; NaN where none is
        random.
    converged : bool
        Both the estimates and the variances.
    """

    optimum: Optimum
    prior: Prior
    sd: Floats
    marginal: float
    converged: bool


def maximise_mixed(
    likelihood: Likelihood, prior: Prior, start: Point, sd: Floats | None = None, *, near: bool = False
) -> Mixed:
    r"""Estimate parameters and random effects given their variances, then the variances given those, and so on.

    The variances maximise the Laplace approximation

    .. math:: -n \log \sigma - \frac{b' b}{2 \sigma^2} - \frac12 \log \det (F + P(\sigma))

    with the information F of all parameters, shared ones included, as it is at the penalised estimates.

    Parameters
    ----------
    likelihood : Likelihood
    prior : Prior
        Its precision of random effects is ignored.
    start : Point
    sd : ndarray, shape (block,), optional
        Where the variances start.
    near : bool
        The start is an earlier optimum.

    References
    ----------
    Paul & Held (2011), doi:10.1002/sim.4177; as in the function hhh4 of the R package surveillance.
    """
    random = likelihood.design.random
    if not random.any():
        found = maximise(likelihood, prior, start, near=near)
        return Mixed(found, prior, np.full(len(random), np.nan), np.nan, found.converged)
    log_sd = np.log(np.full(int(random.sum()), START_SD) if sd is None else sd[random])
    point, change = start, np.inf
    before, move_before = log_sd, np.zeros_like(log_sd)
    for turn in range(ROUNDS):
        with_variance = _with_variances(prior, random, log_sd)
        found = maximise(likelihood, with_variance, point, near=near or turn > 0)
        point = found.point
        effects = point.own[:, random]
        move = _best_log_sd(log_sd, effects, found.information, with_variance, random) - log_sd
        change = float(np.abs(np.exp(log_sd) * move).max())
        if change < TOLERANCE:
            break
        # The rounds converge linearly; how the move changed with the last step says where it ends (a secant).
        gone = log_sd - before
        bend = np.divide(move - move_before, gone, out=np.full_like(move, -1.0), where=(gone != 0) & (turn > 0))
        factor = np.clip(-1 / np.where(bend < 0, bend, -1 / LONGEST), 1 / LONGEST, LONGEST)
        before, move_before = log_sd, move
        log_sd = np.clip(log_sd + np.clip(factor * move, -1.0, 1.0), *LOG_SD_BOUNDS)
    whole = np.full(len(random), np.nan)
    whole[random] = np.exp(log_sd)
    marginal = found.slope.log_likelihood - _laplace(log_sd, effects, found.information, with_variance, random)[0]
    return Mixed(found, with_variance, whole, marginal, found.converged and change < 10 * TOLERANCE)


def _with_variances(prior: Prior, random: NDArray[np.bool_], log_sd: Floats) -> Prior:
    precision = prior.own_precision.copy()
    precision[:, random] = np.exp(-2 * log_sd)
    return replace(prior, own_precision=precision)


def _laplace(
    log_sd: Floats, effects: Floats, information: Arrow, prior: Prior, random: NDArray[np.bool_]
) -> tuple[float, Floats]:
    """Return minus the Laplace approximation in the variances, and its gradient in the log standard deviations.

    `information` is that of the penalised likelihood at the variances of `prior`.
    """
    change = np.zeros(prior.own_precision.shape)
    change[:, random] = np.exp(-2 * log_sd) - prior.own_precision[:, random]
    blocks = information.blocks.copy()
    diagonal = np.arange(blocks.shape[1])
    blocks[:, diagonal, diagonal] += change
    whole = Arrow(information.shared, information.border, blocks)
    if not whole.is_positive():
        return np.inf, np.zeros(len(log_sd))
    squares = (effects**2).sum(axis=0) * np.exp(-2 * log_sd)
    spread = np.einsum("nbb->nb", whole.own_covariance())[:, random].sum(axis=0) * np.exp(-2 * log_sd)
    value = len(effects) * log_sd.sum() + 0.5 * squares.sum() + 0.5 * whole.log_determinant()
    return float(value), len(effects) - squares - spread


def _best_log_sd(
    log_sd: Floats, effects: Floats, information: Arrow, prior: Prior, random: NDArray[np.bool_]
) -> Floats:
    """Return the best log standard deviations within a factor of e of those that there are."""
    low, high = LOG_SD_BOUNDS
    found = minimize(
        _laplace,
        log_sd,
        args=(effects, information, prior, random),
        jac=True,
        method="L-BFGS-B",
        bounds=[(max(low, at - 1), min(high, at + 1)) for at in log_sd],
        options={"ftol": 1e-12, "gtol": 1e-6},
    )
    if np.isfinite(found.fun):
        return np.asarray(found.x)
    spread = np.einsum("nbb->nb", information.own_covariance())[:, random]
    return np.asarray(np.clip(0.5 * np.log((effects**2 + spread).mean(axis=0)), low, high))
