"""Whether probabilities mean what they say: PIT, interval coverage, reliability of event probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from forecast.errors import InputError
from forecast.evaluation.resampling import BLOCK_WEEKS, block_bootstrap, sums_by, week_numbers

Floats = NDArray[np.float64]

MOST_DISTINCT = 10_000
"""Probabilities that replicates of a reliability curve tell apart; more of them take minutes and GiB."""

COVERAGE_LEVELS = (0.5, 0.8, 0.95)
"""Central intervals whose coverage is reported."""

Band = Literal["consistency", "confidence"]


def randomised_pit(pit: Floats, rng: np.random.Generator) -> Floats:
    """Return the randomised probability integral transform of counts.

    ``u = F(y - 1) + v (F(y) - F(y - 1))`` with v uniform on [0, 1): uniform if the forecast is right.

    Parameters
    ----------
    pit : ndarray, shape (..., 2)
        Cdf at the observed count less one, and at the observed count.
    rng : Generator

    Returns
    -------
    ndarray, shape (...)
        In [0, 1].

    References
    ----------
    Smith (1985), doi:10.1002/for.3980040305.

    Examples
    --------
    >>> u = randomised_pit(np.array([[0.2, 0.5]]), np.random.default_rng(1))
    >>> bool(0.2 <= u[0] <= 0.5)
    True
    """
    below, upto = pit[..., 0], pit[..., 1]
    return np.asarray(np.clip(below + rng.random(below.shape) * (upto - below), 0.0, 1.0))


def shares_between(pit: Floats, left: float, right: float) -> Floats:
    """Return the probability of each cell that its randomised PIT lies in [left, right).

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count.
    left, right : float
        A right end of 1 belongs to the range.

    Returns
    -------
    ndarray, shape (cells,)

    Examples
    --------
    >>> shares_between(np.array([[0.2, 0.6]]), 0.5, 1.0).round(12).tolist()
    [0.25]
    """
    below, upto = pit[:, 0], pit[:, 1]
    width = upto - below
    overlap = np.clip(np.minimum(upto, right) - np.maximum(below, left), 0.0, None)
    point = (below >= left) & ((below < right) | (right >= 1.0))
    return np.asarray(np.divide(overlap, width, out=point.astype(np.float64), where=width > 1e-12))


def shares_within(pit: Floats, levels: Sequence[float] = COVERAGE_LEVELS) -> Floats:
    """Return the probability of each cell that its randomised PIT lies within each central interval.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
    levels : sequence of float

    Returns
    -------
    ndarray, shape (cells, levels)

    Examples
    --------
    >>> shares_within(np.array([[0.0, 0.5]]), [0.5]).tolist()
    [[0.5]]
    """
    return np.column_stack([shares_between(pit, 0.5 - level / 2, 0.5 + level / 2) for level in levels])


def pit_histogram(pit: Floats, bins: int = 10) -> pd.DataFrame:
    """Return the histogram of the randomised PIT, averaged over its randomness: the non-randomised PIT.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count; a row with NaN is left out.
    bins : int, default 10

    Returns
    -------
    DataFrame
        One row a bin: left, right, density (1 everywhere if calibrated; high ends mean intervals that are too
        narrow).

    References
    ----------
    Czado, Gneiting and Held (2009), doi:10.1111/j.1541-0420.2009.01191.x.

    Examples
    --------
    >>> pit_histogram(np.array([[0.1, 0.6], [0.5, 1.0]]), bins=2)["density"].tolist()
    [0.8, 1.2]
    """
    known = pit[np.isfinite(pit).all(axis=1)]
    edges = np.linspace(0.0, 1.0, bins + 1)
    shares = [shares_between(known, left, right).sum() for left, right in pairwise(edges)]
    return pd.DataFrame(
        {"left": edges[:-1], "right": edges[1:], "density": np.asarray(shares) * bins / max(len(known), 1)}
    )


def central_coverage(pit: Floats, levels: Sequence[float] = COVERAGE_LEVELS) -> Floats:
    """Return the share of observations within each central interval.

    The interval of level c covers if the randomised PIT lies within ``[(1 - c) / 2, (1 + c) / 2]``; the share is the
    mean over its randomness. Unlike the share of counts between two whole-numbered quantiles this equals c for a
    forecast that is right.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count; a row with NaN is left out.
    levels : sequence of float

    Returns
    -------
    ndarray, shape (levels,)
        NaN without observations.

    Examples
    --------
    >>> central_coverage(np.array([[0.0, 0.5], [0.4, 0.6]]), [0.5]).tolist()
    [0.75]
    """
    known = pit[np.isfinite(pit).all(axis=1)]
    if not len(known):
        return np.full(len(levels), np.nan)
    return np.asarray(shares_within(known, levels).mean(axis=0))


@dataclass(frozen=True)
class Reliability:
    """How event probabilities compare with how often the event came.

    Parameters
    ----------
    curve : DataFrame
        One row a distinct probability, ascending: probability, n, recalibrated (how often the event came, made
        monotone), low, high (pointwise band).
    histogram : DataFrame
        How often which probability was issued: left, right, count.
    score : float
        Mean Brier score, equal to ``miscalibration - discrimination + uncertainty``.
    miscalibration : float
        What recalibration would gain (MCB); 0 is best.
    discrimination : float
        What the recalibrated probabilities gain over always saying the base rate (DSC).
    uncertainty : float
        Brier score of always saying the base rate (UNC).
    right_mean, right_high : float
        The miscalibration that the same probabilities show by chance where all of them are right: on average, and at
        most with the probability of the band. Recalibration always gains on the cases that it was fitted to.
    """

    curve: pd.DataFrame
    histogram: pd.DataFrame
    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    right_mean: float
    right_high: float


def reliability(
    probability: ArrayLike,
    outcome: ArrayLike,
    origin: pd.DatetimeIndex | pd.Series,
    rng: np.random.Generator,
    *,
    band: Band = "consistency",
    level: float = 0.9,
    replicates: int = 1000,
    bins: int = 20,
) -> Reliability:
    """Return the CORP reliability curve of event probabilities with its decomposition of the Brier score.

    The curve is the isotonic regression of the outcomes on the probabilities. The consistency band, where
    the curve of a calibrated forecast would lie, is a wild block bootstrap under that hypothesis: outcomes
    ``p + w (y - p)`` with one random sign w for all cases of 13 weeks. The confidence band, where the true curve may
    lie, is a circular block bootstrap of the cases, blocks of 13 weeks. Dependence between units and neighbouring
    weeks widens both as it should. What miscalibration a right forecaster would show is that of the same bootstrap
    under the hypothesis.

    Parameters
    ----------
    probability : array, shape (n,)
        In [0, 1].
    outcome : array of 0 and 1, shape (n,)
    origin : DatetimeIndex or Series of datetimes, shape (n,)
        When each probability was issued.
    rng : Generator
    band : {"consistency", "confidence"}
    level : float, default 0.9
        Pointwise level of the band; probability that a right forecaster's miscalibration is at most `right_high`.
    replicates : int, default 1000
    bins : int, default 20
        Of the histogram.

    Returns
    -------
    Reliability

    Raises
    ------
    InputError
        If there are no cases, lengths differ, or values are out of range.

    References
    ----------
    Dimitriadis, Gneiting and Jordan (2021), doi:10.1073/pnas.2016191118; the bootstrap with the hypothesis imposed
    Cameron, Gelbach and Miller (2008), doi:10.1162/rest.90.3.414.

    Examples
    --------
    >>> weeks = pd.date_range("2026-01-03", periods=4, freq="7D")
    >>> found = reliability([0.1, 0.1, 0.8, 0.8], [0, 0, 1, 0], weeks, np.random.default_rng(1))
    >>> found.curve["recalibrated"].tolist()
    [0.0, 0.5]
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if not len(p) == len(y) == len(origin) > 0:
        raise InputError(
            f"{len(p)} probabilities, {len(y)} outcomes, {len(origin)} origins", expected="as many of each, at least 1"
        )
    if not (((p >= 0) & (p <= 1)).all() and np.isin(y, (0, 1)).all()):
        raise InputError("probabilities outside [0, 1] or outcomes other than 0 and 1")
    distinct, case = np.unique(p, return_inverse=True)
    n = np.bincount(case).astype(np.float64)
    fitted = isotonic_regression(np.bincount(case, weights=y) / n, weights=n).x

    score = float(np.mean((p - y) ** 2))
    recalibrated = float(np.mean((fitted[case] - y) ** 2))
    uncertainty = float(np.mean((y.mean() - y) ** 2))

    week = week_numbers(origin)
    group = _grouped(distinct)
    number = np.bincount(group, weights=n)
    centre, among = np.bincount(group, weights=n * distinct) / number, group[case]
    if len(centre) == len(distinct):
        centre = distinct
    means, curves = _calibrated_curves(centre, among, y, week, replicates, rng)
    by_chance = ((centre - means) ** 2 - (curves - means) ** 2) @ number / len(p)
    if band == "confidence":
        curves = _resampled_curves(centre, among, y, week, replicates, rng)
    low, high = (np.clip(_column_quantile(curves, at), 0.0, 1.0)[group] for at in ((1 - level) / 2, (1 + level) / 2))

    count, edges = np.histogram(p, bins=bins, range=(0.0, 1.0))
    return Reliability(
        curve=pd.DataFrame(
            {"probability": distinct, "n": n.astype(np.int64), "recalibrated": fitted, "low": low, "high": high}
        ),
        histogram=pd.DataFrame({"left": edges[:-1], "right": edges[1:], "count": count}),
        score=score,
        miscalibration=score - recalibrated,
        discrimination=uncertainty - recalibrated,
        uncertainty=uncertainty,
        right_mean=float(by_chance.mean()),
        right_high=float(np.quantile(by_chance, level)),
    )


