"""What the files around the code say of the version and the licence agrees with the package."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import forecast

ROOT = Path(__file__).parents[2]


def test_the_citation_names_this_version_and_licence():
    fields = dict(re.findall(r"^([a-z-]+): (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert fields["version"] == forecast.__version__
    assert fields["title"].strip('"').startswith(project["name"])
    assert fields["license"] == project["license"]


def test_the_licence_is_the_one_that_is_named():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("BSD 3-Clause License")
    assert "The escalation-forecast developers" in text


def test_the_changelog_has_a_place_for_what_comes_next():
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
