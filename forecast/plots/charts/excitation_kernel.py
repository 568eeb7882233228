"""The excitation kernel: how many further events one event brings, and how soon."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.errors import InputError, unknown_name
from forecast.language import decimal, say
from forecast.plots.chart import DASHES, SERIES, Backend, Chart, Theme, chart, number_axis, shown
from forecast.plots.columns import once, tidy
from forecast.plots.theme import BAND_95, literal

Step = Literal["day", "week"]


def excitation_kernel(
    frame: pd.DataFrame,
    *,
    step: Step = "day",
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return the rate of further events after one event, by the days or weeks since.

    The area below a curve is the branching ratio: the number of events that one event triggers itself, without those
    that they trigger in turn.

    Parameters
    ----------
    frame : DataFrame
        lag (days or weeks since the event), rate (further events a day or week), one row a lag. Optionally low and
        high, the ends of an interval; and curve, what each of several curves is called, such as ``"Mopti to Gao"``; at
        most six.
    step : {"day", "week"}
        What lags and rates are in. Days are points of a curve, weeks are sums.
    title : str, optional
    backend : {"plotly", "matplotlib"}
    theme : {"light", "dark"}

    Returns
    -------
    plotly Figure or matplotlib Figure

    Raises
    ------
    InputError
        For missing columns, values below 0, fewer than two lags, more than six curves, and another step.

    References
    ----------
    Hawkes (1971), doi:10.1093/biomet/58.1.83.

    Examples
    --------
    >>> frame = pd.DataFrame({"lag": [0.0, 1.0, 2.0], "rate": [0.4, 0.2, 0.1]})
    >>> excitation_kernel(frame).data[-1].y
    (0.4, 0.2, 0.1)
    """
    if step not in {"day", "week"}:
        raise unknown_name("step", str(step), ("day", "week"))
    data = excitation_kernel_data(frame)
    curves = list(dict.fromkeys(data["curve"]))
    traces: list[Any] = []
    for at, name in enumerate(curves):
        mine = data[data["curve"] == name]
        lag = mine["lag"].round(4).tolist()
        if mine[["low", "high"]].notna().all(axis=None) and len(curves) == 1:
            edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
            fill: dict[str, Any] = {"fill": "tonexty", "fillcolor": BAND_95, "showlegend": True}
            traces += [
                go.Scatter(x=lag, y=mine["low"].round(6).tolist(), showlegend=False, **edge),
                go.Scatter(x=lag, y=mine["high"].round(6).tolist(), name=say("interval"), **fill, **edge),
            ]
        traces.append(
            go.Scatter(
                x=lag,
                y=mine["rate"].round(6).tolist(),
                mode="lines",
                line={"color": SERIES[at], "width": 2, "dash": DASHES[at % len(DASHES)]},
                name=literal(name) or say("estimate"),
                showlegend=True,
                hovertemplate="%{x:.1f}: %{y:.3f}<extra></extra>",
            )
        )
    top = 1.05 * float(np.nanmax(data[["rate", "high"]].to_numpy(np.float64)))
    longest = float(data["lag"].max())
    several = say("The area below a curve is how many events one event triggers.")
    if step == "day":
        since, rate = say("days since the event"), say("further events a day")
    else:
        since, rate = say("weeks since the event"), say("further events a week")
    plot = chart(
        traces,
        title=title or say("How long one event echoes"),
        note=_told(data, step) if len(curves) == 1 else several,
        height=240,
        x={
            "range": [0, longest],
            **number_axis(0, longest, most=7),
            "showgrid": False,
            "title": since,
        },
        y={
            "range": [0, top],
            **number_axis(0, top),
            "title": rate,
        },
        key=len(traces) > 1,
        margin={"l": 60, "b": 52},
    )
    return shown(plot, backend, theme)


def excitation_kernel_data(frame: pd.DataFrame) -> pd.DataFrame:
    """Return curve ("" if there is one), lag, rate, low, high (NaN without an interval), by curve and lag."""
    what = "excitation"
    rows = tidy(
        frame,
        {"lag": "count", "rate": "count"},
        {"low": "known number", "high": "known number", "curve": "name"},
        what=what,
    )
    if "curve" not in rows:
        rows["curve"] = ""
    once(rows, "curve", "lag", what=what)
    rows = rows.reindex(columns=["curve", "lag", "rate", "low", "high"])
    rows[["low", "high"]] = rows[["low", "high"]].astype(np.float64)
    each = rows["curve"].value_counts(sort=False)
    if len(each) > len(SERIES):
        raise InputError(f"{len(each)} curves", where=f"the frame of {what}", expected=f"at most {len(SERIES)}")
    if each.min() < 2:
        raise InputError("a curve with one lag", where=f"the frame of {what}", expected="at least two")
    order = {name: at for at, name in enumerate(each.index)}
    return rows.sort_values(["curve", "lag"], key=lambda c: c.map(order) if c.name == "curve" else c).reset_index(
        drop=True
    )


def _told(data: pd.DataFrame, step: Step) -> str:
    """Return how many events one triggers within the lags shown, and when half of them have come."""
    lag, rate = data["lag"].to_numpy(), data["rate"].to_numpy()
    if step == "week":
        upto = np.cumsum(rate)
    else:
        upto = np.concatenate([[0.0], np.cumsum(np.diff(lag) * (rate[1:] + rate[:-1]) / 2)])
    if upto[-1] <= 0:
        return say("One event triggers none.")
    total = decimal(upto[-1], 2)
    if step == "week":
        half = lag[int(np.searchsorted(upto, upto[-1] / 2))]
        return say(
            "One event triggers {total} within {weeks} weeks, half of them within {half}.",
            total=total,
            weeks=f"{lag[-1]:g}",
            half=f"{half:g}",
        )
    return say(
        "One event triggers {total} within {days} days, half of them within {half}.",
        total=total,
        days=f"{lag[-1]:g}",
        half=decimal(float(np.interp(upto[-1] / 2, upto, lag)), 1),
    )
