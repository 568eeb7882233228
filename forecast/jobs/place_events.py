"""Single events of a workspace as they were known at each origin, and the regions among which they happen."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely import transform
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from forecast.events.store import EventStore
from forecast.events.table import events_from_frame
from forecast.jobs.inputs import Inputs
from forecast.panel.dataset import Dataset
from forecast.panel.event_versions import COLUMNS, EventVersions
from forecast.panel.polygons import Polygons
from forecast.panel.units import EARTH_RADIUS_KM, great_circle_km
from forecast.tabular import read_table
from forecast.workspace import Workspace

EVENTS = "events"
"""Resource of a dataset with single events."""
REACH_KM = 200.0
"""As far as an event triggers others: regions within it, beyond the ring, belong to the study area."""
_DAY_ZERO = pd.Timestamp("1970-01-01")


@dataclass(frozen=True, eq=False)
class SeenEvents:
    """The events with a point that could be seen at an origin.

    Parameters
    ----------
    day : ndarray, shape (events,)
        Days since 1970, ascending.
    latitude, longitude : ndarray, shape (events,)
        Degrees.
    region : ndarray of int, shape (events,)
        Position among the regions that are forecast, -1 for none.
    precise : ndarray of bool, shape (events,)
        Located to about 25 km or better: counted around places.
    """

    day: NDArray[np.float64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    region: NDArray[np.intp]
    precise: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.day)

    def where(self, chosen: NDArray[np.bool_]) -> SeenEvents:
        """Return the events where a mask holds."""
        columns = (getattr(self, field.name)[chosen] for field in fields(self))
        return SeenEvents(*columns)


@dataclass(frozen=True, eq=False)
class PlaceEvents:
    """Every version of every event, with what tells when it was known and where it counts.

    Parameters
    ----------
    inputs : Inputs
    regions : Polygons
        Those that are forecast, in the order of their panel.
    area : Polygons
        Among which events happen: `regions`, and others of the same file that are near the place.
    versions : EventVersions, optional
        None where only counts are known.
    region : ndarray of int, shape (versions,)
        Position among `regions` of each version, -1 for none.
    """

    inputs: Inputs
    regions: Polygons
    area: Polygons
    versions: EventVersions | None
    region: NDArray[np.intp]

    @property
    def sizes_km2(self) -> NDArray[np.float64]:
        """Size of each region that is forecast, shape (regions,)."""
        area: NDArray[np.float64] = np.array([_size_km2(geometry) for geometry in self.regions.shapes])
        return area

    def seen(self, origin: pd.Timestamp) -> SeenEvents | None:
        """Return the events before an origin, as they were known then; None where only counts are known.

        Of an event store, "then" is the first day on which all weeks before the origin were known; at the last origin
        it is all that is known.
        """
        versions = self.versions
        if versions is None:
            return None
        at = self._vintage(origin)
        chosen = versions.usable & (versions.start <= at) & (at < versions.stop) & (versions.day < since_1970(origin))
        order = np.flatnonzero(chosen)
        order = order[np.argsort(versions.day[order], kind="stable")]
        return SeenEvents(
            versions.day[order].astype(np.float64),
            versions.latitude[order],
            versions.longitude[order],
            self.region[order],
            versions.precise[order],
        )

    def _vintage(self, origin: pd.Timestamp) -> int:
        if "region" not in self.inputs.vintages:
            return 0
        vintages = self.inputs.vintages["region"]
        if origin >= self.inputs.regions.origin:
            return len(vintages.known_at) - 1
        day = vintages.day(origin)
        return max(at for at, known in enumerate(vintages.known_at) if known == day)


def since_1970(day: pd.Timestamp) -> int:
    """Return the days from the first of January 1970 to a day."""
    return (day - _DAY_ZERO).days


def place_events(
    workspace: Workspace, inputs: Inputs, latitude: float, longitude: float, radius_km: float
) -> PlaceEvents:
    """Open the single events of a workspace, if it has any, and the regions around a place.

    Parameters
    ----------
    workspace : Workspace
        With a dataset or an event store.
    inputs : Inputs
        Its data, as they are known.
    latitude, longitude, radius_km : float
        Of the place.
    """
    names = inputs.regions.units.names
    polygons = Polygons(names, tuple(shape(dict(inputs.polygons[name])) for name in names))
    regions = inputs.regions_file
    if regions is None:
        dataset = Dataset.open(workspace.data_folder(str(workspace.spec.data.set)))
        every = {name: shape(geometry) for name, geometry in dataset.polygons().items()}
        versions = _of_dataset(dataset)
        region = np.empty(0, np.intp) if versions is None else polygons.locate(versions.latitude, versions.longitude)
    else:
        every = dict(zip(regions.every.names, regions.every.shapes, strict=True))
        source, store = str(workspace.spec.data.store), EventStore(workspace.data_folder("events"))
        # Vintages are numbered as in the panels: those that were known on the day that the data were opened as of.
        last = inputs.vintages["region"].known_at[-1]
        versions = EventVersions.packed(store.history(source, last, COLUMNS))
        found, _ = versions.regions(regions.every, regions.every_countries)
        at = {name: position for position, name in enumerate(names)}
        region = np.array([*(at.get(name, -1) for name in regions.every.names), -1], dtype=np.intp)[found]
    area = _around(polygons, every, latitude, longitude, radius_km + REACH_KM)
    return PlaceEvents(inputs, polygons, area, versions, region)


def _size_km2(geometry: BaseGeometry) -> float:
    """Return the size of a polygon, in an equal-area projection."""
    flat = transform(geometry, lambda xy: np.column_stack([xy[:, 0], np.degrees(np.sin(np.radians(xy[:, 1])))]))
    return float(flat.area) * (EARTH_RADIUS_KM * np.pi / 180) ** 2


def _of_dataset(dataset: Dataset) -> EventVersions | None:
    """Return the events of a dataset, all of one vintage; None if it has only counts."""
    resource = next((item for item in dataset.spec.resources if item.name == EVENTS), None)
    if resource is None:
        return None
    events = events_from_frame(read_table(dataset.folder / resource.path), simulated=dataset.spec.simulated)
    whole = pd.DataFrame({"start": 0, "stop": 1, "fatalities": 0, "place_precision": "point", "country": ""}, [0])
    frame = events.frame[["date", "latitude", "longitude"]].merge(whole, how="cross")
    return EventVersions.packed([frame])


def _around(
    polygons: Polygons, every: dict[str, BaseGeometry], latitude: float, longitude: float, km: float
) -> Polygons:
    """Return the regions that are forecast, and others that reach within a distance of a place."""
    names, shapes = list(polygons.names), list(polygons.shapes)
    for name, geometry in every.items():
        if name in polygons.names:
            continue
        west, south, east, north = geometry.bounds
        nearest = np.clip(latitude, south, north), np.clip(longitude, west, east)
        if great_circle_km(latitude, longitude, *(np.array([value]) for value in nearest))[0] <= km:
            names.append(name)
            shapes.append(geometry)
    return Polygons(tuple(names), tuple(shapes))
