"""The distribution of a count of which only some points are known: quantiles, cumulative probabilities, a head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.evaluation.quantile_scores import cdf_at

Floats = NDArray[np.float64]

LARGEST = 20_000
"""No larger count is taken: a distribution is held as one probability a count."""
FEWEST_LEVELS, LOWEST, HIGHEST = 5, 0.1, 0.9
"""Quantiles must be so many, and reach so far, to tell a distribution."""
LEAST_MASS = 1e-9
_LEAST_HAZARD, _MOST_HAZARD = 0.001, 0.9


def pmf_of_quantiles(levels: Sequence[float], values: ArrayLike) -> Floats:
    r"""Return a distribution of counts that has these quantiles.

    The quantile of a count at a level is the smallest count whose cumulative probability F reaches it. With a the
    highest level whose quantile is at most v, w the next larger quantile and b the lowest level that has it, F of the
    counts v, .. w - 1 must lie from a to below b; it is spread evenly there,

    .. math:: F(v + i) = a + (b - a) \frac{i + 1/2}{w - v}, \quad 0 \le i < w - v,

    as it is where forecasts are scored (`forecast.evaluation.quantile_scores.cdf_at`). Beyond the highest quantile
    `pmf_of_cdf` has the rule.

    Parameters
    ----------
    levels : sequence of float, shape (levels,)
        Ascending, in (0, 1).
    values : array_like, shape (levels,)
        Quantiles. One that is not whole is taken for the next count above, the smallest that reaches it.

    Returns
    -------
    ndarray, shape (counts,)
        Probabilities of 0, 1, .., which sum to 1.

    Raises
    ------
    InputError
        If quantiles cross, are negative or too large, or are too few to tell a distribution.

    Examples
    --------
    >>> pmf = pmf_of_quantiles([0.1, 0.25, 0.5, 0.75, 0.9], [0, 0, 1, 2, 4])
    >>> [int((pmf.cumsum() < level).sum()) for level in (0.1, 0.25, 0.5, 0.75, 0.9)]
    [0, 0, 1, 2, 4]
    """
    given, value = np.asarray(levels, np.float64), np.asarray(values, np.float64)
    if not (np.isfinite(given).all() and (np.diff(given) > 0).all() and (given > 0).all() and (given < 1).all()):
        raise InputError(f"levels {list(levels)}", expected="ascending, between 0 and 1")
    if len(given) < FEWEST_LEVELS or given[0] > LOWEST or given[-1] < HIGHEST:
        raise InputError(
            f"{len(given)} levels, from {given[0]:g} to {given[-1]:g}" if len(given) else "no levels",
            expected=f"at least {FEWEST_LEVELS}, from {LOWEST:g} or below to {HIGHEST:g} or above",
        )
    quantiles = _counts(np.ceil(value))
    crossing = np.flatnonzero(np.diff(value) < 0)
    if len(crossing):
        at = int(crossing[0])
        raise InputError(
            f"quantiles cross: {value[at]:g} at level {given[at]:g}, {value[at + 1]:g} at level {given[at + 1]:g}",
            expected="quantiles that do not fall as the level rises",
        )
    counts = np.arange(quantiles[-1] + 1)
    return pmf_of_cdf(counts, cdf_at(np.repeat(quantiles[:, None], len(counts), axis=1), list(given), counts))


def pmf_of_cdf(counts: ArrayLike, cdf: ArrayLike) -> Floats:
    r"""Return the distribution of counts that has these cumulative probabilities.

    Between two known counts, and from 0 to the first, the probability is spread evenly. With m the last known count,
    T = 1 - F(m), and d the probability of a count just before,

    .. math:: P(m + 1 + i) = T h (1 - h)^i, \quad h = \min(\max(d / T, 0.001), 0.9) .

    Parameters
    ----------
    counts : array_like of int, shape (points,)
        Ascending, at least one.
    cdf : array_like, shape (points,)
        Probability of at most so many events.

    Returns
    -------
    ndarray, shape (counts,)
        Probabilities of 0, 1, .., which sum to 1.

    Raises
    ------
    InputError
        If cumulative probabilities fall or do not lie in 0 to 1, and for counts that are too large.

    Examples
    --------
    >>> pmf_of_cdf([0, 2], [0.5, 0.9]).round(3)[:5].tolist()
    [0.5, 0.2, 0.2, 0.09, 0.009]
    """
    known, level = _counts(counts), np.asarray(cdf, np.float64)
    if not len(known) or (np.diff(known) <= 0).any():
        raise InputError(f"counts {known.tolist()[:5]}", expected="at least one, ascending")
    if not ((level >= -1e-9).all() and (level <= 1 + 1e-9).all()):
        raise InputError(f"cumulative probabilities from {level.min():g} to {level.max():g}", expected="0 to 1")
    falling = np.flatnonzero(np.diff(level) < -1e-9)
    if len(falling):
        at = int(falling[0])
        raise InputError(
            f"the cumulative probability falls from {level[at]:g} at {known[at]} to {level[at + 1]:g} "
            f"at {known[at + 1]}",
            expected="one that rises or stays",
        )
    level = np.maximum.accumulate(np.clip(level, 0.0, 1.0))
    width = np.diff(np.concatenate([[-1], known]))
    mass = np.diff(np.concatenate([[0.0], level]))
    pmf = np.repeat(mass / width, width)
    rest = 1 - level[-1]
    if rest > LEAST_MASS:
        hazard = min(max(pmf[-1] / rest, _LEAST_HAZARD), _MOST_HAZARD)
        length = int(np.ceil(np.log(LEAST_MASS / rest) / np.log1p(-hazard))) + 1
        pmf = np.concatenate([pmf, rest * hazard * (1 - hazard) ** np.arange(length)])
    return np.asarray(pmf / pmf.sum())


def pmf_of_head(counts: ArrayLike, pmf: ArrayLike) -> Floats:
    """Return the distribution with these probabilities of 0, 1, .. events; what they lack to 1 lies above.

    Parameters
    ----------
    counts : array_like of int, shape (counts,)
        0, 1, ..
    pmf : array_like, shape (counts,)

    Returns
    -------
    ndarray
        Probabilities of 0, 1, .., which sum to 1; above the head they fall as in `pmf_of_cdf`.

    Raises
    ------
    InputError
        If a count is left out, or probabilities are negative or sum to more than 1.

    Examples
    --------
    >>> pmf_of_head([0, 1], [0.5, 0.25]).round(3)[:4].tolist()
    [0.5, 0.25, 0.225, 0.023]
    """
    known, mass = _counts(counts), np.asarray(pmf, np.float64)
    absent = np.setdiff1d(np.arange(len(known)), known)
    if len(absent):
        raise InputError(f"no probability of {absent[0]} events", expected="one of each count from 0 on")
    if (mass < 0).any() or mass.sum() > 1 + 1e-6:
        raise InputError(f"probabilities that sum to {mass.sum():.6g}", expected="none negative, at most 1 in all")
    return pmf_of_cdf(known, np.minimum(np.cumsum(mass), 1.0))


def _counts(values: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(values, np.float64)
    if not np.isfinite(given).all():
        raise InputError("a count that is no number", expected="numbers")
    wrong = given[(given < 0) | (given > LARGEST) | (given % 1 != 0)]
    if len(wrong):
        raise InputError(f"{wrong[0]:g} is no count", expected=f"a whole number from 0 to {LARGEST}")
    return given.astype(np.int64)
