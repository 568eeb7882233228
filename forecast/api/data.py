"""Counts for a notebook: the embedded datasets, and tables of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import InputError, unknown_name
from forecast.panel.dataset import Dataset
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.table import panel_from_counts
from forecast.panel.weeks import WeekStart
from forecast.panel.wide import panel_from_wide
from forecast.reference import reference_workspace
from forecast.tabular import Table, read_table


def datasets() -> pd.DataFrame:
    """Return the embedded datasets.

    Returns
    -------
    DataFrame
        A row a dataset, by name: title, regions (how many), first_week, last_week, licence.

    Examples
    --------
    >>> datasets().index.tolist()
    ['sahel-2026-weekly', 'west-africa-weekly']
    """
    rows = {}
    for path in _folders():
        dataset = Dataset.open(path)
        note = dataset.note()
        rows[path.name] = {
            "title": note.title,
            "regions": len(dataset.region_panel().units),
            "first_week": dataset.weeks[0],
            "last_week": dataset.weeks[-1],
            "licence": note.licence,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def load(
    name: str | PathLike[str],
    *,
    countries: Sequence[str] = (),
    regions: Sequence[str] = (),
    places: Sequence[tuple[str, int]] = (),
    measure: str | None = None,
) -> Panel:
    """Load weekly counts of an embedded dataset, or of a dataset in a folder.

    Parameters
    ----------
    name : str or path
        One of `datasets`, or a folder with a ``datapackage.json``.
    countries, regions : sequence of str, optional
        All regions of these countries, and these regions (``"Mali/Mopti"``); all of the dataset if neither is given.
    places : sequence of (name, radius in km), optional
        Counts within a distance of these towns, in place of regions: ``[("Bamako", 100)]``.
    measure : str, optional
        What is counted, such as ``"events"`` or ``"fatalities"``; the usual one of the dataset if not given.

    Returns
    -------
    Panel
        Events, shape (weeks, units); weeks run Saturday to Friday.

    Raises
    ------
    InputError
        For a dataset, country, region, place, radius or measure that is not there; the nearest names are offered.

    Examples
    --------
    >>> panel = load("west-africa-weekly", countries=["Mali"])
    >>> panel.counts.shape
    (1043, 9)
    >>> load("west-africa-weekly", places=[("Bamako", 100)]).units.names
    ('Bamako 100 km',)
    """
    dataset = _opened(name)
    if places and (countries or regions):
        raise InputError("places beside regions", expected="either; a panel has one kind of unit")
    if places:
        return dataset.place_panel(places, measure)
    return dataset.region_panel(measure, countries=countries, names=regions)


def outlines(name: str | PathLike[str], units: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the outlines of the regions of a dataset, for maps.

    Parameters
    ----------
    name : str or path
        One of `datasets`, or a folder with a ``datapackage.json``.
    units : sequence of str, optional
        Which regions; all if not given.

    Returns
    -------
    dict of region to GeoJSON geometry
        Degrees, WGS 84.

    Raises
    ------
    InputError
        For a dataset or region that is not there.

    Examples
    --------
    >>> outlines("west-africa-weekly", ["Mali/Gao"])["Mali/Gao"]["type"]
    'Polygon'
    """
    return _opened(name).polygons(units)


def read_counts(
    source: str | PathLike[str] | pd.DataFrame,
    *,
    week: str = "week",
    region: str = "region",
    count: str = "events",
    country: str | None = None,
    complete: bool = False,
    week_start: WeekStart = "saturday",
    neighbours: Neighbours | None = None,
) -> Panel:
    """Read weekly counts of your own: one row a week and region, in any order.

    Parameters
    ----------
    source : path or DataFrame
        CSV or parquet, or a frame; a frame may also have weeks down its side and regions across, as `Panel.to_frame`
        gives it, and then needs none of the options.
    week, region, count : str
        Columns: first day of the week (ISO 8601), name of the region, whole number of events.
    country : str, optional
        Column with the country of each region; models that pool do it within countries.
    complete : bool, default False
        Whether a week and region without a row had no event; otherwise it is unknown.
    week_start : {"saturday", "sunday", "monday"}
    neighbours : Neighbours, optional
        Which regions border each other, in the order of their names.

    Returns
    -------
    Panel
        Events, shape (weeks, units).

    Raises
    ------
    InputError
        For whatever is wrong in the table, with row and column.

    Examples
    --------
    >>> rows = pd.DataFrame({"week": ["2026-01-10", "2026-01-03"], "region": ["Gao", "Mopti"], "events": [2, 1]})
    >>> read_counts(rows, complete=True).to_frame().to_numpy().tolist()
    [[0, 1], [2, 0]]
    """
    if not isinstance(source, pd.DataFrame):
        rows, name = read_table(Path(source)), Path(source).name
    elif isinstance(source.index, pd.DatetimeIndex) and week not in source:
        return panel_from_wide(source)
    else:
        rows, name = Table.of(source), "a table"
    return panel_from_counts(
        rows,
        week=week,
        region=region,
        count=count,
        country=country,
        complete=complete,
        week_start=week_start,
        neighbours=neighbours,
        source=name,
    )


def _opened(name: str | PathLike[str]) -> Dataset:
    known = {path.name: path for path in _folders()}
    folder = known.get(str(name), Path(name))
    if not (folder / "datapackage.json").is_file():
        raise unknown_name("dataset", str(name), sorted(known))
    return Dataset.open(folder)


def _folders() -> list[Path]:
    return sorted(path.parent for path in (reference_workspace() / "data").glob("*/datapackage.json"))
