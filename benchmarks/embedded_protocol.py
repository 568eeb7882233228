"""The forecast trials' protocol on the embedded counts: every model of the reference workspace, targets 2017 to 2019.

Mali, Burkina Faso and Niger: 30 first-level regions, weekly origins, horizons 1 to 8, all target weeks that start in
2017 to 2019, refit every 13 weeks, 1,000 paths. Writes ``benchmarks/results/embedded_protocol.csv`` and prints it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.calibration import COVERAGE_LEVELS, central_coverage
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec
from forecast.panel.dataset import Dataset
from forecast.workspace import open_workspace

ROOT = Path(__file__).parent.parent
COUNTRIES = ("Mali", "Burkina Faso", "Niger")
FIRST, LAST = pd.Timestamp("2017-01-01"), pd.Timestamp("2019-12-31")
HORIZON = 8


def protocol(models: list[ModelSpec], folder: Path, *, workers: int = 2) -> BacktestRecord:
    """Back-test some models under the protocol; the record holds target weeks outside of it as well."""
    workspace = open_workspace(ROOT)
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=COUNTRIES)
    first = panel.weeks.searchsorted(FIRST)
    plan = BacktestPlan(
        name="embedded-protocol",
        panels={"region": panel},
        fit_panels={},
        models=tuple(models),
        escalations=workspace.spec.escalations,
        origins=panel.weeks[first - HORIZON + 1 :],
        horizon=HORIZON,
        refit_every=13,
        draws=1000,
        seed=1,
    )
    return run_backtest(plan, folder, workers=workers)


def summary(record: BacktestRecord) -> pd.DataFrame:
    """Mean scores and coverage of each model over the target weeks of the protocol, best CRPS first."""
    scores = record.scores
    week = scores["origin"] + pd.to_timedelta(7 * (scores["horizon"] - 1), unit="D")
    scores = scores[(week >= FIRST) & (week <= LAST)]
    rows = {}
    for model, mine in scores.groupby("model", observed=True):
        value = mine.pivot_table(
            index=["origin", "horizon", "unit", "activity"], columns="score", values="value", observed=True
        )
        row = {"crps": value["crps"].mean(), "log": value["log"].mean(), "dss": value["dss"].mean()}
        active = value.index.get_level_values("activity") == "active"
        for name, chosen in {"cov": value, "active": value[active]}.items():
            shares = central_coverage(chosen[["pit_below", "pit_upto"]].to_numpy())
            row |= {f"{name}{100 * level:g}": share for level, share in zip(COVERAGE_LEVELS, shares, strict=True)}
        rows[str(model)] = row
    board = pd.DataFrame(rows).T.sort_values("crps").rename_axis("model")
    risk = record.risk[(record.risk["origin"] >= FIRST)]
    brier = risk.pivot_table(index="model", columns="escalation", values="brier", observed=True)
    return board.join(brier.add_prefix("brier_"))


def main() -> None:
    """Run the protocol for all models in use, or for those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    workspace = open_workspace(ROOT)
    names = chosen.models or list(workspace.spec.models.use)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        record = protocol(
            [workspace.catalogue[name] for name in names], Path(folder) / "protocol", workers=chosen.workers
        )
    board = summary(record).round(5)
    print(board.to_string())
    print(f"{time.perf_counter() - begun:.0f} s with {chosen.workers} workers")
    if not chosen.models:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        board.to_csv(results / "embedded_protocol.csv", lineterminator="\n")


if __name__ == "__main__":
    main()
