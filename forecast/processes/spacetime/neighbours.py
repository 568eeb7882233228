"""Which earlier events lie near each event: within a distance and a time, without looking at all pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Neighbours(NamedTuple):
    """Earlier events near each event.

    Parameters
    ----------
    first : array of int, shape (events + 1,)
        Where the parents of each event begin in `parent`; the last entry is their number.
    parent : array of int32, shape (pairs,)
    """

    first: Integers
    parent: NDArray[np.int32]


def earlier_neighbours(
    times: Floats, points: Floats, upto_days: float, upto_km: float, *, since: int = 0
) -> Neighbours:
    """Find for each event those strictly before it, within both cut-offs.

    Space is cut into cubes as wide as the distance; a cube's events are in order of time. What could be a neighbour is
    in one of 27 cubes and in a stretch of each that bisection finds: the cost follows the number of pairs.

    Parameters
    ----------
    times : array, shape (events,)
        Ascending.
    points : array, shape (events, 3)
        In space, km.
    upto_days, upto_km : float
        Longest lag; longest chord.
    since : int, default 0
        First event whose neighbours are wanted.

    Examples
    --------
    >>> points = np.array([[0.0, 0, 0], [50.0, 0, 0], [500.0, 0, 0], [0.0, 0, 0]])
    >>> earlier_neighbours(np.array([0.0, 1, 2, 3]), points, 2.5, 100.0).parent
    array([0, 1], dtype=int32)
    """
    low = points.min(axis=0)
    cube = np.floor((points - low) / upto_km).astype(np.int64) + 1
    sizes = cube.max(axis=0) + 2
    key = (cube[:, 0] * sizes[1] + cube[:, 1]) * sizes[2] + cube[:, 2]
    order = np.argsort(key, kind="stable")  # a cube's events stay in order of time
    keys, first = np.unique(key[order], return_index=True)
    bound = np.append(first, len(key))
    around = np.array(
        [(i * sizes[1] + j) * sizes[2] + k for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)], dtype=np.int64
    )
    # The neighbours of each occupied cube, once: most of the 27 are empty, as events lie on a sphere.
    wanted = keys[:, None] + around[None, :]
    found = np.searchsorted(keys, wanted)
    beside = np.where(keys[np.minimum(found, len(keys) - 1)] == wanted, found, -1)
    mine = np.searchsorted(keys, key)
    begin = np.empty(len(times) + 1, dtype=np.int64)
    none = np.empty(0, dtype=np.int32)
    _search(times, points, upto_days, upto_km**2, since, order, bound, beside, mine, begin, none)
    parent = np.empty(begin[-1], dtype=np.int32)
    _search(times, points, upto_days, upto_km**2, since, order, bound, beside, mine, begin, parent)
    return Neighbours(begin, parent)


@compiled
def _search(  # noqa: C901 - one pass
    times: Floats,
    points: Floats,
    upto: float,
    square: float,
    since: int,
    order: Integers,
    bound: Integers,
    beside: Integers,
    mine: Integers,
    begin: Integers,
    parent: NDArray[np.int32],
) -> None:
    """Count the neighbours of each event into `begin`, or write them if there is room for them."""
    write, found = len(parent) > 0, 0
    begin[: since + 1] = 0
    for i in range(since, len(times)):
        begin[i] = found
        for cube in beside[mine[i]]:
            if cube < 0:
                continue
            low, high = bound[cube], bound[cube + 1]
            while low < high:  # the first event of the cube that is late enough
                middle = (low + high) // 2
                if times[order[middle]] < times[i] - upto:
                    low = middle + 1
                else:
                    high = middle
            for at in range(low, bound[cube + 1]):
                j = order[at]
                if times[j] >= times[i]:
                    break
                apart = 0.0
                for axis in range(3):
                    apart += (points[i, axis] - points[j, axis]) ** 2
                if apart <= square:
                    if write:
                        parent[found] = j
                    found += 1
    begin[len(times)] = found
