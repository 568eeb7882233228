"""docs/benchmarks.md is what its script makes of the committed results."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def speed_page(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    before = set(sys.modules)
    import _speed_page

    yield _speed_page
    for name in set(sys.modules) - before:
        if name in {"_measured", "_speed_page"}:
            del sys.modules[name]


def test_the_page_is_of_the_committed_results(speed_page):
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == speed_page.page()
