"""Events known only to their day: jitter within the day, or the likelihood of daily counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize

from forecast.errors import InputError
from forecast.predictive.negbin import logpmf
from forecast.processes.exponential import Exponential
from forecast.processes.exponential_fit import ExponentialFit, fit_exponential
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.simulate import simulate_clusters

Floats = NDArray[np.float64]

NAMES = Exponential._fields
Z95 = 1.959963984540054


def jittered(days: ArrayLike, duration: int, rng: np.random.Generator) -> History:
    """Place each event at a uniform time within its day.

    Parameters
    ----------
    days : array of int, shape (events,)
        Day of each event, 0 to ``duration - 1``.
    duration : int
        Days of the window.
    rng : Generator

    Examples
    --------
    >>> jittered([0, 0, 2], 3, np.random.default_rng(1)).times.astype(int)
    array([0, 0, 2])
    """
    day = _checked_days(days, duration)
    return History.of(np.sort(day + rng.random(len(day))), end=float(duration))


def fit_jittered(days: ArrayLike, duration: int, rng: np.random.Generator, *, draws: int = 20) -> pd.DataFrame:
    """Fit the exponential process to several jittered histories and pool the fits.

    Estimates are averaged in their logarithms; the variance is that within fits plus ``1 + 1 / draws`` times that
    between them (Rubin 1987, https://doi.org/10.1002/9780470316696). Jitter spreads over a day what followed within
    hours: where delays are shorter than about a day the decay comes out too low. `fit_daily` does not mind.

    Returns
    -------
    DataFrame
        Index baseline, branching, decay; estimate, low, high (95 %), between (share of the variance from jitter).
    """
    if draws < 2:
        raise InputError(f"{draws} draws", expected="at least 2")
    fits = [fit_exponential(jittered(days, duration, rng)) for _ in range(draws)]
    logs = np.log([found.parameters for found in fits])
    within = np.nanmean([np.diag(found.covariance) for found in fits], axis=0)
    between = (1 + 1 / draws) * logs.var(axis=0, ddof=1)
    return _table(logs.mean(axis=0), np.sqrt(within + between)).assign(between=between / (within + between))


class DailyFit(NamedTuple):
    """The maximum of the likelihood of daily counts.

    Parameters
    ----------
    parameters : Exponential
        Times in days.
    loglik : float
        In nats, of counts: not to be compared with that of times.
    table : DataFrame
        Index baseline, branching, decay; estimate, low, high (95 %).
    """

    parameters: Exponential
    loglik: float
    table: pd.DataFrame


def daily_loglik(counts: ArrayLike, parameters: Exponential) -> float:
    r"""Return the log-likelihood of daily counts of the exponential process, each day given those before.

    The exact likelihood of counts is out of reach. Here earlier days' events are spread evenly over their days, which
    gives the rate at the start of a day, :math:`\lambda_0`; given that rate, mean and variance of the day's count are
    exact, including the events that it triggers within itself, and its distribution is the negative binomial of these
    moments. With :math:`\kappa = \beta (1 - n)` the mean is

    .. math:: \frac{\beta\mu}{\kappa} + \Bigl(\lambda_0 - \frac{\beta\mu}{\kappa}\Bigr) \frac{1 - e^{-\kappa}}{\kappa} .

    The moments solve linear equations (Dassios & Zhao 2011, https://doi.org/10.1239/aap/1316792671). Counts of
    intervals as data for Hawkes processes: Kirchner (2016), https://doi.org/10.1016/j.spa.2016.02.008.

    Parameters
    ----------
    counts : array of int, shape (days,)
    parameters : Exponential

    Examples
    --------
    >>> round(daily_loglik([0, 2, 1, 0], Exponential(baseline=0.5, branching=0.5, decay=1.0)), 4)
    -4.9274
    """
    y = _checked_counts(counts)
    mu, n, beta = parameters
    shares, kept = (1.0 - np.exp(-beta)) / beta, np.exp(-beta)
    past = np.concatenate([[0.0], _discounted(y * shares, kept)[:-1]])
    base, slope = _moments(mu, n, beta)
    start = mu + n * beta * past
    mean = base[0] + slope[0] * start
    excess = np.maximum(base[1] + slope[1] * start, 1e-10 * mean**2)
    return float(logpmf(y, mean, mean**2 / excess).sum())


def fit_daily(counts: ArrayLike) -> DailyFit:
    """Fit the exponential process to daily counts, with `daily_loglik`; branching below 1.

    Parameters
    ----------
    counts : array of int, shape (days,)

    Raises
    ------
    InputError
        If there are fewer than 10 events.
    """
    y = _checked_counts(counts)
    if y.sum() < 10:
        raise InputError(f"{y.sum()} events", where="counts", expected="at least 10")

    def loss(at: Floats) -> float:
        return -daily_loglik(y, _natural(at))

    starts = [np.array([np.log(0.5 * y.mean()), 0.0, np.log(beta)]) for beta in (0.03, 0.3, 2.0)]
    bounds = [(-20.0, 10.0), (-12.0, 12.0), (np.log(1e-3), np.log(100.0))]
    found = min(
        (optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts), key=lambda f: f.fun
    )
    at = np.asarray(found.x)
    curvature = _curvature(loss, at)
    try:
        linalg.cholesky(curvature)
        errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    except np.linalg.LinAlgError:
        errors = np.full(3, np.nan)
    ends = np.array([_natural(at), _natural(at - Z95 * errors), _natural(at + Z95 * errors)])
    table = pd.DataFrame(ends.T, index=list(NAMES), columns=["estimate", "low", "high"])
    return DailyFit(_natural(at), -float(found.fun), table)


def effect_of_days(truth: Exponential, duration: int, rng: np.random.Generator, *, draws: int = 20) -> pd.DataFrame:
    """Show what knowing only the day does: simulate, forget the times of day, and fit in each way.

    Returns
    -------
    DataFrame
        method (exact times; midnight: all events at the start of their day; jittered; daily counts), parameter, truth,
        estimate, low, high.

    Examples
    --------
    >>> table = effect_of_days(Exponential(0.5, 0.6, 0.3), 1500, np.random.default_rng(1), draws=5)
    >>> table.query("parameter == 'branching'").set_index("method")["estimate"].round(1).to_dict()
    {'exact times': 0.6, 'midnight': 0.4, 'jittered': 0.6, 'daily counts': 0.6}
    """
    model = Hawkes.exponential(*truth)
    history = simulate_clusters(model, float(duration), rng)
    days = history.times.astype(np.int64)
    midnight = History.of(days.astype(np.float64), end=float(duration))
    tables = {
        "exact times": _of_fit(fit_exponential(history)),
        "midnight": _of_fit(fit_exponential(midnight)),
        "jittered": fit_jittered(days, duration, rng, draws=draws).drop(columns="between"),
        "daily counts": fit_daily(np.bincount(days, minlength=duration)).table,
    }
    table = pd.concat(tables, names=["method", "parameter"]).reset_index()
    table.insert(2, "truth", table["parameter"].map(truth._asdict()))
    return table


def _of_fit(found: ExponentialFit) -> pd.DataFrame:
    return _table(np.log(found.parameters), np.sqrt(np.diag(found.covariance)))


def _table(logs: Floats, errors: Floats) -> pd.DataFrame:
    columns = {"estimate": np.exp(logs), "low": np.exp(logs - Z95 * errors), "high": np.exp(logs + Z95 * errors)}
    return pd.DataFrame(columns, index=list(NAMES))


def _natural(at: Floats) -> Exponential:
    return Exponential(float(np.exp(at[0])), float(1.0 / (1.0 + np.exp(-at[1]))), float(np.exp(at[2])))


def _discounted(values: Floats, kept: float) -> Floats:
    """Return ``s_d = kept s_{d-1} + values_d``, the excitation left at the end of each day."""
    from scipy.signal import lfilter  # noqa: PLC0415 - slow to import, and needed only here

    return np.asarray(lfilter([1.0], [1.0, -kept], values))


def _moments(mu: float, n: float, beta: float) -> tuple[Floats, Floats]:
    """Mean of a day's count, and variance less mean, each affine in the rate at its start: values at 0 and slopes.

    Linear equations for 1, E rate, E count, Var rate, Cov(rate, count), Var count, all but the first two from 0.
    """
    kappa, jump = beta * (1.0 - n), n * beta
    change = np.zeros((6, 6))
    change[1, :2] = beta * mu, -kappa
    change[2, 1] = 1.0
    change[3, [1, 3]] = jump**2, -2.0 * kappa
    change[4, [1, 3, 4]] = jump, 1.0, -kappa
    change[5, [1, 4]] = 1.0, 2.0
    end = linalg.expm(change)
    rows = np.vstack([end[2], end[5] - end[2]])
    return rows[:, 0], rows[:, 1]


def _curvature(function: Callable[[Floats], float], at: Floats, size: float = 1e-3) -> Floats:
    """Return the Hessian by central differences of values."""
    steps = size * np.eye(len(at))
    out = np.empty((len(at), len(at)))
    for i, one in enumerate(steps):
        for j, two in enumerate(steps):
            corners = [a * b * function(at + a * one + b * two) for a in (1, -1) for b in (1, -1)]
            out[i, j] = sum(corners) / (4 * size * size)
    return out


def _checked_days(days: ArrayLike, duration: int) -> NDArray[np.int64]:
    day = np.asarray(days)
    if day.ndim != 1 or not np.issubdtype(day.dtype, np.integer) or not len(day):
        raise InputError("days that are not whole numbers", where="days", expected="at least one, from 0")
    if day.min() < 0 or day.max() >= duration:
        raise InputError(f"days from {day.min()} to {day.max()}", where="days", expected=f"0 to {duration - 1}")
    return day.astype(np.int64)


def _checked_counts(counts: ArrayLike) -> NDArray[np.int64]:
    y = np.asarray(counts)
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer) or not len(y) or y.min() < 0:
        raise InputError("counts that are not whole numbers from 0", where="counts", expected="one a day")
    return y.astype(np.int64)
