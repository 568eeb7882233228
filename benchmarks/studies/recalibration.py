"""What recalibration repairs, and what it costs a forecast that needs none, in simulations.

Counts are negative binomial with the size 1.5 and means that differ much; forecasters know the mean and get something
wrong. Maps are learned from 4,000 past cases and tried on 4,000 others, means over the replicates. Prints four tables,
those of ``docs/recalibration.md``, and writes them to ``benchmarks/studies/results/recalibration.csv``.

    python benchmarks/studies/recalibration.py --replicates 20
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit
from scipy.stats import nbinom

from forecast.combination.cdf_maps import fit_beta_map, fit_empirical_map, remap
from forecast.combination.conformal_bins import BINS, ConformalBins
from forecast.combination.conformal_levels import adaptive_levels, pid_levels, share_below
from forecast.combination.event_maps import fit_beta_calibration, fit_isotonic_map, fit_logit_map
from forecast.combination.level_map import Identity
from forecast.evaluation.scores import crps_pmf

RESULTS = Path(__file__).parent / "results" / "recalibration.csv"
CASES, SIZE, COUNTS = 4000, 1.5, np.arange(120)
COUNT_FORECASTERS = {
    "right": (1.0, SIZE),
    "too narrow": (1.0, 20.0),
    "too wide": (1.0, 0.4),
    "too low": (0.6, SIZE),
    "too high": (1.6, SIZE),
}
EVENT_FORECASTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "right": lambda p: p,
    "too bold": lambda p: expit(2.0 * logit(p)),
    "too timid": lambda p: expit(0.5 * logit(p)),
    "too high": lambda p: expit(logit(p) + 1.0),
}


def count_cases(
    rng: np.random.Generator, level: float, size: float, cases: int = CASES
) -> tuple[np.ndarray, np.ndarray]:
    """Return pmfs, shape (cases, k), and what came."""
    mean = rng.gamma(0.5, 3.0, cases) + 0.05
    came = np.minimum(rng.negative_binomial(SIZE, SIZE / (SIZE + mean)), COUNTS[-1])
    return nbinom.pmf(COUNTS, size, size / (size + level * mean)[:, None]), came


def pairs_of(pmf: np.ndarray, came: np.ndarray) -> np.ndarray:
    """Return the cdf below, and at, what came."""
    cdf, row = np.minimum(np.cumsum(pmf, axis=1), 1.0), np.arange(len(came))
    return np.column_stack([np.where(came > 0, cdf[row, came - 1], 0.0), cdf[row, came]])


def count_scores(pmf: np.ndarray, came: np.ndarray) -> dict[str, float]:
    """Return coverage, by the randomised PIT averaged over its randomness, CRPS and log score."""
    pairs = pairs_of(pmf, came)
    cover = {
        f"cov{level:.0%}": float(np.diff(share_below(pairs, [0.5 - level / 2, 0.5 + level / 2]))[0])
        for level in (0.5, 0.8, 0.95)
    }
    density = np.maximum(pmf[np.arange(len(came)), came], 1e-6)
    return cover | {"crps": float(crps_pmf(pmf, came).mean()), "log": float(-np.log(density).mean())}


def count_table(rng: np.random.Generator) -> pd.DataFrame:
    """Return the scores of each forecaster as it is and recalibrated."""
    rows = {}
    for name, wrong in COUNT_FORECASTERS.items():
        past = pairs_of(*count_cases(rng, *wrong))
        pmf, came = count_cases(rng, *wrong)
        for how, found in {
            "as it is": Identity(),
            "beta": fit_beta_map(past),
            "empirical": fit_empirical_map(past),
        }.items():
            rows[name, how] = count_scores(remap(pmf, found), came)
    return pd.DataFrame(rows).T


def event_table(rng: np.random.Generator) -> pd.DataFrame:
    """Return the Brier score of each forecaster and its miscalibration, as it is and recalibrated."""
    rows = {}
    fits = {"isotonic": fit_isotonic_map, "beta": fit_beta_calibration, "logit": fit_logit_map}
    for name, say in EVENT_FORECASTERS.items():
        true = rng.beta(0.6, 3.0, (2, CASES))
        came = (rng.random((2, CASES)) < true).astype(float)
        past, new = say(true)
        for how, found in {"as it is": Identity(), **{how: fit(past, came[0]) for how, fit in fits.items()}}.items():
            said = found(new)
            order = np.lexsort((-came[1], said))
            best = isotonic_regression(came[1][order]).x
            score = float(np.mean((said - came[1]) ** 2))
            rows[name, how] = {"brier": score, "mcb": score - float(np.mean((best - came[1][order]) ** 2))}
    return pd.DataFrame(rows).T


def bin_table(rng: np.random.Generator) -> pd.DataFrame:
    """Return the coverage of sets of 90 % by bin of what came, and how many counts a set holds."""
    rows = {}
    for name in ("right", "too narrow", "too low"):
        past, (pmf, came) = count_cases(rng, *COUNT_FORECASTERS[name]), count_cases(rng, *COUNT_FORECASTERS[name])
        learned = ConformalBins.of(pairs_of(*past), past[1])
        own = ConformalBins.of(np.empty((0, 2)), [])
        bin_of = np.searchsorted(BINS, came, side="right") - 1
        for how, found in {"as it is": own, "conformal": learned}.items():
            sets = found.contains(pmf, 0.9)
            inside = sets[np.arange(len(came)), came]
            rows[name, how] = {f"from {start}": inside[bin_of == b].mean() for b, start in enumerate(BINS)} | {
                "counts": sets.sum(axis=1).mean()
            }
    return pd.DataFrame(rows).T


def level_table(rng: np.random.Generator) -> pd.DataFrame:
    """Return the coverage of 90 % before and after forecasts become too narrow, 20 regions, horizon 4."""
    steps, cells, wanted = 312, 20, [0.05, 0.95]
    size = np.where(np.arange(steps) < 104, SIZE, 20.0)[:, None]
    mean = rng.gamma(0.5, 3.0, (steps, cells)) + 0.05
    came = rng.negative_binomial(SIZE, SIZE / (SIZE + mean))
    pairs = np.stack([nbinom.cdf(came - back, size, size / (size + mean)) for back in (1, 0)], axis=-1)
    rows = {}
    for how, levels in {
        "as it is": np.tile(wanted, (steps + 1, 1)),
        "adaptive": adaptive_levels(pairs, wanted, delay=4),
        "PID": pid_levels(pairs, wanted, delay=4),
    }.items():
        cover = np.array([np.diff(share_below(pairs[t], np.sort(levels[t])))[0] for t in range(steps)])
        rows["too narrow from week 104", how] = {
            "weeks 0 to 103": cover[:104].mean(),
            "104 to 155": cover[104:156].mean(),
            "156 to 311": cover[156:].mean(),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=20)
    options = parser.parse_args()
    means = []
    for make in (count_table, event_table, bin_table, level_table):
        tables = [make(np.random.default_rng(seed)) for seed in range(options.replicates)]
        mean = sum(tables[1:], tables[0]) / len(tables)
        print(mean.round(4).to_string(), end="\n\n")
        names = ["forecaster", "recalibration"]
        means.append(
            mean.rename_axis(names).melt(ignore_index=False, var_name="figure").set_index("figure", append=True)
        )
    if options.replicates >= 20:
        pd.concat(means).round(4).to_csv(RESULTS, lineterminator="\n")


if __name__ == "__main__":
    main()
