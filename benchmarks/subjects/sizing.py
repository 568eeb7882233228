"""What a backtest costs a cell, for the sizing table of docs/scaling.md: core-seconds of one fit and of one origin.

Blocks of one and of three origins on a simulated grid of 780 weeks, 8 weeks ahead, 1,000 paths; their difference is two
origins (update, forecast, scores, risks), the rest of the first one is the fit.

    python benchmarks/sizing.py
    python benchmarks/sizing.py --cells 300 --models zero,discount-negbin
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import endemic_epidemic
import numpy as np
from embedded_protocol import ROOT
from endemic_epidemic import grid_panel
from scale_up import DRAWS, HORIZON, RULES, SEED, WEEKS, machine, peak, rounded

from forecast.evaluation.blocks import compute_block
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.panel.panel import Panel
from forecast.provenance import versions
from forecast.workspace import open_workspace

RESULTS = Path(__file__).parent / "results" / "sizing.json"
MODELS = (
    *("zero", "climatology-52", "window-negbin-52", "discount-negbin", "endemic-epidemic", "direct-endemic"),
    *("glm-negbin", "excited-hurdle", "grid-filter", "dynamic-poisson-gamma", "tree-forest"),
)
MORE = 2


def block_seconds(panel: Panel, name: str, origins: int) -> tuple[float, int]:
    """Core-seconds of a block, and the bytes that are kept of it."""
    model = open_workspace(ROOT).catalogue[name]
    days = panel.weeks[-HORIZON - 1 - MORE :][:origins]
    plan = BacktestPlan(
        name="sizing",
        panels={"region": panel},
        fit_panels={},
        models=(model,),
        escalations=RULES,
        origins=days,
        horizon=HORIZON,
        refit_every=10_000,
        draws=DRAWS,
        seed=SEED,
    )
    (block,) = plan_blocks(plan)
    begun = time.process_time()
    content = compute_block(block)
    return time.process_time() - begun, len(content)


def main() -> None:
    """Measure each model and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), help="specs in models/")
    parser.add_argument("--cells", type=int, default=600)
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the results go")
    chosen = parser.parse_args()
    endemic_epidemic.WEEKS = WEEKS
    panel, small = grid_panel(chosen.cells), grid_panel(30)
    found = {}
    for name in chosen.models.split(","):
        block_seconds(small, name, 1)  # loads machine code
        one = min(block_seconds(panel, name, 1)[0] for _ in range(2))
        several, kept = block_seconds(panel, name, 1 + MORE)
        origin = (several - one) / MORE
        found[name] = {
            "fit_ms_a_cell": 1000 * max(one - origin, 0.0) / chosen.cells,
            "origin_ms_a_cell": 1000 * origin / chosen.cells,
            "kept_bytes_a_cell_and_origin": kept / chosen.cells / (1 + MORE),
        }
        print(name, rounded(found[name]), flush=True)
    means = {part: float(np.mean([each[part] for each in found.values()])) for part in next(iter(found.values()))}
    what = {"cells": chosen.cells, "weeks": WEEKS, "horizon": HORIZON, "draws": DRAWS, "simulated": True}
    result = {"what": what, "machine": machine(), "versions": versions(), "models": found, "mean": means}
    result["peak_gib"] = peak()
    chosen.json.write_text(json.dumps(rounded(result), indent=2) + "\n")


if __name__ == "__main__":
    main()
