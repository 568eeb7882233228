"""What all units share: regimes with their ratios and sizes, and how a unit moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

YEAR_DAYS = 365.25


def waves(weeks: pd.DatetimeIndex) -> Floats:
    """Return sine and cosine once a year at the first days of weeks, shape (weeks, 2)."""
    days = np.asarray((weeks - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1), dtype=np.float64)
    angle = 2 * np.pi * days / YEAR_DAYS
    return np.column_stack([np.sin(angle), np.cos(angle)])


@dataclass(frozen=True, eq=False)
class Regimes:
    r"""Parameters of the model, pooled over units.

    The mean of a count in regime s is :math:`m = \rho_s` times what is expected of the unit at ratio 1, its size
    :math:`1 / (1 / k_s + c / m)`. From regime r a unit goes into regime s with probability proportional to
    :math:`\exp(\eta_{rs} + \beta_s \cdot x_t)`, where x is sine and cosine of the time of the year of the target
    week, and :math:`\eta_{rr} = 0, \beta_0 = 0`.

    Parameters
    ----------
    ratio : ndarray, shape (regimes,)
        :math:`\rho`.
    size : ndarray, shape (regimes,)
        k; ``inf`` for Poisson counts.
    excess : float
        c; 0 for none.
    logits : ndarray, shape (regimes, regimes)
        :math:`\eta`.
    wave : ndarray, shape (regimes, 2)
        :math:`\beta`; zeros for no season.

    Examples
    --------
    >>> two = Regimes.of_persistence(np.array([0.5, 4.0]), np.array([2.0, 2.0]), 0.1, 0.9)
    >>> two.transitions(np.zeros((1, 2)))[0].round(2)
    array([[0.9, 0.1],
           [0.1, 0.9]])
    >>> two.stationary().round(2)
    array([0.5, 0.5])
    """

    ratio: Floats
    size: Floats
    excess: float
    logits: Floats
    wave: Floats

    @classmethod
    def of_persistence(cls, ratio: Floats, size: Floats, excess: float, persistence: float | Floats) -> Self:
        """Return regimes that stay with a probability, and are left for each other one alike."""
        regimes = len(ratio)
        stay = np.broadcast_to(np.asarray(persistence, dtype=np.float64), (regimes,))
        leave = np.log((1 - stay) / max(regimes - 1, 1) / stay)
        logits = np.repeat(leave[:, None], regimes, axis=1)
        np.fill_diagonal(logits, 0.0)
        return cls(ratio, size, excess, logits, np.zeros((regimes, 2)))

    @classmethod
    def of_matrix(cls, ratio: Floats, size: Floats, excess: float, matrix: Floats) -> Self:
        """Return regimes with a transition matrix that has no season."""
        return cls(ratio, size, excess, np.log(matrix / np.diag(matrix)[:, None]), np.zeros((len(ratio), 2)))

    def __len__(self) -> int:
        return len(self.ratio)

    def transitions(self, wave: Floats) -> Floats:
        """Return the transition into weeks, shape (weeks, regimes, regimes).

        Parameters
        ----------
        wave : ndarray, shape (weeks, 2)
            From `waves`; zeros for the mean over the year.
        """
        logits = self.logits[None] + (wave @ self.wave.T)[:, None, :]
        share = np.exp(logits - logits.max(axis=2, keepdims=True))
        return np.asarray(share / share.sum(axis=2, keepdims=True))

    def matrix(self) -> Floats:
        """Return the transition at the mean of the waves, shape (regimes, regimes)."""
        return np.asarray(self.transitions(np.zeros((1, 2)))[0])

    def stationary(self) -> Floats:
        """Return the share of weeks in each regime in the long run, shape (regimes,)."""
        return stationary(self.matrix())

    def ordered(self) -> Regimes:
        """Return the same regimes by ascending ratio, so that the first is always the quietest."""
        order = np.argsort(self.ratio, kind="stable")
        wave = self.wave[order] - self.wave[order[0]]
        return Regimes(self.ratio[order], self.size[order], self.excess, self.logits[np.ix_(order, order)], wave)


def stationary(matrix: Floats) -> Floats:
    r"""Return :math:`\delta` with :math:`\delta \Gamma = \delta`, shape (regimes,).

    Zucchini, MacDonald & Langrock (2016), doi:10.1201/b20790, exercise 8 of chapter 1.
    """
    regimes = len(matrix)
    found = np.linalg.solve((np.eye(regimes) - matrix + 1).T, np.ones(regimes))
    return np.asarray(np.maximum(found, 1e-12) / np.maximum(found, 1e-12).sum())
