"""The fan chart: the weeks that were observed, and the ranges of those to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from forecast.errors import InputError
from forecast.language import date, decimal, say
from forecast.plots.chart import Backend, Chart, Theme, chart, number_axis, shown, week_axis
from forecast.plots.columns import once, only, tidy
from forecast.plots.figures import DASH, percent_sign
from forecast.plots.names import called
from forecast.plots.theme import BAND_50, BAND_80, BAND_95, FORECAST, MUTED, OBSERVED, literal

PAST = 30
"""Observed weeks that are shown."""
_COLOURS = (BAND_95, BAND_80, BAND_50)
"""Of the ranges, the widest first."""
_WEEK = pd.Timedelta(days=7)
_DAY_MS = 86_400_000


@dataclass(frozen=True, eq=False)
class Fan:
    """What a fan chart shows of one unit.

    Parameters
    ----------
    unit : str
    past : DataFrame
        week, events (NaN where not observed); no rows without a history.
    ahead : DataFrame
        week, median, mean (NaN if not given), and ``low_<level>``, ``high_<level>`` for each level.
    levels : tuple of float
        Of the central ranges, the widest first, at most three.
    """

    unit: str
    past: pd.DataFrame
    ahead: pd.DataFrame
    levels: tuple[float, ...]

    @property
    def span(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First day shown, and the day after the last."""
        weeks = pd.concat([self.past["week"], self.ahead["week"]])
        return weeks.min(), weeks.max() + _WEEK

    @property
    def top(self) -> float:
        """Upper end of the axis of counts."""
        highest = self.ahead.drop(columns="week").max(axis=None)
        return float(1.06 * np.nanmax([highest, self.past["events"].max(), 1.0]) + 0.2)


def fan(
    frame: pd.DataFrame,
    history: pd.DataFrame | None = None,
    *,
    unit: str | None = None,
    past: int = PAST,
    title: str = "",
    backend: Backend = "plotly",
    theme: Theme = "light",
) -> Chart:
    """Return the fan chart of one region or place.

    Every week spans its seven days. Ranges are central: the 80 % range lies between the quantiles 0.1 and 0.9.

    Parameters
    ----------
    frame : DataFrame
        unit, week (first day), quantile (level in (0, 1)), value (events a week); one row a level. The levels hold 0.5
        and at least one pair such as 0.1 and 0.9; of more than three pairs the widest, the middle and the narrowest
        are drawn. Optionally mean, the expected count.
    history : DataFrame, optional
        unit, week, events (missing where not observed): bars before the forecast.
    unit : str, optional
        Which one, if the frame has several.
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
        For missing columns, levels without a pair, several units of which none is chosen, or values that are no counts.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"unit": "Mali/Gao", "week": "2026-08-01", "quantile": [0.1, 0.5, 0.9], "value": [0, 2, 5]}
    ... )
    >>> fan(frame).layout.title.text
    '<b>Gao (Mali): events a week</b>'
    """
    data = fan_data(frame, history, unit=unit, past=past)
    first, after = data.span
    origin = data.ahead["week"].iloc[0]
    told = say("From {day} on the forecast: median and central ranges.", day=date(origin))
    line = {"type": "line", "x0": f"{origin:%Y-%m-%d}", "x1": f"{origin:%Y-%m-%d}", "yref": "paper", "y0": 0, "y1": 1}
    plot = chart(
        fan_traces(data),
        title=title or say("{unit}: events a week", unit=called(data.unit)),
        note=told,
        height=260,
        x=week_axis(first, after),
        y={"range": [0, data.top], "title": say("events a week"), **number_axis(0, data.top, whole=True)},
        key=True,
        bargap=0,
        shapes=[{**line, "line": {"color": MUTED, "width": 1, "dash": "dot"}}],
    )
    return shown(plot, backend, theme)


def fan_data(
    frame: pd.DataFrame, history: pd.DataFrame | None = None, *, unit: str | None = None, past: int = PAST
) -> Fan:
    """Return what a fan chart shows; parameters and errors as of `fan`."""
    wanted = tidy(
        frame,
        {"unit": "name", "week": "week", "quantile": "share", "value": "count"},
        {"mean": "known count"},
        what="quantiles",
    )
    mine = only(wanted, "unit", unit, what="quantiles")
    once(mine, "week", "quantile", what="quantiles")
    table = mine.pivot_table(index="week", columns="quantile", values="value").sort_index()
    levels = _levels([float(level) for level in table.columns])
    ahead = pd.DataFrame({"week": table.index, "median": table[0.5].to_numpy()})
    ahead["mean"] = mine.groupby("week")["mean"].first().to_numpy() if "mean" in mine else np.nan
    for level in levels:
        low, high = (round(0.5 + sign * level / 2, 9) for sign in (-1, 1))
        columns = {round(float(column), 9): column for column in table.columns}
        ahead[f"low_{level:g}"], ahead[f"high_{level:g}"] = (
            table[columns[low]].to_numpy(),
            table[columns[high]].to_numpy(),
        )
    gaps = ahead.columns[ahead.drop(columns="mean").isna().any().reindex(ahead.columns, fill_value=False)]
    if len(gaps):
        raise InputError("not every week has every quantile", where="the frame of quantiles", expected="all of them")
    name = str(mine["unit"].iloc[0])
    seen = pd.DataFrame({"week": ahead["week"].iloc[:0], "events": np.empty(0)})
    if history is not None:
        known = tidy(history, {"unit": "name", "week": "week", "events": "known count"}, what="counts")
        own = known[(known["unit"] == name) & (known["week"] < ahead["week"].iloc[0])]
        once(own, "week", what="counts")
        seen = own[["week", "events"]].sort_values("week").tail(past).reset_index(drop=True)
    return Fan(name, seen, ahead, levels)


