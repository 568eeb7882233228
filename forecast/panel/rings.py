"""What share of each region's events happens near a place."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from forecast.panel.polygons import Polygons
from forecast.panel.units import EARTH_RADIUS_KM, Units

Floats = NDArray[np.float64]

STEP = 0.05
"""Degrees between the points by which areas are measured, about 5.5 km."""
PRIOR_EVENTS = 5.0
"""Events of a region that are taken to be spread evenly over its area, beside those that happened."""


def area_shares(places: Units, regions: Polygons) -> Floats:
    """Return the share of each region's area that lies within the radius of each place, shape (places, regions).

    Measured on a raster of `STEP` degrees; a region in which no point of it lies has one at its centre.

    Examples
    --------
    >>> from forecast.panel.polygons import named_polygons
    >>> square = named_polygons(["A"], [shapely.box(0, 0, 2, 2)], where="an example")
    >>> town = Units.of(["T 50 km"], kind="place", latitude=[1.0], longitude=[1.0], radius_km=[50.0])
    >>> bool(abs(area_shares(town, square)[0, 0] - np.pi * 50**2 / (222.4 * 222.4)) < 0.002)
    True
    """
    lat, lon, region = _raster(regions)
    size = np.cos(np.radians(lat))
    whole = np.bincount(region, size, len(regions))
    out = np.zeros((len(places), len(regions)))
    for at, near in enumerate(_near(places, lat, lon)):
        out[at] = np.bincount(region[near], size[near], len(regions)) / whole
    return np.minimum(out, 1.0)


def ring_shares(
    places: Units,
    regions: Polygons,
    latitude: ArrayLike,
    longitude: ArrayLike,
    region: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    area: Floats | None = None,
) -> Floats:
    r"""Return the share of each region's events that is expected near each place.

    .. math:: s_{pr} = \frac{\sum_{e \in r} w_e\, 1\{d(e, p) \le R_p\} + \kappa A_{pr}}{\sum_{e \in r} w_e + \kappa}

    with the share of the area :math:`A_{pr}` and :math:`\kappa` = `PRIOR_EVENTS`: where a region has had few events, a
    ring has the part of them that it has of the area.

    Parameters
    ----------
    places : Units of kind "place"
    regions : Polygons
    latitude, longitude : array_like, shape (events,)
        Of past events, known at the origin.
    region : array_like of int, shape (events,)
        Position of the region each event is counted in; -1 for none.
    weight : array_like, shape (events,), optional
        Such as 0.5 to the power of its age over a half-life; 1 if not given.
    area : ndarray, shape (places, regions), optional
        From `area_shares`, where it is known already.

    Returns
    -------
    ndarray, shape (places, regions)
    """
    lat, lon = np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64)
    of, count = np.asarray(region, dtype=np.intp), len(regions)
    share = np.ones(len(lat)) if weight is None else np.asarray(weight, dtype=np.float64)
    inside = of >= 0
    lat, lon, of, share = lat[inside], lon[inside], of[inside], share[inside]
    known = area_shares(places, regions) if area is None else area
    total = np.bincount(of, share, count)
    near = np.zeros((len(places), count))
    for at, events in enumerate(_near(places, lat, lon)):
        near[at] = np.bincount(of[events], share[events], count)
    return np.asarray((near + PRIOR_EVENTS * known) / (total + PRIOR_EVENTS))


def count_shares(area: ArrayLike, inside: float, counts: ArrayLike) -> Floats:
    r"""Return the share of each region's events that is expected near a place of which only counts are known.

    .. math:: s_r = \min(1, \lambda A_r), \qquad
        \sum_r s_r (W_r + \kappa) = \min\Bigl(W + \kappa \sum_r A_r, \sum_{r: A_r > 0} (W_r + \kappa)\Bigr)

    with the share of the area :math:`A_r`, the counts of the regions :math:`W_r` and that of the ring :math:`W`: the
    ring has the part of its regions' events that it had before, shared out among them as their area in it is.
    :math:`\kappa` = `PRIOR_EVENTS`, as in `ring_shares`.

    Parameters
    ----------
    area : array_like, shape (regions,)
        A row of `area_shares`.
    inside : float
        Events near the place, such as a sum with weights that fall with age.
    counts : array_like, shape (regions,)
        Events of the regions, with the same weights.

    Returns
    -------
    ndarray, shape (regions,)

    Examples
    --------
    >>> count_shares([0.5, 0.25, 0.0], 30.0, [35.0, 15.0, 80.0]).round(3)
    array([0.675, 0.338, 0.   ])
    """
    share, mass = np.asarray(area, dtype=np.float64), np.asarray(counts, dtype=np.float64) + PRIOR_EVENTS
    touched = share > 0
    wanted = min(inside + PRIOR_EVENTS * share.sum(), mass[touched].sum())
    if not touched.any() or wanted <= 0:
        return np.zeros(len(share))
    # What is given at a factor is linear between the factors at which a region is full.
    full = np.unique(np.r_[0.0, 1 / share[touched]])
    given = np.minimum(full[:, None] * share, 1.0) @ mass
    return np.asarray(np.minimum(float(np.interp(wanted, given, full)) * share, 1.0))


def _raster(regions: Polygons) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return points at even distances in degrees, and the region of each."""
    west, south, east, north = shapely.total_bounds(np.asarray(regions.shapes, dtype=object))
    across, up = np.arange(west + STEP / 2, east, STEP), np.arange(south + STEP / 2, north, STEP)
    lat, lon = (each.ravel() for each in np.meshgrid(up, across, indexing="ij"))
    region = regions.locate(lat, lon)
    inside = region >= 0
    lat, lon, region = lat[inside], lon[inside], region[inside]
    missed = np.flatnonzero(np.bincount(region, minlength=len(regions)) == 0)
    centres = regions.centroids()
    return np.r_[lat, centres[0][missed]], np.r_[lon, centres[1][missed]], np.r_[region, missed]


def _near(places: Units, latitude: Floats, longitude: Floats) -> list[NDArray[np.intp]]:
    """Return the points within the radius of each place."""
    if not len(latitude):
        return [np.empty(0, dtype=np.intp)] * len(places)
    tree = cKDTree(_vectors(latitude, longitude))
    chords = 2 * np.sin(places.radius_km / EARTH_RADIUS_KM / 2)
    found = tree.query_ball_point(_vectors(places.latitude, places.longitude), chords, return_sorted=True)
    return [np.asarray(each, dtype=np.intp) for each in found]


def _vectors(latitude: Floats, longitude: Floats) -> Floats:
    """Return points on the unit sphere, shape (points, 3)."""
    phi, psi = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(phi) * np.cos(psi), np.cos(phi) * np.sin(psi), np.sin(phi)], axis=1)
