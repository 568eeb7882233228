"""The calendar: the counts of all weeks, a row a year."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from babel.dates import get_month_names

from forecast.language import date, say, spoken
from forecast.plots.chart import COUNTS, Backend, Chart, Theme, chart, shown
from forecast.plots.columns import once, only, tidy
from forecast.plots.figures import DASH
from forecast.plots.key import class_scale, swatches
from forecast.plots.names import called
from forecast.plots.theme import MUTED, literal

_ROW = 17
"""Pixels of a year."""


def calendar(
    frame: pd.DataFrame,
    *,
    unit: str | None = None,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return the calendar heat map of one region or place: years from top to bottom, weeks from left to right.

    Parameters
    ----------
    frame : DataFrame
        week (first day), events (missing where not observed). Optionally unit.
    unit : str, optional
        Which one, if the frame has several.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, what is no count, two rows of one week, and several units of which none is chosen.

    Examples
    --------
    >>> frame = pd.DataFrame({"week": ["2025-12-27", "2026-01-03"], "events": [3, 0]})
    >>> calendar(frame).data[0].y
    (2025, 2026)
    """
    data = calendar_data(frame, unit=unit)
    years = list(range(int(data["year"].min()), int(data["year"].max()) + 1))
    kinds: list[list[int | None]] = [[None] * 53 for _ in years]
    texts = [[""] * 53 for _ in years]
    for row in data.to_dict("records"):
        at = row["year"] - years[0], row["column"]
        kinds[at[0]][at[1]] = None if np.isnan(row["kind"]) else int(row["kind"])
        texts[at[0]][at[1]] = _told(row)
    names = data.attrs["classes"]
    # None is the first colour, the highest class the darkest but one or the last.
    darkest = max(len(names), len(COUNTS) - 1) - 1
    colours = [COUNTS[at] for at in np.linspace(0, darkest, len(names)).round().astype(int)]
    cells: dict[str, Any] = {
        "x": list(range(53)),
        "y": years,
        "z": kinds,
        "text": texts,
        **class_scale(colours),
    }
    unseen = data[data["events"].isna()]
    traces: list[Any] = [
        go.Heatmap(**cells, hoverinfo="text", showlegend=False),
        *swatches(list(zip(names, colours, strict=True))),
    ]
    if len(unseen):
        traces.append(
            go.Scatter(
                x=unseen["column"].tolist(),
                y=unseen["year"].tolist(),
                mode="markers",
                marker={"color": MUTED, "size": 4, "symbol": "x-thin", "line": {"color": MUTED, "width": 1}},
                name=say("not observed"),
                showlegend=True,
                hoverinfo="skip",
            )
        )
    step = 1 if len(years) <= 15 else 2 if len(years) <= 30 else 5
    marked = [year for year in years if year % step == 0 or len(years) == 1]
    months = get_month_names("abbreviated", locale=spoken())
    first_days = [(pd.Timestamp(2026, month, 1).day_of_year - 1) / 7 - 0.5 for month in range(1, 13, 2)]
    owner = called(data.attrs["unit"]) if data.attrs["unit"] else ""
    plot = chart(
        traces,
        title=title or (say("{unit}: events a week", unit=owner) if owner else say("Events a week")),
        height=_ROW * len(years) + 4,
        x={
            "range": [-0.5, 52.5],
            "tickvals": [round(at, 3) for at in first_days],
            "ticktext": [months[month].rstrip(".") for month in range(1, 13, 2)],
            "showgrid": False,
        },
        y={
            "range": [years[-1] + 0.5, years[0] - 0.5],
            "tickvals": marked,
            "ticktext": [str(year) for year in marked],
            "showgrid": False,
        },
        key=True,
        margin={"b": 34},
    )
    return shown(plot, backend, theme)


def calendar_data(frame: pd.DataFrame, *, unit: str | None = None) -> pd.DataFrame:
    """Return week, events, year, column (week of the year from 0) and kind (class of the count; NaN if missing)."""
    what = "counts"
    rows = tidy(frame, {"week": "week", "events": "known count"}, {"unit": "name"}, what=what)
    if "unit" in rows:
        rows = only(rows, "unit", unit, what=what)
    once(rows, "week", what=what)
    data = rows[["week", "events"]].sort_values("week").reset_index(drop=True)
    data["year"] = data["week"].dt.year
    data["column"] = (data["week"].dt.day_of_year - 1) // 7
    # Classes double, so that a quiet region and a busy one can both be read.
    largest = float(data["events"].max())
    starts = [0.0, *(2.0**power for power in range(len(COUNTS) - 1) if 2.0**power <= largest)]
    kinds = np.searchsorted(starts, data["events"].to_numpy(np.float64), side="right") - 1.0
    data["kind"] = np.where(data["events"].isna(), np.nan, kinds)
    inner = [f"{low:.0f}" if high == low + 1 else f"{low:.0f}{DASH}{high - 1:.0f}" for low, high in pairwise(starts)]
    last = f"{starts[-1]:.0f}" if not largest > starts[-1] else f"{starts[-1]:.0f}{DASH}{largest:.0f}"
    data.attrs = {"classes": [*inner, last], "unit": str(rows["unit"].iloc[0]) if "unit" in rows else ""}
    return data


def _told(row: dict[Any, Any]) -> str:
    if np.isnan(row["events"]):
        return literal(say("week of {stamp}: not observed", stamp=date(row["week"])))
    return literal(say("week of {week}: {count}", week=date(row["week"]), count=f"{row['events']:g}"))
