"""Space-time self-excitation: how long fits and outlooks take, and how the cost grows with the events.

Simulated events need nothing but this package: 10,000 and 100,000 over ten times the area, or ten times the time, with
the same density; linear would be a factor of 10. With ``--events FILE`` (UCDP columns date_start, latitude, longitude)
also real ones, inside the polygons of the embedded dataset, with an outlook for all of its towns. One thread, medians.
Writes ``benchmarks/results/space_time.csv`` and prints it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.panel.polygons import read_polygons
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import Background
from forecast.processes.spacetime.catalogue import Catalogue
from forecast.processes.spacetime.decays import Exponential, PowerLaw, gaussian, heavy_tailed
from forecast.processes.spacetime.fit import fit
from forecast.processes.spacetime.level import Steps
from forecast.processes.spacetime.likelihood import Likelihood, Parameters
from forecast.processes.spacetime.outlook import expected_cells, outlook
from forecast.processes.spacetime.simulate import simulate

DATA = Path(__file__).parents[1] / "data" / "west-africa-weekly"
REPEATS = 3
IN_TIME, IN_SPACE = Exponential(15.0, 180.0), gaussian(15.0, 100.0)


def median(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds in the middle of the repeats, and what came out."""
    seconds, out = [], None
    for _ in range(REPEATS):
        begun = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), out


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


def scaling() -> list[tuple[str, int, float]]:
    """Measure 10,000 events, and 100,000 over a larger area and over a longer time."""
    gradient(neighbours(catalogue(2_000, 1, 10.0)))  # compiles
    fit(catalogue(2_000, 1, 10.0), in_time=IN_TIME, in_space=IN_SPACE)
    rows = []
    for label, events in (
        ("10,000 events", catalogue(10_000, 1, 10.0)),
        ("ten times the area", catalogue(100_000, 1, 100.0)),
        ("ten times the time", catalogue(100_000, 10, 10.0)),
    ):
        seconds, of = median(lambda e=events: neighbours(e))
        rows.append((f"neighbours, {label}", len(events), seconds))
        gradient(of)  # measures the rings once
        rows.append((f"gradient, {label}", len(events), median(lambda o=of: gradient(o))[0]))
        seconds, _ = median(lambda e=events: fit(e, in_time=IN_TIME, in_space=IN_SPACE, level_days=np.inf))
        rows.append((f"fit, {label}", len(events), seconds))
    return rows


def real(path: Path) -> list[tuple[str, int, float]]:
    """Measure fits to real events, and outlooks for all towns."""
    table = pd.read_csv(path)
    dates = pd.to_datetime(table["date_start"])
    first = dates.min()
    area = Area.of_polygons(read_polygons(DATA / "regions.geojson"))
    days = (dates - first).dt.days.to_numpy(dtype=np.float64)
    end = float(np.ceil((days.max() + 1) / 7) * 7)
    events = Catalogue.of(days, table["latitude"], table["longitude"], area, end=end)
    events = events.jittered(np.random.default_rng(1))
    towns = pd.read_csv(DATA / "places.csv")
    rows = []
    for label, in_time, in_space in (
        ("exponential, Gaussian", Exponential(30.0, 365.0), gaussian()),
        ("power laws", PowerLaw(5.0, 1.2, 365.0), heavy_tailed()),
    ):
        seconds, found = median(lambda t=in_time, s=in_space: fit(events, in_time=t, in_space=s))
        rows.append((f"fit, {label}, 18 countries", len(events), seconds))
        print(found.summary().to_string(index=False), found.loglik, found.remarks)  # type: ignore[attr-defined]
        for radius in (50.0, 100.0):
            work = lambda f=found, r=radius: outlook(  # noqa: E731
                f, towns["latitude"], towns["longitude"], np.random.default_rng(2), radius_km=r
            )
            rows.append((f"outlook, {label}, {len(towns)} towns, {radius:g} km", 2000, median(work)[0]))
        rows.append((f"map, {label}", 2000, median(lambda f=found: expected_cells(f, np.random.default_rng(3)))[0]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=Path, help="a table of events in the countries of the embedded dataset")
    path = parser.parse_args().events
    rows = scaling() + (real(path) if path else [])
    table = pd.DataFrame(rows, columns=["task", "size", "seconds"])
    for task in ("neighbours", "gradient", "fit"):
        base = table.set_index("task").loc[f"{task}, 10,000 events"]
        for how in ("area", "time"):
            row = table["task"] == f"{task}, ten times the {how}"
            linear = base["seconds"] * table.loc[row, "size"] / base["size"]
            table.loc[row, "times linear"] = table.loc[row, "seconds"] / linear
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    table.to_csv(results / "space_time.csv", index=False, float_format="%.4g")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
