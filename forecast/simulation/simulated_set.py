"""A simulated dataset as a folder that is read, back-tested and reported like a real one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.csv_text import csv_bytes
from forecast.errors import InputError
from forecast.panel.datapackage import PACKAGE_NAME
from forecast.panel.dataset import SIMULATED_LABEL
from forecast.panel.package_files import described, geojson_bytes, neighbours_csv, nonzero_counts, region_weeks_csv
from forecast.simulation.grid import COUNTRY, PLACE_RADII_KM, Grid
from forecast.simulation.simulate import SimulatedSet, simulate
from forecast.storage import folder_in_progress

_WORDS: dict[str, str] = {
    "poisson": "Poisson counts",
    "negbin": "negative binomial counts",
    "endemic-epidemic": "endemic-epidemic counts",
    "hawkes": "Hawkes process",
}


def simulate_set(
    kind: str, folder: Path, weeks: int, regions: int, seed: int, settings: Mapping[str, Any] | None = None
) -> SimulatedSet:
    """Simulate a dataset and write it to a folder, whole or not at all.

    Parameters
    ----------
    kind : {"poisson", "negbin", "endemic-epidemic", "hawkes"}
    folder : Path
        Must not exist, be empty, or hold an older simulated set, which is replaced.
    weeks : int
        From 2000-01-01 on.
    regions : int
        Squares of a grid.
    seed : int
        The same seed and settings give the same bytes.
    settings : mapping, optional
        Those of the kind that differ from its defaults.

    Returns
    -------
    SimulatedSet
        What was written.

    Raises
    ------
    InputError
        For an unknown kind or setting, values out of range, or a folder with something else in it.
    """
    _refuse_other_content(folder)
    simulated = simulate(kind, weeks, regions, seed, settings)
    write_simulated_set(folder, simulated)
    return simulated


def write_simulated_set(folder: Path, simulated: SimulatedSet) -> None:
    """Write a dataset folder: the files of every dataset, ``events.csv``, and the truth in ``datapackage.json``.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    files = {
        "region_weeks": (
            "region_weeks.csv",
            "Counts per week and region, non-zero rows only",
            region_weeks_csv(simulated.panel),
        ),
        "place_weeks": (
            "place_weeks.csv.gz",
            "Counts per week, place and radius, non-zero rows only",
            _place_weeks(simulated),
        ),
        "regions": ("regions.csv", "Every region, a square of one degree", _regions(simulated.grid)),
        "regions-geojson": ("regions.geojson", "Polygons of the regions", geojson_bytes(simulated.grid.polygons)),
        "neighbours": (
            "neighbours.csv",
            "Pairs of regions that share a border",
            neighbours_csv(simulated.grid.units, simulated.grid.neighbours),
        ),
        "places": ("places.csv", "Towns; population and geonameid are no real ones", _places(simulated.grid)),
        "events": ("events.csv", _events_note(simulated), csv_bytes(simulated.events.frame)),
    }
    with folder_in_progress(folder) as work:
        for path, _, content in files.values():
            (work / path).write_bytes(content)
        resources = [described(name, *file, radii_km=PLACE_RADII_KM) for name, file in files.items()]
        package = json.dumps({**_head(simulated), "resources": resources}, indent=2, ensure_ascii=False) + "\n"
        (work / PACKAGE_NAME).write_bytes(package.encode())


def _head(simulated: SimulatedSet) -> dict[str, Any]:
    weeks = simulated.panel.weeks
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"simulated-{simulated.kind}-{simulated.seed}",
        "title": f"{SIMULATED_LABEL} {_WORDS[simulated.kind]} on a grid of {len(simulated.grid.units)} regions",
        "description": "Simulated counts of known truth, to test models and to learn with. They say nothing about any "
        "real place: the regions are squares on the open ocean. The settings and the truth are recorded here.",
        "version": "1.0.0",
        "vintage": f"{SIMULATED_LABEL} with seed {simulated.seed}",
        "simulated": True,
        "kind": simulated.kind,
        "seed": simulated.seed,
        "settings": simulated.settings.model_dump(),
        "truth": simulated.truth.model_dump(),
        "weeks": {"start_day": "saturday", "first": f"{weeks[0]:%Y-%m-%d}", "last": f"{weeks[-1]:%Y-%m-%d}"},
        "known_until": f"{simulated.panel.known_until:%Y-%m-%d}",
        "complete": True,
        "preliminary": False,
        "measures": ["events"],
        "default_measure": "events",
        "licenses": [
            {
                "name": "CC0-1.0",
                "title": "CC0 1.0 Universal",
                "path": "https://creativecommons.org/publicdomain/zero/1.0/",
            }
        ],
        "attribution": [f"{SIMULATED_LABEL} by escalation-forecast"],
    }


def _events_note(simulated: SimulatedSet) -> str:
    if simulated.kind == "hawkes":
        return "The simulated events"
    return "The counted events, each at a random point of its region on a random day of its week"


def _place_weeks(simulated: SimulatedSet) -> bytes:
    frame, unit = nonzero_counts(simulated.places)
    radii = len(PLACE_RADII_KM)
    frame.insert(1, "place", [simulated.grid.towns.names[at // radii] for at in unit])
    frame.insert(2, "radius_km", [PLACE_RADII_KM[at % radii] for at in unit])
    return gzip.compress(csv_bytes(frame), mtime=0)


def _regions(grid: Grid) -> bytes:
    names = grid.units.names
    return csv_bytes(
        pd.DataFrame(
            {
                "region": names,
                "country": COUNTRY,
                "iso3": "XXX",
                "name": [name.split("/")[1] for name in names],
                "latitude": grid.units.latitude,
                "longitude": grid.units.longitude,
                "area_km2": grid.areas_km2().round(1),
            }
        )
    )


def _places(grid: Grid) -> bytes:
    towns = grid.towns
    return csv_bytes(
        pd.DataFrame(
            {
                "place": towns.names,
                "country": COUNTRY,
                "latitude": towns.latitude,
                "longitude": towns.longitude,
                "population": 0,
                "geonameid": np.arange(1, len(towns) + 1),
            }
        )
    )


def _refuse_other_content(folder: Path) -> None:
    """Refuse to replace anything but an older simulated set."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        simulated = json.loads((folder / PACKAGE_NAME).read_bytes()).get("simulated") is True
    except (OSError, ValueError, AttributeError):
        simulated = False
    if not simulated:
        raise InputError(
            f"{folder.name} exists and is no simulated dataset",
            where=str(folder.parent),
            expected="a new folder, or an older simulated set to replace",
        )
