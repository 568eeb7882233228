"""How long `forecast site` takes for two years of weekly issues, with their reports.

Issues 104 forecasts of the three countries of the embedded data with two cheap models, which takes some minutes, and
then builds the archive three times.

Run from the root of the project: python benchmarks/site.py
"""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import time
from pathlib import Path

from forecast.jobs.issue import Choices, issue_forecast
from forecast.jobs.new_workspace import create_workspace
from forecast.jobs.run_log import Clock, RunLog
from forecast.jobs.site import build_site
from forecast.reference import reference_workspace
from forecast.workspace import Workspace, open_workspace

FIRST, WEEKS, BUILDS = dt.date(2017, 12, 2), 104, 3
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


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = make(Path(folder) / "workspace")
        began = time.perf_counter()
        issue_all(workspace)
        print(f"{WEEKS} issues with their reports: {time.perf_counter() - began:.0f} s")
        took = []
        for _ in range(BUILDS):
            began, used = time.perf_counter(), time.process_time()
            built = build_site(workspace)
            took.append((time.perf_counter() - began, time.process_time() - used))
        if built.issues != WEEKS or built.reports != WEEKS:
            raise SystemExit(f"{built.issues} issues and {built.reports} reports instead of {WEEKS}")
        wall, processor = (statistics.median(each) for each in zip(*took, strict=True))
        print(
            f"{built.issues} issues, {built.units} regions and places, {built.files} files, {built.size / 1e6:.0f} MB: "
            f"{wall:.1f} s, {processor:.1f} s of processor time (medians of {BUILDS})"
        )


if __name__ == "__main__":
    main()
