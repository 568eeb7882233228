"""Distributed lags: how the counts of the last weeks share the epidemic part of the mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LagShape = Literal["geometric", "poisson", "triangular"]


@dataclass(frozen=True)
class Lags:
    r"""Weights of the last `order` weeks, which sum to 1 and depend on one parameter :math:`\lambda`.

    .. math:: u_d \propto (1 - p)^{d - 1}, \quad u_d \propto \kappa^{d - 1} / (d - 1)!, \quad
        u_d \propto 1 - \kappa (d - 1) / D, \qquad d = 1 \dots D,

    for ``geometric`` with :math:`p = 1 / (1 + e^{-\lambda})`, ``poisson`` with :math:`\kappa = e^\lambda` and
    ``triangular`` with :math:`\kappa = 1 / (1 + e^{-\lambda})`, all weights of which are positive.

    Parameters
    ----------
    order : int
        :math:`D`; 1 is last week alone, without a parameter.
    shape : {"geometric", "poisson", "triangular"}

    References
    ----------
    Bracher & Held (2022), doi:10.1016/j.ijforecast.2020.07.002.

    Examples
    --------
    >>> Lags(3, "geometric").weights(0.0)[0].round(3)
    array([0.571, 0.286, 0.143])
    """

    order: int = 1
    shape: LagShape = "geometric"

    @property
    def estimated(self) -> bool:
        """Whether there is a parameter."""
        return self.order > 1

    @property
    def natural_name(self) -> str:
        """What the parameter is called on its natural scale."""
        return "lags.mean" if self.shape == "poisson" else "lags.decay"

    def natural(self, parameter: float) -> tuple[float, float]:
        r"""Return :math:`p` or :math:`\kappa`, and its derivative in the parameter."""
        if self.shape == "poisson":
            return math.exp(parameter), math.exp(parameter)
        value = _logistic(parameter)
        return value, value * (1 - value)

    def weights(self, parameter: float) -> Floats:
        """Return the weights and their first and second derivative in the parameter, shape (3, order)."""
        before = np.arange(self.order, dtype=np.float64)
        if self.shape == "geometric":
            p = _logistic(parameter)
            log, first, second = before * math.log1p(-p), -before * p, -before * p * (1 - p)
        elif self.shape == "poisson":
            factorials = np.array([math.lgamma(d + 1) for d in before])
            log, first, second = before * parameter - factorials, before, np.zeros(self.order)
        else:
            kappa = _logistic(parameter)
            slope, part = kappa * (1 - kappa), before / self.order
            left = 1 - kappa * part
            log, first = np.log(left), -part * slope / left
            second = -part * slope * (1 - 2 * kappa) / left - first**2
        u = np.exp(log - log.max())
        u /= u.sum()
        centred = first - u @ first
        return np.stack([u, u * centred, u * (centred**2 - u @ centred**2 + second - u @ second)])


def _logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)), kept off 0 and 1."""
    return 1 / (1 + math.exp(-min(max(x, -30.0), 30.0)))
