"""A workspace for a grid: events counted by week and by cell of the PRIO-GRID, half a degree wide."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.csv_text import csv_bytes
from forecast.errors import InputError
from forecast.jobs.new_workspace import (
    ModelChoice,
    Protocol,
    copy_catalogue,
    new_folder,
    workspace_file,
)
from forecast.panel.datapackage import PACKAGE_NAME
from forecast.panel.event_table import EventTable, read_events
from forecast.panel.package_files import described, geojson_bytes, neighbours_csv, region_weeks_csv
from forecast.panel.panel import Panel
from forecast.panel.polygon_files import read_polygon_file
from forecast.panel.polygons import Polygons
from forecast.panel.priogrid import cell_centroids, cell_neighbours, cell_polygons, largest_shares
from forecast.panel.region_choice import choose_regions
from forecast.panel.units import Units
from forecast.workspace import CONFIG_NAME, Workspace, open_workspace

SET = "grid-weekly"
MODELS = ("climatology-52", "window-negbin-52", "discount-negbin", "endemic-epidemic")
MEMBERS = ("discount-negbin", "endemic-epidemic")
PROTOCOL = Protocol(
    origins=26,
    refit_every=26,
    draws=1000,
    why="Half a year and one fit, as there are thousands of cells: docs/scaling.md tells what more costs.",
)


@dataclass(frozen=True)
class GridCounts:
    """What a grid holds.

    Parameters
    ----------
    panel : Panel
        Units are cells, "Mali/147234", grouped by country.
    events : EventTable
        Those of the file, with what was left out of it.
    outside : int
        Events in weeks that are counted, but in none of the cells, or without a usable point.
    """

    panel: Panel
    polygons: Polygons
    events: EventTable
    outside: int


def grid_workspace(
    target: Path,
    source: Workspace,
    file: Path,
    land: Path,
    title: str | None = None,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    types: Sequence[str] = (),
    countries: Sequence[str] = (),
) -> tuple[Workspace, GridCounts]:
    """Make a workspace in a new folder, with the weekly counts of a file of events in the cells of a grid.

    The cells are those of the PRIO-GRID that share some area with one of the polygons; each belongs to the country of
    the polygon with the largest share. The models are few and fast, as there are thousands of cells.

    Parameters
    ----------
    target : Path
        Must not exist, or be empty.
    source : Workspace
        Its models and reports are taken.
    file : Path
        Events, as for `forecast.jobs.workspace_of_events.events_workspace`. They are not copied.
    land : Path
        Polygons (GeoJSON, GeoPackage, shapefile), whose property ``country``, if there is one, names their country.
    title : str, optional
        The countries if not given.
    first, last : date, optional
        First and last day that the file covers; those of its first and last event if not given.
    types : sequence of str, optional
        Only events of these types.
    countries : sequence of str, optional
        Only polygons of these.

    Raises
    ------
    InputError
        If the folder is not empty, or for whatever is wrong in the files.
    """
    found = count_in_cells(read_events(file).select(types=types), land, first=first, last=last, countries=countries)
    groups = list(dict.fromkeys(found.panel.units.groups))
    use = tuple(name for name in MODELS if name in source.catalogue)
    members = tuple(name for name in MEMBERS if name in use)
    combination = source.spec.combination if len(members) > 1 else None
    if combination is not None:
        combination = combination.model_copy(update={"members": members})
    choice = ModelChoice(use, combination.name if combination else use[-1], combination)
    with new_folder(target) as work:
        copy_catalogue(source, work, datasets=set())
        _write_set(work / "data" / SET, found)
        text = workspace_file(
            title=title or (", ".join(groups) if 0 < len("".join(groups)) <= 60 else file.name.partition(".")[0]),
            set=SET,
            choice=choice,
            protocol=PROTOCOL,
        )
        (work / CONFIG_NAME).write_text(text, encoding="utf-8", newline="\n")
        open_workspace(work)
    return open_workspace(target), found


def count_in_cells(
    events: EventTable,
    land: Path,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    countries: Sequence[str] = (),
) -> GridCounts:
    """Count events by week and cell; parameters are those of `grid_workspace`.

    Raises
    ------
    InputError
        If the polygons cannot be read, a country is not among them, or no event lies in the cells.
    """
    areas, of = read_polygon_file(land, None)
    if countries:
        kept = np.flatnonzero(choose_regions(areas.names, of, countries=countries, where=land.name)).tolist()
        areas = Polygons(tuple(areas.names[at] for at in kept), tuple(areas.shapes[at] for at in kept))
        of = tuple(of[at] for at in kept)
    gids, owner = largest_shares(areas)
    groups = [of[at] if of else "" for at in owner.tolist()]
    names = [f"{group}/{gid}" if group else str(gid) for gid, group in zip(gids.tolist(), groups, strict=True)]
    latitude, longitude = cell_centroids(gids)
    cells = Polygons(tuple(names), cell_polygons(gids).shapes)
    counted = events.panel(cells, first=first, last=last)
    weeks = counted.weeks
    total = int(counted.counts.sum())
    if not total:
        raise InputError(
            f"none of the {len(events)} events lies in one of the {len(gids)} cells",
            where=events.source,
            expected=f"events within the polygons of {land.name}",
        )
    units = Units.of(names, groups=groups, latitude=latitude, longitude=longitude)
    panel = Panel.of(counted.counts, weeks, units, neighbours=cell_neighbours(gids), source=counted.source)
    days = events.frame["date"]
    within = int(((days >= weeks[0]) & (days <= panel.known_until)).sum())
    return GridCounts(panel, cells, events, within - total)


def _write_set(folder: Path, grid: GridCounts) -> None:
    panel, units = grid.panel, grid.panel.units
    regions = pd.DataFrame(
        {"region": units.names, "country": units.groups, "latitude": units.latitude, "longitude": units.longitude}
    )
    files = {
        "region_weeks": ("region_weeks.csv", "Events per week and cell, non-zero rows only", region_weeks_csv(panel)),
        "regions": ("regions.csv", "Every cell; centres in degrees", csv_bytes(regions)),
        "regions-geojson": ("regions.geojson", "Squares of the cells", geojson_bytes(grid.polygons)),
        "neighbours": (
            "neighbours.csv",
            "Pairs of cells that share an edge",
            neighbours_csv(units, panel.neighbours),
        ),
    }
    folder.mkdir(parents=True)
    for path, _, content in files.values():
        (folder / path).write_bytes(content)
    package: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": SET,
        "title": f"Events of {grid.events.source} in {len(units):,} cells of 0.5 degrees",
        "description": "Counts by week and cell of the PRIO-GRID (doi:10.1177/0022343311431287).",
        "weeks": {
            "start_day": "saturday",
            "first": f"{panel.weeks[0]:%Y-%m-%d}",
            "last": f"{panel.weeks[-1]:%Y-%m-%d}",
        },
        "known_until": f"{panel.known_until:%Y-%m-%d}",
        "vintage": f"until {panel.known_until:%Y-%m-%d}",
        "complete": True,
        "measures": ["events"],
        "default_measure": "events",
        "left_out": {**grid.events.dropped, **({"outside of the cells": grid.outside} if grid.outside else {})},
        "resources": [described(name, *file) for name, file in files.items()],
    }
    (folder / PACKAGE_NAME).write_bytes((json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode())
