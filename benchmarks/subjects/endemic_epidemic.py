"""Speed of endemic-epidemic models: rolling refits side by side with R, and scaling in the number of regions.

1. 52 refits and one-step forecasts on a panel of 16 regions x 156 weeks, with last week's estimates as the start, and
   on the measles counts of 17 districts where ESCALATION_FORECAST_REFERENCE names their folder. Where R and its package
   surveillance are installed the same is timed there.
2. Simulated panels of 300 to 10,000 regions, 520 weeks, 1 % of the region-weeks with events: fit and forecast.

    python benchmarks/endemic_epidemic.py [--rolling] [--scaling]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.families.endemic_epidemic.components import component_means
from forecast.families.endemic_epidemic.design import Component, Design
from forecast.families.endemic_epidemic.estimate import estimate
from forecast.families.endemic_epidemic.family import EndemicEpidemic
from forecast.families.endemic_epidemic.history import Data
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.prior import Point, Prior
from forecast.families.endemic_epidemic.weights import Pairs, Weights
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin

ROOT = Path(__file__).parent
REFITS = 52
CELLS = (300, 1_000, 3_000, 10_000)
WEEKS = 520
REPEATS = 5


def likelihood(counts: np.ndarray, orders: np.ndarray, model: str) -> Likelihood:
    """One of two models: neighbours of the first order, or a power law of the order up to 5."""
    weeks, units = counts.shape
    t = np.arange(weeks, dtype=np.float64)
    wave = np.column_stack([np.ones(weeks), t, np.sin(2 * np.pi * t / 52), np.cos(2 * np.pi * t / 52)])
    one = Component(wave[:, :1], ("intercept",))
    weights = Weights(Pairs.of_matrix(orders, 1))
    if model == "power":
        weights = Weights(Pairs.of_matrix(orders, 5), tail="power", normalised=True)
    endemic = Component(wave, ("intercept", "trend", "sin", "cos"))
    return Likelihood(
        Data.of(counts), Design.of(weeks, units, own=one, neighbour=one, endemic=endemic, weights=weights)
    )


def rolling(counts: np.ndarray, orders: np.ndarray, model: str) -> float:
    """Refit before each of the last weeks, forecast it, and return the mean log score."""
    whole = likelihood(counts, orders, model)
    units, point, scores = counts.shape[1], None, []
    none = Prior.none(whole.design, units)
    for weeks in range(len(counts) - REFITS, len(counts)):
        here = likelihood(counts[:weeks], orders, model)
        start = point or Point(np.where(here.design.base < 2, -1.0, 0.0), np.zeros((units, 0)))
        point = estimate(here, none, start, near=point is not None).point
        mean = component_means(whole, point).sum(axis=0)[weeks]
        scores.append(-negbin.logpmf(counts[weeks], mean, np.exp(point.shared[-1])).mean())
    return float(np.mean(scores))


def seconds(work: Callable[[], object]) -> float:
    """The median time of a few repeats, in seconds of the processor, which other work on the machine does not count."""
    taken = []
    for _ in range(REPEATS):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return float(np.median(taken))


def compare_rolling() -> None:
    sys.path.insert(0, str(ROOT / "peers"))
    import surveillance  # noqa: PLC0415 - stands beside this script

    panels = {"simulated": surveillance.simulated()}
    folder = os.environ.get("ESCALATION_FORECAST_REFERENCE")
    if folder:
        read = [pd.read_csv(Path(folder) / f"measles_{name}.csv", index_col=0) for name in ("counts", "nborder")]
        panels["measles"] = (read[0].to_numpy(), read[1].to_numpy())
    theirs = {"common": np.nan, "power": np.nan}
    if surveillance.available():
        theirs = surveillance.ask(*panels["simulated"])["rolling_seconds"]
    for name, (counts, orders) in panels.items():
        for model, peer in (("basic", "common"), ("power", "power")):
            rolling(counts, orders, model)  # compile
            ours = seconds(lambda: rolling(counts, orders, model))  # noqa: B023 - called at once
            beside = f", R {theirs[peer]:.2f} s" if name == "simulated" and np.isfinite(theirs[peer]) else ""
            print(f"{name} {model}: {REFITS} refits and forecasts in {ours:.3f} s{beside}")


def grid_panel(cells: int) -> Panel:
    """Counts in squares: one cell in four can have events, and events come in runs that reach the neighbours."""
    rng = np.random.default_rng(cells)
    side = int(np.ceil(np.sqrt(cells)))
    at = np.arange(cells)
    east, south = at[(at % side < side - 1) & (at + 1 < cells)], at[at + side < cells]
    first, second = np.r_[east, south], np.r_[east + 1, south + side]
    one = np.ones(len(first))
    neighbours = Neighbours.from_pairs(first, second, one, one, cells)
    weights = neighbours.mean_weights()
    base = np.where(rng.random(cells) < 0.25, rng.gamma(1.0, 0.025, cells), 1e-4)
    counts = np.zeros((WEEKS, cells), dtype=np.int64)
    for week in range(3, WEEKS):
        past = 0.6 * counts[week - 1] + 0.3 * counts[week - 2] + 0.1 * counts[week - 3]
        mean = base + 0.35 * past + 0.2 * (past @ weights)
        counts[week] = rng.poisson(mean * rng.gamma(1.0, 1.0, cells))
    weeks = pd.date_range("2010-01-02", periods=WEEKS, freq="7D", unit="s")
    return Panel.of(counts, weeks, Units.of([f"cell {number}" for number in at]), neighbours=neighbours)


def scale(cells: int) -> None:
    """Fit and forecast one panel; prints a row. In a process of its own, whose peak of memory is its own."""
    panel = grid_panel(cells)
    model = EndemicEpidemic()
    small = grid_panel(30)
    model.fit(small, np.random.default_rng(1)).predict(8, 10, np.random.default_rng(1))  # compile
    begun = time.process_time()
    fitted = model.fit(panel, np.random.default_rng(1))
    fit = time.process_time() - begun
    fitted.predict(8, 200, np.random.default_rng(1))
    whole = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{cells} {(panel.counts > 0).mean():.4f} {fit:.2f} {whole:.2f} {peak:.2f} {fitted.remarks or 'converged'}")


def compare_scaling() -> None:
    print("cells, active share, fit s, fit and forecast s, peak GiB")
    times = []
    for cells in CELLS:
        row = subprocess.run(
            [sys.executable, __file__, "--cells", str(cells)], check=True, capture_output=True, text=True
        ).stdout.strip()
        print(row)
        times.append(float(row.split()[3]))
    exponent = np.polyfit(np.log(CELLS), np.log(times), 1)[0]
    print(f"time grows as cells to the power of {exponent:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rolling", action="store_true", help="only the rolling refits")
    parser.add_argument("--scaling", action="store_true", help="only the scaling")
    parser.add_argument("--cells", type=int, help="one panel of the scaling")
    chosen = parser.parse_args()
    if chosen.cells:
        scale(chosen.cells)
        return
    if chosen.rolling or not chosen.scaling:
        compare_rolling()
    if chosen.scaling or not chosen.rolling:
        compare_scaling()


if __name__ == "__main__":
    main()
