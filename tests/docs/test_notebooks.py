"""The notebooks: each runs and answers its question, and has the same cells for Jupyter beside it.

Only a short one runs here. `make notebooks` runs all, and CI does so after the tests.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "reports" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.py"))


def test_the_notebooks_are_numbered():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{at:02d}" for at in range(1, len(NOTEBOOKS) + 1)]


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_pair_has_the_same_cells_and_no_outputs(script):
    cells, pair = jupytext.read(script).cells, nbformat.read(script.with_suffix(".ipynb"), as_version=4).cells
    again = "`python reports/notebooks/_execute.py --pair` writes it"
    assert [(cell.cell_type, cell.source) for cell in pair] == [(cell.cell_type, cell.source) for cell in cells], again
    assert not any(cell.get("outputs") for cell in pair)


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_starts_with_a_question_and_ends_with_the_answer(script):
    cells = [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "markdown"]
    assert "?" in cells[0]
    assert cells[-1] == "## The answer"


def page_of(name: str) -> str:
    """Run a notebook, and return the words of its page."""
    done = subprocess.run(
        [sys.executable, FOLDER / "_execute.py", name],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (page,) = (ROOT / "out" / "notebooks").glob(f"{name}*.html")
    plain = re.sub(r"<(script|style|details).*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", plain))


def test_the_first_notebook_answers():
    answer = page_of("01").partition("The answer")[2]
    assert re.search(r"more likely than not in: .*Mali/Mopti \d+%", answer)
    assert "base rate" in answer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("02", r"Best is [a-z-]+: it saves \d\.\d% of the CRPS"),
        ("03", r"an event came within 100 km of Bamako in \d+; the stated"),
        ("04", r"outer tenths of the PIT of busy regions came 1\.\d\d times"),
        ("05", r"These are SIMULATED events"),
        ("06", r"Two memories have a CRPS of 0\.\d{4}"),
        ("07", r"one event in Mopti seems to bring about 0\.\d\d others"),
        ("08", r"Bamako.*Kayes.*Sikasso.*Mopti"),
    ],
)
def test_every_notebook_answers(name, said):
    assert re.search(said, page_of(name).partition("The answer")[2], re.DOTALL)


def test_a_notebook_that_is_not_there_is_told():
    command = [sys.executable, FOLDER / "_execute.py", "99"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "no notebook begins with 99; there are 01-first-forecast" in done.stderr
