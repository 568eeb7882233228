"""Units: what has counts of its own, regions (areas) or places (a point with a radius)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name

UnitKind = Literal["region", "place"]
EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, eq=False)
class Units:
    """The columns of a panel, in order.

    Parameters
    ----------
    names : tuple of str
        Unique names: ``"Mali/Mopti"`` for a region, ``"Bamako 100 km"`` for a place.
    kind : {"region", "place"}
    groups : tuple of str
        The country of each unit; partial pooling runs within it.
    latitude, longitude : ndarray, shape (units,)
        Degrees, WGS 84; NaN where unknown. A region's is its centroid.
    radius_km : ndarray, shape (units,)
        Radius of a place; NaN for a region.

    Examples
    --------
    >>> units = Units.of(["Mali/Mopti", "Mali/Gao"], groups=["Mali", "Mali"])
    >>> len(units), units.index("Mali/Gao")
    (2, 1)
    """

    names: tuple[str, ...]
    kind: UnitKind
    groups: tuple[str, ...]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    radius_km: NDArray[np.float64]

    def __post_init__(self) -> None:
        repeated = pd.Index(self.names)[pd.Index(self.names).duplicated()].unique()
        if len(repeated):
            raise InputError(f"{self.kind} {repeated[0]!r} is named twice", expected="unique names")
        for label in ("groups", "latitude", "longitude", "radius_km"):
            if len(getattr(self, label)) != len(self.names):
                raise InputError(f"{label} has {len(getattr(self, label))} entries for {len(self.names)} units")

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        *,
        kind: UnitKind = "region",
        groups: Sequence[str] | None = None,
        latitude: Sequence[float] | NDArray[np.float64] | None = None,
        longitude: Sequence[float] | NDArray[np.float64] | None = None,
        radius_km: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> Units:
        """Build units, filling what is unknown: one group, no coordinates, no radius."""

        def column(values: Sequence[float] | NDArray[np.float64] | None) -> NDArray[np.float64]:
            return np.full(len(names), np.nan) if values is None else np.asarray(values, dtype=np.float64)

        return cls(
            tuple(names),
            kind,
            tuple(groups) if groups is not None else ("",) * len(names),
            column(latitude),
            column(longitude),
            column(radius_km),
        )

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Return the position of a unit.

        Raises
        ------
        InputError
            If there is no such unit; the nearest names are offered.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise unknown_name(self.kind, name, self.names) from None

    def take(self, positions: Sequence[int] | NDArray[np.intp]) -> Units:
        """Return the units at these positions, in this order."""
        at = np.asarray(positions, dtype=np.intp)
        return Units(
            tuple(self.names[i] for i in at),
            self.kind,
            tuple(self.groups[i] for i in at),
            self.latitude[at],
            self.longitude[at],
            self.radius_km[at],
        )

    def group_codes(self) -> NDArray[np.intp]:
        """Return the position of each unit's group among the sorted group names, shape (units,)."""
        return np.unique(np.asarray(self.groups, dtype=object), return_inverse=True)[1]


def great_circle_km(
    latitude_a: NDArray[np.float64] | float,
    longitude_a: NDArray[np.float64] | float,
    latitude_b: NDArray[np.float64] | float,
    longitude_b: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Return great-circle distances in km between points in degrees (haversine formula); shapes broadcast.

    Examples
    --------
    >>> round(float(great_circle_km(12.6392, -8.0029, 14.4843, -4.18296)))  # Bamako to Mopti
    461
    """
    phi_a, phi_b = np.radians(latitude_a), np.radians(latitude_b)
    half_dphi = (phi_b - phi_a) / 2
    half_dlambda = (np.radians(longitude_b) - np.radians(longitude_a)) / 2
    chord = np.sin(half_dphi) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(half_dlambda) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))))
