"""What is wrong with forecasts, if anything: coverage, PIT, zeros and sharpness by group, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.evaluation.calibration import COVERAGE_LEVELS, pit_histogram, shares_between, shares_within
from forecast.evaluation.count_tests import MOMENTS, Time, pit_moments, pit_moments_test
from forecast.evaluation.resampling import BLOCK_WEEKS, bootstrap_interval, sums_by, week_numbers

Floats = NDArray[np.float64]

_SEASONS = ("December to February", "March to May", "June to August", "September to November")


def coverage(
    pit: Floats,
    time: Time,
    rng: np.random.Generator,
    *,
    levels: Sequence[float] = COVERAGE_LEVELS,
    confidence: float = 0.9,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return the share of observations within each central interval, with a block-bootstrap interval of that share.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count; rows with NaN are left out.
    time : array of dates or week numbers, shape (cells,)
        Weeks that are close together are resampled together.
    rng : Generator
    levels : sequence of float
    confidence : float, default 0.9
    block : int, default 13
        Weeks.

    Returns
    -------
    DataFrame
        level, n, coverage (as `central_coverage`), low, high (NaN with fewer than two blocks).

    Examples
    --------
    >>> pit = np.tile([[0.3, 0.6], [0.9, 1.0]], (26, 1))
    >>> coverage(pit, np.arange(52), np.random.default_rng(1), levels=[0.5])["coverage"].tolist()
    [0.5]
    """
    known = np.isfinite(pit).all(axis=1)
    inside = shares_within(pit[known], levels)
    week = week_numbers(np.asarray(time)[known])
    weeks = int(week.max(initial=-1)) + 1
    sums, n = sums_by(week, inside, weeks), np.bincount(week, minlength=weeks).astype(np.float64)
    low, high = bootstrap_interval(sums, np.broadcast_to(n[:, None], sums.shape), rng, level=confidence, block=block)
    share = inside.mean(axis=0) if len(inside) else np.full(len(levels), np.nan)
    return pd.DataFrame(
        {
            "level": list(levels),
            "n": len(inside),
            "coverage": share,
            "low": np.clip(low, 0, 1),
            "high": np.clip(high, 0, 1),
        }
    )


