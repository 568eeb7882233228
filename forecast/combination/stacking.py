"""Weights of a linear pool that would have been best on past forecasts, drawn to equal ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize

from forecast.combination.evidence import Evidence
from forecast.combination.mixture_shares import mixture_shares

Floats = NDArray[np.float64]


def equal_weights(members: int) -> Floats:
    """Return the same weight for all."""
    return np.full(members, 1 / members)


def log_stacking(past: Evidence, *, cases: Floats | None = None, prior: float = 0.0) -> Floats:
    r"""Return the weights with the best log score.

    .. math:: \max_w \sum_c a_c \log \sum_m w_m p_{cm}(y_c) + \frac{\kappa}{M} \sum_m \log w_m

    Parameters
    ----------
    past : Evidence
    cases : ndarray, shape (cases,), optional
        :math:`a_c`, such as 0.5 to the power of the age over a half-life; 1 if not given.
    prior : float
        :math:`\kappa`, cases' worth of evidence for equal weights.

    Returns
    -------
    ndarray, shape (members,)
        Equal weights if there is no case.

    Notes
    -----
    The problem is concave; the updates (expectation-maximisation of a mixture's shares) never lower it.

    References
    ----------
    Yao, Vehtari, Simpson & Gelman (2018), doi:10.1214/17-BA1091.

    Examples
    --------
    >>> past = Evidence.of([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]], [0, 1])
    >>> log_stacking(past).round(3).tolist()
    [0.0, 1.0]
    """
    density = np.maximum(past.density, 1e-300)
    return mixture_shares(density, np.ones(len(past)) if cases is None else cases, prior)


def crps_stacking(past: Evidence, *, cases: Floats | None = None, prior: float = 0.0) -> Floats:
    r"""Return the weights with the best CRPS.

    .. math:: \min_w \sum_c a_c\, w' G_c w + \kappa\, \bar g\, M \lVert w - 1 / M \rVert^2,\qquad w \ge 0,\ \sum w = 1

    with the mean CRPS of the members :math:`\bar g`, so that the prior does not depend on how large counts are.

    Parameters
    ----------
    past, cases, prior
        As for `log_stacking`.

    Examples
    --------
    >>> past = Evidence.of([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]], [0, 1])
    >>> crps_stacking(past).round(3).tolist()
    [0.0, 1.0]
    """
    members = past.members
    equal = equal_weights(members)
    weight = np.ones(len(past)) if cases is None else cases
    if weight.sum() + prior <= 0:
        return equal
    gram = np.einsum("c,cmn->mn", weight, past.gram)
    scale = float(np.trace(gram)) / members
    if scale <= 0:
        return equal
    pull = prior * scale / max(float(weight.sum()), 1.0) * members if prior else 0.0
    matrix = (gram + pull * np.eye(members)) / scale
    toward = pull / scale * equal

    def loss(w: Floats) -> float:
        return float(w @ matrix @ w - 2 * toward @ w)

    def slope(w: Floats) -> Floats:
        return np.asarray(2 * (matrix @ w - toward))

    found = minimize(
        loss,
        equal,
        jac=slope,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * members,
        constraints=LinearConstraint(np.ones(members), 1.0, 1.0),
        options={"ftol": 1e-12, "maxiter": 500},
    )
    share = np.clip(found.x, 0.0, None)
    return np.asarray(share / share.sum())
