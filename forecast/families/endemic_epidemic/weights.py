"""Neighbour weights: how much of a region's counts reaches each other region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from forecast.compiled import compiled
from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.units import EARTH_RADIUS_KM, Units, great_circle_km

Floats = NDArray[np.float64]
Tail = Literal["power", "constant"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of units, sparse: those that can weigh on each other, and how far apart they are.

    Parameters
    ----------
    start : ndarray of int64, shape (units + 1,)
    receiver : ndarray of int64, shape (pairs,)
        Those of unit j stand at ``start[j]`` to ``start[j + 1]``.
    apart : ndarray, shape (pairs,)
        Order of neighbourhood (1 for adjacent units), or distance in km; positive.
    """

    start: NDArray[np.int64]
    receiver: NDArray[np.int64]
    apart: Floats

    @property
    def giver(self) -> NDArray[np.int64]:
        """The unit of each pair whose counts are passed on, shape (pairs,)."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @classmethod
    def none(cls, units: int) -> Pairs:
        """Return no pairs among so many units."""
        return cls(np.zeros(units + 1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))

    @classmethod
    def of_matrix(cls, apart: Floats | NDArray[np.integer], largest: float = np.inf) -> Pairs:
        """Take the positive entries of a dense matrix, up to `largest`; row j has those that j weighs on."""
        kept = (apart > 0) & (apart <= largest)
        start = np.concatenate(([0], np.cumsum(kept.sum(axis=1))))
        return cls(start.astype(np.int64), np.nonzero(kept)[1].astype(np.int64), apart[kept].astype(np.float64))

    @classmethod
    def by_order(cls, neighbours: Neighbours, largest: int) -> Pairs:
        """Return all pairs up to an order: how many borders lie between two units on the shortest way.

        Examples
        --------
        >>> row = Neighbours.from_pairs(np.array([0, 1]), np.array([1, 2]), np.ones(2), np.ones(2), 3)
        >>> Pairs.by_order(row, 2).apart
        array([1., 2., 1., 1., 2., 1.])
        """
        adjacent = neighbours.border_km
        units = len(adjacent.indptr) - 1
        return cls(*_breadth_first(adjacent.indptr.astype(np.int64), adjacent.indices.astype(np.int64), largest, units))

    @classmethod
    def by_distance(cls, units: Units, largest_km: float) -> Pairs:
        """Return all pairs whose centres are at most so far apart; a pair at one point counts as 1 km apart.

        Raises
        ------
        InputError
            If a unit has no coordinates.
        """
        if not (np.isfinite(units.latitude).all() and np.isfinite(units.longitude).all()):
            raise InputError(
                "weights by distance need the coordinates of every unit", hint="weights by order of neighbourhood"
            )
        phi, psi = np.radians(units.latitude), np.radians(units.longitude)
        points = np.stack([np.cos(phi) * np.cos(psi), np.cos(phi) * np.sin(psi), np.sin(phi)], axis=1)
        chord = 2 * np.sin(min(largest_km / EARTH_RADIUS_KM, np.pi) / 2)
        first, second = cKDTree(points).query_pairs(chord, output_type="ndarray").T.astype(np.int64)
        giver, receiver = np.r_[first, second], np.r_[second, first]
        order = np.lexsort((receiver, giver))
        giver, receiver = giver[order], receiver[order]
        start = np.concatenate(([0], np.cumsum(np.bincount(giver, minlength=len(units))))).astype(np.int64)
        km = great_circle_km(
            units.latitude[giver], units.longitude[giver], units.latitude[receiver], units.longitude[receiver]
        )
        return cls(start, receiver, np.maximum(km, 1.0))


@dataclass(frozen=True, eq=False)
class Weights:
    r"""Weights of pairs, and how they depend on parameters.

    With :math:`o` how far apart two units are, the weight before any normalisation is 1 for fixed weights, and

    .. math:: o^{-d} \quad \text{or} \quad e^{\psi_o} \; (o \le k), \; e^{\psi_k} (o / k)^{-d} \; (o > k)

    for a power law and for free first weights, of which :math:`\psi_1 = 0`. The parameters are :math:`\psi_2 ..
    \psi_k` and :math:`\log d`. The tail of free weights can also be constant: :math:`d = 0`.

    Parameters
    ----------
    pairs : Pairs
    free : int
        :math:`k`: the first so many orders have weights of their own; 1 for a power law from the first on.
    tail : {"power", "constant"}
        Of the orders beyond.
    normalised : bool
        Divide by the sum over the units that a unit weighs on, so that each event is shared out once.

    References
    ----------
    Meyer & Held (2014), doi:10.1214/14-AOAS743.
    """

    pairs: Pairs
    free: int = 1
    tail: Tail = "constant"
    normalised: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters on their natural scale."""
        decay = ("weights.decay",) if self.tail == "power" else ()
        return tuple(f"weights.order{order}" for order in range(2, self.free + 1)) + decay

    def natural(self, parameters: Floats) -> Floats:
        """Return the free weights and the decay; each is its own derivative in its parameter."""
        return np.exp(parameters)

    @property
    def start(self) -> Floats:
        """Where the search begins: ``1 / o``."""
        decay = (0.0,) if self.tail == "power" else ()
        return np.array([-np.log(order) for order in range(2, self.free + 1)] + list(decay))

    def columns(self, parameters: Floats) -> Floats:
        """Return the weight of each pair and its derivatives.

        Returns
        -------
        ndarray, shape (pairs, 1 + k + k (k + 1) / 2)
            The weight, its k first derivatives, and the second ones in order 11, 12, .. 1k, 22, ..
        """
        apart, count = self.pairs.apart, len(self.names)
        slope = np.zeros((len(apart), count))
        for at in range(self.free - 1):
            slope[:, at] = np.minimum(apart, self.free) == at + 2
        log = slope[:, : self.free - 1] @ parameters[: self.free - 1]
        if self.tail == "power":
            slope[:, -1] = -np.exp(parameters[-1]) * np.log(np.maximum(apart / self.free, 1.0))
            log += slope[:, -1]
        bend = slope[:, -1:].copy()  # only the power law is curved in its parameter, by as much as it is steep
        weight = np.exp(log)
        if self.normalised:
            weight /= self._sums(weight)
            slope -= self._sums(weight[:, None] * slope)
        out = [weight, *(weight * slope.T)]
        for a in range(count):
            for b in range(a, count):
                second = slope[:, a] * slope[:, b]
                if self.tail == "power" and b == a == count - 1:
                    second += bend[:, 0]
                if self.normalised:
                    second -= self._sums(weight * second)
                out.append(weight * second)
        return np.ascontiguousarray(np.stack(out, axis=1))

    def _sums(self, values: Floats) -> Floats:
        """Return the sum over the pairs of the same giver, for each pair; shape of `values`."""
        total = np.concatenate((np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)))
        start = self.pairs.start
        return np.asarray((total[start[1:]] - total[start[:-1]])[self.pairs.giver])


