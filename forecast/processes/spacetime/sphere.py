"""Points on the sphere: chords, by which areas are exact, and moves by a distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.events.checks.sphere import EARTH_RADIUS_KM, unit_vectors

Floats = NDArray[np.float64]


def vectors(latitude: Floats, longitude: Floats) -> Floats:
    """Return points of the sphere in km from its centre, shape (points, 3), for degrees.

    The straight chord between two of them serves as their distance: within a chord `c` of any point lies an area of
    exactly pi c**2, so that a kernel in the plane keeps its mass on the sphere. At 200 km it is 8 m shorter than the
    way along the ground.

    Examples
    --------
    >>> vectors(np.array([90.0]), np.array([0.0])).round(3)
    array([[   0.   ,    0.   , 6371.009]])
    """
    return EARTH_RADIUS_KM * unit_vectors(latitude, longitude)


def chord_km(ground_km: float) -> float:
    """Return the chord under a distance along the ground.

    Examples
    --------
    >>> round(200.0 - chord_km(200.0), 3)
    0.008
    """
    return float(2 * EARTH_RADIUS_KM * np.sin(ground_km / EARTH_RADIUS_KM / 2))


def moved(latitude: Floats, longitude: Floats, square_km2: Floats, bearing: Floats) -> tuple[Floats, Floats]:
    """Return the points that lie at a squared chord from others, in a direction (radians from north, clockwise).

    Examples
    --------
    >>> north, east = moved(np.zeros(1), np.zeros(1), np.array([100.0**2]), np.zeros(1))
    >>> north.round(4), east.round(4)
    (array([0.8993]), array([0.]))
    """
    sine2 = np.minimum(square_km2 / (4 * EARTH_RADIUS_KM**2), 1.0)  # of half the angle
    cosine, sine = 1 - 2 * sine2, 2 * np.sqrt(sine2 * (1 - sine2))
    phi = np.radians(latitude)
    up = np.clip(np.sin(phi) * cosine + np.cos(phi) * sine * np.cos(bearing), -1.0, 1.0)
    turn = np.arctan2(np.sin(bearing) * sine * np.cos(phi), cosine - np.sin(phi) * up)
    around = (longitude + np.degrees(turn) + 180.0) % 360.0 - 180.0
    return np.degrees(np.arcsin(up)), around


def checked_degrees(latitude: ArrayLike, longitude: ArrayLike, where: str) -> tuple[Floats, Floats]:
    """Return coordinates that lie on the globe.

    Raises
    ------
    InputError
        If they are missing, do not belong together or lie off the globe.
    """
    lat = np.atleast_1d(np.asarray(latitude, dtype=np.float64))
    lon = np.atleast_1d(np.asarray(longitude, dtype=np.float64))
    if lat.ndim != 1 or lat.shape != lon.shape:
        raise InputError(
            f"latitudes of shape {lat.shape} and longitudes of shape {lon.shape}", where=where, expected="one each"
        )
    wrong = np.flatnonzero(~((np.abs(lat) <= 90) & (np.abs(lon) <= 180)))  # NaN is not on the globe either
    if len(wrong):
        at = wrong[0]
        raise InputError(
            f"{len(wrong)} of {len(lat)} points off the globe, the first at {lat[at]:g}, {lon[at]:g}",
            where=f"{where} {at}",
            expected="degrees, -90 to 90 and -180 to 180",
            hint="are latitude and longitude exchanged, or missing?",
        )
    return lat, lon
