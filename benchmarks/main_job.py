"""What the main job costs: `forecast run` on the embedded three countries, with two workers, and how fast help appears.

Four states of the caches: nothing finished yet (kernels are compiled already), the week after a first run, all blocks
finished, and the same origin once more, where nothing is left to do. Ten minutes.

Run from the root of the project: python benchmarks/main_job.py
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from _measured import ROOT, TIMES, measured, write

CONTENT = ("data", "models", "reports", "forecast.toml")


def fresh(folder: Path) -> Path:
    """Return a new copy of the reference workspace, without results."""
    folder.mkdir()
    for name in CONTENT:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    return folder


def job(workspace: Path, *more: str) -> list[str]:
    """Return the command of a run."""
    return ["-m", "forecast", "run", "--workspace", str(workspace), *more]


def published(workspace: Path) -> dt.date:
    """Return the origin of the latest run."""
    return max(dt.date.fromisoformat(path.name) for path in (workspace / "out" / "runs" / "weekly").iterdir())


def core_seconds(workspace: Path) -> dict[str, float]:
    """Return what the first run of a workspace logged of its cost."""
    lines = [json.loads(line) for file in (workspace / "out" / "log").glob("run-*.jsonl") for line in file.open()]
    return next(line["core_seconds"] for line in lines if line["event"] == "cost")


def middle(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the run of median length."""
    return sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2] | {"runs": len(runs)}


def main() -> None:
    """Measure, and write benchmarks/results/main_job.json."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        measured(job(fresh(folder / "compiled")))  # kernels are compiled, if they were not
        runs = []
        for number in range(TIMES):
            workspace = fresh(folder / f"first-{number}")
            runs.append(measured(job(workspace)))
        figures["first_run"] = middle(runs)
        figures["first_run_by_model"] = core_seconds(workspace)
        figures["finished_blocks"] = measured(job(workspace, "--reissue"), TIMES)
        figures["nothing_to_do"] = measured(job(workspace), TIMES)
        before = published(workspace) - dt.timedelta(days=7)
        weeks = []
        for number in range(TIMES):
            workspace = fresh(folder / f"second-{number}")
            measured(job(workspace, "--as-of", f"{before}"))
            weeks.append(measured(job(workspace)))
        figures["second_week"] = middle(weeks)
    figures["help"] = measured(["-m", "forecast", "--help"], 15)
    figures["import_typer_rich"] = measured(["-c", "import typer, rich"], 15)
    figures["import_forecast"] = measured(["-c", "import forecast.jobs.issue"], 5)
    figures["help_ratio"] = round(figures["help"]["seconds"] / figures["import_typer_rich"]["seconds"], 2)
    write("main_job", figures, ("first_run", "second_week", "finished_blocks", "import_forecast"))


if __name__ == "__main__":
    main()
