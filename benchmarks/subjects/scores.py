"""Proper scores of forecasts of counts, of mostly quiet and some violent regions, one thread. Samples: 100,000
forecasts of 200 whole numbers. Distributions: 25,000, probabilities of 0 to 99. Quantiles: 25,000, 23 levels. Paths:
400 forecasts of 8 weeks, 200 paths. Each library gets arrays in the order and the type that it is made for; here
samples come first and are 32-bit integers, as in a forecast.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.clock import timed
from benchmarks.environments import answers
from benchmarks.work import Task, beside
from forecast.evaluation.sample_scores import crps_samples, energy_score, variogram_score
from forecast.evaluation.scores import crps_pmf, weighted_interval_score

TITLE = "Proper scores"
PEERS = ("properscoring", "scoringrules")
FORECASTS, SAMPLES, COUNTS = 100_000, 200, 100
PATHS, WEEKS = 400, 8
LEVELS = np.array([0.01, 0.025, *np.arange(1, 20) / 20, 0.975, 0.99])
SAME = 1e-10


def measure() -> dict[str, Any]:
    """Measure each score."""
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.4, 8.0, FORECASTS)
    samples = rng.poisson(rng.gamma(1.5, rate / 1.5, (SAMPLES, FORECASTS))).astype(np.int32)
    observed = rng.poisson(rate)
    pmf = stats.nbinom.pmf(np.arange(COUNTS), 1.5, (1.5 / (1.5 + rate[: FORECASTS // 4]))[:, None])
    pmf /= pmf.sum(axis=1, keepdims=True)
    within = np.minimum(observed[: len(pmf)], COUNTS - 1)
    quantiles = np.quantile(samples[:, : FORECASTS // 4], LEVELS, axis=0, method="inverted_cdf").astype(np.float64)
    paths, outcomes = samples[:, : PATHS * WEEKS].reshape(SAMPLES, PATHS, WEEKS), observed[: PATHS * WEEKS]
    outcomes = outcomes.reshape(PATHS, WEEKS)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder) / "scores.npz",
            samples=samples,
            observed=observed,
            pmf=pmf,
            within=within,
            quantiles=quantiles,
            levels=LEVELS,
            paths=paths,
            outcomes=outcomes,
        )
        told = answers(PEERS, Path(folder))
        works = {
            "CRPS of samples": lambda: crps_samples(samples, observed),
            "CRPS of distributions": lambda: crps_pmf(pmf, within),
            "weighted interval score": lambda: weighted_interval_score(quantiles, LEVELS, observed[: len(pmf)]),
            "energy score of paths": lambda: energy_score(paths, outcomes),
            "variogram score of paths": lambda: variogram_score(paths, outcomes),
        }
        tasks: dict[str, Task] = {}
        for name, work in works.items():
            cost, found = timed(work)
            tasks[name] = beside(cost, name, told, distance(found), SAME, "the largest difference", symmetric=True)
    return {"tasks": tasks}


def distance(found: np.ndarray) -> Any:
    """Return how far the scores that a peer wrote are from these, at most, relative to scores above 1."""

    def furthest(file: str) -> float:
        theirs = np.load(file)
        return float((np.abs(theirs - found) / np.maximum(1.0, np.abs(found))).max())

    return furthest
