"""Proper scores of count forecasts, all of them negatively oriented: lower is better, in every unit and week.

Where a score needs a distribution it takes the pmf head of a `Forecast`: the probabilities of 0, 1, .. k - 1. The
small mass beyond the head is taken to lie at k.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.evaluation.sample_scores import crps_samples, smoothed_probability
from forecast.predictive.forecast import TAIL, Forecast

Floats = NDArray[np.float64]
Counts = NDArray[np.integer]

SCORES = ("crps", "log", "dss", "wis", "pit_below", "pit_upto")
"""What `score_forecast` gives for each cell; the last two are no scores but stand with them: the cdf
at the observed count less one, and at it."""

PROBABILITY_FLOOR = 1e-6
"""A count that was called impossible costs -log of this, not infinity."""

LOG_CAP = float(-np.log(PROBABILITY_FLOOR))
"""The largest log score there is, 13.8."""

VARIANCE_FLOOR = 1e-4
"""The least variance in `dawid_sebastiani`: that of an event that comes once in 10,000 weeks."""


def crps_pmf(pmf: Floats, observed: Counts) -> Floats:
    """Return the continuous ranked probability score of a count distribution, exactly.

    For counts it is the ranked probability score: ``sum over k >= 0 of (F(k) - 1{observed <= k})^2``.

    Parameters
    ----------
    pmf : ndarray, shape (..., k)
        Probabilities of 0 .. k - 1; what is missing to 1 lies at k.
    observed : ndarray of int, shape (...)
        Also beyond the head.

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Gneiting and Raftery (2007), doi:10.1198/016214506000001437; for counts Czado, Gneiting and Held (2009),
    doi:10.1111/j.1541-0420.2009.01191.x.

    Examples
    --------
    >>> float(crps_pmf(np.array([0.5, 0.5]), np.array(0)))
    0.25
    """
    law, y = np.asarray(pmf, dtype=np.float64), np.asarray(observed)
    cells = np.broadcast_shapes(law.shape[:-1], y.shape)
    laws = np.ascontiguousarray(np.broadcast_to(law, (*cells, law.shape[-1])).reshape(-1, law.shape[-1]))
    return np.asarray(_crps_of_laws(laws, np.broadcast_to(y, cells).astype(np.int64).ravel())).reshape(cells)


@compiled
def _crps_of_laws(pmf: Floats, observed: NDArray[np.int64]) -> Floats:
    cells, k = pmf.shape
    out = np.empty(cells)
    for c in range(cells):
        y, cdf = observed[c], 0.0
        total = float(max(y - k, 0))  # beyond the head F is 1
        for count in range(min(y, k)):
            cdf += pmf[c, count]
            total += 1.0 if cdf > 1.0 else cdf * cdf  # rounding may lift a sum above 1 by a hair
        for count in range(max(y, 0), k):
            cdf += pmf[c, count]
            total += 0.0 if cdf > 1.0 else (1.0 - cdf) ** 2
        out[c] = total
    return out


def twcrps_pmf(pmf: Floats, observed: Counts, threshold: int) -> Floats:
    """Return the threshold-weighted CRPS of a count distribution: ``sum over k >= t of (F(k) - 1{observed <= k})^2``.

    How good the forecast was about large counts; proper, unlike the CRPS of only those weeks in which much happened.

    Parameters
    ----------
    pmf : ndarray, shape (..., k)
        Probabilities of 0 .. k - 1; what is missing to 1 lies at k.
    observed : ndarray of int, shape (...)
    threshold : int
        The least count at which the cdfs are compared; 0 gives the CRPS.

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Gneiting and Ranjan (2011), doi:10.1198/jbes.2010.08110.

    Examples
    --------
    >>> twcrps_pmf(np.array([0.5, 0.3, 0.2]), np.array(0), 1).round(3).tolist()
    0.04
    """
    start = min(max(int(threshold), 0), pmf.shape[-1])
    y = np.asarray(observed)
    error = _cdf(pmf)[..., start:]
    error = error - (np.arange(start, pmf.shape[-1]) >= y[..., None])
    return np.asarray((error**2).sum(axis=-1) + np.maximum(y - max(int(threshold), pmf.shape[-1]), 0))


def log_score(probability: Floats) -> Floats:
    """Return ``-log p`` of the probability given to what was observed, at least 1e-6.

    Parameters
    ----------
    probability : ndarray
        The pmf at the observed count.

    Returns
    -------
    ndarray
        Same shape; at most 13.8.

    References
    ----------
    Good (1952), doi:10.1111/j.2517-6161.1952.tb00104.x.

    Examples
    --------
    >>> log_score(np.array([1.0, 0.0])).round(2).tolist()
    [0.0, 13.82]
    """
    return np.asarray(0.0 - np.log(np.clip(probability, PROBABILITY_FLOOR, 1.0)))


def dawid_sebastiani(mean: Floats, variance: Floats, observed: Counts) -> Floats:
    """Return the Dawid-Sebastiani score ``(y - mean)^2 / variance + log variance``.

    Parameters
    ----------
    mean, variance : ndarray
        Of the predictive distribution. A variance below 1e-4 counts as 1e-4: a forecast that is certain has a finite
        score, -9.2 where it is right and some 10,000 where it is wrong by one.
    observed : ndarray of int
        Shapes broadcast.

    Returns
    -------
    ndarray

    References
    ----------
    Dawid and Sebastiani (1999), doi:10.1214/aos/1018031101.

    Examples
    --------
    >>> float(dawid_sebastiani(np.array(2.0), np.array(1.0), np.array(4)))
    4.0
    """
    spread = np.maximum(variance, VARIANCE_FLOOR)
    return np.asarray((observed - mean) ** 2 / spread + np.log(spread))


def weighted_interval_score(
    quantiles: NDArray[np.integer] | Floats, levels: Sequence[float], observed: Counts
) -> Floats:
    """Return the weighted interval score: twice the mean pinball loss over the quantile levels.

    ``2 / q * sum over levels t of (1{y <= x_t} - t) (x_t - y)``. With levels in pairs about a median this is the
    score of the central intervals and the median with the usual weights.

    Parameters
    ----------
    quantiles : ndarray, shape (levels, ...)
    levels : sequence of float
    observed : ndarray of int, shape (...)

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Bracher, Ray, Gneiting and Reich (2021), doi:10.1371/journal.pcbi.1008618.

    Examples
    --------
    >>> float(weighted_interval_score(np.array([1, 2, 4]), (0.25, 0.5, 0.75), np.array(2)))
    0.5
    """
    at = np.asarray(levels, dtype=np.float64)
    if quantiles.shape[0] != len(at):
        raise InputError(f"{quantiles.shape[0]} quantiles for {len(at)} levels")
    y = np.asarray(observed)
    cells = np.broadcast_shapes(quantiles.shape[1:], y.shape)
    values = np.broadcast_to(quantiles, (len(at), *cells)).reshape(len(at), -1)
    return np.asarray(_interval_scores(values, at, np.broadcast_to(y, cells).ravel())).reshape(cells)


@compiled
def _interval_scores(quantiles: NDArray[np.integer] | Floats, levels: Floats, observed: Counts) -> Floats:
    number, cells = quantiles.shape
    out = np.zeros(cells)
    for at in range(number):
        for c in range(cells):
            over = quantiles[at, c] - observed[c]
            out[c] += max(over, 0) - levels[at] * over
    return np.asarray(out * 2 / number)


def brier(probability: ArrayLike, outcome: ArrayLike) -> Floats:
    """Return the Brier score ``(probability - outcome)^2``, outcome 0 or 1; shapes broadcast.

    References
    ----------
    Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> brier(0.75, [1, 0]).tolist()
    [0.0625, 0.5625]
    """
    return (np.asarray(probability, dtype=np.float64) - np.asarray(outcome, dtype=np.float64)) ** 2


def score_forecast(
    forecast: Forecast, observed: Counts, quantiles: NDArray[np.integer] | None = None
) -> dict[str, Floats]:
    """Return every score of one forecast, cell by cell.

    A cell whose mass beyond the pmf head exceeds `forecast.predictive.forecast.TAIL` is scored from the sample paths
    (log score and PIT only if the count lies beyond the head, within which the pmf is exact; the log score by
    `forecast.evaluation.sample_scores.smoothed_probability`).

    Parameters
    ----------
    forecast : Forecast
    observed : ndarray of int, shape (horizon, units)
        Any count >= 0 where nothing is known; such cells are for the caller to leave out.
    quantiles : ndarray, shape (23, horizon, units), optional
        ``forecast.quantile(QUANTILE_LEVELS)``, if the caller has it already.

    Returns
    -------
    dict of str to ndarray of float64, shape (horizon, units)
        With the keys `SCORES`.

    Raises
    ------
    InputError
        If `observed` has another shape.

    Examples
    --------
    >>> import pandas as pd
    >>> from forecast.panel.units import Units
    >>> paths = np.array([[[0]], [[1]]], dtype=np.int32)
    >>> weeks = pd.DatetimeIndex(["2026-08-01"])
    >>> coin = Forecast(paths, np.array([[[0.5, 0.5]]]), weeks, Units.of(["Mali/Gao"]))
    >>> scores = score_forecast(coin, np.array([[1]]))
    >>> float(scores["crps"][0, 0]), round(float(scores["log"][0, 0]), 3)
    (0.25, 0.693)
    """
    cells = (forecast.horizon, len(forecast.units))
    if observed.shape != cells:
        raise InputError(f"observed counts have shape {observed.shape}", expected=f"horizon x units = {cells}")
    if quantiles is None:
        quantiles = forecast.quantile(QUANTILE_LEVELS)
    pmf = forecast.pmf
    beyond = observed >= pmf.shape[-1]
    inside = np.where(beyond, 0, observed)[..., None]
    count = np.arange(pmf.shape[-1], dtype=np.float64)
    mean = forecast.mean()

    crps = crps_pmf(pmf, observed)
    variance = pmf @ count**2 - (pmf @ count) ** 2
    probability = np.where(beyond, 0.0, np.take_along_axis(pmf, inside, axis=-1)[..., 0])
    cdf = _cdf(pmf)
    # The first count beyond the head holds the rest of the mass; all later ones lie above it.
    upto = np.where(beyond, 1.0, np.take_along_axis(cdf, inside, axis=-1)[..., 0])
    below = np.where(beyond, np.where(observed > pmf.shape[-1], 1.0, cdf[..., -1]), upto - probability)

    far = forecast.tail() > TAIL
    if far.any():
        paths, y = forecast.paths[:, far], observed[far]
        crps[far], variance[far] = crps_samples(paths, y), paths.var(axis=0)
        lost = beyond[far]
        probability[far] = np.where(lost, smoothed_probability(paths, y), probability[far])
        upto[far] = np.where(lost, (paths <= y).mean(axis=0), upto[far])
        below[far] = np.where(lost, (paths < y).mean(axis=0), below[far])
    return {
        "crps": crps,
        "log": log_score(probability),
        "dss": dawid_sebastiani(mean, variance, observed),
        "wis": weighted_interval_score(quantiles, QUANTILE_LEVELS, observed),
        "pit_below": below,
        "pit_upto": upto,
    }


def _cdf(pmf: Floats) -> Floats:
    """Cumulative probabilities; rounding may lift a sum above 1 by a hair."""
    cdf = np.cumsum(pmf, axis=-1)
    return np.minimum(cdf, 1.0, out=cdf)
