"""Tests of whether count forecasts are calibrated: by their scores, the moments of the PIT, its dependence in time.

Each takes arrays and gives a statistic with its p-value. Forecasts of neighbouring weeks and of several regions are not
independent; `time` says which belong together, so that the tests keep their level.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr, stdtr

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.evaluation.resampling import BLOCK_WEEKS, sums_by, week_numbers
from forecast.evaluation.scores import PROBABILITY_FLOOR, VARIANCE_FLOOR

Floats = NDArray[np.float64]
Rule = Literal["rps", "log", "dss"]
Moment = Literal["bias", "dispersion"]
Time = ArrayLike | pd.DatetimeIndex | pd.Series

MOMENTS: tuple[Moment, ...] = ("bias", "dispersion")

_RULES = {"rps": 0, "log": 1, "dss": 2}


class Statistic(NamedTuple):
    """Statistic, p-value and what the statistic is made of."""

    statistic: float
    p: float
    n: int


class ScoreMoments(NamedTuple):
    """Of each forecast: the score of what came, and its mean and variance if the forecast is right; shape (cells,)."""

    score: Floats
    expected: Floats
    variance: Floats


def score_moments(pmf: Floats, observed: NDArray[np.integer], rule: Rule = "rps") -> ScoreMoments:
    """Return scores with their mean and variance under the forecasts themselves, by summing over the pmf.

    Parameters
    ----------
    pmf : ndarray, shape (cells, k)
        Probabilities of 0 .. k - 1; what is missing to 1 lies at k.
    observed : ndarray of int, shape (cells,)
    rule : {"rps", "log", "dss"}
        Ranked probability, logarithmic (at most 13.8), or Dawid-Sebastiani score.

    Returns
    -------
    ScoreMoments

    Raises
    ------
    InputError
        If shapes do not fit or the rule is unknown.

    Examples
    --------
    >>> found = score_moments(np.array([[0.5, 0.5]]), np.array([0]))
    >>> float(found.score[0]), float(found.expected[0]), float(found.variance[0])
    (0.25, 0.25, 0.0)
    """
    y = np.asarray(observed)
    if rule not in _RULES or pmf.ndim != 2 or y.shape != pmf.shape[:1]:
        raise InputError(
            f"rule {rule!r}, pmf of shape {pmf.shape}, observations of shape {y.shape}",
            expected="one of rps, log, dss; (cells, k); (cells,)",
        )
    found = _moments(np.ascontiguousarray(pmf, np.float64), y.astype(np.int64), _RULES[rule])
    return ScoreMoments(*found)


def unconditional_test(
    moments: ScoreMoments, time: Time | None = None, *, weighted: bool = True, block: int = BLOCK_WEEKS
) -> Statistic:
    """Return the unconditional test of Wei and Held: that the mean score is what the forecasts said it would be.

    ``z = sum (S - E) / sqrt(sum V)``; weighted, ``z* = sum ((S - E) / sqrt V) / sqrt n``, which the authors recommend
    for low counts. With `time` the variance is that of the sums over blocks of weeks instead, and the reference
    Student's t with one degree of freedom less than there are blocks, so that forecasts may depend on each other
    within a block.

    Parameters
    ----------
    moments : ScoreMoments
    time : array of dates or week numbers, shape (cells,), optional
    weighted : bool, default True
    block : int, default 13
        Weeks.

    Returns
    -------
    Statistic
        Negative where scores are better than expected (forecasts too wide), positive where worse; NaN where all scores
        are certain, or with fewer than 5 blocks.

    References
    ----------
    Wei and Held (2014), doi:10.1007/s11749-014-0380-8.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pmf = np.tile([0.5, 0.3, 0.2], (500, 1))
    >>> unconditional_test(score_moments(pmf, rng.choice(3, 500, p=pmf[0]))).p > 0.05
    True
    """
    known = moments.variance > 1e-14
    excess, variance = (moments.score - moments.expected)[known], moments.variance[known]
    parts = excess / np.sqrt(variance) if weighted else excess
    if time is not None:
        return _mean_test(parts, np.asarray(time)[known], block)
    spread = np.sqrt(len(parts) if weighted else variance.sum())
    if not spread > 0:
        return Statistic(np.nan, np.nan, 0)
    z = float(parts.sum() / spread)
    return Statistic(z, float(2 * ndtr(-abs(z))), len(parts))


def regression_test(moments: ScoreMoments) -> Statistic:
    """Return the regression test: that scores are as the forecasts said, over easy and hard cases alike.

    Weighted least squares of ``S - E`` on an intercept and E, weights ``1 / V``: both coefficients are 0 if the
    forecasts are right. The statistic is their Wald statistic, chi-squared with 2 degrees of freedom; V is known, not
    estimated.

    Parameters
    ----------
    moments : ScoreMoments

    Returns
    -------
    Statistic
        NaN where E is the same for all.

    References
    ----------
    Score regression for counts after Wei and Held (2014), doi:10.1007/s11749-014-0380-8, and Held, Rufibach and
    Balabdaoui (2010), doi:10.1111/j.1541-0420.2010.01406.x.

    Examples
    --------
    >>> from scipy import stats
    >>> rng = np.random.default_rng(1)
    >>> law = stats.poisson(rng.gamma(2, 1, 500)[:, None])
    >>> y = law.rvs(random_state=rng)[:, 0]
    >>> regression_test(score_moments(law.pmf(np.arange(40)), y)).p > 0.05
    True
    """
    known = moments.variance > 1e-14
    excess, spread = (moments.score - moments.expected)[known], np.sqrt(moments.variance[known])
    design = np.column_stack([1 / spread, moments.expected[known] / spread])
    information = np.einsum("ni,nj->ij", design, design)
    if len(spread) < 3 or np.linalg.cond(information) > 1e12:
        return Statistic(np.nan, np.nan, len(spread))
    moment = np.einsum("ni,n->i", design, excess / spread)
    wald = float(moment @ np.linalg.solve(information, moment))
    return Statistic(wald, float(chdtrc(2, wald)), len(spread))


def pit_moments_test(pit: Floats, time: Time, *, moment: Moment, block: int = BLOCK_WEEKS) -> Statistic:
    """Return the test of mean or variance of the PIT of counts, without randomness.

    The randomised PIT u of a right forecast is uniform. Bias: the mean of ``u - 1/2`` over its randomness,
    ``(F(y - 1) + F(y) - 1) / 2``. Dispersion: that of ``12 (u - 1/2)^2 - 1``, which is 0 for a right forecast.
    Student's t of the sums over blocks of weeks.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count; rows with NaN are left out.
    time : array of dates or week numbers, shape (cells,)
    moment : {"bias", "dispersion"}
        Positive where more came than was forecast; where forecasts are too narrow.
    block : int, default 13
        Weeks.

    Returns
    -------
    Statistic
        NaN with fewer than 5 blocks.

    References
    ----------
    For the moments of the PIT Gneiting and Ranjan (2013), doi:10.1214/13-EJS823.

    Examples
    --------
    >>> late = np.column_stack([np.full(104, 0.7), np.full(104, 0.9)]) + 0.01 * np.sin(np.arange(104))[:, None]
    >>> pit_moments_test(late, np.arange(104), moment="bias").p < 0.01
    True
    """
    known = np.isfinite(pit).all(axis=1)
    return _mean_test(pit_moments(pit[known], moment), np.asarray(time)[known], block)


def pit_moments(pit: Floats, moment: Moment) -> Floats:
    """Return what `pit_moments_test` averages, shape (cells,).

    Examples
    --------
    >>> pit_moments(np.array([[0.0, 1.0]]), "dispersion").round(12).tolist()
    [0.0]
    """
    middle, width = pit.mean(axis=1) - 0.5, pit[:, 1] - pit[:, 0]
    return np.asarray(middle if moment == "bias" else 12 * middle**2 + width**2 - 1)


def frequency_test(probability: ArrayLike, outcome: ArrayLike, time: Time, *, block: int = BLOCK_WEEKS) -> Statistic:
    """Return the test of whether events came as often as their probabilities said: zeros, escalations.

    Student's t of the sums of ``outcome - probability`` over blocks of weeks.

    Parameters
    ----------
    probability, outcome : array, shape (cells,)
        Outcome 1 or 0.
    time : array of dates or week numbers, shape (cells,)
    block : int, default 13
        Weeks.

    Returns
    -------
    Statistic
        Positive where events came more often than forecast; NaN with fewer than 5 blocks.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frequency_test(np.full(104, 0.2), rng.random(104) < 0.6, np.arange(104)).p < 0.01
    True
    """
    return _mean_test(np.asarray(outcome, np.float64) - np.asarray(probability, np.float64), time, block)


def serial_dependence_test(pit: Floats, *, horizon: int = 1, lags: int = 4) -> Statistic:
    """Return the test of whether the PIT of a week tells anything of that of later weeks, as it must not.

    With ``u = (F(y - 1) + F(y) - 1) / 2``, of mean 0 given the past, the products ``c_k(t) = sum over units of
    u(t) u(t - k)`` have mean 0 for lags k from the horizon on. The statistic is the Wald statistic of their sums over
    weeks with ``sum c(t) c(t)'`` as the variance, chi-squared with `lags` degrees of freedom: units of the same week
    may depend on each other, and weeks may differ in how uncertain they are.

    Parameters
    ----------
    pit : ndarray, shape (weeks, units, 2)
        Of forecasts of one horizon, weeks in order; NaN where there is none.
    horizon : int, default 1
        Errors of forecasts h weeks ahead may depend on each other over h - 1 weeks, which are not tested.
    lags : int, default 4

    Returns
    -------
    Statistic
        NaN with fewer than ``10 * lags`` weeks.

    References
    ----------
    After Diebold, Gunther and Tay (1998), doi:10.2307/2527342.

    Examples
    --------
    >>> u = np.repeat(np.random.default_rng(1).random(52), 4)[:, None] * 0.8 + 0.1
    >>> serial_dependence_test(np.stack([u - 0.1, u + 0.1], axis=-1)).p < 0.01
    True
    """
    middle = np.where(np.isfinite(pit).all(axis=-1), pit.mean(axis=-1) - 0.5, 0.0)
    weeks, first = len(middle), horizon + lags - 1
    if weeks - first < 10 * lags:
        return Statistic(np.nan, np.nan, weeks)
    products = np.column_stack(
        [(middle[first:] * middle[first - k : weeks - k]).sum(axis=1) for k in range(horizon, horizon + lags)]
    )
    variance = np.einsum("ti,tj->ij", products, products)
    total = products.sum(axis=0)
    if np.linalg.matrix_rank(variance) != lags:
        return Statistic(np.nan, np.nan, weeks)
    wald = float(total @ np.linalg.solve(variance, total))
    return Statistic(wald, float(chdtrc(lags, wald)), weeks)


def _mean_test(values: Floats, time: Time, block: int) -> Statistic:
    """Student's t of block sums about 0; blocks follow the weeks, so that an unfinished last one weighs less."""
    weeks = week_numbers(time)
    label, at = np.unique(weeks // block, return_inverse=True)
    sums = sums_by(at, values, len(label))
    if len(label) < 5:
        return Statistic(np.nan, np.nan, len(values))
    spread = np.sqrt(((sums - sums.mean()) ** 2).sum() * len(sums) / (len(sums) - 1))
    t = float(sums.sum() / spread) if spread > 0 else (0.0 if not sums.any() else np.inf * np.sign(sums.sum()))
    return Statistic(t, float(2 * stdtr(len(sums) - 1, -abs(t))), len(values))


@compiled
def _moments(pmf: Floats, observed: NDArray[np.int64], rule: int) -> tuple[Floats, Floats, Floats]:
    """Score at the observation, and its mean and variance over the pmf with the rest of the mass at k."""
    cells, k = pmf.shape
    score, expected, variance = np.empty(cells), np.empty(cells), np.empty(cells)
    p = np.empty(k + 1)
    for cell in range(cells):
        p[:k] = pmf[cell]
        rest = 1.0 - pmf[cell].sum()
        p[k] = rest if rest > 1e-12 else 0.0  # rounding is no mass
        y = observed[cell]
        if rule == 0:
            at = _rps_of_counts(p)
            score[cell] = at[min(y, k)] + max(y - k, 0)
        elif rule == 1:
            at = -np.log(np.maximum(p, PROBABILITY_FLOOR))
            score[cell] = at[y] if y <= k else -np.log(PROBABILITY_FLOOR)
        else:
            count = np.arange(k + 1)
            mean = (p * count).sum()
            spread = max((p * (count - mean) ** 2).sum(), VARIANCE_FLOOR)
            at = (count - mean) ** 2 / spread + np.log(spread)
            score[cell] = (y - mean) ** 2 / spread + np.log(spread)
        expected[cell] = (p * at).sum()
        variance[cell] = (p * (at - expected[cell]) ** 2).sum()
    return score, expected, variance


@compiled
def _rps_of_counts(p: Floats) -> Floats:
    """``S(j) = sum over i < j of F(i)^2 + sum over i >= j of (1 - F(i))^2`` for each count j."""
    at = np.empty(len(p))
    cdf, above, below = 0.0, 0.0, 0.0
    for j in range(len(p) - 1):
        cdf += p[j]
        above += (1.0 - cdf) ** 2
    cdf = 0.0
    for j in range(len(p)):
        at[j] = below + above
        cdf += p[j]
        below += cdf * cdf
        above -= (1.0 - cdf) ** 2
    return at
