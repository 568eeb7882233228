"""`forecast run` on the three embedded countries: the reference workspace with its models and their combination, 30
regions and 8 places, two backtests, the report, the brief and the pictures; two workers. Kernels are compiled already.
Memory is the peak of the largest process. "Of which" is what the run itself logs (`forecast run --cost`), of the first
run.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.clock import ROOT, command, middle, times

TITLE = "The main job"
CONTENT = ("data", "models", "reports", "forecast.toml")
FIRST = "a new workspace: nothing finished"
SECOND = "the week after a run: one week of new data"
AGAIN = "the same week, `--reissue`: the record is there"
DONE = "the same week again: issued already"


def measure() -> dict[str, Any]:
    """Measure four states of the caches."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in (FIRST, SECOND, AGAIN, DONE)}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = origin(ran(folder / "compiled")) - dt.timedelta(days=7)  # kernels are compiled, if they were not
        for number in range(times()):
            new, old = fresh(folder / f"new-{number}"), ran(folder / f"old-{number}", "--as-of", f"{before}")
            runs[FIRST].append(command(job(new)))
            runs[DONE].append(command(job(new)))
            runs[AGAIN].append(command(job(new, "--reissue")))
            runs[SECOND].append(command(job(old)))
            shutil.rmtree(old)
        spent, size = logged(new), written(new)
    tasks: dict[str, Any] = {name: middle(found) for name, found in runs.items()}
    tasks[FIRST]["counts"] = size
    tasks[FIRST]["parts"] = spent
    return {"tasks": tasks}


def fresh(folder: Path) -> Path:
    """Return a new copy of the reference workspace, without results."""
    folder.mkdir()
    for name in CONTENT:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    return folder


def job(workspace: Path, *more: str) -> list[str]:
    """Return the command of a run."""
    return ["-m", "forecast", "run", "--workspace", str(workspace), *more]


def ran(folder: Path, *more: str) -> Path:
    """Return a new workspace after a run."""
    command(job(fresh(folder), *more))
    return folder


def origin(workspace: Path) -> dt.date:
    """Return the origin of the latest run."""
    return max(dt.date.fromisoformat(path.name) for path in (workspace / "out" / "runs" / "weekly").iterdir())


def logged(workspace: Path) -> dict[str, float]:
    """Return what the first run of a workspace logged of its cost."""
    lines = [json.loads(line) for file in (workspace / "out" / "log").glob("run-*.jsonl") for line in file.open()]
    spent = next(line["core_seconds"] for line in lines if line["event"] == "cost")
    return {name: seconds for name, seconds in spent.items() if name != "total"}


def written(workspace: Path) -> dict[str, int]:
    """Return how much is published, and how much is kept beside it."""
    run = workspace / "out" / "runs" / "weekly" / f"{origin(workspace)}"
    sizes = {path: path.stat().st_size for path in (workspace / "out").rglob("*") if path.is_file()}
    page = sizes[run / "index.html"]
    return {"bytes of the page": page, "bytes in out/": sum(sizes.values())}
