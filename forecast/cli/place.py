"""``forecast place``: the risk within some distance of one place."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from forecast.cli.options import AsOfOption, JsonOption, WorkspaceOption, day, open_chosen
from forecast.cli.output import number, percent, result, result_json, say
from forecast.errors import InputError


def place(
    town: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A town that the data know.", show_default=False)
    ] = None,
    latlon: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="In place of a town: a point, in degrees.", show_default=False)
    ] = None,
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
      forecast place --latlon -4.18,14.4 --radius-km 75
    """
    from dataclasses import asdict

    from forecast.jobs.place import TWO_YEARS, place_outlook

    outlook = place_outlook(
        open_chosen(workspace), _one_of(town, latlon), radius_km, weeks=weeks, as_of=day(as_of, "--as-of")
    )
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
    if outlook.base_rate_all == 0:
        result("  The data have no event there: quiet, or not covered?")


def _one_of(town: str | None, latlon: str | None) -> str:
    """Return the place that was named: a town, or a point (which a town's argument may be as well)."""
    from forecast.jobs.place_points import is_point

    if (town is None) == (latlon is None):
        raise InputError("no place" if town is None else "two places", expected="either NAME or --latlon LAT,LON")
    if latlon is not None and not is_point(latlon):
        raise InputError(f"{latlon!r} is no point", where="--latlon", expected="LAT,LON in degrees, such as 12.65,-8.0")
    return latlon or town or ""


def _usual(base_rate: float, ratio: float) -> str:
    if math.isnan(base_rate):
        return "unknown: too few weeks known"
    return f"{percent(base_rate)} (ratio {number(ratio)})"
