"""``forecast place``: the risk within some distance of one place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.cli.options import AsOfOption, JsonOption, WorkersOption, WorkspaceOption, day, open_chosen
from forecast.cli.output import chance, number, percent, progress_bar, result, result_json, say, warn
from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.jobs.place import PlaceOutlook


def place(
    town: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A town that the data know.", show_default=False)
    ] = None,
    latlon: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="In place of a town: a point, in degrees.", show_default=False)
    ] = None,
    radius_km: Annotated[int, typer.Option(metavar="R", help="Radius in km, 10 to 500.")] = 100,
    weeks: Annotated[int, typer.Option(min=1, max=52, metavar="H", help="Weeks ahead.")] = 4,
    history: Annotated[
        bool, typer.Option("--history/--no-history", help="What would have been said over the past year.")
    ] = True,
    workers: WorkersOption = 2,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Tell how probable at least one event near a place is, by three models, and how often that came before.

    Writes a page with a map, out/places/NAME-R/index.html; another number of weeks, --as-of and --no-history have
    pages of their own. A point works where single events are known (an event
    store, or a dataset with events); elsewhere take a town and one of the radii of the dataset. The past year takes a
    minute or two with many events: --no-history leaves it out.

    \b
    Examples:
      forecast place Bamako --radius-km 100
      forecast place Mopti --radius-km 50 --weeks 8 --no-history --json
      forecast place --workspace DIR --latlon 14.48,-4.18 --radius-km 75  (where DIR has single events)
    """
    from dataclasses import asdict

    from forecast.jobs.place import place_outlook

    with progress_bar() as progress:
        outlook = place_outlook(
            open_chosen(workspace),
            _one_of(town, latlon),
            radius_km,
            weeks=weeks,
            as_of=day(as_of, "--as-of"),
            history=history,
            workers=workers,
            progress=progress,
        )
    if json:
        result_json(asdict(outlook))
    else:
        _show(outlook)
    warn(outlook.warnings)
    if not json:
        for remark in outlook.remarks:
            say(f"Note: {remark}")
        say(outlook.page)
    if outlook.warnings:
        raise typer.Exit(3)


def _show(outlook: PlaceOutlook) -> None:
    """Write the figures to stdout."""
    from forecast.jobs.place_risk import TWO_YEARS

    if outlook.simulated:
        say("SIMULATED counts: nothing of this describes a real place.")
    result(f"{outlook.place}, {outlook.target_start} to {outlook.target_end}")
    between = f"{chance(outlook.probability_low)} to {chance(outlook.probability_high)}"
    whose = "the models and their recalibration leave" if outlook.recalibrated else "the models leave"
    how = (
        ("  as the models say", f"{chance(outlook.probability_raw)}; recalibrated by what became of such forecasts")
        if outlook.recalibrated
        else ("  not recalibrated", outlook.uncalibrated)
    )
    lines = [
        ("at least one event", f"{chance(outlook.probability)} ({whose} open {between})"),
        how,
        *((f"  {one.name}", f"{chance(one.probability)} ({one.model})") for one in outlook.models),
        *((f"  {name}", f"- ({why})") for name, why in outlook.missing.items()),
        ("events expected", f"{_expected(outlook.mean)} (80 %: {outlook.low} to {outlook.high})"),
        *((f"  {name}", percent(share)) for name, share in outlook.contributions.items()),
    ]
    if outlook.weeks_known > TWO_YEARS:  # otherwise both are the same
        lines.append(("usual, two years", _usual(outlook.base_rate_two_years, outlook.ratio_two_years)))
    lines.append((f"usual, {outlook.weeks_known} weeks known", _usual(outlook.base_rate_all, outlook.ratio_all)))
    if outlook.scores is not None:
        known = outlook.scores
        lines.append((f"said at {known.origins} origins", f"{percent(known.said)}, came {percent(known.came)}"))
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
    if base_rate == 0:
        return "never"
    return f"{chance(base_rate)} (ratio {number(ratio)})"


def _expected(mean: float) -> str:
    """Return an expected count with one decimal, below 1 with two digits that tell something."""
    return f"{mean:.1f}" if mean >= 1 else f"{mean:.2g}" if mean >= 0.0001 else "< 0.0001"
