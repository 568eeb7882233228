"""Regions of a workspace that forecasts from its event store: polygons of a file, and which of them are forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from forecast.confined import path_below
from forecast.panel.assign import assign_regions
from forecast.panel.polygon_files import files_of, read_polygon_file
from forecast.panel.polygons import Polygons
from forecast.panel.region_choice import choose_regions
from forecast.provenance import hash_file
from forecast.workspace import CONFIG_NAME, Workspace


@dataclass(frozen=True, eq=False)
class WorkspaceRegions:
    """What ``[data] regions`` and ``[regions]`` name.

    Parameters
    ----------
    polygons : Polygons
        Of the regions that are forecast.
    countries : tuple of str
        The country of each, empty where it is not known.
    every : Polygons
        Of the whole file: events and places just outside of a region may lie in another one.
    every_countries : tuple of str
    hashes : mapping of path to sha256
        Of all files that were read, as a shapefile is several; paths as ``forecast.toml`` has them.
    """

    polygons: Polygons
    countries: tuple[str, ...]
    every: Polygons
    every_countries: tuple[str, ...]
    hashes: Mapping[str, str]

    def countries_at(self, latitude: ArrayLike, longitude: ArrayLike) -> tuple[str, ...]:
        """Return the country of each point: of the region it lies in, or that is nearest within 25 km; else empty."""
        found = assign_regions(latitude, longitude, self.every)
        return tuple(self.every_countries[at] if at >= 0 else "" for at in found.region.tolist())


def workspace_regions(workspace: Workspace) -> WorkspaceRegions:
    """Read the polygons of a workspace and choose those that are forecast.

    Parameters
    ----------
    workspace : Workspace
        With ``[data] regions``.

    Raises
    ------
    InputError
        If the file cannot be read, as in `forecast.panel.polygon_files.read_polygon_file`, or lacks a region or country
        that ``[regions]`` names.
    """
    wanted, given = workspace.spec.regions, workspace.spec.data.regions
    assert given is not None
    path = path_below(workspace.root, given.file, where=f"{CONFIG_NAME} [data] regions")
    every, countries = read_polygon_file(
        path,
        given.name,
        country_property=given.country,
        in_country=given.in_country,
        layer=given.layer,
        crs=given.crs,
    )
    mask = choose_regions(
        every.names, countries, names=wanted.names, countries=wanted.countries, where=f"{CONFIG_NAME} [regions]"
    )
    chosen = np.flatnonzero(mask).tolist()
    return WorkspaceRegions(
        Polygons(tuple(every.names[at] for at in chosen), tuple(every.shapes[at] for at in chosen)),
        tuple(countries[at] for at in chosen),
        every,
        countries,
        {Path(given.file).with_name(file.name).as_posix(): hash_file(file) for file in files_of(path)},
    )
