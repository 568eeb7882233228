"""How often each test of `forecast.evaluation` rejects right and deliberately wrong forecasters, in simulations.

Counts of 12 regions over 156 weeks are negative binomial (means 0.2 to 4, size 1). Prints a table of the share of
simulations in which each test rejects at 5 % (bands and intervals: at 10 %), and writes it to
``benchmarks/studies/results/calibration_power.csv``. A right forecaster should be rejected as often as the level says.

    python benchmarks/studies/calibration_power.py --simulations 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

from forecast.evaluation.confidence_set import model_confidence_set
from forecast.evaluation.count_tests import (
    frequency_test,
    pit_moments_test,
    regression_test,
    score_moments,
    serial_dependence_test,
    unconditional_test,
)
from forecast.evaluation.diagnosis import coverage, pit_band
from forecast.evaluation.diebold_mariano import diebold_mariano
from forecast.predictive.negbin import mixture_pmf

RESULTS = Path(__file__).parent / "results" / "calibration_power.csv"
WEEKS, REGIONS, SIZE = 156, 12, 1.0
TIME = np.repeat(np.arange(WEEKS), REGIONS)
LEVEL = 0.05


def means() -> np.ndarray:
    """Return the true means, shape (weeks, regions)."""
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(WEEKS) / 52)
    return season[:, None] * np.geomspace(0.2, 3.0, REGIONS)


def pmf_of(mean: np.ndarray, size: float) -> np.ndarray:
    """Return negative binomial pmfs, shape (cells, k)."""
    return mixture_pmf(mean.reshape(1, -1), size)


def ignoring_zeros() -> np.ndarray:
    """Return the true pmfs with a quarter fewer zeros, made up for by the other counts."""
    pmf = pmf_of(means(), SIZE).copy()
    zeros = pmf[:, 0].copy()
    pmf[:, 0] *= 0.75
    pmf[:, 1:] *= ((1 - pmf[:, 0]) / (1 - zeros))[:, None]
    return pmf


def forecasters() -> dict[str, tuple[np.ndarray, str]]:
    """Return the forecast pmfs of each forecaster, and how the truth depends: not, between regions, in time."""
    truth = pmf_of(means(), SIZE)
    return {
        "right": (truth, "apart"),
        "right, regions dependent": (truth, "regions"),
        "too narrow": (pmf_of(means(), 3.0), "apart"),
        "too wide": (pmf_of(means(), 0.5), "apart"),
        "too low": (pmf_of(means() * 0.8, SIZE), "apart"),
        "too high": (pmf_of(means() * 1.25, SIZE), "apart"),
        "ignoring zeros": (ignoring_zeros(), "apart"),
        "dependent in time": (truth, "time"),
    }


def outcomes(cdf: np.ndarray, dependence: str, rng: np.random.Generator) -> np.ndarray:
    """Return counts of the true distribution, shape (cells,), by a Gaussian copula."""
    z = rng.normal(size=(WEEKS, REGIONS))
    if dependence == "regions":
        z = np.sqrt(0.7) * z + np.sqrt(0.3) * rng.normal(size=(WEEKS, 1))
    if dependence == "time":
        for week in range(1, WEEKS):
            z[week] = 0.4 * z[week - 1] + np.sqrt(1 - 0.4**2) * z[week]
    return (cdf < ndtr(z).reshape(-1, 1)).sum(axis=1)


def rejections(pmf: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> dict[str, bool]:
    """Return which tests reject."""
    cdf = np.minimum(np.cumsum(pmf, axis=1), 1.0)
    inside = np.minimum(y, pmf.shape[1] - 1)[:, None]
    upto = np.take_along_axis(cdf, inside, axis=1)[:, 0]
    pit = np.column_stack([np.maximum(upto - np.take_along_axis(pmf, inside, axis=1)[:, 0], 0), upto])
    moments = {rule: score_moments(pmf, y, rule) for rule in ("rps", "log", "dss")}
    found = {f"Wei-Held z*, {rule}": unconditional_test(each).p < LEVEL for rule, each in moments.items()}
    found["Wei-Held z, rps"] = unconditional_test(moments["rps"], weighted=False).p < LEVEL
    found["Wei-Held z*, rps, blocks"] = unconditional_test(moments["rps"], TIME).p < LEVEL
    found["Wei-Held z*, log, blocks"] = unconditional_test(moments["log"], TIME).p < LEVEL
    found["Wei-Held regression, rps"] = regression_test(moments["rps"]).p < LEVEL
    found["Wei-Held regression, log"] = regression_test(moments["log"]).p < LEVEL
    found["PIT bias"] = pit_moments_test(pit, TIME, moment="bias").p < LEVEL
    found["PIT dispersion"] = pit_moments_test(pit, TIME, moment="dispersion").p < LEVEL
    found["zeros"] = frequency_test(pmf[:, 0], y == 0, TIME).p < LEVEL
    found["serial dependence"] = serial_dependence_test(pit.reshape(WEEKS, REGIONS, 2)).p < LEVEL
    band = pit_band(pit, TIME, rng, replicates=500)
    found["PIT band (10 %)"] = not band["density"].between(band["low"], band["high"]).all()
    share = coverage(pit, TIME, rng, levels=[0.8]).iloc[0]
    found["coverage of 80 % (10 %)"] = not share["low"] <= 0.8 <= share["high"]
    return found


def calibration_table(simulations: int, seed: int = 1) -> pd.DataFrame:
    """Return the share of simulations in which each test rejects: a row a test, a column a forecaster."""
    rng = np.random.default_rng(seed)
    true_cdf = np.minimum(np.cumsum(pmf_of(means(), SIZE), axis=1), 1.0)
    columns = {}
    for name, (pmf, dependence) in forecasters().items():
        rows = [rejections(pmf, outcomes(true_cdf, dependence, rng), rng) for _ in range(simulations)]
        columns[name] = pd.DataFrame(rows).mean()
    return pd.DataFrame(columns)


def _persistent(rng: np.random.Generator, shape: tuple[int, ...], phi: float) -> np.ndarray:
    noise = rng.normal(size=shape)
    for week in range(1, shape[-1]):
        noise[..., week] = phi * noise[..., week - 1] + np.sqrt(1 - phi**2) * noise[..., week]
    return noise


def comparison_table(simulations: int, seed: int = 2) -> pd.DataFrame:
    """Return shares for the tests that compare models, where they are as good and where the first is better."""
    rng = np.random.default_rng(seed)

    def dm(horizon: int, phi: float, gain: float) -> Callable[[], bool]:
        def reject() -> bool:
            losses = _persistent(rng, (2, WEEKS + horizon - 1), phi)
            spread = np.lib.stride_tricks.sliding_window_view(losses, horizon, axis=1).mean(axis=2) * np.sqrt(horizon)
            return diebold_mariano(spread[0] - gain, spread[1], horizon=horizon).p < LEVEL

        return reject

    def mcs(phi: float, gain: float) -> Callable[[], bool]:
        def loses_the_best() -> bool:
            losses = _persistent(rng, (4, WEEKS), phi)
            losses[0] -= gain
            found = model_confidence_set(losses[..., None] + 5, list("abcd"), rng, replicates=500)
            return not bool(found.set_index("model")["inside"]["a"])

        return loses_the_best

    cases = {
        "Diebold-Mariano, horizon 1, equal": dm(1, 0.0, 0.0),
        "Diebold-Mariano, horizon 4, equal": dm(4, 0.0, 0.0),
        "Diebold-Mariano, persistent losses, equal": dm(1, 0.4, 0.0),
        "Diebold-Mariano, horizon 1, better by 0.4 sd": dm(1, 0.0, 0.4),
        "Confidence set of 90 % without the best, all equal": mcs(0.0, 0.0),
        "Confidence set of 90 % without the best, persistent, all equal": mcs(0.4, 0.0),
        "Confidence set of 90 % without the best, better by 0.4 sd": mcs(0.0, 0.4),
    }
    shares = {name: np.mean([case() for _ in range(simulations)]) for name, case in cases.items()}
    return pd.Series(shares, name="rejected").to_frame()


def main() -> None:
    """Print the tables and write the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    options = parser.parse_args()
    table = calibration_table(options.simulations)
    with pd.option_context("display.width", 250, "display.max_columns", None):
        print(table.round(3).to_string())
        print(comparison_table(options.simulations).round(3).to_string())
    if options.simulations >= 1000:
        table.round(3).to_csv(RESULTS, index_label="test", lineterminator="\n")


if __name__ == "__main__":
    main()
