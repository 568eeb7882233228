"""Neighbours: which regions share a border, how long it is, how far apart the centroids lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Sparse symmetric neighbourhood of the units of a panel.

    Parameters
    ----------
    border_km : csr_array, shape (units, units)
        Length of the shared border; an entry only where there is one.
    distance_km : csr_array, shape (units, units)
        Great-circle distance of the centroids, same sparsity.
    """

    border_km: sparse.csr_array
    distance_km: sparse.csr_array

    @classmethod
    def from_pairs(
        cls,
        first: NDArray[np.intp],
        second: NDArray[np.intp],
        border_km: NDArray[np.float64],
        distance_km: NDArray[np.float64],
        units: int,
    ) -> Neighbours:
        """Build from one row a pair (either order, each pair once)."""

        def matrix(values: NDArray[np.float64]) -> sparse.csr_array:
            both = (np.r_[values, values], (np.r_[first, second], np.r_[second, first]))
            return sparse.csr_array(sparse.coo_array(both, shape=(units, units)))

        return cls(matrix(border_km), matrix(distance_km))

    @classmethod
    def none(cls, units: int) -> Neighbours:
        """Return a neighbourhood without neighbours."""
        empty, numbers = np.empty(0, np.intp), np.empty(0)
        return cls.from_pairs(empty, empty, numbers, numbers, units)

    def take(self, positions: NDArray[np.intp]) -> Neighbours:
        """Return the neighbourhood among the units at these positions."""
        return Neighbours(self.border_km[positions][:, positions], self.distance_km[positions][:, positions])

    def same_borders(self, other: Neighbours) -> bool:
        """Return whether the same pairs of units are adjacent."""
        mine, theirs = self.border_km, other.border_km
        return np.array_equal(mine.indptr, theirs.indptr) and np.array_equal(mine.indices, theirs.indices)

    def mean_weights(self) -> sparse.csr_array:
        """Return weights that average over neighbours: rows sum to 1, or to 0 where there are none."""
        adjacent = self.border_km.copy()
        adjacent.data = np.ones_like(adjacent.data)
        degree = np.asarray(adjacent.sum(axis=1)).ravel()
        scale = np.divide(1.0, degree, out=np.zeros_like(degree, dtype=np.float64), where=degree > 0)
        return sparse.csr_array(sparse.diags_array(scale) @ adjacent)
