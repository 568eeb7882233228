"""Each notebook runs as a script, without a warning of the arithmetic, and writes its page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "reports" / "notebooks").glob("[!_]*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook):
    page = ROOT / "out" / "notebooks" / f"{notebook.stem}.html"
    page.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(notebook)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "<h1>" in text
    if notebook.stem == "08-partial-pooling":
        answer = text.split("<p>")[1].split("</p>")[0]
        assert all(region in answer for region in ("Bamako", "Kayes", "Sikasso", "Mopti"))
