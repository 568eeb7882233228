"""A chart that stands by itself: title, note, axes and key in one look, on a light or dark page, by either library."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pandas as pd
import plotly.graph_objects as go
from babel.dates import format_date

from forecast.errors import unknown_name
from forecast.language import decimal, spoken
from forecast.plots.figures import MINUS, percent_sign
from forecast.plots.key import KEY_ROW, key_rows
from forecast.plots.theme import BAND_50, BAND_80, BAND_95, CONTRAST, DARK, FORECAST, INK, MUTED, PAPER, figure, literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure as PaperFigure

Backend = Literal["plotly", "matplotlib"]
Theme = Literal["light", "dark"]
Chart: TypeAlias = "go.Figure | PaperFigure"
WIDTH = 720
"""Pixels of a figure of matplotlib."""

SERIES = (FORECAST, CONTRAST, "#3d96cc", "#cc6fa6", "#12805c", "#3a2a1e")
"""Colours of what stands side by side, after Okabe and Ito (2008): told apart under every form of colour blindness."""
_SERIES_DARK = (DARK[FORECAST], DARK[CONTRAST], "#3f82bd", "#d884b8", "#3fbf95", "#f5f0d8")
COUNTS = ("#f1f0ea", BAND_95, BAND_80, BAND_50, "#4a7bab", FORECAST, "#0e2d47")
"""Colours of classes of counts, none first."""
_COUNTS_DARK = ("#20252a", *(DARK[colour] for colour in COUNTS[1:4]), "#6f9cc6", DARK[FORECAST], "#e3f1ff")
DASHES = ("solid", "dash", "dot")
"""Of lines in turn, so that more can be told apart, also in print."""
IN_THE_DARK = {**DARK, **dict(zip((*SERIES, *COUNTS), (*_SERIES_DARK, *_COUNTS_DARK), strict=True))}
"""Colour in the dark theme of each colour in the light one."""

_TITLE_LETTERS, _NOTE_LETTERS = 35, 48
"""Letters of a line that a page of 375 pixels holds."""
_TITLE, _NOTE, _PAD = 20, 16, 12
"""Pixels: height of a line of the title, of the note, and around everything."""


def chart(
    traces: list[Any],
    *,
    title: str,
    note: str = "",
    height: int,
    x: Mapping[str, Any] | None = None,
    y: Mapping[str, Any] | None = None,
    axes: Mapping[str, Mapping[str, Any]] | None = None,
    key: bool = False,
    room: int = 12,
    margin: Mapping[str, int] | None = None,
    **layout: Any,
) -> go.Figure:
    """Return a chart in the light theme.

    Parameters
    ----------
    traces : list of traces
        Those with ``showlegend`` stand in the key.
    title, note : str
        What is shown, in a few words, and what has to be known to read it. Broken into lines that a telephone holds.
    height : int
        Pixels of the drawing; title, note, axes and key come on top.
    x, y : mapping
        Settings of the axes.
    axes : mapping of name to settings
        Of a chart of several panels, instead of `x` and `y`: ``xaxis``, ``yaxis``, ``xaxis2``, each with its domain.
    key : bool
        Whether there is a key, below the drawing.
    room : int
        Pixels between the title and the drawing.
    margin : mapping
        Pixels of ``l``, ``r`` and ``b`` where they differ from the common ones.
    **layout
        Further settings of the layout.
    """
    titles, notes = _lines(title, _TITLE_LETTERS), _lines(note, _NOTE_LETTERS)
    top = _PAD + _TITLE * len(titles) + _NOTE * len(notes) + room
    edges = {"l": 52, "r": 24, "b": 46, **(margin or {})}
    below = KEY_ROW * (key_rows(traces) + 1) if key else 0
    plot = figure(
        traces,
        height=top + height + edges["b"] + below,
        x=dict(x or {}),
        y=dict(y or {}),
        panels=axes,
        **{"hovermode": "closest", **layout},
        margin={"l": edges["l"], "r": edges["r"], "t": top, "b": edges["b"] + below},
    )
    plot.update_layout(
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        title={
            "text": f"<b>{'<br>'.join(titles)}</b>",
            "font": {"size": 15, "color": INK},
            "subtitle": {"text": "<br>".join(notes), "font": {"size": 12, "color": MUTED}},
            "x": 0,
            "y": 1,
            "xref": "container",
            "yref": "container",
            "xanchor": "left",
            "yanchor": "top",
            # Plotly sets a title of several lines higher by the height of a capital.
            "pad": {"l": _PAD, "t": _PAD + (10 if len(titles) > 1 else 0)},
            "automargin": False,
        },
        modebar={"remove": ["select2d", "lasso2d"]},
        showlegend=key,
        legend={
            "orientation": "h",
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12, "color": INK},
            "bgcolor": "rgba(0,0,0,0)",
            "itemclick": False,
            "itemdoubleclick": False,
            "traceorder": "normal",
        },
    )
    return plot


def shown(plot: go.Figure, backend: Backend, theme: Theme, *, width: int = WIDTH) -> Chart:
    """Return a chart of the light theme in the theme asked for, as a figure of the library asked for.

    Parameters
    ----------
    plot : plotly Figure
        From `chart`.
    backend : {"plotly", "matplotlib"}
        matplotlib draws the Plotly figure, so that both show the same.
    theme : {"light", "dark"}
    width : int
        Pixels of the matplotlib figure; that of Plotly takes the width of the page.

    Raises
    ------
    InputError
        For any other backend or theme.
    """
    if theme not in {"light", "dark"}:
        raise unknown_name("theme", str(theme), ("light", "dark"))
    if backend not in {"plotly", "matplotlib"}:
        raise unknown_name("backend", str(backend), ("plotly", "matplotlib"))
    if theme == "dark":
        plot = go.Figure(_recoloured(plot.to_plotly_json()))
    if backend == "plotly":
        return plot
    from forecast.plots.paper import on_paper  # noqa: PLC0415 - matplotlib is slow to import, and not always wanted

    return on_paper(plot, width)


def week_axis(first: pd.Timestamp, last: pd.Timestamp, most: int = 6) -> dict[str, Any]:
    """Return the settings of an axis of dates, with ticks in the language spoken.

    Parameters
    ----------
    first, last : Timestamp
        Ends of the axis.
    most : int
        The most ticks.
    """
    days = max((last - first) / pd.Timedelta(days=1), 1.0)
    if days <= 11 * 7:
        step = int(-(-days // (7 * most)))
        at = pd.date_range(first, last, freq=pd.Timedelta(days=7 * step))
    else:
        months = next((n for n in (1, 2, 3, 6, 12, 24, 60, 120) if days / 30.4 / n <= most), 240)
        every = pd.date_range(first.normalize().replace(day=1), last, freq="MS")
        at = every[(every >= first) & ((12 * every.year + every.month - 1) % months == 0)]
    return {
        "type": "date",
        "range": [f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"],
        "tickvals": [f"{day:%Y-%m-%d}" for day in at],
        "ticktext": _days_told(at, days),
        "tickangle": 0,
        "showgrid": False,
    }


def percent_axis(low: float = 0.0, high: float = 1.0, step: float = 0.25) -> dict[str, Any]:
    """Return the ticks of an axis of shares."""
    at = [round(step * k, 6) for k in range(round(low / step), round(high / step) + 1)]
    return {"tickvals": at, "ticktext": [percent_sign(f"{100 * tick:.0f}") for tick in at]}


def number_axis(low: float, high: float, *, most: float = 4.5, whole: bool = False) -> dict[str, Any]:
    """Return round ticks within an axis, in the language spoken.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    most : float
        The most steps.
    whole : bool
        Whether only whole numbers make sense.

    Examples
    --------
    >>> number_axis(0, 37)["tickvals"], number_axis(0, 1.1)["ticktext"]
    ([0.0, 10.0, 20.0, 30.0], ['0.0', '0.5', '1.0'])
    """
    span = max(high - low, 1e-9)
    powers = range(0 if whole else math.floor(math.log10(span)) - 2, max(math.ceil(math.log10(span)), 0) + 1)
    steps = [base * 10.0**power for power in powers for base in (1, 2, 5)]
    step = next(step for step in steps if span / step <= most or step == steps[-1])
    digits = max(0, -math.floor(math.log10(step)))
    at = [round(k * step, 9) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return {"tickvals": at, "ticktext": [decimal(tick + 0.0, digits).replace("-", MINUS) for tick in at]}


def _days_told(days: pd.DatetimeIndex, span: float) -> list[str]:
    """Return days as short as the span of the axis allows, the year where it is new."""
    if span > 366 * 3:
        return [f"{day.year}" for day in days]
    told, year = [], None
    for day in days:
        text = format_date(day, "d MMM" if span <= 11 * 7 else "MMM", locale=spoken())
        told.append(text if day.year == year else f"{text}<br>{day.year}")
        year = day.year
    return told


def _lines(text: str, letters: int) -> list[str]:
    """Return a text in as few lines of so many letters as it takes, and these about equally long."""
    if not text:
        return []
    wrap = partial(textwrap.wrap, text, break_on_hyphens=False)
    fewest = len(wrap(letters))
    return [literal(line) for line in wrap(next(n for n in range(1, letters + 1) if len(wrap(n)) <= fewest))]


def _recoloured(value: Any) -> Any:
    if isinstance(value, str):
        return IN_THE_DARK.get(value, value)
    if isinstance(value, Mapping):
        return {name: _recoloured(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [_recoloured(item) for item in value]
    return value
