"""Estimates of the regimes: the most probable ones from several starts, with merging of those that nobody visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from forecast.families.hidden_markov.coordinates import LIMIT, Coordinates
from forecast.families.hidden_markov.filtering import smooth
from forecast.families.hidden_markov.likelihood import Cases
from forecast.families.hidden_markov.regimes import Regimes

Floats = NDArray[np.float64]

SHORT, LONG = 15, 500
"""Iterations by which the starts are compared, and within which the best one has to converge."""
FLAT = 1e-3
"""Largest slope of the objective at an optimum, for each unit of its size."""
LEAST_VISITS = 3.0
"""Unit-weeks that a regime must be expected to have had, or it is merged with another."""
SAME_RATIO, SAME_SIZE = 0.05, 0.2
"""Regimes whose logarithms of ratio and of size differ by less are one regime."""
SCATTER = 0.5
"""Standard deviation of random starts around the prior's centre."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """The most probable regimes.

    Parameters
    ----------
    regimes : Regimes
        By ascending ratio.
    free : Coordinates
        With as many regimes as there are left.
    covariance : ndarray
        Of the vector of `free`.
    log_likelihood : float
        Weighted.
    visits : ndarray, shape (regimes,)
        Expected unit-weeks in each regime.
    converged : bool
    remarks : tuple of str
    """

    regimes: Regimes
    free: Coordinates
    covariance: Floats
    log_likelihood: float
    visits: Floats
    converged: bool
    remarks: tuple[str, ...]

    def natural(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return what a reader wants to know with its standard errors (delta method): ratios, sizes, transitions.

        The wave of the season is in log odds.
        """
        here = self.free.vector(self.regimes)
        values = _readable(here, self.free)

        def at(vector: Floats) -> Floats:
            return np.array(list(_readable(vector, self.free).values()))

        jacobian = np.array([(at(here + step) - at(here - step)) / 2e-5 for step in 1e-5 * np.eye(len(here))])
        variance = np.einsum("ij,ik,kj->j", jacobian, self.covariance, jacobian)
        errors = dict(zip(values, np.sqrt(np.maximum(variance, 0)).tolist(), strict=True))
        return values, errors


def estimate(cases: Cases, free: Coordinates, starts: int, rng: np.random.Generator) -> Estimates:
    """Return the best of several starts; see `estimate_from`.

    Parameters
    ----------
    cases : Cases
    free : Coordinates
    starts : int
        The prior's centre, a more lasting one, and the rest at random around it.
    rng : Generator
    """
    usual = free.vector(free.usual())
    lasting = free.vector(replace(free, persistence=0.5 + 0.5 * free.persistence).usual())
    tried = [usual, lasting, *(usual + SCATTER * rng.standard_normal((max(starts - 2, 0), len(usual))))]
    return estimate_from(cases, free, tried[:starts], rng)


def estimate_from(cases: Cases, free: Coordinates, starts: Sequence[Floats], rng: np.random.Generator) -> Estimates:
    """Return the most probable regimes, searched from given vectors.

    All starts go a few steps; the best goes on until it converges, then the next if it does not. A regime that nobody
    visits, or that is the same as the one beside it, is left out and the others are estimated anew.

    Parameters
    ----------
    cases : Cases
    free : Coordinates
    starts : sequence of ndarray
        Vectors of `free`; at least one.
    rng : Generator
        For the starts after a merger.
    """
    short = [_climb(cases, free, start, SHORT) for start in starts] if len(starts) > 1 else list(starts)
    if len(short) > 1:
        short.sort(key=lambda vector: cases.loss(vector, free)[0])
    found, converged = short[0], False
    for at, start in enumerate(short):
        ended = _climb(cases, free, start, LONG)
        converged = _is_flat(cases, free, ended)
        if at == 0 or converged:
            found = ended
        if converged:
            break
    regimes = free.regimes_of(found).ordered()
    filtered, score = cases.filtered(regimes)
    share = smooth(filtered, regimes.transitions(cases.wave), regimes.stationary())
    visits = share[cases.observed].sum(axis=0)
    reason = _superfluous(regimes, visits)
    if reason:
        fewer = estimate(cases, replace(free, regimes=free.regimes - 1), len(starts), rng)
        remark = f"{free.regimes} regimes are more than the data tell apart ({reason}): {free.regimes - 1} were fitted"
        return replace(fewer, remarks=(remark, *fewer.remarks))
    remarks = () if converged else ("the estimates of the regimes did not converge from any start: the best is used",)
    covariance = _covariance(cases, free, free.vector(regimes))
    return Estimates(
        regimes, free, covariance, float(cases.weight @ score.sum(axis=1)), visits, converged, tuple(remarks)
    )


def _climb(cases: Cases, free: Coordinates, start: Floats, iterations: int) -> Floats:
    found = minimize(
        cases.loss,
        start,
        args=(free,),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LIMIT, LIMIT)] * len(start),
        options={"maxiter": iterations, "ftol": 1e-12, "gtol": 1e-6},
    )
    return np.asarray(found.x)


def _is_flat(cases: Cases, free: Coordinates, vector: Floats) -> bool:
    """Return whether no parameter that is free to move would still raise the objective."""
    value, slope = cases.loss(vector, free)
    inner = np.abs(vector) < LIMIT
    return bool(np.isfinite(value) and np.abs(slope[inner]).max(initial=0.0) <= FLAT * max(1.0, abs(value)))


def _superfluous(regimes: Regimes, visits: Floats) -> str:
    """Return why there is a regime too many; nothing if there is not."""
    if len(regimes) == 1:
        return ""
    if visits.min() < LEAST_VISITS:
        return f"no unit was ever in regime {int(visits.argmin()) + 1}"
    for lower in range(len(regimes) - 1):
        pair = slice(lower, lower + 2)
        alike = np.diff(np.log(regimes.ratio[pair]))[0] < SAME_RATIO
        size = regimes.size[pair]
        if alike and (np.isinf(size).all() or np.abs(np.diff(np.log(size)))[0] < SAME_SIZE):
            return f"regimes {lower + 1} and {lower + 2} are the same"
    return ""


def _covariance(cases: Cases, free: Coordinates, vector: Floats) -> Floats:
    """Return the inverse information, by differences of the exact gradient; inflated where weeks have weights.

    A weighted score has the information sum(w) and the variance sum(w^2) of a week's, hence the factor.
    """
    step = 1e-4
    moves = step * np.eye(len(vector))
    rows = [(cases.loss(vector + move, free)[1] - cases.loss(vector - move, free)[1]) / (2 * step) for move in moves]
    information = np.array(rows)
    inverse = np.linalg.pinv((information + information.T) / 2, hermitian=True)
    known = cases.weight * cases.observed.sum(axis=1)
    return np.asarray(inverse * (cases.weight @ known) / max(known.sum(), 1e-12))


def _readable(vector: Floats, free: Coordinates) -> dict[str, float]:
    regimes = free.regimes_of(vector)
    names, matrix = range(1, free.regimes + 1), regimes.matrix()
    out = {f"ratio_{s}": float(regimes.ratio[s - 1]) for s in names}
    if not free.poisson:
        out |= {f"size_{s}": float(regimes.size[s - 1]) for s in names}
        out |= {"excess": regimes.excess} if free.excess else {}
    out |= {f"transition_{r}_{s}": float(matrix[r - 1, s - 1]) for r in names for s in names}
    if free.seasonal:
        for s in names[1:]:
            out |= {f"sin_{s}": float(regimes.wave[s - 1, 0]), f"cos_{s}": float(regimes.wave[s - 1, 1])}
    return out
