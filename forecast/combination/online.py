"""Weights that follow the forecasts as they come true, one step at a time, with a bound on what is lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.combination.evidence import Evidence
from forecast.combination.stacking import equal_weights

Floats = NDArray[np.float64]


def online_weights(steps: Sequence[Evidence], *, forget: float = 0.0, share: float = 0.0) -> Floats:
    r"""Return the weights before each step and after the last, by Bernstein aggregation on the CRPS.

    With the gradient of the step's mean CRPS, :math:`g = 2 \bar G w`, member m would have gained
    :math:`r_m = g \cdot (w - e_m)` over the pool. Its rate :math:`\eta_m = \min(1 / 2E_m, \sqrt{\log M / V_m})` follows
    from the largest and the sum of squares of what it gained so far, and

    .. math:: R_m \leftarrow R_m + \tfrac12 \big(r_m (1 + \eta_m r_m) + E_m 1\{-2 \eta_m r_m > 1\}\big), \qquad
              w_m \propto \eta_m \exp(\eta_m R_m).

    Without forgetting, the mean loss of the pool exceeds that of the best fixed weights by at most the order of
    :math:`\sqrt{\log M / T}` and that of the best member, where it is clearly best, by the order of
    :math:`\log M / T`.

    Parameters
    ----------
    steps : sequence of Evidence
        What came true at each step, in order; a step without a case changes nothing.
    forget : float
        What is gone of R, V and E before each step, in [0, 1).
    share : float
        What of the weights is spread over all members after each step, in [0, 1], so that none is ever lost.

    Returns
    -------
    ndarray, shape (steps + 1, members)

    References
    ----------
    Wintenberger (2017), doi:10.1007/s10994-016-5592-6; for the CRPS: Berrisch & Ziel (2023),
    doi:10.1016/j.jeconom.2021.11.008. Fixed share: Herbster & Warmuth (1998), doi:10.1023/A:1007424614876.

    Examples
    --------
    >>> step = Evidence.of([[[0.5, 0.5]], [[0.9, 0.1]]], [1])
    >>> online_weights([step] * 20)[-1].round(2).tolist()
    [0.98, 0.02]
    """
    members = steps[0].members
    weight = equal_weights(members)
    regret, squares, largest = np.zeros(members), np.zeros(members), np.zeros(members)
    out = np.empty((len(steps) + 1, members))
    out[0] = weight
    for at, step in enumerate(steps):
        if len(step):
            gradient = 2 * step.gram.mean(axis=0) @ weight
            gained = gradient @ weight - gradient
            regret, squares, largest = ((1 - forget) * each for each in (regret, squares, largest))
            largest = np.maximum(largest, np.abs(gained))
            squares = squares + gained**2
            rate = np.minimum(
                1 / np.maximum(2 * largest, 1e-300), np.sqrt(np.log(members) / np.maximum(squares, 1e-300))
            )
            regret = regret + 0.5 * (gained * (1 + rate * gained) + largest * (-2 * rate * gained > 1))
            score = rate * regret + np.log(rate)
            weight = np.exp(score - score.max())
            weight = (1 - share) * weight / weight.sum() + share / members
        out[at + 1] = weight
    return out
