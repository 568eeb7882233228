"""Murphy diagrams: one forecast before another under every consistent score, or only under some."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]


def murphy_mean(forecast: ArrayLike, observed: ArrayLike, thresholds: ArrayLike) -> Floats:
    """Return the mean elementary score of forecasts of the mean, or of the probability of an event, at each threshold.

    ``|y - t| 1{min(x, y) <= t < max(x, y)}``. Every score that is consistent for the mean is a mixture of these: one
    forecast is better than another under all of them if its curve is never higher. The area is half the mean squared
    error (Brier score); at a threshold t it is the regret of acting at a cost-loss ratio t.

    Parameters
    ----------
    forecast, observed : array, shape (cases,)
        For events probabilities, and 0 or 1.
    thresholds : array, shape (k,)

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Ehm, Gneiting, Jordan and Krueger (2016), doi:10.1111/rssb.12154.

    Examples
    --------
    >>> murphy_mean([0.6], [1], [0.3, 0.7]).round(12).tolist()
    [0.0, 0.3]
    """
    x, y, t = _checked(forecast, observed, thresholds)
    return _averaged(np.abs(y - t[:, None]), x, y, t)


def murphy_quantile(forecast: ArrayLike, observed: ArrayLike, thresholds: ArrayLike, *, level: float) -> Floats:
    """Return the mean elementary score of quantile forecasts at each threshold.

    ``|1{y < x} - level| 1{min(x, y) <= t < max(x, y)}``; the area is the mean pinball loss.

    Parameters
    ----------
    forecast, observed : array, shape (cases,)
    thresholds : array, shape (k,)
    level : float
        Of the quantile.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Ehm, Gneiting, Jordan and Krueger (2016), doi:10.1111/rssb.12154.

    Examples
    --------
    >>> murphy_quantile([3], [1], [0, 2, 3], level=0.9).round(12).tolist()
    [0.0, 0.1, 0.0]
    """
    if not 0 < level < 1:
        raise InputError(f"a quantile of level {level:g}", expected="between 0 and 1")
    x, y, t = _checked(forecast, observed, thresholds)
    return _averaged(np.abs((y < x) - level)[None], x, y, t)


def _checked(forecast: ArrayLike, observed: ArrayLike, thresholds: ArrayLike) -> tuple[Floats, Floats, Floats]:
    x, y, t = (np.asarray(values, dtype=np.float64) for values in (forecast, observed, thresholds))
    if x.ndim != 1 or x.shape != y.shape or t.ndim != 1 or not len(x):
        raise InputError(f"{x.shape} forecasts, {y.shape} observations", expected="as many of each, at least 1")
    return x, y, t


def _averaged(loss: Floats, x: Floats, y: Floats, t: Floats) -> Floats:
    between = (np.minimum(x, y) <= t[:, None]) & (t[:, None] < np.maximum(x, y))
    return np.asarray(np.where(between, loss, 0.0).mean(axis=1))
