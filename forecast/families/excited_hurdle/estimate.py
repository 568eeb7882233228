"""Estimates of both parts of the hurdle: posterior modes with spreads and dispersion of largest evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from forecast.families.excited_hurdle.excitation import kernel
from forecast.families.excited_hurdle.likelihoods import number_likelihood, occurrence_likelihood
from forecast.families.excited_hurdle.past import Past
from forecast.families.excited_hurdle.shrunk import Likelihood, Prior, Shrunk, fit_shrunk
from forecast.families.shot_noise import excitation

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

OCCURRENCE_PRIOR = Prior(
    np.array([0.0, 0.8, np.log(0.2), np.log(0.05), np.log(3.0), 0.0]), np.array([1.0, 0.4, 1.0, 1.0, 0.7, 0.0])
)
"""Of log baseline, power of the level, logs of what an event excites at home and next door, log mean delay beyond the
first week, log size of the delay (0 is the geometric one)."""
DELAY_SIZE_SPREAD = 0.5
NUMBER_PRIOR = Prior(np.array([0.0, 0.5, 0.3, 0.3]), np.array([0.7, 0.4, 0.4, 0.5]))
"""Of the coefficients of `FEATURES`."""
DISPERSION_PRIOR = np.array([[-0.5, 1.0], [1.0, 1.0]])
"""Means, then standard deviations, of the log size where 1 event is expected, and of the power of the mean in it."""
DISPERSION_BOUNDS = [(-6.0, 8.0), (0.0, 2.0)]
MOST_ROUNDS = 100
TOLERANCE = 1e-5
"""Largest change of the dispersion in the last round."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates of both parts.

    Parameters
    ----------
    occurrence, number : Shrunk
        Shared parameters as in `OCCURRENCE_PRIOR` and `NUMBER_PRIOR`, and levels of the units.
    dispersion, dispersion_error : ndarray, shape (2,)
        Log size of the number of events where 1 is expected, and the power of the mean in it.
    converged : bool
    """

    occurrence: Shrunk
    number: Shrunk
    dispersion: Floats
    dispersion_error: Floats
    converged: bool

    def of_units(self, positions: NDArray[np.intp]) -> Estimates:
        """Return the estimates of units that were at these positions; those at -1 have the pooled levels."""
        return replace(self, occurrence=self.occurrence.of_units(positions), number=self.number.of_units(positions))


def estimate(counts: Counts, weight: Floats, past: Past, warm: Estimates | None, *, rising: bool) -> Estimates:
    """Estimate both parts, each from several starts until one converges.

    The parts have no parameter in common and what they depend on are data, so that each has a likelihood of its own.

    Parameters
    ----------
    counts : ndarray of int, shape (weeks, units)
    weight : ndarray, shape (weeks, units)
        0 where not observed.
    past : Past
    warm : Estimates, optional
        A start that is tried first.
    rising : bool
        Whether the size of the delay is estimated.
    """
    weeks, units = counts.shape
    prior = OCCURRENCE_PRIOR
    if rising:
        prior = Prior(prior.centre, np.r_[prior.spread[:-1], DELAY_SIZE_SPREAD])

    def occurrence_at(shared: Floats, levels: Floats) -> tuple[float, Floats, Floats, Floats]:
        shares = kernel(shared[4], shared[5])
        own, near = (excitation(marks, shares, 0, weeks) for marks in (past.own, past.near))
        return occurrence_likelihood(counts, weight, past.scale, past.level, own, near, shared, levels)

    starts = [] if warm is None else [warm.occurrence]
    cold = Shrunk.start(prior, units)
    starts += [cold, replace(cold, shared=cold.shared - np.array([1.0, 0.3, 2.0, 2.0, 1.0, 0.0]))]
    occurrence = _first_converged(occurrence_at, prior, starts)
    number, dispersion, errors, settled = _numbers(counts, weight, past.features, warm)
    return Estimates(occurrence, number, dispersion, errors, occurrence.converged and number.converged and settled)


def _first_converged(likelihood: Likelihood, prior: Prior, starts: list[Shrunk]) -> Shrunk:
    for start in starts:
        found = fit_shrunk(likelihood, prior, start)
        if found.converged:
            break
    return found


def _numbers(
    counts: Counts, weight: Floats, features: Floats, warm: Estimates | None
) -> tuple[Shrunk, Floats, Floats, bool]:
    """Return the part of the number of events, its dispersion with standard errors, and whether the two agree."""
    cold = Shrunk.start(NUMBER_PRIOR, counts.shape[1])
    starts = [cold, replace(cold, shared=np.zeros(len(cold.shared)))]
    found = cold if warm is None else warm.number
    dispersion = DISPERSION_PRIOR[0] if warm is None else warm.dispersion
    centre, spread = DISPERSION_PRIOR

    def negative(d: Floats) -> tuple[float, Floats]:
        value, _, _, _, slope = number_likelihood(counts, weight, features, found.shared, found.units, d)
        off = (d - centre) / spread
        return 0.5 * float((off**2).sum()) - value, off / spread - slope

    settled = False
    for _ in range(MOST_ROUNDS):
        now = dispersion

        def number_at(shared: Floats, levels: Floats, now: Floats = now) -> tuple[float, Floats, Floats, Floats]:
            return number_likelihood(counts, weight, features, shared, levels, now)[:4]

        found = _first_converged(number_at, NUMBER_PRIOR, [found, *starts])
        result = minimize(
            negative, now, jac=True, method="L-BFGS-B", bounds=DISPERSION_BOUNDS, options={"ftol": 1e-15, "gtol": 1e-7}
        )
        dispersion = np.asarray(result.x)
        if np.abs(dispersion - now).max() < TOLERANCE:
            settled = True
            break
    step = 1e-4 * np.eye(2)
    bend = np.array([negative(dispersion + e)[1] - negative(dispersion - e)[1] for e in step]) / 2e-4
    errors = np.sqrt(np.maximum(np.diag(np.linalg.pinv((bend + bend.T) / 2, hermitian=True)), 0.0))
    return found, dispersion, errors, settled
