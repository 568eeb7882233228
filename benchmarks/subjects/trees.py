"""Trees on large panels: simulated grids of 520 weeks, 1 % of the region-weeks with events; a fit, and 1,000 paths
over 8 weeks. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.clock import ROOT, surroundings

TITLE = "Trees on large panels"
MODELS = ("tree-forest", "tree-boosting")
CELLS, WEEKS = (300, 1_000, 3_000, 10_000), 520


def measure() -> dict[str, Any]:
    """Measure each model and size in a process of its own."""
    tasks, ratios = {}, {}
    for name in MODELS:
        for cells in CELLS:
            command = [sys.executable, "-m", __name__, name, str(cells)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=surroundings(), cwd=ROOT)
            tasks[f"{name}, {cells:,} regions"] = json.loads(done.stdout)
        seconds = [tasks[f"{name}, {cells:,} regions"]["core_seconds"] for cells in CELLS]
        slope = float(np.polyfit(np.log(CELLS), np.log(seconds), 1)[0])
        ratios[f"{name}: power of the number of regions with which the time grows"] = slope
    return {"tasks": tasks, "ratios": ratios}


def one(name: str, cells: int) -> dict[str, float]:
    """Fit and forecast one panel."""
    from benchmarks.grid import grid_panel  # noqa: PLC0415 - the measuring process stays small
    from forecast.provenance import generator  # noqa: PLC0415
    from forecast.workspace import open_workspace  # noqa: PLC0415

    family = open_workspace(ROOT).catalogue[name].build()
    family.fit(grid_panel(30, WEEKS), generator(1, name)).predict(8, 10, generator(1, name))  # compiles
    panel = grid_panel(cells, WEEKS)
    begun = time.process_time()
    family.fit(panel, generator(1, name)).predict(8, 1000, generator(1, name))
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"core_seconds": spent, "peak_gib": peak}


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1], int(sys.argv[2]))))
