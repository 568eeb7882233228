"""How soon the command answers: a process of Python each, from nothing. Modules are those that it has imported. Memory
is never less than the 0.03 GiB of the process that measures.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

from benchmarks.clock import command, surroundings

TITLE = "Start and imports"
RUNS = 15
COMMANDS = {
    "python -c 'import typer, rich'": ("-c", "import typer, rich"),
    "forecast --help": ("-m", "forecast", "--help"),
    "forecast run --help": ("-m", "forecast", "run", "--help"),
    "python -c 'import forecast'": ("-c", "import forecast"),
    "all that a run imports": ("-c", "import forecast.jobs.issue"),
}
RATIO = "`forecast --help` over `import typer, rich`"


def measure() -> dict[str, Any]:
    """Measure each command, in turns, so that whatever else the machine does falls on all."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            found[name].append(command(arguments))
    tasks = {
        name: {
            **{key: statistics.median(run[key] for run in runs) for key in ("seconds", "core_seconds", "peak_gib")},
            "runs": RUNS,
            "counts": {"modules": modules(COMMANDS[name])},
        }
        for name, runs in found.items()
    }
    plain, ours = (tasks[name]["core_seconds"] for name in list(tasks)[:2])
    return {"tasks": tasks, "ratios": {RATIO: ours / plain}}


def modules(arguments: tuple[str, ...]) -> int:
    """Return how many modules a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True, env=surroundings()
    )
    return done.stderr.count("import time:") - 1
