"""Where events come from by themselves: a density in space, smoothed from weighted events, on the cells of an area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from forecast.errors import InputError
from forecast.processes.spacetime.area import KM_PER_DEGREE, Area
from forecast.processes.spacetime.smoothing import smoothed
from forecast.processes.spacetime.sphere import chord_km, vectors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NEIGHBOURS = (5.0, 10.0, 20.0, 40.0, 80.0)
"""Choices for how many events a bandwidth reaches over."""
FOLDS = 3
NARROWEST_KM, WIDEST_KM = 10.0, 200.0
"""Bandwidths: not below the precision of the places, nor so wide that a region is lost."""
UNIFORM = 0.01
"""Share of the density that is the same everywhere, so that no place is ruled out."""
MOST_CELLS = 128
"""So many occupied cells are looked at for a bandwidth."""


@dataclass(frozen=True, eq=False)
class Background:
    """A density over an area, constant within its cells.

    Parameters
    ----------
    area : Area
    density : array, shape (cells,)
        Per km2; its integral over the area is 1.
    alone : array, shape (cells,)
        What one event of weight 1 adds in its own cell before all is divided by the total weight: to leave it out.
    weight : float
        Sum of the weights.
    neighbours : float
        Weight that each bandwidth reaches over.
    """

    area: Area
    density: Floats
    alone: Floats
    weight: float
    neighbours: float

    @classmethod
    def uniform(cls, area: Area) -> Self:
        """Return the same density everywhere.

        Examples
        --------
        >>> area = Area.box(0.0, 0.0, 1.0, 1.0)
        >>> round(float(Background.uniform(area).density @ area.sizes), 12)
        1.0
        """
        total = area.sizes.sum()
        return cls(area, np.full(len(area), 1.0 / total), np.zeros(len(area)), 1.0, np.inf)

    @classmethod
    def smoothed(cls, area: Area, cells: Integers, weights: Floats, *, neighbours: float | None = None) -> Self:
        r"""Return the weighted kernel density of events.

        Gaussian kernels of chords, with the bandwidth at each event the distance within which events of weight
        `neighbours` lie (Zhuang, Ogata & Vere-Jones 2002, https://doi.org/10.1198/016214502760046925), from 10 to 200
        km. Each kernel is divided by its mass on the cells inside the area (Diggle 1985,
        https://doi.org/10.2307/2347366): none of it is lost to the sea or beyond the border. Events of one cell
        count as at its centre, so that the cost is bounded by the cells, whatever the number of events.

        Parameters
        ----------
        area : Area
        cells : array of int, shape (events,)
        weights : array, shape (events,)
            Such as the probability that each event belongs to the background.
        neighbours : float, optional
            Without it that of `NEIGHBOURS` which `best_neighbours` finds.

        Raises
        ------
        InputError
            If the weights are negative or all 0, or `neighbours` is not above 0.

        Examples
        --------
        >>> area = Area.box(0.0, 0.0, 5.0, 5.0)
        >>> cells = area.locate(np.array([1.0, 1.2, 4.0]), np.array([1.0, 1.1, 4.0]))
        >>> background = Background.smoothed(area, cells, np.ones(3), neighbours=2.0)
        >>> round(float(background.density @ area.sizes), 12)
        1.0
        """
        weights = np.asarray(weights, dtype=np.float64)
        if not len(weights) or not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
            raise InputError("weights of events that are missing, negative or all 0", where="background")
        if neighbours is not None and not neighbours > 0:
            raise InputError(f"{neighbours:g} neighbours", where="background", expected="above 0")
        chosen = best_neighbours(area, cells, weights) if neighbours is None else neighbours
        return cls._with(area, cells, weights, chosen)

    @classmethod
    def _with(cls, area: Area, cells: Integers, weights: Floats, neighbours: float) -> Self:
        mass = np.bincount(cells, weights, len(area)).astype(np.float64)
        occupied = np.flatnonzero(mass > 0)
        bandwidth = _bandwidths(area.vectors()[occupied], mass[occupied], neighbours)
        total, peak = smoothed(area, occupied, mass[occupied], bandwidth)
        alone = np.zeros(len(area))
        alone[occupied] = peak
        weight = float(mass.sum())
        density = (1 - UNIFORM) * total / weight + UNIFORM / area.sizes.sum()
        return cls(area, density, (1 - UNIFORM) * alone, weight, neighbours)

    def at(self, cells: Integers, weights: Floats) -> Floats:
        """Return the density at events that it was made of, each left out of it, shape (events,)."""
        rest = np.maximum(self.weight - weights, 1e-12)
        floor = UNIFORM / self.area.sizes.sum()
        left = (self.density[cells] - floor) * self.weight - weights * self.alone[cells]
        return np.asarray(np.maximum(left, 0.0) / rest + floor)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw points, latitude and longitude."""
        share = np.cumsum(self.density * self.area.sizes)
        cells = np.searchsorted(share, rng.random(count) * share[-1], side="right")
        return self.area.draw_within(np.minimum(cells, len(share) - 1), rng)

    def within(self, latitude: Floats, longitude: Floats, radius_km: Floats | float, *, parts: int = 5) -> Floats:
        """Return the mass within a radius of points, shape (points,); each cell counts as `parts` x `parts` points."""
        lat, lon = self.area.centres
        mass = self.density * self.area.sizes / parts**2
        inner = self.area.step * ((np.arange(parts) + 0.5) / parts - 0.5)
        north, east = (axis.ravel() for axis in np.meshgrid(inner, inner, indexing="ij"))
        here, radius = vectors(latitude, longitude), np.broadcast_to(radius_km, np.shape(latitude))
        near = cKDTree(vectors(lat, lon)).query_ball_point(here, radius + self.area.step * KM_PER_DEGREE)
        found = np.zeros(len(here))
        for at, some in enumerate(near):
            fine = vectors(np.add.outer(lat[some], north), np.add.outer(lon[some], east))
            inside = ((fine - here[at]) ** 2).sum(axis=-1) <= chord_km(radius[at]) ** 2
            found[at] = mass[some] @ inside.sum(axis=1)
        return found


def best_neighbours(area: Area, cells: Integers, weights: Floats) -> float:
    """Return the choice of `NEIGHBOURS` under which the events of each third of the time are likeliest, given the rest.

    Events that are in order of time are cut into three parts with as many each. Leaving out single events instead would
    let the others of the same cluster speak for them, and choose bandwidths that are too narrow.

    Parameters
    ----------
    area : Area
    cells : array of int, shape (events,)
        In order of time.
    weights : array, shape (events,)
    """
    fold = np.arange(len(cells)) * FOLDS // max(len(cells), 1)
    scores = []
    for choice in NEIGHBOURS:
        score = 0.0
        for left_out in range(FOLDS):
            out = fold == left_out
            if weights[~out].sum() > 0:
                found = Background._with(area, cells[~out], weights[~out], choice)
                score += float(weights[out] @ np.log(found.density[cells[out]]))
        scores.append(score)
    return NEIGHBOURS[int(np.argmax(scores))]


def _bandwidths(points: Floats, mass: Floats, neighbours: float) -> Floats:
    """Return the distance within which the mass is reached, shape (sources,)."""
    most = min(MOST_CELLS, len(points))
    distance, which = (np.reshape(of, (len(points), most)) for of in cKDTree(points).query(points, k=most))
    reached = np.cumsum(mass[which], axis=1) >= neighbours
    at = np.where(reached.any(axis=1), reached.argmax(axis=1), most - 1)
    width = np.clip(distance[np.arange(len(points)), at], NARROWEST_KM, WIDEST_KM)
    width[~reached.any(axis=1)] = WIDEST_KM
    return np.asarray(width)
