"""The PRIO-GRID: cells of half a degree over the whole globe, and the ids that conflict research gives them.

Tollefsen, Strand and Buhaug (2012), PRIO-GRID: a unified spatial data structure, doi:10.1177/0022343311431287.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.polygons import Polygons
from forecast.panel.units import great_circle_km

CELL_DEGREES = 0.5
COLUMNS = 720
ROWS = 360
LAST_CELL = ROWS * COLUMNS


def cell_ids(latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.int64]:
    """Return the id of the cell that each point lies in.

    ``gid = row * 720 + column + 1``, rows counted from the south pole, columns from 180 degrees west. A point on an
    edge belongs to the cell north or east of it; the north pole and 180 degrees east belong to the last ones.

    Parameters
    ----------
    latitude, longitude : array_like, shape (points,)
        Degrees, WGS 84; NaN where unknown.

    Returns
    -------
    ndarray of int64, shape (points,)
        0 where a coordinate is unknown.

    Raises
    ------
    InputError
        For a point off the globe.

    Examples
    --------
    >>> cell_ids([12.46119, np.nan], [-3.429085, 0.0])
    array([147234,      0])
    """
    south, west = np.broadcast_arrays(np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64))
    known = ~(np.isnan(south) | np.isnan(west))
    off = known & ((np.abs(south) > 90) | (np.abs(west) > 180))
    if off.any():
        at = int(np.flatnonzero(off)[0])
        raise InputError(
            f"latitude {south.flat[at]:g}, longitude {west.flat[at]:g} is off the globe", where=f"point {at + 1}"
        )
    row = np.floor((np.where(known, south, 0.0) + 90) / CELL_DEGREES).astype(np.int64)
    column = np.floor((np.where(known, west, 0.0) + 180) / CELL_DEGREES).astype(np.int64)
    gid = np.minimum(row, ROWS - 1) * COLUMNS + np.minimum(column, COLUMNS - 1) + 1
    return np.where(known, gid, 0)


def cell_centroids(gids: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude of the centre of each cell.

    Raises
    ------
    InputError
        For an id that is not from 1 to 259,200.

    Examples
    --------
    >>> latitude, longitude = cell_centroids([147234])
    >>> float(latitude[0]), float(longitude[0])
    (12.25, -3.25)
    """
    row, column = _position(gids)
    latitude = (row.astype(np.float64) + 0.5) * CELL_DEGREES - 90
    return latitude, (column.astype(np.float64) + 0.5) * CELL_DEGREES - 180


def cell_polygons(gids: ArrayLike) -> Polygons:
    """Return the squares of the cells, named by their ids.

    Raises
    ------
    InputError
        As `cell_centroids`.

    Examples
    --------
    >>> cell_polygons([147234]).shapes[0].bounds
    (-3.5, 12.0, -3.0, 12.5)
    """
    latitude, longitude = cell_centroids(gids)
    half = CELL_DEGREES / 2
    squares = shapely.box(longitude - half, latitude - half, longitude + half, latitude + half)
    return Polygons(tuple(str(gid) for gid in np.asarray(gids, dtype=np.int64)), tuple(squares))


def cells_meeting(polygons: Polygons) -> NDArray[np.int64]:
    """Return the ids of all cells that share some area with one of the polygons, in order.

    Examples
    --------
    >>> cells_meeting(cell_polygons([147234, 147235]))
    array([147234, 147235])
    """
    return largest_shares(polygons)[0]


