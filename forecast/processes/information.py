"""Covariance of fitted parameters: rows that are independent given the shapes of the kernels, and the shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from forecast.processes.row import RowMaximum

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Information:
    """The inverse of the observed information, kept in its arrow form, so that many nodes are no burden.

    Parameters
    ----------
    within : list of array, shape (parameters, parameters)
        Covariance of each row given the shapes; 0 where a parameter is held on its bound.
    along : list of array, shape (parameters, shapes)
        How each row's maximum moves with the shapes.
    shapes : array, shape (shapes, shapes)
        Covariance of the shapes; NaN where the likelihood is flat.
    """

    within: list[Floats]
    along: list[Floats]
    shapes: Floats

    @classmethod
    def of(cls, maxima: Sequence[RowMaximum], in_x: Floats, mixed: Sequence[Floats], rows: Sequence[Floats]) -> Self:
        """Return the information from the Hessians in the shapes, mixed, and of the rows."""
        within, along, total = [], [], in_x.copy()
        for found, cross, hessian in zip(maxima, mixed, rows, strict=True):
            free = found.free & (np.abs(np.diag(hessian)) > 1e-10)
            covariance = np.zeros(hessian.shape)
            covariance[np.ix_(free, free)] = np.linalg.pinv(-hessian[np.ix_(free, free)], hermitian=True)
            within.append(covariance)
            along.append(covariance @ cross)
            total += cross.T @ along[-1]
        shapes = np.full(total.shape, np.nan)
        known = np.diag(total) < -1e-8
        if known.any():
            inverse = np.linalg.pinv(-total[np.ix_(known, known)], hermitian=True)
            inverse[np.diag(inverse) <= 0] = np.nan
            shapes[np.ix_(known, known)] = inverse
        return cls(within, along, shapes)

    def errors(self) -> tuple[list[Floats], Floats]:
        """Return standard errors: of the parameters of each row (NaN on a bound), and of the shapes."""
        covariance = np.nan_to_num(self.shapes)
        rows = []
        for within, along in zip(self.within, self.along, strict=True):
            variance = np.diag(within + along @ covariance @ along.T)
            rows.append(np.where(np.diag(within) > 0, np.sqrt(np.maximum(variance, 0.0)), np.nan))
        with np.errstate(invalid="ignore"):
            return rows, np.sqrt(np.diag(self.shapes))

    def draw(self, x: Floats, rows: Sequence[Floats], rng: np.random.Generator) -> tuple[Floats, list[Floats]]:
        """Draw shapes and rows around their estimates; what has no error stays."""
        moved = _normal(np.nan_to_num(self.shapes), rng)
        drawn = [
            row + along @ moved + _normal(within, rng)
            for row, along, within in zip(rows, self.along, self.within, strict=True)
        ]
        return x + moved, drawn


def _normal(covariance: Floats, rng: np.random.Generator) -> Floats:
    """Draw from a normal distribution around 0 whose covariance may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.normal(size=len(values))))
