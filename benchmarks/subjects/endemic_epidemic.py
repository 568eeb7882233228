"""Endemic-epidemic models of counts in regions that infect their neighbours, by maximum likelihood, beside `hhh4` of
R: one fit, and a refit before each of the last 52 weeks, from the estimates of the week before, each with its one-step
forecast. *simulated*: 16 regions, 156 weeks. *measles*: 17 districts, 104 weeks, the data of surveillance, where that
is installed. Neighbours are those of the first order, or of up to the fourth by a power law that is estimated too.
Then the family of this package, with its priors, on grids of 520 weeks, 1 % of the region-weeks with events: a fit and
200 paths.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.clock import ROOT, timed
from benchmarks.environments import answers
from benchmarks.grid import grid_panel
from benchmarks.work import Task, beside, counted
from forecast.families.endemic_epidemic import likelihood as likelihoods
from forecast.families.endemic_epidemic.components import component_means
from forecast.families.endemic_epidemic.design import Component, Design
from forecast.families.endemic_epidemic.estimate import Estimates, estimate
from forecast.families.endemic_epidemic.family import EndemicEpidemic
from forecast.families.endemic_epidemic.history import Data
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.prior import Point, Prior
from forecast.families.endemic_epidemic.weights import Pairs, Weights
from forecast.predictive import negbin

TITLE = "Endemic-epidemic models"
PEERS = ("surveillance",)
PANEL = ROOT / "tests" / "reference" / "surveillance_hhh4.json"
REFITS, WEEKS = 52, 520
CELLS = (300, 1_000, 3_000, 10_000)
MODELS = ("adjacency", "power law")
NATS, SCORE = 1e-3, 1e-4


def measure() -> dict[str, Any]:
    """Measure fits and refits of each panel and model, and fits of grids."""
    tasks: dict[str, Task] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        known = json.loads(PANEL.read_text(encoding="utf-8"))
        keep(folder, "simulated", np.array(known["counts"]), np.array(known["orders"]))
        told = answers(PEERS, folder)
        for name in ("simulated", "measles"):
            if (folder / f"{name}-counts.csv").exists():
                panel = read(folder, name)
                for model in MODELS:
                    tasks |= compared(f"{name}, {model}", *panel, model, told)
    tasks |= grids()
    seconds = [tasks[f"grid of {cells:,} regions"]["core_seconds"] for cells in CELLS[1:]]
    slope = float(np.polyfit(np.log(CELLS[1:]), np.log(seconds), 1)[0])
    return {"tasks": tasks, "ratios": {"power of the number of regions with which the time grows": slope}}


def compared(name: str, counts: np.ndarray, orders: np.ndarray, model: str, told: dict[str, Any]) -> dict[str, Task]:
    """Measure one model on one panel."""
    evaluation = (likelihoods.Likelihood, "at")
    with counted(evaluation) as calls:
        fitted(counts, orders, model)
    once = dict(calls)
    with counted(evaluation) as calls:
        rolling(counts, orders, model)
    fit, refits = f"{name}: fit", f"{name}: {REFITS} refits and forecasts"
    cost, found = timed(lambda: fitted(counts, orders, model))
    value = found.log_likelihood
    one = beside(cost, fit, told, lambda theirs: value - theirs, NATS, "log-likelihood")
    cost, score = timed(lambda: rolling(counts, orders, model))
    all_ = beside(cost, refits, told, lambda theirs: abs(theirs - score), SCORE, "mean log score", symmetric=True)
    return {
        fit: one | {"counts": {"likelihoods with derivatives": once["at"]}},
        refits: all_ | {"counts": {"likelihoods with derivatives": calls["at"]}},
    }


def likelihood(counts: np.ndarray, orders: np.ndarray, model: str) -> Likelihood:
    """Return that of one of `MODELS`."""
    weeks, units = counts.shape
    t = np.arange(weeks, dtype=np.float64)
    wave = np.column_stack([np.ones(weeks), np.sin(2 * np.pi * t / 52), np.cos(2 * np.pi * t / 52)])
    one, season = Component(wave[:, :1], ("intercept",)), Component(wave, ("intercept", "sin", "cos"))
    weights = Weights(Pairs.of_matrix(orders, 1))
    if model == "power law":
        weights = Weights(Pairs.of_matrix(orders, 4), tail="power", normalised=True)
    design = Design.of(weeks, units, own=one, neighbour=one, endemic=season, weights=weights)
    return Likelihood(Data.of(counts), design)


def fitted(counts: np.ndarray, orders: np.ndarray, model: str, near: Point | None = None) -> Estimates:
    """Return the maximum of the likelihood, from a point close by or from afar."""
    here, units = likelihood(counts, orders, model), counts.shape[1]
    start = near or Point(np.where(here.design.base < 2, -1.0, 0.0), np.zeros((units, 0)))
    return estimate(here, Prior.none(here.design, units), start, near=near is not None)


def rolling(counts: np.ndarray, orders: np.ndarray, model: str) -> float:
    """Refit before each of the last weeks, forecast it, and return the mean log score."""
    whole, point, scores = likelihood(counts, orders, model), None, []
    for weeks in range(len(counts) - REFITS, len(counts)):
        point = fitted(counts[:weeks], orders, model, point).point
        mean = component_means(whole, point).sum(axis=0)[weeks]
        scores.append(-negbin.logpmf(counts[weeks], mean, np.exp(point.shared[-1])).mean())
    return float(np.mean(scores))


def grids() -> dict[str, Task]:
    """Measure the family on simulated grids."""
    model, tasks = EndemicEpidemic(), {}
    for cells in CELLS:
        panel = grid_panel(cells, WEEKS)

        def work(panel: Any = panel) -> Any:
            return model.fit(panel, np.random.default_rng(1)).predict(8, 200, np.random.default_rng(1))

        if cells == CELLS[0]:
            work()  # compiles
        tasks[f"grid of {cells:,} regions"] = timed(work, runs=3 if cells < 3_000 else 0)[0]
    return tasks


def keep(folder: Path, name: str, counts: np.ndarray, orders: np.ndarray) -> None:
    """Write a panel as the script in R reads it."""
    header = ",".join(f"u{at}" for at in range(counts.shape[1]))
    np.savetxt(folder / f"{name}-counts.csv", counts, fmt="%d", delimiter=",", header=header, comments="")
    np.savetxt(folder / f"{name}-order.csv", orders, fmt="%d", delimiter=",")


def read(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of a panel, and the orders of neighbourhood."""
    counts = pd.read_csv(folder / f"{name}-counts.csv").to_numpy()
    return counts, pd.read_csv(folder / f"{name}-order.csv", header=None).to_numpy()
