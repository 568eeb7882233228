"""Many events in the store: memory and time; `benchmarks/event_store.py` does the same with 5 million."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "event_store.py"


@pytest.mark.slow
def test_half_a_million_events_stay_small_and_come_back_in_seconds() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--events", "500000"], capture_output=True, text=True, check=True
    )
    steps = {
        name.strip(): (float(seconds), float(peak))
        for name, seconds, peak in re.findall(r"^(.+?) +([\d.]+) s +peak +(\d+) MiB$", done.stdout, flags=re.M)
    }
    assert set(steps) >= {"first import (+simulating)", "corrected (+simulating)", "panel as of a day"}
    assert max(peak for _, peak in steps.values()) < 800
    assert steps["history, packed"][0] + steps["panel as of a day"][0] < 10
