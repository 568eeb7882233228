"""What a backtest costs a cell, for the [sizing table](scaling.md#how-long-how-much-memory): blocks of one and of
three origins on a simulated grid of 600 cells and 780 weeks, 8 weeks ahead, 1,000 paths. Their difference is two
origins (update, forecast, scores, risks), the rest of the first one is the fit.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.clock import ROOT
from benchmarks.grid import grid_panel
from benchmarks.subjects.scale_up import DRAWS, HORIZON, RULES, SEED, WEEKS
from forecast.evaluation.blocks import compute_block
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.panel.panel import Panel
from forecast.workspace import open_workspace

TITLE = "What a cell costs"
MODELS = (
    *("zero", "climatology-52", "window-negbin-52", "discount-negbin", "endemic-epidemic", "direct-endemic"),
    *("glm-negbin", "excited-hurdle", "grid-filter", "dynamic-poisson-gamma", "tree-forest"),
)
CELLS, MORE = 600, 2


def measure() -> dict[str, Any]:
    """Measure each model."""
    panel, small, tasks = grid_panel(CELLS, WEEKS), grid_panel(30, WEEKS), {}
    for name in MODELS:
        block_seconds(small, name, 1)  # loads machine code
        one = min(block_seconds(panel, name, 1)[0] for _ in range(2))
        several, kept = block_seconds(panel, name, 1 + MORE)
        origin = max(several - one, 0.0) / MORE
        tasks[name] = {
            "core_seconds": several,
            "counts": {"bytes kept": kept},
            "a_cell": {
                "fit_ms": 1000 * max(one - origin, 0.0) / CELLS,
                "origin_ms": 1000 * origin / CELLS,
                "kept_bytes_an_origin": kept / CELLS / (1 + MORE),
            },
        }
    return {"tasks": tasks}


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
