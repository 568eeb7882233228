"""Simulation forward: every path feeds on its own counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive import negbin

Floats = NDArray[np.float64]
Paths = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Outlook:
    """All that the weeks ahead depend on.

    Parameters
    ----------
    past : ndarray, shape (units, order)
        The last weeks, newest last.
    factor : ndarray, shape (3, horizon, units)
        Of the own past, of the neighbours' past, and the endemic mean.
    lag : ndarray, shape (order,)
    start, receiver : ndarray of int
        Pairs of units; see `Pairs`.
    weight : ndarray, shape (pairs,)
    size : ndarray, shape (units,)
    cap : float
        No mean is above it, so that no path explodes.
    """

    past: Floats
    factor: Floats
    lag: Floats
    start: NDArray[np.int64]
    receiver: NDArray[np.int64]
    weight: Floats
    size: Floats
    cap: float


def simulate(outlook: Outlook, draws: int, rng: np.random.Generator) -> tuple[Paths, Floats]:
    """Simulate week by week.

    Parameters
    ----------
    outlook : Outlook
    draws : int
    rng : Generator

    Returns
    -------
    paths : ndarray of int32, shape (draws, horizon, units)
    pmf : ndarray, shape (horizon, units, k)
        Averaged over the conditional distributions of the paths; exact for the first week.
    """
    _, horizon, units = outlook.factor.shape
    order = len(outlook.lag)
    paths = np.zeros((draws, horizon, units), dtype=np.int32)
    heads = []
    for week in range(horizon):
        still = np.zeros((1, order, units), dtype=np.float64)  # the weeks that are known, at the lags that reach them
        known = min(order, max(order - week, 0))
        still[0, :known] = outlook.past.T[order - known :]
        lags = np.zeros(order)
        lags[:known] = outlook.lag[week:][:known][::-1]
        base_own, base_near = _fed(still, lags, outlook.start, outlook.receiver, outlook.weight)
        if week:
            recent = paths[:, max(week - order, 0) : week]
            own, near = _fed(
                recent, outlook.lag[: recent.shape[1]][::-1].copy(), outlook.start, outlook.receiver, outlook.weight
            )
            own += base_own
            near += base_near
        else:
            own, near = base_own, base_near
        # In place: with thousands of units a copy for each sum would cost more than the sum.
        own *= outlook.factor[0, week]
        near *= outlook.factor[1, week]
        own += near
        own += outlook.factor[2, week]
        mean = np.minimum(own, outlook.cap, out=own)
        heads.append(negbin.mixture_pmf(mean, outlook.size))
        drawn = negbin.sample(np.broadcast_to(mean, (draws, units)), outlook.size, rng)
        np.minimum(drawn, np.iinfo(np.int32).max, out=paths[:, week], casting="unsafe")
    pmf = np.zeros((horizon, units, max(head.shape[1] for head in heads)))
    for week, head in enumerate(heads):
        pmf[week, :, : head.shape[1]] = head
    return paths, pmf


@compiled
def _fed(
    weeks: NDArray[np.generic],
    lag: Floats,
    start: NDArray[np.int64],
    receiver: NDArray[np.int64],
    weight: Floats,
) -> tuple[Floats, Floats]:
    """Return the lagged sums of some weeks, oldest first, of each path: of the unit itself and around it.

    `weeks` has shape (draws, weeks, units), the results (draws, units).
    """
    draws, count, units = weeks.shape
    own, near = np.zeros((draws, units)), np.zeros((draws, units))
    for path in range(draws):
        for week in range(count):
            if lag[week] == 0.0:
                continue
            for unit in range(units):
                here = weeks[path, week, unit]
                if here == 0:
                    continue
                fed = lag[week] * here
                own[path, unit] += fed
                for pair in range(start[unit], start[unit + 1]):
                    near[path, receiver[pair]] += fed * weight[pair]
    return own, near
