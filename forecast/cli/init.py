"""``forecast init``: a workspace for other countries, or for counts of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.cli.options import JsonOption, day, names
from forecast.cli.output import result, result_json, say


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    data: Annotated[
        str | None,
        typer.Option(metavar="SET", help="A dataset of the reference workspace.  [default: the one it uses]"),
    ] = None,
    country: Annotated[
        list[str] | None, typer.Option(metavar="C", help="Only this country; may be given several times.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Counts of your own in place of a dataset: CSV or parquet, copied to DIR."),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An export of ACLED or UCDP, counted by week and first-level region into DIR."
        ),
    ] = None,
    grid: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Count the events by cell of the PRIO-GRID, 0.5 degrees, that meets a polygon of this file.",
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day that the events cover.  [default: that of the first]"),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Last day that the events cover.  [default: that of the last]"),
    ] = None,
    types: Annotated[
        str | None, typer.Option(metavar="T,T", help="Only events of these types, as the file writes them.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of the reports.  [default: the countries, or the file's name]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a workspace of your own: a commented forecast.toml, the models, the reports and the data.

    Its places are the three largest towns of each country; change them in forecast.toml. A table of counts of your
    own has one row a week and region, in columns called week, region, events and, if you like, country. A file of
    events is counted as it is; to keep the imports of every week as they came, use `forecast ingest`. A grid is of
    cells that meet the countries or regions of a GeoJSON, GeoPackage or shapefile; its property `country` names theirs.

    \b
    Examples:
      forecast init sahel
      forecast init nigeria --data west-africa-weekly --country Nigeria
      forecast init lake-chad --data west-africa-weekly --country Niger --country Chad --title "Lake Chad"
      forecast init somalia --table counts.csv
      forecast init nigeria --events GEDEvent_v26_1.csv --to 2025-12-31
      forecast init sahel-grid --events GEDEvent_v26_1.csv --grid countries.geojson --country Mali --country Niger
    """
    from forecast.errors import InputError
    from forecast.jobs.grid_workspace import grid_workspace
    from forecast.jobs.new_workspace import create_workspace, table_workspace
    from forecast.jobs.workspace_of_events import events_workspace
    from forecast.reference import reference_workspace
    from forecast.workspace import open_workspace

    source = open_workspace(reference_workspace())
    if events is None and (first or last or types or grid):
        raise InputError(
            "days, types or a grid without a file of events",
            where="--from, --to, --types, --grid",
            expected="--events FILE",
        )
    if events is not None:
        if table or data or (country and grid is None):
            raise InputError("events beside a table or dataset", where="--events", expected="one of them")
        begin, end, kinds = day(first, "--from"), day(last, "--to"), names(types)
        if grid is None:
            made, counted = events_workspace(directory, source, events, title, first=begin, last=end, types=kinds)
        else:
            made, cells = grid_workspace(
                directory, source, events, grid, title, first=begin, last=end, types=kinds, countries=country or ()
            )
            counted = cells.events
            panel = cells.panel
            say(f"{len(panel.units)} cells, {len(panel.weeks)} weeks, {int(panel.counts.sum())} events")
            if cells.outside:
                say(f"  in none of the cells: {cells.outside}")
        say(f"{len(counted)} events of {counted.rows} rows")
        for reason, count in counted.dropped.items():
            say(f"  left out: {count}, {reason}")
    elif table is None:
        made = create_workspace(directory, source, data, country or (), title)
    elif data or country:
        raise InputError("both a table and a dataset", where="--table", expected="--table without --data and --country")
    else:
        made = table_workspace(directory, source, table, title)
    if json:
        places = [place.unit for place in made.spec.places]
        counts = made.spec.data.set or made.spec.data.table
        result_json({"workspace": str(directory), "title": made.spec.title, "data": counts, "places": places})
        return
    say(f"A workspace for {made.spec.title}. Look into forecast.toml, then: forecast run --workspace {directory}")
    result(str(directory))
