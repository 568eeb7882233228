"""Plain tables of events: one row an incident."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.tabular import Table, read_table


@dataclass(frozen=True, eq=False)
class Events:
    """Incidents, checked, in order of their dates.

    Parameters
    ----------
    frame : DataFrame
        event_id (text, unique), date (datetime64[s], midnight), latitude, longitude (degrees, WGS 84), and if they
        are known region (text) and fatalities (int64).
    source : str
        What the events are, for people to read.
    simulated : bool
        True for events of known truth; every output says so.
    """

    frame: pd.DataFrame
    source: str = ""
    simulated: bool = False

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def days(self) -> NDArray[np.datetime64]:
        """Days of the events, shape (events,)."""
        return self.frame["date"].to_numpy().astype("datetime64[D]")

    @property
    def latitude(self) -> NDArray[np.float64]:
        """Degrees north, shape (events,)."""
        return self.frame["latitude"].to_numpy(dtype=np.float64)

    @property
    def longitude(self) -> NDArray[np.float64]:
        """Degrees east, shape (events,)."""
        return self.frame["longitude"].to_numpy(dtype=np.float64)


def read_events(
    path: Path,
    *,
    event_id: str = "event_id",
    date: str = "date",
    latitude: str = "latitude",
    longitude: str = "longitude",
    region: str | None = None,
    fatalities: str | None = None,
    source: str = "",
) -> Events:
    """Read events from a CSV or parquet file; the parameters are those of `events_from_frame`.

    Raises
    ------
    InputError
        For whatever is wrong in the file, with row and column.
    """
    return events_from_frame(
        read_table(Path(path)),
        event_id=event_id,
        date=date,
        latitude=latitude,
        longitude=longitude,
        region=region,
        fatalities=fatalities,
        source=source or Path(path).name,
    )


def events_from_frame(
    frame: pd.DataFrame | Table,
    *,
    event_id: str = "event_id",
    date: str = "date",
    latitude: str = "latitude",
    longitude: str = "longitude",
    region: str | None = None,
    fatalities: str | None = None,
    source: str = "",
    simulated: bool = False,
) -> Events:
    """Check a table with one row an event, in any order.

    Parameters
    ----------
    frame : DataFrame or Table
        Dates are ISO 8601 days (``YYYY-MM-DD``), coordinates degrees.
    event_id, date, latitude, longitude : str
        Names of the columns.
    region, fatalities : str, optional
        Names of columns that are taken as well.
    source : str
    simulated : bool

    Returns
    -------
    Events

    Raises
    ------
    InputError
        For a missing column or value, an identifier that occurs twice, a date that is not ISO 8601, coordinates
        off the globe, deaths that are no whole number >= 0.

    Examples
    --------
    >>> row = {"event_id": "7", "date": "2026-07-31", "latitude": 14.5, "longitude": -4.2}
    >>> len(events_from_frame(pd.DataFrame([row])))
    1
    """
    table = frame if isinstance(frame, Table) else Table.of(frame)
    table.require(event_id, date, latitude, longitude, *(column for column in (region, fatalities) if column))
    if len(table) == 0:
        raise InputError("the table has a header only", where=table.name, expected="at least one event")
    ids = table.names(event_id)
    _check_unique(table, ids, event_id)
    columns: dict[str, object] = {
        "event_id": ids,
        "date": table.days(date).astype("datetime64[s]"),
        "latitude": _degrees(table, latitude, 90.0),
        "longitude": _degrees(table, longitude, 180.0),
    }
    if region:
        columns["region"] = table.names(region)
    if fatalities:
        columns["fatalities"] = table.whole_numbers(fatalities)
    ordered = pd.DataFrame(columns).sort_values(["date", "event_id"], kind="stable", ignore_index=True)
    return Events(ordered, source, simulated)


def _degrees(table: Table, column: str, limit: float) -> NDArray[np.float64]:
    values = table.numbers(column)
    off = np.flatnonzero(np.abs(values) > limit)
    if len(off):
        table.refuse(
            int(off[0]),
            f"{values[off[0]]:g} is off the globe",
            column=column,
            expected=f"degrees from -{limit:g} to {limit:g}",
            hint="are latitude and longitude exchanged?" if limit < 180 else "",
        )
    return values


def _check_unique(table: Table, ids: NDArray[np.object_], column: str) -> None:
    repeated = np.flatnonzero(pd.Series(ids).duplicated())
    if len(repeated):
        same = np.flatnonzero(ids == ids[repeated[0]])
        table.refuse(
            int(repeated[0]),
            f"event {ids[repeated[0]]!r} occurs more than once ({table.rows(same)})",
            column=column,
            expected="one row an event",
            hint="keep the latest version of each event",
        )
