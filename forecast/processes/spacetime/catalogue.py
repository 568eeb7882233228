"""Events with time, place and kind, checked once; and where in the day and around the place they may have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.processes.history import History, numbers
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.sphere import checked_degrees, moved, vectors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Events of an area in a window of time; made by `Catalogue.of`.

    Parameters
    ----------
    times : array, shape (events,)
        Days, ascending, within ``[start, end]``.
    latitude, longitude : array, shape (events,)
        Degrees, inside the area.
    kinds : array of int, shape (events,)
        Type of violence, from 0; all 0 if types are not told apart.
    area : Area
    start, end : float
        The window: events outside of it would not have been seen.
    names : tuple of str
        Names of the kinds.
    remarks : tuple of str
        What was odd about the input and what was done about it.
    """

    times: Floats
    latitude: Floats
    longitude: Floats
    kinds: Integers
    area: Area
    start: float
    end: float
    names: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        latitude: ArrayLike,
        longitude: ArrayLike,
        area: Area,
        *,
        end: float,
        start: float = 0.0,
        kinds: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> Catalogue:
        """Return checked events, in order of time.

        Parameters
        ----------
        times : array, shape (events,)
            Days. Times that are not ascending are sorted, with what belongs to them, and remarked on. Tied times stay
            tied: events at the same time do not excite each other.
        latitude, longitude : array, shape (events,)
            Degrees.
        area : Area
            All events lie inside.
        end : float
            End of the window, which is known: the last event is not it.
        start : float, default 0
        kinds : array of int, shape (events,), optional
            From 0; each kind has a background of its own and excites each kind.
        names : sequence of str, optional
            Of the kinds.

        Raises
        ------
        InputError
            If a time or place is missing, events lie off the globe, outside the area or the window, or there is none.

        Examples
        --------
        >>> area = Area.box(0.0, 0.0, 2.0, 2.0)
        >>> catalogue = Catalogue.of([5.0, 2.0], [1.0, 0.5], [1.0, 0.2], area, end=10.0)
        >>> catalogue.times, catalogue.latitude
        (array([2., 5.]), array([0.5, 1. ]))
        """
        t = numbers(times)
        kind = None if kinds is None else np.asarray(kinds)
        history = History.of(t, end=end, start=start, nodes=kind, names=names)
        lat, lon = checked_degrees(latitude, longitude, "event")
        if lat.shape != t.shape:
            raise InputError(f"{len(lat)} places of {len(t)} events", where="catalogue", expected="one each")
        outside = np.flatnonzero(area.locate(lat, lon) < 0)
        if len(outside):
            at = outside[0]
            raise InputError(
                f"{len(outside)} of {len(t)} events outside the study area, the first at {lat[at]:g}, {lon[at]:g}",
                where=f"event {at}",
                expected="events inside the polygons, or within their margin",
                hint="a wider margin_km of the area, polygons of all countries, or leave these events out",
            )
        order = np.argsort(t, kind="stable")
        return cls(
            history.times, lat[order], lon[order], history.nodes, area, history.start, history.end, history.names,
            history.remarks,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def vectors(self) -> Floats:
        """Places in space, km, shape (events, 3)."""
        return vectors(self.latitude, self.longitude)

    @cached_property
    def cells(self) -> Integers:
        """Cell of the area of each event, shape (events,)."""
        return self.area.locate(self.latitude, self.longitude)

    def until(self, end: float) -> Catalogue:
        """Return what was known at `end`: the events before it."""
        if not self.start < end <= self.end:
            raise InputError(f"end {end:g}", expected=f"within the window, {self.start:g} to {self.end:g}")
        kept = slice(0, int(np.searchsorted(self.times, end, side="left")))
        return replace(
            self,
            times=self.times[kept],
            latitude=self.latitude[kept],
            longitude=self.longitude[kept],
            kinds=self.kinds[kept],
            end=float(end),
        )

    def jittered(self, rng: np.random.Generator, *, within_km: float = 5.0) -> Catalogue:
        """Return the events at a uniform time of their day and a uniform point of a disc around their place.

        Events are known to a day and to a town. Left at midnight in its middle, those of a day would not excite each
        other, and those of a town would lie at distance 0, where the likelihood has no bound. A point that falls
        outside the area is replaced by the place itself.

        Parameters
        ----------
        rng : Generator
        within_km : float, default 5
            Radius of the disc.

        Examples
        --------
        >>> area = Area.box(0.0, 0.0, 2.0, 2.0)
        >>> catalogue = Catalogue.of([3.0, 3.0], [1.0, 1.0], [1.0, 1.0], area, end=10.0)
        >>> catalogue.jittered(np.random.default_rng(1)).times.astype(int)
        array([3, 3])
        """
        days = np.floor(self.times)
        times = np.minimum(days + rng.random(len(self)), self.end)
        lat, lon = moved(
            self.latitude,
            self.longitude,
            within_km**2 * rng.random(len(self)),
            2 * np.pi * rng.random(len(self)),
        )
        inside = self.area.locate(lat, lon) >= 0
        lat, lon = np.where(inside, lat, self.latitude), np.where(inside, lon, self.longitude)
        order = np.argsort(times, kind="stable")
        remarks = tuple(text for text in self.remarks if "the time of another" not in text)
        return replace(
            self,
            times=times[order],
            latitude=lat[order],
            longitude=lon[order],
            kinds=self.kinds[order],
            remarks=remarks,
        )
