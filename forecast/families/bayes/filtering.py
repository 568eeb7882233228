"""The likelihood of a panel with the latent levels summed out, and its gradient: one pass forward, one back.

The level of a unit stays for a block of weeks and then moves by the chain. Units of the same expected count at each
point of the grid share one *column* of the tables, so that its logarithms are taken once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from forecast.families.bayes.recursion import filter_units, smooth_units

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Observations:
    """Counts of consecutive weeks in blocks.

    Parameters
    ----------
    counts : ndarray of int64, shape (weeks, units)
    observed : ndarray of bool, shape (weeks, units)
    column : ndarray of int64, shape (units,)
        Column of the tables that each unit reads.
    block_weeks : int
        The first week starts a block.
    """

    counts: Integers
    observed: NDArray[np.bool_]
    column: Integers
    block_weeks: int

    @cached_property
    def by_unit(self) -> tuple[Integers, NDArray[np.bool_]]:
        """Counts, and which of them are observed, each of shape (units, weeks)."""
        return np.ascontiguousarray(self.counts.T), np.ascontiguousarray(self.observed.T)

    @cached_property
    def distinct(self) -> tuple[Floats, Integers]:
        """The counts that occur, and which of them each count is, shape (units, weeks)."""
        values, code = np.unique(self.by_unit[0], return_inverse=True)
        return values.astype(np.float64), code.reshape(self.by_unit[0].shape)

    @cached_property
    def known(self) -> tuple[int, Floats]:
        """How many counts are observed, and those above 0."""
        counts = self.counts[self.observed]
        return len(counts), counts[counts > 0].astype(np.float64)

    def constant(self, size: float, extra_zeros: float) -> Floats:
        """Return what of a count's log probability depends on the size alone, shape (units, weeks)."""
        y, code = self.distinct
        value = gammaln(y + size) - gammaln(size) - gammaln(y + 1) + np.log1p(-extra_zeros) - y * np.log(size)
        return np.asarray(value[code])

    @property
    def blocks(self) -> int:
        """Number of blocks; the last may not be full."""
        return -(-len(self.counts) // self.block_weeks)


@dataclass(frozen=True, eq=False)
class Rates:
    r"""What the counts of some weeks depend on, given a unit's point :math:`u` on the grid.

    .. math:: m = e^{\ell + \tau u} + x, \quad y \sim \begin{cases} 0 & \text{with probability } \zeta \\
              NB(m, r) & \text{else.} \end{cases}

    Parameters
    ----------
    log_level : ndarray, shape (weeks, columns)
        :math:`\ell`.
    spread : float
        :math:`\tau`.
    excitation : ndarray, shape (weeks, columns)
        :math:`x \ge 0`.
    size : float
        :math:`r`.
    extra_zeros : float
        :math:`\zeta`; 0 for the plain negative binomial.
    block_time : float
        How far the chain moves from one block to the next.
    """

    log_level: Floats
    spread: float
    excitation: Floats
    size: float
    extra_zeros: float
    block_time: float

    def mean(self, grid: Floats, week: NDArray[np.intp], column: Integers) -> Floats:
        """Return the expected counts of some weeks and columns at all points of the grid, shape (n, points)."""
        level = np.exp(self.log_level[week, column])[:, None]
        return np.asarray(level * np.exp(self.spread * grid) + self.excitation[week, column][:, None])


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the log likelihood by each part of `Rates`; `size` by its log, `extra_zeros` by its logit."""

    log_level: Floats
    spread: float
    excitation: Floats
    log_size: float
    logit_zeros: float
    block_time: float


def filtered(
    seen: Observations, rates: Rates, grid: Floats, transition: Floats, before: Floats
) -> tuple[Floats, Floats, Floats]:
    """Move the probabilities of the points on, block by block.

    Parameters
    ----------
    seen : Observations
    rates : Rates
    grid : ndarray, shape (points,)
    transition : ndarray, shape (points, points)
    before : ndarray, shape (units, points)
        Probabilities in the first block before its counts are seen.

    Returns
    -------
    predicted, state : ndarray, shape (units, points)
        Before and after the counts of the last block.
    evidence : ndarray, shape (blocks,)
        Log probability of the counts of all units in a block, given those of the blocks before.
    """
    return filter_units(*_tabled(seen, rates, grid), transition, before)


def log_likelihood(
    seen: Observations, rates: Rates, grid: Floats, stationary: Floats, transition: Floats, slope: Floats
) -> tuple[float, Slopes]:
    """Return the log likelihood with its derivatives.

    By Fisher's identity the derivatives are expectations, under the smoothed levels, of those given the levels.

    Parameters
    ----------
    seen : Observations
    rates : Rates
    grid, stationary : ndarray, shape (points,)
    transition, slope : ndarray, shape (points, points)
        Of the chain over one block, and its derivative by the time.
    """
    value, slopes, _ = _smoothed(seen, rates, grid, stationary, transition, slope, keep=False)
    return value, slopes


def smoothed_levels(seen: Observations, rates: Rates, grid: Floats, stationary: Floats, transition: Floats) -> Floats:
    """Return the probabilities of the points given all counts, shape (blocks, units, points)."""
    _, _, kept = _smoothed(seen, rates, grid, stationary, transition, np.zeros_like(transition), keep=True)
    return kept.transpose(1, 0, 2)


def _smoothed(
    seen: Observations,
    rates: Rates,
    grid: Floats,
    stationary: Floats,
    transition: Floats,
    slope: Floats,
    *,
    keep: bool,
) -> tuple[float, Slopes, Floats]:
    """Return the log likelihood, its derivatives and, if they are to be kept, the smoothed points by unit."""
    tabled = _tabled(seen, rates, grid)
    by_level, by_added = np.empty_like(tabled[5]), np.empty_like(tabled[5])
    kept = np.empty((len(seen.column) if keep else 0, seen.blocks, len(grid)))
    value, spread, scatter, time, extra = smooth_units(
        *tabled, transition, slope, grid, stationary, by_level, by_added, kept
    )
    r, (known, some) = rates.size, seen.known
    scatter += (digamma(some + r) - digamma(r) - some / r).sum()
    slopes = Slopes(by_level.T, spread, by_added.T, float(r * scatter), extra - rates.extra_zeros * known, time)
    return value, slopes, kept


def _tabled(
    seen: Observations, rates: Rates, grid: Floats
) -> tuple[Integers, NDArray[np.bool_], Floats, Integers, int, Floats, Floats, Floats, float, float]:
    """Return what both passes read: counts by unit, rates by column."""
    return (
        *seen.by_unit,
        seen.constant(rates.size, rates.extra_zeros),
        seen.column,
        seen.block_weeks,
        np.ascontiguousarray(np.exp(rates.log_level).T),
        np.exp(rates.spread * grid),
        np.ascontiguousarray(rates.excitation.T),
        rates.size,
        rates.extra_zeros,
    )
