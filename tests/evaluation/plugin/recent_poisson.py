"""A plug-in family for the tests, and the plan that they run; importable by workers and by other processes."""

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.evaluation.plan import BacktestPlan
from forecast.families.model import ModelSpec
from forecast.families.protocol import Family, Fitted
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin
from forecast.predictive.escalation import AboveRecent, AnyEvent, Increase
from forecast.predictive.forecast import Forecast


class RecentPoisson(Family):
    family = "recent_poisson"
    window: int = 8
    fails_at: str = ""

    def fit(self, panel, rng):
        if log := os.environ.get("FIT_LOG"):
            with Path(log).open("a") as stream:
                stream.write(f"{panel.origin:%Y-%m-%d}\n")
        time.sleep(float(os.environ.get("FIT_DELAY", "0")))
        if f"{panel.origin:%Y-%m-%d}" == self.fails_at:
            raise ValueError("no such luck")
        overall = panel.counts[panel.observed].mean() + 0.01 * rng.random()
        return FittedRecentPoisson(panel, self.window, float(overall))


@dataclass(frozen=True)
class FittedRecentPoisson(Fitted):
    panel: Panel
    window: int
    overall: float

    def update(self, panel):
        return replace(self, panel=panel)

    def simulate(self, horizon, draws, rng):
        rate = 0.9 * self.panel.counts[-self.window :].mean(axis=0) + 0.1 * self.overall
        mean = np.broadcast_to(rate, (horizon, len(rate)))
        paths = rng.poisson(mean, (draws, *mean.shape)).astype(np.int32)
        pmf = negbin.mixture_pmf(mean[None], np.inf)
        return Forecast(paths, pmf, self.target_weeks(horizon), self.panel.units)

    def summary(self):
        return pd.DataFrame({"estimate": [self.overall], "std_error": [np.nan]}, index=["overall"])


def kill_worker(block):
    """Stand for a block that no worker has the memory for."""
    os.kill(os.getpid(), signal.SIGKILL)


def make_panel(kind="region", weeks=60, units=4, seed=5):
    """Return counts of which the first weeks do not depend on how many weeks there are; some are missing."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.linspace(0.05, 4, units), (200, units))
    observed = np.ones(counts.shape, dtype=bool)
    observed[30, 1] = observed[45, :] = False
    counts, observed = counts[:weeks], observed[:weeks]
    names = [f"{kind} {at}" for at in range(units)]
    index = pd.date_range("2024-01-06", periods=weeks, freq="7D", unit="s", name="week")
    return Panel.of(counts, index, Units.of(names, kind=kind), observed=observed, source=f"test {kind}s")


def make_model(name, family="recent_poisson", **settings):
    return ModelSpec(name=name, family=family, title=name, method="For tests.", settings=settings)


def make_plan(weeks=60, origins=20, **changes):
    panel = make_panel(weeks=weeks)
    content = {
        "name": "trial",
        "panels": {"region": panel, "place": make_panel("place", weeks, units=2, seed=6)},
        "fit_panels": {},
        "models": (make_model("short", window=4), make_model("long", window=26)),
        "escalations": (
            AnyEvent(name="any", rule="any_event", weeks=2),
            AboveRecent(name="above", rule="above_recent", window=26),
            Increase(name="double", rule="increase"),
        ),
        "origins": panel.weeks[-origins:],
        "horizon": 4,
        "refit_every": 5,
        "draws": 200,
        "seed": 3,
    }
    return BacktestPlan(**(content | changes))
