"""The machine, and a fixed piece of work that no change of this project touches."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np


def machine() -> dict[str, object]:
    """Return what a reader needs to compare seconds with their own."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if sys.platform != "win32" else 0
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if sys.platform != "win32" else None,
    }


def yardstick() -> float:
    """Return the core-seconds of sorting and of random numbers, a median of five."""
    found = []
    for _ in range(5):
        begun = time.process_time()
        rng = np.random.default_rng(1)
        for _ in range(10):
            np.sort(rng.gamma(0.5, size=1_000_000))
        found.append(time.process_time() - begun)
    return statistics.median(found)
