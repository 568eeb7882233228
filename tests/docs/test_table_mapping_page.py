"""The page on table mappings: its example runs as it says, and it lists all keys, roles, tags and faults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from forecast.events.hxl import TAGS
from forecast.events.mapping_spec import FaultsSection, Role, TableMapping, read_mapping
from forecast.events.store import EventStore

PAGE = (Path(__file__).parents[2] / "docs" / "table-mapping.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the first block of code in a language."""
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def section(title: str) -> set[str]:
    """Return what stands as code in the tables of a section."""
    text = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`([^`]+)`", row)}


def test_the_example_gives_what_the_page_shows(forecast, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("incidents.csv").write_text(block("csv"), encoding="utf-8")
    Path("incidents.toml").write_text(block("toml"), encoding="utf-8")
    command, *shown = block("console").splitlines()
    done = forecast(*command.removeprefix("$ forecast ").split())
    assert (done.code, done.out.splitlines()) == (0, shown)
    events = EventStore(tmp_path / "data" / "events").as_of(sources=["mission"]).set_index("event_id")
    assert events["treatment"].to_dict() == {"M-001": "kept", "M-002": "kept", "M-003": "spread", "M-004": "flagged"}
    assert (events["latitude"]["M-001"], events["country"]["M-001"]) == (15.6597, "Mali")
    assert events["event_type"]["M-004"] == "Explosions/Remote violence"
    assert events["date"]["M-003"].month == 2


def test_the_faults_may_stand_in_the_same_mapping(tmp_path):
    path = tmp_path / "incidents.toml"
    path.write_text(block("toml") + re.findall(r"^\[faults\]\n.*?^```", PAGE, re.M | re.S)[0][:-3], encoding="utf-8")
    assert read_mapping(path).faults.coordinates == "drop"


def test_every_key_role_tag_and_fault_is_on_the_page():
    keys = {key.strip("[]").removesuffix(".ROLE") for key in section("Keys")}
    assert set(TableMapping.model_fields) <= keys
    roles = section("Roles")
    assert set(get_args(Role)) <= roles
    assert {tag for tag in roles if tag.startswith("#")} == {
        next(tag for tag in tags if tag in roles) for tags in TAGS.values()
    }
    assert set(FaultsSection.model_fields) <= section("Faults")
