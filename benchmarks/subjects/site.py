"""`forecast site` for half a year of weekly issues of the three embedded countries with their reports, with two cheap
models and a short backtest: 26 issues are made with their reports, two workers, then the archive three times.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.clock import timed
from forecast.jobs.issue import Choices, issue_forecast
from forecast.jobs.new_workspace import create_workspace
from forecast.jobs.run_log import Clock, RunLog
from forecast.jobs.site import build_site
from forecast.reference import reference_workspace
from forecast.workspace import Workspace, open_workspace

TITLE = "The archive of issues"
FIRST, WEEKS, BUILDS = dt.date(2019, 6, 1), 26, 3
COUNTRIES = ["Mali", "Burkina Faso", "Niger"]
MODELS = '"discount-negbin", "window-negbin-52"'


def make(folder: Path) -> Workspace:
    """Return a workspace of the embedded counts with few models and a short backtest."""
    create_workspace(folder, open_workspace(reference_workspace()), "west-africa-weekly", COUNTRIES)
    config = folder / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    for key in ("use", "members"):
        start, end = text.index(f"{key} = ["), text.index("]", text.index(f"{key} = ["))
        text = f"{text[:start]}{key} = [{MODELS}{text[end:]}"
    start = text.index("[backtest]")
    text = text[:start] + text[start:].replace("origins = 104", "origins = 4", 1)
    config.write_text(text, encoding="utf-8")
    return open_workspace(folder)


def issue_all(workspace: Workspace) -> None:
    """Issue the forecast of each week two days after it begins."""
    for week in range(WEEKS):
        origin = FIRST + dt.timedelta(days=7 * week)
        moment = dt.datetime.combine(origin, dt.time(6), dt.UTC) + dt.timedelta(days=2)
        log = RunLog(workspace.out / "log", Clock(lambda moment=moment: moment, time.monotonic))  # type: ignore[misc]
        issue_forecast(workspace, Choices(as_of=origin, workers=2), log)


def measure() -> dict[str, Any]:
    """Issue, and build."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make(Path(folder) / "workspace")
        issue_all(workspace)
        cost, built = timed(lambda: build_site(workspace), runs=BUILDS)
        if built.issues != WEEKS or built.reports != WEEKS:
            raise SystemExit(f"{built.issues} issues and {built.reports} reports instead of {WEEKS}")
    counts = {"files": built.files, "bytes": built.size}
    return {"tasks": {f"an archive of {WEEKS} issues": cost | {"counts": counts}}}