@compiled
def _breadth_first(
    border_start: NDArray[np.int64], border: NDArray[np.int64], largest: int, units: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Search outwards from each unit up to an order; the cost is that of the pairs found."""
    start = np.zeros(units + 1, dtype=np.int64)
    order = np.zeros(units, dtype=np.int64)
    found = np.empty(units, dtype=np.int64)
    receiver, apart = np.empty(0, dtype=np.int64), np.empty(0)
    for counting in (True, False):
        if not counting:
            receiver, apart = np.empty(start[units], dtype=np.int64), np.empty(start[units])
        for unit in range(units):
            found[0], count, at = unit, 1, 0
            order[unit] = largest + 1  # not itself
            while at < count:
                here = found[at]
                step = 1 if here == unit else order[here] + 1
                at += 1
                if step > largest:
                    continue
                for edge in range(border_start[here], border_start[here + 1]):
                    if order[border[edge]] == 0:
                        order[border[edge]] = step
                        found[count] = border[edge]
                        count += 1
            if counting:
                start[unit + 1] = start[unit] + count - 1
            else:
                reached = np.sort(found[1:count])
                for place in range(count - 1):
                    receiver[start[unit] + place] = reached[place]
                    apart[start[unit] + place] = order[reached[place]]
            order[found[:count]] = 0
    return start, receiver, apart
