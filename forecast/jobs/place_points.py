"""Where the places of a workspace lie: as it says itself, as LAT,LON, or as one of its datasets knows the town."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.errors import InputError, nearest_names
from forecast.jobs.region_file import WorkspaceRegions
from forecast.panel.dataset import Dataset
from forecast.panel.other_names import normalised
from forecast.panel.units import Units
from forecast.workspace import CONFIG_NAME, PlaceSpec, Workspace

_POINT = re.compile(r"\s*([+-]?\d+(?:\.\d*)?)\s*,\s*([+-]?\d+(?:\.\d*)?)\s*", re.ASCII)


def is_point(name: str) -> bool:
    """Tell whether a place is given as LAT,LON.

    Examples
    --------
    >>> is_point("12.65,-8"), is_point("Bamako")
    (True, False)
    """
    return _POINT.fullmatch(name) is not None


def degrees(point: str) -> tuple[float, float]:
    """Return latitude and longitude of LAT,LON.

    Raises
    ------
    InputError
        If they are off the globe.
    """
    latitude, longitude = (float(part) for part in point.split(","))
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise InputError(
            f"{point} is off the globe", expected="LAT,LON in degrees", hint="are latitude and longitude exchanged?"
        )
    return latitude, longitude


def town_as_known(workspace: Workspace, name: str) -> str:
    """Return a town as the workspace and its datasets spell it, found up to case, accents and hyphens.

    A town that nobody knows, or that several could be, is returned as it is.
    """
    if workspace.spec.data.set is not None:
        known = Dataset.open(workspace.data_folder(workspace.spec.data.set)).places()["place"].tolist()
    else:
        known = [*(place.name for place in workspace.spec.places), *_towns(workspace)]
    found = {town for town in known if normalised(town) == normalised(name)}
    return found.pop() if name not in known and len(found) == 1 else name


def place_units(workspace: Workspace, regions: WorkspaceRegions) -> Units:
    """Return the places of a workspace with an event store as units.

    The country of a place is that of the region that it lies in, or that is nearest within 25 km.

    Parameters
    ----------
    workspace : Workspace
        A place without coordinates of its own may be LAT,LON, or a place of ``forecast.toml`` or of a dataset that
        the workspace names (``calibrate_on``, or `fit_on` of a model).
    regions : WorkspaceRegions

    Raises
    ------
    InputError
        If nobody knows where a place lies.
    """
    places = workspace.spec.places
    towns = _towns(workspace) if any(place.latitude is None for place in places) else {}
    points = [_point_of(place, places, towns) for place in places]
    latitude, longitude = np.array(points, dtype=np.float64).T
    return Units.of(
        [place.unit for place in places],
        kind="place",
        groups=regions.countries_at(latitude, longitude),
        latitude=latitude,
        longitude=longitude,
        radius_km=[float(place.radius_km) for place in places],
    )


def _point_of(
    place: PlaceSpec, places: Sequence[PlaceSpec], towns: dict[str, tuple[float, float]]
) -> tuple[float, float]:
    if is_point(place.name):
        return degrees(place.name)
    for one in (place, *places):  # the same town may stand there with another radius
        if one.name == place.name and one.latitude is not None and one.longitude is not None:
            return one.latitude, one.longitude
    if place.name in towns:
        return towns[place.name]
    near = nearest_names(place.name, [*towns, *(one.name for one in places if one.latitude is not None)])
    raise InputError(
        f"where {place.name!r} lies is not known",
        where=f"{CONFIG_NAME} [[places]]",
        expected="latitude and longitude in degrees, to count single events around it"
        + (f"; or one of {', '.join(near)}" if near else ""),
        hint="LAT,LON in place of the name, on the command line",
    )


def _towns(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """Return where the towns of the datasets lie that the workspace names; the first to know one counts."""
    names = [*workspace.spec.data.calibrate_on, *(model.fit_on for model in workspace.models() if model.fit_on)]
    found: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(names):
        towns: pd.DataFrame = Dataset.open(workspace.data_folder(name)).places()
        for town, latitude, longitude in zip(towns["place"], towns["latitude"], towns["longitude"], strict=True):
            found.setdefault(str(town), (float(latitude), float(longitude)))
    return found
