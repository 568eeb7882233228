"""Shared parameters and one level a unit, the levels drawn to zero by a spread of largest evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats, Floats], tuple[float, Floats, Floats, Floats]]
"""From shared parameters, shape (k,), and levels, shape (units,): value, then for each unit score (units, k + 1),
information and meat (units, k + 1, k + 1), the level last."""

SPREAD = 0.5
"""Spread of the levels where nothing is known of it."""
SPREAD_UNITS = 1.0
"""It counts as much as so many units."""
LEAST_SPREAD = 0.01
MOST_ROUNDS, MOST_STEPS, MOST_DAMPINGS = 200, 60, 30
TOLERANCE = 1e-5
"""Change of the log spread at which the rounds end."""
LONGEST_STRIDE = 5.0
"""A round moves the log spread by at most so many times what it would by itself."""
LEAST_GAIN = 1e-9
"""Scoring ends where the next step promises less log likelihood than this."""
DIFFERENCE = 1e-4
STALLED_GAIN = 1e-3
"""Where no step helps any more, the mode is reached if the last one promised less than this."""
LONGEST_STEP = 3.0


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent normal priors of the shared parameters.

    Parameters
    ----------
    centre, spread : ndarray, shape (k,)
        A spread of 0 keeps the parameter at its centre.
    """

    centre: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Estimates with what is uncertain about them.

    Parameters
    ----------
    shared : ndarray, shape (k,)
    units : ndarray, shape (units,)
        Levels, around 0.
    spread : float
        Standard deviation of the levels.
    covariance : ndarray, shape (k, k)
        Of the shared parameters, the levels integrated out; 0 for those that are kept.
    unit_spread : ndarray, shape (units,)
        Standard deviation of each level.
    converged : bool
    """

    shared: Floats
    units: Floats
    spread: float
    covariance: Floats
    unit_spread: Floats
    converged: bool

    @classmethod
    def start(cls, prior: Prior, units: int) -> Shrunk:
        """Return where a search starts that knows nothing."""
        k = len(prior.centre)
        return cls(prior.centre, np.zeros(units), SPREAD, np.zeros((k, k)), np.full(units, SPREAD), False)

    def of_units(self, positions: NDArray[np.intp]) -> Shrunk:
        """Return the estimates of units that were at these positions; those at -1 have the level 0."""
        known = positions >= 0
        units, spread = (
            np.where(known, self.units[positions], 0.0),
            np.where(known, self.unit_spread[positions], self.spread),
        )
        return replace(self, units=units, unit_spread=spread)


class _Posterior:
    """Posterior of shared parameters and levels for a given spread of the levels."""

    def __init__(self, likelihood: Likelihood, prior: Prior, spread: float) -> None:
        self.likelihood, self.prior, self.precision = likelihood, prior, spread**-2.0
        self.free = prior.spread > 0
        self.ridge = np.zeros(len(self.free))
        self.ridge[self.free] = prior.spread[self.free] ** -2.0

    def at(self, shared: Floats, units: Floats) -> tuple[float, Floats, Floats, Floats]:
        """Return the penalised log likelihood, then score, information and meat of the likelihood alone."""
        value, score, information, meat = self.likelihood(shared, units)
        off = shared - self.prior.centre
        value -= 0.5 * float((self.ridge * off**2).sum() + self.precision * (units**2).sum())
        return value, score, information, meat

    def climb(self, start: Shrunk) -> Shrunk:
        """Return the mode by damped Fisher scoring; units meet only in the shared parameters."""
        free, shared, units = self.free, start.shared, start.units
        value, *found = self.at(shared, units)
        damping, converged = 0.0, False
        for _ in range(MOST_STEPS):
            score, information, _ = found
            slope = (score[:, :-1].sum(axis=0) - self.ridge * (shared - self.prior.centre))[free]
            slope_units = score[:, -1] - self.precision * units
            own, cross = information[:, -1, -1] + self.precision, information[:, :-1, -1][:, free]
            whole = information[:, :-1, :-1].sum(axis=0)[np.ix_(free, free)] + np.diag(self.ridge[free])
            moved, gain = False, np.inf
            for _ in range(MOST_DAMPINGS):
                left = own * (1 + damping)
                schur = whole + damping * np.diag(np.diag(whole)) - (cross / left[:, None]).T @ cross
                step = np.zeros(len(free))
                step[free] = np.linalg.solve(schur, slope - cross.T @ (slope_units / left))
                inner = (slope_units - cross @ step[free]) / left
                gain = float(step[free] @ slope + inner @ slope_units)
                if gain < LEAST_GAIN:
                    break
                if max(np.abs(step).max(), np.abs(inner).max()) < LONGEST_STEP:
                    trial, *there = self.at(shared + step, units + inner)
                    if np.isfinite(trial) and trial > value + 0.01 * gain - 1e-12 * abs(value):
                        shared, units, value, found, moved = shared + step, units + inner, trial, there, True
                        damping = damping / 10 if damping > 1e-4 else 0.0
                        break
                damping = max(4 * damping, 1e-3)
            if not moved:
                converged = gain < STALLED_GAIN
                break
        covariance, unit_spread = self.uncertainty(found[1], found[2])
        return replace(
            start, shared=shared, units=units, covariance=covariance, unit_spread=unit_spread, converged=converged
        )

    def marginal(self, mode: Shrunk) -> Shrunk:
        r"""Return the mode moved, in one step, to that of the posterior with the levels integrated out.

        By Laplace's method the two differ by :math:`-\frac12 \sum_i \log(I_i + 1/\sigma^2)`, with the
        information I of each unit about its level, whose slope in the shared parameters is found by differences. The
        levels follow the shared parameters.
        """
        response, k = self._response(self.at(mode.shared, mode.units)[2]), len(mode.shared)
        slope = np.zeros(k)
        for at in np.flatnonzero(self.free):
            move = DIFFERENCE * np.eye(k)[at]
            ends = [self.at(mode.shared + m, mode.units + response @ m)[2][:, -1, -1] for m in (move, -move)]
            slope[at] = -0.25 / DIFFERENCE * np.log((ends[0] + self.precision) / (ends[1] + self.precision)).sum()
        step = mode.covariance @ slope
        return replace(mode, shared=mode.shared + step, units=mode.units + response @ step)

    def _response(self, information: Floats) -> Floats:
        """Return how the best level of each unit moves with the shared parameters, shape (units, k)."""
        return np.asarray(-information[:, :-1, -1] / (information[:, -1, -1] + self.precision)[:, None])

    def uncertainty(self, information: Floats, meat: Floats) -> tuple[Floats, Floats]:
        """Return the covariance of the shared parameters, and the standard deviation of each level.

        The covariance is the sandwich of Huber, the levels integrated out: its meat has squared weights, so that weeks
        which count half do not seem to tell as much as whole ones.
        """
        keep = np.ix_(self.free, self.free)
        own, cross = information[:, -1, -1] + self.precision, information[:, :-1, -1]
        response = self._response(information)
        bread = np.linalg.inv((information[:, :-1, :-1].sum(axis=0) + cross.T @ response + np.diag(self.ridge))[keep])
        crossed = response.T @ meat[:, :-1, -1]
        middle = meat[:, :-1, :-1].sum(axis=0) + crossed + crossed.T + np.diag(self.ridge)
        middle += (response * (meat[:, -1, -1] + self.precision)[:, None]).T @ response
        covariance = np.zeros_like(middle)
        covariance[keep] = bread @ middle[keep] @ bread
        reach = response[:, self.free]
        return covariance, np.sqrt(1 / own + ((reach @ bread) * reach).sum(axis=1))


def fit_shrunk(likelihood: Likelihood, prior: Prior, start: Shrunk) -> Shrunk:
    """Return the posterior mode with the spread of the levels of largest evidence.

    MacKay (1992), doi:10.1162/neco.1992.4.3.415: the levels' sum of squares over the number of them that the data
    determine, not the prior.
    """
    found = _Posterior(likelihood, prior, start.spread).climb(start)
    before, move_before = np.nan, np.nan
    for _ in range(MOST_ROUNDS):
        determined = max((1 - (found.unit_spread / found.spread) ** 2).sum(), 0.0)
        squares = (found.units**2).sum() + SPREAD_UNITS * SPREAD**2
        now = np.log(found.spread)
        move = max(0.5 * np.log(squares / (determined + SPREAD_UNITS)), np.log(LEAST_SPREAD)) - now
        if abs(move) < TOLERANCE:
            return _Posterior(likelihood, prior, found.spread).marginal(found)
        # The rounds converge linearly; how the move has changed since the last one says where they end (a secant).
        bend = (move - move_before) / (now - before)
        factor = min(max(-1 / bend, 1.0), LONGEST_STRIDE) if bend < 0 else 1.0
        before, move_before = now, move
        spread = float(np.exp(now + np.clip(factor * move, -1.0, 1.0)))
        found = _Posterior(likelihood, prior, spread).climb(replace(found, spread=spread))
    return replace(found, converged=False)
