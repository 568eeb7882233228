"""Time and memory of models on large panels: simulated grids of 300 to 10,000 cells, 520 weeks, 1 % of them active.

One fit, and 1,000 paths over 8 weeks, in seconds of the processor. Each panel is in a process of its own, whose peak of
memory is its own.

    python benchmarks/scaling.py
    python benchmarks/scaling.py tree-forest
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from embedded_protocol import ROOT
from endemic_epidemic import CELLS, grid_panel

from forecast.provenance import generator
from forecast.workspace import open_workspace

MODELS = ("tree-forest", "tree-boosting")


def measure(name: str, cells: int) -> None:
    """Fit and forecast one panel; prints a row."""
    family = open_workspace(ROOT).catalogue[name].build()
    family.fit(grid_panel(30), generator(1, name)).predict(8, 10, generator(1, name))  # compile
    panel = grid_panel(cells)
    begun = time.process_time()
    fitted = family.fit(panel, generator(1, name))
    fit = time.process_time() - begun
    fitted.predict(8, 1000, generator(1, name))
    whole = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{cells} {(panel.counts > 0).mean():.4f} {fit:.2f} {whole:.2f} {peak:.2f}", *fitted.remarks)


def compare(name: str) -> None:
    """Print a row for each size, and the exponent."""
    print(f"{name}: cells, active share, fit s, fit and forecast s, peak GiB")
    times = []
    for cells in CELLS:
        command = [sys.executable, __file__, name, "--cells", str(cells)]
        row = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        print(row, flush=True)
        times.append(float(row.split()[3]))
    print(f"time grows as cells to the power of {np.polyfit(np.log(CELLS), np.log(times), 1)[0]:.2f}")


def main() -> None:
    """Compare the sizes for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS, help="specs in models/")
    parser.add_argument("--cells", type=int, help="one panel of one model")
    chosen = parser.parse_args()
    for name in chosen.models:
        if chosen.cells:
            measure(name, chosen.cells)
        else:
            compare(name)


if __name__ == "__main__":
    main()
