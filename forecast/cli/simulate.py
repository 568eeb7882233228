"""``forecast simulate``: a workspace of counts whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forecast.cli.options import JsonOption
from forecast.cli.output import result, result_json, say


def simulate(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="poisson, negbin, endemic-epidemic or hawkes.", show_default=False)
    ],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    weeks: Annotated[int, typer.Option(min=1, max=5200, metavar="N", help="Weeks.")] = 208,
    regions: Annotated[int, typer.Option(min=1, max=400, metavar="N", help="Squares of a grid.")] = 16,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same bytes.")] = 1,
    json: JsonOption = False,
) -> None:
    """Make a workspace of simulated counts, to try things out and to test models against a known truth.

    Everything that comes of it says that it is simulated. The truth is in datapackage.json.

    \b
    Examples:
      forecast simulate hawkes playground
      forecast simulate negbin playground --weeks 520 --regions 25 --seed 7
      forecast run --workspace playground
    """
    from forecast.jobs.new_workspace import simulate_workspace
    from forecast.reference import reference_workspace
    from forecast.workspace import open_workspace

    made = simulate_workspace(directory, open_workspace(reference_workspace()), kind, weeks, regions, seed)
    if json:
        result_json({"workspace": str(directory), "title": made.spec.title, "data": made.spec.data.set})
        return
    say(f"A workspace of simulated counts. Next: forecast run --workspace {directory}")
    result(str(directory))
