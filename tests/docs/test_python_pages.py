"""The pages on processes and on fitted models: their examples run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_the_session_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["record"].models[0] == "direct-endemic"
    assert (tmp_path / "mopti.html").stat().st_size > 10_000


@pytest.mark.parametrize("page", ["hawkes", "space-time", "fitted-models"])
def test_the_examples_run(page, capsys):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:  # a later one goes on where an earlier one ended
        exec(compile(block, f"{page}.md", "exec"), names)
    assert ("Mopti" in capsys.readouterr().out) == (page != "space-time")
