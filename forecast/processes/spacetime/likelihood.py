"""The likelihood given the density of the background: parameters, value, gradient, curvature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Decay
from forecast.processes.spacetime.excitation import Excitation, excitation
from forecast.processes.spacetime.level import Steps, best_levels
from forecast.processes.spacetime.neighbours import Neighbours, earlier_neighbours

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RINGS = 32
"""Rings in which the share of a kernel inside the area is measured; their radii grow linearly."""


class Parameters(NamedTuple):
    """What is estimated by maximum likelihood.

    Parameters
    ----------
    levels : array, shape (kinds, steps)
        Logarithm of background events per day.
    branching : array, shape (kinds, kinds)
        Direct offspring of each kind (row) from an event of each kind (column).
    in_time, in_space : Decay
    """

    levels: Floats
    branching: Floats
    in_time: Decay
    in_space: Decay

    @property
    def shape(self) -> Floats:
        """Logarithms of all but the levels: branching row by row, in time, in space."""
        return np.concatenate([np.log(self.branching.ravel()), self.in_time.x, self.in_space.x])

    def with_shape(self, x: Floats, levels: Floats | None = None) -> Parameters:
        """Return other parameters of the same form."""
        pairs, time = self.branching.size, len(self.in_time.x)
        return Parameters(
            self.levels if levels is None else levels,
            np.exp(x[:pairs]).reshape(self.branching.shape),
            self.in_time.with_x(x[pairs : pairs + time]),
            self.in_space.with_x(x[pairs + time :]),
        )

    def bounds(self) -> Floats:
        """Return lowest and highest of the logarithms, shape (shapes, 2)."""
        ratios = np.tile(np.log([1e-4, 3.0]), (self.branching.size, 1))
        return np.concatenate([ratios, self.in_time.bounds(), self.in_space.bounds()])

    @property
    def radius(self) -> float:
        """Spectral radius of the branching matrix; clusters end where it is below 1."""
        return float(np.abs(np.linalg.eigvals(self.branching)).max())


@dataclass(frozen=True, eq=False)
class Likelihood:
    r"""The likelihood of a catalogue from a time on, given where its background comes from.

    .. math::

        \ell = \sum_i \log\Bigl(\mu_{k_i}(t_i) u_{k_i}(x_i) + \sum_{t_j < t_i} n_{k_i k_j} g(t_i - t_j)
               \frac{f(|x_i - x_j|)}{A_j}\Bigr) - \sum_k \int \mu_k(t) dt
               - \sum_{k, j} n_{k k_j} \int g(t - t_j) dt

    Parameters
    ----------
    catalogue : Catalogue
    since : float
        Events before it are parents only.
    steps : Steps
        Of the levels, from `since` to the end.
    neighbours : Neighbours
        Within the cut-offs of the decays.
    """

    catalogue: Catalogue
    since: float
    steps: Steps
    neighbours: Neighbours

    @classmethod
    def of(cls, catalogue: Catalogue, since: float, steps: Steps, in_time: Decay, in_space: Decay) -> Self:
        """Find the neighbours within the cut-offs of the decays."""
        first = int(np.searchsorted(catalogue.times, since))
        found = earlier_neighbours(
            catalogue.times, catalogue.vectors, in_time.upto, float(np.sqrt(in_space.upto)), since=first
        )
        return cls(catalogue, since, steps, found)

    @cached_property
    def counted(self) -> slice:
        """Events from `since` on."""
        return slice(int(np.searchsorted(self.catalogue.times, self.since)), None)

    @cached_property
    def step(self) -> Integers:
        """Step of each event that counts."""
        return self.steps.of(self.catalogue.times[self.counted])

    @cached_property
    def _rings(self) -> dict[float, tuple[Floats, Integers, Floats]]:
        return {}

    def inside(self, in_space: Decay) -> tuple[Floats, Floats]:
        """Return the share of the kernel around each event that lies inside, and slopes of its logarithm.

        Measured around the centre of the event's cell. Shapes (events,) and (space shapes, events).
        """
        if in_space.upto not in self._rings:
            squares = in_space.upto * np.linspace(0.0, 1.0, RINGS + 1) ** 2
            cells, which = np.unique(self.catalogue.cells, return_inverse=True)
            self._rings[in_space.upto] = squares, which, self.catalogue.area.shares(cells, squares)
        squares, which, shares = self._rings[in_space.upto]
        share = shares @ np.diff(in_space.cumulative(squares))
        slopes = shares @ np.diff(in_space.cumulative_slopes(squares), axis=1).T
        share = np.maximum(share, 1e-3)
        return share[which], (slopes / share[:, None])[which].T

    def excitation(self, at: Parameters) -> Excitation:
        """Return what earlier events add at each event that counts."""
        events = self.catalogue
        share, slopes = self.inside(at.in_space)
        found = excitation(
            events.times, events.vectors, events.kinds, self.neighbours, at.branching, at.in_time, at.in_space,
            share, slopes,
        )  # fmt: skip
        return Excitation(found.by_kind[self.counted], found.slopes[self.counted])

    def exposure(self, in_time: Decay) -> tuple[Floats, Floats]:
        """Return how much of each event's offspring is due in the window, and slopes, summed by kind of the parent.

        Shapes (kinds,) and (time shapes, kinds).
        """
        events, kinds = self.catalogue, len(self.catalogue.names)
        ages = [np.maximum(time - events.times, 0.0) for time in (events.end, self.since)]
        due = in_time.cumulative(ages[0]) - in_time.cumulative(ages[1])
        slopes = in_time.cumulative_slopes(ages[0]) - in_time.cumulative_slopes(ages[1])
        by_kind = np.array([np.bincount(events.kinds, slope, kinds) for slope in slopes])
        return np.bincount(events.kinds, due, kinds).astype(np.float64), by_kind

    def base(self, at: Parameters, density: Floats) -> Floats:
        """Return the rate of the background at the events that count."""
        return np.asarray(np.exp(at.levels[self.catalogue.kinds[self.counted], self.step]) * density)

    def triggered(self, at: Parameters, found: Excitation) -> Floats:
        """Return the rate that earlier events cause at the events that count."""
        return np.asarray((at.branching[self.catalogue.kinds[self.counted]] * found.by_kind).sum(axis=1))

    def value(self, at: Parameters, density: Floats) -> float:
        """Return the log-likelihood, in nats, without the penalty of the levels.

        Parameters
        ----------
        at : Parameters
        density : array, shape (events that count,)
            Of the background at each, per km2.
        """
        rates = self.base(at, density) + self.triggered(at, self.excitation(at))
        return float(np.log(rates).sum() - self._expected(at))

    def _expected(self, at: Parameters) -> float:
        due, _ = self.exposure(at.in_time)
        return float((np.exp(at.levels) @ self.steps.lengths).sum() + at.branching.sum(axis=0) @ due)

    def gradient(self, at: Parameters, density: Floats, found: Excitation | None = None) -> Floats:
        """Return the derivatives in `Parameters.shape`, the levels held fixed."""
        found = found or self.excitation(at)
        rates = self.base(at, density) + self.triggered(at, found)
        due, due_slopes = self.exposure(at.in_time)
        sums = self._slopes(at, found).T @ (1.0 / rates)
        expected = np.concatenate(
            [(at.branching * due).ravel(), due_slopes @ at.branching.sum(axis=0), np.zeros(len(at.in_space.x))]
        )
        return np.asarray(sums - expected)

    def _slopes(self, at: Parameters, found: Excitation) -> Floats:
        """Return the derivatives of the triggered rates, shape (events, shapes)."""
        kinds = self.catalogue.kinds[self.counted]
        pairs = np.zeros((len(kinds), *at.branching.shape))
        pairs[np.arange(len(kinds)), kinds] = at.branching[kinds] * found.by_kind
        return np.concatenate([pairs.reshape(len(kinds), -1), found.slopes], axis=1)

    def with_best_levels(
        self, at: Parameters, density: Floats, found: Excitation, sd: float
    ) -> tuple[Parameters, Floats]:
        """Return the parameters with the levels that are best for them, and their curvature, (kinds, steps, steps)."""
        kinds, excited = self.catalogue.kinds[self.counted], self.triggered(at, found)
        levels, curvature = [], []
        for kind, start in enumerate(at.levels):
            of = kinds == kind
            best, bend = best_levels(self.steps, self.step[of], density[of], excited[of], start, sd)
            levels.append(best)
            curvature.append(bend)
        return at._replace(levels=np.array(levels)), np.array(curvature)

    def penalised(self, at: Parameters, density: Floats, found: Excitation, sd: float) -> float:
        """Return the log-likelihood less the penalty of the levels' random walk."""
        precision = self.steps.precision(sd)
        penalty = sum(float(a @ precision @ a) for a in at.levels) / 2
        rates = self.base(at, density) + self.triggered(at, found)
        return float(np.log(rates).sum() - self._expected(at) - penalty)

    def curvature(self, at: Parameters, density: Floats, sd: float) -> Floats:
        """Return the negative Hessian of the penalised likelihood in levels (kind by kind) and `Parameters.shape`.

        That of the levels and of them with the rest is exact; that of the rest by differences of the gradient.
        """
        found = self.excitation(at)
        base = self.base(at, density)
        rates = base + self.triggered(at, found)
        kinds, p = self.catalogue.kinds[self.counted], base / rates
        steps, count = len(self.steps), at.levels.size
        x, slopes = at.shape, self._slopes(at, found)
        place = kinds * steps + self.step
        matrix = np.zeros((count + len(x), count + len(x)))
        matrix[:count, :count] = np.kron(np.eye(len(at.levels)), self.steps.precision(sd))
        own = (np.exp(at.levels) * self.steps.lengths).ravel() - np.bincount(place, p * (1 - p), count)
        matrix[np.arange(count), np.arange(count)] += own
        for column, slope in enumerate(slopes.T):
            cross = np.bincount(place, p * slope / rates, count)
            matrix[:count, count + column] = matrix[count + column, :count] = cross
        size = 1e-4
        rest = np.array(
            [
                self.gradient(at.with_shape(x - size * unit), density)
                - self.gradient(at.with_shape(x + size * unit), density)
                for unit in np.eye(len(x))
            ]
        ) / (2 * size)
        matrix[count:, count:] = (rest + rest.T) / 2
        return matrix
