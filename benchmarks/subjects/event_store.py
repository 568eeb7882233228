"""The store of events: an import of a million simulated events with the columns of a large export, the same again, a
corrected one (one in a hundred changed, one in a thousand gone), the history, and a panel of it. Imports simulate on
the way. Memory is the peak so far.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.events.record import Batch, Scope, event_frame
from forecast.events.store import EventStore
from forecast.panel.event_versions import COLUMNS, EventVersions
from forecast.panel.polygons import Polygons, polygons_from_geojson
from forecast.panel.vintage_panels import VersionCells
from forecast.panel.weeks import week_range

TITLE = "The store of events"
EVENTS, BATCH = 1_000_000, 50_000
FIRST, DAYS = pd.Timestamp("2000-01-01"), 9_100
SIDE = 20  # regions are the cells of a grid of so many by so many degrees


def simulated_batches(events: int, *, corrected: bool = False) -> Iterator[Batch]:
    """Give simulated events, the same at every call; `corrected`: some changed, some left out."""
    for start in range(0, events, BATCH):
        rng = np.random.default_rng([20260101, start])
        ids = np.arange(start, min(start + BATCH, events))
        count = len(ids)
        days = pd.Series(FIRST + pd.to_timedelta(rng.integers(0, DAYS, count), unit="D"))
        latitude, longitude = rng.uniform(0, SIDE, count).round(4), rng.uniform(0, SIDE, count).round(4)
        deaths = rng.poisson(1.5, count)
        if corrected:
            deaths = np.where(ids % 100 == 7, deaths + 1, deaths)
        cell = np.char.add("Region ", (latitude.astype(int) * SIDE + longitude.astype(int)).astype(str))
        frame = event_frame(
            {
                "event_id": np.char.add("SIM", ids.astype(str)),
                "source": np.full(count, "simulated"),
                "date": days,
                "date_start": days,
                "date_end": days,
                "date_precision": np.full(count, "day"),
                "latitude": latitude,
                "longitude": longitude,
                "place_precision": np.full(count, "point"),
                "country": np.full(count, "Simulia"),
                "admin1": cell,
                "location": np.char.add("Town ", rng.integers(0, 5000, count).astype(str)),
                "event_type": rng.choice(["Battles", "Protests", "Riots"], count),
                "fatalities": deaths,
                "release": np.full(count, "2" if corrected else "1"),
            }
        )
        if corrected:
            frame = frame[ids % 1000 != 3].reset_index(drop=True)
        yield Batch(frame, len(frame))


def peak_mib() -> float:
    """Return the peak of resident memory of this process so far."""
    if sys.platform == "win32":
        return float("nan")
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def steps_of(events: int, folder: Path) -> list[tuple[str, float, float]]:
    """Run all steps; return name, core-seconds and peak MiB of each."""
    store, steps = EventStore(folder), []
    scope = Scope((), FIRST, FIRST + pd.Timedelta(days=DAYS))

    def step(name: str, start: float) -> None:
        steps.append((name, time.process_time() - start, peak_mib()))

    start = time.process_time()
    for _ in simulated_batches(events):
        pass
    step("simulating alone", start)
    for name, corrected, day in (("first import", False, 1), ("same import again", False, 2), ("corrected", True, 3)):
        start = time.process_time()
        account = store.add(
            simulated_batches(events, corrected=corrected),
            source="simulated",
            known_at=dt.date(2025, 1, day),
            input_hash=f"{day:064x}",
            scope=scope,
        )
        step(f"{name} (+simulating)", start)
        expected = {1: (events, 0, 0), 2: (0, 0, 0)}.get(day)
        assert expected is None or (account.new, account.changed, account.deleted) == expected, account
    start = time.process_time()
    versions = EventVersions.packed(EventStore(folder).history("simulated", dt.date(2025, 1, 4), COLUMNS))
    step("history, packed", start)
    vintages = EventStore(folder).known("simulated")
    now = versions.stop == len(vintages)
    assert int(now.sum()) == events - account.deleted
    start = time.process_time()
    region, _ = versions.regions(regions(), ("Simulia",) * SIDE**2)
    step("400 regions", start)
    start = time.process_time()
    weeks = week_range(FIRST, FIRST + pd.Timedelta(days=7 * (DAYS // 7)))
    first = weeks[0].to_numpy().astype("datetime64[D]").astype(np.int32)
    cells = VersionCells((versions.day - first) // 7, region, versions.amount("events"), versions.start, versions.stop)
    counts = cells.counts(len(vintages) - 1, len(weeks), SIDE**2)
    step("panel as of a day", start)
    assert int(counts.sum()) == int(now.sum())
    return steps


def regions() -> Polygons:
    """Return the cells of the grid as polygons."""
    cells = [
        {
            "type": "Feature",
            "properties": {"region": f"Region {row * SIDE + column}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1], [column, row]]
                ],
            },
        }
        for row in range(SIDE)
        for column in range(SIDE)
    ]
    return polygons_from_geojson({"type": "FeatureCollection", "features": cells})


def measure(events: int = EVENTS) -> dict[str, Any]:
    """Measure all steps in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        steps = steps_of(events, Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    tasks: dict[str, Any] = {name: {"core_seconds": seconds, "peak_gib": peak / 1024} for name, seconds, peak in steps}
    tasks["corrected (+simulating)"]["counts"] = {"bytes on disk": size}
    return {"tasks": tasks}
