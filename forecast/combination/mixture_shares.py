"""Shares of a mixture whose components are known, by expectation-maximisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]

ROUNDS = 2000
TOLERANCE = 1e-8


def mixture_shares(density: Floats, weight: Floats, prior: float) -> Floats:
    r"""Return the shares that maximise :math:`\sum_c a_c \log \sum_j w_j p_{cj} + \frac{\kappa}{m} \sum_j \log w_j`.

    Parameters
    ----------
    density : ndarray, shape (cases, components)
        Positive in at least one component of each case.
    weight : ndarray, shape (cases,)
        :math:`a_c`.
    prior : float
        :math:`\kappa`, cases' worth of evidence for equal shares.

    Returns
    -------
    ndarray, shape (components,)
        Equal if there is no evidence at all.

    Notes
    -----
    The problem is concave, and no round lowers what is maximised.

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.

    Examples
    --------
    >>> mixture_shares(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.ones(3), 1.0).tolist()
    [0.625, 0.375]
    """
    return _climb(np.ascontiguousarray(density), np.ascontiguousarray(weight), float(prior), ROUNDS, TOLERANCE)


@compiled
def _climb(density: Floats, weight: Floats, prior: float, rounds: int, tolerance: float) -> Floats:
    cases, m = density.shape
    share = np.full(m, 1.0 / m)
    total = weight.sum() + prior
    if total <= 0.0:
        return share
    after = np.empty(m)
    for _ in range(rounds):
        after[:] = prior / m
        for c in range(cases):
            each = 0.0
            for j in range(m):
                each += share[j] * density[c, j]
            part = weight[c] / each
            for j in range(m):
                after[j] += part * share[j] * density[c, j]
        change = 0.0
        for j in range(m):
            after[j] /= total
            change = max(change, abs(after[j] - share[j]))
            share[j] = after[j]
        if change < tolerance:
            break
    return share
