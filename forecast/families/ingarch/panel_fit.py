"""INGARCH models of all units of a panel: coefficients of each unit, drawn to the pooled ones by empirical Bayes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.families.ingarch.coordinates import Coefficients, Coordinates
from forecast.families.ingarch.likelihood import POISSON
from forecast.families.ingarch.panel_likelihood import DISPERSION_PRIOR, PanelData, best_dispersion, panel_score

Floats = NDArray[np.float64]

LEVEL_SPREAD, PAST_SPREAD = 1.0, 0.3
"""Spread of the units around the pooled coordinates where nothing is known of it."""
SPREAD_UNITS = 1.0
"""These spreads count as much as so many units."""
LEAST_SPREAD = 0.01
HYPER_SPREAD = np.array([2.0, 1.0])
"""Standard deviation of the prior of the pooled level around that of the panel, of the pooled past around the usual."""
EFFECT_SPREAD, LOAD_SPREAD = 3.0, 1.0
"""Standard deviation of the priors of additive effects (logarithms of multiples of the level) and of loads."""
MOST_ROUNDS = 200
MOST_STEPS = 40
TOLERANCE = 1e-3
"""Largest change of a log spread and of the dispersion between two rounds at the end."""
LEAST_GAIN = 1e-6
"""Fisher scoring ends where the next step promises less log likelihood than this."""


@dataclass(frozen=True, eq=False)
class PanelEstimates:
    """Estimates of a panel, in the coordinates of `Coordinates`.

    Parameters
    ----------
    pooled : ndarray, shape (1 + lags,)
    shared : ndarray, shape (covariates + loads,)
    spread : ndarray, shape (1 + lags,)
        Standard deviation of the units around `pooled`.
    units : ndarray, shape (units, 1 + lags)
    dispersion : ndarray, shape (2,)
        Logarithm of the size at mean 1, power of the mean in the size.
    covariance : ndarray, shape (1 + lags + shared,) squared
        Of pooled and shared coordinates.
    dispersion_error : ndarray, shape (2,)
    converged : bool
    """

    pooled: Floats
    shared: Floats
    spread: Floats
    units: Floats
    dispersion: Floats
    covariance: Floats
    dispersion_error: Floats
    converged: bool


@dataclass(frozen=True, eq=False)
class Prior:
    """Normal prior of the pooled coordinates.

    Parameters
    ----------
    centre, spread : ndarray, shape (1 + lags,)
    """

    centre: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class _Point:
    """Pooled and shared coordinates, deviations of the units in spreads, and what was found there."""

    pooled: Floats  # (k,)
    shared: Floats  # (s,)
    deviation: Floats  # (units, k)
    value: float
    found: tuple[Floats, Floats, Floats, Floats]  # score, information, meat, mean
    coefficients: Coefficients


class _Problem:
    """Posterior of one panel for given spreads and dispersion."""

    def __init__(self, data: PanelData, free: Coordinates, prior: Prior, spread: Floats, dispersion: Floats) -> None:
        self.data, self.free, self.prior, self.spread, self.dispersion = data, free, prior, spread, dispersion
        self.shared_spread = np.repeat([EFFECT_SPREAD, LOAD_SPREAD], [free.covariates, free.loads])

    def at(self, pooled: Floats, shared: Floats, deviation: Floats) -> _Point:
        """Return value and derivatives at a point."""
        coefficients = self.free.coefficients(pooled + self.spread * deviation, shared)
        data = self.data
        with np.errstate(all="ignore"):
            value, *found = panel_score(
                data.counts,
                data.observed,
                data.log_scale,
                data.weight,
                data.loads,
                data.covariates,
                coefficients.theta,
                coefficients.start,
                coefficients.start_gradient,
                *self.free.order.arrays(),
                self.dispersion,
            )
        value -= 0.5 * (deviation**2).sum() + 0.5 * (((pooled - self.prior.centre) / self.prior.spread) ** 2).sum()
        value -= 0.5 * ((shared / self.shared_spread) ** 2).sum()
        score, information, meat, mean = found
        return _Point(pooled, shared, deviation, float(value), (score, information, meat, mean), coefficients)

    def blocks(self, point: _Point, middle: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the blocks of a matrix in coefficients, carried over to the coordinates.

        Parameters
        ----------
        point : _Point
        middle : ndarray, shape (units, P, P)

        Returns
        -------
        unit : ndarray, shape (units, k, k)
        cross : ndarray, shape (units, k, k + s)
        pooled : ndarray, shape (units, k + s, k + s)
        """
        own = point.coefficients.by_unit * self.spread
        common = np.concatenate([point.coefficients.by_unit, point.coefficients.by_shared], axis=2)
        half = middle @ common
        transposed = own.swapaxes(1, 2)
        return transposed @ middle @ own, transposed @ half, common.swapaxes(1, 2) @ half

    def prior_precision(self) -> Floats:
        """Return the diagonal of the precision of pooled and shared coordinates, shape (k + s,)."""
        return np.asarray(np.r_[self.prior.spread, self.shared_spread] ** -2.0)

    def climb(self, point: _Point, *, units_only: bool = False) -> tuple[_Point, bool]:
        """Return the mode by damped Fisher scoring, and whether it was reached.

        Units only meet in the pooled coordinates, so that each step solves one small system a unit. With `units_only`
        pooled and shared coordinates stay where they are.
        """
        k = len(point.pooled)
        damping = 0.0
        for _ in range(MOST_STEPS):
            score = point.found[0]
            unit, cross, pooled = self.blocks(point, point.found[1])
            common = np.concatenate([point.coefficients.by_unit, point.coefficients.by_shared], axis=2)
            slope_unit = self.spread * np.einsum("npk,np->nk", point.coefficients.by_unit, score) - point.deviation
            off = np.r_[point.pooled - self.prior.centre, point.shared]
            slope = np.einsum("npk,np->k", common, score) - off * self.prior_precision()
            a, c = unit + np.eye(k), pooled.sum(axis=0) + np.diag(self.prior_precision())
            moved = False
            for _ in range(30):
                left = a + damping * np.einsum("nkk->nk", a)[:, :, None] * np.eye(k)
                right = c + damping * np.diag(np.diag(c))
                solved = np.linalg.solve(left, np.concatenate([cross, slope_unit[..., None]], axis=2))
                schur = right - np.einsum("nkg,nkh->gh", cross, solved[..., :-1])
                step = np.linalg.solve(schur, slope - np.einsum("nkg,nk->g", cross, solved[..., -1]))
                step = step * (not units_only)
                inner = solved[..., -1] - solved[..., :-1] @ step
                gain = float(step @ slope + (inner * slope_unit).sum())
                if gain < LEAST_GAIN:
                    return point, True
                if max(np.abs(step).max(), np.abs(self.spread * inner).max()) < 5:
                    trial = self.at(point.pooled + step[:k], point.shared + step[k:], point.deviation + inner)
                    if np.isfinite(trial.value) and trial.value > point.value + 0.01 * gain:
                        point, moved, damping = trial, True, damping / 10 if damping > 1e-4 else 0.0
                        break
                damping = max(4 * damping, 1e-3)
            if not moved:
                return point, gain < 1e-3
        return point, False

    def spreads(self, point: _Point) -> Floats:
        """Return the spreads that the units' deviations suggest, as a fixed point of the evidence.

        MacKay (1992), doi:10.1162/neco.1992.4.3.415: the sum of squares over the number of units that the data
        determine, not the prior.
        """
        unit, _, _ = self.blocks(point, point.found[1])
        k = len(self.spread)
        given = np.einsum("nkk->nk", np.linalg.inv(unit + np.eye(k)))
        start = np.r_[LEVEL_SPREAD, np.full(k - 1, PAST_SPREAD)]
        squares = self.spread**2 * (point.deviation**2).sum(axis=0) + SPREAD_UNITS * start**2
        return np.asarray(np.maximum(np.sqrt(squares / ((1 - given).sum(axis=0) + SPREAD_UNITS)), LEAST_SPREAD))

    def covariance(self, point: _Point) -> Floats:
        """Return the sandwich covariance of pooled and shared coordinates, the units' deviations integrated out."""
        k = len(self.spread)
        a, b, c = self.blocks(point, point.found[1])
        meat_a, meat_b, meat_c = self.blocks(point, point.found[2])
        a, meat_a = a + np.eye(k), meat_a + np.eye(k)
        carried = np.linalg.solve(a, b)
        transposed = carried.swapaxes(1, 2)
        bread = (c - b.swapaxes(1, 2) @ carried).sum(axis=0) + np.diag(self.prior_precision())
        crossed = transposed @ meat_b
        meat = (meat_c - crossed - crossed.swapaxes(1, 2) + transposed @ meat_a @ carried).sum(axis=0)
        inverse = np.linalg.inv(bread)
        return np.asarray(inverse @ (meat + np.diag(self.prior_precision())) @ inverse)


