"""Ten fast models, 156 weekly origins, the 30 regions of three countries, 8 weeks ahead, 1,000 paths, refitted every
13 weeks. One and two workers write the same bytes, which is checked. Memory is the peak of the largest process. Calls
are those of Python functions in the blocks of one refit of all models, under a profiler.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.clock import ROOT, command, middle, times

TITLE = "A backtest"
MODELS = (
    *("zero", "last", "climatology-26", "climatology-52", "climatology-104"),
    *("window-negbin-26", "window-negbin-52", "discount-negbin", "direct-endemic", "excited-hurdle"),
)
ORIGINS, HORIZON, DRAWS, REFIT = 156, 8, 1000, 13
RATIO = "two workers over one, by the clock"


def measure() -> dict[str, Any]:
    """Measure both numbers of workers, in turns, so that whatever else the machine does falls on both."""
    runs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as place:
        written = set()
        for number in range(times()):
            for workers, found in runs.items():
                folder = Path(place) / f"{workers}-{number}"
                found.append(command(["-m", __spec__.name, str(folder), str(workers)]))
                written.add(tuple((folder / name).read_bytes() for name in ("forecasts.parquet", "scores.parquet")))
        if len(written) != 1:
            raise SystemExit("the number of workers changed the result")
        calls = profiled(Path(place))
    tasks: dict[str, Any] = {f"{workers} worker{'s' * (workers > 1)}": middle(found) for workers, found in runs.items()}
    tasks["1 worker"]["counts"] = {"calls in one refit": calls}
    ratio = statistics.median(two["seconds"] / one["seconds"] for one, two in zip(runs[1], runs[2], strict=True))
    return {"tasks": tasks, "ratios": {RATIO: ratio}}


def profiled(place: Path) -> int:
    """Return how many Python functions the blocks of one refit call, the second time: nothing is imported any more."""
    from forecast.evaluation.backtest import run_backtest  # noqa: PLC0415 - the measuring process stays small before

    for name in ("warm", "counted"):
        planned = plan(REFIT)
        profile = cProfile.Profile()
        profile.enable()
        run_backtest(planned, place / name, workers=1)
        profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # not in its stubs


def plan(origins: int = ORIGINS) -> Any:
    """Return the backtest: the three countries of the reference workspace in the long dataset, regions only."""
    from forecast.evaluation.plan import BacktestPlan  # noqa: PLC0415 - as above
    from forecast.jobs.inputs import fit_panels, open_inputs, related_panels  # noqa: PLC0415
    from forecast.workspace import open_workspace  # noqa: PLC0415

    workspace = open_workspace(ROOT)
    models = tuple(workspace.catalogue[name] for name in MODELS)
    panels = related_panels(workspace, "west-africa-weekly", open_inputs(workspace).panels)
    fits = {key: panel for key, panel in fit_panels(workspace, models, panels).items() if key[1] == "region"}
    panel = panels["region"]
    return BacktestPlan(
        name="speed",
        panels={"region": panel},
        fit_panels=fits,
        models=models,
        escalations=workspace.spec.escalations,
        origins=panel.weeks[-origins - HORIZON : -HORIZON],
        horizon=HORIZON,
        refit_every=REFIT,
        draws=DRAWS,
        seed=1,
    )


def backtest(folder: Path, workers: int) -> None:
    """Run the backtest as `forecast backtest` does: workers start before this process imports what it needs."""
    from forecast.memory import keep_memory  # noqa: PLC0415 - as above
    from forecast.workers import woken  # noqa: PLC0415

    keep_memory()
    with woken(workers, "forecast.evaluation.blocks_ahead"):
        from forecast.evaluation.backtest import run_backtest  # noqa: PLC0415

        run_backtest(plan(), folder, workers=workers)


if __name__ == "__main__":
    backtest(Path(sys.argv[1]), int(sys.argv[2]))