def pit_band(
    pit: Floats,
    time: Time,
    rng: np.random.Generator,
    *,
    bins: int = 10,
    level: float = 0.9,
    replicates: int = 2000,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return the PIT histogram with the band in which all of it lies at once, if the forecasts are right.

    The non-randomised PIT puts a share of each cell into each bin whose mean is the width of the bin. The deviations of
    blocks of weeks are given random signs (wild block bootstrap); the band is that multiple of each bin's standard
    error that the largest of all bins stays below with probability `level`.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count; rows with NaN are left out.
    time : array of dates or week numbers, shape (cells,)
    rng : Generator
    bins : int, default 10
    level : float, default 0.9
        Of all bins together.
    replicates : int, default 2000
    block : int, default 13
        Weeks.

    Returns
    -------
    DataFrame
        left, right, density, low, high (NaN with fewer than 5 blocks).

    References
    ----------
    Czado, Gneiting and Held (2009), doi:10.1111/j.1541-0420.2009.01191.x; the bootstrap with the hypothesis imposed
    Cameron, Gelbach and Miller (2008), doi:10.1162/rest.90.3.414.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> u = rng.random(2000)
    >>> found = pit_band(np.column_stack([u, u]), np.arange(2000) // 10, rng)
    >>> bool(found["density"].between(found["low"], found["high"]).all())
    True
    """
    known = np.isfinite(pit).all(axis=1)
    table = pit_histogram(pit, bins)
    table["low"], table["high"] = np.nan, np.nan
    labels, at = np.unique(week_numbers(np.asarray(time)[known]) // block, return_inverse=True)
    if len(labels) < 5:
        return table
    edges = np.linspace(0.0, 1.0, bins + 1)
    deviation = np.column_stack([shares_between(pit[known], left, right) for left, right in pairwise(edges)]) - 1 / bins
    sums = sums_by(at, deviation, len(labels))
    error = np.sqrt((sums**2).sum(axis=0))
    sign = rng.choice([-1.0, 1.0], size=(replicates, len(labels)))
    drawn = np.abs(np.einsum("rb,bk->rk", sign, sums))
    largest = np.divide(drawn, error, out=np.zeros_like(drawn), where=error > 0).max(axis=1)
    half = np.quantile(largest, level) * error * bins / known.sum()
    table["low"], table["high"] = 1 - half, 1 + half
    return table


def marginal_calibration(pmf: Floats, observed: NDArray[np.integer]) -> pd.DataFrame:
    """Return how often each count was forecast and how often it came: marginal calibration.

    Parameters
    ----------
    pmf : ndarray, shape (cells, k)
        Probabilities of 0 .. k - 1.
    observed : ndarray of int, shape (cells,)

    Returns
    -------
    DataFrame
        One row a count 0 .. k - 1: count, forecast (mean probability), observed (share), difference (of the cdfs,
        forecast less observed: above 0 where too many low counts were forecast).

    References
    ----------
    Gneiting, Balabdaoui and Raftery (2007), doi:10.1111/j.1467-9868.2007.00587.x; for counts Czado, Gneiting and Held
    (2009), doi:10.1111/j.1541-0420.2009.01191.x.

    Examples
    --------
    >>> marginal_calibration(np.array([[0.5, 0.5], [0.7, 0.3]]), np.array([0, 1]))["forecast"].tolist()
    [0.6, 0.4]
    """
    if pmf.ndim != 2 or not len(pmf) or observed.shape != pmf.shape[:1]:
        raise InputError(f"pmf of shape {pmf.shape} for observations of shape {observed.shape}")
    k = pmf.shape[1]
    said = pmf.mean(axis=0)
    came = np.bincount(observed[observed < k], minlength=k) / len(observed)
    return pd.DataFrame(
        {"count": np.arange(k), "forecast": said, "observed": came, "difference": np.cumsum(said) - np.cumsum(came)}
    )


def sharpness(
    quantiles: NDArray[np.generic], levels: Sequence[float], intervals: Sequence[float] = COVERAGE_LEVELS
) -> pd.Series:
    """Return the mean width of central intervals: of two calibrated forecasts the sharper one is better.

    Parameters
    ----------
    quantiles : ndarray, shape (levels, cells)
    levels : sequence of float
    intervals : sequence of float
        Those whose two ends are among the levels are given.

    Returns
    -------
    Series
        Mean width, in counts, by interval.

    Examples
    --------
    >>> sharpness(np.array([[0, 1], [2, 5]]), [0.25, 0.75]).to_dict()
    {0.5: 3.0}
    """
    at = np.asarray(levels, dtype=np.float64)
    widths = {}
    for interval in intervals:
        ends = [np.flatnonzero(np.isclose(at, 0.5 + side * interval / 2)) for side in (-1, 1)]
        if all(len(end) for end in ends):
            widths[float(interval)] = float((quantiles[ends[1][0]] - quantiles[ends[0][0]]).mean())
    return pd.Series(widths, name="width", dtype=np.float64)


def season(time: ArrayLike | pd.DatetimeIndex | pd.Series) -> NDArray[np.str_]:
    """Return the season of each date, as the name of its three months.

    Examples
    --------
    >>> season(pd.DatetimeIndex(["2026-01-03", "2026-07-04"])).tolist()
    ['December to February', 'June to August']
    """
    month = pd.DatetimeIndex(np.asarray(time)).month.to_numpy()
    return np.asarray([_SEASONS[at] for at in month % 12 // 3], dtype=np.str_)


def diagnose(
    pit: Floats,
    time: Time,
    rng: np.random.Generator,
    *,
    groups: Mapping[str, ArrayLike] | None = None,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return how calibrated forecasts are, over all of them and within groups, each with its verdict.

    Parameters
    ----------
    pit : ndarray, shape (cells, 2)
        Cdf at the observed count less one, and at the observed count; rows with NaN are left out.
    time : array of dates or week numbers, shape (cells,)
    rng : Generator
    groups : mapping of name to array of labels, shape (cells,), optional
        Such as horizon, class of region, `season`, year.
    block : int, default 13
        Weeks.

    Returns
    -------
    DataFrame
        group, label, n, cov50, cov80, cov95, with cov80_low and cov80_high, bias (mean of PIT - 1/2, above 0 where more
        came than was forecast), bias_p, dispersion (above 0 where forecasts are too narrow), dispersion_p, verdict. The
        first row is over all.

    Examples
    --------
    >>> u = np.random.default_rng(1).random(1040)
    >>> found = diagnose(np.column_stack([u, u]), np.arange(1040) // 10, np.random.default_rng(2))
    >>> found["verdict"].tolist()
    ['no fault found']
    """
    when = np.asarray(time)
    parts: list[tuple[str, object, NDArray[np.bool_]]] = [("all", "all", np.ones(len(pit), np.bool_))]
    for name, labels in (groups or {}).items():
        values = np.asarray(labels)
        if len(values) != len(pit):
            raise InputError(f"{len(values)} labels of {name!r} for {len(pit)} cells")
        parts += [(name, label, values == label) for label in pd.unique(pd.Series(values).sort_values())]
    rows = []
    for name, label, within in parts:
        cells, at = pit[within], when[within]
        found = coverage(cells, at, rng, block=block)
        row: dict[str, Any] = {"group": name, "label": label, "n": int(found["n"].iloc[0])}
        for _, line in found.iterrows():
            row[f"cov{line['level'] * 100:g}"] = line["coverage"]
        row["cov80_low"], row["cov80_high"] = found.loc[found["level"] == 0.8, ["low", "high"]].iloc[0]
        known = cells[np.isfinite(cells).all(axis=1)]
        for moment in MOMENTS:
            row[moment] = float(pit_moments(known, moment).mean()) if len(known) else np.nan
            row[f"{moment}_p"] = pit_moments_test(cells, at, moment=moment, block=block).p
        row["verdict"] = verdict(row["bias"], row["bias_p"], row["dispersion"], row["dispersion_p"])
        rows.append(row)
    return pd.DataFrame(rows)


def verdict(
    bias: float, bias_p: float, dispersion: float, dispersion_p: float, *, level: float = 0.05, slight: float = 0.02
) -> str:
    """Return in words what the PIT says.

    Parameters
    ----------
    bias, bias_p, dispersion, dispersion_p : float
        As in `diagnose`; NaN where there is too little to tell.
    level : float, default 0.05
        Of both tests together; each is held to half of it.
    slight : float, default 0.02
        A bias of at most this, or a dispersion of at most five times this, is called slight. A bias of 0.02 is a PIT
        whose mean is 0.52 instead of 0.5.

    Returns
    -------
    str

    Examples
    --------
    >>> verdict(0.06, 0.001, 0.4, 0.002)
    'too low, too narrow'
    >>> verdict(0.01, 0.001, 0.0, 0.5)
    'slightly too low'
    >>> verdict(0.01, float("nan"), 0.0, 0.5)
    'too few weeks to tell'
    """
    if np.isnan(bias_p) or np.isnan(dispersion_p):
        return "too few weeks to tell"
    faults = []
    for value, p, words, small in (
        (bias, bias_p, ("too high", "too low"), slight),
        (dispersion, dispersion_p, ("too wide", "too narrow"), 5 * slight),
    ):
        if p < level / 2:
            faults.append(f"{'slightly ' if abs(value) <= small else ''}{words[value > 0]}")
    return ", ".join(faults) or "no fault found"
