"""Draw the pictures of ``docs/gallery.md``: run the code of the page, each chart by matplotlib in both themes."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from forecast import plots

PAGE = Path(__file__).with_name("gallery.md")
PICTURES = Path(__file__).parent / "images" / "gallery"
DOTS_PER_INCH, COLOURS = 120, 96


def blocks(page: Path = PAGE) -> list[str]:
    """Return the code of the page; a later block goes on where an earlier one ended."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def drawn() -> dict[str, Any]:
    """Run the page; return the figures by chart and theme."""
    figures: dict[str, Any] = {}

    def twice(name: str) -> Any:
        chart = getattr(plots, name)

        def draw(*frames: Any, **settings: Any) -> None:
            for theme in ("light", "dark"):
                figures[f"{name}-{theme}"] = chart(*frames, **settings, backend="matplotlib", theme=theme)

        return draw

    names: dict[str, Any] = {}
    for block in blocks():
        exec(compile(ast.parse(block), PAGE.name, "exec"), names)  # noqa: S102 - our own page
        names["plots"] = SimpleNamespace(**{name: twice(name) for name in plots.__all__})
    return figures


def main() -> None:
    """Write the pictures, with few colours, so that they are small."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, figure in drawn().items():
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=DOTS_PER_INCH)
        picture = Image.open(stream).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        picture.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
