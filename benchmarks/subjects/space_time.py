"""Space-time self-excitation: who may have triggered whom, one likelihood with its gradient, a fit. Simulated events:
10,000, and 100,000 of the same density over ten times the area or ten times the time, where linear would be a factor
of 10. The fits of 100,000 are measured once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.clock import timed
from benchmarks.work import Task
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Exponential, gaussian
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.level import Steps
from forecast.processes.spacetime.likelihood import Likelihood, Parameters
from forecast.processes.spacetime.simulate import simulate

TITLE = "Self-excitation in space and time"
IN_TIME, IN_SPACE = Exponential(15.0, 180.0), gaussian(15.0, 100.0)
SMALL = "10,000 events"


def catalogue(size: int, times: int, degrees: float) -> Catalogue:
    """About 10,000 events, times a factor of duration, in a box so many degrees wide."""
    where = (Background.uniform(Area.box(0.0, 0.0, 10.0, degrees)),)
    duration = 4_000.0 * times
    truth = Parameters(np.log([[0.5 * size / duration]]), np.array([[0.5]]), IN_TIME, IN_SPACE)
    return simulate(truth, where, duration, np.random.default_rng(1))


def neighbours(events: Catalogue) -> Likelihood:
    """Find who may have triggered whom."""
    return Likelihood.of(events, 0.0, Steps.back_from(events.end, 0.0, np.inf), IN_TIME, IN_SPACE)


def gradient(of: Likelihood) -> None:
    """One value and gradient: what a fit repeats."""
    events = of.catalogue
    at = Parameters(np.array([[np.log(len(events) / 2 / events.end)]]), np.array([[0.5]]), IN_TIME, IN_SPACE)
    density = np.full(len(events), 1.0 / events.area.sizes.sum())
    found = of.excitation(at)
    of.penalised(at, density, found, 1.0)
    of.gradient(at, density, found)


def measure() -> dict[str, Any]:
    """Measure 10,000 events, and 100,000 over a larger area and over a longer time."""
    tasks: dict[str, Task] = {}
    fit(catalogue(2_000, 1, 10.0), in_time=IN_TIME, in_space=IN_SPACE)  # compiles
    for label, events in (
        (SMALL, catalogue(10_000, 1, 10.0)),
        ("ten times the area", catalogue(100_000, 1, 100.0)),
        ("ten times the time", catalogue(100_000, 10, 10.0)),
    ):
        tasks[f"neighbours, {label}"], of = timed(lambda e=events: neighbours(e), runs=3)
        tasks[f"gradient, {label}"] = timed(lambda o=of: gradient(o), runs=3)[0]
        cost, _ = timed(
            lambda e=events: fit(e, in_time=IN_TIME, in_space=IN_SPACE, level_days=np.inf), 2 * (label == SMALL)
        )
        tasks[f"fit, {label}"] = cost | {"counts": {"events": len(events)}}
    return {"tasks": tasks}
