"""The pages on processes and on fitted models: their examples run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["hawkes", "space-time", "fitted-models"])
def test_the_examples_run(page, capsys):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:  # a later one goes on where an earlier one ended
        exec(compile(block, f"{page}.md", "exec"), names)
    assert ("Mopti" in capsys.readouterr().out) == (page != "space-time")
