"""What past forecasts say of the weights of a linear pool: for each case, all that any of its scores needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.compiled import compiled
from forecast.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evidence:
    r"""Of forecasts that came true, what is needed to score any linear pool of them.

    With the weights w, the log score of case c is :math:`-\log \sum_m w_m p_{cm}(y_c)`. As the weights sum to 1,

    .. math:: CRPS_c(w) = \sum_k \Big(\sum_m w_m F_{cm}(k) - 1\{y_c \le k\}\Big)^2 = w' G_c w, \qquad
              G_{cmn} = \sum_k (F_{cm}(k) - 1\{y_c \le k\})(F_{cn}(k) - 1\{y_c \le k\}).

    Parameters
    ----------
    density : ndarray, shape (cases, members)
        Probability that each member gave to what came.
    gram : ndarray, shape (cases, members, members)
    """

    density: Floats
    gram: Floats

    @classmethod
    def of(cls, pmf: ArrayLike, observed: ArrayLike) -> Evidence:
        """Score forecasts.

        Parameters
        ----------
        pmf : array_like, shape (members, cases, k)
        observed : array_like of int, shape (cases,)

        Raises
        ------
        InputError
            If the shapes do not fit.

        Examples
        --------
        >>> found = Evidence.of([[[0.5, 0.5]], [[0.9, 0.1]]], [1])
        >>> found.density.tolist(), found.gram.round(2).tolist()
        ([[0.5, 0.1]], [[[0.25, 0.45], [0.45, 0.81]]])
        """
        values, came = np.ascontiguousarray(pmf, dtype=np.float64), np.ascontiguousarray(observed, dtype=np.int64)
        if values.ndim != 3 or came.shape != values.shape[1:2]:
            raise InputError(
                f"forecasts of shape {values.shape} and {came.shape} counts",
                expected="(members, cases, k) and (cases,)",
            )
        return cls(*_score(values, came))

    @classmethod
    def joined(cls, parts: Sequence[Evidence]) -> Evidence:
        """Return the cases of several as one."""
        return cls(np.concatenate([part.density for part in parts]), np.concatenate([part.gram for part in parts]))

    def __len__(self) -> int:
        return len(self.density)

    @property
    def members(self) -> int:
        """How many models there are."""
        return int(self.density.shape[1])

    def where(self, mask: NDArray[np.bool_]) -> Evidence:
        """Return some of the cases."""
        return Evidence(self.density[mask], self.gram[mask])

    def crps(self, weight: ArrayLike) -> Floats:
        """Return the CRPS of the pool in each case; `weight` of shape (members,) or (cases, members)."""
        share = np.broadcast_to(np.asarray(weight, dtype=np.float64), self.density.shape)
        return np.asarray(np.einsum("cm,cmn,cn->c", share, self.gram, share))

    def log_score(self, weight: ArrayLike, *, floor: float = 1e-6) -> Floats:
        """Return minus the log probability that the pool gave to what came, at least `floor`, shape (cases,)."""
        share = np.broadcast_to(np.asarray(weight, dtype=np.float64), self.density.shape)
        return np.asarray(-np.log(np.maximum((share * self.density).sum(axis=1), floor)))


@compiled
def _score(pmf: Floats, observed: NDArray[np.int64]) -> tuple[Floats, Floats]:
    members, cases, k = pmf.shape
    density, gram = np.zeros((cases, members)), np.zeros((cases, members, members))
    off = np.empty(members)
    for c in range(cases):
        off[:] = 0.0
        y = observed[c]
        for m in range(members):
            density[c, m] = pmf[m, c, y] if 0 <= y < k else 0.0
        for at in range(max(k, y)):
            for m in range(members):
                off[m] += pmf[m, c, at] if at < k else 0.0
                if at == y:
                    off[m] -= 1.0
            for m in range(members):
                for n in range(m + 1):
                    gram[c, m, n] += off[m] * off[n]
        for m in range(members):
            for n in range(m):
                gram[c, n, m] = gram[c, m, n]
    return density, gram
