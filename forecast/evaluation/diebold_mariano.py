"""Whether the mean losses of two models differ by more than chance: Diebold and Mariano's test for small samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from forecast.errors import InputError

Floats = NDArray[np.float64]


class DieboldMariano(NamedTuple):
    """Mean difference of the losses (negative: the first is better), its standard error, statistic, p-value, weeks."""

    difference: float
    error: float
    statistic: float
    p: float
    n: int


def diebold_mariano(first: Floats, second: Floats, *, horizon: int = 1, lags: int | None = None) -> DieboldMariano:
    """Return the test of equal mean loss, robust to autocorrelation.

    ``DM = d / sqrt(V / n)`` with V the long-run variance of the differences; the correction of Harvey, Leybourne and
    Newbold multiplies by ``sqrt((n + 1 - 2h + h (h - 1) / n) / n)`` and refers to Student's t with n - 1 degrees of
    freedom.

    Parameters
    ----------
    first, second : ndarray, shape (weeks,) or (weeks, cells)
        Losses of consecutive weeks; the mean over the cells of a week is taken. NaN in either leaves the cell out of
        both, and a week without any adds nothing to the autocovariances.
    horizon : int, default 1
        Errors of forecasts h weeks ahead depend on each other over h - 1 weeks.
    lags : int, optional
        None: the larger of h - 1 and ``floor(4 (n / 100)^(2/9))``, with the weights of Bartlett, which keep V positive,
        because losses of conflict depend on each other for longer than theory says. A number: so many, unweighted, as
        in the original with ``h - 1``; weights of Bartlett if V is not positive.

    Returns
    -------
    DieboldMariano
        NaN with fewer than 8 weeks or ones that do not differ.

    References
    ----------
    Diebold and Mariano (1995), doi:10.1080/07350015.1995.10524599; Harvey, Leybourne and Newbold (1997),
    doi:10.1016/S0169-2070(96)00719-4; Newey and West (1987), doi:10.2307/1913610.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> good, poor = rng.random(104), rng.random(104) + 0.3
    >>> diebold_mariano(good, poor).p < 0.01
    True
    """
    if first.shape != second.shape or first.ndim not in (1, 2) or horizon < 1 or (lags is not None and lags < 0):
        raise InputError(
            f"losses of shapes {first.shape} and {second.shape}, horizon {horizon}, lags {lags}",
            expected="the same shape, (weeks,) or (weeks, cells); a horizon of at least 1; lags of at least 0",
        )
    cells = (first - second).reshape(len(first), -1)
    known = np.isfinite(cells)
    counts = known.sum(axis=1)
    weekly = np.where(known, cells, 0.0).sum(axis=1) / np.maximum(counts, 1)
    n = int((counts > 0).sum())
    if n < 8 or n <= horizon:
        return DieboldMariano(float(weekly.sum() / n) if n else np.nan, np.nan, np.nan, np.nan, n)
    mean = float(weekly.sum() / n)
    deviation = np.where(counts > 0, weekly - mean, 0.0)
    variance = _long_run_variance(deviation, n, horizon, lags)
    if not variance > 1e-30:
        return DieboldMariano(mean, 0.0, np.nan, np.nan, n)
    error = float(np.sqrt(variance / n))
    correction = np.sqrt((n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n)
    statistic = float(mean / error * correction)
    return DieboldMariano(mean, error, statistic, float(2 * stdtr(n - 1, -abs(statistic))), n)


def diebold_mariano_by_horizon(
    first: Floats, second: Floats, *, horizons: NDArray[np.integer] | None = None
) -> pd.DataFrame:
    """Return the test for each horizon.

    Parameters
    ----------
    first, second : ndarray, shape (weeks, horizons, ...)
        Losses by week of origin; NaN where there is none.
    horizons : ndarray of int, optional
        1, 2, .. if not given.

    Returns
    -------
    DataFrame
        horizon, difference, error, statistic, p, n, p_holm: p-values with which a claim about any of the horizons is
        wrong no more often than stated.

    References
    ----------
    Holm (1979), https://www.jstor.org/stable/4615733.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> good, poor = rng.random((104, 2)), rng.random((104, 2)) + 0.3
    >>> diebold_mariano_by_horizon(good, poor)["horizon"].tolist()
    [1, 2]
    """
    steps = np.arange(1, first.shape[1] + 1) if horizons is None else np.asarray(horizons)
    rows = [
        diebold_mariano(first[:, at].reshape(len(first), -1), second[:, at].reshape(len(second), -1), horizon=int(step))
        for at, step in enumerate(steps)
    ]
    table = pd.DataFrame(rows, columns=list(DieboldMariano._fields))
    table.insert(0, "horizon", steps)
    return table.assign(p_holm=holm(table["p"].to_numpy()))


def _long_run_variance(deviation: Floats, n: int, horizon: int, lags: int | None) -> float:
    own = int(max(horizon - 1, np.floor(4 * (n / 100) ** (2 / 9)))) if lags is None else lags
    autocovariance = np.array([deviation[k:] @ deviation[: len(deviation) - k] / n for k in range(own + 1)])
    weights = 1 - np.arange(1, own + 1) / (own + 1)
    if lags is not None:
        plain = float(autocovariance[0] + 2 * autocovariance[1:].sum())
        if plain > 0:
            return plain
    return float(autocovariance[0] + 2 * weights @ autocovariance[1:])


def holm(p: Floats) -> Floats:
    """Return p-values with which a claim about any of several tests is wrong no more often than stated.

    Parameters
    ----------
    p : ndarray, shape (tests,)
        NaN where a test tells nothing.

    References
    ----------
    Holm (1979), https://www.jstor.org/stable/4615733.

    Examples
    --------
    >>> holm(np.array([0.01, 0.5, 0.03])).round(3).tolist()
    [0.03, 0.5, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0) if len(order) else []
    return adjusted
