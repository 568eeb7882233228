"""Points on the globe as vectors, so that distances need no trigonometry and trees can be searched."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_KM = 6371.0088


def unit_vectors(latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.float64]:
    """Return points in degrees, shape (points,), as unit vectors, shape (points, 3)."""
    phi, lam = np.radians(np.asarray(latitude, np.float64)), np.radians(np.asarray(longitude, np.float64))
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def chord(km: float) -> float:
    """Return the distance of two unit vectors whose points are `km` apart along the great circle."""
    return float(2 * np.sin(km / EARTH_RADIUS_KM / 2))


def arc_km(chords: ArrayLike) -> NDArray[np.float64]:
    """Return great-circle distances of unit vectors that are `chords` apart.

    Examples
    --------
    >>> bamako, mopti = unit_vectors([12.6392, 14.4843], [-8.0029, -4.18296])
    >>> round(float(arc_km(np.linalg.norm(bamako - mopti))))
    461
    """
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.asarray(chords, np.float64) / 2, 1.0)))
