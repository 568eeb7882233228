"""Scores of samples: CRPS of whole counts by counting them, the part of it above a threshold, and joint paths."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from forecast.compiled import compiled
from forecast.errors import InputError

Floats = NDArray[np.float64]
Counts = NDArray[np.integer]

_GROUP = 32
"""Forecasts that are counted together: their histograms fit the cache, and neighbours never wait for each other."""

_MOST_VALUES = 512
"""Samples below this are counted; a forecast with larger or negative ones is sorted."""


def crps_samples(samples: Counts | Floats, observed: Counts | Floats) -> Floats:
    """Return the continuous ranked probability score of the samples' empirical distribution, exactly.

    ``mean |x - y| - 1/2 mean |x - x'|`` over all samples and pairs of them, equal to the integral of
    ``(F(t) - 1{y <= t})^2``. For whole numbers that is a sum over counts, ``1/m^2 sum over k of (c_k - m 1{y <= k})^2``
    with ``c_k`` the number of samples up to k: they are counted, not sorted, and the sum is of integers.

    Parameters
    ----------
    samples : ndarray, shape (m, ...)
        Whole numbers of any sign, or floats, which are sorted.
    observed : ndarray, shape (...)

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    InputError
        If the shapes do not fit, or there are no samples.

    References
    ----------
    Jordan, Krueger and Lerch (2019), doi:10.18637/jss.v090.i12.

    Examples
    --------
    >>> float(crps_samples(np.array([0, 1]), np.array(0)))
    0.25
    """
    values, y = np.asarray(samples), np.asarray(observed)
    if not values.size or values.shape[1:] != y.shape:
        raise InputError(f"samples of shape {values.shape} for observations of shape {y.shape}", expected="(m, ...)")
    if np.issubdtype(values.dtype, np.integer) and np.issubdtype(y.dtype, np.integer):
        flat: Counts = values.reshape(len(values), -1)  # type: ignore[assignment] # whole numbers, by what was checked
        return np.asarray(_crps_counts(flat, y.reshape(-1).astype(np.int64))).reshape(y.shape)
    return _crps_sorted(values, y)


def twcrps_samples(samples: Counts | Floats, observed: Counts | Floats, threshold: float) -> Floats:
    """Return the threshold-weighted CRPS of samples: the part of the CRPS that lies at or above a threshold.

    ``integral from t of (F(x) - 1{y <= x})^2 dx``, which is the CRPS of ``max(x, t)`` against ``max(y, t)``. Proper,
    unlike the CRPS of only those weeks in which much happened.

    Parameters
    ----------
    samples : ndarray, shape (m, ...)
    observed : ndarray, shape (...)
    threshold : float
        Only differences of the cdfs from here on count; whole for counts.

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Gneiting and Ranjan (2011), doi:10.1198/jbes.2010.08110; as a CRPS of transformed values Allen, Ginsbourger and
    Ziegel (2023), doi:10.1137/22M1532184.

    Examples
    --------
    >>> float(twcrps_samples(np.array([0, 4]), np.array(1), 3))
    0.25
    """
    return crps_samples(_raised(samples, threshold), _raised(observed, threshold))


def smoothed_probability(samples: Counts, observed: Counts) -> Floats:
    r"""Return the probability of a large count by samples, smoothed: their own share at it is 0 or far too coarse.

    Each of the m samples is spread by a normal distribution, whose part between :math:`y \pm 1/2` is taken,

    .. math:: p(y) = \frac1m \sum_i \Phi\Bigl(\frac{y + 1/2 - x_i}{b}\Bigr) - \Phi\Bigl(\frac{y - 1/2 - x_i}{b}\Bigr),
        \qquad b = 0.9 \min\Bigl(s, \frac{\mathrm{IQR}}{1.34}\Bigr) m^{-1/5}

    with the standard deviation s and the bandwidth of Silverman (1986), doi:10.1007/978-1-4899-3324-9, eq. 3.31.

    Parameters
    ----------
    samples : ndarray of int, shape (m, ...)
    observed : ndarray of int, shape (...)

    Returns
    -------
    ndarray, shape (...)
        The share of samples at the count where all of the middle half of them are the same.

    Examples
    --------
    >>> samples = np.random.default_rng(1).poisson(10_000, 1000)
    >>> smoothed_probability(samples, np.array(10_050)).round(4), (samples == 10_050).mean()  # exactly 0.0035
    (np.float64(0.0033), np.float64(0.002))
    """
    low, high = np.quantile(samples, [0.25, 0.75], axis=0)
    wide = 0.9 * np.minimum(samples.std(axis=0), (high - low) / 1.34) * len(samples) ** -0.2
    away, scale = observed - samples, np.where(wide > 0, wide, 1.0)
    smooth = (ndtr((away + 0.5) / scale) - ndtr((away - 0.5) / scale)).mean(axis=0)
    return np.asarray(np.where(wide > 0, smooth, (away == 0).mean(axis=0)))


def energy_score(paths: Counts | Floats, observed: Counts | Floats) -> Floats:
    """Return the energy score of joint sample paths: the CRPS of several dimensions.

    ``mean ||x - y|| - 1/2 mean ||x - x'||`` with Euclidean norms over the last axis: horizons, units, or both.

    Parameters
    ----------
    paths : ndarray, shape (m, ..., d)
    observed : ndarray, shape (..., d)

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Gneiting and Raftery (2007), doi:10.1198/016214506000001437.

    Examples
    --------
    >>> float(energy_score(np.array([[0, 0], [3, 4]]), np.array([0, 0])))
    1.25
    """
    flat, y, shape = _joint(paths, observed)
    return np.asarray(_energy(flat, y)).reshape(shape)


def variogram_score(paths: Counts | Floats, observed: Counts | Floats, *, p: float = 0.5) -> Floats:
    """Return the variogram score of joint sample paths, which sees wrong dependence where the energy score hardly does.

    ``sum over i, j of (|y_i - y_j|^p - mean |x_i - x_j|^p)^2`` over all ordered pairs of the last axis, weights 1.

    Parameters
    ----------
    paths : ndarray, shape (m, ..., d)
    observed : ndarray, shape (..., d)
    p : float, default 0.5
        Order of the variogram.

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    Scheuerer and Hamill (2015), doi:10.1175/MWR-D-14-00269.1.

    Examples
    --------
    >>> float(variogram_score(np.array([[0, 0], [0, 4]]), np.array([0, 4])))
    2.0
    """
    if not p > 0:
        raise InputError(f"a variogram of order {p:g}", expected="above 0")
    flat, y, shape = _joint(paths, observed)
    return np.asarray(_variogram(flat, y, p)).reshape(shape)


def _raised(values: ArrayLike, threshold: float) -> NDArray[np.integer] | Floats:
    """Lift values to the threshold; whole numbers stay whole under a whole threshold."""
    array = np.asarray(values)
    if np.issubdtype(array.dtype, np.integer) and float(threshold).is_integer():
        return np.asarray(np.maximum(array, np.asarray(threshold).astype(array.dtype)), array.dtype)
    return np.asarray(np.maximum(array, threshold), np.float64)


def _joint(paths: Counts | Floats, observed: Counts | Floats) -> tuple[Floats, Floats, tuple[int, ...]]:
    """Return paths (cases, m, d) and observations (cases, d), contiguous, with the shape of the cases."""
    x, y = np.asarray(paths), np.asarray(observed)
    if not x.size or x.shape[1:] != y.shape or y.ndim < 1:
        raise InputError(f"paths of shape {x.shape} for observations of shape {y.shape}", expected="(m, ..., d)")
    cases = np.moveaxis(x, 0, -2).reshape(-1, len(x), y.shape[-1])
    return (
        np.ascontiguousarray(cases, np.float64),
        np.ascontiguousarray(y.reshape(-1, y.shape[-1]), np.float64),
        y.shape[:-1],
    )


def _crps_sorted(samples: NDArray[np.generic], observed: NDArray[np.generic]) -> Floats:
    """Return ``2 / m^2 sum over i of (x_(i) - y) (m 1{y < x_(i)} - i + 1/2)`` over the sorted samples."""
    count = len(samples)
    ordered = np.sort(samples, axis=0)
    rank = np.arange(1, count + 1).reshape(-1, *[1] * (ordered.ndim - 1))
    terms = (ordered - observed) * (count * (ordered > observed) - rank + 0.5)
    return np.asarray(2 * terms.sum(axis=0) / count**2)


@compiled
def _crps_counts(samples: Counts, observed: NDArray[np.int64]) -> Floats:
    """CRPS of each column of whole numbers (m, forecasts)."""
    m, n = samples.shape
    out = np.empty(n)
    # One row a value, so that the low counts that most samples have lie side by side.
    tally = np.zeros((_MOST_VALUES + 1) * _GROUP, np.int32)
    # Whole numbers in float64, which is exact far beyond any such sum and which the processor takes several at a time.
    below, total, y = np.zeros(_GROUP), np.zeros(_GROUP), np.zeros(_GROUP)
    for start in range(0, n, _GROUP):
        size = min(_GROUP, n - start)
        for i in range(m):
            for j in range(size):
                bin_ = min(np.uint64(samples[i, start + j]), np.uint64(_MOST_VALUES))  # a negative one is very large
                tally[bin_ * np.uint64(_GROUP) + np.uint64(j)] += 1
        if tally[_MOST_VALUES * _GROUP :].any():
            tally[:] = 0
            for j in range(size):
                out[start + j] = _crps_column(np.sort(samples[:, start + j]), observed[start + j])
            continue
        below[:], total[:] = 0.0, 0.0
        y[:size] = observed[start : start + size]
        left, value = m * size, 0
        while left > 0:
            row = tally[value * _GROUP : value * _GROUP + size]
            seen = 0
            for j in range(size):
                seen += row[j]
                below[j] += row[j]
                error = below[j] - m if value >= y[j] else below[j]
                total[j] += error * error
            row[:] = 0
            left -= seen
            value += 1
        for j in range(size):
            out[start + j] = total[j] / (m * m) + max(-y[j], 0.0) + max(y[j] - value, 0.0)
    return out


@compiled
def _crps_column(ordered: Counts, y: int) -> float:
    """CRPS of sorted whole numbers; exact as long as m^2 times the largest difference is below 2^63."""
    m = len(ordered)
    total = 0
    for i in range(m):
        value = int(ordered[i])
        total += (value - y) * ((2 * m if value > y else 0) - 2 * i - 1)
    return total / (m * m)


@compiled
def _energy(paths: Floats, observed: Floats) -> Floats:
    cases, m, d = paths.shape
    out = np.empty(cases)
    for case in range(cases):
        near, spread = 0.0, 0.0
        for i in range(m):
            square = 0.0
            for k in range(d):
                square += (paths[case, i, k] - observed[case, k]) ** 2
            near += math.sqrt(square)
            for j in range(i):
                square = 0.0
                for k in range(d):
                    square += (paths[case, i, k] - paths[case, j, k]) ** 2
                spread += math.sqrt(square)
        out[case] = near / m - spread / (m * m)
    return out


@compiled
def _variogram(paths: Floats, observed: Floats, p: float) -> Floats:
    cases, m, d = paths.shape
    out = np.zeros(cases)
    square_root = p == 0.5  # many times as fast
    for case in range(cases):
        for a in range(d):
            for b in range(a):
                mean = 0.0
                for i in range(m):
                    apart = abs(paths[case, i, a] - paths[case, i, b])
                    mean += math.sqrt(apart) if square_root else apart**p
                out[case] += 2 * (abs(observed[case, a] - observed[case, b]) ** p - mean / m) ** 2
    return out
