"""What a backtest costs: ten fast models, 156 weekly origins, 30 regions, 8 weeks ahead, 1,000 paths; 1 and 2 workers.

Both write the same bytes, which is checked. Three minutes.

Run from the root of the project: python benchmarks/backtest.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from _measured import ROOT, TIMES, measured, write

from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.plan import BacktestPlan
from forecast.jobs.inputs import fit_panels, open_inputs, related_panels
from forecast.provenance import hash_file
from forecast.workspace import open_workspace

MODELS = (
    "zero",
    "last",
    "climatology-26",
    "climatology-52",
    "climatology-104",
    "window-negbin-26",
    "window-negbin-52",
    "discount-negbin",
    "direct-endemic",
    "excited-hurdle",
)
ORIGINS, HORIZON, DRAWS, REFIT = 156, 8, 1000, 13


def plan() -> BacktestPlan:
    """Return the backtest: the three countries of the reference workspace in the long dataset, regions only."""
    workspace = open_workspace(ROOT)
    models = tuple(workspace.catalogue[name] for name in MODELS)
    panels = related_panels(workspace, "west-africa-weekly", open_inputs(workspace).panels)
    fits = {key: panel for key, panel in fit_panels(workspace, models, panels).items() if key[1] == "region"}
    panel = panels["region"]
    return BacktestPlan(
        name="speed",
        panels={"region": panel},
        fit_panels=fits,
        models=models,
        escalations=workspace.spec.escalations,
        origins=panel.weeks[-ORIGINS - HORIZON : -HORIZON],
        horizon=HORIZON,
        refit_every=REFIT,
        draws=DRAWS,
        seed=1,
    )


def main() -> None:
    """Measure, and write benchmarks/results/backtest.json."""
    if len(sys.argv) == 3:
        run_backtest(plan(), Path(sys.argv[1]), workers=int(sys.argv[2]))
        return
    runs: dict[str, list[dict[str, float]]] = {"1": [], "2": []}
    with tempfile.TemporaryDirectory() as place:
        written = set()
        for number in range(TIMES):  # in turns, so that whatever else the machine does falls on both
            for workers, found in runs.items():
                folder = Path(place) / f"{workers}-{number}"
                found.append(measured([__file__, str(folder), workers]))
                written.add(tuple(hash_file(folder / name) for name in ("forecasts.parquet", "scores.parquet")))
    assert len(written) == 1, "the number of workers changed the result"
    figures: dict[str, Any] = {
        "models": len(MODELS),
        "origins": ORIGINS,
        "regions": len(plan().panels["region"].units),
        "horizon": HORIZON,
        "paths": DRAWS,
    }
    for workers, found in runs.items():
        figures[f"workers_{workers}"] = sorted(found, key=lambda run: run["seconds"])[TIMES // 2] | {"runs": TIMES}
    ratios = [one["seconds"] / two["seconds"] for one, two in zip(runs["1"], runs["2"], strict=True)]
    figures["times_as_fast"] = round(sorted(ratios)[TIMES // 2], 2)
    write("backtest", figures, ("workers_1", "workers_2"))


if __name__ == "__main__":
    main()
