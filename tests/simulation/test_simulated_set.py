"""Simulated sets are read like real ones, are always labelled, and the same seed gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.events.table import read_events
from forecast.panel.dataset import Dataset
from forecast.panel.from_events import panel_from_events
from forecast.panel.polygons import neighbours_from_polygons, read_polygons
from forecast.simulation.simulate import simulate
from forecast.simulation.simulated_set import simulate_set

KINDS = ["poisson", "negbin", "endemic-epidemic", "hawkes"]


@pytest.mark.parametrize("kind", KINDS)
def test_read_back(tmp_path: Path, kind: str) -> None:
    simulated = simulate_set(kind, tmp_path / "set", weeks=60, regions=9, seed=3)
    dataset = Dataset.open(tmp_path / "set")
    panel = dataset.region_panel()
    assert (panel.counts == simulated.panel.counts).all()
    assert panel.observed.all()
    assert panel.units.names == simulated.grid.units.names
    assert panel.weeks[0].isoformat() == "2000-01-01T00:00:00"
    assert panel.origin == simulated.panel.origin
    border = simulated.grid.neighbours.border_km.toarray()
    assert panel.neighbours.border_km.toarray() == pytest.approx(border, abs=0.01)
    places = dataset.place_panel([("Town 1", 100), ("Town 2", 50)])
    expected = simulated.places.select(["Town 1 100 km", "Town 2 50 km"])
    assert (places.counts == expected.counts).all()
    assert places.counts.sum() > 0
    events = read_events(tmp_path / "set" / "events.csv", region="region")
    counted = panel_from_events(events, simulated.grid.polygons, first=panel.weeks[0], last=panel.weeks[-1])
    assert (counted.counts == panel.counts).all()
    polygons = read_polygons(tmp_path / "set" / "regions.geojson")
    assert polygons.names == panel.units.names
    assert neighbours_from_polygons(polygons).border_km.nnz == panel.neighbours.border_km.nnz
    assert set(dataset.hashes()) == {path.name for path in (tmp_path / "set").iterdir()}


@pytest.mark.parametrize("kind", KINDS)
def test_labelled_as_simulated_with_its_truth(tmp_path: Path, kind: str) -> None:
    simulated = simulate_set(kind, tmp_path / "set", weeks=10, regions=4, seed=3)
    content = json.loads((tmp_path / "set" / "datapackage.json").read_text())
    assert content["simulated"] is True
    assert content["title"].startswith("SIMULATED")
    assert content["seed"] == 3
    assert content["truth"] == json.loads(simulated.truth.model_dump_json())
    assert content["settings"] == json.loads(simulated.settings.model_dump_json())
    dataset = Dataset.open(tmp_path / "set")
    for panel in (dataset.region_panel(), dataset.place_panel([("Town 1", 150)]), simulated.panel, simulated.places):
        assert panel.simulated
        assert panel.source.startswith("SIMULATED")
    assert dataset.note().title.startswith("SIMULATED")
    assert any("simulated" in limit for limit in dataset.note().limits)
    assert simulated.events.simulated


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bytes(tmp_path: Path, kind: str) -> None:
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        simulate_set(kind, tmp_path / name, weeks=30, regions=5, seed=seed)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert (tmp_path / "a" / "events.csv").read_bytes() != (tmp_path / "c" / "events.csv").read_bytes()


def test_settings_are_checked() -> None:
    for kind, settings, expected in [
        ("poison", {}, "unknown kind of simulation 'poison'(.|\n)*'poisson'"),
        ("hawkes", {"branchng": 0.5}, "unknown key 'branchng'(.|\n)*did you mean 'branching'"),
        ("hawkes", {"branching": 1.0}, "branching = 1.0(.|\n)*less than 1"),
        ("poisson", {"mean": float("nan")}, "mean = nan"),
        ("endemic-epidemic", {"own": 0.9, "neighbour": 0.2}, "counts explode"),
        ("negbin", {"size": 0}, "size = 0"),
    ]:
        with pytest.raises(InputError, match=expected):
            simulate(kind, weeks=5, regions=4, seed=1, settings=settings)
    for arguments in ({"weeks": 0}, {"weeks": 9999}, {"regions": 0}, {"seed": -1}):
        with pytest.raises(InputError):
            simulate("poisson", **{"weeks": 5, "regions": 4, "seed": 1} | arguments)
    with pytest.raises(InputError, match=r"events(.|\n)*at most 5000000"):
        simulate("poisson", weeks=1000, regions=10, seed=1, settings={"mean": 1e5})


def test_settings_change_what_is_simulated() -> None:
    few = simulate("poisson", weeks=50, regions=4, seed=1, settings={"mean": 0.1, "spread": 0})
    assert few.truth.model_dump() == {"mean": (0.1,) * 4}
    assert few.panel.counts.mean() < 0.3


def test_only_simulated_sets_are_replaced(tmp_path: Path) -> None:
    target = tmp_path / "set"
    target.mkdir()
    simulate_set("poisson", target, weeks=5, regions=2, seed=1)
    before = (target / "events.csv").read_bytes()
    simulate_set("poisson", target, weeks=5, regions=2, seed=2)
    assert (target / "events.csv").read_bytes() != before
    other = tmp_path / "mine"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="mine exists and is no simulated dataset"):
        simulate_set("poisson", other, weeks=5, regions=2, seed=1)
    assert (other / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "set"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The description is written last; without it the folder never appears."""
    monkeypatch.setattr("forecast.simulation.simulated_set._head", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        simulate_set("poisson", tmp_path / "set", weeks=5, regions=2, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_tiny_sets(tmp_path: Path) -> None:
    simulated = simulate_set("negbin", tmp_path / "set", weeks=1, regions=1, seed=1, settings={"mean": 50})
    panel = Dataset.open(tmp_path / "set").region_panel()
    assert panel.counts.tolist() == simulated.panel.counts.tolist()
    assert np.isfinite(panel.units.latitude).all()


def test_nothing_happened(tmp_path: Path) -> None:
    """A set without any event is all zeros, around places too."""
    simulate_set("poisson", tmp_path / "set", weeks=5, regions=4, seed=1, settings={"mean": 1e-6})
    dataset = Dataset.open(tmp_path / "set")
    for panel in (dataset.region_panel(), dataset.place_panel([("Town 1", 100)])):
        assert panel.observed.all()
        assert panel.counts.sum() == 0
