"""The section ``[data]`` of ``forecast.toml``: where the counts come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from forecast.config import Section
from forecast.confined import BelowPath, FolderName
from forecast.panel.weeks import WeekStart


class TableColumns(Section):
    """What the columns of a plain counts table are called.

    Parameters
    ----------
    week : str
        Any day of the week.
    region : str
        Name of the region.
    count : str
        Events of that week and region.
    country : str, optional
        Of the region.
    """

    week: str = "week"
    region: str = "region"
    count: str = "events"
    country: str | None = None


class RegionFile(Section):
    """Polygons of regions; ``regions = "FILE"`` is short for ``regions = { file = "FILE" }``.

    Parameters
    ----------
    file : str
        GeoJSON, GeoPackage or shapefile below the workspace.
    name : str
        The property that holds the name of each region.
    country : str, optional
        One that holds its country: regions are then called "country/name", as in "Mali/Mopti".
    in_country : str, optional
        The one country of all regions, where no property says it; they are called the same way.
    layer : str, optional
        Of a GeoPackage with several.
    crs : str, optional
        Reference system of a file that does not say it, such as "EPSG:32630".
    """

    file: BelowPath
    name: str = "region"
    country: str | None = None
    in_country: Annotated[str, Field(min_length=1)] | None = None
    layer: str | None = None
    crs: Annotated[str, Field(pattern=r"^[A-Za-z]+:\w+$")] | None = None  # other forms can name files of grids

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, given: object) -> object:
        if not isinstance(given, (str, Mapping, cls)):
            expected = 'the name of a file, or a table such as { file = "adm1.gpkg", name = "shapeName" }'
            raise ValueError(f"give {expected}")  # noqa: TRY004 - pydantic reports no other
        return {"file": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_country(self) -> Self:
        if self.country and self.in_country:
            raise ValueError("give either `country` (a property) or `in_country` (the one country of all)")
        return self


class DataSection(Section):
    """Where the counts come from: an embedded or own dataset, a plain table of counts, or events that were ingested.

    Parameters
    ----------
    set : str, optional
        Folder below ``data/`` with a ``datapackage.json``.
    table : str, optional
        CSV or parquet file below the workspace, one row a week and region.
    columns : TableColumns
        For `table`.
    complete : bool
        For `table`: an absent region-week is a zero. Otherwise it is missing.
    store : str, optional
        A source of the event store, ``data/events/``: its events are counted in polygons.
    regions : RegionFile, optional
        For `store`: the polygons in which events are counted. As a plain file name: each feature has the property
        `region`, and `country` if known.
    first_week : date, optional
        For `store`: a day of the first week that is counted; the first whole week with an event if not given.
    nowcast_weeks : int, optional
        For `store`: the counts of so many last weeks are not final. Forecasts go through a nowcast of them, from how
        late events became known in earlier vintages. Needs an import about every week.
    measure : str, optional
        Which count of the set; its own default if not given.
    calibrate_on : list of str
        Datasets on which the same models are back-tested as well, for a longer record than the data has.
    week_start : {"saturday", "sunday", "monday"}
        For `table` and `store`; a set states its own.
    stale_after_days : int, optional
        Data that end longer before a run than that are stale: the report says so on top, and the run warns. Left out,
        as for a dataset that is complete, they may be of any age.
    """

    set: FolderName | None = None
    table: BelowPath | None = None
    columns: TableColumns = TableColumns()
    complete: bool = False
    store: str | None = None
    regions: RegionFile | None = None
    first_week: dt.date | None = None
    nowcast_weeks: Annotated[int, Field(ge=1, le=26)] | None = None
    measure: str | None = None
    calibrate_on: tuple[FolderName, ...] = ()
    week_start: WeekStart = "saturday"
    stale_after_days: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.set, self.table, self.store)) != 1:
            raise ValueError("give either `set` or `table` or `store`")
        if (self.store is None) != (self.regions is None):
            raise ValueError("`store` and `regions` (a file of polygons) belong together")
        if self.first_week is not None and self.store is None:
            raise ValueError("`first_week` is for `store`")
        if self.nowcast_weeks is not None and self.store is None:
            raise ValueError("`nowcast_weeks` is for `store`: what was known when is needed")
        return self
