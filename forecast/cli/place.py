"""``forecast place``: the risk within some distance of one place."""

from __future__ import annotations

from typing import Annotated

import typer

from forecast.cli.options import AsOfOption, JsonOption, WorkspaceOption, day, open_chosen
from forecast.cli.output import number, percent, result, result_json, say


def place(
    where: Annotated[
        str, typer.Argument(metavar="NAME|LAT,LON", help="A town that the data know, or a point.", show_default=False)
    ],
    radius_km: Annotated[int, typer.Option(metavar="R", help="Radius in km, 10 to 500.")] = 100,
    weeks: Annotated[int, typer.Option(min=1, max=52, metavar="H", help="Weeks ahead.")] = 4,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Tell how probable at least one event near a place is, and how often that came before.

    A point works where single events are known (an event store, or a dataset with events); elsewhere take a town and
    one of the radii of the dataset.

    \b
    Examples:
      forecast place Bamako --radius-km 100
      forecast place Mopti --radius-km 50 --weeks 8 --json
      forecast place --radius-km 75 --workspace playground -- -0.5,-124.5
    """
    from dataclasses import asdict

    from forecast.jobs.place import TWO_YEARS, place_outlook

    outlook = place_outlook(open_chosen(workspace), where, radius_km, weeks=weeks, as_of=day(as_of, "--as-of"))
    if json:
        result_json(asdict(outlook))
        return
    if outlook.simulated:
        say("SIMULATED counts: nothing of this describes a real place.")
    result(f"{outlook.place}, {outlook.target_start} to {outlook.target_end} ({outlook.model})")
    lines = [
        ("at least one event", percent(outlook.probability)),
        ("events expected", f"{outlook.mean:.1f} (80 %: {outlook.low} to {outlook.high})"),
    ]
    if outlook.weeks_known > TWO_YEARS:  # otherwise both are the same
        lines.append(("usual, two years", _usual(outlook.base_rate_two_years, outlook.ratio_two_years)))
    lines.append((f"usual, {outlook.weeks_known} weeks known", _usual(outlook.base_rate_all, outlook.ratio_all)))
    for label, text in lines:
        result(f"  {label:<24}{text}")


def _usual(base_rate: float, ratio: float) -> str:
    return f"{percent(base_rate)} (ratio {number(ratio)})"
