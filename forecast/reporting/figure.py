"""A figure of the page: a Plotly figure with a fixed id, a caption and a text for those who cannot see it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from forecast.plain_text import still


@dataclass(frozen=True)
class Figure:
    """One drawing with what stands around it.

    Parameters
    ----------
    anchor : str
        Id of the element, the same at every rendering.
    label : str
        One sentence for screen readers: what is drawn, and what it shows.
    caption : str
        Text below the drawing.
    plot : plotly Figure
    aspect : float, optional
        Width over height that the drawing keeps where the page is narrow.
    """

    anchor: str
    label: str
    caption: str
    plot: go.Figure
    aspect: float | None = None

    @property
    def height(self) -> int:
        """Pixels that the page keeps free for it."""
        return int(self.plot.layout.height)

    def data(self) -> dict[str, Any]:
        """Return traces and layout as plain lists, numbers and strings."""
        content: dict[str, Any] = self.plot.to_plotly_json()
        content["layout"].pop("template", None)
        return {"data": content["data"], "layout": content["layout"]}


def as_script(content: Mapping[str, Any]) -> str:
    r"""Return JSON that can stand inside a script element whatever its strings hold.

    Examples
    --------
    >>> as_script({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = still(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def by_anchor(figures: Iterable[Figure]) -> dict[str, dict[str, Any]]:
    """Return the data of the figures by their ids."""
    return {figure.anchor: figure.data() for figure in figures}
