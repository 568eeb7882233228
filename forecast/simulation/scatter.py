"""Events behind simulated counts: each on a random day of its week, anywhere in its region."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.events.table import Events
from forecast.panel.panel import Panel
from forecast.simulation.grid import COORDINATE_DIGITS, Grid
from forecast.simulation.settings import MOST_EVENTS


def scatter_events(panel: Panel, grid: Grid, rng: np.random.Generator) -> Events:
    """Give each counted event a day and a point, both uniform, so that places have counts as well.

    Parameters
    ----------
    panel : Panel
        Counts of the regions of `grid`.
    grid : Grid
    rng : Generator

    Returns
    -------
    Events
        ``panel.counts.sum()`` events that count back to `panel`.

    Raises
    ------
    InputError
        If there are more than 5 million events.
    """
    if panel.counts.sum() > MOST_EVENTS:
        raise InputError(
            f"{panel.counts.sum()} events",
            where=panel.source,
            expected=f"at most {MOST_EVENTS}",
            hint="a lower mean, fewer weeks or regions",
        )
    week, region = np.nonzero(panel.counts)
    week, region = (np.repeat(side, panel.counts[week, region]) for side in (week, region))
    day = 7 * week + rng.integers(0, 7, len(week))
    # A little away from the edges, so that rounding moves no event into the next square.
    edge = 10.0**-COORDINATE_DIGITS
    longitude = grid.west[region] + rng.uniform(edge, 1 - edge, len(week))
    latitude = grid.south[region] + rng.uniform(edge, 1 - edge, len(week))
    order: NDArray[np.intp] = np.argsort(day, kind="stable")
    return grid.events(
        panel.weeks[0].to_numpy().astype("datetime64[D]") + day[order],
        latitude[order].round(COORDINATE_DIGITS),
        longitude[order].round(COORDINATE_DIGITS),
        region[order],
        panel.source,
    )
