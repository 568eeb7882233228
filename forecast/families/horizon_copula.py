r"""Counts of several weeks that depend on each other through a Gaussian copula, whatever their distributions are.

Each week's count is the quantile of its own predictive distribution at :math:`\Phi(Z_h)`, where Z is standard normal
with :math:`Cor(Z_h, Z_k) = c \, \phi^{|h - k|}` for different weeks: a part c of the surprise stays and fades by
:math:`\phi` a week, the rest is each week's own.

The correlation is estimated from forecasts that have come true. A count tells of Z only the interval in which it lies;
its score is the mean of Z there, :math:`g(y) = E[Z | y]`. By Mehler's formula the products of two weeks' scores have
expectation

.. math:: E[g_h g_k] = \sum_{n \ge 1} \rho^n \, a_{hn} a_{kn} / n!, \qquad a_{hn} = E[g_h(Z) He_n(Z)],

with the Hermite polynomials He, so that c and phi can be matched to the observed products. Nothing is randomised, and
panels in which most counts are 0 are not taken for independent ones, as they are by randomised integral transforms.

Copulas of counts: Genest & Neslehova (2007), doi:10.1017/S0515036100014963. Hermite expansion of the correlation of
discretised normals: Jia, Kechagias, Livsey, Lund & Pipiras (2023), doi:10.1080/01621459.2021.1944874.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincinv, ndtr, ndtri

from forecast.compiled import compiled
from forecast.predictive.forecast import TAIL
from forecast.predictive.negbin import mixture_pmf

Floats = NDArray[np.float64]
Counts = NDArray[np.integer]

DEGREES = 8
"""Terms of Mehler's series that are kept."""
BLOCK = 64
"""Cases, or units, that are worked on at once, so as to stay in the processor's cache."""
LINE = 16
"""Counts side by side in memory that are written together."""
GRID = np.arange(99) / 100
"""Values of c and phi among which the best are looked for."""
USUAL = (0.25, 0.85)
"""c and phi before any data, as of counts of political violence with forecasts that are up to date."""
USUAL_SPREAD = 0.2
"""Standard deviation of the normal prior around each of them."""
FAR_POINTS = 400
"""Counts at which the distribution of a cell is computed whose pmf reaches too far to be written down."""
FAR_LEVELS = ndtr(np.linspace(-6.4, 6.4, 201))
LARGEST_SIZE = 1e9
"""A size above this is taken as this."""


