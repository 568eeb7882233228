"""A weekly forecast of grids of up to 10,000 cells: 780 weeks, 8 weeks ahead, 1,000 joint paths, three models one
after the other, from the fits to the files, which `forecast.predictive.unit_stream` writes. Counts are simulated: one
cell in four can have events. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.clock import ROOT, surroundings
from benchmarks.grid import grid_panel
from forecast.memory import keep_memory
from forecast.predictive.escalation import AboveRecent, AnyEvent
from forecast.predictive.forecast import Forecast
from forecast.predictive.unit_stream import write_streamed
from forecast.provenance import generator
from forecast.workspace import open_workspace

TITLE = "Many cells on one machine"
SIZES = (1_250, 2_500, 5_000, 10_000)
MODELS = ("window-negbin-52", "discount-negbin", "endemic-epidemic")
WEEKS, HORIZON, DRAWS, SEED = 780, 8, 1000, 1
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
RULES = (
    AnyEvent(name="any_in_4_weeks", rule="any_event", weeks=4),
    AboveRecent(name="above_recent", rule="above_recent", weeks=4, window=52),
)
RATIO = "power of the number of cells with which the time grows"


def measure() -> dict[str, Any]:
    """Measure the sizes, each in a process of its own."""
    tasks = {}
    for cells in SIZES:
        command = [sys.executable, "-m", __name__, str(cells)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=surroundings(), cwd=ROOT)
        tasks[f"{cells:,} cells"] = json.loads(done.stdout)
    seconds = [task["core_seconds"] for task in tasks.values()]
    return {"tasks": tasks, "ratios": {RATIO: float(np.polyfit(np.log(SIZES), np.log(seconds), 1)[0])}}


def one(cells: int) -> dict[str, Any]:
    """Forecast one panel with all models."""
    families = {name: open_workspace(ROOT).catalogue[name].build() for name in MODELS}
    small = grid_panel(30, WEEKS)
    for name, family in families.items():
        family.fit(small, generator(SEED, name)).predict(HORIZON, 10, generator(SEED, name))
    panel, parts = grid_panel(cells, WEEKS), dict.fromkeys(MODELS, 0.0)

    def forecasts() -> Iterator[Forecast]:
        for name, family in families.items():
            begun = time.process_time()
            fitted = family.fit(panel, generator(SEED, "fit", name))
            yield fitted.predict(HORIZON, DRAWS, generator(SEED, "predict", name)).named(name)
            del fitted
            parts[name] = time.process_time() - begun

    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "run"
        begun = time.process_time()
        write_streamed(folder, forecasts(), RULES, panel, levels=LEVELS)
        spent = time.process_time() - begun
        files = sorted(folder.iterdir())
        counts = {f"bytes of {file.name}": file.stat().st_size for file in files}
        if pq.read_metadata(folder / "forecasts.parquet").num_rows != len(MODELS) * HORIZON * cells:
            raise SystemExit("not every cell, week and model was written")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"core_seconds": spent, "peak_gib": peak, "counts": counts, "parts": parts}


if __name__ == "__main__":
    keep_memory()  # as the commands do
    print(json.dumps(one(int(sys.argv[1]))))
