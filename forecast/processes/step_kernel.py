"""A kernel of steps: no form is assumed but how fine it is and how long it lasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.processes.kernels import Kernel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StepKernel(Kernel):
    """A density that is constant within ranges of lags.

    Parameters
    ----------
    edges : tuple of float
        Ascending from 0; nothing comes after the last.
    heights : tuple of float
        Density in each range, 0 or more; scaled to integrate to one.

    Examples
    --------
    >>> StepKernel(edges=(0.0, 1.0, 3.0), heights=(3.0, 0.5)).cumulative([1.0, 2.0, 5.0])
    array([0.75 , 0.875, 1.   ])
    """

    edges: tuple[float, ...]
    heights: tuple[float, ...]

    def __post_init__(self) -> None:
        edges, heights = np.array(self.edges, dtype=np.float64), np.array(self.heights, dtype=np.float64)
        if len(edges) < 2 or edges[0] != 0 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            raise InputError(f"edges {self.edges}", where="StepKernel", expected="ascending lags from 0")
        if len(heights) != len(edges) - 1 or not (heights >= 0).all() or not 0 < heights.sum() < np.inf:
            raise InputError(f"heights {self.heights}", where="StepKernel", expected="one a range, 0 or more")
        scaled = heights / (heights @ np.diff(edges))
        object.__setattr__(self, "edges", tuple(edges.tolist()))
        object.__setattr__(self, "heights", tuple(scaled.tolist()))

    def density(self, lag: ArrayLike) -> Floats:
        """Return the density at each lag; an edge belongs to the range that it ends."""
        at = np.searchsorted(self.edges, np.asarray(lag, dtype=np.float64), side="left")
        return np.concatenate([[0.0], self.heights, [0.0]])[at]

    def cumulative(self, lag: ArrayLike) -> Floats:
        """Return the share of direct offspring that comes within each lag."""
        return np.asarray(np.interp(np.asarray(lag, dtype=np.float64), self.edges, self._upto()))

    def draw_after(self, age: Floats, rng: np.random.Generator, within: float = np.inf) -> Floats:
        """Draw a lag that exceeds each age by at most `within`, by inversion; infinite if none is left."""
        low, high = self.cumulative(age), self.cumulative(age + within)
        share = low + rng.random(len(low)) * (high - low)
        return np.where(low < high, np.interp(share, self._upto(), self.edges), np.inf)

    def _upto(self) -> Floats:
        return np.concatenate([[0.0], np.cumsum(np.array(self.heights) * np.diff(self.edges))])
