"""A made-up country: square regions on the open ocean, so that nobody takes them for real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import box

from forecast.errors import InputError
from forecast.events.table import Events
from forecast.panel.neighbours import Neighbours
from forecast.panel.polygons import Polygons, neighbours_from_polygons
from forecast.panel.units import EARTH_RADIUS_KM, Units

COUNTRY = "Simulated"
CENTRE_LONGITUDE = -124.0
"""The empty Pacific; the grid's middle lies on the equator, where squares of degrees are squares."""
MOST_REGIONS = 625
KM_PER_DEGREE = EARTH_RADIUS_KM * math.pi / 180
PLACE_RADII_KM = (50, 100, 150)
COORDINATE_DIGITS = 5
"""About a metre; events are rounded before they are counted, so that a written table gives the same counts."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Square regions of one degree (about 111 km), row by row from the south-west, and a few places among them.

    Parameters
    ----------
    polygons : Polygons
    units : Units
        Called ``"Simulated/R01C01"``, by row and column.
    neighbours : Neighbours
        Squares that share an edge.
    towns : Units
        Places without a radius, at corners and centres of squares.
    west, south : ndarray, shape (regions,)
        Lower left corner of each square, degrees.
    """

    polygons: Polygons
    units: Units
    neighbours: Neighbours
    towns: Units
    west: NDArray[np.float64]
    south: NDArray[np.float64]

    def events(
        self,
        days: NDArray[np.datetime64],
        latitude: NDArray[np.float64],
        longitude: NDArray[np.float64],
        region: NDArray[np.intp],
        source: str,
    ) -> Events:
        """Return simulated events, given in order of time, as a table; they are numbered."""
        frame = pd.DataFrame(
            {
                "event_id": [f"S{number:07d}" for number in range(1, len(days) + 1)],
                "date": days.astype("datetime64[s]"),
                "latitude": latitude,
                "longitude": longitude,
                "region": np.asarray(self.units.names, dtype=object)[region],
            }
        )
        return Events(frame, source, simulated=True)

    def areas_km2(self) -> NDArray[np.float64]:
        """Return the area of each square on the sphere, shape (regions,)."""
        rise = np.sin(np.radians(self.south + 1)) - np.sin(np.radians(self.south))
        return np.asarray(EARTH_RADIUS_KM**2 * math.radians(1) * rise)

    def places(self) -> Units:
        """Return each town with each radius, as units of a panel."""
        pairs = [(town, radius) for town in range(len(self.towns)) for radius in PLACE_RADII_KM]
        at = np.array([town for town, _ in pairs])
        return Units.of(
            [f"{self.towns.names[town]} {radius} km" for town, radius in pairs],
            kind="place",
            groups=[COUNTRY] * len(pairs),
            latitude=self.towns.latitude[at],
            longitude=self.towns.longitude[at],
            radius_km=np.array([radius for _, radius in pairs], dtype=np.float64),
        )


def square_grid(regions: int) -> Grid:
    """Lay out a number of regions as nearly in a square as it goes; the last row may be shorter.

    Raises
    ------
    InputError
        If `regions` is not from 1 to 625.

    Examples
    --------
    >>> square_grid(6).units.names[-1]
    'Simulated/R02C03'
    """
    if not 1 <= regions <= MOST_REGIONS:
        raise InputError(f"{regions} regions", expected=f"1 to {MOST_REGIONS}")
    columns = math.ceil(math.sqrt(regions))
    rows = math.ceil(regions / columns)
    row, column = np.divmod(np.arange(regions), columns)
    west = CENTRE_LONGITUDE + column - columns // 2
    south = (row - rows // 2).astype(np.float64)
    names = tuple(f"{COUNTRY}/R{r + 1:02d}C{c + 1:02d}" for r, c in zip(row, column, strict=True))
    squares = tuple(box(x, y, x + 1, y + 1) for x, y in zip(west, south, strict=True))
    polygons = Polygons(names, squares)
    homes = np.unique(np.linspace(0, regions - 1, min(regions, 4)).astype(np.intp))
    inset = np.array([0.5, 0.2, 0.8, 0.35])[: len(homes)]
    towns = Units.of(
        [f"Town {number + 1}" for number in range(len(homes))],
        kind="place",
        groups=[COUNTRY] * len(homes),
        latitude=south[homes] + inset,
        longitude=west[homes] + inset,
    )
    units = polygons.units([COUNTRY] * regions)
    return Grid(polygons, units, neighbours_from_polygons(polygons), towns, west, south)
