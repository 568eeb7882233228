"""Nowcasts of the last four weeks against the counts at face value and the method of baselinenowcast.

Simulated vintage histories of two years with known delays (`forecast.simulation.vintages`): six units, an origin every
fourth week of the second year, at each of which only what was known then is used. Scored against the final counts:
CRPS of the sample paths, coverage of the 90 % interval, and how much of the events the nowcast expects. Writes
``benchmarks/studies/results/nowcast.csv`` and prints its means over the four weeks.

The method of baselinenowcast is written down here from its published description and defaults, for each unit by
itself: delays by the chain ladder, point nowcasts that never stay at zero, and a negative binomial for what is missing,
whose size is fitted for each age of a week to the errors of past nowcasts. As its defaults have it, the last
``3 * max_delay`` weeks are used, half of them for delays and half for errors. Beside it stands the same method with a
year of weeks and the delays of all units together. Where it cannot say anything, as no event of the weeks was ever
known at once, the counts are taken at face value.

Sources: Johnson, Tang, Tyszka et al. (2025), doi:10.12688/wellcomeopenres.25027.1, and the vignette "Mathematical
methods" of the R package baselinenowcast 0.2.0 (MIT); Wolffram et al. (2023), doi:10.1371/journal.pcbi.1011394.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize_scalar

from forecast.evaluation.sample_scores import crps_samples
from forecast.panel.reporting_delay import estimate_delay
from forecast.panel.reporting_triangle import triangle_from_vintages
from forecast.panel.units import Units
from forecast.predictive.nowcast import nowcast
from forecast.simulation.vintages import VintageSettings, simulate_vintages

Floats = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "nowcast.csv"
WEEKS = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
UNITS = Units.of([f"unit {at}" for at in range(6)])
LAST = 4  # weeks that are scored
DRAWS = 1000
CASES: dict[str, VintageSettings] = {
    "few events": VintageSettings(mean=1),
    "some events": VintageSettings(mean=5),
    "many events": VintageSettings(mean=20),
    "reports in batches": VintageSettings(mean=20, batching=0.1),
    "false events": VintageSettings(mean=20, false_share=0.05),
}
SIZES = (0.1, 1000.0)  # among which baselinenowcast looks for the negative binomial's


def without_negatives(increments: Floats) -> Floats:
    """Take what was deleted from earlier delays, shape (weeks, delays); NaN stays."""
    kept = increments.copy()
    for row in kept:
        debt = 0.0
        for delay in range(len(row))[::-1]:
            if np.isnan(row[delay]):
                continue
            value = row[delay] + debt
            debt, row[delay] = min(value, 0.0), max(value, 0.0)
    return kept


def chain_ladder(increments: Floats) -> Floats:
    """Return the delay distribution of a triangle, shape (delays,)."""
    filled = increments.copy()
    for delay in range(1, filled.shape[1]):
        unseen = np.isnan(filled[:, delay])
        earlier = filled[:, :delay].sum(axis=1)
        filled[unseen, delay] = filled[~unseen, delay].sum() / max(earlier[~unseen].sum(), 1) * earlier[unseen]
    total = filled.sum()
    return filled.sum(axis=0) / total if total > 0 else np.zeros(filled.shape[1])


def filled(increments: Floats, pmf: Floats) -> Floats:
    """Return the triangle with what is expected where it was not seen; it never expects exactly nothing."""
    point = increments.copy()
    for delay in range(1, point.shape[1]):
        unseen, known = np.isnan(point[:, delay]), pmf[:delay].sum()
        point[unseen, delay] = (point[unseen, :delay].sum(axis=1) + 1 - known) / known * pmf[delay]
    return point


def as_known(increments: Floats, ago: int) -> Floats:
    """Return the triangle as it was some weeks ago."""
    earlier = increments[: len(increments) - ago].copy()
    age = np.arange(len(earlier))[::-1]
    earlier[np.arange(earlier.shape[1]) > age[:, None]] = np.nan
    return earlier


def fitted_size(seen: Floats, expected: Floats) -> float:
    """Return the most likely size of the negative binomials of some means."""
    mean = expected + 1e-3

    def loss(size: float) -> float:
        return -float(np.sum(stats.nbinom.logpmf(seen, size, size / (size + mean))))

    return float(minimize_scalar(loss, bounds=SIZES, method="bounded").x)


def baselinenowcast(
    increments: Floats, shared: Floats | None, delay_weeks: int, error_weeks: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the final counts of the last weeks of one unit.

    Parameters
    ----------
    increments : ndarray, shape (weeks, delays)
        What became known of each week at each delay, NaN where that lies ahead.
    shared : ndarray, shape (weeks, delays), optional
        The triangle from which delays are estimated; the unit's own if not given.
    delay_weeks, error_weeks : int
        Weeks from which delays are estimated, and past nowcasts from whose errors the sizes are.
    rng : Generator

    Returns
    -------
    ndarray of int, shape (DRAWS, LAST)
    """
    basis = increments if shared is None else shared
    longest = increments.shape[1] - 1

    def point(ago: int) -> Floats | None:
        pmf = chain_ladder(without_negatives(as_known(basis, ago)[-delay_weeks:]))
        return filled(as_known(increments, ago), pmf)[-longest:] if pmf[0] > 0 else None

    known: NDArray[np.int64] = np.nansum(increments[-LAST:], axis=1).astype(np.int64)
    now = point(0)
    seen, expected = [], []
    for ago in range(1, error_weeks + 1):
        then = point(ago)
        if then is not None:
            since = without_negatives(increments[: len(increments) - ago])[-longest:]
            came = np.isnan(as_known(increments, ago)[-longest:]) & ~np.isnan(since)
            seen.append(np.where(came, since, 0).sum(axis=1))
            expected.append(np.where(came, then, 0).sum(axis=1))
    if now is None or not seen:
        return np.broadcast_to(known, (DRAWS, LAST))
    missing = np.where(np.isnan(increments[-longest:]), now, 0).sum(axis=1)[-LAST:]
    errors = zip(np.array(seen).T[-LAST:], np.array(expected).T[-LAST:], strict=True)
    size = np.array([fitted_size(*pair) for pair in errors])
    late: NDArray[np.int64] = rng.negative_binomial(size, size / (size + missing), (DRAWS, LAST))
    return known + late


