"""What is printed and summarised of malicious data: text, and nothing that a reader of PDF or JSON would run."""

from __future__ import annotations

import json
import re

import pytest

from forecast.reporting.summary import read_summary

ACTIONS = (b"/JS", b"/JavaScript", b"/Launch", b"/URI", b"/OpenAction", b"/AA", b"/EmbeddedFile", b"/RichMedia")


@pytest.fixture(scope="module")
def published(attacked):
    (page,) = (attacked.folder / "out" / "runs").rglob("index.html")
    return page.parent


def test_the_brief_has_two_pages_and_no_action(published):
    pdf = (published / "brief.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 2
    objects = re.sub(rb"stream\r?\n.*?\r?\nendstream", b"", pdf, flags=re.DOTALL)
    assert not [action for action in ACTIONS if re.search(action + rb"\b", objects)]
    assert b"planted" not in objects
    assert b"\x1b" not in objects


def test_the_pictures_are_named_by_their_place_not_by_data(published):
    names = {path.name for path in published.glob("*.png")}
    assert names == {"map.png", *(f"fan-{place}.png" for place in range(1, 6)), "reliability.png"}


def test_the_summary_has_the_names_as_plain_text(published, malicious):
    text = (published / "summary.json").read_text(encoding="utf-8")
    assert malicious.acting_in(text) == []
    summary = read_summary(published)
    assert set(malicious.HONEST) <= {unit.name for unit in summary.units}
    assert not [unit for unit in summary.units if malicious.acting_in(unit.title)]
    assert json.loads(text)["title"].startswith("<script>")
