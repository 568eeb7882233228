"""What earlier events add to the rate at each event, and its derivatives: one pass along the pairs of neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.processes.spacetime.decays import CODES, Decay
from forecast.processes.spacetime.neighbours import Neighbours

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Excitation(NamedTuple):
    """Sums over the parents of each event, per day and km2.

    Parameters
    ----------
    by_kind : array, shape (events, kinds)
        Of parents of each kind, for one offspring expected of each.
    slopes : array, shape (events, shapes)
        Derivatives of the total, offspring counted, in the parameters of the decay in time and then in space.
    """

    by_kind: Floats
    slopes: Floats


def excitation(
    times: Floats,
    points: Floats,
    kinds: Integers,
    neighbours: Neighbours,
    branching: Floats,
    in_time: Decay,
    in_space: Decay,
    inside: Floats,
    inside_slopes: Floats,
) -> Excitation:
    r"""Return :math:`\sum_j g(t_i - t_j) f(|x_i - x_j|^2) / (\pi A_j)` by kind of `j`, and slopes.

    Parameters
    ----------
    times : array, shape (events,)
    points : array, shape (events, 3)
    kinds : array of int, shape (events,)
    neighbours : Neighbours
    branching : array, shape (kinds, kinds)
        Direct offspring expected, of each kind (row) from an event of each kind (column).
    in_time, in_space : Decay
        Of lags and of squared chords.
    inside : array, shape (events,)
        Share `A` of the kernel around each event that lies inside the area.
    inside_slopes : array, shape (space shapes, events)
        Derivatives of its logarithm.
    """
    by_kind = np.zeros((len(times), len(branching)))
    slopes = np.zeros((len(times), len(in_time.x) + len(in_space.x)))
    _sums(
        times, points, kinds, neighbours.first, neighbours.parent, branching,
        CODES[type(in_time).__name__], in_time.constants(), len(in_time.x),
        CODES[type(in_space).__name__], in_space.constants(), len(in_space.x),
        inside, np.ascontiguousarray(inside_slopes.T), by_kind, slopes,
    )  # fmt: skip
    return Excitation(by_kind, slopes)


@compiled
def _sums(
    times: Floats,
    points: Floats,
    kinds: Integers,
    first: Integers,
    parents: NDArray[np.int32],
    branching: Floats,
    time_form: int,
    time: Floats,
    time_shapes: int,
    space_form: int,
    space: Floats,
    space_shapes: int,
    inside: Floats,
    inside_slopes: Floats,
    by_kind: Floats,
    slopes: Floats,
) -> None:
    norm = -time[2] - space[2] - np.log(np.pi)
    for i in range(len(times)):
        for pair in range(first[i], first[i + 1]):
            j = parents[pair]
            u = (times[i] - times[j]) / time[0]
            square = 0.0
            for axis in range(3):
                square += (points[i, axis] - points[j, axis]) ** 2
            w = square / space[0]
            ell_u = u if time_form == 0 else np.log1p(u)
            ell_w = w if space_form == 0 else np.log1p(w)
            drop_u = ell_u if time_form == 0 else time[1] * ell_u
            drop_w = ell_w if space_form == 0 else space[1] * ell_w
            value = np.exp(norm - drop_u - drop_w) / inside[j]
            by_kind[i, kinds[j]] += value
            value *= branching[kinds[i], kinds[j]]
            slopes[i, 0] += value * ((u if time_form == 0 else time[1] * u / (1.0 + u)) - time[3])
            if time_form == 1:
                slopes[i, 1] -= value * (drop_u + time[4])
            slope = (w if space_form == 0 else space[1] * w / (1.0 + w)) - space[3]
            slopes[i, time_shapes] += value * (slope - inside_slopes[j, 0])
            if space_form == 1:
                slopes[i, time_shapes + 1] -= value * (drop_w + space[4] + inside_slopes[j, 1])
