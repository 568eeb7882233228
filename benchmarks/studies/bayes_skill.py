"""The Bayesian families in two periods, beside simpler models and a bound: what a CRPS means in each.

The protocol of `embedded_protocol.py`, targets 2017 to 2019, and of these 2018 and 2019 alone. The bound is no
forecast: a kernel over the weeks on both sides of the target, the future too but not the week itself, whose three
settings are those with the lowest CRPS on these same weeks. Writes ``results/bayes_skill.csv`` and prints it
with the processor time of each model.

    python benchmarks/studies/bayes_skill.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from embedded_protocol import COUNTRIES, ROOT, TRIALS, Targets, protocol, summary
from scipy.optimize import minimize
from scipy.stats import nbinom

from forecast.evaluation.scores import crps_pmf, log_score
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK
from forecast.workspace import open_workspace

MODELS = (
    "bayes-negbin",
    "bayes-endemic-epidemic",
    "bayes-hawkes",
    "direct-endemic",
    "discount-negbin",
    "window-negbin-52",
)
PERIODS = {
    "2017-2019": TRIALS,
    "2018-2019": Targets(pd.Timestamp("2018-01-01"), TRIALS.last, TRIALS.countries),
}
COLUMNS = (
    "crps",
    "log",
    "cov50",
    "cov80",
    "cov95",
    "active50",
    "active80",
    "active95",
    "skill",
    "skill_low",
    "skill_high",
)
BOUND = "two-sided kernel"
HEAD = 100


def seen_from_both_sides(panel: Panel, settings: np.ndarray) -> np.ndarray:
    """Return the probabilities of 0, 1, .. of each week and region given all other weeks, shape (weeks, regions, k).

    A count weighs `d` to the power of the weeks to it. The mean is drawn to that of all regions by `k` weeks' worth of
    it; the size of the negative binomial is `z` times the events that speak for the mean. `settings` are the logit of
    `d` and the logs of `k` and `z`.
    """
    d, k, z = 1 / (1 + np.exp(-settings[0])), np.exp(settings[1]), np.exp(settings[2])
    apart = np.abs(np.subtract.outer(np.arange(len(panel.weeks)), np.arange(len(panel.weeks))))
    weight = np.where(apart > 0, d**apart, 0.0)
    events, weeks = weight @ panel.counts, weight.sum(axis=1)[:, None]
    around = (events / weeks).mean(axis=1, keepdims=True)
    mean, size = (events + k * around) / (weeks + k), z * (events + k * around)
    return np.asarray(nbinom.pmf(np.arange(HEAD), size[..., None], (size / (size + mean))[..., None]))


def bound() -> dict[str, pd.Series]:
    """Return the scores of the kernel in each period."""
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=COUNTRIES)
    panel = panel.until(TRIALS.last + WEEK)
    panel = panel.weeks_between(len(panel.weeks) - 520, len(panel.weeks))
    scored = {name: (panel.weeks >= period.first) & (panel.weeks <= period.last) for name, period in PERIODS.items()}

    def crps(settings: np.ndarray) -> np.ndarray:
        return np.asarray(crps_pmf(seen_from_both_sides(panel, settings), panel.counts))

    def lost(settings: np.ndarray) -> float:
        return float(crps(settings)[scored["2017-2019"]].mean())

    best = minimize(lost, [2.5, 0.5, -1.5], method="Nelder-Mead", options={"xatol": 0.01, "fatol": 1e-6}).x
    observed = np.take_along_axis(seen_from_both_sides(panel, best), panel.counts[..., None], axis=2)[..., 0]
    found = {"crps": crps(best), "log": log_score(observed)}
    print(f"kernel: d {1 / (1 + np.exp(-best[0])):.3f}, k {np.exp(best[1]):.2f}, z {np.exp(best[2]):.2f}")
    return {
        name: pd.Series({key: value[weeks].mean() for key, value in found.items()}) for name, weeks in scored.items()
    }


def spent() -> float:
    """Return the processor time of this process and of those it has waited for."""
    return sum(os.times()[:4])


def main() -> None:
    """Score all models in both periods."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    catalogue = open_workspace(ROOT).catalogue
    records = []
    for name in MODELS:
        begun = spent()
        with tempfile.TemporaryDirectory() as folder:
            records.append(protocol([catalogue[name]], Path(folder) / "protocol", workers=chosen.workers))
        print(f"{name}: {spent() - begun:.0f} s", flush=True)
    tables = {part: pd.concat([getattr(one, part) for one in records]) for part in ("scores", "risk")}
    record = replace(records[0], **tables)
    boards = {}
    for period, unreachable in bound().items():
        board = summary(record, PERIODS[period])[list(COLUMNS)]
        board.loc[BOUND] = unreachable
        board.loc[BOUND, "skill"] = 1 - unreachable["crps"] / board.loc["window-negbin-52", "crps"]
        boards[period] = board.sort_values("crps")
    table = pd.concat(boards, names=["targets", "model"]).round(5)
    print(table.to_string())
    table.to_csv(ROOT / "benchmarks" / "studies" / "results" / "bayes_skill.csv", lineterminator="\n")


if __name__ == "__main__":
    main()
