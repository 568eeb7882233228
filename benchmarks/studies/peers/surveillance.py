"""A simulated panel for `surveillance.R`, and what that script says of it.

As a script: writes ``tests/reference/surveillance_hhh4.json``, the panel with R's estimates and versions.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from forecast.families.endemic_epidemic.weights import Pairs
from forecast.simulation.grid import square_grid

SCRIPT = Path(__file__).with_suffix(".R")
FIXTURE = Path(__file__).resolve().parents[3] / "tests" / "reference" / "surveillance_hhh4.json"
WEEKS, REGIONS, SEED = 156, 16, 3


def available() -> bool:
    """Tell whether R and the package surveillance are here."""
    if not shutil.which("Rscript"):
        return False
    code = 'quit(status = !requireNamespace("surveillance", quietly = TRUE))'
    return subprocess.run(["Rscript", "-e", code], check=False, capture_output=True).returncode == 0


def simulated() -> tuple[np.ndarray, np.ndarray]:
    """Draw counts of shape (weeks, units) whose regions differ in all three components; and the orders."""
    rng = np.random.default_rng(SEED)
    neighbours = square_grid(REGIONS).neighbours
    pairs = Pairs.by_order(neighbours, REGIONS)
    orders = sparse.coo_array((pairs.apart, (pairs.giver, pairs.receiver)), shape=(REGIONS, REGIONS)).toarray()
    own, near, base = (np.exp(log + 0.4 * rng.standard_normal(REGIONS)) for log in np.log([0.25, 0.3, 0.6]))
    power = np.where((orders > 0) & (orders <= 4), np.maximum(orders, 1.0) ** -2.5, 0.0)
    power /= power.sum(axis=1, keepdims=True)
    counts = np.zeros((WEEKS, REGIONS), dtype=np.int64)
    for week in range(1, WEEKS):
        season = np.exp(0.5 * np.sin(2 * np.pi * week / 52))
        mean = own * counts[week - 1] + near * (counts[week - 1] @ power) + base * season
        counts[week] = rng.poisson(mean * rng.gamma(1.5, 1 / 1.5, REGIONS))
    return counts, orders.astype(np.int64)


def ask(counts: np.ndarray, orders: np.ndarray) -> dict[str, Any]:
    """Return what R estimates on a panel."""
    with tempfile.TemporaryDirectory() as folder:
        header = ",".join(f"u{at}" for at in range(counts.shape[1]))
        np.savetxt(Path(folder) / "counts.csv", counts, fmt="%d", delimiter=",", header=header, comments="")
        np.savetxt(Path(folder) / "order.csv", orders, fmt="%d", delimiter=",")
        subprocess.run(["Rscript", str(SCRIPT), folder], check=True, capture_output=True)
        found: dict[str, Any] = json.loads((Path(folder) / "answer.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    panel, order = simulated()
    answer = ask(panel, order)
    FIXTURE.write_text(
        json.dumps({**answer, "counts": panel.tolist(), "orders": order.tolist()}) + "\n", encoding="utf-8"
    )
    print(json.dumps(answer, indent=1))
