"""What past probabilities were worth: a line through their odds, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

Floats = NDArray[np.float64]

NEAREST = 1e-6
"""How near to 0 and to 1 a probability is taken to be at most."""


@dataclass(frozen=True, eq=False)
class OddsMap:
    r"""The calibration of the logit, :math:`\operatorname{logit} G(p) = a \operatorname{logit} p + c`.

    Parameters
    ----------
    a : float
        At least 0.
    c : float
    covariance : ndarray, shape (2, 2)
        Of `a` and `c`, as they were estimated.

    Examples
    --------
    >>> found = OddsMap(1.0, 0.5, np.diag([0.01, 0.04]))
    >>> found([0.1, 0.5]).round(3).tolist()
    [0.155, 0.622]
    >>> np.round(found.between(0.5, 0.6, level=0.9), 3).tolist()
    [0.543, 0.776]
    """

    a: float
    c: float
    covariance: Floats

    def __call__(self, probability: ArrayLike) -> Floats:
        """Return the recalibrated probabilities."""
        return np.asarray(expit(self.a * _logit(probability) + self.c))

    def between(self, low: float, high: float, *, level: float) -> tuple[float, float]:
        """Return a range of probabilities recalibrated, widened by what is not known of the map.

        Each end is that of the central range of a level for the map, at `low` or at `high`, whichever reaches further.
        """
        x = np.stack([_logit([low, high]), np.ones(2)])
        line = self.a * x[0] + self.c
        wide = ndtri((1 + level) / 2) * np.sqrt(np.einsum("ik,ij,jk->k", x, self.covariance, x))
        return float(expit((line - wide).min())), float(expit((line + wide).max()))


def _logit(probability: ArrayLike) -> Floats:
    return np.asarray(logit(np.clip(np.asarray(probability, dtype=np.float64), NEAREST, 1 - NEAREST)))
