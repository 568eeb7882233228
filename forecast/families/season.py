"""A multiplicative annual season, pooled by country and drawn to none where the data do not show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from forecast.panel.panel import Panel
from forecast.panel.units import Units

Floats = NDArray[np.float64]

YEAR_DAYS = 365.25
YEAR_WEEKS = 52
LEAST_WEEKS = 2 * YEAR_WEEKS
"""With less, no week of a whole year has half a year on either side, and a season cannot be told from a trend."""
PRIOR_YEARS = 3.0
"""The scatter between years of all countries together counts as so many years of each."""
YEAR_VARIANCE = 0.25
"""Of a coefficient from year to year, as violence comes in bursts: a year tells no more for all its events."""
PRIOR_PRECISION = 1.0
"""Of a normal prior on each coefficient: a season that doubles the counts at its height is at one standard deviation
and more."""
NEWTON_STEPS = 12


@dataclass(frozen=True, eq=False)
class Season:
    r"""Factor on the expected count of each week of the year, by country, with mean 1 over a year.

    .. math:: S_g(t) = \exp\{\textstyle\sum_k a_{gk} \sin(2 \pi k t) + b_{gk} \cos(2 \pi k t)\} / C_g,

    with t in years and :math:`C_g` such that the mean over a year is 1.

    Parameters
    ----------
    groups : tuple of str
        Countries with a season of their own.
    coefficients : ndarray, shape (groups, 2 * harmonics)
        Sine and cosine of each harmonic.
    pooled : ndarray, shape (2 * harmonics,)
        Of a country that is not in `groups`.

    Examples
    --------
    >>> weeks = pd.date_range("2020-01-04", periods=3, freq="7D")
    >>> Season.none().factors(weeks, Units.of(["Gao", "Kidal"]))
    array([[1., 1.],
           [1., 1.],
           [1., 1.]])
    """

    groups: tuple[str, ...]
    coefficients: Floats
    pooled: Floats

    @classmethod
    def none(cls, harmonics: int = 1) -> Self:
        """Return the season of factors 1."""
        return cls((), np.zeros((0, 2 * harmonics)), np.zeros(2 * harmonics))

    @classmethod
    def estimate(cls, panel: Panel, *, half_life_weeks: float, harmonics: int = 1, pooling: float = 1.0) -> Self:
        r"""Estimate the season of each country from all weeks of a panel.

        The expected count of a country is the sum of its units' centred yearly means (which no season moves) times
        the season. Its coefficients maximise the weighted Poisson likelihood; their covariance is inflated by how
        far the years of the country scatter around its season. By empirical Bayes the coefficients are then drawn to
        the mean of all countries, the more the less they differ beyond that scatter, and this mean to zero.

        Parameters
        ----------
        panel : Panel
            The first and the last half year only enter the yearly means.
        half_life_weeks : float
            A week so much older counts half in the likelihood.
        harmonics : int, default 1
            1: one rise and fall a year. 2: up to two.
        pooling : float, default 1
            Factor on the variances in the shrinkage: 0 takes each country at its word, 1 is empirical Bayes, more draws
            closer to the common season and to none.

        Returns
        -------
        Season
            None if there are fewer than `LEAST_WEEKS` weeks, or no event.

        Notes
        -----
        The variances between countries, and of the common season around zero, are those of Paule & Mandel (1982),
        doi:10.6028/jres.087.022, with one variance for all coefficients.
        """
        weeks = len(panel.weeks)
        if weeks < LEAST_WEEKS or not panel.counts.any(where=panel.observed):
            return cls.none(harmonics)
        names, member = np.unique(np.asarray(panel.units.groups, dtype=object), return_inverse=True)
        one_of = (member[:, None] == np.arange(len(names))).astype(np.float64)
        expected = (_yearly_means(panel) * panel.observed) @ one_of
        counts = np.where(panel.observed, panel.counts, 0).astype(np.float64) @ one_of
        age = np.arange(weeks)[::-1]
        year = age // YEAR_WEEKS
        of_year = np.stack([np.bincount(year, column)[year] for column in expected.T], axis=1)
        # A year's coefficient has variance 2 / events and that from year to year; weights are in proportion.
        weight = (0.5 ** (age / half_life_weeks))[:, None] / (1 + YEAR_VARIANCE * of_year / 2)
        fits = _Fits.of(_waves(panel.weeks, harmonics), counts, expected, weight, year)
        coefficients, pooled = shrunk(fits.coefficients, pooling * fits.covariance)
        return cls(tuple(str(name) for name in names), coefficients, pooled)

    def factors(self, weeks: pd.DatetimeIndex, units: Units) -> Floats:
        """Return the factor of each week and unit, shape (weeks, units); mean 1 over a year.

        Parameters
        ----------
        weeks : DatetimeIndex
            First days.
        units : Units
            Those of an unknown country get the pooled season.
        """
        rows = np.vstack([self.coefficients, self.pooled])
        at = {name: row for row, name in enumerate(self.groups)}
        chosen = [at.get(group, len(self.groups)) for group in units.groups]
        harmonics = len(self.pooled) // 2
        year = np.arange(YEAR_WEEKS * 4) / (YEAR_WEEKS * 4)
        mean = np.exp(_harmonics(year, harmonics) @ rows.T).mean(axis=0)
        return np.asarray((np.exp(_waves(weeks, harmonics) @ rows.T) / mean)[:, chosen])

    def amplitude(self) -> dict[str, float]:
        """Return the length of each country's coefficients; 0.5 is a factor from about 0.6 to 1.6."""
        return {name: float(np.linalg.norm(row)) for name, row in zip(self.groups, self.coefficients, strict=True)}


