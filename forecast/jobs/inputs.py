"""What a workspace forecasts from: the panels of its data, and those of the datasets that lend it experience."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from forecast.confined import path_below
from forecast.errors import InputError, unknown_name
from forecast.families.model import ModelSpec
from forecast.jobs.counted_events import count_events
from forecast.jobs.region_file import WorkspaceRegions
from forecast.panel.dataset import DataNote, Dataset
from forecast.panel.other_names import country_key
from forecast.panel.panel import Panel
from forecast.panel.place_names import match_names
from forecast.panel.region_choice import choose_regions
from forecast.panel.reporting_delay import ReportingDelay
from forecast.panel.table import read_counts
from forecast.panel.units import UnitKind
from forecast.panel.vintage_panels import VintagePanels
from forecast.panel.weeks import WEEK, WeekStart, start_name, week_start_of
from forecast.provenance import hash_file
from forecast.workspace import CONFIG_NAME, Workspace

Panels = Mapping[UnitKind, Panel]
FitPanels = Mapping[tuple[str, UnitKind], Panel]


@dataclass(frozen=True)
class Inputs:
    """The data of a workspace, opened and checked.

    Parameters
    ----------
    name : str
        Of the dataset, or of the table without its ending; the folder of the backtest.
    panels : mapping of unit kind to Panel
        "region" always, "place" if the workspace has places.
    note : DataNote
    polygons : mapping of region name to GeoJSON geometry
        Empty for a table.
    hashes : mapping of path to sha256
        Of every file that was read; paths below the workspace.
    regions_file : WorkspaceRegions, optional
        Of an event store: the polygons in which events are counted.
    vintages : mapping of unit kind to VintagePanels
        Of an event store: what was known at each origin. Such data end before the day on which they are known, by
        the time that reporting takes.
    nowcast_weeks : int, optional
        Last weeks whose counts are not final.
    cut : bool
        Whether weeks were cut off at an origin.
    """

    name: str
    panels: Panels
    note: DataNote
    polygons: Mapping[str, Mapping[str, Any]]
    hashes: Mapping[str, str]
    regions_file: WorkspaceRegions | None = None
    vintages: Mapping[UnitKind, VintagePanels] = field(default_factory=dict)
    nowcast_weeks: int | None = None
    cut: bool = False

    @property
    def regions(self) -> Panel:
        """The panel of regions."""
        return self.panels["region"]

    @property
    def simulated(self) -> bool:
        """Whether the counts are of known truth and say nothing about any real place."""
        return any(panel.simulated for panel in self.panels.values())

    def known(self, kind: UnitKind, origin: pd.Timestamp) -> Panel:
        """Return what was known of a kind of unit at an earlier origin."""
        return self.vintages[kind].at(origin) if kind in self.vintages else self.panels[kind].until(origin)

    def delay(self, kind: UnitKind, origin: pd.Timestamp) -> ReportingDelay | None:
        """Return how late events became known by an origin, None where that is not known or not asked for."""
        if self.nowcast_weeks is None or kind not in self.vintages:
            return None
        return self.vintages[kind].delay(origin, self.nowcast_weeks)

    def until(self, origin: pd.Timestamp) -> Inputs:
        """Return what is known at `origin`."""
        known = {kind: panel.until(origin) for kind, panel in self.panels.items()}
        return replace(self, panels=known, cut=self.cut or origin < self.regions.origin)


def open_inputs(workspace: Workspace, as_of: dt.date | None = None) -> Inputs:
    """Open the data of a workspace.

    Parameters
    ----------
    workspace : Workspace
    as_of : date, optional
        Of an event store, what was known on this day; all that is known if not given. Datasets and tables are of one
        vintage.

    Raises
    ------
    InputError
        For whatever is wrong in the data, for regions and places that it does not have, and for places in a
        workspace whose data is a table.
    """
    if workspace.spec.data.store:
        counted = count_events(workspace, as_of)
        return Inputs(
            workspace.spec.data.store,
            {kind: vintages.final for kind, vintages in counted.vintages.items()},
            counted.note,
            counted.regions.polygons.geojson(),
            counted.hashes,
            regions_file=counted.regions,
            vintages=counted.vintages,
            nowcast_weeks=workspace.spec.data.nowcast_weeks,
        )
    return _open_set(workspace) if workspace.spec.data.set else _open_table(workspace)


def origin_of(panel: Panel, as_of: dt.date | None, *, first_after: int, or_earlier: bool = False) -> pd.Timestamp:
    """Return the origin of a forecast made on a day: all weeks that are over by then are known.

    Parameters
    ----------
    panel : Panel
    as_of : date, optional
        The day after the last week of the panel if not given.
    first_after : int
        More weeks than this must be known.
    or_earlier : bool
        Where the panel does not reach to `as_of`, start where it ends.

    Returns
    -------
    Timestamp
        First day of the week that contains `as_of`.

    Raises
    ------
    InputError
        If the panel does not reach to `as_of`, or too few weeks are known by then.

    Examples
    --------
    >>> import numpy as np
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=12, freq="7D")
    >>> panel = Panel.of(np.zeros((12, 1), int), weeks, Units.of(["Mali/Gao"]))
    >>> origin_of(panel, dt.date(2026, 3, 20), first_after=8)  # a Friday: its week is not over
    Timestamp('2026-03-14 00:00:00')
    """
    start = cast("WeekStart", start_name(panel.weeks).lower())
    origin = panel.origin if as_of is None else week_start_of(as_of, start)
    if origin > panel.origin and or_earlier:
        origin = panel.origin
    if origin > panel.origin:
        raise InputError(
            f"no forecast can be made as of {as_of}: the data are known until {panel.known_until:%Y-%m-%d}",
            expected=f"a day up to {panel.origin + WEEK - pd.Timedelta(days=1):%Y-%m-%d}",
            hint="newer data, or an earlier --as-of",
        )
    earliest = panel.weeks[0] + (first_after + 1) * WEEK
    if origin < earliest:
        known = f"as of {as_of}" if as_of else f"in data that end on {panel.known_until:%Y-%m-%d}"
        raise InputError(
            f"too few weeks are known {known}",
            expected=f"more than {first_after} weeks ([backtest] first_after), as from {earliest:%Y-%m-%d} on",
        )
    return origin


def related_panels(workspace: Workspace, name: str, like: Panels) -> Panels:
    """Return the panels of another dataset that correspond to those of the workspace.

    Parameters
    ----------
    workspace : Workspace
    name : str
        A dataset; its default measure is taken.
    like : mapping of unit kind to Panel
        The workspace's own.

    Returns
    -------
    mapping of unit kind to Panel
        The named regions if the workspace names some, otherwise all of the same countries; the same places at the same
        radii as far as the dataset has them. Without "region" if no country is the same, without "place" if it has no
        place.
    """
    dataset = Dataset.open(workspace.data_folder(name))
    every = dataset.region_panel()
    countries = _countries_of(like)
    named: set[str] = set()
    if workspace.spec.regions.names:
        ours = like["region"].units
        labels = [name.removeprefix(f"{of}/") for name, of in zip(ours.names, ours.groups, strict=True)]
        found = match_names(labels, every.units.names, countries=ours.groups, known_countries=every.units.groups)
        named = {match.known for match in found.matches if match.known}
    wanted = [
        unit
        for unit, country in zip(every.units.names, every.units.groups, strict=True)
        if (unit in named if named and not workspace.spec.regions.countries else country_key(country) in countries)
    ]
    panels: dict[UnitKind, Panel] = {"region": every.select(wanted)} if wanted else {}
    known = set(dataset.places()["place"]) if "place" in like else set()
    held = set(dataset.place_radii()) if known else set()
    places = [
        (place.name, place.radius_km)
        for place in workspace.spec.places
        if place.name in known and place.radius_km in held
    ]
    if places:
        panels["place"] = dataset.place_panel(places)
    return panels


def fit_panels(workspace: Workspace, models: Sequence[ModelSpec], like: Panels) -> FitPanels:
    """Return the panels on which the models with `fit_on` are fitted.

    Regions are all of the same countries; places are all towns of these countries at the same radii, so
    that pooling has something to pool. In place of a radius that the dataset does not have stands the nearest of its
    own, as a ratio: what is learned there is how counts vary and how fast they are forgotten, not how many there are.
    Other things that the dataset does not have are left out: a model is then fitted on the panel that it forecasts.

    Parameters
    ----------
    workspace : Workspace
    models : sequence of ModelSpec
    like : mapping of unit kind to Panel
        The workspace's own.

    Returns
    -------
    mapping of (dataset name, unit kind) to Panel
    """
    found: dict[tuple[str, UnitKind], Panel] = {}
    for name in sorted({model.fit_on for model in models if model.fit_on}):
        dataset = Dataset.open(workspace.data_folder(name))
        every = dataset.region_panel()
        ours = _countries_of(like)
        countries = [country for country in sorted(set(every.units.groups)) if country_key(country) in ours]
        if not countries:
            continue
        found[name, "region"] = dataset.region_panel(countries=countries)
        if "place" in like:
            towns, held = dataset.places(), dataset.place_radii()
            radii = sorted({_nearest(radius, held) for radius in like["place"].units.radius_km.tolist()})
            near = [(town, radius) for radius in radii for town in towns["place"][towns["country"].isin(countries)]]
            found[name, "place"] = dataset.place_panel(near)
    return found


def _nearest(radius: float, held: Sequence[int]) -> int:
    """Return the one of some radii that is the least times larger or smaller."""
    return min(held, key=lambda one: abs(np.log(one / radius)))


def _countries_of(panels: Panels) -> set[str]:
    """Return the countries of the regions, whatever their spelling; none where they are not known."""
    return {country_key(country) for country in panels["region"].units.groups if country}


def _open_set(workspace: Workspace) -> Inputs:
    spec, name = workspace.spec, str(workspace.spec.data.set)
    folder = workspace.data_folder(name)
    if not folder.is_dir():
        known = sorted(path.parent.name for path in (workspace.root / "data").glob("*/datapackage.json"))
        raise unknown_name("dataset", name, known, where=f"{CONFIG_NAME} [data] set")
    dataset = Dataset.open(folder)
    measure = spec.data.measure
    regions = dataset.region_panel(
        measure, spec.regions.countries, spec.regions.names, where=f"{CONFIG_NAME} [regions], data of {name}"
    )
    panels: dict[UnitKind, Panel] = {"region": regions}
    if spec.places:
        panels["place"] = dataset.place_panel([(place.name, place.radius_km) for place in spec.places], measure)
    hashes = {f"data/{name}/{path}": digest for path, digest in dataset.hashes().items()}
    return Inputs(name, panels, dataset.note(), dataset.polygons(regions.units.names), hashes)


def _open_table(workspace: Workspace) -> Inputs:
    data, wanted = workspace.spec.data, workspace.spec.regions
    path = path_below(workspace.root, str(data.table), where=f"{CONFIG_NAME} [data] table")
    if workspace.spec.places:
        raise InputError(
            f"place {workspace.spec.places[0].name!r} cannot be counted from a table of region counts",
            where=f"{CONFIG_NAME} [[places]]",
            expected="no places, or a dataset with counts around places or with events",
            hint="remove the [[places]], or put the data into a dataset (`[data] set`)",
        )
    if data.measure:
        raise InputError(
            f"measure {data.measure!r} is for datasets", where=f"{CONFIG_NAME} [data]", hint="[data.columns] count"
        )
    panel = read_counts(
        path,
        week=data.columns.week,
        region=data.columns.region,
        count=data.columns.count,
        country=data.columns.country,
        complete=data.complete,
        week_start=data.week_start,
    )
    chosen = choose_regions(
        panel.units.names,
        panel.units.groups,
        names=wanted.names,
        countries=wanted.countries,
        where=f"{CONFIG_NAME} [regions]",
    )
    panel = panel if chosen.all() else panel.select([panel.units.names[at] for at in np.flatnonzero(chosen)])
    note = DataNote(
        title=f"Counts of {path.name}",
        description=f"A table of {len(panel.weeks)} weeks and {len(panel.units)} regions.",
        attribution="",
        licence="",
        vintage=f"known until {panel.known_until:%Y-%m-%d}",
        limits=() if data.complete else ("A region and week without a row is unknown, not zero.",),
    )
    return Inputs(path.stem, {"region": panel}, note, {}, {str(data.table): hash_file(path)})
