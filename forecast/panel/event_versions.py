"""Every version of every event of a store, packed for counting: what, where, when, and in which vintages it held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.panel.assign import TOLERANCE_KM, assign_regions
from forecast.panel.from_events import Measure
from forecast.panel.other_names import country_key
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units, great_circle_km

Positions = NDArray[np.int32]

COLUMNS = ("date", "latitude", "longitude", "country", "place_precision", "fatalities")
"""Canonical columns that are counted from."""
PRECISE = ("point", "near")
"""Precisions of place that can be counted within a circle."""
_POINTS_AT_A_TIME = 250_000


@dataclass(frozen=True, eq=False)
class EventVersions:
    """Versions of events that have a day; one row each, 45 bytes.

    Parameters
    ----------
    day : ndarray of int32, shape (versions,)
        Days since 1970.
    latitude, longitude : ndarray of float64, shape (versions,)
        NaN where unknown.
    country : ndarray of int32, shape (versions,)
        Position among `countries`, -1 where unknown.
    countries : tuple of str
    usable : ndarray of bool, shape (versions,)
        Has a point, and not just that of a country.
    precise : ndarray of bool, shape (versions,)
        Usable, and located to about 25 km or better.
    fatalities : ndarray of int32, shape (versions,)
        0 where unknown.
    start, stop : ndarray of int32, shape (versions,)
        Held from the first of these vintages on, and no longer from the second on.
    """

    day: Positions
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    country: Positions
    countries: tuple[str, ...]
    usable: NDArray[np.bool_]
    precise: NDArray[np.bool_]
    fatalities: Positions
    start: Positions
    stop: Positions

    def __len__(self) -> int:
        return len(self.day)

    @classmethod
    def packed(cls, parts: Iterable[pd.DataFrame]) -> Self:
        """Pack the parts that `forecast.events.store.EventStore.history` gives of `COLUMNS`."""
        seen: dict[str, int] = {}
        packed = [_pack(part, seen) for part in parts]
        packed = packed or [_pack(pd.DataFrame(columns=[*COLUMNS, "start", "stop"]), seen)]
        joined = {name: np.concatenate([part[name] for part in packed]) for name in packed[0]}
        return cls(**joined, countries=tuple(seen))

    def take(self, chosen: NDArray[np.bool_]) -> EventVersions:
        """Return the versions where a mask holds."""
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "countries"}
        return EventVersions(**{name: values[chosen] for name, values in columns.items()}, countries=self.countries)

    def amount(self, measure: Measure) -> Positions:
        """Return what each version adds to a count: 1, or its fatalities."""
        return self.fatalities if measure == "fatalities" else np.ones(len(self), dtype=np.int32)

    def regions(self, polygons: Polygons, countries: tuple[str, ...]) -> tuple[Positions, NDArray[np.bool_]]:
        """Return the region of each version, and which ones lie outside of the region that they were given.

        Parameters
        ----------
        polygons : Polygons
        countries : tuple of str
            Of each polygon. If one is empty, or no event is of any of them, the countries of events are not heeded.

        Returns
        -------
        region : ndarray of int32, shape (versions,)
            Position of the polygon of the event's own country that it lies in, or that is nearest within 25 km; -1
            for none, and for versions that are not usable.
        outside : ndarray of bool, shape (versions,)
            Whether it is the nearest one.
        """
        points, which = self._distinct_points()
        found, nearest = np.empty(len(points), np.int32), np.empty(len(points), np.bool_)
        names = np.array([*self.countries, ""], dtype=object)
        heeded = all(countries) and not {*map(country_key, countries)}.isdisjoint(map(country_key, self.countries))
        for first in range(0, len(points), _POINTS_AT_A_TIME):
            part = slice(first, first + _POINTS_AT_A_TIME)
            here = points.iloc[part]
            assigned = assign_regions(
                here["latitude"].to_numpy(),
                here["longitude"].to_numpy(),
                polygons,
                country=names[here["country"].to_numpy()] if heeded else None,
                polygon_country=countries if heeded else None,
                tolerance_km=TOLERANCE_KM,
            )
            found[part], nearest[part] = assigned.region, assigned.how == "nearest"
        region, outside = np.full(len(self), -1, np.int32), np.zeros(len(self), np.bool_)
        region[self.usable], outside[self.usable] = found[which], nearest[which]
        return region, outside

    def near(self, places: Units, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Positions]:
        """Return pairs of version and place: each chosen version, and all places within whose radius it is.

        Returns
        -------
        version : ndarray of int, shape (pairs,)
        place : ndarray of int32, shape (pairs,)
        """
        rows = np.flatnonzero(chosen)
        latitude, longitude = self.latitude[rows], self.longitude[rows]
        versions = []
        for at in range(len(places)):  # one place at a time, so that memory stays that of the events
            distance = great_circle_km(latitude, longitude, places.latitude[at], places.longitude[at])
            versions.append(rows[distance <= places.radius_km[at]])
        place = np.repeat(np.arange(len(places), dtype=np.int32), [len(found) for found in versions])
        return np.concatenate(versions), place

    def _distinct_points(self) -> tuple[pd.DataFrame, NDArray[np.intp]]:
        """Return the points of the usable versions, each once, and which one each version has: towns recur."""
        columns = {name: getattr(self, name)[self.usable] for name in ("latitude", "longitude", "country")}
        groups = pd.DataFrame(columns).groupby(list(columns), sort=False)
        return groups.size().index.to_frame(index=False), np.asarray(groups.ngroup(), dtype=np.intp)


def _pack(part: pd.DataFrame, seen: dict[str, int]) -> dict[str, NDArray[np.generic]]:
    """Return the columns of a part as arrays; `seen` takes up countries in the order in which they come."""
    part = part[part["date"].notna()]
    codes, names = pd.factorize(part["country"])
    for name in names:
        seen.setdefault(str(name), len(seen))
    known = np.array([*(seen[str(name)] for name in names), -1], dtype=np.int32)
    latitude, longitude = (part[name].to_numpy(np.float64, na_value=np.nan) for name in ("latitude", "longitude"))
    precision = part["place_precision"].fillna("point")
    usable = np.isfinite(latitude) & np.isfinite(longitude) & precision.ne("country").to_numpy(np.bool_)
    return {
        "day": part["date"].to_numpy().astype("datetime64[D]").astype(np.int32),
        "latitude": latitude,
        "longitude": longitude,
        "country": known[codes],
        "usable": usable,
        "precise": usable & precision.isin(PRECISE).to_numpy(np.bool_),
        "fatalities": part["fatalities"].fillna(0).to_numpy(np.int32),
        "start": part["start"].to_numpy(np.int32),
        "stop": part["stop"].to_numpy(np.int32),
    }
