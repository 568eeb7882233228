"""The pages of docs/explanation quote figures that the script beside their pictures finds."""

from __future__ import annotations

import csv
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
QUOTED = {
    "probability": {
        "statements of 25 to 35 %": "There were {}",
        "their mean": "on average they said {} %",
        "came true": "an event came after {} %",
    },
    "scores": {
        "CRPS of discount-negbin in the example": "`discount-negbin` got {} and",
        "CRPS of climatology-52 in the example": "weeks, {}: it",
        "probability of the count by discount-negbin": "had given {} % to",
        "probability of the count by climatology-52": "`climatology-52` {} %",
    },
    "calibration": {"weeks in the picture": "In these {}", "weeks outside": "weeks {} dots"},
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A folder of the pictures and figures as they are made now."""
    spec = importlib.util.spec_from_file_location("score_pictures", DOCS / "score_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("pictures")
    module.main(folder)
    return folder


def figures(folder: Path) -> dict[str, str]:
    """Return the figures of a folder of pictures."""
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return {row["figure"]: row["value"] for row in csv.DictReader(file)}


def test_the_figures_are_those_of_today(found):
    assert figures(found) == figures(DOCS / "images")


def test_the_pictures_are_those_of_today(found):
    for path in found.glob("*.svg"):
        old, new = (
            re.sub(r"[-\d.]+", "0", each.read_text(encoding="utf-8")) for each in (DOCS / "images" / path.name, path)
        )
        assert old == new, f"python docs/score_pictures.py: {path.name}"


@pytest.mark.parametrize("page", QUOTED)
def test_the_pages_quote_them(page):
    text = " ".join((DOCS / "explanation" / f"{page}.md").read_text(encoding="utf-8").split())
    known = figures(DOCS / "images")
    for name, sentence in QUOTED[page].items():
        assert sentence.format(known[name]) in text, name


def test_the_tables_quote_them():
    known = figures(DOCS / "images")
    models = ("discount-negbin", "climatology-52", "last")
    scores = (DOCS / "explanation" / "scores.md").read_text(encoding="utf-8")
    for model in models:
        row = " | ".join(known[f"{score} of {model}"] for score in ("CRPS", "log score", "Brier score"))
        assert re.search(rf"\| `{model}`[^|]*\| {re.escape(row)} \|", scores)
    ranges = (DOCS / "explanation" / "calibration.md").read_text(encoding="utf-8")
    for level in (50, 80, 95):
        row = " | ".join(f"{known[f'{level} % range of {model}, active regions']} %" for model in models)
        assert f"| {level} % | {row} |" in ranges
