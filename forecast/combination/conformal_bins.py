"""Bin-conditional conformal prediction: sets of counts that cover quiet and violent weeks alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]

BINS = (0, 1, 3, 10)
"""First count of each bin: none, one or two, 3 to 9, 10 and more."""

LEAST_OF_A_BIN = 30


@dataclass(frozen=True, eq=False)
class ConformalBins:
    r"""How unusual, within their bins, past counts were for their forecasts.

    How well a count conforms is the smaller of its two tails, :math:`t(y) = \min(P(Y \le y), P(Y \ge y))`. A count of
    bin b belongs to the set of coverage :math:`1 - \alpha` if it conforms no worse than all but a share
    :math:`\alpha` of the :math:`n_b` past counts of its bin,

    .. math:: \frac{1 + \#\{c \in b: t_c \le t(y)\}}{n_b + 1} > \alpha .

    If past and coming cases are exchangeable within each bin, whatever the forecast, the count that comes is in the
    set with probability at least :math:`1 - \alpha` *given its bin*: large counts are covered as often as zeros. The
    price is wider sets; and where the forecast has hardly any probability, what conforms is a matter of tiny tails.

    Parameters
    ----------
    first : tuple of int
        First count of each bin, ascending from 0.
    conformity : tuple of ndarray
        :math:`t_c` of the past counts of each bin, ascending.
    least : int
        With fewer past cases a bin holds what the forecast's own central interval holds of it.

    References
    ----------
    Randahl, Williams & Hegre (2026), doi:10.1017/pan.2025.10010.
    """

    first: tuple[int, ...]
    conformity: tuple[Floats, ...]
    least: int

    @classmethod
    def of(
        cls, pairs: ArrayLike, observed: ArrayLike, first: Sequence[int] = BINS, *, least: int = LEAST_OF_A_BIN
    ) -> ConformalBins:
        """Learn from past forecasts.

        Parameters
        ----------
        pairs : array_like, shape (cases, 2)
            Cdf of each past forecast below, and at, the count that came: only what was known at the origin.
        observed : array_like of int, shape (cases,)
        first, least
            As above.

        Raises
        ------
        InputError
            If shapes or bins do not fit.

        Examples
        --------
        >>> found = ConformalBins.of([[0.0, 0.9], [0.9, 1.0]], [0, 1])
        >>> [each.round(12).tolist() for each in found.conformity]
        [[0.9], [0.1], [], []]
        """
        past, came = np.asarray(pairs, dtype=np.float64), np.asarray(observed, dtype=np.int64)
        if past.shape != (len(came), 2) or came.ndim != 1:
            raise InputError(f"pairs of shape {past.shape} and counts of {came.shape}", expected="(cases, 2), (cases,)")
        starts = tuple(int(start) for start in first)
        if not starts or starts[0] != 0 or any(b <= a for a, b in pairwise(starts)):
            raise InputError(f"bins that start at {list(starts)}", expected="ascending counts from 0")
        known = np.isfinite(past).all(axis=1)
        tail = np.minimum(past[known, 1], 1 - past[known, 0])
        bin_of = np.searchsorted(starts, came[known], side="right") - 1
        return cls(starts, tuple(np.sort(tail[bin_of == b]) for b in range(len(starts))), least)

    def contains(self, pmf: ArrayLike, coverage: float) -> NDArray[np.bool_]:
        """Return which counts belong to the set of each forecast.

        Parameters
        ----------
        pmf : array_like, shape (..., k)
        coverage : float
            In (0, 1).

        Returns
        -------
        ndarray of bool, shape (..., k)

        Raises
        ------
        InputError
            If the coverage is no probability.

        Examples
        --------
        >>> found = ConformalBins.of([[0.0, 0.5]] * 50 + [[0.5, 0.9]] * 50, [0] * 50 + [1] * 50)
        >>> found.contains([0.5, 0.4, 0.08, 0.02], 0.8).tolist()
        [True, True, False, False]
        """
        if not 0 < coverage < 1:
            raise InputError(f"a coverage of {coverage:g}", expected="a number between 0 and 1")
        cdf = np.minimum(np.cumsum(np.asarray(pmf, dtype=np.float64), axis=-1), 1.0)
        tail = np.minimum(cdf, 1 - np.concatenate([np.zeros_like(cdf[..., :1]), cdf[..., :-1]], axis=-1))
        bins = np.searchsorted(self.first, np.arange(cdf.shape[-1]), side="right") - 1
        least = np.array([self._least(past, 1 - coverage) for past in self.conformity])
        return np.asarray(tail >= least[bins])

    def limits(self, pmf: ArrayLike, coverage: float) -> NDArray[np.int64]:
        """Return the smallest and the largest count of each set, and of the median, shape (..., 2).

        Between them is the whole set, and perhaps more: the bins need not join. A largest count of k - 1 may mean
        more than that.

        Examples
        --------
        >>> found = ConformalBins.of([[0.0, 0.5]] * 50 + [[0.5, 0.9]] * 50, [0] * 50 + [1] * 50)
        >>> found.limits([0.5, 0.4, 0.08, 0.02], 0.8).tolist()
        [0, 1]
        """
        values = np.asarray(pmf, dtype=np.float64)
        inside = self.contains(values, coverage)
        k = values.shape[-1]
        median = np.minimum((np.cumsum(values, axis=-1) < 0.5).sum(axis=-1), k - 1)
        inside |= np.arange(k) == median[..., None]
        return np.stack([inside.argmax(axis=-1), k - 1 - inside[..., ::-1].argmax(axis=-1)], axis=-1)

    def _least(self, past: Floats, alpha: float) -> float:
        """Return how well a count of a bin must conform."""
        if len(past) < self.least:
            return alpha / 2
        rank = int(np.floor(alpha * (len(past) + 1) + 1e-9))
        return float(past[rank - 1]) if rank else 0.0
