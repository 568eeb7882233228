"""The study area as cells of a raster: what lies inside, how large it is, how much of a disc it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from forecast.errors import InputError
from forecast.panel.polygons import Polygons
from forecast.panel.units import EARTH_RADIUS_KM
from forecast.processes.spacetime.sphere import moved, vectors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180
BEARINGS = 48
"""Directions in which a ring is looked at."""


@dataclass(frozen=True, eq=False)
class Area:
    """Cells of equal degrees; events happen inside them and nowhere else.

    Parameters
    ----------
    south, west : float
        Corner of the raster, in degrees.
    step : float
        Side of a cell in degrees.
    index : array of int, shape (rows, columns)
        Number of each cell inside, -1 outside; rows from south to north.
    """

    south: float
    west: float
    step: float
    index: Integers

    @classmethod
    def of_polygons(
        cls,
        polygons: Polygons | BaseGeometry | Iterable[BaseGeometry],
        *,
        step: float = 0.1,
        margin_km: float = 10.0,
    ) -> Self:
        """Return the cells whose centre lies within polygons, and all that reach into a margin around them.

        Parameters
        ----------
        polygons : Polygons, or shapely geometry, or several of these
            Of the study area, in degrees, longitude first; `forecast.panel.polygons.read_polygons` reads a file, and
            `Dataset.polygons` has those of a dataset as GeoJSON (`shapely.geometry.shape`).
        step : float, default 0.1
            Side of a cell in degrees; 0.1 is 11 km.
        margin_km : float, default 10
            Coasts and borders are drawn coarsely, and events are known to a place: some lie just outside.

        Raises
        ------
        InputError
            If they are no polygons, the step or margin is not sensible, or no cell is left.

        Examples
        --------
        >>> area = Area.of_polygons([shapely.box(0, 10, 1, 11)], margin_km=0.0)
        >>> len(area), round(float(area.sizes.sum()))
        (100, 12157)
        """
        if not 0 < step <= 5 or margin_km < 0:
            raise InputError(
                f"a step of {step:g} degrees and a margin of {margin_km:g} km", expected="0 to 5; 0 or more"
            )
        whole = shapely.union_all([shapely.make_valid(shape) for shape in _shapes(polygons)])
        margin = margin_km / KM_PER_DEGREE
        far = min(max(abs(whole.bounds[1]), abs(whole.bounds[3])), 85.0)
        wide = margin / np.cos(np.radians(far))
        west, south, east, north = np.add(whole.bounds, (-wide, -margin, wide, margin))
        rows, columns = (max(int(np.ceil(span / step - 1e-9)), 1) for span in (north - south, east - west))
        lat, lon = np.meshgrid(
            south + step * (np.arange(rows) + 0.5), west + step * (np.arange(columns) + 0.5), indexing="ij"
        )
        shapely.prepare(whole)
        inside = np.asarray(shapely.intersects_xy(whole, lon, lat))
        if margin_km > 0:
            line = shapely.get_coordinates(shapely.segmentize(shapely.boundary(whole), max(margin / 3, step / 10)))
            corner = step * KM_PER_DEGREE / np.sqrt(2)  # from a cell's centre
            border = cKDTree(vectors(line[:, 1], line[:, 0]))
            near, _ = border.query(vectors(lat[~inside], lon[~inside]), distance_upper_bound=margin_km + corner)
            inside[~inside] = np.isfinite(near)
        return cls.of_mask(south, west, step, inside)

    @classmethod
    def of_mask(cls, south: float, west: float, step: float, inside: NDArray[np.bool_]) -> Self:
        """Return the area of a raster that says which cells are inside."""
        if not inside.any():
            raise InputError("no cell lies inside the study area", where="area", hint="a smaller step")
        index = np.full(inside.shape, -1, dtype=np.int64)
        index[inside] = np.arange(np.count_nonzero(inside))
        return cls(float(south), float(west), float(step), index)

    @classmethod
    def box(cls, south: float, west: float, north: float, east: float, *, step: float = 0.1) -> Self:
        """Return a box of whole cells.

        Examples
        --------
        >>> len(Area.box(0.0, 0.0, 2.0, 1.0, step=0.5))
        8
        """
        rows, columns = (round((high - low) / step) for low, high in ((south, north), (west, east)))
        return cls.of_mask(south, west, step, np.ones((max(rows, 0), max(columns, 0)), dtype=bool))

    def __len__(self) -> int:
        return int(self.index.max()) + 1

    @property
    def sizes(self) -> Floats:
        """Size of each cell in km2, shape (cells,)."""
        edges = np.radians(self.south + self.step * np.arange(self.index.shape[0] + 1))
        rows = EARTH_RADIUS_KM**2 * np.radians(self.step) * np.diff(np.sin(edges))
        return np.asarray(rows[np.nonzero(self.index >= 0)[0]])

    @property
    def centres(self) -> tuple[Floats, Floats]:
        """Latitude and longitude of each cell's centre, shapes (cells,)."""
        row, column = np.nonzero(self.index >= 0)
        lat, lon = self.south + self.step * (row + 0.5), self.west + self.step * (column + 0.5)
        return lat.astype(np.float64), lon.astype(np.float64)

    def locate(self, latitude: Floats, longitude: Floats) -> Integers:
        """Return the cell of each point, -1 outside."""
        row = np.floor((latitude - self.south) / self.step).astype(np.int64)
        column = np.floor((longitude - self.west) / self.step).astype(np.int64)
        rows, columns = self.index.shape
        on = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(on, self.index[np.where(on, row, 0), np.where(on, column, 0)], -1)

    def draw_within(self, cells: Integers, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw a uniform point within each of some cells."""
        lat, lon = self.centres
        half = self.step / 2
        low, high = (np.sin(np.radians(lat[cells] + sign * half)) for sign in (-1, 1))
        drawn = np.degrees(np.arcsin(low + (high - low) * rng.random(len(cells))))
        return drawn, lon[cells] + self.step * (rng.random(len(cells)) - 0.5)

    def shares(self, cells: Integers, squares: Floats) -> Floats:
        """Return how much of the rings around some cells' centres lies inside, shape (cells, rings).

        Parameters
        ----------
        cells : array of int, shape (cells,)
        squares : array, shape (rings + 1,)
            Squared chords in km2 between which the rings lie.
        """
        middle = (squares[1:] + squares[:-1]) / 2
        bearing = 2 * np.pi * (np.arange(BEARINGS) + 0.5) / BEARINGS
        share = np.ones((len(cells), len(middle)))
        points = self.vectors()
        reach = np.sqrt(squares[-1]) + self.step * KM_PER_DEGREE
        nearest, _ = cKDTree(points[self._border]).query(points[cells], distance_upper_bound=reach)
        near = np.isfinite(nearest)  # all of the rings of the others lies inside
        lat, lon = (of[cells[near]] for of in self.centres)
        for ring, square in enumerate(middle):
            there = moved(lat[:, None], lon[:, None], np.asarray(square), bearing[None, :])
            share[near, ring] = (self.locate(*there) >= 0).mean(axis=1)
        return share

    @property
    def _border(self) -> Integers:
        """Cells with a neighbour, corners included, that is outside."""
        inside = np.pad(self.index >= 0, 1)
        whole = inside[1:-1, 1:-1].copy()
        rows, columns = self.index.shape
        for down in (0, 1, 2):
            for right in (0, 1, 2):
                whole &= inside[down : down + rows, right : right + columns]
        return self.index[(self.index >= 0) & ~whole]

    def vectors(self) -> Floats:
        """Return the centres of the cells in space, shape (cells, 3)."""
        return vectors(*self.centres)


def _shapes(polygons: Polygons | BaseGeometry | Iterable[BaseGeometry]) -> list[BaseGeometry]:
    if isinstance(polygons, Polygons):
        return list(polygons.shapes)
    found = [polygons] if isinstance(polygons, BaseGeometry) else list(polygons)
    for one in found:
        if not isinstance(one, BaseGeometry):
            raise InputError(
                f"a study area of {type(one).__name__}",
                where="polygons",
                expected="geometries of shapely, or forecast.panel.polygons.Polygons",
                hint="shapely.geometry.shape(...) of GeoJSON",
            )
    if not found:
        raise InputError("a study area of no polygons", where="polygons")
    return found
