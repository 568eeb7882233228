"""Small multiples: the fans of several regions or places side by side, on the same scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from forecast.errors import InputError, unknown_name
from forecast.language import date, say
from forecast.plots.chart import Backend, Chart, Theme, chart, number_axis, shown, week_axis
from forecast.plots.charts.fan import PAST, Fan, fan_data, fan_traces
from forecast.plots.columns import tidy
from forecast.plots.names import short_labels
from forecast.plots.theme import INK, MUTED, literal

_PANEL, _BETWEEN = 96, 44
"""Pixels: height of a panel, and of the gap with the name of the next."""
_GAP = 0.05
"""Share of the width between columns."""


def small_multiples(
    frame: pd.DataFrame,
    history: pd.DataFrame | None = None,
    *,
    units: Sequence[str] = (),
    columns: int = 2,
    same_scale: bool = True,
    past: int = PAST,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return a fan chart for each of several regions or places.

    Parameters
    ----------
    frame, history : DataFrame
        As of `forecast.plots.fan`, of several units.
    units : sequence of str
        Which ones, in this order; all, in the order of the frame, if not given.
    columns : int, default 2
        Panels side by side; two can be read on a telephone.
    same_scale : bool, default True
        Whether all panels have the same axis of counts. Otherwise each has its own.
    past : int, default 30
        The most observed weeks to show.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        As `forecast.plots.fan`; for a unit that the frame does not have, and fewer than one column.

    Examples
    --------
    >>> rows = [(unit, "2026-08-01", q, v) for unit in ("Gao", "Mopti") for q, v in ((0.1, 0), (0.5, 2), (0.9, 5))]
    >>> figure = small_multiples(pd.DataFrame(rows, columns=["unit", "week", "quantile", "value"]))
    >>> [note.text for note in figure.layout.annotations]
    ['<b>Gao</b>', '<b>Mopti</b>']
    """
    if columns < 1:
        raise InputError(f"{columns} columns", expected="at least 1")
    fans = small_multiples_data(frame, history, units=units, past=past)
    first, after = min(data.span[0] for data in fans), max(data.span[1] for data in fans)
    origin = fans[0].ahead["week"].iloc[0]
    top = max(data.top for data in fans)
    short = short_labels([data.unit for data in fans])
    rows = -(-len(fans) // columns)
    height = rows * _PANEL + (rows - 1) * _BETWEEN
    traces: list[Any] = []
    axes: dict[str, Any] = {}
    notes, lines = [], []
    for at, data in enumerate(fans):
        row, column = divmod(at, columns)
        number = str(at + 1) if at else ""
        upper = 1 - row * (_PANEL + _BETWEEN) / height
        wide = (1 - _GAP * (columns - 1)) / columns
        left = column * (wide + _GAP)
        own = top if same_scale else data.top
        last_in_column = at + columns >= len(fans)
        axes[f"xaxis{number}"] = {
            **week_axis(first, after, 4 if columns < 3 else 3),
            "domain": [round(left, 4), round(left + wide, 4)],
            "anchor": f"y{number}",
            "showticklabels": last_in_column,
        }
        axes[f"yaxis{number}"] = {
            "domain": [round(max(upper - _PANEL / height, 0), 4), round(upper, 4)],
            "anchor": f"x{number}",
            "range": [0, own],
            **number_axis(0, own, most=3.5, whole=True),
            "showticklabels": not same_scale or column == 0,
        }
        traces += fan_traces(data, x=f"x{number}", y=f"y{number}", key=at == 0)
        name = {"text": f"<b>{literal(short[data.unit])}</b>", "font": {"size": 12, "color": INK}, "showarrow": False}
        place = {"xref": f"x{number} domain", "yref": f"y{number} domain", "x": 0, "y": 1, "yshift": 4}
        notes.append({**name, **place, "xanchor": "left", "yanchor": "bottom"})
        start = {"type": "line", "x0": f"{origin:%Y-%m-%d}", "x1": f"{origin:%Y-%m-%d}", "y0": 0, "y1": 1}
        where = {"xref": f"x{number}", "yref": f"y{number} domain"}
        lines.append({**start, **where, "line": {"color": MUTED, "width": 1, "dash": "dot"}})
    plot = chart(
        traces,
        title=title or say("Events a week by region"),
        note=say("From {day} on the forecast: median and central ranges.", day=date(origin)),
        height=height,
        room=32,
        key=True,
        axes=axes,
        bargap=0,
        shapes=lines,
        annotations=notes,
    )
    return shown(plot, backend, theme)


def small_multiples_data(
    frame: pd.DataFrame, history: pd.DataFrame | None = None, *, units: Sequence[str] = (), past: int = PAST
) -> tuple[Fan, ...]:
    """Return what each panel shows; parameters and errors as of `small_multiples`."""
    known = list(dict.fromkeys(tidy(frame, {"unit": "name"}, what="quantiles")["unit"]))
    for unit in units:
        if unit not in known:
            raise unknown_name("unit", unit, known, where="the frame of quantiles")
    return tuple(fan_data(frame, history, unit=unit, past=past) for unit in units or known)
