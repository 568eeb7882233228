"""Regions are found as people spell them, in datasets and in tables, and so are those of related datasets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from forecast.config import parse
from forecast.errors import InputError
from forecast.jobs.inputs import fit_panels, open_inputs, related_panels
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.reference import reference_workspace
from forecast.workspace import Workspace, WorkspaceSpec, open_workspace

ROOT = Path(__file__).parents[2]
REST = """
[[escalations]]
name = "any"
rule = "any_event"
weeks = 4
[models]
use = ["zero"]
headline = "zero"
[report]
name = "weekly"
"""


def workspace(root: Path, data: str, wanted: str) -> Workspace:
    text = f'title = "T"\n[data]\n{data}\n[regions]\n{wanted}\n{REST}'
    return Workspace(root, parse(WorkspaceSpec, tomllib.loads(text), where="forecast.toml"), {})


def test_names_in_a_dataset_and_its_related_one():
    of_set = workspace(ROOT, 'set = "sahel-2026-weekly"', 'names = ["Timbuktu", "Mali/Segou"]')
    inputs = open_inputs(of_set)
    assert inputs.regions.units.names == ("Mali/Ségou", "Mali/Tombouctou")
    related = related_panels(of_set, "west-africa-weekly", inputs.panels)
    assert related["region"].units.names == ("Mali/Ségou", "Mali/Tombouctou")


def test_names_in_a_table(tmp_path):
    rows = [f"2026-01-{day},{name},{country},1" for day in ("03", "10") for name, country in
            (("Ségou", "Mali"), ("Tombouctou", "Mali"), ("Lagunes", "Ivory Coast"))]  # fmt: skip
    (tmp_path / "counts.csv").write_text("\n".join(["week,region,country,events", *rows]), encoding="utf-8")
    data = 'table = "counts.csv"\ncolumns = { country = "country" }'
    chosen = workspace(tmp_path, data, 'names = ["Segou region"]\ncountries = ["Côte d\'Ivoire"]')
    assert set(open_inputs(chosen).regions.units.names) == {"Ségou", "Lagunes"}
    assert len(open_inputs(workspace(tmp_path, data, "")).regions.units) == 3
    with pytest.raises(InputError, match=r"unknown regions 'Sgou', 'Gao'(.|\n)*'Ségou' for 'Sgou'"):
        open_inputs(workspace(tmp_path, data, 'names = ["Sgou", "Gao", "Timbuktu"]'))


def test_a_radius_that_the_long_dataset_lacks_takes_its_nearest_one():
    """Single events can be counted within any radius; the long set holds 50, 100 and 150 km."""
    reference = open_workspace(reference_workspace())
    inputs, models = open_inputs(reference), [reference.catalogue["discount-negbin"]]
    for wanted, taken in (([100, 75], {100}), ([10], {50}), ([500, 60], {50, 150}), ([50, 150], {50, 150})):
        units = Units.of(
            [f"Bamako {radius} km" for radius in wanted], kind="place", latitude=[12.65] * len(wanted),
            longitude=[-8.0] * len(wanted), radius_km=[float(radius) for radius in wanted],
        )  # fmt: skip
        weeks = inputs.regions.weeks
        places = Panel.of(np.zeros((len(weeks), len(wanted)), int), weeks, units)
        found = fit_panels(reference, models, {"region": inputs.regions, "place": places})
        assert set(found["west-africa-weekly", "place"].units.radius_km) == taken
        assert ("west-africa-weekly", "region") in found


def test_places_of_a_radius_that_a_related_dataset_lacks_are_left_out():
    reference = open_workspace(reference_workspace())
    first, *others = reference.spec.places
    odd = first.model_copy(update={"radius_km": 75})
    spec = reference.spec.model_copy(update={"places": (odd, *others)})
    inputs = open_inputs(reference)
    related = related_panels(Workspace(reference.root, spec, reference.catalogue), "west-africa-weekly", inputs.panels)
    assert related["place"].units.names == tuple(place.unit for place in others)
