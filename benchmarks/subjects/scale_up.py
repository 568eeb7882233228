"""Time and memory of a weekly forecast of grids of up to 10,000 cells: 780 weeks, 8 weeks ahead, 1,000 joint paths.

Each model is fitted, predicts, and its quantiles, heads of distributions and risks are written by
`forecast.predictive.unit_stream`. Counts are simulated: one cell in four can have events. Each size is in a process of
its own, whose peak of memory is its own; seconds are those of the processor, machine code loaded before.

    python benchmarks/scale_up.py
    python benchmarks/scale_up.py --sizes 1250,2500 --json out/scale_up.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import endemic_epidemic
import numpy as np
import psutil
import pyarrow.parquet as pq
from embedded_protocol import ROOT
from endemic_epidemic import grid_panel

from forecast.predictive.escalation import AboveRecent, AnyEvent
from forecast.predictive.forecast import Forecast
from forecast.predictive.unit_stream import write_streamed
from forecast.provenance import generator, hash_file, versions
from forecast.workspace import open_workspace

RESULTS = Path(__file__).parent / "results" / "scale_up.json"
SIZES = (1250, 2500, 5000, 10000)
MODELS = ("window-negbin-52", "discount-negbin", "endemic-epidemic")
WEEKS, HORIZON, DRAWS, SEED = 780, 8, 1000, 1
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
RULES = (
    AnyEvent(name="any_in_4_weeks", rule="any_event", weeks=4),
    AboveRecent(name="above_recent", rule="above_recent", weeks=4, window=52),
)


def peak() -> float:
    """The most memory that this process has held so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(cells: int, models: tuple[str, ...]) -> dict:
    """Forecast one panel with all models."""
    endemic_epidemic.WEEKS = WEEKS
    families = {name: open_workspace(ROOT).catalogue[name].build() for name in models}
    small = grid_panel(30)
    for name, family in families.items():
        family.fit(small, generator(SEED, name)).predict(HORIZON, 10, generator(SEED, name))
    panel, spent, held = grid_panel(cells), dict[str, dict[str, float]](), peak()

    def forecasts() -> Iterator[Forecast]:
        for name, family in families.items():
            begun = time.process_time()
            fitted = family.fit(panel, generator(SEED, "fit", name))
            between = time.process_time()
            found = fitted.predict(HORIZON, DRAWS, generator(SEED, "predict", name)).named(name)
            done = time.process_time()
            spent[name] = {"fit": between - begun, "predict": done - between, "peak_gib": peak()}
            yield found
            del found, fitted
            spent[name]["write"] = time.process_time() - done

    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "run"
        begun = time.process_time()
        write_streamed(folder, forecasts(), RULES, panel, levels=LEVELS)
        seconds = time.process_time() - begun
        files = {
            path.name: {
                "bytes": path.stat().st_size,
                "rows": pq.read_metadata(path).num_rows,
                "sha256": hash_file(path),
            }
            for path in sorted(folder.iterdir())
        }
    return {
        "cells": cells,
        "core_seconds": seconds,
        "peak_gib": peak(),
        "panel_gib": held,
        "models": spent,
        "files": files,
    }


def exponent(sizes: list[float], seconds: list[float]) -> float:
    """Slope of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def rounded(value: object) -> object:
    """The same with numbers that can be read."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 2) if isinstance(value, float) else value


def machine() -> dict[str, object]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": psutil.virtual_memory().total / 2**30,
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "threads_of_each_process": 1,
    }


def main() -> None:
    """Measure the sizes, each in a process of its own, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of cells")
    parser.add_argument("--models", default=",".join(MODELS), help="specs in models/")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--cells", type=int, help="one size, in this process, to stdout")
    chosen = parser.parse_args()
    models = tuple(chosen.models.split(","))
    if chosen.cells:
        print(json.dumps(measure(chosen.cells, models)))
        return
    runs = []
    for cells in map(int, chosen.sizes.split(",")):
        command = [sys.executable, __file__, "--cells", str(cells), "--models", chosen.models]
        surroundings = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=surroundings)
        runs.append(json.loads(done.stdout))
        print(f"{cells} cells: {runs[-1]['core_seconds']:.0f} core-seconds, {runs[-1]['peak_gib']:.2f} GiB", flush=True)
    sizes = [run["cells"] for run in runs]
    result = {
        "what": {"weeks": WEEKS, "horizon": HORIZON, "draws": DRAWS, "models": models, "simulated": True},
        "machine": machine(),
        "versions": versions(),
        "runs": runs,
        "exponent": exponent(sizes, [run["core_seconds"] for run in runs]),
        "exponents": {
            name: exponent(
                sizes, [sum(run["models"][name][part] for part in ("fit", "predict", "write")) for run in runs]
            )
            for name in models
        },
    }
    chosen.json.write_text(json.dumps(rounded(result), indent=2) + "\n")
    print(f"core-seconds grow as cells to the power of {result['exponent']:.2f}")


if __name__ == "__main__":
    main()
