"""Frames: the regions of a country in one period; redistricting makes another frame, and a crosswalk compares them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.polygons import Polygons
from forecast.panel.units import EARTH_RADIUS_KM

SMALLEST_SHARE = 0.01
"""Smaller overlaps are borders that were digitised twice."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Regions that were in force together.

    Parameters
    ----------
    name : str
        Such as "Burkina Faso until 2025".
    polygons : Polygons
    valid_from, valid_to : date, optional
        First and last day; open where it is not given.

    Examples
    --------
    >>> Frame("old", Polygons((), ()), valid_to=dt.date(2025, 7, 1)).holds_on(dt.date(2026, 1, 1))
    False
    """

    name: str
    polygons: Polygons
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise InputError(f"frame {self.name!r} ends on {self.valid_to}, before it begins on {self.valid_from}")

    def holds_on(self, day: dt.date) -> bool:
        """Return whether the frame was in force on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def frame_on(frames: Sequence[Frame], day: dt.date) -> Frame:
    """Return the one frame of a country that was in force on a day.

    Raises
    ------
    InputError
        If none was, or several were.
    """
    found = [frame for frame in frames if frame.holds_on(day)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(repr(frame.name) for frame in found or frames)
    what = f"{len(found)} frames were in force on {day}" if found else f"no frame was in force on {day}"
    raise InputError(what, where=f"frames {listed}", expected="exactly one")


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """How much of each old region's area lies in each new one: to report what changed, never to move counts.

    Parameters
    ----------
    old, new : tuple of str
        Names of the regions.
    area_km2 : ndarray of float, shape (old, new)
        Area in common.
    old_km2, new_km2 : ndarray of float, shapes (old,), (new,)
        Area of each.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    area_km2: NDArray[np.float64]
    old_km2: NDArray[np.float64]
    new_km2: NDArray[np.float64]

    def share(self) -> NDArray[np.float64]:
        """Return the share of each old region that lies in each new one, shape (old, new).

        A row sums to 1 where the new frame covers the old region.
        """
        return self.area_km2 / self.old_km2[:, None]

    def table(self, smallest: float = SMALLEST_SHARE) -> pd.DataFrame:
        """List overlaps that are at least this share of either region.

        Returns
        -------
        DataFrame
            old, new, area_km2, share_of_old, share_of_new; the largest part of each old region first.
        """
        of_old, of_new = self.share(), self.area_km2 / self.new_km2[None, :]
        row, column = np.nonzero(np.maximum(of_old, of_new) >= smallest)
        columns = {
            "old": np.array(self.old, dtype=object)[row],
            "new": np.array(self.new, dtype=object)[column],
            "area_km2": self.area_km2[row, column].round(1),
            "share_of_old": of_old[row, column].round(4),
            "share_of_new": of_new[row, column].round(4),
        }
        order = np.lexsort((-of_old[row, column], row))
        return pd.DataFrame(columns).iloc[order].reset_index(drop=True)


def crosswalk(old: Frame, new: Frame) -> Crosswalk:
    """Compare two frames by the area that their regions have in common.

    Areas are those on the sphere: polygons are drawn in the cylindrical equal-area projection, in which the area of
    a shape is ``R**2 * area(longitude, sin(latitude))`` (Snyder 1987, Map Projections, doi:10.3133/pp1395, p. 77).

    Parameters
    ----------
    old, new : Frame

    Returns
    -------
    Crosswalk

    Examples
    --------
    >>> whole = Frame("old", Polygons(("A",), (shapely.box(0, 0, 2, 1),)))
    >>> parts = Frame("new", Polygons(("B", "C"), (shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1))))
    >>> crosswalk(whole, parts).share().tolist()
    [[0.5, 0.5]]
    """
    before, after = _equal_area(old.polygons), _equal_area(new.polygons)
    area = np.zeros((len(before), len(after)))
    if len(before) and len(after):
        row, column = shapely.STRtree(after).query(before, predicate="intersects")
        area[row, column] = shapely.area(shapely.intersection(before[row], after[column]))
    return Crosswalk(old.polygons.names, new.polygons.names, area, shapely.area(before), shapely.area(after))


def _equal_area(polygons: Polygons) -> NDArray[np.object_]:
    """Return the shapes in km of the cylindrical equal-area projection."""

    def project(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        radians = np.radians(degrees)
        return EARTH_RADIUS_KM * np.stack([radians[:, 0], np.sin(radians[:, 1])], axis=1)

    shapes: NDArray[np.object_] = np.array([*polygons.shapes, None], dtype=object)[:-1]
    projected: NDArray[np.object_] = np.asarray(shapely.transform(shapes, project), dtype=object)
    return projected
