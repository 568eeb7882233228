"""Regions are found as people spell them, in datasets and in tables, and so are those of related datasets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from forecast.config import parse
from forecast.errors import InputError
from forecast.jobs.inputs import open_inputs, related_panels
from forecast.workspace import Workspace, WorkspaceSpec

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
