"""The latent level of a unit: a walk that is drawn back to its country's, on a grid of points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

Floats = NDArray[np.float64]

REACH = 5.0
"""Standard deviations of the stationary distribution that the grid covers on either side."""


class Chain:
    r"""A stationary Ornstein-Uhlenbeck process of mean 0 and variance 1 on equidistant points.

    The generator moves to the adjacent points at rates :math:`\Delta^{-2} \sqrt{\pi(v) / \pi(u)}`, which leave the
    discretised normal distribution :math:`\pi` as it is and converge to
    :math:`dU = -U dt + \sqrt 2\,dW`. Its eigenvectors are computed once: the transition over any time is two products
    of matrices away, and so is its derivative.

    Parameters
    ----------
    points : int
        Points on the grid from -5 to 5.

    Attributes
    ----------
    grid : ndarray, shape (points,)
    stationary : ndarray, shape (points,)
        Sums to 1.

    References
    ----------
    Kitagawa (1987), doi:10.1080/01621459.1987.10478534.

    Examples
    --------
    >>> chain = Chain(48)
    >>> step = chain.transition(0.1)
    >>> inner = abs(chain.grid) < 3
    >>> bool(np.allclose((step @ chain.grid)[inner], np.exp(-0.1) * chain.grid[inner], atol=0.02))
    True
    """

    def __init__(self, points: int) -> None:
        self.grid = np.linspace(-REACH, REACH, points)
        spacing = self.grid[1] - self.grid[0]
        weight = np.exp(-0.5 * self.grid**2)
        self.stationary = weight / weight.sum()
        # Made symmetric by the square roots of the stationary weights, the rates to either side are all the same.
        beside = np.full(points - 1, spacing**-2)
        up = np.sqrt(weight[1:] / weight[:-1]) / spacing**2
        down = np.sqrt(weight[:-1] / weight[1:]) / spacing**2
        leaving = np.r_[up, 0.0] + np.r_[0.0, down]
        values, vectors = eigh_tridiagonal(-leaving, beside)
        root = np.sqrt(self.stationary)
        self._rates = np.minimum(values, 0.0)
        self._left = vectors / root[:, None]
        self._right = np.ascontiguousarray((vectors * root[:, None]).T)

    def transition(self, time: float) -> Floats:
        """Return the probability of each point (columns) some time after each point (rows)."""
        step = (self._left * np.exp(time * self._rates)) @ self._right
        return np.asarray(np.ascontiguousarray(np.maximum(step, 0.0)))

    def slope(self, time: float) -> Floats:
        """Return the derivative of `transition` by the time."""
        return np.asarray((self._left * (self._rates * np.exp(time * self._rates))) @ self._right)


@lru_cache(maxsize=8)
def chain_of(points: int) -> Chain:
    """Return the chain on so many points; made once in a process."""
    return Chain(points)