def largest_shares(polygons: Polygons) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the ids of all cells that share some area with one of the polygons, and the polygon with the most of each.

    Returns
    -------
    ndarray of int64, shape (cells,)
        In order.
    ndarray of int, shape (cells,)
        Position of the polygon; the first of equals.

    Examples
    --------
    >>> west, east = shapely.box(-3.5, 12, -3.2, 12.5), shapely.box(-3.2, 12, -2.5, 12.5)
    >>> largest_shares(Polygons(("west", "east"), (west, east)))
    (array([147234, 147235]), array([0, 1]))
    """
    every, owners, shares = [np.empty(0, np.int64)], [np.empty(0, np.intp)], [np.empty(0, np.float64)]
    for position, shape in enumerate(polygons.shapes):
        west, south, east, north = shape.bounds
        latitude = np.arange(np.floor(south / CELL_DEGREES), np.ceil(north / CELL_DEGREES)) * CELL_DEGREES
        longitude = np.arange(np.floor(west / CELL_DEGREES), np.ceil(east / CELL_DEGREES)) * CELL_DEGREES
        corner = np.meshgrid(latitude, longitude, indexing="ij")
        y, x = (side.ravel() for side in corner)
        shapely.prepare(shape)
        squares = shapely.box(x, y, x + CELL_DEGREES, y + CELL_DEGREES)
        inside = np.flatnonzero(shapely.intersects(shape, squares) & ~shapely.touches(shape, squares))
        every.append(cell_ids(y[inside] + CELL_DEGREES / 2, x[inside] + CELL_DEGREES / 2))
        owners.append(np.full(len(inside), position, dtype=np.intp))
        shares.append(shapely.area(shapely.intersection(shape, squares[inside])))
    gid, owner = np.concatenate(every), np.concatenate(owners)
    order = np.lexsort((owner, -np.concatenate(shares), gid))
    _, first = np.unique(gid[order], return_index=True)
    chosen = order[first]
    return gid[chosen], owner[chosen]


def cell_neighbours(gids: ArrayLike) -> Neighbours:
    """Return which of the cells share an edge, how long it is, and how far apart the centres lie.

    Cells that touch in a corner are no neighbours, as with polygons; the first and the last column are.

    Parameters
    ----------
    gids : array_like of int, shape (cells,)
        Each once.

    Returns
    -------
    Neighbours

    Raises
    ------
    InputError
        As `cell_centroids`, and for an id that occurs twice.

    Examples
    --------
    >>> cell_neighbours([147234, 147235, 147954]).border_km.toarray().round().astype(int).tolist()
    [[0, 56, 54], [56, 0, 0], [54, 0, 0]]
    """
    ids = np.asarray(gids, dtype=np.int64)
    row, column = _position(ids)
    order = np.argsort(ids, kind="stable")
    in_order = ids[order]
    if len(ids) > 1 and (in_order[1:] == in_order[:-1]).any():
        raise InputError(f"cell {in_order[1:][in_order[1:] == in_order[:-1]][0]} occurs twice")
    latitude, longitude = cell_centroids(ids)
    pairs = []
    for east, north in ((1, 0), (0, 1)):
        beside = (row + north) * COLUMNS + (column + east) % COLUMNS + 1
        at = np.minimum(np.searchsorted(in_order, beside), max(len(ids) - 1, 0))
        first = np.flatnonzero((in_order[at] == beside) & (row + north < ROWS)) if len(ids) else np.empty(0, np.intp)
        edge = latitude[first] + CELL_DEGREES / 2  # the edge to the north; that to the east is part of a meridian
        border = (
            great_circle_km(edge, 0.0, edge, CELL_DEGREES)
            if north
            else great_circle_km(edge, 0.0, edge - CELL_DEGREES, 0.0)
        )
        pairs.append((first, order[at[first]], border))
    first, second, border = (np.concatenate(part) for part in zip(*pairs, strict=True))
    distance = great_circle_km(latitude[first], longitude[first], latitude[second], longitude[second])
    return Neighbours.from_pairs(first, second, border, distance, len(ids))


def _position(gids: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of each cell."""
    ids = np.asarray(gids, dtype=np.int64)
    wrong = ids[(ids < 1) | (ids > LAST_CELL)]
    if len(wrong):
        raise InputError(f"there is no PRIO-GRID cell {wrong[0]}", expected=f"an id from 1 to {LAST_CELL}")
    return (ids - 1) // COLUMNS, (ids - 1) % COLUMNS