@dataclass(frozen=True)
class HorizonCopula:
    """Normal copula of consecutive weeks.

    Parameters
    ----------
    common : float
        Share of the normal's variance that is carried from week to week, c, in [0, 1).
    persistence : float
        Autocorrelation of that part over one week, phi, in [0, 1).

    Examples
    --------
    >>> HorizonCopula(0.5, 0.8).correlation(3).round(2)
    array([[1.  , 0.4 , 0.32],
           [0.4 , 1.  , 0.4 ],
           [0.32, 0.4 , 1.  ]])
    """

    common: float = USUAL[0]
    persistence: float = USUAL[1]

    def correlation(self, horizon: int) -> Floats:
        """Return the correlation of the normals, shape (horizon, horizon)."""
        lag = np.abs(np.subtract.outer(np.arange(horizon), np.arange(horizon)))
        return np.where(lag == 0, 1.0, self.common * np.power(self.persistence, lag))

    @classmethod
    def estimate(cls, counts: Counts, known: NDArray[np.bool_], mean: Floats, size: Floats) -> Self:
        """Return the copula under which the products of scores are as they were.

        Parameters
        ----------
        counts : ndarray of int, shape (cases, horizon)
            What came true of forecasts of consecutive weeks.
        known : ndarray of bool, shape (cases, horizon)
            Where it is known.
        mean, size : ndarray, shape (components, cases, horizon)
            Of the forecast: a mixture of negative binomials in equal shares.

        Returns
        -------
        HorizonCopula
            The usual one if there is nothing to go by.
        """
        cases, horizon = counts.shape
        seen, series = np.zeros(max(horizon - 1, 0)), np.zeros((max(horizon - 1, 0), DEGREES))
        for start in range(0, cases, BLOCK):
            rows = slice(start, start + BLOCK)
            pmf = mixture_pmf(mean[:, rows], size[:, rows])
            here = known[rows] & (pmf.sum(axis=2) > 1 - TAIL)  # a count too large to be written down is left out
            score, hermite = _scores(np.where(here, counts[rows], 0), pmf)
            score, hermite = np.where(here, score, 0.0), np.where(here[:, :, None], hermite, 0.0)
            for lag in range(1, horizon):
                seen[lag - 1] += (score[:, :-lag] * score[:, lag:]).sum()
                series[lag - 1] += (hermite[:, :-lag] * hermite[:, lag:]).sum(axis=(0, 1))
        series /= [math.factorial(degree) for degree in range(1, DEGREES + 1)]
        return cls(*_best_match(seen, series))

    def sample(
        self, mean: Floats, size: Floats, draws: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], Floats]:
        """Draw paths of which each week is a mixture of negative binomials.

        Parameters
        ----------
        mean, size : ndarray, shape (components, horizon, units)
            Components have equal shares.
        draws : int
        rng : Generator

        Returns
        -------
        paths : ndarray of int32, shape (draws, horizon, units)
            Units are independent of each other.
        pmf : ndarray, shape (horizon, units, k)
            The distribution of each week and unit, as of `mixture_pmf`.
        """
        pmf = _pmf(mean, size)
        cdf = np.cumsum(pmf, axis=2)
        far = cdf[:, :, -1] < 1 - TAIL
        paths = np.empty((draws, *far.shape), dtype=np.int32)
        levels = np.empty((draws, int(far.sum())))
        rank = np.where(far, np.cumsum(far).reshape(far.shape) - 1, -1)
        _draw(np.ascontiguousarray(cdf), rank, self.common, self.persistence, rng, paths, levels)
        for at, (week, unit) in enumerate(zip(*np.nonzero(far), strict=True)):
            paths[:, week, unit] = far_quantile(levels[:, at], mean[:, week, unit], size[:, week, unit])
        return paths, pmf


def far_quantile(levels: Floats, mean: Floats, size: Floats) -> NDArray[np.int64]:
    """Return quantiles of a mixture of negative binomials whose counts are too large for a pmf head.

    Parameters
    ----------
    levels : ndarray, shape (draws,)
        Probabilities.
    mean, size : ndarray, shape (components,)

    Returns
    -------
    ndarray of int64, shape (draws,)
        The exact cdf is computed at `FAR_POINTS` counts from the first to the last 1e-10 of the mass, and taken as
        linear between them.

    Examples
    --------
    >>> far_quantile(np.array([0.5]), np.array([10_000.0]), np.array([100.0])) // 100
    array([99])
    """
    r = np.minimum(size, LARGEST_SIZE)
    # Where to compute it: quantiles of the gamma distributions of the same moments, all components together.
    spread = mean + mean * mean / r
    near = spread / mean * gammaincinv(mean * mean / spread, FAR_LEVELS[:, None])
    points = np.unique(np.floor(near))
    points = points[np.linspace(0, len(points) - 1, min(FAR_POINTS, len(points))).astype(np.intp)]
    cdf = betainc(r[:, None], points + 1, (r / (r + mean))[:, None]).mean(axis=0)
    return np.asarray(np.ceil(np.interp(levels, cdf, points)), dtype=np.int64)


def _pmf(mean: Floats, size: Floats) -> Floats:
    """Return what `mixture_pmf` does, some units at a time: its heads are long before they are cut."""
    heads = [
        mixture_pmf(mean[:, :, first : first + BLOCK], size[:, :, first : first + BLOCK])
        for first in range(0, mean.shape[2], BLOCK)
    ]
    longest = max(head.shape[2] for head in heads)
    return np.concatenate([np.pad(head, ((0, 0), (0, 0), (0, longest - head.shape[2]))) for head in heads], axis=1)