def fit_panel(
    data: PanelData,
    free: Coordinates,
    prior: Prior,
    start: PanelEstimates,
    *,
    distribution: str = "negbin",
    power: bool = True,
) -> PanelEstimates:
    """Return the posterior mode of all coordinates with the spreads and the dispersion of largest evidence.

    Parameters
    ----------
    data : PanelData
    free : Coordinates
    prior : Prior
    start : PanelEstimates
        Where the search starts; only its coordinates, spreads and dispersion are read.
    distribution : {"negbin", "poisson"}
    power : bool
        Whether the size may follow the mean.
    """
    negbin = distribution == "negbin"
    dispersion = start.dispersion if negbin else POISSON
    spread = start.spread
    problem = _Problem(data, free, prior, spread, dispersion)
    point = problem.at(start.pooled, start.shared, (start.units - start.pooled) / spread)
    done = False
    for _ in range(MOST_ROUNDS):
        point, reached = problem.climb(point)
        changed = 0.0
        if negbin:
            after, _ = best_dispersion(data, point.found[3], dispersion, power=power)
            changed, dispersion = float(np.abs(after - dispersion).max()), after
        after = problem.spreads(point)
        changed = max(changed, float(np.abs(np.log(after / spread)).max()))
        deviation, spread = point.deviation * spread / after, after
        problem = _Problem(data, free, prior, spread, dispersion)
        point = problem.at(point.pooled, point.shared, deviation)
        if reached and changed < TOLERANCE:
            done = True
            break
    point, reached = problem.climb(point)
    dispersion_error = np.full(2, np.nan)
    if negbin:
        _, dispersion_error = best_dispersion(data, point.found[3], dispersion, power=power, errors=True)
    return replace(
        start,
        pooled=point.pooled,
        shared=point.shared,
        spread=spread,
        units=point.pooled + spread * point.deviation,
        dispersion=dispersion,
        covariance=problem.covariance(point),
        dispersion_error=dispersion_error,
        converged=done and reached,
    )


