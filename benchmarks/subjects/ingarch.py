"""Autoregressions of a conditional mean, INGARCH: one series of 140 simulated counts by quasi-likelihood, beside
`tsglm` of R, and its search for a shift of the level; the embedded counts of Mali, Burkina Faso and Niger, 30 regions,
fitted, refitted 13 weeks later and forecast 8 weeks ahead with 1,000 paths.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock import ROOT, timed
from benchmarks.environments import answers
from benchmarks.work import Task, beside
from forecast.families.ingarch.family import Ingarch
from forecast.families.ingarch.interventions import search_intervention
from forecast.families.ingarch.likelihood import POISSON
from forecast.families.ingarch.order import Order
from forecast.families.ingarch.series import Series, fit_series
from forecast.panel.dataset import Dataset

TITLE = "INGARCH models"
PEERS = ("tscount",)
COUNTRIES = ("Mali", "Burkina Faso", "Niger")
ORDER, NATS = Order((1,), (13,)), 0.01
FIT, SEARCH = "one series: fit", "one series: search for a shift"


def measure() -> dict[str, Any]:
    """Measure one series and a panel."""
    counts = np.random.default_rng(1).poisson(np.random.default_rng(2).gamma(8, 1.4, 140))
    series = Series.of(counts, ORDER)
    with tempfile.TemporaryDirectory() as folder:
        np.savetxt(Path(folder) / "counts.txt", counts, fmt="%d")
        told = answers(PEERS, Path(folder))
    cost, fit = timed(lambda: fit_series(series, distribution="negbin", estimator="quasi"))
    quasi = float(series.score(fit.theta, POISSON)[0])
    tasks: dict[str, Task] = {FIT: beside(cost, FIT, told, lambda theirs: quasi - theirs, NATS, "quasi-log-likelihood")}
    tasks[SEARCH] = timed(lambda: search_intervention(fit, 1.0))[0]
    return {"tasks": tasks | panels()}


def panels() -> dict[str, Task]:
    """Measure the regions of three countries."""
    rng, tasks = np.random.default_rng(1), {}
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=COUNTRIES)
    before = panel.weeks_between(0, len(panel.counts) - 13)
    for link in ("identity", "log"):
        model = Ingarch(link=link)
        start = model.fit(before, rng)
        for name, work in {
            "fit": lambda m=model: m.fit(panel, rng),
            "refit after 13 weeks": lambda m=model, s=start: m.refit(panel, rng, s),
            "forecast": lambda s=start: s.predict(8, 1000, rng),
        }.items():
            tasks[f"panel, {link} link: {name}"] = timed(work, runs=3)[0]
    return tasks