def _scores(counts: Counts, pmf: Floats) -> tuple[Floats, Floats]:
    """Return the score of each count, (cases, horizon), and the Hermite coefficients, (cases, horizon, degrees)."""
    cdf = np.minimum(np.cumsum(pmf, axis=2), 1.0)
    upper = ndtri(cdf)
    upper[cdf >= 1 - 1e-12] = np.inf
    # Integrals of He_n(z) phi(z) dz are differences of He_{n-1}(z) phi(z), for n = 1 of phi(z); 0 at the ends.
    finite = np.isfinite(upper)
    z = np.where(finite, upper, 0.0)
    density = np.where(finite, np.exp(-z * z / 2) / math.sqrt(2 * math.pi), 0.0)
    before, here = np.zeros_like(z), np.ones_like(z)
    score = -_steps(density) / np.maximum(pmf, 1e-300)
    score[pmf < 1e-12] = 0.0
    hermite = np.empty((*counts.shape, DEGREES))
    for degree in range(DEGREES):
        hermite[:, :, degree] = -(score * _steps(here * density)).sum(axis=2)
        before, here = here, z * here - degree * before
    at = np.minimum(counts, pmf.shape[2] - 1)
    return np.take_along_axis(score, at[:, :, None], axis=2)[:, :, 0], hermite


def _steps(values: Floats) -> Floats:
    """Return the differences between the upper and the lower end of each count's interval; 0 at minus infinity."""
    return np.diff(values, axis=-1, prepend=0.0)


def _best_match(seen: Floats, series: Floats) -> tuple[float, float]:
    """Return c and phi on the grid whose expected products come nearest to those seen, and that are near the usual.

    The first term of the series is also the variance of the sum of products of independent weeks. Every pair of weeks
    is seen from up to so many origins as there are weeks in a run, and counts once.
    """
    lag = np.arange(1, len(seen) + 1)
    rho = GRID[:, None, None] * GRID[None, :, None] ** lag
    expected = sum(rho ** (n + 1) * series[:, n] for n in range(DEGREES))
    told = np.maximum(series[:, 0], 1e-12)
    loss = ((seen - expected) ** 2 / told).sum(axis=2) / (len(seen) + 1)
    loss += ((GRID[:, None] - USUAL[0]) ** 2 + (GRID - USUAL[1]) ** 2) / USUAL_SPREAD**2
    best = np.unravel_index(int(np.argmin(loss)), loss.shape)
    return float(GRID[best[0]]), float(GRID[best[1]])


@compiled
def _draw(
    cdf: Floats,
    rank: NDArray[np.int64],
    common: float,
    persistence: float,
    rng: np.random.Generator,
    paths: NDArray[np.int32],
    levels: Floats,
) -> None:
    """Write the paths of the cells with a pmf head, and for the others the levels of their quantiles."""
    draws, horizon, units = paths.shape
    carried, own = math.sqrt(common), math.sqrt(1.0 - common)
    new = math.sqrt(1.0 - persistence * persistence)
    for first in range(0, units, LINE):
        for draw in range(draws):
            for unit in range(first, min(first + LINE, units)):
                state = rng.standard_normal()
                for week in range(horizon):
                    if week:
                        state = persistence * state + new * rng.standard_normal()
                    z = carried * state + own * rng.standard_normal()
                    level = 0.5 * math.erfc(-z / math.sqrt(2.0))
                    if rank[week, unit] >= 0:
                        levels[draw, rank[week, unit]] = level
                    elif level <= cdf[week, unit, 0]:
                        paths[draw, week, unit] = 0
                    else:
                        # Heads end at less than 1: a level above is the last count that has any mass.
                        cell = cdf[week, unit]
                        paths[draw, week, unit] = np.searchsorted(cell, min(level, cell[-1]))
