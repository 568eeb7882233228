"""The page on the risk near a place: its commands run as they stand there, and those of the help name real points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shapely.geometry import Point, shape

from forecast.jobs.inputs import open_inputs
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = re.findall(r"^    forecast (.+)$", (DOCS / "place-risk.md").read_text(encoding="utf-8"), re.MULTILINE)


def run(forecast, command, *more):
    # The history is tested elsewhere; here it would take most of the time.
    quick = ["--workers", "1", "--no-history"] if command.startswith("place") else []
    done = forecast(*command.split(), *quick, *more)
    assert done.code == 0, (command, done.err)


def test_the_commands_on_simulated_events_run_in_their_order(tmp_path, monkeypatch, forecast):
    monkeypatch.chdir(tmp_path)
    mine = [command for command in COMMANDS if "demo" in command]
    assert len(mine) == 2
    for command in mine:
        run(forecast, command)


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if "demo" not in command])
def test_the_commands_on_the_embedded_counts_run(tmp_path, monkeypatch, forecast, command):
    monkeypatch.setenv("FORECAST_FOLLOW_LINKS", "1")
    for name in ("forecast.toml", "data", "models", "reports"):
        (tmp_path / name).symlink_to(reference_workspace() / name)
    run(forecast, command, "--workspace", tmp_path)


def test_points_in_help_and_documents_lie_in_the_sahel(forecast):
    """Latitude and longitude have been exchanged there before."""
    regions = [
        shape(dict(geometry)) for geometry in open_inputs(open_workspace(reference_workspace())).polygons.values()
    ]
    texts = [forecast("place", "--help").out, (DOCS / "event-store.md").read_text(encoding="utf-8")]
    for text in texts:
        points = re.findall(r"--latlon (-?[\d.]+),(-?[\d.]+)", text)
        assert points
        for latitude, longitude in points:
            assert any(region.covers(Point(float(longitude), float(latitude))) for region in regions)
