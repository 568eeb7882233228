"""Many events in the store: memory and time; `benchmarks/subjects/event_store.py` does the same with a million."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURE = "import json; from benchmarks.subjects.event_store import measure; print(json.dumps(measure(500_000)))"


@pytest.mark.slow
def test_half_a_million_events_stay_small_and_come_back_in_seconds() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    tasks = json.loads(done.stdout)["tasks"]
    assert set(tasks) >= {"first import (+simulating)", "corrected (+simulating)", "panel as of a day"}
    assert max(task["peak_gib"] for task in tasks.values()) < 0.8
    assert tasks["history, packed"]["core_seconds"] + tasks["panel as of a day"]["core_seconds"] < 10
