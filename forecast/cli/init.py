"""``forecast init``: a workspace for other countries, or for counts of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.cli.options import JsonOption
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
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of the reports.  [default: the countries, or the file's name]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a workspace of your own: a commented forecast.toml, the models, the reports and the data.

    Its places are the three largest towns of each country; change them in forecast.toml. A table of counts of your
    own has one row a week and region, in columns called week, region, events and, if you like, country.

    \b
    Examples:
      forecast init sahel
      forecast init nigeria --data west-africa-weekly --country Nigeria
      forecast init lake-chad --data west-africa-weekly --country Niger --country Chad --title "Lake Chad"
      forecast init somalia --table counts.csv
    """
    from forecast.errors import InputError
    from forecast.jobs.new_workspace import create_workspace, table_workspace
    from forecast.reference import reference_workspace
    from forecast.workspace import open_workspace

    source = open_workspace(reference_workspace())
    if table is None:
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
