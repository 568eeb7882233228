"""Datasets: a folder with a Frictionless ``datapackage.json``, read only if every file is what it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError, unknown_name
from forecast.panel.datapackage import PACKAGE_NAME, PackageSpec, ResourceSpec, read_package, read_resource
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.region_choice import choose_regions
from forecast.panel.table import panel_from_counts
from forecast.panel.units import Units
from forecast.panel.weeks import week_range
from forecast.tabular import Table, parse_csv

__all__ = ["PACKAGE_NAME", "SIMULATED_LABEL", "DataNote", "Dataset"]

SIMULATED_LABEL = "SIMULATED"
"""How the title of a simulated set and the source of its panels begin."""


@dataclass(frozen=True)
class DataNote:
    """What people must know of the data.

    Parameters
    ----------
    title, description, attribution, licence, vintage : str
    limits : tuple of str
        One sentence each.
    preliminary : bool
    """

    title: str
    description: str
    attribution: str
    licence: str
    vintage: str
    limits: tuple[str, ...] = ()
    preliminary: bool = False


@dataclass(frozen=True, eq=False)
class Dataset:
    """An opened dataset: its folder and what its ``datapackage.json`` says.

    Nothing but the description is read until it is asked for; each file is checked against its hash as it is read.

    Parameters
    ----------
    folder : Path
    spec : PackageSpec
    weeks : DatetimeIndex
        Every week of the set.

    Examples
    --------
    ::

        dataset = Dataset.open(Path("data/sahel-2026-weekly"))
        panel = dataset.region_panel(countries=["Mali", "Niger"])
        towns = dataset.place_panel([("Bamako", 100), ("Gao", 50)])
    """

    folder: Path
    spec: PackageSpec
    weeks: pd.DatetimeIndex

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open the dataset in a folder.

        Raises
        ------
        InputError
            If there is no ``datapackage.json``, or it is wrong or contradicts itself.
        """
        spec = read_package(folder)
        weeks = week_range(pd.Timestamp(spec.weeks.first), pd.Timestamp(spec.weeks.last), spec.weeks.start_day)
        return cls(folder, spec, weeks)

    def region_panel(
        self,
        measure: str | None = None,
        countries: Sequence[str] = (),
        names: Sequence[str] = (),
        *,
        where: str = "",
    ) -> Panel:
        """Return the counts of regions, in the order of ``regions.csv``.

        Parameters
        ----------
        measure : str, optional
            One of the measures of the set; its default if not given.
        countries, names : sequence of str
            All regions of these countries, and these regions, as in `forecast.panel.region_choice.choose_regions`.
            All regions of the set if neither is given.
        where : str, optional
            Where countries and regions were named, for the message; the set itself if not given.

        Returns
        -------
        Panel
            Groups are the countries. A region-week without a row is a zero where the set is complete, otherwise
            missing.

        Raises
        ------
        InputError
            For a measure, country or region that the set does not have, and for files that were changed.
        """
        chosen = self._measure(measure)
        regions = self._table("regions")
        keys, groups = regions.names("region"), regions.names("country")
        wanted = choose_regions(
            keys.tolist(), groups.tolist(), names=names, countries=countries, where=where or self._name
        )
        latitude, longitude = regions.numbers("latitude"), regions.numbers("longitude")
        every = Units.of(keys.tolist(), groups=groups.tolist(), latitude=latitude, longitude=longitude)
        units = every.take(np.flatnonzero(wanted))
        counts = self._table("region_weeks")
        rows = wanted[counts.positions("region", every.names, "region")]
        neighbours = self._neighbours(every).take(np.flatnonzero(wanted))
        return self._panel(counts.where(rows), "region", chosen, units, neighbours)

    def place_panel(self, places: Sequence[tuple[str, int]], measure: str | None = None) -> Panel:
        """Return the counts around places.

        Parameters
        ----------
        places : sequence of (name, radius in km)
            In the order of the units, which are called ``"Bamako 100 km"``.
        measure : str, optional
            As in `region_panel`. Only precisely located events can be counted within a circle, so that
            ``events_precise`` is the same here as ``events``.

        Returns
        -------
        Panel
            Groups are the countries of the places.

        Raises
        ------
        InputError
            For a place, a radius or a measure that the set does not hold, and for files that were changed.
        """
        if not places:
            raise InputError("no places", expected="at least one name and radius")
        towns, counts = self._table("places"), self._table("place_weeks")
        known = towns.names("place").tolist()
        at = np.array([_position(name, known, self._name) for name, _ in places], dtype=np.intp)
        radius, held = counts.whole_numbers("radius_km"), self.place_radii()
        for name, wanted in places:
            if wanted not in held:
                raise InputError(
                    f"no counts within {wanted} km of {name}",
                    where=self._name,
                    expected=f"a radius of {', '.join(map(str, held)) or 'none'} km",
                )
        radii = np.array([wanted for _, wanted in places], dtype=np.int64)
        units = Units.of(
            [f"{name} {wanted} km" for name, wanted in places],
            kind="place",
            groups=towns.names("country")[at].tolist(),
            latitude=towns.numbers("latitude")[at],
            longitude=towns.numbers("longitude")[at],
            radius_km=radii.astype(np.float64),
        )
        # Place and radius as one number, since comparing names row by row is slow.
        step = max(int(radius.max(initial=0)), *held) + 1
        keys = counts.positions("place", known, "place") * step + radius
        mine = np.isin(keys, at * step + radii)
        unit = [f"{known[key // step]} {key % step} km" for key in keys[mine].tolist()]
        rows = counts.where(mine)
        labelled = Table(rows.frame.assign(unit=unit), rows.name)
        return self._panel(
            labelled, "unit", self._measure(measure).removesuffix("_precise"), units, Neighbours.none(len(units))
        )

    def place_radii(self) -> list[int]:
        """Return the radii in km within which events around the places are counted, ascending."""
        # A radius within which nothing happened has no row, so that the schema is asked first.
        listed = self._resource("place_weeks").allowed("radius_km")
        return sorted(listed) or np.unique(self._table("place_weeks").whole_numbers("radius_km")).tolist()

    def polygons(self, names: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        """Return region name to GeoJSON geometry, of all regions if no names are given.

        Raises
        ------
        InputError
            For a region without a polygon, and for files that were changed.
        """
        content = read_resource(self.folder, self._resource("regions-geojson"))
        try:
            shapes = {item["properties"]["region"]: item["geometry"] for item in json.loads(content)["features"]}
        except (ValueError, KeyError, TypeError):
            raise InputError("no GeoJSON with the property `region`", where=f"{self._name}/regions.geojson") from None
        for name in names:
            if name not in shapes:
                raise unknown_name("region", name, shapes, where=f"{self._name}/regions.geojson")
        return {name: shapes[name] for name in names} if names else shapes

    def places(self) -> pd.DataFrame:
        """Return the places: place, country, latitude, longitude, population, in the order of the file."""
        table = self._table("places")
        return pd.DataFrame(
            {
                "place": table.names("place"),
                "country": table.names("country"),
                "latitude": table.numbers("latitude"),
                "longitude": table.numbers("longitude"),
                "population": table.whole_numbers("population"),
            }
        )

    def note(self) -> DataNote:
        """Return what people must know of the data."""
        spec = self.spec
        return DataNote(
            title=self._title,
            description=spec.description,
            attribution="; ".join(spec.attribution),
            licence=", ".join(licence.title or licence.name for licence in spec.licenses),
            vintage=spec.vintage,
            limits=tuple(self._limits()),
            preliminary=spec.preliminary,
        )

    def hashes(self) -> dict[str, str]:
        """Return path and sha256 of the description and of every file, each checked now.

        Raises
        ------
        InputError
            For a file that is missing or was changed.
        """
        for resource in self.spec.resources:
            read_resource(self.folder, resource)
        files = {resource.path: resource.hash.removeprefix("sha256:") for resource in self.spec.resources}
        own = hashlib.sha256((self.folder / PACKAGE_NAME).read_bytes()).hexdigest()
        return dict(sorted({PACKAGE_NAME: own, **files}.items()))

    @property
    def _name(self) -> str:
        return self.folder.name

    @property
    def _title(self) -> str:
        title = self.spec.title
        labelled = title.startswith(SIMULATED_LABEL) or not self.spec.simulated
        return title if labelled else f"{SIMULATED_LABEL}: {title}"

    def _limits(self) -> list[str]:
        spec = self.spec
        limits = list(spec.limits)
        if spec.simulated:
            limits.append("The counts are simulated: they say nothing about any real place.")
        if spec.preliminary:
            limits.append("The counts are preliminary: later releases of the source add, change and drop events.")
        if not spec.complete:
            limits.append("Weeks without a row are unknown, not zero.")
        left_out = [f"{count} {reason.replace('_', ' ')}" for reason, count in spec.left_out.items() if count]
        if left_out:
            limits.append(f"Left out of the counts: {', '.join(left_out)}.")
        limits += [f"Corrected in the source: {item['reason']}" for item in spec.corrections if item.get("reason")]
        return limits

    def _measure(self, measure: str | None) -> str:
        chosen = measure or self.spec.default_measure
        if chosen not in self.spec.measures:
            raise unknown_name("measure", chosen, self.spec.measures, where=self._name)
        return chosen

    def _panel(self, rows: Table, unit: str, measure: str, units: Units, neighbours: Neighbours) -> Panel:
        return panel_from_counts(
            rows,
            week="week",
            region=unit,
            count=measure,
            complete=self.spec.complete,
            week_start=self.spec.weeks.start_day,
            first=self.spec.weeks.first,
            last=self.spec.weeks.last,
            known_until=self.spec.known_until,
            units=units,
            neighbours=neighbours,
            source="; ".join(part for part in (self._title, self.spec.vintage) if part),
            simulated=self.spec.simulated,
        )

    def _neighbours(self, units: Units) -> Neighbours:
        table = self._table("neighbours")
        first: NDArray[np.intp] = table.positions("region_a", units.names, "region")
        second: NDArray[np.intp] = table.positions("region_b", units.names, "region")
        pair = np.minimum(first, second) * len(units) + np.maximum(first, second)
        wrong = np.flatnonzero((first == second) | pd.Series(pair).duplicated().to_numpy())
        if len(wrong):
            table.refuse(int(wrong[0]), "a pair is listed twice, or is one region", expected="each pair once")
        return Neighbours.from_pairs(
            first, second, table.numbers("border_km"), table.numbers("distance_km"), len(units)
        )

    def _resource(self, name: str) -> ResourceSpec:
        for resource in self.spec.resources:
            if resource.name == name:
                return resource
        known = [resource.name for resource in self.spec.resources]
        raise unknown_name("resource", name, known, where=f"{self._name}/{PACKAGE_NAME}")

    def _table(self, name: str) -> Table:
        resource = self._resource(name)
        return _parsed(read_resource(self.folder, resource), f"{self._name}/{resource.path}")


@lru_cache(maxsize=16)
def _parsed(content: bytes, name: str) -> Table:
    """Return the rows of a file, which no caller changes; a run asks for the same ones several times."""
    return parse_csv(content, name)


def _position(name: str, known: list[str], where: str) -> int:
    if name not in known:
        raise unknown_name("place", name, known, where=where)
    return known.index(name)
