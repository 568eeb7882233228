"""The panel: dense counts of units by weeks, with what is needed to model them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.display import notebook_html, terminal_text
from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK

if TYPE_CHECKING:
    from forecast.plots.chart import Backend, Chart, Theme

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Panel:
    """Counts of events for each week and unit.

    Built by `forecast.panel.table.panel_from_counts`, `panel_from_events` and the dataset loader, which
    check user input; the constructor itself checks shapes and ranges only.

    Parameters
    ----------
    counts : ndarray of int64, shape (weeks, units)
        Events; 0 where not observed.
    observed : ndarray of bool, shape (weeks, units)
        False where the source says nothing. Families must not take such a 0 for a count.
    weeks : DatetimeIndex, shape (weeks,)
        First days of consecutive weeks.
    units : Units
    neighbours : Neighbours
    exposure : ndarray, shape (units,)
        Relative exposure (population, area, time under report); ones if unknown.
    covariates : mapping of str to ndarray, shape (weeks, units)
        Known only up to the last week, as the counts are.
    source : str
        What the counts are, for people to read: name, vintage.
    simulated : bool
        True for counts of known truth; every output says so.
    """

    counts: Counts
    observed: NDArray[np.bool_]
    weeks: pd.DatetimeIndex
    units: Units
    neighbours: Neighbours
    exposure: NDArray[np.float64]
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    source: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        shape = (len(self.weeks), len(self.units))
        if 0 in shape:
            raise InputError(f"a panel of {shape[0]} weeks and {shape[1]} units", expected="at least one of each")
        for label, array in {"counts": self.counts, "observed": self.observed, **self.covariates}.items():
            if array.shape != shape:
                raise InputError(f"{label} has shape {array.shape}", expected=f"weeks x units = {shape}")
        if (self.counts < 0).any():
            raise InputError("negative counts in the panel", expected="whole numbers >= 0")
        if self.exposure.shape != shape[1:] or not (self.exposure > 0).all():
            raise InputError("exposure must be one positive number a unit")
        if not (np.diff(self.weeks.to_numpy()) == WEEK.to_numpy()).all():
            raise InputError("the weeks of a panel must be consecutive")
        # One layout in memory for all: another one changes the last bits of sums, and kernels are compiled for each.
        rows = {name: np.ascontiguousarray(values) for name, values in self.covariates.items()}
        for label, array in {"counts": self.counts, "observed": self.observed}.items():
            object.__setattr__(self, label, np.ascontiguousarray(array))
        object.__setattr__(self, "covariates", rows)

    @classmethod
    def of(
        cls,
        counts: NDArray[np.integer],
        weeks: pd.DatetimeIndex,
        units: Units,
        *,
        observed: NDArray[np.bool_] | None = None,
        neighbours: Neighbours | None = None,
        exposure: NDArray[np.float64] | None = None,
        covariates: Mapping[str, NDArray[np.float64]] | None = None,
        source: str = "",
        simulated: bool = False,
    ) -> Panel:
        """Build a panel, filling what is unknown: all observed, no neighbours, equal exposure."""
        seen = np.ones(counts.shape, dtype=bool) if observed is None else np.asarray(observed, dtype=bool)
        return cls(
            np.where(seen, counts, 0).astype(np.int64),
            seen,
            weeks,
            units,
            Neighbours.none(len(units)) if neighbours is None else neighbours,
            np.ones(len(units)) if exposure is None else exposure,
            dict(covariates or {}),
            source,
            simulated,
        )

    @property
    def origin(self) -> pd.Timestamp:
        """First day of the first week that is not in the panel: where a forecast from it starts."""
        return self.weeks[-1] + WEEK

    @property
    def known_until(self) -> pd.Timestamp:
        """Last day of the last week."""
        return self.weeks[-1] + WEEK - pd.Timedelta(days=1)

    def until(self, origin: pd.Timestamp | dt.date | str) -> Panel:
        """Return the panel as it is known at `origin`: the weeks that are over by then.

        Parameters
        ----------
        origin : Timestamp, date or str
            A day, in ISO 8601 if it is a text.

        Raises
        ------
        InputError
            If no week is over by then, or it is no day.
        """
        try:
            origin = pd.Timestamp(origin)
        except ValueError:
            raise InputError(f"{origin!r} is no day", expected="such as 2026-08-01") from None
        count = int(np.searchsorted(self.weeks.to_numpy(), (origin - WEEK).to_numpy(), side="right"))
        if count == 0:
            raise InputError(
                f"nothing is known at {origin:%Y-%m-%d}",
                expected=f"an origin from {self.weeks[0] + WEEK:%Y-%m-%d}, when the first week is over",
            )
        return self if count == len(self.weeks) else self.weeks_between(0, count)

    def weeks_between(self, start: int, stop: int) -> Panel:
        """Return the weeks at positions start to stop - 1."""
        return replace(
            self,
            counts=self.counts[start:stop],
            observed=self.observed[start:stop],
            weeks=self.weeks[start:stop],
            covariates={name: values[start:stop] for name, values in self.covariates.items()},
        )

    def continues(self, earlier: Panel) -> bool:
        """Return whether this is an earlier panel with weeks added, or none: same units, same counts in its weeks."""
        known = len(earlier.weeks)
        return (
            len(self.weeks) >= known
            and self.weeks[0] == earlier.weeks[0]
            and self.units.names == earlier.units.names
            and self.units.groups == earlier.units.groups
            and np.array_equal(self.exposure, earlier.exposure)
            and self.neighbours.same_borders(earlier.neighbours)
            and np.array_equal(self.observed[:known], earlier.observed)
            and np.array_equal(self.counts[:known][earlier.observed], earlier.counts[earlier.observed])
        )

    def select(self, names: Sequence[str]) -> Panel:
        """Return the panel of the named units, in this order."""
        at = np.asarray([self.units.index(name) for name in names], dtype=np.intp)
        return replace(
            self,
            counts=self.counts[:, at],
            observed=self.observed[:, at],
            units=self.units.take(at),
            neighbours=self.neighbours.take(at),
            exposure=self.exposure[at],
            covariates={name: values[:, at] for name, values in self.covariates.items()},
        )

    def missing(self) -> pd.DataFrame:
        """Return the region-weeks about which the source says nothing: columns week, unit."""
        week, unit = np.nonzero(~self.observed)
        return pd.DataFrame({"week": self.weeks[week], "unit": np.asarray(self.units.names, dtype=object)[unit]})

    def to_frame(self) -> pd.DataFrame:
        """Return the counts as a table, weeks by units; missing ones are ``<NA>``."""
        frame = pd.DataFrame(self.counts, index=self.weeks, columns=list(self.units.names)).astype("Int64")
        return frame.mask(~self.observed)

    def tidy(self, weeks: int | None = None) -> pd.DataFrame:
        """Return one row a week and unit: week, unit, events (<NA> where unknown).

        Parameters
        ----------
        weeks : int, optional
            Only the last ones.
        """
        recent = self.to_frame().iloc[-weeks:] if weeks else self.to_frame()
        return recent.rename_axis("week").reset_index().melt("week", var_name="unit", value_name="events")

    def plot(self, unit: str, *, backend: Backend = "plotly", theme: Theme = "light") -> Chart:
        """Draw the counts of one unit as a calendar: years from top to bottom, weeks from left to right.

        Parameters
        ----------
        unit : str
        backend : {"plotly", "matplotlib"}
        theme : {"light", "dark"}

        Returns
        -------
        plotly Figure or matplotlib Figure

        Raises
        ------
        InputError
            If there is no such unit.
        """
        # Plotly is slow to import, and most panels are never drawn.
        from forecast.plots import calendar  # noqa: PLC0415

        return calendar(self.select([unit]).tidy(), backend=backend, theme=theme)

    def _facts(self) -> dict[str, object]:
        return {
            "weeks": len(self.weeks),
            f"{self.units.kind}s": len(self.units),
            "first": f"{self.weeks[0]:%Y-%m-%d}",
            "known until": f"{self.known_until:%Y-%m-%d}",
            "events": int(self.counts[self.observed].sum()),
            "source": self.source,
            "note": "simulated" if self.simulated else "",
        }

    def __repr__(self) -> str:
        return terminal_text("Panel", self._facts())

    def _repr_html_(self) -> str:
        """Show the panel in a notebook, the last weeks first."""
        return notebook_html("Panel", self._facts(), self.to_frame().iloc[::-1])