def _grouped(distinct: Floats) -> NDArray[np.intp]:
    """Return the group of each probability within which replicates do not tell them apart: those alike to 0.001.

    Each is one of its own unless there are very many, as of a grid of cells.
    """
    if len(distinct) <= MOST_DISTINCT:
        return np.arange(len(distinct))
    return np.unique(np.round(distinct, 3), return_inverse=True)[1]


def _column_quantile(values: Floats, level: float) -> Floats:
    """Return the quantile of each column without its NaN, as `numpy.nanquantile` but for all columns at once."""
    ordered = np.sort(np.ascontiguousarray(values.T), axis=1)  # NaN last
    at = level * np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0)
    below = at.astype(np.int64)
    part, rows = at - below, np.arange(len(ordered))
    low, high = ordered[rows, below], ordered[rows, np.ceil(at).astype(np.int64)]
    return np.asarray(np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part)))


def _calibrated_curves(
    distinct: Floats,
    case: NDArray[np.intp],
    y: Floats,
    week: NDArray[np.int64],
    replicates: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return mean outcomes that the probabilities are right about, and their curves, (replicates, distinct) each."""
    n = np.bincount(case).astype(np.float64)
    blocks, block = np.unique(week // BLOCK_WEEKS, return_inverse=True)
    residual = np.zeros((len(blocks), len(distinct)))
    np.add.at(residual, (block, case), y - distinct[case])
    sign = rng.choice([-1.0, 1.0], size=(replicates, len(blocks)))
    means = distinct + np.einsum("rb,bk->rk", sign, residual) / n
    return means, np.asarray([isotonic_regression(row, weights=n).x for row in means])


def _resampled_curves(
    distinct: Floats,
    case: NDArray[np.intp],
    y: Floats,
    week: NDArray[np.int64],
    replicates: int,
    rng: np.random.Generator,
) -> Floats:
    """Return curves, shape (replicates, distinct), of cases drawn in blocks of weeks.

    Between the probabilities that a sample holds its curve is read off linearly, beyond them it is level.
    """
    weeks = int(week.max()) + 1
    cell = np.unique(week * len(distinct) + case, return_inverse=True)
    at, kind = np.divmod(cell[0], len(distinct))
    cases = np.bincount(cell[1]).astype(np.float64)
    events = sums_by(cell[1], y, len(cases))
    curves = np.empty((replicates, len(distinct)))
    for row, drawn in enumerate(block_bootstrap(weeks, replicates, rng)):
        n = np.bincount(kind, weights=drawn[at] * cases, minlength=len(distinct))
        here = n > 0
        if not here.any():
            curves[row] = np.nan
            continue
        rate = np.bincount(kind, weights=drawn[at] * events, minlength=len(distinct))[here] / n[here]
        fitted = isotonic_regression(rate, weights=n[here]).x
        curves[row] = np.interp(distinct, distinct[here], fitted)
    return curves
