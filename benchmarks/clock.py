"""How work is measured, here and by the scripts of peers: nothing but the standard library, and little memory.

Seconds are those of the processor, which other work on the machine does not count; seconds by the clock stand beside
them where several processes work.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out" / "bench"
RUNS, ENOUGH, MOST = 5, 0.5, 200
"""A call is repeated at least so often, then until it has taken so many seconds, at most so often."""
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


def times() -> int:
    """Return how often what takes minutes is measured: 3, or what BENCH_TIMES says."""
    return int(os.environ.get("BENCH_TIMES", "3"))


def timed(work: Callable[[], Any], runs: int = RUNS) -> tuple[dict[str, float], Any]:
    """Return what a call costs, and what comes out of it.

    Parameters
    ----------
    work : callable
    runs : int
        Measured calls at least; one goes before them, which may compile. 0 for what takes long: that one is all.

    Returns
    -------
    cost : dict
        ``core_seconds``, the median of the warm calls; ``first``, of the one before; ``runs``, how many were warm.
    found : object
    """
    begun = time.process_time()
    found = work()
    first = time.process_time() - begun
    taken: list[float] = []
    while len(taken) < runs or (runs >= RUNS and sum(taken) < ENOUGH and len(taken) < MOST):
        begun = time.process_time()
        found = work()
        taken.append(time.process_time() - begun)
    return {"core_seconds": statistics.median(taken or [first]), "first": first, "runs": len(taken)}, found


def command(arguments: Sequence[str], runs: int = 1) -> dict[str, float]:
    """Run this interpreter some times; return medians of wall and processor seconds, and the peak of one process.

    Of processes that it started and waited for, the seconds are in there too. The peak is at least what this process
    holds, so callers stay small.
    """
    done = [_once([sys.executable, *arguments]) for _ in range(runs)]
    wall, cores, peak = zip(*done, strict=True)
    return {
        "seconds": statistics.median(wall),
        "core_seconds": statistics.median(cores),
        "peak_gib": max(peak),
        "runs": runs,
    }


def middle(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the run of median core-seconds."""
    return sorted(runs, key=lambda run: run["core_seconds"])[len(runs) // 2] | {"runs": len(runs)}


def surroundings() -> dict[str, str]:
    """Return the environment of a measured process: this checkout, one thread, byte code kept as users have it."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **ONE_THREAD}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


def _once(arguments: Sequence[str]) -> tuple[float, float, float]:
    begun = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=surroundings())
    errors = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 3}:
        raise RuntimeError(errors.decode(errors="replace"))
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss / unit
