"""What past events excite in every unit and week, with its slopes in all parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from forecast.families.discrete_hawkes.baseline import discounted_means
from forecast.families.discrete_hawkes.coordinates import Layout, Natural, distance_unit
from forecast.families.discrete_hawkes.kernels import SpreadKind, spread_shares
from forecast.families.endemic_epidemic.weights import Pairs
from forecast.families.shot_noise import excitation
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]

ORDERS = 4
"""Without coordinates, units up to so many borders away are reached."""


@dataclass(frozen=True, eq=False)
class Around:
    """The pairs of units that excite each other, and how far apart they are.

    Parameters
    ----------
    start : ndarray of int, shape (units + 1,)
    receiver : ndarray of int, shape (pairs,)
        Those of unit j stand at ``start[j]`` to ``start[j + 1]``.
    apart : ndarray, shape (pairs,)
        In `unit`.
    unit : float
        100 km, or 1 border.
    """

    start: NDArray[np.int64]
    receiver: NDArray[np.int64]
    apart: Floats
    unit: float

    @classmethod
    def of(cls, panel: Panel, kind: SpreadKind, reach_km: float) -> Self:
        """Return the pairs of a panel: by distance where all units have coordinates, otherwise by borders."""
        units = panel.units
        unit = distance_unit(bool(np.isfinite(units.latitude).all() and np.isfinite(units.longitude).all()))
        if kind == "none":
            pairs, unit = Pairs.none(len(units)), 1.0
        elif kind == "adjacent":
            pairs, unit = Pairs.by_order(panel.neighbours, 1), 1.0
        elif unit == 1.0:
            pairs = Pairs.by_order(panel.neighbours, ORDERS)
        else:
            pairs = Pairs.by_distance(units, reach_km)
        return cls(pairs.start, pairs.receiver, pairs.apart / unit, unit)

    def matrices(self, kind: SpreadKind, parameters: Floats) -> list[sparse.csr_array]:
        """Return the shares as a matrix (receiver, giver), and its slopes."""
        units = len(self.start) - 1
        giver = np.repeat(np.arange(units), np.diff(self.start))
        columns = spread_shares(kind, self.start, self.apart, parameters)
        return [
            sparse.csr_array(sparse.coo_array((column, (self.receiver, giver)), shape=(units, units)))
            for column in columns.T
        ]


@dataclass(frozen=True, eq=False)
class Excited:
    """The marks of the past, and how they excite.

    Parameters
    ----------
    marks : ndarray, shape (lags + weeks, units)
        Counts free of season; before the first week, the level of the units.
    around : Around
    lags : int
    """

    marks: Floats
    around: Around
    lags: int

    @classmethod
    def of(cls, panel: Panel, scale: Floats, level: Floats, discount: float, lags: int, around: Around) -> Self:
        """Take the marks of a panel; a week that is not observed excites as the unit's discounted mean."""
        marks = discounted_means(panel.counts.astype(np.float64), panel.observed, scale, level, discount)
        return cls(np.concatenate([np.tile(level, (lags, 1)), marks]), around, lags)

    def expected(self, layout: Layout, natural: Natural, *, ahead: int = 0) -> Floats:
        """Return what is excited, of events free of season, in all weeks of the panel or in those after it.

        Parameters
        ----------
        layout : Layout
        natural : Natural
        ahead : int
            So many weeks after the panel, excited by those of the panel alone; 0 for the weeks of the panel.

        Returns
        -------
        ndarray, shape (weeks or ahead, units)
        """
        first, last = (len(self.marks), len(self.marks) + ahead) if ahead else (self.lags, len(self.marks))
        own = excitation(self.marks, np.ascontiguousarray(natural.shares[:, :1]), first, last)[..., 0]
        if layout.spread == "none":
            return natural.branching * own
        matrix = self.around.matrices(layout.spread, natural.reach)[:1]
        return natural.own * own + natural.others * (np.zeros_like(own) if not matrix else (matrix[0] @ own.T).T)

    def with_slopes(self, layout: Layout, natural: Natural) -> tuple[Floats, Floats]:
        """Return what is excited in the weeks of the panel, shape (weeks, units), with slopes (.., parameters)."""
        lagged = excitation(self.marks, natural.shares, self.lags, len(self.marks))
        weeks, units, columns = lagged.shape
        nu, pi = natural.branching, natural.own_share
        if layout.spread == "none":
            value = nu * lagged[..., 0]
            return value, np.concatenate([(value * (1 - nu))[..., None], nu * lagged[..., 1:]], axis=-1)
        across = lagged.transpose(1, 0, 2).reshape(units, -1)
        matrices = self.around.matrices(layout.spread, natural.reach)

        def spread(values: Floats, count: int, at: int) -> Floats:
            found: Floats = matrices[at] @ values
            return found.reshape(units, weeks, count).transpose(1, 0, 2)

        near = spread(across, columns, 0)
        both = natural.own * lagged + natural.others * near
        slopes = [(both[..., 0] * (1 - nu))[..., None]]
        slopes.append((nu * pi * (1 - pi) * (lagged[..., 0] - near[..., 0]))[..., None])
        slopes.append(both[..., 1:])
        if len(matrices) > 1:
            first = np.ascontiguousarray(lagged[..., 0].T)
            slopes.append(natural.others * spread(first, 1, 1))
        return np.ascontiguousarray(both[..., 0]), np.concatenate(slopes, axis=-1)
