"""A simulated dataset in memory: regions, counts, the events behind them, and the truth they were drawn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd

from forecast.config import parse
from forecast.errors import InputError, unknown_name
from forecast.events.table import Events
from forecast.panel.from_events import panel_from_events, place_panel_from_events
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK, week_range
from forecast.provenance import generator
from forecast.simulation.endemic_epidemic import EndemicEpidemicSettings, simulate_endemic_epidemic
from forecast.simulation.grid import Grid, square_grid
from forecast.simulation.hawkes import HawkesSettings, simulate_hawkes
from forecast.simulation.negbin import NegbinSettings, simulate_negbin
from forecast.simulation.poisson import PoissonSettings, simulate_poisson
from forecast.simulation.scatter import scatter_events
from forecast.simulation.settings import Spec

Kind = Literal["poisson", "negbin", "endemic-epidemic", "hawkes"]
FIRST_WEEK = dt.date(2000, 1, 1)
"""A Saturday; no clock decides what is simulated."""
MOST_WEEKS = 5200

_SETTINGS: dict[str, type[Spec]] = {
    "poisson": PoissonSettings,
    "negbin": NegbinSettings,
    "endemic-epidemic": EndemicEpidemicSettings,
    "hawkes": HawkesSettings,
}


@dataclass(frozen=True, eq=False)
class SimulatedSet:
    """Simulated counts, the events behind them, and the truth that they were drawn from.

    Parameters
    ----------
    kind : {"poisson", "negbin", "endemic-epidemic", "hawkes"}
    grid : Grid
    panel, places : Panel
        Counts of the regions, and around the towns.
    events : Events
    settings, truth : Spec
    seed : int
    """

    kind: Kind
    grid: Grid
    panel: Panel
    places: Panel
    events: Events
    settings: Spec
    truth: Spec
    seed: int


def simulate(kind: str, weeks: int, regions: int, seed: int, settings: Mapping[str, Any] | None = None) -> SimulatedSet:
    """Simulate a dataset in memory.

    Parameters
    ----------
    kind : {"poisson", "negbin", "endemic-epidemic", "hawkes"}
    weeks : int
        From 2000-01-01 on.
    regions : int
        Squares of a grid.
    seed : int
        The same seed and settings give the same counts.
    settings : mapping, optional
        Those of the kind that differ from its defaults.

    Raises
    ------
    InputError
        For an unknown kind or setting, and values out of range.

    Examples
    --------
    >>> simulated = simulate("hawkes", weeks=52, regions=9, seed=1)
    >>> int(simulated.panel.counts.sum()) == len(simulated.events)
    True
    """
    if kind not in get_args(Kind):
        raise unknown_name("kind of simulation", kind, get_args(Kind))
    if not 1 <= weeks <= MOST_WEEKS:
        raise InputError(f"{weeks} weeks", expected=f"1 to {MOST_WEEKS}")
    if seed < 0:
        raise InputError(f"seed {seed}", expected="a whole number >= 0")
    spec = parse(_SETTINGS[kind], dict(settings or {}), where=f"settings of {kind}")
    grid = square_grid(regions)
    first = pd.Timestamp(FIRST_WEEK)
    span = week_range(first, first + (weeks - 1) * WEEK)
    rng = generator(seed, "simulate", kind)
    truth: Spec
    if isinstance(spec, HawkesSettings):
        events, truth = simulate_hawkes(spec, span, grid, rng)
        counted = panel_from_events(events, grid.polygons, first=span[0], last=span[-1])
        panel = Panel.of(
            counted.counts, span, grid.units, neighbours=grid.neighbours, source=events.source, simulated=True
        )
    else:
        if isinstance(spec, EndemicEpidemicSettings):
            panel, truth = simulate_endemic_epidemic(spec, span, grid.units, grid.neighbours, rng)
        elif isinstance(spec, NegbinSettings):
            panel, truth = simulate_negbin(spec, span, grid.units, grid.neighbours, rng)
        else:
            assert isinstance(spec, PoissonSettings)
            panel, truth = simulate_poisson(spec, span, grid.units, grid.neighbours, rng)
        events = scatter_events(panel, grid, generator(seed, "scatter", kind))
    places = place_panel_from_events(events, grid.places(), first=span[0], last=span[-1])
    return SimulatedSet(kind, grid, panel, places, events, spec, truth, seed)  # type: ignore[arg-type]
