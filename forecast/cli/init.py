"""``forecast init``: a workspace for other countries or data."""

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
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Of the reports.  [default: the countries]")] = None,
    json: JsonOption = False,
) -> None:
    """Make a workspace of your own: a commented forecast.toml, the models, the reports and the data.

    Its places are the three largest towns of each country; change them in forecast.toml.

    \b
    Examples:
      forecast init sahel
      forecast init nigeria --data west-africa-weekly --country Nigeria
      forecast init lake-chad --data west-africa-weekly --country Niger --country Chad --title "Lake Chad"
    """
    from forecast.jobs.new_workspace import create_workspace
    from forecast.reference import reference_workspace
    from forecast.workspace import open_workspace

    made = create_workspace(directory, open_workspace(reference_workspace()), data, country or (), title)
    if json:
        places = [place.unit for place in made.spec.places]
        result_json(
            {"workspace": str(directory), "title": made.spec.title, "data": made.spec.data.set, "places": places}
        )
        return
    say(f"A workspace for {made.spec.title}. Look into forecast.toml, then: forecast run --workspace {directory}")
    result(str(directory))