def one_history(settings: VintageSettings, seed: int, every: int) -> list[pd.DataFrame]:
    """Score all methods on one simulated history; one row a method, origin, week and unit."""
    rng = np.random.default_rng(seed)
    history = simulate_vintages(settings, WEEKS, UNITS, rng)
    longest = len(settings.delay) - 1
    tables = []
    for origin in list(history.known)[51::every]:
        panel = history.known[origin]
        weeks = len(panel.weeks)
        triangle = triangle_from_vintages(
            {day: known for day, known in history.known.items() if day <= origin}, max_delay=longest
        )
        steps = triangle.increments()
        units, together = np.moveaxis(steps, 2, 0), steps.sum(axis=2)
        half, year = 3 * longest // 2, (weeks - longest) // 2
        samples = {
            "face value": panel.counts[None, -LAST:],
            "baselinenowcast": np.stack(
                [baselinenowcast(own, None, half, 3 * longest - half, rng) for own in units], axis=2
            ),
            "baselinenowcast, a year, shared delays": np.stack(
                [baselinenowcast(own, together, min(year, 26), min(year, 26), rng) for own in units], axis=2
            ),
            "forecast": nowcast(panel, estimate_delay(triangle), DRAWS, rng)[:, -LAST:],
        }
        truth = history.final.counts[weeks - LAST : weeks]
        tables += [scored(drawn, truth, rng).assign(method=method, history=seed) for method, drawn in samples.items()]
    return tables


def scored(samples: NDArray[np.int64], truth: NDArray[np.int64], rng: np.random.Generator) -> pd.DataFrame:
    """Return the scores of samples (draws, weeks, units): one row a week and unit; age 0 is the last week."""
    low, high = np.quantile(samples, [0.05, 0.95], axis=0, method="inverted_cdf")
    below, equal = (samples < truth).mean(axis=0), (samples == truth).mean(axis=0)
    rank = below + rng.random(truth.shape) * equal
    columns = {
        "crps": crps_samples(samples, truth),
        "cov90": (low <= truth) & (truth <= high),
        "cov90_randomised": np.abs(rank - 0.5) < 0.45,
        "width90": high - low,
        "expected": samples.mean(axis=0),
        "final": truth,
    }
    age = np.repeat(np.arange(len(truth))[::-1], truth.shape[1])
    return pd.DataFrame({name: np.asarray(values, float).ravel() for name, values in columns.items()}).assign(age=age)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means by case, method and age of the week, of all ages first; best of each case by CRPS first."""
    every = pd.concat([rows.assign(age="all"), rows.assign(age=rows["age"].astype(str))])
    table = every.groupby(["case", "age", "method"], sort=False).mean(numeric_only=True)
    table["expected"] /= table.pop("final")  # share of the events that came in the end
    of_history = rows.pivot_table(index=["case", "history"], columns="method", values="crps", sort=False)
    better = of_history.gt(of_history["forecast"], axis=0).groupby("case").mean().melt(ignore_index=False)
    share = better.set_index("method", append=True)["value"]
    table = table.drop(columns="history").reset_index().sort_values(["case", "age", "crps"], kind="stable")
    keys = pd.MultiIndex.from_frame(table[["case", "method"]])
    shown = (table["age"] == "all") & (table["method"] != "forecast")
    table["forecast_better"] = np.where(shown, share.reindex(keys).to_numpy(), np.nan)
    order = {name: at for at, name in enumerate(CASES)}
    return table.sort_values("case", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=20, help="of each case")
    parser.add_argument("--every", type=int, default=4, help="weeks between origins")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    tables = [
        table.assign(case=case)
        for case, settings in CASES.items()
        for seed in range(arguments.histories)
        for table in one_history(settings, seed, arguments.every)
    ]
    table = summary(pd.concat(tables, ignore_index=True))
    arguments.out.parent.mkdir(exist_ok=True)
    table.round(4).to_csv(arguments.out, index=False, lineterminator="\n")
    print(table[table["age"] == "all"].drop(columns="age").round(3).to_string(index=False))


if __name__ == "__main__":
    main()
