"""One file of events, of UCDP, ACLED or others, read as it is and counted by week and region."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from forecast.display import notebook_html, terminal_text
from forecast.errors import InputError, unknown_name
from forecast.events.acled import read_acled
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.mapping_spec import read_mapping
from forecast.events.missing_columns import source_of
from forecast.events.record import Batch, event_frame
from forecast.events.table import Events, events_from_frame
from forecast.events.table_mapping import read_mapped
from forecast.events.table_rows import open_rows
from forecast.events.ucdp import read_ucdp, release_in
from forecast.panel.event_versions import PRECISE
from forecast.panel.from_events import Measure, panel_from_events, place_panel_from_events
from forecast.panel.panel import Panel
from forecast.panel.polygon_files import read_polygon_file
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units
from forecast.panel.weeks import WeekStart, whole_weeks

Source = Literal["ucdp", "acled", "table"]


@dataclass(frozen=True, eq=False, repr=False)
class EventTable:
    """Events of a file, each row accounted for.

    Parameters
    ----------
    frame : DataFrame
        Canonical events, a row each: event_id, date, latitude, longitude, country, admin1, event_type, fatalities and
        others (`forecast.events.record.COLUMNS`).
    source : str
        Name of the file.
    rows : int
        Rows of the file.
    dropped : Counter
        Rows that were left out, by reason.
    """

    frame: pd.DataFrame
    source: str
    rows: int
    dropped: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.frame)

    def select(self, *, countries: Sequence[str] = (), types: Sequence[str] = ()) -> EventTable:
        """Return the events of some countries and types.

        Parameters
        ----------
        countries, types : sequence of str, optional
            As the file writes them; all if not given.

        Raises
        ------
        InputError
            For a country or type of which there is no event; the nearest names are offered.
        """
        kept = self.frame
        for column, wanted in (("country", countries), ("event_type", types)):
            known = set(self.frame[column].dropna())
            for name in wanted:
                if name not in known:
                    raise unknown_name(column.replace("event_", ""), name, sorted(known), where=self.source)
            kept = kept[kept[column].isin(list(wanted))] if wanted else kept
        return EventTable(kept.reset_index(drop=True), self.source, self.rows, self.dropped)

    def panel(
        self,
        regions: str | PathLike[str] | Polygons = "admin1",
        *,
        first: dt.date | str | None = None,
        last: dt.date | str | None = None,
        week_start: WeekStart = "saturday",
        measure: Measure = "events",
    ) -> Panel:
        """Count the events by week and region.

        Parameters
        ----------
        regions : "admin1", path or Polygons
            The first-level regions that the file names, or polygons (GeoJSON, GeoPackage, shapefile), which also tell
            who borders whom. Events in none of them, and those without a region or point, are left out.
        first, last : date or str, optional
            First and last day that the file covers; those of its first and last event if not given. Only whole weeks
            are counted, and one without an event is a zero: a file that covers more than it has events for needs them.
        week_start : {"saturday", "sunday", "monday"}
        measure : {"events", "fatalities"}
            Deaths that are not known count as none.

        Returns
        -------
        Panel
            Events, shape (weeks, units).

        Raises
        ------
        InputError
            If there is no event, no whole week, or the polygons cannot be read.
        """
        weeks = self._weeks(first, last, week_start)
        begin, end = weeks[0].date(), weeks[-1].date()
        if isinstance(regions, str) and regions == "admin1":
            named = self.frame.dropna(subset=["admin1", "country"])
            keys = named["country"].astype(str) + "/" + named["admin1"].astype(str)
            names = sorted(keys.unique())
            if not names:
                raise InputError("no event names its region", where=self.source, hint="regions=a file of polygons")
            units = Units.of(names, groups=[name.partition("/")[0] for name in names])
            events = self._events(named.assign(region=keys), region="region")
            return panel_from_events(events, units, first=begin, last=end, week_start=week_start, measure=measure)
        shapes = regions if isinstance(regions, Polygons) else read_polygon_file(Path(regions))[0]
        usable = self.frame["place_precision"].fillna("point").ne("country")
        events = self._events(self.frame[usable])
        return panel_from_events(
            events, shapes, first=begin, last=end, week_start=week_start, measure=measure, outside="leave_out"
        )

    def near(
        self,
        places: Mapping[str, tuple[float, float]],
        radius_km: float,
        *,
        first: dt.date | str | None = None,
        last: dt.date | str | None = None,
        week_start: WeekStart = "saturday",
        measure: Measure = "events",
    ) -> Panel:
        """Count the events by week within a distance of places; only those located to about 25 km or better.

        Parameters
        ----------
        places : mapping of name to (latitude, longitude)
            In degrees.
        radius_km : float
        first, last, week_start, measure
            As in `panel`.

        Returns
        -------
        Panel

        Raises
        ------
        InputError
            If there is no event, or no whole week.

        Examples
        --------
        >>> rows = pd.DataFrame({"event_id": ["1"], "date": ["2026-01-05"], "latitude": [12.6], "longitude": [-8.0]})
        >>> read_events(rows).near({"Bamako": (12.64, -8.0)}, 100, first="2026-01-03", last="2026-01-16").counts
        array([[1],
               [0]])
        """
        weeks = self._weeks(first, last, week_start)
        names = [f"{name} {radius_km:g} km" for name in places]
        latitude, longitude = zip(*places.values(), strict=True)
        radius = [radius_km] * len(names)
        units = Units.of(names, kind="place", latitude=latitude, longitude=longitude, radius_km=radius)
        precise = self.frame["place_precision"].fillna("point").isin(PRECISE)
        events = self._events(self.frame[precise])
        begin, end = weeks[0].date(), weeks[-1].date()
        return place_panel_from_events(events, units, first=begin, last=end, week_start=week_start, measure=measure)

    def _weeks(self, first: dt.date | str | None, last: dt.date | str | None, start: WeekStart) -> pd.DatetimeIndex:
        if not len(self.frame):
            raise InputError("no events", where=self.source)
        try:
            begin = self.frame["date"].min() if first is None else pd.Timestamp(first)
            end = self.frame["date"].max() if last is None else pd.Timestamp(last)
        except ValueError:
            raise InputError(f"{first!r} to {last!r} are no days", expected="such as 2026-01-03") from None
        return whole_weeks(begin.date(), end.date(), start)

    def _events(self, frame: pd.DataFrame, region: str | None = None) -> Events:
        """Return events with points; where regions are named the point does not matter."""
        columns = ["event_id", "date", "latitude", "longitude", *([region] if region else [])]
        chosen = frame[columns].assign(fatalities=frame["fatalities"].fillna(0).astype(np.int64))
        if region:
            chosen = chosen.fillna({"latitude": 0.0, "longitude": 0.0})
        chosen = chosen.dropna(subset=["date", "latitude", "longitude"]).reset_index(drop=True)
        days = chosen["date"].dt.strftime("%Y-%m-%d")
        return events_from_frame(chosen.assign(date=days), region=region, fatalities="fatalities", source=self.source)

    def _facts(self) -> dict[str, object]:
        left = ", ".join(f"{count} {reason}" for reason, count in self.dropped.items())
        return {"events": len(self.frame), "source": self.source, "rows": self.rows, "left out": left}

    def __repr__(self) -> str:
        return terminal_text("EventTable", self._facts())

    def _repr_html_(self) -> str:
        """Show the events in a notebook."""
        shown = ["date", "country", "admin1", "location", "event_type", "fatalities", "date_precision"]
        return notebook_html("EventTable", self._facts(), self.frame[shown])


def read_events(
    source: str | PathLike[str] | pd.DataFrame,
    *,
    kind: Source | None = None,
    mapping: str | PathLike[str] | None = None,
    policy: ImprecisePolicy | None = None,
) -> EventTable:
    """Read events of a file that UCDP or ACLED exports, or of a table of your own.

    Parameters
    ----------
    source : path or DataFrame
        CSV, Excel or parquet, gzipped or zipped as well; a frame has at least event_id, date, latitude, longitude.
    kind : {"ucdp", "acled", "table"}, optional
        As its columns show, if not given.
    mapping : path, optional
        A TOML file that says which column is what, for tables whose columns have other names (docs/table-mapping.md).
    policy : ImprecisePolicy, optional
        What to do with events whose day or place is known roughly; by default those known to the month get a day in
        it, those known to the year or country are left out.

    Returns
    -------
    EventTable

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column; the nearest names are offered.

    Notes
    -----
    A notebook reads one file as it is. `forecast ingest` keeps each import as a vintage, which `--as-of` needs.

    Examples
    --------
    >>> rows = pd.DataFrame({"event_id": ["1"], "date": ["2026-01-05"], "latitude": [12.6], "longitude": [-8.0]})
    >>> read_events(rows)
    <EventTable: events 1, source a table, rows 1>
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source)
    path, rule = Path(source), policy or ImprecisePolicy()
    found = kind or ("table" if mapping else source_of(open_rows(path).columns)) or "table"
    batches: Iterator[Batch]
    match found:
        case "ucdp":
            batches = read_ucdp(path, rule, release=release_in(path))
        case "acled":
            batches = read_acled(path, rule)
        case "table":
            batches = read_mapped(path, read_mapping(Path(mapping)) if mapping else None, rule)
        case _:
            raise unknown_name("kind of file", str(found), ["ucdp", "acled", "table"])
    read = list(batches)
    frame = pd.concat([batch.events for batch in read], ignore_index=True) if read else pd.DataFrame()
    return EventTable(
        frame, path.name, sum(batch.rows for batch in read), sum((batch.dropped for batch in read), Counter[str]())
    )


def _from_frame(frame: pd.DataFrame) -> EventTable:
    checked = events_from_frame(frame, source="a table").frame
    known = [name for name in ("country", "admin1", "admin2", "location", "event_type", "fatalities") if name in frame]
    more = frame.set_index(frame["event_id"].astype(str))[known].loc[checked["event_id"].astype(str).to_list()]
    columns = {name: checked[name].to_numpy() for name in checked} | {name: more[name].to_numpy() for name in known}
    return EventTable(event_frame(pd.DataFrame(columns)), "a table", len(frame))
