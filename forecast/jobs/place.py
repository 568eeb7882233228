"""The outlook for one place: a town with a radius, or any point where single events are known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import shape

from forecast.errors import InputError, unknown_name
from forecast.events.table import events_from_frame
from forecast.jobs.inputs import Inputs, fit_panels, open_inputs, origin_of
from forecast.jobs.place_points import degrees, is_point
from forecast.jobs.run import forecast_with
from forecast.panel.assign import assign_regions
from forecast.panel.dataset import Dataset
from forecast.panel.from_events import place_panel_from_events
from forecast.panel.panel import Panel
from forecast.panel.polygons import Polygons
from forecast.panel.units import Units, great_circle_km
from forecast.predictive.escalation import AnyEvent, base_rate, probability
from forecast.tabular import read_table
from forecast.workspace import CONFIG_NAME, PlaceSpec, Workspace

LEAST_RADIUS_KM, MOST_RADIUS_KM = 10, 500
TWO_YEARS = 104
"""Weeks, of the origins of the first base rate."""
NEAREST = 5
EVENTS = "events"
"""Resource of a dataset with single events."""


@dataclass(frozen=True)
class PlaceOutlook:
    """What the headline model says of one place, beside how often it came before.

    Parameters
    ----------
    place : str
        As the unit of a panel is called.
    model : str
    origin, target_start, target_end : str
        ISO 8601 days; the last one is the last day of the last week.
    weeks : int
    probability : float
        Of at least one event.
    mean : float
        Expected events.
    low, high : int
        Central 80 % range of the events.
    base_rate_two_years, base_rate_all : float
        Share of past origins (of the last 104 weeks, of all) from which at least one event came; NaN if unknown.
    ratio_two_years, ratio_all : float
        Probability over base rate; NaN if that is 0 or unknown.
    weeks_known : int
        How many weeks of counts there are before the origin; with up to two years of them both base rates are the same.
    simulated : bool
    """

    place: str
    model: str
    origin: str
    target_start: str
    target_end: str
    weeks: int
    probability: float
    mean: float
    low: int
    high: int
    base_rate_two_years: float
    base_rate_all: float
    ratio_two_years: float
    ratio_all: float
    weeks_known: int
    simulated: bool


def place_outlook(
    workspace: Workspace, where: str, radius_km: int, *, weeks: int = 4, as_of: dt.date | None = None
) -> PlaceOutlook:
    """Return the outlook for a place.

    A place of the workspace has the figures of the report; another one is forecast together with those of the
    workspace, so that there is something to pool with.

    Parameters
    ----------
    workspace : Workspace
    where : str
        A town that the data know, or ``LAT,LON`` in degrees.
    radius_km : int
        10 to 500: this tool is for towns and regions, not for houses.
    weeks : int
    as_of : date, optional
        As in `forecast.jobs.run.run`.

    Raises
    ------
    InputError
        If the data cannot answer: no such town or radius; a point where only counts around towns are known (the
        nearest towns are offered); or one outside of all regions near which no event is known.
    """
    if not LEAST_RADIUS_KM <= radius_km <= MOST_RADIUS_KM:
        raise InputError(
            f"a radius of {radius_km} km",
            where="--radius-km",
            expected=f"{LEAST_RADIUS_KM} to {MOST_RADIUS_KM} km: forecasts are for towns and regions",
        )
    if workspace.spec.data.table is not None:
        raise InputError(
            "a table of region counts does not tell what happened near a place",
            where=f"{CONFIG_NAME} [data]",
            expected="a dataset with counts around places or with events, or an event store",
        )
    name = where.replace(" ", "") if is_point(where) else where.strip()
    inputs = _inputs(workspace, name, radius_km, as_of)
    first_after, vintaged = workspace.spec.backtest.first_after, bool(inputs.vintages)
    at = _told(inputs.panels["place"], f"{name} {radius_km} km")
    origin = origin_of(inputs.regions, as_of, first_after=first_after, or_earlier=vintaged)
    panel = inputs.panels["place"].until(origin)
    (model,) = [each for each in workspace.models() if each.name == workspace.spec.models.headline]
    fits = fit_panels(workspace, [model], {"region": inputs.regions.until(origin), "place": panel})
    horizon = max(weeks, workspace.spec.report.horizon)
    forecast = forecast_with(workspace, model, panel, fits, horizon, inputs.delay("place", origin))

    rule = AnyEvent(name="any_event", rule="any_event", weeks=weeks)
    chance = float(probability(rule, forecast, panel)[at])
    total = forecast.paths[:, :weeks, at].sum(axis=1)
    low, high = np.quantile(total, [0.1, 0.9], method="inverted_cdf")
    lately = float(base_rate(rule, panel, window=TWO_YEARS)[at])
    always = float(base_rate(rule, panel, window=len(panel.weeks))[at])
    return PlaceOutlook(
        place=panel.units.names[at],
        model=model.name,
        origin=f"{origin:%Y-%m-%d}",
        target_start=f"{origin:%Y-%m-%d}",
        target_end=f"{origin + pd.Timedelta(days=7 * weeks - 1):%Y-%m-%d}",
        weeks=weeks,
        probability=chance,
        mean=float(forecast.mean()[:weeks, at].sum()),
        low=int(low),
        high=int(high),
        base_rate_two_years=lately,
        base_rate_all=always,
        ratio_two_years=chance / lately if lately > 0 else float("nan"),
        ratio_all=chance / always if always > 0 else float("nan"),
        weeks_known=len(panel.weeks),
        simulated=panel.simulated,
    )


def _inputs(workspace: Workspace, name: str, radius_km: int, as_of: dt.date | None) -> Inputs:
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


def _told(panel: Panel, unit: str) -> int:
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
    )
