"""Draws of the posterior from its normal approximation, corrected by importance weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from forecast.families.bayes.centred import Centred
from forecast.families.bayes.pareto import LARGEST_K, effective_draws, smoothed_weights

Floats = NDArray[np.float64]

GRADIENT_TOLERANCE = 1e-3
"""Of a coordinate at the mode: a thousandth of what its prior would say one standard deviation off."""
DIFFERENCE = 1e-3
DEGREES = 8.0
"""Of freedom of the proposals: tails that are heavier than a normal posterior's keep the weights bounded."""
LEAST_PRECISION = 0.1
STARTS = 3
ROUNDS = 3
EXTRA_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class Mode:
    """Where the posterior is highest in the coordinates of `Centred`, and how it curves there.

    Parameters
    ----------
    z : ndarray, shape (parameters,)
    covariance : ndarray, shape (parameters, parameters)
        Inverse of the negative second derivative.
    converged : bool
    """

    z: Floats
    covariance: Floats
    converged: bool


def find_mode(density: Centred, rng: np.random.Generator, start: Floats | None = None) -> Mode:
    """Return the mode; from other starts where the search does not end in one.

    Parameters
    ----------
    density : Centred
    rng : Generator
        For the other starts.
    start : ndarray, shape (parameters,), optional
        Coordinates.
    """
    first = np.zeros(len(density)) if start is None else start

    def downhill(z: Floats) -> tuple[float, Floats]:
        value, gradient = density.log_posterior(np.clip(z, -8, 8))
        return -value, -gradient

    found = None
    for attempt in range(STARTS):
        begin = first if attempt == 0 else 0.5 * rng.standard_normal(len(first))
        with np.errstate(over="ignore", invalid="ignore"):
            result = minimize(downhill, begin, jac=True, method="BFGS", options={"gtol": GRADIENT_TOLERANCE / 10})
        if found is None or result.fun < found.fun:
            found = result
        if np.abs(found.jac).max() < GRADIENT_TOLERANCE:
            break
    assert found is not None
    hessian = np.empty((len(first), len(first)))
    for at in range(len(first)):
        ahead, behind = found.x.copy(), found.x.copy()
        ahead[at] += DIFFERENCE
        behind[at] -= DIFFERENCE
        hessian[at] = (downhill(ahead)[1] - downhill(behind)[1]) / (2 * DIFFERENCE)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    covariance = (vectors / np.maximum(values, LEAST_PRECISION)) @ vectors.T
    return Mode(found.x, covariance, bool(np.abs(found.jac).max() < GRADIENT_TOLERANCE))


@dataclass(frozen=True, eq=False)
class Sample:
    """Weighted draws, in the coordinates of `Centred`.

    Parameters
    ----------
    z : ndarray, shape (draws, parameters)
    weights : ndarray, shape (draws,)
        They sum to 1.
    k : float
        Shape of the tail of the weights.
    """

    z: Floats
    weights: Floats
    k: float


def importance_sample(density: Centred, mode: Mode, draws: int, rng: np.random.Generator) -> Sample:
    """Draw from the posterior by importance sampling in rounds, each around what the rounds before have found.

    The first round draws around the mode. A posterior that is skewed has its mean elsewhere, so that later rounds take
    mean and covariance of the weighted draws; all draws are weighted against the mixture of all rounds. Where the tail
    of the weights is too heavy, rounds are added.

    Parameters
    ----------
    density : Centred
    mode : Mode
    draws : int
        In all of the first `ROUNDS` rounds.
    rng : Generator

    References
    ----------
    Cornuet, Marin, Mira & Robert (2012), doi:10.1111/j.1467-9469.2011.00756.x.
    """
    each = -(-draws // ROUNDS)
    proposals = [Proposal(mode.z, mode.covariance)]
    z, log_target = np.empty((0, len(mode.z))), np.empty(0)
    for at in range(ROUNDS + EXTRA_ROUNDS):
        fresh = proposals[-1].draw(each, rng)
        z = np.concatenate([z, fresh])
        log_target = np.concatenate([log_target, [density.log_density(one) for one in fresh]])
        mixture = np.logaddexp.reduce([proposal.log_density(z) for proposal in proposals], axis=0)
        weights, k = smoothed_weights(log_target - mixture)
        if at >= ROUNDS - 1 and k < LARGEST_K:
            break
        proposals.append(_next_proposal(z, weights, mode))
    return Sample(z, weights, k)


def _next_proposal(z: Floats, weights: Floats, mode: Mode) -> Proposal:
    """Return the normal of the weighted draws; a few draws say little of a covariance and are mixed with the mode's."""
    mean = weights @ z
    enough = effective_draws(weights)
    share = enough / (enough + 2 * len(mean))
    spread = (weights[:, None] * (z - mean)).T @ (z - mean)
    return Proposal(mean, share * spread + (1 - share) * mode.covariance)


@dataclass(frozen=True, eq=False)
class Proposal:
    """A multivariate t distribution.

    Parameters
    ----------
    centre : ndarray, shape (parameters,)
    scatter : ndarray, shape (parameters, parameters)
    """

    centre: Floats
    scatter: Floats

    def draw(self, draws: int, rng: np.random.Generator) -> Floats:
        """Return draws, shape (draws, parameters)."""
        normal = rng.standard_normal((draws, len(self.centre)))
        wide = np.sqrt(DEGREES / rng.chisquare(DEGREES, draws))
        return np.asarray(self.centre + wide[:, None] * (normal @ np.linalg.cholesky(self.scatter).T))

    def log_density(self, z: Floats) -> Floats:
        """Return the log density, up to a constant, shape (draws,)."""
        root = np.linalg.cholesky(self.scatter)
        square = (solve_triangular(root, (z - self.centre).T, lower=True) ** 2).sum(axis=0)
        return np.asarray(
            -np.log(np.diag(root)).sum() - 0.5 * (DEGREES + len(self.centre)) * np.log1p(square / DEGREES)
        )
