"""Gaussian kernels spread over the cells of an area, each with all of its mass inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.panel.units import EARTH_RADIUS_KM
from forecast.processes.spacetime.area import KM_PER_DEGREE, Area

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REACH = 3.0
"""A kernel ends at so many bandwidths."""


def smoothed(area: Area, cells: Integers, mass: Floats, bandwidth: Floats) -> tuple[Floats, Floats]:
    """Return the density of kernels around the centres of cells, and what a mass of one adds at each of these centres.

    Each kernel is divided by its sum over the cells inside the area, so that none is lost beyond the border.

    Parameters
    ----------
    area : Area
    cells : array of int, shape (sources,)
    mass, bandwidth : array, shape (sources,)
        Bandwidths in km, of squared chords.

    Returns
    -------
    density : array, shape (cells of the area,)
        Mass per km2.
    peak : array, shape (sources,)

    Examples
    --------
    >>> area = Area.box(0.0, 0.0, 2.0, 2.0)
    >>> density, _ = smoothed(area, np.array([0]), np.array([3.0]), np.array([20.0]))
    >>> round(float(density @ area.sizes), 9)
    3.0
    """
    rows, columns = np.nonzero(area.index >= 0)
    height, width = area.index.shape
    latitude = np.radians(area.south + area.step * (np.arange(height) + 0.5))
    turn = np.sin(np.radians(area.step * np.arange(width)) / 2) ** 2  # by columns apart
    size = EARTH_RADIUS_KM**2 * np.radians(area.step) * 2 * np.sin(np.radians(area.step) / 2) * np.cos(latitude)
    density, peak = np.zeros(len(area)), np.empty(len(cells))
    _spread(
        area.index, latitude, turn, size, area.step * KM_PER_DEGREE, rows[cells], columns[cells], mass, bandwidth,
        density, peak,
    )  # fmt: skip
    return density, peak


@compiled
def _spread(  # noqa: C901 - one pass
    index: Integers,
    latitude: Floats,
    turn: Floats,
    size: Floats,
    step_km: float,
    rows: Integers,
    columns: Integers,
    mass: Floats,
    bandwidth: Floats,
    density: Floats,
    peak: Floats,
) -> None:
    height, width = index.shape
    most = int(REACH * bandwidth.max() / step_km) + 2
    kernel = np.empty((2 * most + 1, width))
    for source in range(len(rows)):
        row, column = rows[source], columns[source]
        reach, unit = (REACH * bandwidth[source]) ** 2, 2 * bandwidth[source] ** 2
        up = int(REACH * bandwidth[source] / step_km) + 1
        low, high = max(row - up, 0), min(row + up + 1, height)
        total = 0.0
        for r in range(low, high):
            rise = 4 * EARTH_RADIUS_KM**2 * np.sin((latitude[r] - latitude[row]) / 2) ** 2
            flat = 4 * EARTH_RADIUS_KM**2 * np.cos(latitude[r]) * np.cos(latitude[row])
            for apart in range(width):
                square = rise + flat * turn[apart]
                if square > reach:
                    kernel[r - low, apart] = -1.0
                    break
                value = np.exp(-square / unit)
                kernel[r - low, apart] = value
                if column + apart < width and index[r, column + apart] >= 0:
                    total += value * size[r]
                if apart > 0 and column - apart >= 0 and index[r, column - apart] >= 0:
                    total += value * size[r]
        peak[source] = 1.0 / total
        scale = mass[source] / total
        for r in range(low, high):
            for apart in range(width):
                value = kernel[r - low, apart]
                if value < 0.0:
                    break
                if column + apart < width and index[r, column + apart] >= 0:
                    density[index[r, column + apart]] += scale * value
                if apart > 0 and column - apart >= 0 and index[r, column - apart] >= 0:
                    density[index[r, column - apart]] += scale * value
