"""Conformal levels that follow what came: coverage in the long run, whatever happens, with whole-numbered limits.

The state is a level of the forecast's cdf, not a width in counts. A count covers not by a yes or no but by the share of
its randomised PIT that lies below the level: a week without an event in a region that hardly ever has one then counts
for what it is worth, and the levels of sparse regions do not sink towards zero as they would if every such week were a
full success. Limits are quantiles of the forecast at the level, and whole numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]

RATE = 0.01
SATURATION = 2.0
INTEGRAL = 0.05


def share_below(pairs: ArrayLike, level: ArrayLike) -> Floats:
    r"""Return the probability that the randomised PIT lies below a level, averaged over cells.

    .. math:: \min\Big(\max\Big(\frac{q - F(y - 1)}{F(y) - F(y - 1)}, 0\Big), 1\Big)

    Parameters
    ----------
    pairs : array_like, shape (cells, 2)
        Cdf below, and at, what came; without NaN.
    level : array_like, shape (levels,)
        Any numbers: below 0 nothing is covered, from 1 on everything.

    Returns
    -------
    ndarray, shape (levels,)

    Examples
    --------
    >>> share_below([[0.2, 0.6], [0.0, 0.8]], [0.4, 1.2]).tolist()
    [0.5, 1.0]
    """
    below, upto = np.clip(np.asarray(pairs, dtype=np.float64), 0.0, 1.0).T[:, :, None]
    width = np.maximum(upto - below, 1e-12)  # so that a level of 1 covers everything, and none below 0 anything
    start = np.minimum(below, 1.0 - width)
    return np.asarray(np.clip((np.asarray(level, dtype=np.float64) - start) / width, 0.0, 1.0).mean(axis=0))


def adaptive_levels(
    pairs: ArrayLike, target: ArrayLike, *, rate: float = RATE, delay: int = 1, start: ArrayLike | None = None
) -> Floats:
    r"""Return the level to state at each step, by adaptive conformal inference.

    .. math:: q_{t+1} = q_t + \gamma\,(\beta - c_{t+1-d})

    with the share :math:`c_t` of the PIT of step t that lay below :math:`q_t`. For any sequence of forecasts and
    counts, the mean of c over T steps is within `adaptive_error_bound` of :math:`\beta`.

    Parameters
    ----------
    pairs : array_like, shape (steps, 2) or (steps, cells, 2)
        Cdf below, and at, what came, of cells that share one level, such as the regions of a class. NaN where nothing
        is known; a step without any known cell changes nothing.
    target : array_like, shape (levels,)
        :math:`\beta`, the share that should lie below: 0.05 and 0.95 for the limits of a 90 % interval.
    rate : float
        :math:`\gamma`, how far one case moves the level.
    delay : int
        d: the level of a step knows the outcomes up to d steps before; the horizon, for weekly forecasts.
    start : array_like, shape (levels,), optional
        In [0, 1]; the target if not given.

    Returns
    -------
    ndarray, shape (steps + 1, levels)
        Before each step, and for the next. Outside [0, 1] it means no count at all, or every count.

    Raises
    ------
    InputError
        If shapes or settings do not fit.

    Notes
    -----
    Levels are followed each by itself and may cross for a while; sort them before use.

    References
    ----------
    Gibbs & Candès (2021), doi:10.48550/arXiv.2106.00170.

    Examples
    --------
    Forecasts that are too low: what comes is always above the middle.

    >>> adaptive_levels([[0.5, 1.0]] * 500, [0.5])[-1].round(2).tolist()
    [0.75]
    """
    steps, wanted, level = _checked(pairs, target, start, delay)
    if not rate > 0:
        raise InputError(f"a rate of {rate:g}", expected="a positive number")
    out = np.tile(level, (len(steps) + 1, 1))
    off = np.zeros((len(steps), len(wanted)))
    for t, step in enumerate(steps):
        if len(step):
            off[t] = wanted - share_below(step, out[t])
        out[t + 1] = out[t] + (rate * off[t + 1 - delay] if t + 1 >= delay else 0.0)
    return out


def pid_levels(
    pairs: ArrayLike,
    target: ArrayLike,
    *,
    rate: float = RATE,
    integral: float = INTEGRAL,
    saturation: float = SATURATION,
    delay: int = 1,
    start: ArrayLike | None = None,
    expected: ArrayLike | None = None,
) -> Floats:
    r"""Return the level to state at each step, by conformal PID control.

    .. math:: q_{t+1} &= \min(\max(p_{t+1} + s_{t+1}, 0), 1) + r_n(E_t) \\
              p_{t+1} &= \min(\max(p_t + \gamma (\beta - c_{t+1-d}), 0), 1) \\
              r_n(E) &= K \tan\big(E / (C \sqrt{n + 1})\big), \quad \pm\infty \text{ from }
              |E| = \tfrac{\pi}{2} C \sqrt{n + 1} \text{ on}

    with the sum :math:`E_t` of :math:`\beta - c` over the n outcomes known by then: a part in proportion to the last
    error, one to the sum of errors, and what is expected to change (s). The sum alone bounds the error of coverage
    (`pid_error_bound`) for any sequence, and at any rate, whatever the other two parts do.

    Parameters
    ----------
    pairs, target, rate, delay, start
        As for `adaptive_levels`; here the rate may be 0.
    integral : float
        K, how strongly the sum of errors pulls.
    saturation : float
        C, how large it may grow: the error of random noise alone is about :math:`\sqrt{\beta (1 - \beta) n}`.
    expected : array_like, shape (steps + 1, levels), optional
        s, known before each step; 0 if not given.

    Returns
    -------
    ndarray, shape (steps + 1, levels)
        As for `adaptive_levels`; infinite where the sum of errors has reached its bound.

    Notes
    -----
    Differs from the paper in the growth :math:`\sqrt n` in place of :math:`n / \log n`, which its theorem allows and
    which bounds the error earlier, and in that p is kept within [0, 1].

    References
    ----------
    Angelopoulos, Candès & Tibshirani (2023), doi:10.48550/arXiv.2307.16895.

    Examples
    --------
    >>> pid_levels([[0.5, 1.0]] * 500, [0.5])[-1].round(2).tolist()
    [0.75]
    """
    steps, wanted, level = _checked(pairs, target, start, delay)
    if not (rate >= 0 and integral > 0 and saturation > 0):
        raise InputError(
            f"a rate of {rate:g}, integral of {integral:g}, saturation of {saturation:g}",
            expected="a rate >= 0, the others > 0",
        )
    shift = np.zeros((len(steps) + 1, len(wanted))) if expected is None else np.asarray(expected, dtype=np.float64)
    if shift.shape != (len(steps) + 1, len(wanted)):
        raise InputError(f"expected changes of shape {shift.shape}", expected=f"({len(steps) + 1}, {len(wanted)})")
    out = np.empty((len(steps) + 1, len(wanted)))
    off, total, known = np.zeros((len(steps), len(wanted))), np.zeros(len(wanted)), 0
    for t in range(len(steps) + 1):
        at = t - delay
        if at >= 0 and len(steps[at]):
            known += 1
            total = total + off[at]
            level = np.clip(level + rate * off[at], 0.0, 1.0)
        angle = total / (saturation * np.sqrt(known + 1))
        far = np.abs(angle) >= np.pi / 2
        pull = np.where(far, np.copysign(np.inf, angle), integral * np.tan(np.where(far, 0.0, angle)))
        out[t] = np.clip(level + shift[t], 0.0, 1.0) + pull
        if t < len(steps) and len(steps[t]):
            off[t] = wanted - share_below(steps[t], out[t])
    return out


def adaptive_error_bound(
    steps: int, target: float, *, rate: float = RATE, delay: int = 1, start: float | None = None
) -> float:
    r"""Return how far the mean coverage of `adaptive_levels` can be from its target, for any sequence whatever.

    .. math:: \Big|\frac1T \sum_t c_t - \beta\Big| \le
              \frac{\max(1 - q_1 + d \gamma \beta,\; q_1 + d \gamma (1 - \beta))}{\gamma T}

    as levels stay within :math:`[-d \gamma (1 - \beta), 1 + d \gamma \beta]`: beyond 0 and 1 the outcome is certain.

    Parameters
    ----------
    steps : int
        T, those of which something is known.
    target, rate, delay, start
        As for `adaptive_levels`.

    Examples
    --------
    >>> adaptive_error_bound(1000, 0.5, rate=0.05)
    0.0105
    """
    first = target if start is None else start
    up, down = 1 - first + delay * rate * target, first + delay * rate * (1 - target)
    return max(up, down) / (rate * steps)


def pid_error_bound(steps: int, *, saturation: float = SATURATION, delay: int = 1) -> float:
    r"""Return how far the mean coverage of `pid_levels` can be from its target, for any sequence whatever.

    .. math:: \Big|\frac1T \sum_t c_t - \beta\Big| \le \frac{\tfrac{\pi}{2} C \sqrt{T + 1} + d}{T}

    Examples
    --------
    >>> round(pid_error_bound(10_000), 4)
    0.0315
    """
    return (np.pi / 2 * saturation * float(np.sqrt(steps + 1)) + delay) / steps


def level_limits(pmf: ArrayLike, low: ArrayLike, high: ArrayLike) -> NDArray[np.int64]:
    r"""Return the counts between two levels of a forecast.

    All counts y with some of :math:`(F(y - 1), F(y)]` between the levels, so that they cover at least what the levels
    do; the smallest and the largest of them. If the levels have crossed or passed each other, those in between.

    Parameters
    ----------
    pmf : array_like, shape (..., k)
    low, high : array_like, shape (...)
        Any numbers, as the levels of `adaptive_levels` are.

    Returns
    -------
    ndarray of int, shape (..., 2)
        At most k - 1, which may mean more than that.

    Examples
    --------
    >>> level_limits([0.5, 0.3, 0.2], 0.5, 0.9).tolist()
    [1, 2]
    """
    cdf = np.cumsum(np.asarray(pmf, dtype=np.float64), axis=-1)
    first, last = np.minimum(low, high), np.maximum(low, high)
    slack = 1e-12  # cumulative sums round
    smallest = (cdf <= np.asarray(first)[..., None] + slack).sum(axis=-1)
    largest = (cdf < np.asarray(last)[..., None] - slack).sum(axis=-1)
    most = cdf.shape[-1] - 1
    smallest = np.minimum(smallest, most)
    return np.stack([smallest, np.clip(largest, smallest, most)], axis=-1)


def _checked(
    pairs: ArrayLike, target: ArrayLike, start: ArrayLike | None, delay: int
) -> tuple[list[Floats], Floats, Floats]:
    """Return the known cells of each step, the targets, and the first levels."""
    values, wanted = np.asarray(pairs, dtype=np.float64), np.atleast_1d(np.asarray(target, dtype=np.float64))
    if values.ndim == 2:
        values = values[:, None, :]
    if values.ndim != 3 or values.shape[2] != 2:
        raise InputError(f"pairs of shape {np.shape(pairs)}", expected="(steps, 2) or (steps, cells, 2)")
    first = wanted if start is None else np.atleast_1d(np.asarray(start, dtype=np.float64))
    if wanted.ndim != 1 or first.shape != wanted.shape or not ((wanted > 0) & (wanted < 1)).all():
        raise InputError(f"targets of shape {wanted.shape}, first levels of {first.shape}", expected="in (0, 1), alike")
    if not ((first >= 0) & (first <= 1)).all() or delay < 1:
        raise InputError(f"first levels {first.tolist()} and a delay of {delay}", expected="in [0, 1]; at least 1")
    known = np.asarray(np.isfinite(values).all(axis=2))
    return [step[here] for step, here in zip(values, known, strict=True)], wanted, first