def unit_modes(data: PanelData, free: Coordinates, estimates: PanelEstimates, units: Floats) -> Floats:
    """Return the posterior modes of units given all that they share, shape (units, 1 + lags).

    Parameters
    ----------
    data : PanelData
    free : Coordinates
    estimates : PanelEstimates
        Pooled and shared coordinates, spreads and dispersion; its own units are not read.
    units : ndarray, shape (units, 1 + lags)
        Where the search starts.
    """
    prior = Prior(estimates.pooled, np.ones(len(estimates.pooled)))
    problem = _Problem(data, free, prior, estimates.spread, estimates.dispersion)
    start = problem.at(estimates.pooled, estimates.shared, (units - estimates.pooled) / estimates.spread)
    point, _ = problem.climb(start, units_only=True)
    return np.asarray(estimates.pooled + estimates.spread * point.deviation)


def fresh_start(free: Coordinates, prior: Prior, log_levels: Floats) -> PanelEstimates:
    """Return where a search starts that knows nothing but the levels of the units, shape (units,)."""
    k, s = 1 + free.order.lags, free.covariates + free.loads
    units = np.tile(prior.centre, (len(log_levels), 1))
    units[:, 0] = log_levels
    pooled = np.r_[log_levels.mean(), prior.centre[1:]]
    return PanelEstimates(
        pooled,
        np.zeros(s),
        np.r_[LEVEL_SPREAD, np.full(k - 1, PAST_SPREAD)],
        units,
        DISPERSION_PRIOR[0],
        np.full((k + s, k + s), np.nan),
        np.full(2, np.nan),
        False,
    )
