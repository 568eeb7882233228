"""The gallery: its code runs as it stands there, and shows every chart in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import plotly.graph_objects as go
import pytest
from PIL import Image

from forecast import plots

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")


def test_the_code_runs_and_draws_every_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: dict[str, list[object]] = {name: [] for name in plots.__all__}

    def kept(name: str):
        chart = getattr(plots, name)
        return lambda *frames, **settings: figures[name].append(chart(*frames, **settings))

    for name in plots.__all__:
        monkeypatch.setattr(plots, name, kept(name))
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(block, "gallery.md", "exec"), names)
    assert {name: [type(figure) for figure in found] for name, found in figures.items()} == {
        name: [go.Figure] for name in plots.__all__
    }


def test_every_chart_has_its_pictures() -> None:
    shown = re.findall(r"!\[[^\]]+\]\((images/gallery/[^)]+)\)", PAGE)
    assert sorted(shown) == sorted(
        f"images/gallery/{name}-{theme}.png" for name in plots.__all__ for theme in ("light", "dark")
    )
    for name in plots.__all__:
        light, dark = (Image.open(DOCS / f"images/gallery/{name}-{theme}.png") for theme in ("light", "dark"))
        with light, dark:
            assert light.size == dark.size
            assert light.convert("L").getpixel((1, 1)) > 200 > 60 > dark.convert("L").getpixel((1, 1))