def shrunk(estimates: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Return estimates drawn to their common mean, and that mean drawn to zero, by empirical Bayes.

    Parameters
    ----------
    estimates : ndarray, shape (groups, k)
    covariance : ndarray, shape (groups, k, k)
        Of the estimates around their true values.

    Returns
    -------
    estimates : ndarray, shape (groups, k)
    mean : ndarray, shape (k,)

    Examples
    --------
    >>> far, near = shrunk(np.array([[2.0], [2.0], [-2.0]]), np.full((3, 1, 1), 0.01))
    >>> far.round(1).ravel()
    array([ 2.,  2., -2.])
    >>> shrunk(np.array([[0.1], [-0.1]]), np.full((2, 1, 1), 1.0))[0].ravel()
    array([0., 0.])
    """
    groups, k = estimates.shape
    eye = np.eye(k)

    def centre(between: float) -> tuple[Floats, Floats]:
        precision = np.linalg.pinv(covariance + between * eye, hermitian=True)
        spread = np.linalg.pinv(precision.sum(axis=0), hermitian=True)
        return spread @ np.einsum("gij,gj->i", precision, estimates), spread

    def scatter(between: float) -> float:
        found = _squared_length(estimates - centre(between)[0], covariance + between * eye)
        return float(found - k * (groups - 1))

    between = _root(scatter, float((estimates**2).sum())) if groups > 1 else 0.0
    mean, spread = centre(between)
    common = _root(lambda size: _squared_length(mean[None], (spread + size * eye)[None]) - k, float((mean**2).sum()))
    if not covariance.any():
        return estimates, mean
    mean = common * (np.linalg.pinv(spread + common * eye, hermitian=True) @ mean)
    gain = between * np.linalg.pinv(covariance + between * eye, hermitian=True)
    return mean + np.einsum("gij,gj->gi", gain, estimates - mean), mean


def _squared_length(vectors: Floats, covariance: Floats) -> float:
    inverse = np.linalg.pinv(covariance, hermitian=True)
    return float(np.einsum("gi,gij,gj->", vectors, inverse, vectors))


def _root(decreasing: Callable[[float], float], largest: float) -> float:
    """Return where a decreasing function of a variance is 0; 0 if it is not above 0 there."""
    if largest <= 0 or decreasing(1e-12) <= 0:
        return 0.0
    high = largest
    while decreasing(high) > 0:
        high *= 4
    return float(brentq(decreasing, 1e-12, high, xtol=1e-10))


@dataclass(frozen=True, eq=False)
class _Fits:
    """Coefficients of each group, shape (groups, k), and their covariance, shape (groups, k, k)."""

    coefficients: Floats
    covariance: Floats

    @classmethod
    def of(cls, waves: Floats, counts: Floats, expected: Floats, weight: Floats, year: NDArray[np.intp]) -> _Fits:
        """Fit log-linear seasons to counts (weeks, groups) around what is expected without one, all groups at once."""
        known = expected > 0
        kept = np.where(known, weight, 0.0)
        design = np.column_stack([np.ones(len(waves)), waves])
        groups, columns = counts.shape[1], design.shape[1]
        prior = np.diag([1e-6, *[PRIOR_PRECISION] * (columns - 1)])
        beta = np.zeros((groups, columns))
        for _ in range(NEWTON_STEPS):
            mean = expected * np.exp(np.clip(design @ beta.T, -5, 5))
            score = np.einsum("tg,tk->gk", kept * (counts - mean) * known, design) - beta @ prior
            bread = np.einsum("tg,ti,tj->gij", kept * mean, design, design, optimize=True) + prior
            step = np.linalg.solve(bread, score[..., None])[..., 0]
            beta += np.clip(step, -1, 1)
        mean = expected * np.exp(np.clip(design @ beta.T, -5, 5))
        bread = np.einsum("tg,ti,tj->gij", kept * mean, design, design, optimize=True) + prior
        inverse = np.linalg.inv(bread)
        poisson = np.einsum("tg,ti,tj->gij", kept**2 * mean, design, design, optimize=True)
        inflation = _inflation(design, kept * (counts - mean) * known, kept * mean, poisson, bread, year)
        sandwich = inverse @ (inflation[:, None, None] * poisson + prior) @ inverse
        return cls(beta[:, 1:], sandwich[:, 1:, 1:])


def _inflation(
    design: Floats, residual: Floats, information: Floats, poisson: Floats, bread: Floats, year: NDArray[np.intp]
) -> Floats:
    """Return how much more the years of each group scatter around its season than Poisson counts, shape (groups,).

    A year in which most of the events lie decides the fit and so agrees with it: each year's score is taken as if
    the fit had been made without it (the CR3 of clustered standard errors, doi:10.1080/01621459.1985.10478133).
    """
    eye = np.eye(design.shape[1])
    found = np.zeros_like(poisson)
    events = []
    for one in np.unique(year):
        rows = design[year == one]
        score = np.einsum("tg,tk->gk", residual[year == one], rows)
        share = np.einsum("tg,ti,tj->gij", information[year == one], rows, rows, optimize=True) @ np.linalg.inv(bread)
        score = np.linalg.solve(eye - share, score[..., None])[..., 0]
        found += score[:, :, None] * score[:, None, :]
        events.append(information[year == one].sum(axis=0))
    excess = _trace(found) / np.maximum(_trace(poisson), 1e-12)
    total = np.sum(events, axis=0)
    # Years that carry the events: 1 where all lie in one of them, and nothing is known of the scatter.
    years = np.maximum(total**2 / np.maximum(np.square(events).sum(axis=0), 1e-12) - 1, 0.0)
    common = (excess * years).sum() / max(years.sum(), 1e-12)
    return np.asarray(np.maximum((excess * years + PRIOR_YEARS * common) / (years + PRIOR_YEARS), 1.0))


def _trace(matrices: Floats) -> Floats:
    """Return the sum of the variances of the waves, without that of the level."""
    return np.asarray(np.einsum("gii->g", matrices[:, 1:, 1:]))


def _yearly_means(panel: Panel) -> Floats:
    """Return each unit's mean over the year around each week, shape (weeks, units); 0 where that year is not whole.

    The first and the last week of 53 count half (classical decomposition).
    """
    kernel = np.ones(YEAR_WEEKS + 1)
    kernel[[0, -1]] = 0.5
    half = YEAR_WEEKS // 2
    weeks, units = panel.counts.shape
    counts = np.where(panel.observed, panel.counts, 0).astype(np.float64)
    out = np.zeros((weeks, units))
    inner = slice(half, weeks - half)
    for unit in range(units):
        events = np.convolve(counts[:, unit], kernel, mode="valid")
        known = np.convolve(panel.observed[:, unit].astype(np.float64), kernel, mode="valid")
        out[inner, unit] = np.divide(events, known, out=np.zeros_like(events), where=known > 0)
    return out


def _waves(weeks: pd.DatetimeIndex, harmonics: int) -> Floats:
    """Return sine and cosine of each harmonic, shape (weeks, 2 * harmonics)."""
    days = np.asarray((weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=np.float64)
    return _harmonics(days / YEAR_DAYS, harmonics)


def _harmonics(year: Floats, harmonics: int) -> Floats:
    angle = 2 * np.pi * np.outer(year, np.arange(1, harmonics + 1))
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(len(year), -1)
