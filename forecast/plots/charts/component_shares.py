"""Component shares: what the expected counts are made of, week by week."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.errors import InputError
from forecast.language import say
from forecast.plots.chart import SERIES, Backend, Chart, Theme, chart, percent_axis, shown, week_axis
from forecast.plots.columns import once, only, tidy
from forecast.plots.names import called
from forecast.plots.theme import literal

_WEEK = pd.Timedelta(days=7)


def component_shares(
    frame: pd.DataFrame,
    *,
    unit: str | None = None,
    past: int = 104,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return the shares of components in the expected count of each week, stacked to 100 %.

    Parameters
    ----------
    frame : DataFrame
        week, component, value (expected events or share, at least 0); one row a component. Optionally unit. The first
        component of the frame stands at the bottom.
    unit : str, optional
        Which one, if the frame has several.
    past : int, default 104
        The most weeks to show, the last ones.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, values below 0, more than six components, and several units of which none is chosen.

    Examples
    --------
    >>> frame = pd.DataFrame({"week": "2026-08-01", "component": ["own", "base"], "value": [1.0, 3.0]})
    >>> component_shares_data(frame).round(2).to_dict("records")[0]["own"]
    0.25
    """
    shares = component_shares_data(frame, unit=unit, past=past)
    weeks = shares.index
    days = [f"{day:%Y-%m-%d}" for day in [*weeks, weeks[-1] + _WEEK]]
    floor = np.zeros(len(weeks))
    traces: list[Any] = [_edge(days, floor)]
    for at, name in enumerate(shares.columns):
        floor = floor + shares[name].to_numpy()
        filled = {"fill": "tonexty", "fillcolor": SERIES[at], "name": literal(name), "showlegend": True}
        traces.append(_edge(days, floor, **filled))
    owner = called(shares.attrs["unit"]) if shares.attrs["unit"] else ""
    whose = say("{unit}: where events come from", unit=owner) if owner else say("Where events come from")
    plot = chart(
        traces,
        title=title or whose,
        note=say("Shares of the expected number of events of each week."),
        height=240,
        x=week_axis(weeks[0], weeks[-1] + _WEEK),
        y={"range": [0, 1], **percent_axis(), "title": say("share of the expected events")},
        key=True,
    )
    return shown(plot, backend, theme)


def component_shares_data(frame: pd.DataFrame, *, unit: str | None = None, past: int = 104) -> pd.DataFrame:
    """Return the shares: a row a week, a column a component; NaN where nothing is expected."""
    what = "components"
    rows = tidy(frame, {"week": "week", "component": "name", "value": "count"}, {"unit": "name"}, what=what)
    if "unit" in rows:
        rows = only(rows, "unit", unit, what=what)
    once(rows, "week", "component", what=what)
    names = list(dict.fromkeys(rows["component"]))
    if len(names) > len(SERIES):
        raise InputError(
            f"{len(names)} components",
            where=f"the frame of {what}",
            expected=f"at most {len(SERIES)}, which can be told apart",
            hint="add up the smallest ones",
        )
    table = rows.pivot_table(index="week", columns="component", values="value", aggfunc="sum")[names]
    table = table.fillna(0.0).sort_index().tail(past)
    total = table.sum(axis=1)
    shares = table.div(total.where(total > 0), axis=0)
    shares.attrs["unit"] = str(rows["unit"].iloc[0]) if "unit" in rows else ""
    return shares


def _edge(days: list[str], heights: np.ndarray, **fill: Any) -> go.Scatter:
    tops: list[Any] = [None if np.isnan(top) else round(float(top), 4) for top in heights]
    line = {"width": 0, "shape": "hv"}
    return go.Scatter(
        x=days, y=[*tops, tops[-1]], mode="lines", line=line, hoverinfo="skip", **{"showlegend": False, **fill}
    )
