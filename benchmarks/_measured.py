"""A command measured from outside, and the machine described: what the benchmarks of speed share."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MOST_GROWTH = 1.3
TIMES = int(os.environ.get("BENCH_TIMES", "3"))
"""How often what takes long is measured."""


def measured(command: Sequence[str], times: int = 1, **environment: str) -> dict[str, float]:
    """Run a command some times; return medians of wall and processor seconds, and the peak of memory of one process.

    Parameters
    ----------
    command : sequence of str
        Arguments of this interpreter.
    times : int
    **environment : str
        Added to that of this process.
    """
    runs = [_once(command, environment) for _ in range(times)]
    wall, cores, peak = zip(*runs, strict=True)
    return {
        "seconds": round(statistics.median(wall), 3),
        "core_seconds": round(statistics.median(cores), 3),
        "peak_gib": round(max(peak), 3),
        "runs": times,
    }


def write(name: str, figures: dict[str, Any], guarded: Sequence[str]) -> None:
    """Write figures with the machine that they were measured on, show them, and hold them to those committed.

    Parameters
    ----------
    name : str
        Of the file in benchmarks/results.
    figures : dict
    guarded : sequence of str
        Keys whose core-seconds, as a multiple of those of a fixed piece of work in the same run, may not be more than
        `MOST_GROWTH` times what they were. Another machine changes both sides of that ratio.

    Raises
    ------
    SystemExit
        If one is; the new figures are written all the same.
    """
    path, unit = RESULTS / f"{name}.json", _yardstick()
    before = json.loads(path.read_text(encoding="utf-8"))["in_yardsticks"] if path.exists() else {}
    ratios = {key: round(figures[key]["core_seconds"] / unit, 2) for key in guarded}
    content = {"machine": machine(), **figures, "yardstick": round(unit, 3), "in_yardsticks": ratios}
    text = json.dumps(content, indent=2)
    path.write_text(f"{text}\n", encoding="utf-8")
    print(text)
    slower = [key for key in ratios if ratios[key] > MOST_GROWTH * before.get(key, ratios[key])]
    if slower:
        raise SystemExit(f"slower than what was committed: {', '.join(slower)}")


def _yardstick() -> float:
    """Return the core-seconds of sorting and of random numbers, which no change of this project touches."""
    found = []
    for _ in range(5):
        began = time.process_time()
        rng = np.random.default_rng(1)
        for _ in range(10):
            np.sort(rng.gamma(0.5, size=1_000_000))
        found.append(time.process_time() - began)
    return statistics.median(found)


def machine() -> dict[str, object]:
    """Return what a reader needs to compare seconds with their own."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _once(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float, float]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # as users have it: byte code is kept
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=variables
    )
    errors = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) not in {0, 3}:
        raise RuntimeError(errors.decode(errors="replace"))
    # What its own children used is in these figures too, once it has waited for them.
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
