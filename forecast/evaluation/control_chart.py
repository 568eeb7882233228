"""Control charts: whether a weekly statistic of known mean has drifted, with a stated rate of false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtr

from forecast.errors import InputError

Floats = NDArray[np.float64]

WEEKS_BETWEEN_FALSE_ALARMS = 1040
"""Twenty years: about one chart in ten raises a false alarm within two years."""
REFERENCE = 0.5
"""Half of the lasting shift, in standard deviations of a week, that the chart is quickest to find."""
_NODES = 60


@dataclass(frozen=True, eq=False)
class ControlChart:
    """Two cumulative sums, of what lies above and below the mean.

    Parameters
    ----------
    value : ndarray, shape (weeks,)
        The statistic of each week in standard deviations; NaN where there is none.
    above, below : ndarray, shape (weeks,)
        At an alarm the sum as it was, and zero in the week after.
    limit : float
        A sum beyond it is an alarm.
    alarms : tuple of (int, str)
        Position of the week, and "above" or "below".
    """

    value: Floats
    above: Floats
    below: Floats
    limit: float
    alarms: tuple[tuple[int, str], ...]


def control_chart(
    statistic: ArrayLike, *, reference: float = REFERENCE, weeks_between: float = WEEKS_BETWEEN_FALSE_ALARMS
) -> ControlChart:
    """Return the self-starting chart of a statistic whose mean is zero as long as all is well.

    ``above(t) = max(0, above(t - 1) + u(t) - k)`` with ``u`` from `standardised`; `below` with ``-u``. The limit is set
    so that, for independent normal values of any variance, `weeks_between` weeks pass on average to a false alarm.

    Parameters
    ----------
    statistic : array, shape (weeks,)
        In order; NaN in weeks of which nothing is known, which change nothing.
    reference : float, default 0.5
        k.
    weeks_between : float, default 1040

    References
    ----------
    Page (1954), doi:10.1093/biomet/41.1-2.100; self-starting: Hawkins (1987), doi:10.2307/2348827.

    Examples
    --------
    >>> drifted = np.r_[np.tile([-1.0, 1.0], 20), np.full(10, 2.0)]
    >>> control_chart(drifted).alarms
    ((43, 'above'), (48, 'above'))
    """
    value = standardised(statistic)
    limit = cusum_limit(reference, weeks_between)
    sums = {"above": np.zeros(len(value)), "below": np.zeros(len(value))}
    alarms = []
    state = dict.fromkeys(sums, 0.0)
    for week, u in enumerate(value):
        for side, sign in (("above", 1.0), ("below", -1.0)):
            if np.isfinite(u):
                state[side] = max(0.0, state[side] + sign * u - reference)
            sums[side][week] = state[side]
            if state[side] > limit:
                alarms.append((week, side))
                state[side] = 0.0
    return ControlChart(value, sums["above"], sums["below"], limit, tuple(alarms))


def standardised(statistic: ArrayLike) -> Floats:
    """Return values of mean zero and unknown variance as standard normal ones, each by those before it.

    ``u(t) = Phi^-1(T(x(t) / s(t)))`` with ``s(t)^2`` the mean square of the n values before and T the cdf of Student's
    t with n degrees of freedom: independent standard normal, if the values are independent and normal.

    Examples
    --------
    >>> standardised([1.0, np.nan, -1.0, 1.0]).round(2).tolist()
    [0.0, nan, -0.67, 0.8]
    """
    x = np.asarray(statistic, np.float64)
    known = np.flatnonzero(np.isfinite(x))
    u = np.full(len(x), np.nan)
    u[known] = 0.0
    before = np.arange(len(known))
    scale = np.sqrt(np.divide(np.r_[0.0, np.cumsum(x[known] ** 2)][:-1], before, where=before > 0, out=0.0 * before))
    told, at, n = scale > 0, known[scale > 0], before[scale > 0]
    # By the upper tail on both sides: near 1 a cdf has no digits left.
    tail = stdtr(n, -np.abs(x[at]) / scale[told])
    u[at] = np.sign(x[at]) * np.minimum(-ndtri(tail), 8.0)
    return u


@cache
def cusum_limit(reference: float, weeks_between: float) -> float:
    """Return the limit at which a two-sided chart raises a false alarm once in so many weeks, on average.

    Examples
    --------
    >>> round(cusum_limit(0.5, 465.4), 2)
    5.0
    """
    if reference <= 0 or weeks_between < 2:
        raise InputError(f"a chart with reference {reference} and {weeks_between} weeks between false alarms")
    most = 8 / reference  # weeks grow as exp(2 reference limit)
    return float(brentq(lambda limit: cusum_weeks(reference, limit) - weeks_between, 1e-3, most, xtol=1e-9))


def cusum_weeks(reference: float, limit: float, shift: float = 0.0) -> float:
    """Return after how many weeks a two-sided chart raises an alarm, on average: the average run length.

    The integral equation ``L(s) = 1 + L(0) Phi(k - s) + int_0^h L(x) phi(x + k - s) dx`` of each side, by
    Gauss-Legendre quadrature; ``1 / L = 1 / L_above + 1 / L_below``.

    Parameters
    ----------
    reference, limit : float
        k and h.
    shift : float, default 0
        Mean of the values, in standard deviations: zero for the time between false alarms.

    References
    ----------
    Brook and Evans (1972), doi:10.1093/biomet/59.3.539; the tables of Montgomery, Introduction to Statistical Quality
    Control: 168 weeks for k = 0.5 and h = 4.

    Examples
    --------
    >>> round(cusum_weeks(0.5, 4.0)), round(cusum_weeks(0.5, 4.0, shift=1.0), 2)
    (168, 8.38)
    """
    return 1 / sum(1 / _one_sided(reference, limit, sign * shift) for sign in (1.0, -1.0))


def _one_sided(reference: float, limit: float, shift: float) -> float:
    """Return the average run length of one side, started at zero."""
    nodes, weights = leggauss(_NODES)
    s, w = limit * (nodes + 1) / 2, limit * weights / 2
    start = np.r_[0.0, s]
    back = ndtr(reference - shift - start)
    onward = np.exp(-((s[None, :] + reference - shift - start[:, None]) ** 2) / 2) / np.sqrt(2 * np.pi) * w
    system = np.eye(len(start)) - np.column_stack([back, onward])
    return float(np.linalg.solve(system, np.ones(len(start)))[0])
