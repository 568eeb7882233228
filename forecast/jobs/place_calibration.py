"""What past probabilities near places were worth: a map learned from those whose weeks were over by an origin."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.combination.event_maps import LogMap, fit_logit_map
from forecast.combination.level_map import PRIOR
from forecast.predictive.odds_map import NEAREST, OddsMap

Floats = NDArray[np.float64]

LEAST_ORIGINS = 13
"""Past origins whose weeks are over, below which probabilities are left as they are: a quarter of a year."""
TOGETHER = 20.0
"""Cases that the places of one origin count for at most: what happens near one happens near its neighbours."""
STEP = 0.02
"""Cases whose logits are nearer to each other than this are fitted as one."""


def past_map(week: ArrayLike, probability: ArrayLike, came: ArrayLike, *, weeks: int, at: int) -> OddsMap | None:
    r"""Return the calibration of the logit learned from what had come true by a week.

    The spans of `weeks` neighbouring origins share all but one week: a case counts for one part in `weeks`. It is drawn
    to the identity as in `forecast.combination.event_maps.fit_logit_map`.

    Parameters
    ----------
    week : array_like of int, shape (cases,)
        Number of the origin's week.
    probability : array_like, shape (cases,)
        That an event comes in the `weeks` weeks from there. Cases with NaN here or in `came` are left out.
    came : array_like, shape (cases,)
        1 where one came, 0 where none did.
    weeks : int
    at : int
        Week at which the map is needed: only cases that are over by then are looked at.

    Returns
    -------
    OddsMap or None
        None below `LEAST_ORIGINS`. Its covariance is the inverse of the information in the cases and the prior,
        :math:`(1 + \kappa / W) \sum_c w_c\, G_c (1 - G_c)\, x_c x_c'` with :math:`x_c = (\operatorname{logit} p_c, 1)`,
        the sum of weights W and :math:`\kappa` = `forecast.combination.level_map.PRIOR`.

    Examples
    --------
    >>> week, said = np.repeat(np.arange(60), 20), np.full(1200, 0.3)
    >>> came = np.tile([1.0, 0.0], 600)
    >>> past_map(week, said, came, weeks=1, at=60)(0.3).round(2)
    np.float64(0.48)
    >>> past_map(week, said, came, weeks=4, at=16)(0.3).round(2)  # 13 origins, of which each counts for a quarter
    np.float64(0.38)
    >>> past_map(week, said, came, weeks=4, at=15) is None
    True
    """
    of, p, y = (np.asarray(values, dtype=np.float64) for values in (week, probability, came))
    over = (of + weeks <= at) & np.isfinite(p) & np.isfinite(y)
    of, p, y = of[over], p[over], y[over]
    _, origin, places = np.unique(of, return_inverse=True, return_counts=True)
    if len(places) < LEAST_ORIGINS:
        return None
    weight = np.minimum(TOGETHER / places, 1.0)[origin] / weeks
    p, y, weight = _gathered(p, y, weight)
    found = fit_logit_map(p, y, weight=weight, least=0.0)
    if not isinstance(found, LogMap):  # no case weighs anything
        return None
    x = np.column_stack([np.log(p) - np.log1p(-p), np.ones(len(p))])
    g = found(p)
    information = (1 + PRIOR / weight.sum()) * (x * (weight * g * (1 - g))[:, None]).T @ x
    # Where all cases were told the same, nothing is known of the slope but that it was taken to be 1.
    return OddsMap(found.a, found.c, np.linalg.pinv(information, hermitian=True))


def _gathered(probability: Floats, came: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return fewer cases that weigh the same: those of nearly the same probability and the same outcome are one."""
    p = np.clip(probability, NEAREST, 1 - NEAREST)
    logit = np.round((np.log(p) - np.log1p(-p)) / STEP)
    cells, cell = np.unique(np.column_stack([logit, came]), axis=0, return_inverse=True)
    return 1 / (1 + np.exp(-STEP * cells[:, 0])), cells[:, 1], np.bincount(cell, weight).astype(np.float64)
