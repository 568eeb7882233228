"""The forecast trials' protocol on the embedded counts: every model of the reference workspace, targets 2017 to 2019.

Mali, Burkina Faso and Niger: 30 first-level regions, weekly origins, horizons 1 to 8, all target weeks that start in
2017 to 2019, refit every 13 weeks, 1,000 paths. Skill is CRPS against the 52-week window negative binomial, with 90 %
intervals by a block bootstrap of 13 weeks. Writes ``results/embedded_protocol.csv`` and prints it; with
models named, it only prints.

    python benchmarks/studies/embedded_protocol.py direct-endemic discount-negbin
    python benchmarks/studies/embedded_protocol.py direct-endemic --countries all --first 2013-01-01 --last 2016-12-31
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.calibration import COVERAGE_LEVELS, central_coverage
from forecast.evaluation.comparison import leaderboard
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec
from forecast.panel.dataset import Dataset
from forecast.panel.weeks import WEEK
from forecast.provenance import generator
from forecast.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]
COUNTRIES = ("Mali", "Burkina Faso", "Niger")
HORIZON = 8
REFERENCE = "window-negbin-52"


class Targets(NamedTuple):
    """Which weeks of which countries are forecast.

    Parameters
    ----------
    first, last : Timestamp
        Target weeks that start within these days are scored; nothing after `last` is seen.
    countries : tuple of str
        Empty for all of the dataset.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    countries: tuple[str, ...]


TRIALS = Targets(pd.Timestamp("2017-01-01"), pd.Timestamp("2019-12-31"), COUNTRIES)


def protocol(
    models: Sequence[ModelSpec], folder: Path, *, workers: int = 2, targets: Targets = TRIALS, draws: int = 1000
) -> BacktestRecord:
    """Back-test some models under the protocol; the record holds target weeks before the first as well."""
    workspace = open_workspace(ROOT)
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=targets.countries)
    panel = panel.until(targets.last + WEEK)
    first = panel.weeks.searchsorted(targets.first)
    plan = BacktestPlan(
        name="embedded-protocol",
        panels={"region": panel},
        fit_panels={},
        models=tuple(models),
        escalations=workspace.spec.escalations,
        origins=panel.weeks[first - HORIZON + 1 :],
        horizon=HORIZON,
        refit_every=13,
        draws=draws,
        seed=1,
    )
    return run_backtest(plan, folder, workers=workers)


def named_countries(text: str) -> tuple[str, ...]:
    """Return the countries of an option of the command line: names with commas between them, or all."""
    return () if text == "all" else tuple(text.split(","))


def target_scores(record: BacktestRecord, targets: Targets) -> pd.DataFrame:
    """Return the scores of the target weeks."""
    week = record.scores["origin"] + pd.to_timedelta(7 * (record.scores["horizon"] - 1), unit="D")
    return record.scores[(week >= targets.first) & (week <= targets.last)]


def summary(record: BacktestRecord, targets: Targets = TRIALS) -> pd.DataFrame:
    """Mean scores, coverage and skill of each model over the target weeks, best CRPS first.

    Skill is NaN if the reference is not among the models.
    """
    scores = target_scores(record, targets)
    risk = record.risk[record.risk["origin"] >= targets.first]
    board = leaderboard(scores, risk, references=(REFERENCE,), rng=generator(1, "protocol")).set_index("model")
    active = {}
    for model, mine in scores[scores["activity"] == "active"].groupby("model", observed=True):
        value = mine.pivot_table(index=["origin", "horizon", "unit"], columns="score", values="value", observed=True)
        shares = central_coverage(value[["pit_below", "pit_upto"]].to_numpy())
        active[str(model)] = {f"active{100 * level:g}": s for level, s in zip(COVERAGE_LEVELS, shares, strict=True)}
    columns = ["crps", "log", "dss", *(f"cov{100 * level:g}" for level in COVERAGE_LEVELS)]
    briers = [name for name in board.columns if name.startswith("brier_")]
    right = board[["skill", "skill_low", "skill_high", *briers]]
    return board[columns].join(pd.DataFrame(active).T).join(right).rename_axis("model")


def main() -> None:
    """Run the protocol for all models in use, or for those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--countries", type=named_countries, default=COUNTRIES, help="names with commas, or all")
    parser.add_argument("--first", type=pd.Timestamp, default=TRIALS.first)
    parser.add_argument("--last", type=pd.Timestamp, default=TRIALS.last)
    parser.add_argument("--save", type=Path, help="write the table there")
    chosen = parser.parse_args()
    targets = Targets(chosen.first, chosen.last, chosen.countries)
    workspace = open_workspace(ROOT)
    names = list(dict.fromkeys([*(chosen.models or workspace.spec.models.use), REFERENCE]))
    models = [workspace.catalogue[name] for name in names]
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        record = protocol(models, Path(folder) / "protocol", workers=chosen.workers, targets=targets)
    board = summary(record, targets).round(5)
    print(board.to_string())
    print(f"{time.perf_counter() - begun:.0f} s with {chosen.workers} workers")
    results = Path(__file__).parent / "results"
    usual = results / "embedded_protocol.csv" if not chosen.models and targets == TRIALS else None
    if (path := chosen.save or usual) is not None:
        path.parent.mkdir(exist_ok=True)
        board.to_csv(path, lineterminator="\n")


if __name__ == "__main__":
    main()
