"""How the excitation of an event is spread over the weeks after it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.predictive.negbin import cell

Floats = NDArray[np.float64]

LONGEST = 52
"""Weeks after which an event no longer excites; what lasts longer is the level's part."""


@compiled
def kernel(log_delay: float, log_size: float) -> Floats:
    r"""Return the share of an event's excitation that falls on each week after it, with derivatives.

    The delay beyond the first week is negative binomial with mean :math:`e^{a}` and size :math:`e^{s}`; a size of 1
    is the geometric distribution. Delays of more than `LONGEST` weeks are cut off.

    Parameters
    ----------
    log_delay, log_size : float
        a and s.

    Returns
    -------
    ndarray, shape (LONGEST, 3)
        Share, and its derivatives in a and in s.

    Examples
    --------
    >>> kernel(0.0, 0.0)[:3, 0]
    array([0.5  , 0.25 , 0.125])
    """
    out = np.empty((LONGEST, 3))
    mean, size = math.exp(log_delay), math.exp(log_size)
    for k in range(LONGEST):
        log_share, in_mean, in_size = cell(float(k), mean, size)
        out[k, 0] = math.exp(log_share)
        out[k, 1] = out[k, 0] * in_mean * mean
        out[k, 2] = out[k, 0] * in_size
    return out
