"""A panel as it was known at each origin: counts of the versions of events that held then."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay, estimate_delay
from forecast.panel.reporting_triangle import ReportingTriangle, triangle_from_vintages
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK

LEAST_VINTAGES = 8
"""A delay is estimated where the knowledge has moved on this often."""
DELAY_WEEKS = 104
"""Delays change over the years: those of so many last weeks count."""


@dataclass(frozen=True, eq=False)
class VersionCells:
    """What each version of an event adds to, and while which vintages it held.

    Parameters
    ----------
    week, unit : ndarray of int32, shape (cells,)
        Positions among the weeks and units of the panel.
    amount : ndarray of int32, shape (cells,)
    start, stop : ndarray of int32, shape (cells,)
        Held from the first of these vintages on, and no longer from the second on.
    """

    week: NDArray[np.int32]
    unit: NDArray[np.int32]
    amount: NDArray[np.int32]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]

    def counts(self, vintage: int, weeks: int, units: int) -> NDArray[np.int64]:
        """Return the counts as a vintage had them, shape (weeks, units)."""
        held = (self.start <= vintage) & (vintage < self.stop)
        cell = self.week[held].astype(np.int64) * units + self.unit[held]
        flat = np.bincount(cell, weights=self.amount[held], minlength=weeks * units)  # exact up to 2**53
        return flat.astype(np.int64).reshape(weeks, units)


@dataclass(frozen=True, eq=False)
class VintagePanels:
    """Panels of the same units as each vintage of a store had them.

    Parameters
    ----------
    cells : VersionCells
    weeks : DatetimeIndex
        Of the last vintage.
    units : Units
    neighbours : Neighbours
    known_at : tuple of date
        The day on which each vintage became known, ascending.
    begins : tuple of int
        Position of the first week of which each vintage knew something.
    ends : tuple of Timestamp
        First day of the first week that was not known whole at each vintage, ascending.
    untold : ndarray of bool, shape (vintages, weeks, units) or (vintages, weeks, 1)
        True for weeks of which a vintage, and those before it, told nothing, of that unit: they are unknown.
    source : str
    """

    cells: VersionCells
    weeks: pd.DatetimeIndex
    units: Units
    neighbours: Neighbours
    known_at: tuple[dt.date, ...]
    begins: tuple[int, ...]
    ends: tuple[pd.Timestamp, ...]
    untold: NDArray[np.bool_]
    source: str

    @property
    def final(self) -> Panel:
        """The panel as it is known now."""
        return self._panel(len(self.ends) - 1)

    def at(self, origin: pd.Timestamp) -> Panel:
        """Return the panel as it was known on the first day on which all weeks before an origin were known.

        Raises
        ------
        InputError
            If they are not known yet, or none is.
        """
        return self._panel(self._first_to_reach(origin)).until(origin)

    def day(self, origin: pd.Timestamp) -> dt.date:
        """Return the first day on which all weeks before an origin were known: a forecast could be made then.

        Raises
        ------
        InputError
            If they are not known yet.
        """
        return self.known_at[self._first_to_reach(origin)]

    def delay(self, origin: pd.Timestamp, weeks: int) -> ReportingDelay | None:
        """Return how late events became known, from what could be seen at an origin.

        Parameters
        ----------
        origin : Timestamp
        weeks : int
            After which a count is taken for final.

        Returns
        -------
        ReportingDelay or None
            None if there were fewer than `LEAST_VINTAGES` vintages, or they came too far apart to show delays.
        """
        if len([end for end in self._distinct if end <= origin]) < LEAST_VINTAGES:
            return None
        try:
            return estimate_delay(self._triangle(weeks).until(origin).since(origin - DELAY_WEEKS * WEEK))
        except InputError:
            return None

    @cached_property
    def _distinct(self) -> dict[pd.Timestamp, int]:
        """Ends of knowledge, and the first vintage of each: what a forecast of that origin could see."""
        first = {end: self._first_to_reach(end) for end in sorted(set(self.ends)) if end > self.weeks[0]}
        return {end: at for end, at in first.items() if end > self.weeks[min(self.begins[at], len(self.weeks) - 1)]}

    @cached_property
    def _triangles(self) -> dict[int, ReportingTriangle]:
        return {}

    def _triangle(self, weeks: int) -> ReportingTriangle:
        if weeks not in self._triangles:
            panels = {end: self._panel(at).until(end) for end, at in self._distinct.items()}
            classes = dict(zip(self.units.names, self.units.groups, strict=True))
            self._triangles[weeks] = triangle_from_vintages(panels, max_delay=weeks, classes=classes)
        return self._triangles[weeks]

    def _first_to_reach(self, origin: pd.Timestamp) -> int:
        first = next((at for at, end in enumerate(self.ends) if end >= origin), None)
        if first is None:
            raise InputError(
                f"the weeks before {origin:%Y-%m-%d} are not all known",
                expected=f"an origin up to {self.ends[-1]:%Y-%m-%d}",
            )
        # What became known on the same day was known as well.
        return max(at for at, day in enumerate(self.known_at) if day == self.known_at[first])

    def _panel(self, vintage: int) -> Panel:
        begin, end = self.begins[vintage], int(np.searchsorted(self.weeks.to_numpy(), self.ends[vintage].to_numpy()))
        if begin >= end:
            raise InputError(f"no whole week was known on {self.known_at[vintage]}", where=self.source)
        counts = self.cells.counts(vintage, len(self.weeks), len(self.units))[begin:end]
        # Of a week that nobody tells of as a whole, the few events that are known are not its count.
        observed = np.broadcast_to(~self.untold[vintage, begin:end], counts.shape)
        weeks, borders = self.weeks[begin:end], self.neighbours
        return Panel.of(counts, weeks, self.units, observed=observed, neighbours=borders, source=self.source)
