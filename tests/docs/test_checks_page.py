"""The page of the checks and the registries agree."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from forecast.events.checks.finding import SEVERITIES
from forecast.events.checks.registry import EVENT_CHECKS
from forecast.jobs.check import check_workspace
from forecast.panel.checks.registry import PANEL_CHECKS
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
STATISTICAL = {
    *("first_of_month", "first_of_year", "silent_source"),
    *("unfinished_week", "silent_country", "sudden_gap", "level_shift"),
}
CHECKS = {**EVENT_CHECKS, **PANEL_CHECKS}


def sections(heading: str) -> dict[str, str]:
    """Return name and text of the sections below a heading of the second level."""
    part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert part
    pieces = re.split(r"^### (\w+)\n", part[1], flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_every_check_has_its_section_in_the_order_of_the_registry():
    assert list(sections("Checks of events")) == list(EVENT_CHECKS)
    assert list(sections("Checks of counts")) == list(PANEL_CHECKS)


def test_every_check_of_the_workspace_is_in_the_table():
    _, table = PAGE.split("\n## Checks of the workspace\n")
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    listed = {name.removesuffix(" <name>") for cell in first for name in re.findall(r"`([^`]+)`", cell)}
    results = check_workspace(open_workspace(reference_workspace()), dt.date(2026, 8, 3))
    assert {item.name.partition(" ")[0] for item in results} - set(CHECKS) == listed


def test_no_name_is_used_twice():
    assert len(CHECKS) == len(EVENT_CHECKS) + len(PANEL_CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_every_section_says_what_it_means_and_what_to_do(name):
    text = (sections("Checks of events") | sections("Checks of counts"))[name]
    meaning, _, advice = text.partition("*What to do:*")
    assert len(meaning.split()) >= 8
    assert len(advice.split()) >= 5


@pytest.mark.parametrize("name", sorted(STATISTICAL))
def test_statistical_checks_state_how_often_they_are_wrong(name):
    text = (sections("Checks of events") | sections("Checks of counts"))[name]
    assert re.search(r"\*False alarms:\*.*\d %", text, re.DOTALL)


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_is_whole(name):
    check = CHECKS[name]
    assert check.name == name
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert check.title
    assert not check.title.endswith(".")
    assert check.looks_for.endswith(".")
    assert check.hint.endswith(".")
    assert check.severity in SEVERITIES
