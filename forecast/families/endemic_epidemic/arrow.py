"""Arrow-shaped symmetric systems: a few parameters that touch everything, and small blocks that touch only them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Arrow:
    """Symmetric matrix of an information: parameters that all units share, and a block for each unit.

    The units are tied together by the shared parameters alone, so that solving costs as much as there are units.

    Parameters
    ----------
    shared : ndarray, shape (shared, shared)
    border : ndarray, shape (units, block, shared)
    blocks : ndarray, shape (units, block, block)
        A block of 0 rows where nothing is kept per unit.

    Examples
    --------
    >>> arrow = Arrow(np.array([[4.0]]), np.array([[[1.0]], [[1.0]]]), np.array([[[2.0]], [[2.0]]]))
    >>> shared, own = arrow.solve(np.array([3.0]), np.zeros((2, 1)))
    >>> shared, own.ravel()
    (array([1.]), array([-0.5, -0.5]))
    """

    shared: Floats
    border: Floats
    blocks: Floats

    @cached_property
    def _eliminated(self) -> Floats:
        """Each block's inverse times its border, shape (units, block, shared)."""
        return np.asarray(np.linalg.solve(self.blocks, self.border))

    @cached_property
    def schur(self) -> Floats:
        """Information on the shared parameters once the units' own are known no better than they are."""
        if not self.blocks.shape[1]:
            return self.shared
        return np.asarray(self.shared - np.einsum("nbk,nbl->kl", self.border, self._eliminated, optimize=True))

    def is_positive(self) -> bool:
        """Tell whether the matrix is positive definite."""
        try:
            if self.blocks.shape[1]:
                np.linalg.cholesky(self.blocks)
            np.linalg.cholesky(self.schur)
        except np.linalg.LinAlgError:
            return False
        return True

    def solve(self, shared: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Solve for a right-hand side of shape (shared,) and (units, block); the solution has the same shapes."""
        if not self.blocks.shape[1]:
            return np.asarray(np.linalg.solve(self.shared, shared)), own
        x = np.asarray(np.linalg.solve(self.schur, shared - np.einsum("nbk,nb->k", self._eliminated, own)))
        return x, np.linalg.solve(self.blocks, own[..., None])[..., 0] - self._eliminated @ x

    def log_determinant(self) -> float:
        """Return the logarithm of the determinant."""
        return float(np.linalg.slogdet(self.blocks)[1].sum() + np.linalg.slogdet(self.schur)[1])

    def covariance(self) -> Floats:
        """Return the block of the shared parameters of the inverse, shape (shared, shared)."""
        return np.asarray(np.linalg.inv(self.schur))

    def own_covariance(self) -> Floats:
        """Return the diagonal blocks of the units of the inverse, shape (units, block, block)."""
        inverse = np.asarray(np.linalg.inv(self.blocks))
        if not len(self.shared):
            return inverse
        return np.asarray(inverse + self._eliminated @ self.covariance() @ self._eliminated.swapaxes(1, 2))

    def sandwich(self, middle: Arrow) -> Floats:
        """Return the shared block of ``inverse(self) middle inverse(self)``, shape (shared, shared)."""
        outer, tie = self.covariance(), self._eliminated
        inner = middle.shared
        if self.blocks.shape[1]:
            cross = np.einsum("nbk,nbl->kl", middle.border, tie, optimize=True)
            inner = inner - cross - cross.T + np.einsum("nbk,nbc,ncl->kl", tie, middle.blocks, tie, optimize=True)
        return np.asarray(outer @ inner @ outer)