def _levels(quantiles: list[float]) -> tuple[float, ...]:
    known = {round(level, 9) for level in quantiles}
    pairs = sorted({round(1 - 2 * low, 9) for low in known if low < 0.5 and round(1 - low, 9) in known}, reverse=True)
    if 0.5 not in known or not pairs:
        raise InputError(
            f"the quantiles {', '.join(f'{level:g}' for level in sorted(known))}",
            where="the frame of quantiles",
            expected="0.5 and pairs around it, such as 0.1 and 0.9",
        )
    usual = tuple(level for level in (0.95, 0.8, 0.5) if level in pairs)
    if len(pairs) <= 3 or len(usual) == 3:
        return tuple(pairs) if len(pairs) <= 3 else usual
    return pairs[0], pairs[len(pairs) // 2], pairs[-1]


def fan_traces(data: Fan, *, x: str = "x", y: str = "y", key: bool = True) -> list[Any]:
    """Return the traces of one fan.

    Parameters
    ----------
    data : Fan
    x, y : str
        The axes that it is drawn on.
    key : bool
        Whether its parts stand in the key.
    """
    edges = [*data.ahead["week"], data.ahead["week"].iloc[-1] + _WEEK]
    days = [f"{day:%Y-%m-%d}" for day in edges]
    axes: dict[str, Any] = {"xaxis": x, "yaxis": y}

    def steps(column: str) -> list[float]:
        values = [float(value) for value in data.ahead[column]]
        return [*values, values[-1]]

    traces: list[Any] = []
    for level, colour in zip(data.levels, _COLOURS[-len(data.levels) :], strict=True):
        edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", **axes}
        named: dict[str, Any] = {
            "name": say("{level} range", level=percent_sign(f"{100 * level:g}")),
            "showlegend": key,
        }
        traces += [
            go.Scatter(x=days, y=steps(f"low_{level:g}"), showlegend=False, **edge),
            go.Scatter(x=days, y=steps(f"high_{level:g}"), fill="tonexty", fillcolor=colour, **named, **edge),
        ]
    middle = [f"{day + _WEEK / 2:%Y-%m-%d %H:%M}" for day in data.ahead["week"]]
    line = {"color": FORECAST, "width": 2, "shape": "hv"}
    traces.append(
        go.Scatter(
            x=days,
            y=steps("median"),
            mode="lines",
            line=line,
            hoverinfo="skip",
            name=say("median"),
            showlegend=key,
            **axes,
        )
    )
    if data.ahead["mean"].notna().all():
        mean = [round(float(value), 3) for value in data.ahead["mean"]]
        dot = {"color": FORECAST, "size": 6}
        traces.append(
            go.Scatter(
                x=middle,
                y=mean,
                mode="markers",
                marker=dot,
                hoverinfo="skip",
                name=say("expected"),
                showlegend=key,
                **axes,
            )
        )
    told = [_told(data, row) for row in data.ahead.to_dict("records")]
    unseen_marker = {"color": "rgba(0,0,0,0)", "size": 12}
    traces.append(
        go.Scatter(
            x=middle,
            y=data.ahead["median"].tolist(),
            mode="markers",
            marker=unseen_marker,
            text=told,
            hoverinfo="text",
            showlegend=False,
            **axes,
        )
    )
    return traces + _past_traces(data.past, axes, key=key)


def _past_traces(past: pd.DataFrame, axes: dict[str, Any], *, key: bool) -> list[Any]:
    seen, unseen = past[past["events"].notna()], past[past["events"].isna()]
    traces: list[Any] = []
    if len(seen):
        traces.append(
            go.Bar(
                x=[f"{day:%Y-%m-%d}" for day in seen["week"]],
                y=seen["events"].tolist(),
                width=6 * _DAY_MS,
                offset=_DAY_MS // 2,
                marker={"color": OBSERVED},
                name=say("observed"),
                showlegend=key,
                text=[
                    say("week of {week}: {count}", week=date(week), count=f"{count:g}")
                    for week, count in zip(seen["week"], seen["events"], strict=True)
                ],
                textposition="none",
                hoverinfo="text",
                **axes,
            )
        )
    if len(unseen):
        cross = {"color": MUTED, "size": 8, "symbol": "x-thin", "line": {"color": MUTED, "width": 1.5}}
        traces.append(
            go.Scatter(
                x=[f"{day + _WEEK / 2:%Y-%m-%d %H:%M}" for day in unseen["week"]],
                y=[0] * len(unseen),
                mode="markers",
                marker=cross,
                cliponaxis=False,
                name=say("not observed"),
                showlegend=key,
                text=[say("week of {stamp}: not observed", stamp=date(week)) for week in unseen["week"]],
                hoverinfo="text",
                **axes,
            )
        )
    return traces


def _told(data: Fan, row: dict[Any, Any]) -> str:
    lines = [say("week of {week}", week=date(row["week"])), say("median {count}", count=f"{row['median']:g}")]
    if not np.isnan(row["mean"]):
        lines.append(say("expected {mean}", mean=decimal(row["mean"], 1)))
    for level in reversed(data.levels):
        span = f"{row[f'low_{level:g}']:g}{DASH}{row[f'high_{level:g}']:g}"
        lines.append(say("{level} range {span}", level=percent_sign(f"{100 * level:g}"), span=span))
    return literal("\n".join(lines)).replace("\n", "<br>")
