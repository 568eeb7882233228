"""What escalation probabilities are worth to somebody who acts on them: alarms, lead time, and value by cost and loss.

Arrays are (weeks, units): weeks of origin in order without gaps, NaN where nothing was forecast or the outcome is not
known. `outcome` is 1 where the escalation came within the weeks that the rule looks ahead. A run of consecutive origins
with outcome 1 in a unit is one *episode*.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.evaluation.resampling import BLOCK_WEEKS, block_bootstrap, bootstrap_interval, widened_interval

Floats = NDArray[np.float64]

THRESHOLDS = (0.1, 0.2, 0.3, 0.5, 0.7)
"""Probabilities from which an alarm is raised."""

RATIOS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Cost of acting over loss if caught unprepared."""


def alarms(
    probability: ArrayLike,
    outcome: ArrayLike,
    rng: np.random.Generator,
    *,
    weeks_ahead: int,
    thresholds: Sequence[float] = THRESHOLDS,
    level: float = 0.9,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return hits, false alarms and lead time of raising an alarm when the probability reaches a threshold.

    The first origin of an episode of a rule that looks w weeks ahead sees the escalation in the last of them, so that
    an alarm at the i-th origin of the episode (i = 0, 1, ..) comes ``w - i`` weeks ahead, at least 0: 1 is an alarm for
    the week that is about to begin, 0 one when the escalation is under way.

    Parameters
    ----------
    probability, outcome : array, shape (weeks, units)
    rng : Generator
    weeks_ahead : int
        How far the rule looks.
    thresholds : sequence of float
    level : float, default 0.9
        Of the intervals, by the circular block bootstrap over weeks.
    block : int, default 13
        Weeks.

    Returns
    -------
    DataFrame
        threshold, cases, alarms, hits (alarms that were right), misses, false_alarms, hit_rate (of cases with the
        escalation), false_share (of alarms), false_per_quarter (in 13 weeks, over all units), episodes, warned
        (episodes with any alarm), lead_weeks (mean over the episodes warned); hit_rate, false_share, false_per_quarter
        and lead_weeks each with _low and _high, NaN with fewer than two blocks.

    Raises
    ------
    InputError
        If shapes differ, values are out of range, or nothing is known.

    References
    ----------
    Jolliffe and Stephenson (2012), Forecast Verification, doi:10.1002/9781119960003.

    Examples
    --------
    >>> said, came = np.array([[0.1], [0.6], [0.7], [0.6]]), np.array([[0], [1], [1], [0]])
    >>> found = alarms(said, came, np.random.default_rng(1), weeks_ahead=2, thresholds=[0.5]).iloc[0]
    >>> [float(found[name]) for name in ("hits", "false_alarms", "episodes", "lead_weeks")]
    [2.0, 1.0, 1.0, 2.0]
    """
    p, y, known = _checked(probability, outcome)
    if weeks_ahead < 1:
        raise InputError(f"a rule that looks {weeks_ahead} weeks ahead", expected="at least 1")
    came = known & (y == 1)
    used = known.any(axis=1).astype(np.float64)
    rows = []
    for threshold in thresholds:
        alarm = known & (p >= threshold)
        hits, wrong = (alarm & came).sum(axis=1), (alarm & ~came).sum(axis=1)
        starts, warned, lead = _episodes(came, alarm, weeks_ahead)
        over = np.column_stack([hits, wrong, wrong * BLOCK_WEEKS, lead]).astype(np.float64)
        under = np.column_stack([came.sum(axis=1), alarm.sum(axis=1), used, warned]).astype(np.float64)
        low, high = bootstrap_interval(over, under, rng, level=level, block=block)
        low, high = np.maximum(low, 0.0), np.minimum(high, [1.0, 1.0, np.inf, weeks_ahead])
        row: dict[str, float] = {
            "threshold": float(threshold),
            "cases": int(known.sum()),
            "alarms": int(alarm.sum()),
            "hits": int(hits.sum()),
            "misses": int((came & ~alarm).sum()),
            "false_alarms": int(wrong.sum()),
            "episodes": int(starts.sum()),
            "warned": int(warned.sum()),
        }
        for at, name in enumerate(("hit_rate", "false_share", "false_per_quarter", "lead_weeks")):
            total = under[:, at].sum()
            row[name] = float(over[:, at].sum() / total) if total else np.nan
            row[f"{name}_low"], row[f"{name}_high"] = float(low[at]), float(high[at])
        rows.append(row)
    return pd.DataFrame(rows)


def value_curve(
    probability: ArrayLike,
    outcome: ArrayLike,
    rng: np.random.Generator,
    *,
    ratios: Sequence[float] = RATIOS,
    level: float = 0.9,
    block: int = BLOCK_WEEKS,
) -> pd.DataFrame:
    """Return the value of acting when the probability reaches the ratio of cost to loss.

    Acting costs C, an escalation without it L; a calibrated probability is acted on from ``a = C / L`` on. In units of
    L the mean expense is ``E = a alarms + misses``. The value is ``(E_climate - E) / (E_climate - E_perfect)`` with
    ``E_climate = min(a, s)``, s the base rate: always or never acting, whichever is cheaper, and ``E_perfect = a s``.
    1 is a perfect forecast, 0 one that is worth no more than the base rate, below 0 one that is better not used.

    Parameters
    ----------
    probability, outcome : array, shape (weeks, units)
    rng : Generator
    ratios : sequence of float
        Between 0 and 1.
    level : float, default 0.9
        Of the interval, by the circular block bootstrap over weeks; the base rate is drawn along.
    block : int, default 13
        Weeks.

    Returns
    -------
    DataFrame
        ratio, cases, expense, climate, perfect, value, low, high.

    References
    ----------
    Richardson (2000), doi:10.1002/qj.49712656313.

    Examples
    --------
    >>> said, came = np.array([[0.9], [0.1], [0.1], [0.9]]), np.array([[1], [0], [0], [0]])
    >>> value_curve(said, came, np.random.default_rng(1), ratios=[0.2])["value"].round(3).tolist()
    [0.667]
    """
    p, y, known = _checked(probability, outcome)
    a = np.asarray(ratios, dtype=np.float64)
    if not ((a > 0) & (a < 1)).all():
        raise InputError("a ratio of cost to loss that is not between 0 and 1")
    alarm = known[..., None] & (p[..., None] >= a)
    came = known & (y == 1)
    misses = (came[..., None] & ~alarm).sum(axis=1)
    spent = a * alarm.sum(axis=1) + misses
    # The base rate is drawn along: events and cases of each week stand beside the expense of each ratio.
    events = np.broadcast_to(came.sum(axis=1)[:, None], spent.shape).astype(np.float64)
    cases = np.broadcast_to(known.sum(axis=1)[:, None], spent.shape).astype(np.float64)
    total = cases.sum(axis=0)
    expense, rate = spent.sum(axis=0) / total, events.sum(axis=0) / total
    climate, perfect = np.minimum(a, rate), a * rate
    value = _value(expense, rate, a)
    low, high = _value_interval(value, spent, events, cases, a, rng, level, block)
    return pd.DataFrame(
        {
            "ratio": a,
            "cases": total.astype(np.int64),
            "expense": expense,
            "climate": climate,
            "perfect": perfect,
            "value": value,
            "low": low,
            "high": high,
        }
    )


def _value(expense: Floats, rate: Floats, ratio: Floats) -> Floats:
    gain = np.minimum(ratio, rate) - ratio * rate
    value = np.full(np.shape(expense), np.nan)
    np.divide(np.minimum(ratio, rate) - expense, gain, out=value, where=gain > 1e-15)
    return value


def _value_interval(
    estimate: Floats,
    spent: Floats,
    events: Floats,
    cases: Floats,
    ratio: Floats,
    rng: np.random.Generator,
    level: float,
    block: int,
) -> tuple[Floats, Floats]:
    nothing = np.full(len(ratio), np.nan)
    if len(spent) < 2 * block:
        return nothing, nothing
    drawn = block_bootstrap(len(spent), 2000, rng, block=block)
    expense, came, n = (np.einsum("rw,wk->rk", drawn, part) for part in (spent, events, cases))
    n = np.maximum(n, 1)
    value = _value(expense / n, came / n, np.broadcast_to(ratio, n.shape))
    return widened_interval(estimate, value, blocks=len(spent) / block, level=level)


def _episodes(came: NDArray[np.bool_], alarm: NDArray[np.bool_], weeks_ahead: int) -> tuple[Floats, Floats, Floats]:
    """Return by week of their start: episodes, those with an alarm, and the sum of their lead times."""
    starts, warned, lead = (np.zeros(len(came)) for _ in range(3))
    for unit in range(came.shape[1]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], came[:, unit].astype(np.int8), [0]])))
        for begin, end in edges.reshape(-1, 2):
            starts[begin] += 1
            raised = np.flatnonzero(alarm[begin:end, unit])
            if len(raised):
                warned[begin] += 1
                lead[begin] += max(weeks_ahead - raised[0], 0)
    return starts, warned, lead


def _checked(probability: ArrayLike, outcome: ArrayLike) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if p.ndim != 2 or p.shape != y.shape:
        raise InputError(f"probabilities of shape {p.shape}, outcomes of shape {y.shape}", expected="(weeks, units)")
    known = np.isfinite(p) & np.isfinite(y)
    if not known.any():
        raise InputError("no probability whose outcome is known")
    if not (((p[known] >= 0) & (p[known] <= 1)).all() and np.isin(y[known], (0, 1)).all()):
        raise InputError("probabilities outside [0, 1] or outcomes other than 0 and 1")
    return p, y, known
