"""The key below a chart: how much room it takes, and the colours of classes in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from forecast.plots.theme import MUTED

KEY_ROW = 20
"""Pixels of a row of the key."""
NARROW = 50
"""Pixels that the name of a class takes in the key."""


def key_rows(traces: Sequence[Any]) -> int:
    """Return how many rows of the key are kept free: those that it has on a telephone."""
    return -(-sum(bool(trace.showlegend) for trace in traces) // 3)


def class_scale(colours: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a heat map whose values are positions among these colours.

    Examples
    --------
    >>> class_scale(("#ffffff", "#000000"))["colorscale"]
    [[0.0, '#ffffff'], [0.5, '#ffffff'], [0.5, '#000000'], [1.0, '#000000']]
    """
    ends = [round(at / len(colours), 6) for at in range(len(colours) + 1)]
    scale = [[ends[at + side], colour] for at, colour in enumerate(colours) for side in (0, 1)]
    grid: dict[str, Any] = {"zmin": -0.5, "zmax": len(colours) - 0.5, "xgap": 1, "ygap": 1, "hoverongaps": False}
    return {"colorscale": scale, "showscale": False, **grid}


def swatches(named: Sequence[tuple[str, str]]) -> list[go.Scatter]:
    """Return what puts names with their colours into the key and nothing onto the drawing.

    Parameters
    ----------
    named : sequence of (name, colour)
    """
    nowhere: list[Any] = [None]
    return [
        go.Scatter(
            x=nowhere,
            y=nowhere,
            mode="markers",
            marker={"color": colour, "size": 12, "symbol": "square", "line": {"color": MUTED, "width": 0.5}},
            name=name,
            showlegend=True,
            hoverinfo="skip",
        )
        for name, colour in named
    ]
