"""The data of a workspace with one more place among its places."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import shape

from forecast.errors import InputError, unknown_name
from forecast.events.table import events_from_frame
from forecast.jobs.inputs import Inputs, open_inputs
from forecast.jobs.place_events import EVENTS
from forecast.jobs.place_points import degrees, is_point
from forecast.panel.assign import assign_regions
from forecast.panel.dataset import Dataset
from forecast.panel.from_events import place_panel_from_events
from forecast.panel.panel import Panel
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units, great_circle_km
from forecast.tabular import read_table
from forecast.workspace import PlaceSpec, Workspace

NEAREST = 5
"""Towns that are offered in place of a point."""


def open_with_place(workspace: Workspace, name: str, radius_km: int, as_of: dt.date | None) -> Inputs:
    """Return the data of the workspace, with the wanted place among its places."""
    if workspace.spec.data.store is None:
        dataset = Dataset.open(workspace.data_folder(str(workspace.spec.data.set)))
        inputs = open_inputs(workspace)
        return replace(inputs, panels={**inputs.panels, "place": _panel(workspace, dataset, name, radius_km)})
    wanted, mine = PlaceSpec(name=name, radius_km=radius_km), workspace.spec.places
    if wanted.unit in {place.unit for place in mine}:
        return open_inputs(workspace, as_of)
    spec = workspace.spec.model_copy(update={"places": (*mine, wanted)})
    return open_inputs(replace(workspace, spec=spec), as_of)


def position_of(panel: Panel, unit: str) -> int:
    """Return the position of a place of which the data tell: it lies in a country of theirs, or has had an event."""
    at = panel.units.index(unit)
    if panel.units.groups[at] or (panel.counts[:, at] > 0).any():
        return at
    raise InputError(
        f"the data tell nothing of {unit}: no region is near, and no event",
        expected="a place within 25 km of a region of the data",
        hint="are latitude and longitude exchanged?",
    )


def _panel(workspace: Workspace, dataset: Dataset, name: str, radius_km: int) -> Panel:
    """Return the places of the workspace and the wanted one, counted over all weeks of a dataset."""
    mine = [(place.name, place.radius_km) for place in workspace.spec.places]
    wanted = (name, radius_km)
    every = mine if wanted in mine else [*mine, wanted]
    resource = next((item for item in dataset.spec.resources if item.name == EVENTS), None)
    if resource is None and is_point(name):
        raise _towns_only(dataset, *degrees(name))
    if resource is None or wanted in mine:
        return dataset.place_panel(every, workspace.spec.data.measure)
    dataset.hashes()  # refuses files that were changed
    events = events_from_frame(
        read_table(dataset.folder / resource.path), source=dataset.note().title, simulated=dataset.spec.simulated
    )
    weeks = dataset.spec.weeks
    units = _units(every, dataset)
    return place_panel_from_events(events, units, first=weeks.first, last=weeks.last, week_start=weeks.start_day)


def _units(places: list[tuple[str, int]], dataset: Dataset) -> Units:
    """Return towns and points as units; a point has the country of the region that it lies in or is near."""
    towns = dataset.places()
    regions = dataset.region_panel().units
    shapes = dataset.polygons(regions.names)
    polygons = Polygons(regions.names, tuple(shape(geometry) for geometry in shapes.values()))
    rows = []
    for name, radius in places:
        if is_point(name):
            latitude, longitude = degrees(name)
            found = int(assign_regions([latitude], [longitude], polygons).region[0])
            country = regions.groups[found] if found >= 0 else ""
            rows.append((f"{name} {radius} km", country, latitude, longitude))
            continue
        known = towns[towns["place"] == name]
        if known.empty:
            raise unknown_name("place", name, towns["place"].tolist(), where=dataset.folder.name)
        town = known.iloc[0]
        rows.append((f"{name} {radius} km", town["country"], float(town["latitude"]), float(town["longitude"])))
    names, countries, latitudes, longitudes = zip(*rows, strict=True)
    return Units.of(
        names,
        kind="place",
        groups=countries,
        latitude=latitudes,
        longitude=longitudes,
        radius_km=[float(radius) for _, radius in places],
    )


def _coordinates(towns: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return towns["latitude"].to_numpy(np.float64), towns["longitude"].to_numpy(np.float64)


def _towns_only(dataset: Dataset, latitude: float, longitude: float) -> InputError:
    """Return the error for a point where only counts around towns are known."""
    towns = dataset.places()
    towns["km"] = great_circle_km(latitude, longitude, *_coordinates(towns))
    near = ", ".join(f"{row.place} ({row.km:.0f} km)" for row in towns.nsmallest(NEAREST, "km").itertuples())
    return InputError(
        "the dataset has counts around towns but no single events, so that a point cannot be counted",
        where=dataset.folder.name,
        expected=f"a town; the nearest are {near}",
        hint="a workspace with an event store: see `forecast ingest --help`",
    )
